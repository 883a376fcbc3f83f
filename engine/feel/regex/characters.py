"""Classes of characters: each is a function from one character to a truth value."""

import unicodedata

# What an escaped character stands for.
ESCAPED = {"n": "\n", "r": "\r", "t": "\t"} | {c: c for c in "\\|.-^?*+{}()[]$"}

_CATEGORIES = frozenset("L Lu Ll Lt Lm Lo M Mn Mc Me N Nd Nl No P Pc Pd Ps Pe Pi Pf Po Z Zs Zl Zp S Sm Sc Sk So C Cc Cf Co Cn".split())

# The blocks an author here may want; XML Schema names them all, an unknown one is an error.
_BLOCKS = {
    "BasicLatin": (0x0, 0x7F),
    "Latin-1Supplement": (0x80, 0xFF),
    "LatinExtended-A": (0x100, 0x17F),
    "LatinExtended-B": (0x180, 0x24F),
    "Greek": (0x370, 0x3FF),
    "GreekandCoptic": (0x370, 0x3FF),
    "Cyrillic": (0x400, 0x4FF),
    "Hebrew": (0x590, 0x5FF),
    "Arabic": (0x600, 0x6FF),
    "GeneralPunctuation": (0x2000, 0x206F),
    "CJKSymbolsandPunctuation": (0x3000, 0x303F),
    "Hiragana": (0x3040, 0x309F),
    "Katakana": (0x30A0, 0x30FF),
    "CJKUnifiedIdeographsExtensionA": (0x3400, 0x4DBF),
    "CJKUnifiedIdeographs": (0x4E00, 0x9FFF),
    "HangulSyllables": (0xAC00, 0xD7AF),
    "PrivateUse": (0xE000, 0xF8FF),
    "HalfwidthandFullwidthForms": (0xFF00, 0xFFEF),
}


def anything(_: str) -> bool:
    """`.` with flag s."""
    return True


def not_newline(c: str) -> bool:
    """`.`"""
    return c != "\n" and c != "\r"


def _digit(c: str) -> bool:
    return unicodedata.category(c) == "Nd"


def _blank(c: str) -> bool:
    return c in " \t\n\r"


def _word(c: str) -> bool:
    return unicodedata.category(c)[0] not in "PZC"


def _name_start(c: str) -> bool:
    return c in "_:" or c.isalpha()


def _name_part(c: str) -> bool:
    return c in "-._:\u00b7" or unicodedata.category(c)[0] in "LMN"


_CLASSES = {"d": _digit, "s": _blank, "w": _word, "i": _name_start, "c": _name_part}


def escape(symbol: str):
    """The test of a class such as `\\d`."""
    if symbol.lower() not in _CLASSES:
        raise ValueError(f"no escape \\{symbol}")
    test = _CLASSES[symbol.lower()]
    return test if symbol.islower() else lambda c: not test(c)


def property_(name: str, negated: bool):
    """The test of `\\p{name}`: a category, or a block named `Is…`."""
    if name in _CATEGORIES:
        return lambda c: unicodedata.category(c).startswith(name) is not negated
    first, last = _BLOCKS.get(name.removeprefix("Is"), (None, None))
    if first is None or not name.startswith("Is"):
        raise ValueError(f"no property {name}")
    return lambda c: (first <= ord(c) <= last) is not negated


def union(tests: list, negated: bool, subtracted):
    """The test of a bracket."""

    def test(c: str) -> bool:
        inside = any(one(c) for one in tests) is not negated
        return inside and not (subtracted is not None and subtracted(c))

    return test
