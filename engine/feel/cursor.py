"""A place in the tokens: looking, taking, and reading names of several words."""

from engine.feel.budget import LENGTH
from engine.feel.errors import FeelSyntaxError
from engine.feel.habits import meant as meant_by_habit
from engine.feel.names import Names, join
from engine.feel.scanner import Token, printable, scan

# Words that end a name wherever they stand, so that `a.b in c` and `if a.b then` need no brackets.
INFIX_WORDS = frozenset(("and", "or", "in", "between", "instance", "then", "else", "return", "satisfies"))
_NEVER_IN_NAMES = frozenset("(){}[],:<>=?") | {"<=", ">=", "!=", "..", "...", "->"}


class Cursor:
    """One text being read."""

    def __init__(self, text: str):
        if len(text) > LENGTH:
            raise FeelSyntaxError(text=text, offset=LENGTH, expected=[f"不超过 {LENGTH} 个字符的表达式"], found="更长的表达式")
        self.text = text
        self.tokens = scan(text)
        self.at = 0

    @property
    def token(self) -> Token:
        return self.tokens[self.at]

    def advance(self) -> Token:
        token = self.tokens[self.at]
        self.at += 1
        return token

    def sees(self, *texts: str) -> bool:
        """Whether one of these symbols or words stands here."""
        token = self.tokens[self.at]
        return token.text in texts and token.kind in ("symbol", "name")

    def take(self, text: str) -> bool:
        if self.sees(text):
            self.at += 1
            return True
        return False

    def expect(self, *texts: str) -> str:
        if not self.sees(*texts):
            raise self.error(*(f"「{text}」" for text in texts))
        return self.advance().text

    def error(self, *expected: str, token: Token | None = None, found: str = "") -> FeelSyntaxError:
        token = token or self.token
        place = self.tokens.index(token)
        slip, meant = meant_by_habit(token.text, self.tokens[place - 1].text if place else "")
        if meant:
            found = f"「{slip}」，可能想写「{meant}」"
        found = printable(found or token.describe())
        return FeelSyntaxError(text=self.text, offset=token.start, expected=list(expected), found=found)

    # --- names ------------------------------------------------------------------------------------------------------

    def scoped_name(self, scopes: list[Names]) -> str:
        """The longest name of several words here, consumed; empty when there is none."""
        length, name = 0, ""
        for scope in scopes:
            matched, candidate = scope.match(self.tokens, self.at)
            if matched >= length and matched:
                length, name = matched, candidate
        self.at += length
        return name

    def adjacent_words(self) -> str:
        """The words here as one name. Two words side by side mean nothing else after a dot or in a filter, where
        the entries of a context are seldom known."""
        start = self.at
        self.at += 1
        while self.token.kind in ("name", "number") and self.token.text not in INFIX_WORDS:
            self.at += 1
        return join(self.tokens[start : self.at])

    def name_until(self, *ends: str) -> str:
        """A name being introduced: all tokens before the first of `ends`."""
        start = self.at
        if self.token.kind == "quoted":
            return self.advance().value
        if self.token.kind != "name" or self.sees(*ends):
            raise self.error("名称")
        while not self.sees(*ends):
            if self.token.kind == "end":  # every word after the first may be the wrong one
                raise self.error(*(f"「{end}」" for end in ends), token=self.tokens[start + 1])
            if self.token.kind in ("string", "at") or self.token.text in _NEVER_IN_NAMES:
                raise self.error(*(f"「{end}」" for end in ends))
            self.at += 1
        return join(self.tokens[start : self.at])

    def parameter_name(self) -> str | None:
        """The name before a `:` standing here, with the colon; None when an expression stands here."""
        end = self.at
        while self.tokens[end].kind in ("name", "number") or self.tokens[end].text in ("'", "’", "-", "+", "*", "/"):
            end += 1
        if end == self.at or self.tokens[end].text != ":" or self.token.kind != "name":
            return None
        words = self.tokens[self.at : end]
        self.at = end + 1
        return join(words)
