"""Looking up which rules accept a number or a string, instead of testing cell by cell.

Only cells whose whole text is a list of literals or of intervals between literal numbers are indexed (`"a", "b"`, `5`, `>= 60`,
`[1..5)`, `< 0, > 90`); what FEEL's full grammar says of these is plain order and equality. Everything else is tested.
"""

import re
from bisect import bisect_left
from collections.abc import Iterable
from decimal import Decimal

_STRINGS = re.compile(r'\s*"[^"\\\n]*"\s*(,\s*"[^"\\\n]*"\s*)*\Z')
_STRING = re.compile(r'"([^"]*)"')
_NUMBER = r"-?[0-9]{1,30}(?:\.[0-9]{1,30})?"
_PART = re.compile(
    rf"\s*(?:(?P<operator><=|>=|<|>)?\s*(?P<number>{_NUMBER})"
    rf"|(?P<open>[\[(\]])\s*(?P<low>{_NUMBER})\s*\.\.\s*(?P<high>{_NUMBER})\s*(?P<close>[\])\[]))\s*\Z"
)
# More different cells than this in one column are tested instead: the index grows with their square.
MAX_INDEXED = 400

Interval = tuple[Decimal | None, bool, Decimal | None, bool]  # low, included, high, included; None is open towards infinity


def strings_of(text: str) -> set[str] | None:
    """The strings that the cell lists; None where it is no plain list of strings."""
    return set(_STRING.findall(text)) if _STRINGS.match(text) else None


def intervals_of(text: str) -> list[Interval] | None:
    """The intervals of numbers that the cell lists; None where it is anything else."""
    intervals = []
    for part in text.split(","):
        found = _PART.match(part)
        if not found:
            return None
        if found["low"] is not None:
            intervals.append((Decimal(found["low"]), found["open"] == "[", Decimal(found["high"]), found["close"] == "]"))
            continue
        number, operator = Decimal(found["number"]), found["operator"]
        low = None if operator in ("<", "<=") else number
        high = None if operator in (">", ">=") else number
        intervals.append((low, operator != ">", high, operator != "<"))
    return intervals


class NumberIndex:
    """number → mask of the rules one of whose intervals holds it."""

    def __init__(self, rules: Iterable[tuple[int, list[Interval]]]):
        """`rules`: (mask, intervals). The line is cut at every bound into points and the gaps around them: 2n + 1 places."""
        rules = list(rules)
        bounds = {bound for _, intervals in rules for low, _, high, _ in intervals for bound in (low, high) if bound is not None}
        self._bounds = sorted(bounds)
        self._masks = [0] * (2 * len(self._bounds) + 1)
        for mask, intervals in rules:
            for low, low_included, high, high_included in intervals:
                first = 0 if low is None else self._place(low) + (not low_included)
                last = len(self._masks) - 1 if high is None else self._place(high) - (not high_included)
                for place in range(first, last + 1):
                    self._masks[place] |= mask

    def _place(self, number: Decimal) -> int:
        at = bisect_left(self._bounds, number)
        return 2 * at + (at < len(self._bounds) and self._bounds[at] == number)

    def get(self, number: Decimal) -> int:
        """The rules that accept the number."""
        return self._masks[self._place(number)]
