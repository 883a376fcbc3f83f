"""Boxed expressions compiled (10.2.1). What stands inside sees the variables around it, and the names that its box adds."""

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

from engine import feel
from engine.decisions import model
from engine.decisions.compiling import Compiler
from engine.decisions.model import Boxed, Parameter
from engine.decisions.running import DecisionFunction, Run
from engine.decisions.table import CompiledTable
from engine.decisions.types import ANY, Type

_ITEMS = feel.compile("for item in value return item")  # what FEEL's own loops run through
_QUANTIFIED = {kind: feel.compile(f"{kind} result in results satisfies result") for kind in ("some", "every")}


def compile_boxed(source: Boxed, compiler: Compiler, expected: Type = ANY) -> "Box | CompiledTable":
    """The compiled expression. `expected`: the type of what it is for."""
    if isinstance(source, model.Table):
        return CompiledTable(source, compiler, expected)
    return _BOXES[type(source)](source, compiler)


class Box:
    """A compiled expression; its value is of the type it declares (10.3.2.9.4)."""

    def __init__(self, source: Boxed, compiler: Compiler):
        self._type = compiler.values("表达式", compiler.label, source.type) if source.type else None

    def evaluate(self, run: Run) -> Any:
        """Its value."""
        value = self.compute(run)
        return value if self._type is None else self._type.admit(value, run)

    def compute(self, run: Run) -> Any:
        """Its value before its type is looked at."""
        raise NotImplementedError


class Literal(Box):
    """One FEEL expression."""

    def __init__(self, source: model.Literal, compiler: Compiler):
        super().__init__(source, compiler)
        self._expression = compiler.expression(source.expression)

    def compute(self, run: Run) -> Any:
        return run.value(self._expression)


class Context(Box):
    """Entries that see those before them; the result cell's value where there is one (10.2.1.4)."""

    def __init__(self, source: model.Context, compiler: Compiler):
        super().__init__(source, compiler)
        self._entries, names = [], []
        for entry in source.entries:
            if isinstance(entry.value, model.Function) and entry.name:  # it may call itself
                names.append(entry.name)
            box = compile_boxed(entry.value, compiler.inside(names), compiler.types[entry.type])
            self._entries.append((entry.name, box, compiler.values("变量", entry.name or "", entry.type)))
            if entry.name:
                names.append(entry.name)

    def compute(self, run: Run) -> Any:
        scope, result = dict(run.context), {}
        inner = run.within(scope)
        for name, box, values in self._entries:
            value = values.admit(box.evaluate(inner), run)
            if name is None:
                return value
            scope[name] = result[name] = value
        return result


class Listing(Box):
    """A list (10.2.1.5)."""

    def __init__(self, source: model.Listing, compiler: Compiler):
        super().__init__(source, compiler)
        self._items = [compile_boxed(item, compiler) for item in source.items]

    def compute(self, run: Run) -> list:
        return [item.evaluate(run) for item in self._items]


class Relation(Box):
    """A list of contexts with the columns' names as keys (10.2.1.6)."""

    def __init__(self, source: model.Relation, compiler: Compiler):
        super().__init__(source, compiler)
        self._columns = [(column.name, compiler.values("列", column.name, column.type)) for column in source.columns]
        self._rows = [[compile_boxed(cell, compiler) for cell in row] for row in source.rows]

    def compute(self, run: Run) -> list[dict]:
        return [
            {name: values.admit(cell.evaluate(run), run) for (name, values), cell in zip(self._columns, row, strict=True)}
            for row in self._rows
        ]


class Function(Box):
    """A function as a value, which sees the variables around it when it is called (10.2.1.7). Its type is that of what it gives."""

    def __init__(self, source: model.Function, compiler: Compiler, name: str = "function", result: str | None = None):
        super().__init__(replace(source, type=None), compiler)
        self.name = name
        self._parameters = parameters_of(source.parameters, compiler)
        self._names = tuple(parameter.name for parameter in source.parameters)
        self._body = source.body and compile_boxed(source.body, compiler.inside(self._names), compiler.types[result or source.type])
        self._results = [compiler.values("结果", name, source.type)]
        if result is not None:
            self._results.append(compiler.values("结果", name, result))

    def compute(self, run: Run) -> DecisionFunction:
        return DecisionFunction(self.name, self._names, lambda *arguments: self._call(arguments, run))

    def _call(self, arguments: tuple, run: Run) -> Any:
        if self._body is None:
            return run.fault("no_logic", f"“{self.name}”没有内容")
        given = {name: values.admit(value, run) for (name, values), value in zip(self._parameters, arguments, strict=True)}
        value = self._body.evaluate(run.within({**run.context, **given}))
        for values in self._results:
            value = values.admit(value, run)
        return value


def parameters_of(parameters: Iterable[Parameter], compiler: Compiler) -> list[tuple]:
    """Each parameter's name and the check of its values."""
    return [(parameter.name, compiler.values("参数", parameter.name, parameter.type)) for parameter in parameters]


class Invocation(Box):
    """A function called with its parameters by name (10.2.1.3)."""

    def __init__(self, source: model.Invocation, compiler: Compiler):
        super().__init__(source, compiler)
        self._function = compile_boxed(source.function, compiler)
        self._bindings = list(
            zip(
                parameters_of([parameter for parameter, _ in source.bindings], compiler),
                [compile_boxed(value, compiler) for _, value in source.bindings],
                strict=True,
            )
        )

    def compute(self, run: Run) -> Any:
        arguments = {name: values.admit(box.evaluate(run), run) for (name, values), box in self._bindings}
        return run.invoke(self._function.evaluate(run), arguments)


class Conditional(Box):
    """if, then, else (10.2.1.8): what is not true takes the else."""

    def __init__(self, source: model.Conditional, compiler: Compiler):
        super().__init__(source, compiler)
        self._condition, self._then, self._otherwise = (
            compile_boxed(part, compiler) for part in (source.condition, source.then, source.otherwise)
        )

    def compute(self, run: Run) -> Any:
        chosen = self._then if feel.is_true(self._condition.evaluate(run)) else self._otherwise
        return chosen.evaluate(run)


class Filter(Box):
    """The items for which `match` is true; it sees `item` and an item's own entries (10.2.1.9). Null leaves an item out; what is no
    truth value makes the whole null."""

    def __init__(self, source: model.Filter, compiler: Compiler):
        super().__init__(source, compiler)
        self._source = compile_boxed(source.source, compiler)
        self._match = compile_boxed(source.match, compiler.inside(["item", *compiler.types.component_names]))

    def compute(self, run: Run) -> Any:
        value = self._source.evaluate(run)
        if value is None:
            return None
        items = value if isinstance(value, list) else [value]
        kept = []
        for item in items:
            run.budget.spend(1)
            entries = item if isinstance(item, dict) else {}
            matched = self._match.evaluate(run.within({**run.context, "item": item, **entries}))
            if not isinstance(matched, bool | None):
                return None
            if feel.is_true(matched):
                kept.append(item)
        return kept


class Iterator(Box):
    """for, some, every (10.2.1.10). A `for` also sees `partial`, what it has so far; a quantified one is null where its body gives
    what is no truth value."""

    def __init__(self, source: model.Iterator, compiler: Compiler):
        super().__init__(source, compiler)
        self._kind, self._variable = source.kind, source.variable
        self._source = compile_boxed(source.source, compiler)
        inner = compiler.inside([source.variable, "partial"])
        self._body = compile_boxed(source.body, inner)
        self._shows_partial = source.kind == "for" and "partial" in inner.seen

    def compute(self, run: Run) -> Any:
        items = run.within({"value": self._source.evaluate(run)}).value(_ITEMS)
        if items is None:
            return None
        results: list = []
        for item in items:
            run.budget.spend(1)
            scope = {**run.context, self._variable: item}
            if self._shows_partial:
                run.budget.spend(len(results) // 10)
                scope["partial"] = list(results)
            results.append(self._body.evaluate(run.within(scope)))
        if self._kind == "for":
            return results
        if not all(isinstance(result, bool | None) for result in results):
            return None
        return run.within({"results": results}).value(_QUANTIFIED[self._kind])


_BOXES = {
    model.Literal: Literal,
    model.Context: Context,
    model.Listing: Listing,
    model.Relation: Relation,
    model.Function: Function,
    model.Invocation: Invocation,
    model.Conditional: Conditional,
    model.Filter: Filter,
    model.Iterator: Iterator,
}
