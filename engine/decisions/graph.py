"""The decisions of a file: compiled together, evaluated with what they require, explained."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

from engine import feel
from engine.decisions.model import Cell, Literal, Node, Source, Table
from engine.decisions.reading import read
from engine.decisions.table import CompiledTable, Compiler, Narrowing, Run, Values
from engine.exceptions import DeployRefused, NotFound
from engine.feel import Budget
from engine.findings import Finding, errors

DEEPEST = 50  # decisions that require one another, one below the other


@dataclass(frozen=True)
class Outcome:
    """What a decision answered. `matched`: ids of the matched rules; `inputs`: the evaluated input values in the order of the
    columns; `required`: the outcomes of the decisions it asked, by id. All values are FEEL values."""

    result: Any
    matched: list[str] = field(default_factory=list)
    inputs: list[Any] = field(default_factory=list)
    required: Mapping[str, "Outcome"] = field(default_factory=dict)


class Decision:
    """One compiled decision. For a table `hit_policy` is U, A, F, R or C and `aggregation` SUM, MIN, MAX, COUNT or None;
    `inputs`, `outputs` and `rules` are the records of engine.decisions.model. `names`: the variables it reads."""

    def __init__(self, node: Node, body: "CompiledTable | _CompiledLiteral", required: list["Decision"], data: list[Values], names):
        self.id, self.name, self.variable = node.id, node.name, node.variable
        self.body = body
        self.required = tuple(required)
        self.data = tuple(data)
        table = node.body if isinstance(node.body, Table) else None
        self.hit_policy = table and table.hit_policy
        self.aggregation = table and table.aggregation
        self.inputs = table.inputs if table else ()
        self.outputs = table.outputs if table else ()
        self.rules = table.rules if table else ()
        self._rules = {rule.id: rule for rule in self.rules}
        self.names = frozenset(names)

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
        return self._decide(context, clock, Budget(), {}, lazy, within)

    def explain(self, context: Mapping[str, Any], clock=None) -> dict:
        """Why: {"inputs": [{"label", "value"}], "rules": [{"rule", "matched", "cells"}]}; a literal expression has no rules."""
        run = Run(self._scope(context, clock, Budget(), {}), clock, Budget(), self.name)
        if not self.hit_policy:
            return {"inputs": [], "rules": []}
        values = [column.evaluate(run) for column in self.body.inputs]
        inputs = [{"label": column.label, "value": value} for column, value in zip(self.inputs, values, strict=True)]
        return {"inputs": inputs, "rules": self.body.explain(run)}

    def _scope(self, context, clock, budget: Budget, done: dict[str, Outcome]) -> Mapping[str, Any]:
        """The variables with the declared input data converted to their types, and the results of the required decisions."""
        if not (self.required or self.data):
            return context
        scope = dict(context)
        for values in self.data:
            scope[values.label] = values.admit(scope.get(values.label), Run(context, clock, budget, self.name), "输入")
        for decision in self.required:
            outcome = done.get(decision.id)
            if outcome is None:
                outcome = done[decision.id] = decision._decide(context, clock, budget, done)
            scope[decision.id] = outcome.result
            if decision.variable:
                scope[decision.variable] = outcome.result
        return scope

    def _decide(self, context, clock, budget: Budget, done: dict[str, Outcome], lazy: bool = False, within=None) -> Outcome:
        scope = self._scope(context, clock, budget, done)
        result, matched, inputs = self.body.evaluate(Run(scope, clock, budget, self.name), lazy, within)
        return Outcome(result, matched, inputs, {decision.id: done[decision.id] for decision in self.required})


class _CompiledLiteral:
    """A decision that is one expression."""

    def __init__(self, source: Literal, type_name: str | None, label: str, compiler: Compiler):
        self.expression = compiler.expression(source.expression)
        self.values = Values(label, source.type or type_name, None, compiler)

    def evaluate(self, run: Run, lazy: bool = False, within=None) -> tuple[Any, list[str], list[Any]]:
        """The value, converted to the variable's type; no rules, no inputs."""
        value = self.expression.evaluate(run.context, clock=run.clock, budget=run.budget)
        return self.values.admit(value, run, "结果"), [], []


@dataclass(frozen=True)
class Decisions:
    """The compiled decisions of a file, `decisions` by id, and the remarks that did not refuse it."""

    id: str
    name: str
    decisions: Mapping[str, Decision]
    findings: tuple[Finding, ...] = ()

    def find(self, name: str | None = None) -> Decision:
        """The decision with that id or name; without a name the file's only one, or the one no other requires.

        Raises NotFound.
        """
        if name is None:
            asked = {decision.id for each in self.decisions.values() for decision in each.required}
            tops = [decision for ident, decision in self.decisions.items() if ident not in asked]
            if len(tops) == 1:
                return tops[0]
        elif name in self.decisions:
            return self.decisions[name]
        else:
            named = [decision for decision in self.decisions.values() if decision.name == name]
            if len(named) == 1:
                return named[0]
        raise NotFound(what="决策", key=name or "")


def compile_decisions(xml: bytes, file: str | None = None, names: Iterable[str] = ()) -> Decisions:
    """Compile a DMN file. `names`: names of several words that the host will put in scope, e.g. calendar functions.

    Raises DeployRefused with every finding: the element, the reason, and for FEEL the line and column inside the expression.
    """
    source, findings = read(xml, file)
    if not errors(findings):
        compiled = _Build(source, findings, file, names).decisions()
    if errors(findings):
        raise DeployRefused(findings)
    return Decisions(source.id, source.name, MappingProxyType(compiled), tuple(findings))


class _Build:
    """Compiles a file's decisions in the order of their requirements."""

    def __init__(self, source: Source, findings: list[Finding], file: str | None, names: Iterable[str]):
        self.source, self.findings, self.file = source, findings, file
        self.nodes = {node.id: node for node in source.nodes}
        self.names = {*names, *(name for name, _ in source.inputs.values())}
        self.names |= {node.variable for node in source.nodes if node.variable}
        self.built: dict[str, Decision] = {}

    def decisions(self) -> dict[str, Decision]:
        for node in self.source.nodes:
            if not self._build(node, ()):
                break
        return {node.id: self.built[node.id] for node in self.source.nodes if node.id in self.built}

    def _build(self, node: Node, path: tuple[str, ...]) -> Decision | None:
        if node.id in self.built:
            return self.built[node.id]
        if node.id in path:
            self._refuse("dmn_cycle", node.id, "决策互相依赖，形成了环", "The decisions require each other in a circle")
            return None
        if len(path) > DEEPEST:
            self._refuse("dmn_too_deep", node.id, f"决策层层依赖超过 {DEEPEST} 层", f"Decisions require one another over {DEEPEST} levels")
            return None
        required, data = [], []
        compiler = Compiler(self.names, self._refuse_cell)
        for ident in node.requires:
            if ident in self.source.inputs:
                label, type_name = self.source.inputs[ident]
                if type_name is not None:
                    data.append(Values(label, type_name, None, compiler))
                continue
            if ident not in self.nodes:
                self._refuse("dmn_requirement", node.id, f"所依赖的“{ident}”不存在", f'The required "{ident}" does not exist')
                return None
            below = self._build(self.nodes[ident], (*path, node.id))
            if below is None:
                return None
            required.append(below)
        if isinstance(node.body, Table):
            body = CompiledTable(node.body, compiler, node.name)
        else:
            body = _CompiledLiteral(node.body, node.type, node.name, compiler)
        known = {name for decision in required for name in (decision.id, decision.variable)}
        free = {name for name in compiler.free if name not in known and name != "?"}
        free |= {name for decision in required for name in decision.names}
        self.built[node.id] = Decision(node, body, required, data, free)
        return self.built[node.id]

    def _refuse(self, code: str, element: str, zh: str, en: str) -> None:
        self.findings.append(Finding(code, zh, en, element=element, file=self.file))

    def _refuse_cell(self, cell: Cell, error) -> None:
        line, column = getattr(error, "line", None), getattr(error, "column", None)
        self.findings.append(
            Finding(error.code, error.message, _ENGLISH.get(error.code, _ENGLISH[""]), cell.id, self.file, line, column)
        )


_ENGLISH = {
    "feel_syntax_error": "The expression cannot be read here",
    "feel_unsupported": "The expression uses something that is not supported yet",
    "decision_failed": "The value does not fit the column's type or its allowed values",
    "": "The expression is refused",
}


def decide(xml: bytes, name: str | None, data: dict, clock=None, file: str | None = None) -> Any:
    """The command line's `decide`: plain JSON in, plain JSON out, converted by the types that the file declares.

    Raises DeployRefused, NotFound, DecisionFailed.
    """
    decision = compile_decisions(xml, file).find(name)
    return feel.to_plain(decision.decide(feel.from_plain(data), clock).result)
