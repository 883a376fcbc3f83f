"""An independent reading of BPMN 2.0.2 for the tests: a transition system over markings, in which an engine's trace must be possible.

It shares no code with the engine. It reads the XML itself and knows nothing of tokens with numbers: a marking is a pair of multisets,
flows that hold tokens and elements at work (a subprocess at work holds a marking). Where a step could have been made in several ways, all
are kept; the trace is wrong when none is left. Source: 13.3.2 (gateways, 13.4.1 to 13.4.3), 13.5 (events), BPMN 2.0.2.
"""

import operator
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from xml.etree import ElementTree

B = "{http://www.omg.org/spec/BPMN/20100524/MODEL}"
Z = "{http://camunda.org/schema/zeebe/1.0}"

# A marking: (sorted flow ids, sorted (element id, marking inside or None)).
Marking = tuple[tuple[str, ...], tuple[tuple[str, "Marking | None"], ...]]
EMPTY: Marking = ((), ())
WAITS = {"userTask", "intermediateCatchEvent"}


class Impossible(AssertionError):
    """The engine did what BPMN does not allow."""


@dataclass
class Node:
    """An element: `into` and `out` in the order of the file; `hosts` the events on its border."""

    id: str
    tag: str
    scope: str | None
    default: str | None = None
    interrupts: bool = True
    script: tuple[str, str] | None = None
    terminates: bool = False
    attached: str | None = None
    into: list[str] = field(default_factory=list)
    out: list[str] = field(default_factory=list)
    border: list[str] = field(default_factory=list)


class Net:
    """The diagram as the oracle sees it."""

    def __init__(self, xml: bytes):
        self.nodes: dict[str, Node] = {}
        self.source: dict[str, str] = {}
        self.target: dict[str, str] = {}
        self.condition: dict[str, str] = {}
        self._read(ElementTree.fromstring(xml).find(f"{B}process"), None)
        for flow, node in self.source.items():
            self.nodes[node].out.append(flow)
        for flow, node in self.target.items():
            self.nodes[node].into.append(flow)
        for node in self.nodes.values():
            if node.attached:
                self.nodes[node.attached].border.append(node.id)

    def _read(self, scope, parent: str | None) -> None:
        for entry in scope:
            tag, identity = entry.tag.removeprefix(B), entry.get("id")
            if tag == "sequenceFlow":
                self.source[identity], self.target[identity] = entry.get("sourceRef"), entry.get("targetRef")
                if (condition := entry.find(f"{B}conditionExpression")) is not None:
                    self.condition[identity] = condition.text.removeprefix("=")
            elif tag.endswith(("Task", "task", "Gateway", "Event", "subProcess")):
                made = Node(identity, tag, parent, entry.get("default"), entry.get("cancelActivity") != "false")
                made.attached = entry.get("attachedToRef")
                made.terminates = entry.find(f"{B}terminateEventDefinition") is not None
                if (script := entry.find(f".//{Z}script")) is not None and tag == "scriptTask":
                    made.script = (script.get("resultVariable"), script.get("expression").removeprefix("="))
                self.nodes[identity] = made
                if tag == "subProcess":
                    self._read(entry, identity)

    def begins(self, scope: str | None) -> Marking:
        """A scope that has just been entered: its start event is about to begin."""
        [start] = [node.id for node in self.nodes.values() if node.scope == scope and node.tag == "startEvent"]
        return ((f"!{start}",), ())


class Oracle:
    """All markings a trace can have led to, and the variables it must have led to."""

    def __init__(self, xml: bytes, variables: dict[str, int]):
        self.net = Net(xml)
        self.variables = dict(variables)
        self.markings: set[Marking] = {self.net.begins(None)}

    # --- steps of a trace -----------------------------------------------------------------------------------------------

    def enter(self, element: str) -> None:
        """`element` began."""
        self._step(element, lambda marking: self._entered(marking, element))

    def leave(self, element: str, flows: list[str]) -> None:
        """`element` ended and tokens went out on `flows`."""
        expected = self._ways(self.net.nodes[element])
        if expected is None or sorted(expected) != sorted(flows):
            raise Impossible(f"{element} left by {flows}, not by {expected}")
        self._step(element, lambda marking: self._left(marking, element, flows))

    def script(self, element: str) -> None:
        """The script of `element` was evaluated."""
        variable, expression = self.net.nodes[element].script
        self.variables[variable] = self._value(expression)

    def timeout(self, event: str) -> None:
        """The timer of `event` fired: a boundary event is about to begin."""
        node = self.net.nodes[event]
        if node.attached:
            self._step(event, lambda marking: self._fired(marking, node))

    def _step(self, element: str, move) -> None:
        scope = self.net.nodes[element].scope
        self.markings = {after for marking in self.markings for after in self._inside(marking, scope, move)}
        if not self.markings:
            raise Impossible(f"{element}: no marking allows this")

    def _inside(self, marking: Marking, scope: str | None, move) -> Iterator[Marking]:
        """Every way to make `move` in one instance of `scope` somewhere in `marking`."""
        path = []
        while scope is not None:
            path.insert(0, scope)
            scope = self.net.nodes[scope].scope
        yield from self._descend(marking, path, move)

    def _descend(self, marking: Marking, path: list[str], move) -> Iterator[Marking]:
        if not path:
            yield from move(marking)
            return
        flows, active = marking
        for index, (element, inner) in enumerate(active):
            if element == path[0] and inner is not None:
                for changed in self._descend(inner, path[1:], move):
                    yield flows, tuple(sorted((*active[:index], (element, changed), *active[index + 1 :]), key=repr))

    # --- what BPMN says ---------------------------------------------------------------------------------------------------

    def _entered(self, marking: Marking, element: str) -> Iterable[Marking]:
        node = self.net.nodes[element]
        inner = self.net.begins(element) if node.tag == "subProcess" else None
        for taken in self._triggers(marking, node):
            flows = list(marking[0])
            for flow in taken:
                flows.remove(flow)
            yield tuple(flows), tuple(sorted((*marking[1], (element, inner)), key=repr))

    def _triggers(self, marking: Marking, node: Node) -> list[list[str]]:
        """The sets of tokens that would start `node` now."""
        filled = [flow for flow in node.into if flow in marking[0]]
        if f"!{node.id}" in marking[0]:
            return [[f"!{node.id}"]]
        if node.tag == "parallelGateway":
            return [filled] if filled and len(filled) == len(node.into) else []
        if node.tag == "inclusiveGateway":
            return [filled] if filled and self._may_merge(marking, node, set(filled)) else []
        return [[flow] for flow in filled]

    def _may_merge(self, marking: Marking, gateway: Node, filled: set[str]) -> bool:
        """13.4.3, to the letter. A token in an activity may still leave by its flows, or by those of the events on its border."""
        starts = [[flow] for flow in marking[0] if not flow.startswith("!")]
        starts += [self._out_of(flow[1:]) for flow in marking[0] if flow.startswith("!")]
        starts += [self._out_of(element) for element, _ in marking[1]]
        for flows in starts:
            arrives = self._paths(flows, gateway)
            if arrives - filled and not arrives & filled:
                return False
        return True

    def _out_of(self, element: str) -> list[str]:
        node = self.net.nodes[element]
        return [flow for name in (element, *node.border) for flow in self.net.nodes[name].out]

    def _paths(self, flows: Iterable[str], gateway: Node) -> set[str]:
        """Incoming flows of `gateway` at which a path that starts with one of `flows` ends without visiting it before."""
        seen: set[str] = set()
        pending = list(flows)
        while pending:
            flow = pending.pop()
            if flow not in seen:
                seen.add(flow)
                if self.net.target[flow] != gateway.id:
                    pending += self._out_of(self.net.target[flow])
        return seen & set(gateway.into)

    def _left(self, marking: Marking, element: str, flows: list[str]) -> Iterable[Marking]:
        node = self.net.nodes[element]
        for entry in {entry for entry in marking[1] if entry[0] == element}:
            if entry[1] not in (None, EMPTY):
                continue  # a subprocess ends when nothing is left inside
            active = list(marking[1])
            active.remove(entry)
            if node.terminates:
                yield EMPTY
            else:
                yield tuple(sorted((*marking[0], *flows))), tuple(active)

    def _fired(self, marking: Marking, event: Node) -> Iterable[Marking]:
        for entry in {entry for entry in marking[1] if entry[0] == event.attached}:
            active = list(marking[1])
            if event.interrupts:
                active.remove(entry)
            yield tuple(sorted((*marking[0], f"!{event.id}"))), tuple(active)

    def _ways(self, node: Node) -> list[str] | None:
        """The flows by which a token leaves; None when it cannot."""
        if node.tag not in ("exclusiveGateway", "inclusiveGateway") or not any(flow in self.net.condition for flow in node.out):
            return node.out
        true = [flow for flow in node.out if flow in self.net.condition and self._value(self.net.condition[flow])]
        if true:
            return true[:1] if node.tag == "exclusiveGateway" else true
        return [node.default] if node.default else None

    _PARTS = re.compile(r"(\w+) ([-+<>]) (\w+)")
    _OPERATORS = {"+": operator.add, "-": operator.sub, "<": operator.lt, ">": operator.gt}

    def _value(self, expression: str):
        left, sign, right = self._PARTS.fullmatch(expression).groups()
        read = [int(name) if name.isdigit() else self.variables[name] for name in (left, right)]
        return self._OPERATORS[sign](*read)

    # --- at rest ----------------------------------------------------------------------------------------------------------

    def rest(self, ended: bool, stuck: set[str]) -> None:
        """The engine says it rests (or has `ended`): some marking must agree. `stuck`: elements with an incident."""
        if ended:
            resting = {marking for marking in self.markings if marking == EMPTY}
        else:
            resting = {marking for marking in self.markings if marking != EMPTY and self._rests(marking, stuck)}
        if not resting:
            raise Impossible(f"this is no rest: ended={ended}, {sorted(self.markings)[:3]}")
        self.markings = resting

    def _rests(self, marking: Marking, stuck: set[str]) -> bool:
        if any(self._triggers(marking, node) for node in self.net.nodes.values() if {*node.into, f"!{node.id}"} & set(marking[0])):
            return False
        for element, inner in marking[1]:
            if element in stuck:
                continue
            if inner is None and self.net.nodes[element].tag not in WAITS:
                return False
            if inner is not None and (inner == EMPTY or not self._rests(inner, stuck)):
                return False
        return True
