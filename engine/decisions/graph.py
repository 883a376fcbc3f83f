"""The requirements graph compiled (6.3, 10.4): decisions, what they require, functions, services; and their evaluation."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from engine.decisions import model
from engine.decisions.boxed import Box, Function
from engine.decisions.explaining import explain_decision, explanation
from engine.decisions.model import Node, Table
from engine.decisions.running import DecisionFunction, Run, Trace
from engine.decisions.table import CompiledTable, Narrowing
from engine.decisions.types import Values
from engine.exceptions import DecisionFailed, DeployRefused, NotFound
from engine.feel import Budget
from engine.findings import Finding


@dataclass(frozen=True)
class Outcome:
    """What a decision answered. `matched`: ids of the matched rules; `inputs`: the evaluated input values in the order of the
    columns; `required`: the outcomes of the decisions it asked, by id. All values are FEEL values."""

    result: Any
    matched: list[str] = field(default_factory=list)
    inputs: list[Any] = field(default_factory=list)
    required: Mapping[str, "Outcome"] = field(default_factory=dict)


class Session:
    """One evaluation of a graph: what was given, and what is known so far.

    `given`: the host's variables; the `hidden` ones among them are seen only as input data by who requires it. `values`: input data by id,
    `outcomes`: decisions by id; what is put in beforehand is not asked for. `trace`: the explanation, where wanted.
    """

    def __init__(
        self,
        given: Mapping[str, Any],
        clock: datetime | None,
        budget: Budget,
        strict: bool = True,
        hidden: frozenset[str] = frozenset(),
    ):
        self.given, self.clock, self.budget, self.strict = given, clock, budget, strict
        self.variables = {name: value for name, value in given.items() if name not in hidden} if hidden else given
        self.values: dict[str, Any] = {}
        self.outcomes: dict[str, Outcome] = {}
        self.functions: dict[str, DecisionFunction] = {}
        self.notes: list[dict] = []
        self.trace: Trace | None = None

    def run(self, scope: Mapping[str, Any], label: str) -> Run:
        """For an element that sees `scope`."""
        return Run(scope, self.clock, self.budget, label, self.strict, self.notes, self.trace)

    def inner(self) -> "Session":
        """For a decision service: nothing is known yet but the host's variables."""
        session = Session(self.variables, self.clock, self.budget, self.strict)
        session.notes, session.trace = self.notes, self.trace
        return session


class InputData:
    """Input data: what the host gives under the name of its variable, or its own, as the declared type."""

    def __init__(self, source: model.Data, values: Values):
        self.id, self.name, self.variable, self.values = source.id, source.name, source.variable, values

    def value(self, session: Session) -> Any:
        """The value; null where the host gives none. A text that is no date where one is declared is the host's mistake."""
        if self.id not in session.values:
            given = session.given.get(self.variable, session.given.get(self.name))
            run = session.run(session.variables, self.variable)
            value = session.values[self.id] = self.values.admit(given, run, reads=True)
            if value is None and type(given) is str and self.values.type.is_text_in_json:
                raise DecisionFailed(decision=self.variable, reason=f"“{given[:40]}”不是 {self.values.type.name}")
        return session.values[self.id]


class KnowledgeModel:
    """A business knowledge model: a function that sees the host's variables, the functions it requires, and itself."""

    def __init__(self, source: model.Knowledge, function: Function):
        self.id, self.name, self.function = source.id, source.name, function
        self.required: tuple[KnowledgeModel | Service, ...] = ()  # set once all are compiled: they may call one another

    def bind(self, session: Session) -> DecisionFunction:
        """The function as a value."""
        if self.id not in session.functions:
            scope = dict(session.variables)
            bound = self.function.compute(session.run(scope, self.name))
            session.functions[self.id] = scope[self.name] = bound
            scope.update((other.name, other.bind(session)) for other in self.required)
        return session.functions[self.id]

    def ask(self, session: Session) -> Outcome:
        """With what the host gives under the parameters' names."""
        run = session.run(session.variables, self.name)
        bound = self.bind(session)
        return Outcome(run.invoke(bound, {name: session.given.get(name) for name in bound.parameters}))


class Service:
    """A decision service (6.3.9): its decisions asked with given data and given results of the input decisions.

    As a function it takes input data first, then input decisions. One output decision gives its result, several a context.
    """

    def __init__(self, source: model.Service, outputs: list["Decision"], decisions: list["Decision"], data: list[InputData], values):
        self.id, self.name = source.id, source.name
        self.outputs, self.decisions, self.data, self._values = tuple(outputs), tuple(decisions), tuple(data), values
        self.parameters = tuple([each.variable for each in data] + [each.known_as for each in decisions])

    def bind(self, session: Session) -> DecisionFunction:
        """The service as a function."""
        return DecisionFunction(self.name, self.parameters, lambda *arguments: self._call(session.inner(), arguments, False))

    def _call(self, session: Session, arguments: Iterable[Any], reads: bool) -> Any:
        arguments = list(arguments)
        run = session.run(session.variables, self.name)
        for each, value in zip(self.data, arguments, strict=False):
            session.values[each.id] = each.values.admit(value, run, reads)
        for each, value in zip(self.decisions, arguments[len(self.data) :], strict=True):
            session.outcomes[each.id] = Outcome(each.values.admit(value, run, reads))
        results = {each.known_as: each.outcome(session).result for each in self.outputs}
        result = next(iter(results.values())) if len(results) == 1 else results
        return self._values.admit(result, run)

    def ask(self, session: Session) -> Outcome:
        """With what the host gives under the parameters' names."""
        inner = session.inner()
        given = [session.given.get(name) for name in self.parameters]
        outcome = Outcome(self._call(inner, given, True))
        session.outcomes |= inner.outcomes
        return outcome


class Decision:
    """One compiled decision. For a table `hit_policy` is U, A, P, F, O, R or C and `aggregation` SUM, MIN, MAX, COUNT or None;
    `inputs`, `outputs` and `rules` are the records of engine.decisions.model. `names`: the variables it reads."""

    def __init__(
        self,
        node: Node,
        body: CompiledTable | Box | None,
        values: Values,
        required: Iterable["Decision"] = (),
        data: Iterable[InputData] = (),
        functions: Iterable[KnowledgeModel | Service] = (),
        names: Iterable[str] = (),
    ):
        self.id, self.name, self.variable = node.id, node.name, node.variable
        self.body, self.values = body, values
        self.required, self.data, self.functions = tuple(required), tuple(data), tuple(functions)
        table = node.body if isinstance(node.body, Table) else None
        self.hit_policy = table and table.hit_policy
        self.aggregation = table and table.aggregation
        self.inputs = table.inputs if table else ()
        self.outputs = table.outputs if table else ()
        self.rules = table.rules if table else ()
        self._rules = {rule.id: rule for rule in self.rules}
        self.names = frozenset(names)

    @property
    def known_as(self) -> str:
        """The name under which those who require it see its result."""
        return self.variable or self.name

    def rule(self, ident: str):
        """The rule with that id; KeyError if there is none."""
        return self._rules[ident]

    def decide(self, context: Mapping[str, Any], clock=None, lazy: bool = False, within: Narrowing | None = None) -> Outcome:
        """Evaluate with the variables of `context` (FEEL values); `clock` as engine.feel takes it.

        Raises DecisionFailed: several rules of a UNIQUE table, different results of an ANY table, a value of the wrong type
        or outside the allowed ones. Raises feel.FeelLimit when it costs too much. No matching rule gives null.

        `lazy`: leave out (as null among the outcome's inputs) the inputs that do not matter for the answer; what is wrong with
        them then goes unnoticed. Without it every input is evaluated, as a history wants it. `within`: what is settled already
        (engine.decisions.narrowing); goes with `lazy`.
        """
        return self._evaluate(Session(context, clock, Budget()), lazy, within)

    def explain(self, context: Mapping[str, Any], clock=None) -> dict:
        """Why it comes out as it does: {"result", "decisions", "notes"} in plain JSON, as engine.decisions.explaining says; what `decide`
        raises is null here, and its reason among the notes."""
        session = Session(context, clock, Budget(), strict=False)
        session.trace = Trace()
        return explanation(self.outcome(session).result, session.trace, session.notes)

    def ask(self, session: Session) -> Outcome:
        """The outcome in this evaluation."""
        return self.outcome(session)

    def outcome(self, session: Session) -> Outcome:
        """The outcome in this evaluation, found once."""
        found = session.outcomes.get(self.id)
        if found is None:
            found = session.outcomes[self.id] = self._evaluate(session)
        return found

    def _scope(self, session: Session) -> Mapping[str, Any]:
        """The host's variables, the input data and the results it requires, and the functions."""
        if not (self.required or self.data or self.functions):
            return session.variables
        scope = dict(session.variables)
        for decision in self.required:
            scope[decision.id] = scope[decision.known_as] = decision.outcome(session).result
        for data in self.data:
            scope[data.variable] = data.value(session)
        for function in self.functions:
            scope[function.name] = function.bind(session)
        return scope

    def _evaluate(self, session: Session, lazy: bool = False, within: Narrowing | None = None) -> Outcome:
        run = session.run(self._scope(session), self.name)
        trace = session.trace
        if trace is not None:
            around, trace.tables = trace.tables, []
        matched, inputs = [], []
        if isinstance(self.body, CompiledTable):
            result, matched, inputs = self.body.decide(run, lazy, within)
        elif self.body is None:
            result = run.fault("no_logic", "没有写决策逻辑")
        else:
            result = self.body.evaluate(run)
        result = self.values.admit(result, run)
        outcome = Outcome(result, matched, inputs, {each.id: session.outcomes[each.id] for each in self.required})
        if trace is not None:
            trace.decisions.append(explain_decision(self, result, trace.tables, run))
            trace.tables = around
        return outcome


@dataclass(frozen=True)
class Decisions:
    """The compiled decisions of a file by id, its functions (knowledge models and decision services), and the remarks that did not
    refuse it.

    `refused`: what is wrong with elements that could not be compiled, by id; only a file compiled for `decide` has any.
    """

    id: str
    name: str
    decisions: Mapping[str, Decision]
    findings: tuple[Finding, ...] = ()
    functions: Mapping[str, KnowledgeModel | Service] = field(default_factory=dict)
    refused: Mapping[str, tuple[str, tuple[Finding, ...]]] = field(default_factory=dict)

    def find(self, name: str | None = None) -> Decision:
        """The decision with that id or name; without a name the file's only one, or the one no other requires.

        Raises NotFound.
        """
        if name is None:
            asked = {decision.id for each in self.decisions.values() for decision in each.required}
            tops = [decision for ident, decision in self.decisions.items() if ident not in asked]
            if len(tops) == 1:
                return tops[0]
        else:
            found = _named(self.decisions, name)
            if found is not None:
                return found
        raise NotFound(what="决策", key=name or "")

    def find_any(self, name: str | None) -> Decision | KnowledgeModel | Service:
        """A decision or else a function by id or name. Raises NotFound, and DeployRefused for one that is refused."""
        for ident, (label, findings) in self.refused.items():
            if name in (ident, label) or (name is None and len(self.refused) + len(self.decisions) == 1):
                raise DeployRefused(list(findings))
        function = _named(self.functions, name)
        return self.find(name) if function is None or _named(self.decisions, name) else function


def _named(elements: Mapping[str, Any], name: str | None):
    """The element with that id, or the only one with that name."""
    if name in elements:
        return elements[name]
    named = [element for element in elements.values() if element.name == name]
    return named[0] if len(named) == 1 else None
