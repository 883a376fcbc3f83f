"""A decision table compiled once: which rules match an input, fast, and what the hit policy makes of them.

Columns are indexed. Each column knows, as bit masks over the rules, the rules that do not care (`-`), the rules whose cell lists
plain strings, numbers or intervals (found by look-up, see `index`), and the distinct other tests (run once each, and only while
a rule that needs them is still alive). A table of 50 rows and 6 columns is decided in tens of microseconds; what it answers is
what reading the table row by row would (tests/unit/test_decisions.py compares the two).
"""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from engine import feel
from engine.decisions.index import MAX_INDEXED, NumberIndex, intervals_of, strings_of
from engine.decisions.model import Cell, Input, Output, Rule, Table
from engine.exceptions import DecisionFailed
from engine.feel import Budget

# Output cells that need nothing to be known.
_CONSTANT = re.compile(r'\s*("[^"\\\n]*"|-?[0-9]{1,30}(\.[0-9]{1,30})?|true|false|null)\s*\Z')
_IRRELEVANT = ("", "-")
_EQUAL = feel.compile("one = other")


@dataclass(frozen=True, slots=True)
class Run:
    """What an evaluation hands down: the variables, the clock, the purse, and the decision for its errors."""

    context: Mapping[str, Any]
    clock: datetime | None
    budget: Budget
    decision: str

    def failed(self, reason: str, **facts) -> DecisionFailed:
        """An error that names the decision; `reason` in Chinese without personal data."""
        return DecisionFailed(decision=self.decision, reason=reason, **facts)


@dataclass(frozen=True)
class Narrowing:
    """What is settled of a table before it is asked. `alive`: bit mask over the rules that can still match; `values`: column → its value."""

    alive: int
    values: Mapping[int, Any]


class Compiler:
    """Compiles cells and turns what FEEL refuses into findings. `names`: the names of several words that are in scope."""

    def __init__(self, names, refuse: Callable):
        self.names = tuple(names)
        self.refuse = refuse
        self.free: set[str] = set()
        self._tests: dict[str, Any] = {}

    def expression(self, cell: Cell):
        """The compiled expression, or None after a finding."""
        return self._compile(feel.compile, cell)

    def tests(self, cell: Cell):
        """The compiled unary tests; equal texts share one."""
        text = cell.text.strip()
        if text not in self._tests:
            self._tests[text] = self._compile(feel.compile_unary_tests, cell)
        return self._tests[text]

    def _compile(self, how, cell: Cell):
        try:
            compiled = how(cell.text, self.names)
        except feel.FeelError as error:
            self.refuse(cell, error)
            return None
        self.free |= set(compiled.names)
        return compiled


class Values:
    """A type and a set of allowed values, of an input or of an output."""

    def __init__(self, label: str, type_name: str | None, allowed: Cell | None, compiler: Compiler):
        self.label = label
        self.type = type_name
        self.allowed = compiler.tests(allowed) if allowed else None

    def admit(self, value, run: Run, what: str):
        """The value converted to the type. Null passes: nothing known is no wrong value. Raises DecisionFailed."""
        if value is None:
            return None
        if self.type is not None:
            try:
                value = feel.cast(value, self.type)
            except feel.FeelError:
                raise run.failed(f"{what}“{self.label}”的值不能转换为 {self.type}", column=self.label) from None
        if self.allowed is not None and not self.allowed.test(value, run.context, clock=run.clock, budget=run.budget):
            raise run.failed(f"{what}“{self.label}”的值不在允许的范围内", column=self.label)
        return value


class InputColumn:
    """A column of conditions, indexed by rule."""

    def __init__(self, source: Input, cells: list[Cell], compiler: Compiler):
        self.source = source
        self.expression = compiler.expression(source.expression)
        self.values = Values(source.label, source.type, source.allowed, compiler)
        self.cells = [None if cell.text.strip() in _IRRELEVANT else compiler.tests(cell) for cell in cells]
        self.any = 0
        masks: dict[str, int] = {}  # equal texts are tested once
        for position, cell in enumerate(cells):
            text, bit = cell.text.strip(), 1 << position
            if text in _IRRELEVANT:
                self.any |= bit
            else:
                masks[text] = masks.get(text, 0) | bit
        self._strings: dict[str, int] = {}
        intervals = []
        indexed, self._other = [], []
        for text, mask in masks.items():
            test = (compiler.tests(Cell(None, text)), mask)
            if (listed := strings_of(text)) is not None:
                for value in listed:
                    self._strings[value] = self._strings.get(value, 0) | mask
                indexed.append(test)
            elif (ranges := intervals_of(text)) is not None and len(intervals) < MAX_INDEXED:
                intervals.append((mask, ranges))
                indexed.append(test)
            else:
                self._other.append(test)
        self._numbers = NumberIndex(intervals)
        self._every = indexed + self._other

    def evaluate(self, run: Run):
        """The value of the input expression, converted and checked."""
        value = self.expression.evaluate(run.context, clock=run.clock, budget=run.budget)
        return self.values.admit(value, run, "输入")

    def matching(self, value, alive: int, run: Run) -> int:
        """The rules among `alive` whose cell in this column accepts the value."""
        found, tests = self.any, self._other
        kind = type(value)
        if kind is str:
            found |= self._strings.get(value, 0)
        elif kind is Decimal:
            found |= self._numbers.get(value)
        elif value is not None:
            tests = self._every
        for test, mask in tests:
            if mask & alive & ~found and test.test(value, run.context, clock=run.clock, budget=run.budget):
                found |= mask
        return alive & found


class OutputColumn:
    """A column of conclusions; cells that depend on nothing are evaluated once, at compilation."""

    def __init__(self, source: Output, cells: list[Cell], compiler: Compiler):
        self.source = source
        self.values = Values(source.label, source.type, source.allowed, compiler)
        self.cells = [compiler.expression(cell) if cell.text.strip() else None for cell in cells]
        self.constants: dict[int, Any] = {}

    def fold(self, cells: list[Cell], run: Run, refuse: Callable) -> None:
        """Evaluate the constant cells now, so that a value of the wrong type is found at deployment."""
        for position, (cell, compiled) in enumerate(zip(cells, self.cells, strict=True)):
            if compiled is not None and _CONSTANT.match(cell.text):
                try:
                    self.constants[position] = self.value(position, run)
                except DecisionFailed as error:
                    refuse(cell, error)

    def value(self, position: int, run: Run):
        """The value of the cell in that row, converted and checked; an empty cell is null."""
        if position in self.constants:
            return self.constants[position]
        compiled = self.cells[position]
        if compiled is None:
            return None
        value = compiled.evaluate(run.context, clock=run.clock, budget=run.budget)
        return self.values.admit(value, run, "结果")


class CompiledTable:
    """A table ready to decide."""

    def __init__(self, source: Table, compiler: Compiler, name: str):
        self.source = source
        self.rules: tuple[Rule, ...] = source.rules
        self.inputs = [
            InputColumn(column, [rule.inputs[index] for rule in source.rules], compiler)
            for index, column in enumerate(source.inputs)
        ]
        self.outputs = []
        for index, column in enumerate(source.outputs):
            cells = [rule.outputs[index] for rule in source.rules]
            output = OutputColumn(column, cells, compiler)
            output.fold(cells, Run({}, None, Budget(), name), compiler.refuse)
            self.outputs.append(output)
        self._all = (1 << len(source.rules)) - 1
        self._aggregate = feel.compile(f"{source.aggregation.lower()}(values)") if source.aggregation else None

    def evaluate(self, run: Run, lazy: bool = False, within: Narrowing | None = None) -> tuple[Any, list[str], list[Any]]:
        """The result, the ids of the matched rules, and the values of the inputs.

        With `lazy` an input that no rule still in question looks at is not evaluated, and stands as null among the values. `within`, which goes
        with it: what is settled already.
        """
        values: list[Any] = [] if lazy else [column.evaluate(run) for column in self.inputs]
        alive = within.alive if within else self._all
        for index, column in enumerate(self.inputs):
            if within and index in within.values:
                values.append(within.values[index])
                continue
            cares = alive & ~column.any
            if lazy:
                values.append(column.evaluate(run) if cares else None)
            if cares:
                alive = column.matching(values[index], alive, run)
        matched = list(_positions(alive))
        ids = [self.rules[position].id for position in matched]
        return self._answer(matched, ids, run), ids, values

    def explain(self, run: Run) -> list[dict]:
        """Every rule with what each of its cells says: {"rule", "matched", "cells": [bool, …]}."""
        values = [column.evaluate(run) for column in self.inputs]
        lines = []
        for position, rule in enumerate(self.rules):
            cells = [
                test is None or test.test(value, run.context, clock=run.clock, budget=run.budget)
                for test, value in zip((column.cells[position] for column in self.inputs), values, strict=True)
            ]
            lines.append({"rule": rule.id, "matched": all(cells), "cells": cells})
        return lines

    def _answer(self, matched: list[int], ids: list[str], run: Run):
        """What the hit policy makes of the matched rules; null where none matched."""
        if not matched:
            return None
        policy = self.source.hit_policy
        if policy == "U" and len(matched) > 1:
            raise run.failed(f"命中策略是 UNIQUE，却有 {len(matched)} 行同时命中：{'、'.join(ids)}", matched=ids)
        if policy in "UF":
            return self._row(matched[0], run)
        rows = [self._row(position, run) for position in matched]
        if policy == "A":
            # Equal by FEEL: Python's True would equal the number 1.
            if not all(feel.is_true(_EQUAL.evaluate({"one": rows[0], "other": row})) for row in rows[1:]):
                raise run.failed(f"命中策略是 ANY，命中的各行结果却不同：{'、'.join(ids)}", matched=ids)
            return rows[0]
        return rows if self._aggregate is None else self._aggregated(rows, ids, run)

    def _row(self, position: int, run: Run):
        if len(self.outputs) == 1:
            return self.outputs[0].value(position, run)
        return {column.source.name: column.value(position, run) for column in self.outputs}

    def _aggregated(self, rows: list, ids: list[str], run: Run):
        value = self._aggregate.evaluate({"values": rows}, budget=run.budget)
        if value is None:
            raise run.failed(f"命中的各行结果无法汇总（{self.source.aggregation}）", matched=ids)
        return value


def _positions(mask: int) -> Iterator[int]:
    """The positions of the set bits, lowest first: the order of the rules."""
    while mask:
        lowest = mask & -mask
        yield lowest.bit_length() - 1
        mask ^= lowest
