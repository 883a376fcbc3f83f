"""The table of built-in functions. Each is registered under its signature as the specification's tables print it:

    @builtin("substring(string: string, start position: number, length?: number)")
    def substring(text, start, length=None): ...

`?` marks a parameter that may be left out, `...` one that takes one argument or more; `|` joins types. The signature gives
named invocation its names, and arguments of other types make the call null before the Python function sees them. A function
that loops over more than its arguments or reads the clock asks for the run: `@builtin(..., run=True)`.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from engine.feel.values import (
    CONTEXT,
    DATE,
    DATE_TIME,
    DAY_TIME,
    FUNCTION,
    LIST,
    NUMBER,
    RANGE,
    STRING,
    TIME,
    YEAR_MONTH,
    FeelFunction,
    attempt,
    kind,
)

_TYPES = {NUMBER, STRING, "boolean", LIST, CONTEXT, RANGE, FUNCTION, DATE, TIME, DATE_TIME, DAY_TIME, YEAR_MONTH}
_SIGNATURE = re.compile(r"([^(]+)\((.*)\)")


@dataclass(frozen=True, slots=True)
class Parameter:
    """`kinds`: the FEEL types it takes; empty for any value, null included."""

    name: str
    kinds: frozenset[str]
    optional: bool
    variadic: bool

    def fits(self, value) -> bool:
        """Whether `value` needs no conversion."""
        return not self.kinds or kind(value) in self.kinds or (value is None and self.optional)

    def convert(self, value) -> list:
        """`[value]` fit for this parameter, or nothing when it cannot be (specification 10.3.2.9.4, implicit conversions)."""
        if self.fits(value):
            return [value]
        if kind(value) == LIST and len(value) == 1 and self.fits(value[0]):
            return value
        if LIST in self.kinds and value is not None:
            return [[value]]
        return []


@dataclass(frozen=True, slots=True)
class Overload:
    """One signature of a built-in and the Python function behind it."""

    parameters: tuple[Parameter, ...]
    call: Callable
    run: bool

    @property
    def required(self) -> int:
        """How many arguments there must be."""
        return sum(not parameter.optional for parameter in self.parameters)

    @property
    def variadic(self) -> bool:
        """Whether the last parameter takes all that follow."""
        return bool(self.parameters) and self.parameters[-1].variadic

    def takes(self, count: int) -> bool:
        """Whether it can be called with so many arguments."""
        return self.required <= count and (self.variadic or count <= len(self.parameters))

    def apply(self, run, arguments: list) -> Any:
        """The result for arguments in order; null when one does not fit."""
        last = len(self.parameters) - 1
        values = [run] if self.run else []
        for index, argument in enumerate(arguments):
            parameter = self.parameters[min(index, last)]
            if parameter.fits(argument):
                values.append(argument)
            else:
                converted = parameter.convert(argument)
                if not converted:
                    return None
                values += converted
        return attempt(self.call, values)


@dataclass(frozen=True, slots=True, eq=False)
class Builtin(FeelFunction):
    """A built-in as a value: it picks the overload by the number or the names of its arguments."""

    overloads: list[Overload] = field(default_factory=list)

    def overload(self, count: int) -> list[Overload]:
        """The overloads that take so many arguments."""
        return [overload for overload in self.overloads if overload.takes(count)]

    def invoke(self, run, arguments: list) -> Any:
        """The first result that is not null of the overloads that take so many arguments."""
        run.budget.spend(1)
        for overload in self.overload(len(arguments)):
            result = overload.apply(run, arguments)
            if result is not None:
                return result
        return None

    def invoke_named(self, run, arguments: dict[str, Any]) -> Any:
        """Likewise by names; a parameter left out in the middle counts as null."""
        run.budget.spend(1)
        for overload in self.overloads:
            names = [parameter.name for parameter in overload.parameters]
            if not arguments.keys() <= set(names):
                continue
            if any(not p.optional and p.name not in arguments for p in overload.parameters):
                continue
            values = [arguments.get(name) for name in names]
            if overload.variadic and kind(values[-1]) == LIST and names[-1] == "list":
                values = [values[-1]]
            result = overload.apply(run, values)
            if result is not None:
                return result
        return None


BUILTINS: dict[str, Builtin] = {}


def builtin(signature: str, run: bool = False) -> Callable:
    """Register the decorated function under `signature`; several signatures of one name are its overloads."""
    name, inside = _SIGNATURE.fullmatch(signature).groups()
    parameters = tuple(_parameter(part) for part in inside.split(", ")) if inside else ()

    def register(call: Callable) -> Callable:
        known = BUILTINS.setdefault(name, Builtin(name, tuple(p.name for p in parameters), call))
        known.overloads.append(Overload(parameters, call, run))
        return call

    return register


def _parameter(text: str) -> Parameter:
    name, _, types = text.partition(": ")
    kinds = frozenset(types.split("|")) - {"any"}
    assert kinds <= _TYPES, text
    return Parameter(name.removesuffix("...").removesuffix("?"), kinds, name.endswith("?"), name.endswith("..."))
