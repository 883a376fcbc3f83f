"""What an evaluation hands down, and functions as FEEL values."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from engine.exceptions import DecisionFailed
from engine.feel import Budget, FeelFunction
from engine.feel.runtime import Run as FeelRun


@dataclass(slots=True)
class Trace:
    """What an explanation tells: `decisions`, each once it is decided, and the `tables` evaluated for the one being decided, also
    those inside the functions it calls."""

    decisions: list[dict] = field(default_factory=list)
    tables: list[dict] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Run:
    """The variables, the clock, the purse, and the decision for its errors.

    `strict`: what the specification makes null because a model or its data is wrong (two rules of a UNIQUE table, a value not of
    its type) raises DecisionFailed; without it the value is null and the reason goes to `notes`. `trace` is None where nobody asks why.
    """

    context: Mapping[str, Any]
    clock: datetime | None
    budget: Budget
    decision: str
    strict: bool = True
    notes: list[dict] = field(default_factory=list)
    trace: Trace | None = None

    def within(self, context: Mapping[str, Any]) -> "Run":
        """The same evaluation with other variables."""
        return replace(self, context=context)

    def value(self, expression) -> Any:
        """A compiled expression's value here."""
        return expression.evaluate(self.context, clock=self.clock, budget=self.budget)

    def passes(self, tests, value) -> bool:
        """Whether a value passes compiled unary tests here."""
        return tests.test(value, self.context, clock=self.clock, budget=self.budget)

    def fault(self, code: str, reason: str, **facts) -> None:
        """Something is wrong; `reason` in Chinese without personal data. Raises DecisionFailed, whose fact `fault` is the code, or
        notes it and gives null. Codes: several_rules, rules_differ, not_aggregated, wrong_type, not_allowed, no_logic, no_function."""
        error = DecisionFailed(decision=self.decision, fault=code, reason=reason, **facts)
        if self.strict:
            raise error
        self.note(code, reason, **facts)

    def note(self, code: str, reason: str, **facts) -> None:
        """Tell those who ask why something is null."""
        self.notes.append({"decision": self.decision, "code": code, "reason": reason, **facts})

    def invoke(self, function, arguments: dict[str, Any]) -> Any:
        """A FEEL function's value for named arguments; null for what is no function."""
        if not isinstance(function, FeelFunction):
            return self.fault("no_function", "调用的不是函数")
        run = FeelRun(self.context, self.clock, self.budget)
        self.budget.spend(1)
        return function.invoke_named(run, arguments)


@dataclass(frozen=True, slots=True, eq=False)
class DecisionFunction(FeelFunction):
    """A business knowledge model, a decision service or a boxed function as a value. It needs every argument."""

    def invoke(self, run, arguments: list) -> Any:
        """The value of the body, paid for by the caller's purse; null for a wrong number of arguments."""
        if len(arguments) != len(self.parameters):
            return None
        budget = run.budget
        budget.enter(1)
        try:
            return self.call(*arguments)
        finally:
            budget.leave()
