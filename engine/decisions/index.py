"""Looking up which rules accept a value, instead of testing cell by cell.

Only cells whose whole text is a list of literals or of intervals between literals are indexed (`"a", "b"`, `not("a")`, `5`, `>= 60`,
`[1..5)`, `< 0, > 90`, `< date("2026-01-01")`, `true`); what FEEL's full grammar says of these is plain order and equality.
Everything else is tested.
"""

import datetime
import re
from bisect import bisect_left
from collections.abc import Callable, Iterable
from decimal import Decimal

_TEXT = r'"[^"\\\n]*"'
_STRINGS = re.compile(rf"\s*{_TEXT}\s*(,\s*{_TEXT}\s*)*\Z")
_NOT_STRINGS = re.compile(rf"\s*not\s*\(\s*({_TEXT}\s*(?:,\s*{_TEXT}\s*)*)\)\s*\Z")
_STRING = re.compile(r'"([^"]*)"')
_BOOLEANS = re.compile(r"\s*(true|false)\s*(,\s*(true|false)\s*)*\Z")
_NUMBER = r"-?[0-9]{1,30}(?:\.[0-9]{1,30})?"
_DAY = r'(?:date\(\s*"[0-9]{4}-[0-9]{2}-[0-9]{2}"\s*\)|@"[0-9]{4}-[0-9]{2}-[0-9]{2}")'
_BOUND = f"{_NUMBER}|{_DAY}"
_PART = re.compile(
    rf"\s*(?:(?P<operator><=|>=|<|>)?\s*(?P<point>{_BOUND})"
    rf"|(?P<open>[\[(\]])\s*(?P<low>{_BOUND})\s*\.\.\s*(?P<high>{_BOUND})\s*(?P<close>[\])\[]))\s*\Z"
)
# More different cells than this in one column are tested instead: the index grows with their square.
MAX_INDEXED = 400

Bound = Decimal | datetime.date
Interval = tuple[Bound | None, bool, Bound | None, bool]  # low, included, high, included; None is open towards infinity
Tests = list[tuple[object, int]]  # compiled unary tests, and the rules they stand in


def strings_of(text: str) -> set[str] | None:
    """The strings that the cell lists; None where it is no plain list of strings."""
    return set(_STRING.findall(text)) if _STRINGS.match(text) else None


def other_than_strings(text: str) -> set[str] | None:
    """The strings that a cell `not("a", "b")` leaves out; None where it is anything else."""
    found = _NOT_STRINGS.match(text)
    return set(_STRING.findall(found[1])) if found else None


def booleans_of(text: str) -> set[bool] | None:
    """The truth values that the cell lists; None where it is anything else."""
    return {word.strip() == "true" for word in text.split(",")} if _BOOLEANS.match(text) else None


def intervals_of(text: str) -> list[Interval] | None:
    """The intervals of numbers, or of days, that the cell lists; None where it is anything else, also a mixture of both."""
    intervals = []
    for part in text.split(","):
        found = _PART.match(part)
        if not found:
            return None
        try:
            low, high = _bound(found["low"] or found["point"]), _bound(found["high"] or found["point"])
        except ValueError:  # the thirtieth of February
            return None
        if found["low"] is not None:
            intervals.append((low, found["open"] == "[", high, found["close"] == "]"))
            continue
        operator = found["operator"]
        low = None if operator in ("<", "<=") else low
        high = None if operator in (">", ">=") else high
        intervals.append((low, operator != ">", high, operator != "<"))
    kinds = {type(bound) for low, _, high, _ in intervals for bound in (low, high) if bound is not None}
    return intervals if len(kinds) == 1 else None


def _bound(text: str) -> Bound:
    return datetime.date.fromisoformat(text.split('"')[1]) if '"' in text else Decimal(text)


def _bounds(rules: Iterable[tuple[int, list[Interval]]]) -> set[Bound]:
    return {bound for _, intervals in rules for low, _, high, _ in intervals for bound in (low, high) if bound is not None}


class LineIndex:
    """number, or day → mask of the rules one of whose intervals holds it."""

    def __init__(self, rules: Iterable[tuple[int, list[Interval]]]):
        """`rules`: (mask, intervals). The line is cut at every bound into points and the gaps around them: 2n + 1 places."""
        rules = list(rules)
        self._bounds = sorted(_bounds(rules))
        self._masks = [0] * (2 * len(self._bounds) + 1)
        for mask, intervals in rules:
            for low, low_included, high, high_included in intervals:
                first = 0 if low is None else self._place(low) + (not low_included)
                last = len(self._masks) - 1 if high is None else self._place(high) - (not high_included)
                for place in range(first, last + 1):
                    self._masks[place] |= mask

    def _place(self, value: Bound) -> int:
        at = bisect_left(self._bounds, value)
        return 2 * at + (at < len(self._bounds) and self._bounds[at] == value)

    def get(self, value: Bound) -> int:
        """The rules that accept the value."""
        return self._masks[self._place(value)]


class StringIndex:
    """string → mask of the rules that list it, or that list what it must not be and leave it out."""

    def __init__(self):
        self._listed: dict[str, int] = {}
        self._left_out: dict[str, int] = {}
        self._others = 0  # the rules of the second kind

    def add(self, mask: int, strings: set[str]) -> None:
        """Rules that accept these strings."""
        for value in strings:
            self._listed[value] = self._listed.get(value, 0) | mask

    def add_others(self, mask: int, strings: set[str]) -> None:
        """Rules that accept any string but these."""
        self._others |= mask
        for value in strings:
            self._left_out[value] = self._left_out.get(value, 0) | mask

    @property
    def named(self) -> set[str]:
        """Every string that a cell names."""
        return {*self._listed, *self._left_out}

    def get(self, value: str) -> int:
        """The rules that accept the string."""
        return self._listed.get(value, 0) | (self._others & ~self._left_out.get(value, 0))


class ColumnIndex:
    """The cells of one column: by the class of a value, what looks it up and what has to be tested besides."""

    def __init__(self, masks: dict[str, int], tests: Callable):
        """`masks`: text of a cell → the rules it stands in; `tests`: text → compiled unary tests."""
        strings, truths = StringIndex(), {}
        lines: dict[type, list] = {Decimal: [], datetime.date: []}
        self._every: Tests = []
        other, negated = [], []
        for text, mask in masks.items():
            test = (tests(text), mask)
            self._every.append(test)
            if (listed := strings_of(text)) is not None:
                strings.add(mask, listed)
            elif (left_out := other_than_strings(text)) is not None:
                strings.add_others(mask, left_out)
                negated.append(test)
            elif (values := booleans_of(text)) is not None:
                for value in values:
                    truths[value] = truths.get(value, 0) | mask
            elif (ranges := intervals_of(text)) is not None and len(self._every) < MAX_INDEXED:
                low, _, high, _ = ranges[0]
                kind = type(high if low is None else low)
                lines[kind].append((mask, ranges))
            else:
                other.append(test)
        self.tested = len(other)  # different cells that have to be tested, whatever the value
        # What the cells name, by class: where one of these lies between two values, they may be answered differently.
        named = {str: strings.named, bool: set(truths)} | {kind: _bounds(rules) for kind, rules in lines.items()}
        self.known = {kind: values for kind, values in named.items() if values}
        besides = other + negated
        self._by_class = {
            str: (strings.get, other),
            bool: (lambda value: truths.get(value, 0), besides),
            Decimal: (LineIndex(lines[Decimal]).get, besides),
            datetime.date: (LineIndex(lines[datetime.date]).get, besides),
            type(None): (lambda value: 0, besides),
        }

    def find(self, value) -> tuple[int, Tests]:
        """The rules that are known to accept the value, and the tests that may add others."""
        found = self._by_class.get(type(value))
        return (found[0](value), found[1]) if found else (0, self._every)


def parts_of(text: str) -> list[str]:
    """The single tests of a list of unary tests: split at commas outside texts and brackets."""
    parts, depth, start, quoted, at = [], 0, 0, False, 0
    while at < len(text):
        letter = text[at]
        if quoted:
            at += letter == "\\"
            quoted = letter != '"'
        elif letter == '"':
            quoted = True
        elif letter in "([{":
            depth += 1
        elif letter in ")]}":
            depth -= 1
        elif letter == "," and not depth:
            parts.append(text[start:at])
            start = at + 1
        at += 1
    return [part.strip() for part in [*parts, text[start:]]]
