r"""`validate.pattern`: a JavaScript regular expression that an author wrote, run by FEEL's own matcher, which cannot run away.

Its time grows with the length of the text times that of the pattern, whatever they are. What the two flavours share is what authors
write for identity cards, codes and plates; `\d`, `\w`, `\s` mean here what they mean in JavaScript; look-around, word boundaries and
back-references are refused.
"""

import re

from engine.feel import Budget, FeelError, regex

SOURCE = 300
_CLASSES = {"d": "0-9", "w": "A-Za-z0-9_", "s": " \t\n\r\x0b\x0c\xa0\ufeff\u2028\u2029\u3000"}
_CODE = re.compile(r"\\(?:u([0-9a-fA-F]{4})|x([0-9a-fA-F]{2})|(.))", re.DOTALL)


class PatternRefused(ValueError):
    """The pattern cannot be used: `args[0]` says why in Chinese, `args[1]` in English."""


class Pattern:
    """A pattern ready to run."""

    def __init__(self, source: str):
        """PatternRefused if it is none, or means something else in JavaScript."""
        if len(source) > SOURCE:
            raise PatternRefused(f"正则表达式超过 {SOURCE} 个字符", f"the pattern is longer than {SOURCE} characters")
        self.source = source
        try:
            self._regex = regex.compiled(_translate(source), "")
        except (ValueError, FeelError) as error:
            raise PatternRefused(
                "正则表达式有误，或用了不支持的写法（断言、\\b、反向引用）",
                f"not a pattern, or one with look-around, \\b or back-references: {error}",
            ) from error

    def search(self, text: str, budget: Budget) -> bool:
        """Whether the pattern occurs in `text`."""
        return self._regex.search(text, budget) is not None


def _translate(source: str) -> str:
    """The same pattern in XPath's flavour."""
    out, position, inside = [], 0, False
    while position < len(source):
        character = source[position]
        match = _CODE.match(source, position)
        if match:
            out.append(_escape(match, inside))
            position = match.end()
            continue
        if character == "[":
            # A bracket inside a class is a plain character in JavaScript and a subtraction in XPath.
            out.append("\\[" if inside else "[")
            inside = True
        else:
            inside = inside and character != "]"
            out.append(character)
        position += 1
    return "".join(out)


def _escape(match: re.Match, inside: bool) -> str:
    code, short, symbol = match.groups()
    if symbol is None:
        return re.sub(r"([\\.?*+{}()\[\]|^$-])", r"\\\1", chr(int(code or short, 16)))
    if symbol in _CLASSES:
        return _CLASSES[symbol] if inside else f"[{_CLASSES[symbol]}]"
    if symbol.lower() in _CLASSES and not inside:
        return f"[^{_CLASSES[symbol.lower()]}]"
    if symbol in "/\"'#%&,:;<=>@_`~! ":
        return symbol  # JavaScript lets anything be escaped
    if symbol in "bBkpP" or symbol.isalnum() and symbol not in "nrt":
        raise ValueError(f"\\{symbol}")
    return f"\\{symbol}"
