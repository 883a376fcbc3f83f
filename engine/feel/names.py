"""Names of several words: the longest one in scope wins (specification 10.3.1.2, grammar note on names)."""

import re
from collections.abc import Iterable

from engine.feel.errors import FeelSyntaxError
from engine.feel.scanner import Token, scan

_ONE_WORD = re.compile(r"[^\W\d]\w*\Z")


class Names:
    """A set of names of more than one token, searched token by token; names of one token need no looking up."""

    def __init__(self, names: Iterable[str] = ()):
        self._root: dict = {}
        self.all: list[str] = []  # as they were put in, for messages
        for name in names:
            self.add(name)

    def add(self, name: str) -> None:
        """Put `name` in; blanks between its words do not matter."""
        if _ONE_WORD.match(name):
            return
        words = words_of(name)
        if len(words) > 1:
            node = self._root
            for word in words:
                node = node.setdefault(word, {})
            node[None] = name
            self.all.append(name)

    def match(self, tokens: list[Token], at: int) -> tuple[int, str]:
        """The longest name at `at`: how many tokens it takes (0: none) and the name as it was put in."""
        node, length, name = self._root, 0, ""
        for index in range(at, len(tokens)):
            node = node.get(tokens[index].text)
            if node is None:
                break
            if None in node:
                length, name = index - at + 1, node[None]
        return length, name


def words_of(name: str) -> list[str]:
    """The tokens of `name`; a name FEEL cannot spell counts as one word that never matches."""
    try:
        return [token.text for token in scan(name)[:-1]]
    except FeelSyntaxError:
        return [name]


def join(tokens: list[Token]) -> str:
    """One name of `tokens`: one blank where words stood apart, none around the special characters."""
    parts = [tokens[0].value]
    for before, token in zip(tokens, tokens[1:], strict=False):
        apart = token.start > before.end and "symbol" not in (before.kind, token.kind)
        parts.append(" " + token.text if apart else token.text)
    return "".join(parts)
