"""Regular expressions in XPath's flavour, as `matches`, `replace` and `split` use them (XQuery functions and operators, 5.6).

They run as a set of simultaneous threads over the text (`machine`), not by backtracking: time grows with the length of the text
times the length of the pattern whatever both are, so `(a+)+$` cannot hang, and no pattern need be refused for being dangerous.
Only back-references (`\\1` inside a pattern) need backtracking; it ends with the budget. Alternatives, captures and lazy
quantifiers mean what they mean elsewhere: the first alternative that leads to a match wins.
"""

import functools
import re
from dataclasses import dataclass

from engine.feel.regex.machine import Budget, Match, find
from engine.feel.regex.pattern import Program, assemble

_REPLACEMENT = re.compile(r"\$([0-9])([0-9]?)|\\([\\$])|([^\\$]+)", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Regex:
    """A compiled pattern."""

    program: Program

    def search(self, text: str, budget: Budget, start: int = 0) -> Match | None:
        """The first match at or after `start`."""
        return find(self.program, text, start, budget)

    def matches(self, text: str, budget: Budget) -> list[Match]:
        """All matches one after the other. A pattern that matches nothing at all is refused, as XPath does."""
        if self.search("", budget) is not None:
            raise ValueError("the pattern matches the empty string")
        found, start = [], 0
        while (match := self.search(text, budget, start)) is not None:
            budget.spend(1)
            found.append(match)
            start = max(match.end, start + 1)
        return found

    def replace(self, text: str, replacement: str, budget: Budget) -> str:
        """`text` with `replacement` for every match; `$1` stands for a group, `\\$` and `\\\\` for themselves."""
        parts = self._template(replacement)
        pieces, length, last = [], len(text), 0
        for match in self.matches(text, budget):
            new = "".join(part if isinstance(part, str) else match.group(text, part) for part in parts)
            length += len(new)
            budget.text(length) if length > budget.length else budget.spend(len(new) // 100)
            pieces += (text[last : match.start], new)
            last = match.end
        return "".join((*pieces, text[last:]))

    def split(self, text: str, budget: Budget) -> list[str]:
        """The pieces of `text` between the matches."""
        pieces, last = [], 0
        for match in self.matches(text, budget):
            pieces.append(text[last : match.start])
            last = match.end
        return [*pieces, text[last:]]

    def _template(self, replacement: str) -> list[str | int]:
        if self.program.quoted:
            return [replacement]
        parts: list[str | int] = []
        place = 0
        while place < len(replacement):
            token = _REPLACEMENT.match(replacement, place)
            if token is None:
                raise ValueError("a lone $ or \\ in the replacement")
            first, second, escaped, plain = token.groups()
            if first is None:
                parts.append(escaped or plain)
            else:
                both = int(first + second)
                # `$12` is group 12 if there are so many, else group 1 and a 2.
                parts += [both] if second and both <= self.program.groups else [int(first), second]
            place = token.end()
        return parts


@functools.lru_cache(maxsize=256)
def compiled(pattern: str, flags: str) -> Regex:
    """`pattern` ready to run; ValueError when it is not a pattern. Flags: s m i x q."""
    return Regex(assemble(pattern, flags))
