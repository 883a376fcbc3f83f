"""What can be seen of a table before it decides anything: rows of a UNIQUE table that overlap, and inputs that no row answers.

Only where every column can be looked up (`index`): there a handful of samples stands for all values. Columns with other cells are
left alone, for nobody can say what an expression accepts.
"""

import datetime
import json
from collections.abc import Iterator
from decimal import Decimal
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from engine import feel
from engine.decisions.compiling import Compiler
from engine.decisions.index import strings_of
from engine.decisions.running import Run
from engine.feel import Budget, FeelError

if TYPE_CHECKING:
    from engine.decisions.table import CompiledTable, InputColumn

MOST_OVERLAPS = 5  # of a table: who sees five pairs looks for the others
MOST_STATES = 5_000  # of the search for a gap
MAX_RULES = 300  # of a table that is looked at; every pair of rows may overlap
_OTHER = "…"  # a text that no cell names

Samples = list[tuple[Any, int]]  # a value, and the rules that accept it


def foresee(table: "CompiledTable", compiler: Compiler) -> None:
    """Remark on overlaps and on a gap. Both are warnings: what the rows mean together only their author knows."""
    policy, rules = table.source.hit_policy, table.source.rules
    if policy not in "UAPF" or len(rules) > MAX_RULES or any(column.tested for column in table.inputs):
        return
    run = Run({}, None, Budget(), compiler.label, strict=False)
    try:
        columns = [list(_samples(column, run)) for column in table.inputs]
    except FeelError:  # allowed values that ask too much, or for what is not there yet
        return
    labels = [column.source.label for column in table.inputs]
    if policy == "U":
        for first, second, values in _overlaps(columns, len(rules)):
            zh = f"命中策略是 UNIQUE，第 {first + 1} 行和第 {second + 1} 行却会同时命中，例如 {_told(labels, values)}"
            en = f"The hit policy is UNIQUE, but rows {first + 1} and {second + 1} overlap, for example at {_told(labels, values)}"
            compiler.warn("dmn_overlap", rules[second].id, zh, en)
    gap = None if table.has_default else _gap(columns, len(rules))
    if gap is not None:
        zh = f"{_told(labels, gap)} 时没有一行命中，结果为空；请补一行或写默认结果"
        en = f"No row answers {_told(labels, gap)}: the result is null. Add a row or a default output"
        compiler.warn("dmn_gap", table.source.id, zh, en)


def _samples(column: "InputColumn", run: Run) -> Iterator[tuple[Any, int]]:
    """One value of every kind of values that the column tells apart, and that it allows."""
    values = column.values
    allowed = values.tests.text if values.tests is not None else values.type.listed
    listed = strings_of(allowed) if allowed else None
    declared = values.type.exact
    found = False
    for class_, known in column.known.items():
        if declared not in (None, class_):
            continue
        if class_ is str:
            candidates = sorted(listed if listed is not None else {*known, *([] if allowed else [_OTHER])})
        elif class_ is bool:
            candidates = [True, False]
        else:
            candidates = list(_line(sorted(known)))
        for value in candidates:
            if values.admit(value, run) is not None:
                found = True
                yield value, column.matching(value, -1, run)
    if not found:
        yield None, column.matching(None, -1, run)


def _line(bounds: list) -> Iterator[Any]:
    """Points before, on, between and after bounds. Between whole numbers next to each other is nothing worth a remark."""
    step = Decimal(1) if isinstance(bounds[0], Decimal) else datetime.timedelta(days=1)
    whole = isinstance(bounds[0], datetime.date) or all(bound == bound.to_integral_value() for bound in bounds)
    try:
        yield bounds[0] - step
        yield bounds[-1] + step
    except OverflowError:  # the first or last day there is
        pass
    yield from bounds
    for low, high in pairwise(bounds):
        if not whole:
            yield (low + high) / 2
        elif high - low > step:
            yield low + step


def _overlaps(columns: list[Samples], rules: int) -> Iterator[tuple[int, int, list]]:
    """Pairs of rows, with values that both accept: rows overlap where they do in every column, for columns know nothing of one another."""
    left = MOST_OVERLAPS
    for second in range(rules):
        together = (1 << second) - 1
        for samples in columns:
            together &= _accepted_with(samples, second)
        while together and left:
            first = (together & -together).bit_length() - 1
            together &= together - 1
            both = 1 << first | 1 << second
            yield first, second, [next(value for value, mask in samples if mask & both == both) for samples in columns]
            left -= 1


def _accepted_with(samples: Samples, rule: int) -> int:
    found = 0
    for _, mask in samples:
        if mask >> rule & 1:
            found |= mask
    return found


def _gap(columns: list[Samples], rules: int) -> list | None:
    """Values that no row accepts, as far as they matter; None where there are none or the search is too long."""
    seen: set[tuple[int, int]] = set()
    open_: list[tuple[int, tuple]] = [((1 << rules) - 1, ())]
    while open_ and len(seen) < MOST_STATES:
        alive, values = open_.pop()
        if not alive:
            return list(values)
        if len(values) == len(columns) or (len(values), alive) in seen:
            continue
        seen.add((len(values), alive))
        open_ += [(alive & mask, (*values, value)) for value, mask in reversed(columns[len(values)])]
    return None


def _told(labels: list[str], values: list) -> str:
    known = [(label, value) for label, value in zip(labels, values, strict=False) if value is not None]
    return ", ".join(f"{label} = {_shown(value)}" for label, value in known) or "–"


def _shown(value) -> str:
    return _OTHER if value == _OTHER else json.dumps(feel.to_plain(value), ensure_ascii=False)
