"""A decision table compiled once (chapter 8): which rules match an input, fast, and their values.

Columns are indexed. Each column knows, as bit masks over the rules, the rules that do not care (`-`), the rules whose cell lists
plain literals or intervals (found by look-up, see `index`), and the distinct other tests (run once each, and only while a rule that
needs them is still alive). A table of 50 rows and 6 columns is decided in tens of microseconds; what it answers is what reading the
table row by row would (tests/unit/decisions compares the two).
"""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from engine.decisions.compiling import Compiler
from engine.decisions.explaining import explain_table
from engine.decisions.foreseeing import foresee
from engine.decisions.hits import Priorities, answer, no_answer
from engine.decisions.index import ColumnIndex
from engine.decisions.model import Cell, Input, Output, Rule, Table
from engine.decisions.running import Run
from engine.decisions.types import ANY, Type
from engine.exceptions import DecisionFailed
from engine.feel import Budget

# Output cells that need nothing to be known.
_CONSTANT = re.compile(r'\s*("[^"\\\n]*"|-?[0-9]{1,30}(\.[0-9]{1,30})?|true|false|null)\s*\Z')
_IRRELEVANT = ("", "-")
MAX_EXPLAINED = 100  # tables of one decision: one in a loop is explained this often


@dataclass(frozen=True)
class Narrowing:
    """What is settled of a table before it is asked. `alive`: bit mask over the rules that can still match; `values`: column → its value."""

    alive: int
    values: Mapping[int, Any]


class InputColumn:
    """A column of conditions, indexed by rule."""

    def __init__(self, source: Input, cells: list[Cell], compiler: Compiler):
        self.source = source
        self.expression = compiler.expression(source.expression)
        self.values = compiler.values("输入", source.label, source.type, source.allowed)
        self.cells = [None if cell.text.strip() in _IRRELEVANT else compiler.tests(cell) for cell in cells]
        self.any = 0
        masks: dict[str, int] = {}  # equal texts are tested once
        for position, cell in enumerate(cells):
            text, bit = cell.text.strip(), 1 << position
            if text in _IRRELEVANT:
                self.any |= bit
            else:
                masks[text] = masks.get(text, 0) | bit
        self._index = ColumnIndex(masks, lambda text: compiler.tests(Cell(None, text)))
        self.tested, self.known = self._index.tested, self._index.known

    def evaluate(self, run: Run):
        """The value of the input expression, converted and checked."""
        value = self.expression.evaluate(run.context, clock=run.clock, budget=run.budget)
        return self.values.admit(value, run, reads=True)

    def matching(self, value, alive: int, run: Run) -> int:
        """The rules among `alive` whose cell in this column accepts the value."""
        found, tests = self._index.find(value)
        found |= self.any
        for test, mask in tests:
            if mask & alive & ~found and test.test(value, run.context, clock=run.clock, budget=run.budget):
                found |= mask
        return alive & found


class OutputColumn:
    """A column of conclusions; cells that depend on nothing are evaluated once, at compilation."""

    def __init__(self, source: Output, cells: list[Cell], rules: tuple[Rule, ...], compiler: Compiler):
        self.source = source
        self._rules = [rule.id for rule in rules]
        self.values = compiler.values("结果", source.label or compiler.label, source.type, source.allowed)
        self.cells = [compiler.expression(cell) if cell.text.strip() else None for cell in cells]
        self.default = compiler.expression(source.default) if source.default else None
        self.constants: dict[int, Any] = {}

    def fold(self, cells: list[Cell], compiler: Compiler) -> None:
        """Evaluate the constant cells now, so that a value of the wrong type is found at deployment."""
        run = Run({}, None, Budget(), compiler.label)
        for position, (cell, compiled) in enumerate(zip(cells, self.cells, strict=True)):
            if compiled is not None and _CONSTANT.match(cell.text):
                try:
                    self.constants[position] = self.value(position, run)
                except DecisionFailed as error:
                    if compiler.strict:
                        compiler.refuse_cell(cell, error)

    def value(self, position: int, run: Run):
        """The value of the cell in that row, converted and checked; an empty cell is null."""
        if position in self.constants:
            return self.constants[position]
        return self._evaluated(self.cells[position], run, self._rules[position])

    def default_value(self, run: Run):
        """The value where no rule matches; null where there is no default."""
        return self._evaluated(self.default, run)

    def _evaluated(self, compiled, run: Run, rule: str | None = None):
        return None if compiled is None else self.values.admit(run.value(compiled), run, rule=rule)


class CompiledTable:
    """A table ready to decide. `expected`: the type of what it decides, whose allowed values may give priorities."""

    def __init__(self, source: Table, compiler: Compiler, expected: Type = ANY):
        self.source = source
        self.rules: tuple[Rule, ...] = source.rules
        self.inputs = [
            InputColumn(column, [rule.inputs[index] for rule in source.rules], compiler) for index, column in enumerate(source.inputs)
        ]
        self._as_drawn = range(len(self.inputs))
        # What is looked up leaves fewer rules whose cells have to be tested.
        self._cheapest_first = sorted(self._as_drawn, key=lambda index: self.inputs[index].tested)
        self.outputs = []
        for index, column in enumerate(source.outputs):
            cells = [rule.outputs[index] for rule in source.rules]
            output = OutputColumn(column, cells, source.rules, compiler)
            output.fold(cells, compiler)
            self.outputs.append(output)
        self._all = (1 << len(source.rules)) - 1
        self.has_default = any(column.default is not None for column in self.outputs)
        self.priorities = None
        if source.hit_policy in "PO":
            self.priorities = Priorities.read(source, expected, compiler)
        self._type = compiler.values("结果", compiler.label, source.type)
        if compiler.strict:
            foresee(self, compiler)

    def evaluate(self, run: Run):
        """Its value, where a table stands inside something else."""
        return self.decide(run)[0]

    def decide(self, run: Run, lazy: bool = False, within: Narrowing | None = None) -> tuple[Any, list[str], list[Any]]:
        """The result, the ids of the matched rules in their order, and the values of the inputs.

        With `lazy` an input that no rule still in question looks at, column by column as drawn, is not evaluated, and stands as null
        among the values. `within`, which goes with it: what is settled already.
        """
        values = [None if lazy else column.evaluate(run) for column in self.inputs]
        alive = within.alive if within else self._all
        for index in self._as_drawn if lazy else self._cheapest_first:
            column = self.inputs[index]
            if within and index in within.values:
                values[index] = within.values[index]
                continue
            if alive & ~column.any:
                if lazy:
                    values[index] = column.evaluate(run)
                alive = column.matching(values[index], alive, run)
        matched = list(_positions(alive))
        ids = [self.rules[position].id for position in matched]
        if matched:
            result = answer(self, matched, ids, run)
        elif self.has_default:
            result = self._row(lambda column: column.default_value(run))
        else:
            result = no_answer(self.source, run)
        result = self._type.admit(result, run)
        if run.trace is not None and len(run.trace.tables) < MAX_EXPLAINED:
            run.trace.tables.append(explain_table(self, ids, values, result, run))
        return result, ids, values

    def row(self, position: int, run: Run):
        """What a rule concludes: its value, or a context of the values where there are several outputs."""
        return self._row(lambda column: column.value(position, run))

    def _row(self, value: Callable):
        if len(self.outputs) == 1:
            return value(self.outputs[0])
        return {column.source.name: value(column) for column in self.outputs}


def _positions(mask: int) -> Iterator[int]:
    """The positions of the set bits, lowest first: the order of the rules."""
    while mask:
        lowest = mask & -mask
        yield lowest.bit_length() - 1
        mask ^= lowest
