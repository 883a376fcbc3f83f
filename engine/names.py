"""Finding people by name without storing names: the search tokens of a name, and what a searcher may type.

A name becomes short tokens: its characters (c), neighbouring pairs of characters (b), full syllables of pinyin (p) and pairs of initials
(i); of an address, pairs of neighbours (a). Only keyed hashes of them are stored (`engine.vault.Vault.index`); who erases a person deletes
the hashes. A character with several readings gets all of them, because surnames often use the rare one (单 shan, 解 xie, 曾 zeng).
"""

import os
import re
import unicodedata
from functools import lru_cache, partial
from itertools import product

from engine.vault import Vault

LONGEST = 40  # characters of a name or of a query; more is cut off
LONGEST_ADDRESS = 200
_ALTERNATIVES = 8  # readings of one query that are tried

_HAN = re.compile(r"[㐀-䶿一-鿿\U00020000-\U0003134f〇々]+")
_UNIT = re.compile(r"[㐀-䶿一-鿿\U00020000-\U0003134f〇々]|[a-z]+|[0-9]+")  # of an address: 3 is no part of 13
_OF_ADDRESSES = re.compile(r"[0-9]|[村庄号组路街巷弄院楼室队屯集镇乡区]|胡同|单元")
_WORD = re.compile(r"[㐀-䶿一-鿿\U00020000-\U0003134f〇々]+|[a-z]+|[0-9]+x?")

# Every syllable of Mandarin without tones, ü written v (GB/T 16159), as alternatives after each initial.
_SYLLABLES = frozenset(
    initial + final
    for initial, finals in {
        "": "a ai an ang ao e ei en eng er o ou",
        "b": "a ai an ang ao ei en eng i ian iao ie in ing o u",
        "p": "a ai an ang ao ei en eng i ian iao ie in ing o ou u",
        "m": "a ai an ang ao e ei en eng i ian iao ie in ing iu o ou u",
        "f": "a an ang ei en eng iao o ou u",
        "d": "a ai an ang ao e ei en eng i ia ian iao ie ing iu ong ou u uan ui un uo",
        "t": "a ai an ang ao e ei eng i ian iao ie ing ong ou u uan ui un uo",
        "n": "a ai an ang ao e ei en eng i ia ian iang iao ie in ing iu ong ou u uan un uo v ve",
        "l": "a ai an ang ao e ei eng i ia ian iang iao ie in ing iu o ong ou u uan un uo v ve",
        "g": "a ai an ang ao e ei en eng ong ou u ua uai uan uang ui un uo",
        "k": "a ai an ang ao e ei en eng ong ou u ua uai uan uang ui un uo",
        "h": "a ai an ang ao e ei en eng ong ou u ua uai uan uang ui un uo",
        "j": "i ia ian iang iao ie in ing iong iu u uan ue un",
        "q": "i ia ian iang iao ie in ing iong iu u uan ue un",
        "x": "i ia ian iang iao ie in ing iong iu u uan ue un",
        "zh": "a ai an ang ao e ei en eng i ong ou u ua uai uan uang ui un uo",
        "ch": "a ai an ang ao e en eng i ong ou u ua uai uan uang ui un uo",
        "sh": "a ai an ang ao e ei en eng i ou u ua uai uan uang ui un uo",
        "r": "an ang ao e en eng i ong ou u ua uan ui un uo",
        "z": "a ai an ang ao e ei en eng i ong ou u uan ui un uo",
        "c": "a ai an ang ao e en eng i ong ou u uan ui un uo",
        "s": "a ai an ang ao e en eng i ong ou u uan ui un uo",
        "y": "a an ang ao e i in ing o ong ou u uan ue un",
        "w": "a ai an ang ei en eng o u",
    }.items()
    for final in finals.split()
)
_INITIALS = frozenset(syllable[0] for syllable in _SYLLABLES)
_LONGEST_SYLLABLE = 6


def tokens(name: str) -> set[str]:
    """All search tokens of a name, readable: hash them before storing (`keyed`)."""
    found = set()
    for word in _words(name):
        if not _HAN.match(word):
            found.update(f"p:{part}" for part in [word, *(part for split in _splits(word) for part in split)])
            continue
        readings = [syllables(character) for character in word]
        found.update(f"c:{character}" for character in word)
        found.update(f"b:{pair}" for pair in _pairs(word))
        found.update(f"p:{syllable}" for choices in readings for syllable in choices)
        for left, right in zip(readings, readings[1:], strict=False):
            found.update(f"i:{first[0]}{second[0]}" for first, second in product(left, right))
    return found


def fits_key(key: str) -> bool:
    """Whether a unit's key is fit for addresses and files: small letters, digits, dashes, at most 32."""
    return re.fullmatch(r"[a-z0-9][a-z0-9-]{0,31}", key) is not None


def number_tokens(*numbers: str | None) -> set[str]:
    """Tokens of whole telephone and identity numbers; nothing finds a part of one."""
    return {f"n:{digits}" for number in numbers if number and (digits := _digits(number))}


def address_tokens(address: str | None) -> set[str]:
    """Tokens of an address: its neighbouring characters and whole numbers (a), whatever stands between them."""
    return {f"a:{pair}" for pair in _neighbours(_plain(address or "", LONGEST_ADDRESS))}


def address_reading(text: str) -> frozenset[str] | None:
    """What a searcher means by `text` if it is part of an address (张庄村3号, 张庄 3号), all of which must be there; None if it looks like none.

    A name does not: whoever looks for 王集 should not be given the whole of 王集村.
    """
    plain = _plain(text, LONGEST)
    if len(_UNIT.findall(plain)) < 3 and not re.search(r"[0-9]", plain) or not _OF_ADDRESSES.search(plain) or not _HAN.search(plain):
        return None
    return frozenset(f"a:{pair}" for word in plain.split() for pair in _neighbours(word)) or None


def readings(text: str) -> list[frozenset[str]]:
    """What a searcher may mean by `text`: alternatives, each a set of tokens that must all be there. Empty for empty text.

    张三, 张, 三, zhangsan, zhang san, zhang, zs and a whole telephone number all work; `xian` means both 先 and 西安.
    """
    digits = _digits(text)
    if re.fullmatch(r"\+?[0-9]{5,}x?", digits):
        return [frozenset({f"n:{digits}"})]
    choices = [_word_readings(word) for word in _words(text)]
    combined = [frozenset().union(*choice) for choice in product(*choices)] if choices else []
    return list(dict.fromkeys(combined))[:_ALTERNATIVES]


def keyed(vault: Vault, county_id: str, register: str, plain: set[str] | frozenset[str]) -> list[str]:
    """The stored form of tokens. `register` keeps the registers apart, so that equal names in two of them do not show as equal."""
    return sorted(vault.index(county_id, register, token) for token in plain)


@lru_cache(maxsize=8192)
def syllables(character: str) -> tuple[str, ...]:
    """Readings of one character without tones, ü as v; empty when it has none."""
    found = (_pinyin()(character) or [[]])[0]
    return tuple(dict.fromkeys(reading for reading in found if reading in _SYLLABLES))


@lru_cache(maxsize=1)
def _pinyin():
    # Loaded when first needed. Its phrase tables (45 MB in each process) only choose between readings, and we index every reading.
    os.environ.setdefault("PYPINYIN_NO_PHRASES", "true")
    from pypinyin import Style, pinyin

    return partial(pinyin, style=Style.NORMAL, heteronym=True, errors="ignore")


def _plain(text: str, longest: int) -> str:
    return unicodedata.normalize("NFKC", text[:longest]).lower()


def _neighbours(text: str) -> list[str]:
    units = _UNIT.findall(text)
    return [f"{left}{right}" for left, right in zip(units, units[1:], strict=False)]


def _digits(number: str) -> str:
    return re.sub(r"[\s-]", "", _plain(number, LONGEST))


def _words(text: str) -> list[str]:
    plain = _plain(text, LONGEST).replace("ü", "v").replace("'", "").replace("’", "")
    return _WORD.findall(plain)


def _word_readings(word: str) -> list[set[str]]:
    if _HAN.match(word):
        return [{f"b:{pair}" for pair in _pairs(word)} or {f"c:{word}"}]
    if word[0].isdigit():
        return [{f"n:{word}"}]
    found = [{f"p:{syllable}" for syllable in split} for split in _splits(word)]
    if _INITIALS.issuperset(word) and (len(word) in (2, 3) or (len(word) == 4 and not found)):
        found.append({f"i:{pair}" for pair in _pairs(word)})
    return found or [{f"p:{word}"}]


def _splits(word: str) -> list[list[str]]:
    """All ways to cut a word into syllables, the fewest first, at most `_ALTERNATIVES` of them."""
    ways: list[list[list[str]]] = [[[]]] + [[] for _ in word]
    for end in range(1, len(word) + 1):
        for start in range(max(0, end - _LONGEST_SYLLABLE), end):
            if ways[start] and word[start:end] in _SYLLABLES:
                ways[end] += [[*way, word[start:end]] for way in ways[start]]
        ways[end] = sorted(ways[end], key=len)[:_ALTERNATIVES]
    return [way for way in ways[-1] if len(way) <= len(ways[-1][0]) + 1]


def _pairs(word: str) -> list[str]:
    return [word[at : at + 2] for at in range(len(word) - 1)]
