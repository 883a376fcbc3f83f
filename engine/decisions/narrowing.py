"""Which rows of a table can still match once some facts are settled. A check that is made all day looks at those rows only."""

import functools
from collections.abc import Mapping
from typing import Any

from engine import feel
from engine.decisions.model import Cell
from engine.decisions.running import Run
from engine.decisions.table import Narrowing
from engine.decisions.types import ANY
from engine.exceptions import DecisionFailed
from engine.feel.partial import PURE, Known, settle
from engine.feel.paths import paths

_INPUT = ("?",)


def narrowing(decision, context: Mapping[str, Any], known: Known, words: frozenset[str] = frozenset()) -> Narrowing:
    """Judge the columns that hang on `known` paths alone, which `context` holds as they will be; the others are left open.

    `words`: expressions that name kinds of things. A table may be older than a kind: one that its allowed values do not list matches no cell.
    Any other column whose value is of the wrong type is left open too: whoever decides finds that out. A decision that requires others, or
    converts what it is given, is not narrowed.
    """
    every = (1 << len(decision.rules)) - 1
    if not decision.hit_policy or decision.required or any(each.values.type is not ANY for each in decision.data):
        return Narrowing(every, {})
    run, alive, values = Run(context, None, feel.Budget(), decision.name), every, {}
    for index, (column, source) in enumerate(zip(decision.body.inputs, decision.inputs, strict=True)):
        cells = [rule.inputs[index] for rule in decision.rules]
        if not all(known(path) for cell in cells for path in _reads_tests(cell.text.strip())):
            continue
        try:
            found = settle(source.expression.text, context, known)
            if found is not None:
                value = column.values.admit(found.value, run, reads=True)
                alive, values[index] = column.matching(value, alive, run), value
        except (DecisionFailed, feel.FeelError):
            if source.expression.text.strip() in words:
                alive, values[index] = alive & column.any, None
    return Narrowing(alive, values)


def looks(cell: Cell) -> bool:
    """Whether a cell asks anything."""
    return cell.text.strip() not in ("", "-")


@functools.lru_cache(maxsize=10_000)
def _reads_tests(text: str) -> frozenset[tuple[str, ...]]:
    return paths(text, tests=True) - PURE - {_INPUT} if text not in ("", "-") else frozenset()
