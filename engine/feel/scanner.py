"""Text → tokens. A name comes as its words; joining them is the parser's work, for it knows what is in scope."""

import re
from dataclasses import dataclass

from engine.feel.errors import FeelSyntaxError
from engine.feel.habits import meant_by_stray

# The specification's name characters (rules 28 and 29), without the full-width punctuation that lies in these ranges: a Chinese
# keyboard gives “，” for “,” too easily for it to be read silently as part of a name. It may still stand in a name that is in scope.
_PUNCTUATION = "\u3001-\u3003\u3008-\u3020\u3030\uff01-\uff0f\uff1a-\uff20\uff3b-\uff40\uff5b-\uff65"
_START = (
    r"A-Za-z_\u00C0-\u00D6\u00D8-\u00F6\u00F8-\u02FF\u0370-\u037D\u037F-\u1FFF\u200C-\u200D\u2070-\u218F"
    r"\u2C00-\u2FEF\u3001-\uD7FF\uF900-\uFDCF\uFDF0-\uFFFD\U00010000-\U000EFFFF"
)
_PART = _START + r"0-9\u00B7\u0300-\u036F\u203F-\u2040"

_TOKEN = re.compile(
    rf"""
    (?P<space>(?:\s|\ufeff|//[^\n]*|/\*(?:[^*]|\*(?!/))*\*/)+)
  | (?P<number>(?:[0-9]+(?:\.[0-9]+)?|\.[0-9]+)(?:[eE][+-]?[0-9]+)?)
  | (?P<string>"(?:[^"\\]|\\.)*")
  | (?P<at>@"(?:[^"\\]|\\.)*")
  | (?P<quoted>`[^`\n]+`)
  | (?P<name>(?![{_PUNCTUATION}])[{_START}](?:(?![{_PUNCTUATION}])[{_PART}])*)
  | (?P<symbol>(?!/\*)(?:\.\.\.|\.\.|->|\*\*|<=|>=|!=|[-+*/=<>(){{}}\[\],.:?]|['’{_PUNCTUATION}]))
    """,
    re.VERBOSE | re.DOTALL,
)

# The full-width twins of FEEL's symbols, to say what was probably meant.
_MEANT = dict(zip("，（）｛｝［］：＝＞＜。“”；、＂", ',(){}[]:=><.""', strict=False)) | {"；": ",", "、": ",", "＂": '"'}

_ESCAPES = {"n": "\n", "r": "\r", "t": "\t", '"': '"', "'": "'", "\\": "\\"}
_ESCAPE = re.compile(r"\\(?:u([0-9A-Fa-f]{4})|U([0-9A-Fa-f]{6})|(.))", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Token:
    """`kind` is number, string, at, quoted, name, symbol or end; `value` a string's contents, else the text."""

    kind: str
    text: str
    start: int
    end: int
    value: str

    def describe(self) -> str:
        """How a message calls it."""
        if self.kind == "end":
            return "表达式的结尾"
        meant = _MEANT.get(self.text)
        return f"全角的「{self.text}」，可能想写「{meant}」" if meant else f"「{self.text[:40]}」"


def scan(text: str) -> list[Token]:
    """All tokens of `text`, the last of kind `end`; FeelSyntaxError where no token begins."""
    tokens, position = [], 0
    while position < len(text):
        match = _TOKEN.match(text, position)
        if match is None:
            raise _stray(text, position)
        kind, found = match.lastgroup, match.group()
        if kind != "space":
            value = found
            if kind in ("string", "at"):
                value = _unescape(text, found[found.index('"') + 1 : -1], position)
            elif kind == "quoted":
                value = found[1:-1]
            tokens.append(Token(kind, found, position, match.end(), value))
        position = match.end()
    tokens.append(Token("end", "", len(text), len(text), ""))
    return tokens


def _stray(text: str, position: int) -> FeelSyntaxError:
    if text[position] == "@" and not text.startswith('@"', position):
        return FeelSyntaxError(text=text, offset=position, expected=['「@」后用引号的字面量，例如「@"2026-01-31"」'], found="没有引号的「@」")
    if text[position] in '"@':
        return FeelSyntaxError(text=text, offset=position, expected=["完整的字符串"], found="没有右引号的字符串")
    if text.startswith("/*", position):
        return FeelSyntaxError(text=text, offset=position, expected=["完整的注释"], found="没有「*/」的注释")
    meant = meant_by_stray(text, position)
    found = f"「{printable(text[position])}」" + (f"，可能想写「{meant}」" if meant else "")
    return FeelSyntaxError(text=text, offset=position, expected=["数字、字符串、名称或运算符"], found=found)


def printable(text: str) -> str:
    """`text` without what a terminal or a log could stumble over."""
    return "".join(c if c.isprintable() else f"U+{ord(c):04X}" for c in text)


def _unescape(text: str, inside: str, position: int) -> str:
    if "\\" in inside:
        inside = _ESCAPE.sub(_escaped, inside)
    try:
        # Two \u escapes may spell one character beyond the basic plane; half of such a pair is no character.
        joined = inside.encode("utf-16", "surrogatepass").decode("utf-16")
    except UnicodeDecodeError:
        joined = None
    if joined is None:
        raise FeelSyntaxError(text=text, offset=position, expected=["有效的 Unicode 字符"], found="半个代理对")
    return joined


def _escaped(match: re.Match) -> str:
    short, long, other = match.groups()
    if other is None:
        code = int(short or long, 16)
        return chr(code) if code <= 0x10FFFF else match.group()
    # An unknown escape stays as it is written, so that regular expressions read "\d" as well as "\\d".
    return _ESCAPES.get(other, match.group())
