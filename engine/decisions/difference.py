"""What differs between two tables, cell by cell: for whoever reads a change before it is published, on a page or as JSON.

Columns are the same column by what they ask (inputs) or are called (outputs), rows by their id, else by everything that is written in them:
editors keep ids, spreadsheets do not. What is only spaced differently is no difference.
"""

from bisect import bisect_left
from collections.abc import Hashable, Iterable, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from engine.decisions.graph import Decision

SAME, CHANGED, MOVED, ADDED, REMOVED = "same", "changed", "moved", "added", "removed"
IRRELEVANT = ("", "-")  # the two spellings of an input that a row does not look at


@dataclass(frozen=True)
class Change:
    """A text before and after; None where there was or is none."""

    before: str | None
    after: str | None

    @property
    def state(self) -> str:
        """SAME, CHANGED, ADDED or REMOVED."""
        if self.before is None or self.after is None:
            return SAME if self.before is self.after else ADDED if self.before is None else REMOVED
        return SAME if self.before == self.after else CHANGED


@dataclass(frozen=True)
class Column:
    """`kind`: input, output or annotation; `key`: its expression, name or number; `state`: SAME, CHANGED (its label, type or allowed values),
    ADDED or REMOVED."""

    kind: str
    key: str
    state: str
    label: Change
    type: Change
    allowed: Change


@dataclass(frozen=True)
class Row:
    """`id`: of the row after the change, or of the removed one; `moved`: it stands elsewhere among the others; `cells` as the columns stand."""

    id: str
    state: str
    moved: bool
    cells: tuple[Change, ...]


@dataclass(frozen=True)
class Difference:
    """Two tables laid over each other, in the order of the changed one; what was removed stands where it was. `settings`: hit policy,
    aggregation and name, where they differ."""

    settings: dict[str, Change]
    columns: tuple[Column, ...]
    rows: tuple[Row, ...]

    @property
    def counts(self) -> dict[str, int]:
        """How many rows were added, removed, changed, moved; and how many `cells` of rows that are in both differ."""
        found = {state: sum(row.state == state for row in self.rows) for state in (ADDED, REMOVED, CHANGED)}
        cells = sum(cell.state != SAME for row in self.rows if row.state == CHANGED for cell in row.cells)
        return found | {MOVED: sum(row.moved for row in self.rows), "cells": cells}

    @property
    def is_none(self) -> bool:
        """Whether the tables say the same."""
        return not self.settings and all(each.state == SAME for each in self.columns + self.rows) and not self.counts[MOVED]

    def as_dict(self) -> dict[str, Any]:
        """Plain JSON."""
        return {"settings": {name: asdict(change) for name, change in self.settings.items()}, "counts": self.counts} | {
            "columns": [asdict(column) for column in self.columns],
            "rows": [asdict(row) | {"cells": [asdict(cell) for cell in row.cells]} for row in self.rows],
        }


def difference(before: Decision | None, after: Decision) -> Difference:
    """What a change of a decision table does to its cells; `before` is None where there was no such table."""
    old, new = _Sheet(before), _Sheet(after)
    columns = _merged(list(old.columns), list(new.columns))
    pairs = _pairs(old, new, [key for key in old.columns if key in new.columns])
    stays = _longest_rise([pairs[place] for place in sorted(pairs)])
    rows = [_row(old, new, columns, one, other, stays) for one, other in _laid_over(old, new, pairs)]
    settings = {
        "hit_policy": Change(before and before.hit_policy, after.hit_policy),
        "aggregation": Change(before and before.aggregation, after.aggregation),
        "name": Change(before and before.name, after.name),
    }
    changed = {name: change for name, change in settings.items() if before is not None and change.state != SAME}
    return Difference(changed, tuple(_column(old, new, key) for key in columns), tuple(rows))


class _Sheet:
    """A table as cells: `columns` by (kind, key, how many like it came before), each row a dict of them."""

    def __init__(self, decision: Decision | None):
        self.columns: dict[tuple[str, str, int], tuple[str, str, str]] = {}
        self.rows: list[dict[tuple[str, str, int], str]] = []
        self.ids: list[str] = []
        if decision is None:
            return
        inputs = [self._add("input", _text(each.expression), each) for each in decision.inputs]
        outputs = [self._add("output", each.name or "", each) for each in decision.outputs]
        notes = [self._add("annotation", str(place + 1), None) for place in range(max((len(row.annotations) for row in decision.rules), default=0))]
        for row in decision.rules:
            cells = {key: "-" if _text(cell) in IRRELEVANT else _text(cell) for key, cell in zip(inputs, row.inputs, strict=True)}
            cells |= {key: _text(cell) for key, cell in zip(outputs, row.outputs, strict=True)}
            cells |= {key: text.strip() for key, text in zip(notes, row.annotations, strict=False)}
            self.rows.append(cells)
            self.ids.append(row.id)

    def _add(self, kind: str, name: str, source) -> tuple[str, str, int]:
        place = sum(key[:2] == (kind, name) for key in self.columns)
        about = (source.label or "", source.type or "", _text(source.allowed)) if source else ("", "", "")
        self.columns[kind, name, place] = about
        return kind, name, place


def _text(cell) -> str:
    return cell.text.strip() if cell else ""


def _column(old: _Sheet, new: _Sheet, key: tuple[str, str, int]) -> Column:
    was, now = old.columns.get(key), new.columns.get(key)
    label, kind, allowed = (Change(was and was[part], now and now[part]) for part in range(3))
    state = next((each.state for each in (label, kind, allowed) if each.state != SAME), SAME)
    return Column(key[0], key[1], state, label, kind, allowed)


def _pairs(old: _Sheet, new: _Sheet, common: list) -> dict[int, int]:
    """Row of the old table → the same row of the new one."""
    places = {ident: place for place, ident in enumerate(new.ids)}
    pairs = {place: places[ident] for place, ident in enumerate(old.ids) if ident in places}
    taken = set(pairs.values())
    alike: dict[Hashable, list[int]] = {}
    for place, row in enumerate(new.rows):
        if place not in taken:
            alike.setdefault(tuple(row.get(key) for key in common), []).append(place)
    for place, row in enumerate(old.rows):
        found = alike.get(tuple(row.get(key) for key in common)) if place not in pairs and common else None
        if found:
            pairs[place] = found.pop(0)
    return pairs


def _row(old: _Sheet, new: _Sheet, columns: list, one: int | None, other: int | None, stays: set[int]) -> Row:
    was, now = old.rows[one] if one is not None else {}, new.rows[other] if other is not None else {}
    cells = tuple(Change(was.get(key), now.get(key)) for key in columns)
    if one is None or other is None:
        return Row(new.ids[other] if one is None else old.ids[one], ADDED if one is None else REMOVED, False, cells)
    state = CHANGED if any(cell.state != SAME for cell in cells) else SAME
    return Row(new.ids[other], state, other not in stays, cells)


def _laid_over(old: _Sheet, new: _Sheet, pairs: dict[int, int]) -> Iterable[tuple[int | None, int | None]]:
    """(old row, new row) in the new order; a removed row follows the one it followed."""
    back = {other: one for one, other in pairs.items()}
    order = _merged([("old", place) if place not in pairs else pairs[place] for place in range(len(old.rows))], list(range(len(new.rows))))
    return [(back.get(each), each) if isinstance(each, int) else (each[1], None) for each in order]


def _merged(old: Sequence[Hashable], new: Sequence[Hashable]) -> list:
    """What is new in its order; what is only old right after what it followed."""
    kept, following, last = set(new), {}, None
    for each in old:
        if each in kept:
            last = each
        else:
            following.setdefault(last, []).append(each)
    return following.get(None, []) + [each for one in new for each in (one, *following.get(one, ()))]


def _longest_rise(numbers: list[int]) -> set[int]:
    """The longest part of distinct numbers that rises: the rows that stayed; the others were moved. Patience sorting, n log n."""
    tops: list[int] = []
    before: dict[int, int | None] = {}
    for number in numbers:
        place = bisect_left(tops, number)
        before[number] = tops[place - 1] if place else None
        tops[place : place + 1] = [number]
    found, last = set(), tops[-1] if tops else None
    while last is not None:
        found.add(last)
        last = before[last]
    return found
