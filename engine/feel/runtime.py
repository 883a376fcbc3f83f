"""What a running expression holds: the run (context, clock, purse) and the environments of local names."""

import datetime
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from engine.feel import nodes
from engine.feel.budget import Budget
from engine.feel.types import coerce
from engine.feel.values import FeelFunction


class Run:
    """One evaluation; at the same time its outermost environment."""

    __slots__ = ("clock", "context", "purse")

    def __init__(self, context: Mapping, clock: datetime.datetime | None, budget: Budget | None):
        self.context = context
        self.clock = clock
        self.purse = budget

    @property
    def run(self) -> "Run":
        """Itself: every environment knows its run."""
        return self

    @property
    def budget(self) -> Budget:
        """The purse, made when the first step is spent: most expressions never loop or call."""
        if self.purse is None:
            self.purse = Budget()
        return self.purse


class Environment:
    """One local binding: an iterated item, a filtered item, a call's arguments or a context being built."""

    __slots__ = ("parent", "run", "value")

    def __init__(self, run: Run, value, parent):
        self.run = run
        self.value = value
        self.parent = parent


@dataclass(frozen=True, slots=True, eq=False)
class Closure(FeelFunction):
    """A function written in FEEL, with the environment it was written in."""

    types: tuple[nodes.Type | None, ...] = ()
    cost: int = 1
    environment: Run | Environment | None = field(default=None, repr=False)

    def invoke_named(self, run, arguments: dict):
        """Likewise by names; a parameter that is not supplied is null (10.3.2.13.5)."""
        if not arguments.keys() <= set(self.parameters):
            return None
        return self.invoke(run, [arguments.get(name) for name in self.parameters])

    def invoke(self, run, arguments: list):
        """The value of the body; null for a wrong number of arguments."""
        if len(arguments) != len(self.parameters):
            return None
        values = [value if type_ is None else coerce(value, type_, run) for value, type_ in zip(arguments, self.types, strict=True)]
        budget = run.budget
        budget.enter(self.cost)
        try:
            body: Callable = self.call
            return body(Environment(self.environment.run, values, self.environment))
        finally:
            budget.leave()
