"""Compiling a file's elements, each after those it requires."""

import re
from collections.abc import Callable, Iterable
from types import MappingProxyType

from engine import feel
from engine.decisions import model
from engine.decisions.boxed import Function, compile_boxed
from engine.decisions.compiling import Compiler
from engine.decisions.explaining import explanation
from engine.decisions.graph import Decision, Decisions, InputData, KnowledgeModel, Service, Session
from engine.decisions.model import Node, Source
from engine.decisions.reading import read
from engine.decisions.running import Trace
from engine.decisions.types import Types
from engine.exceptions import DeployRefused
from engine.feel import Budget
from engine.findings import Finding, errors

DEEPEST = 50  # decisions that require one another, one below the other
_WORDS = re.compile(r"[^\W\d]\w*( [^\W\d]\w*)*\Z")  # a name FEEL can read after a dot without being told of it


def compile_decisions(xml: bytes, file: str | None = None, names: Iterable[str] = ()) -> Decisions:
    """Compile a DMN file. `names`: names of several words that the host will put in scope, e.g. calendar functions.

    Raises DeployRefused with every finding: the element, the reason, and for FEEL the line and column inside the expression.
    """
    source, findings = read(xml, file)
    if errors(findings):
        raise DeployRefused(findings)
    found = _Build(source, findings, file, names, strict=True).decisions()
    if errors(findings):
        raise DeployRefused(findings)
    return found


def decide(xml: bytes, name: str | None, data: dict, clock=None, file: str | None = None, explain: bool = False) -> dict:
    """The command line's `decide`: plain JSON in, plain JSON out, converted by the types that the file declares.

    `name` is that of a decision, a decision service or a knowledge model. What the specification makes null is null here, also what stops a deployed
    decision: several rules of a UNIQUE table, a value not of its type, a decision without logic. An error is only what is wrong with
    the file, in the parts that the decision asked for needs, or a text that is not the date its input data must be. Input data is
    seen only where it is required.
    Answers {"result", "notes": why something is null}, with `explain` also "decisions": each as engine.decisions.explaining says.

    Raises DeployRefused, NotFound, DecisionFailed, feel.FeelLimit.
    """
    source, findings = read(xml, file)
    inside = [finding for found in source.faulty.values() for finding in found]
    if any(finding not in inside and not source.is_trifle(finding) for finding in errors(findings)):
        raise DeployRefused(findings)
    build = _Build(source, findings, file, (), strict=False)
    asked = build.decisions().find_any(name)
    session = Session(feel.from_plain(data), clock, Budget(), strict=False, hidden=build.hidden)
    session.trace = Trace() if explain else None
    return explanation(asked.ask(session).result, session.trace, session.notes)


class _Build:
    """Compiles the elements of a file. An element in which there is an error, or in what it requires, is left out."""

    def __init__(self, source: Source, findings: list[Finding], file: str | None, names: Iterable[str], strict: bool):
        self.source, self.findings, self.file, self.strict = source, findings, file, strict
        self.refused: dict[str, list[Finding]] = {ident: list(found) for ident, found in source.faulty.items()}
        compiler = Compiler((), None, "", lambda *parts: self._refuse("", *parts))
        self.types = Types(source.types, compiler.tests, compiler.refuse)
        special = {name for name in self.types.component_names if not _WORDS.match(name)}
        self.host_names = frozenset(names) | special
        inputs = frozenset(name for data in source.inputs.values() for name in (data.variable, data.name))
        self.hidden = frozenset() if strict else inputs  # deployed tables read what their host has, drawn or not
        self.declared = inputs | {node.variable or node.name for node in source.nodes.values()}
        self.data: dict[str, InputData] = {}
        self.functions: dict[str, KnowledgeModel | Service] = {}
        self.built: dict[str, Decision] = {}
        self.waiting: list[tuple[KnowledgeModel, tuple[str, ...]]] = []

    def decisions(self) -> Decisions:
        """Everything compiled."""
        for data in self.source.inputs.values():
            values = self._compiler(data.id, data.variable, ()).values("输入", data.variable, data.type)
            self.data[data.id] = InputData(data, values)
        for ident in self.source.knowledge:
            self._function(ident, ())
        for node in self.source.nodes.values():
            self._decision(node, ())
        for ident in self.source.services:
            self._function(ident, ())
        for function, knowledge in self.waiting:
            function.required = tuple(filter(None, (self._function(ident, ()) for ident in knowledge)))
        built = {ident: self.built[ident] for ident in self.source.nodes if ident in self.built}
        refused = {ident: (self._label(ident), tuple(found)) for ident, found in self.refused.items() if found}
        return Decisions(
            self.source.id, self.source.name, MappingProxyType(built), tuple(self.findings), MappingProxyType(self.functions), refused
        )

    # --- the elements -----------------------------------------------------------------------------------------------------

    def _decision(self, node: Node, path: tuple[str, ...]) -> Decision | None:
        if node.id in self.built or node.id in self.refused:
            return self.built.get(node.id)
        if node.id in path:
            return self._refuse(node.id, "dmn_cycle", node.id, "决策互相依赖，形成了环", "The decisions require each other in a circle")
        if len(path) > DEEPEST:
            zh, en = f"决策层层依赖超过 {DEEPEST} 层", f"Decisions require one another over {DEEPEST} levels"
            return self._refuse(node.id, "dmn_too_deep", node.id, zh, en)
        path = (*path, node.id)
        required = self._all(node.id, node.requires, {**self.source.nodes, **self.source.inputs}, path)
        functions = self._all(node.id, node.knowledge, {**self.source.knowledge, **self.source.services}, path)
        if required is None or functions is None or node.id in self.refused:
            return None
        decisions = [each for each in required if isinstance(each, Decision)]
        data = [each for each in required if isinstance(each, InputData)]
        known = {name for each in decisions for name in (each.id, each.known_as)} | {each.variable for each in data}
        known |= {each.name for each in functions}
        compiler = self._compiler(node.id, node.name, known)
        body = node.body and compile_boxed(node.body, compiler, self.types[node.type])
        if body is None and self.strict:
            self._refuse(node.id, "dmn_no_logic", node.id, "决策要有一张表或一个表达式", "A decision needs one table or one expression")
        self._unknown(node.id, compiler.free - known)
        if node.id in self.refused:
            return None
        values = compiler.values("结果", node.name, node.type)
        free = (compiler.free - known) | {each.variable for each in data} | {name for each in decisions for name in each.names}
        self.built[node.id] = Decision(node, body, values, decisions, data, functions, free)
        return self.built[node.id]

    def _function(self, ident: str, path: tuple[str, ...]) -> KnowledgeModel | Service | None:
        if ident in self.functions or ident in self.refused:
            return self.functions.get(ident)
        if ident in self.source.services:
            return self._service(self.source.services[ident], path)
        source = self.source.knowledge[ident]
        known = {source.name}
        for other in source.knowledge:
            found = self.source.knowledge.get(other) or self.source.services.get(other)
            if found is None:
                return self._missing(ident, other)
            known.add(found.name)
        compiler = self._compiler(ident, source.name, known)
        function = Function(source.function, compiler, source.name, self.types.result_name(source.type))
        if source.function.body is None and self.strict:
            self._refuse(ident, "dmn_no_logic", ident, "业务知识模型没有内容", "A business knowledge model needs an expression")
        self._unknown(ident, compiler.free - known)
        if ident in self.refused:
            return None
        self.functions[ident] = made = KnowledgeModel(source, function)
        self.waiting.append((made, source.knowledge))
        return made

    def _service(self, source: model.Service, path: tuple[str, ...]) -> Service | None:
        if source.id in path:
            return self._refuse(source.id, "dmn_cycle", source.id, "决策服务用到了自己", "The decision service requires itself")
        path = (*path, source.id)
        outputs = self._all(source.id, source.outputs, self.source.nodes, path)
        decisions = self._all(source.id, source.decisions, self.source.nodes, path)
        data = self._all(source.id, source.data, self.source.inputs, path)
        if outputs is None or decisions is None or data is None:
            return None
        result = self.types.result_name(source.type)
        values = self._compiler(source.id, source.name, ()).values("结果", source.name, result)
        self.functions[source.id] = made = Service(source, outputs, decisions, data, values)
        return made

    def _all(self, owner: str, idents: Iterable[str], among: dict, path: tuple[str, ...]) -> list | None:
        """The compiled elements, or None where one is missing or refused."""
        found: list = []
        for ident in idents:
            if ident not in among:
                return self._missing(owner, ident)
            if ident in self.source.nodes:
                each = self._decision(self.source.nodes[ident], path)
            else:
                each = self.data.get(ident) or self._function(ident, path)
            if each is None:
                self.refused.setdefault(owner, []).extend(self.refused.get(ident, ()))
                return None
            found.append(each)
        return found

    # --- names and findings -----------------------------------------------------------------------------------------------

    def _compiler(self, owner: str, label: str, names: Iterable[str]) -> Compiler:
        found: Callable = lambda *parts, **more: self._refuse(owner, *parts, **more)  # noqa: E731
        return Compiler(self.host_names | frozenset(names), self.types, label, found, self.strict)

    def _unknown(self, owner: str, free: set[str]) -> None:
        """Remark on names of other elements that are read without being required; for the specification they are null."""
        for name in sorted(free & self.declared):
            zh, en = f"用到了“{name}”，却没有画出对它的依赖", f'"{name}" is read, but no requirement is drawn to it'
            self.findings.append(Finding("dmn_not_required", zh, en, owner, self.file, severity="warning"))

    def _missing(self, owner: str, ident: str) -> None:
        return self._refuse(owner, "dmn_requirement", owner, f"所依赖的“{ident}”不存在", f'The required "{ident}" does not exist')

    def _label(self, ident: str) -> str:
        found = self.source.nodes.get(ident) or self.source.services.get(ident) or self.source.knowledge.get(ident)
        return found.name if found else ident

    def _refuse(self, owner: str, code: str, element: str | None, zh: str, en: str, line=None, column=None, severity="error") -> None:
        finding = Finding(code, zh, en, element, self.file, line, column, severity)
        self.findings.append(finding)
        if severity == "error":
            self.refused.setdefault(owner, []).append(finding)
