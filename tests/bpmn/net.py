"""A diagram as the oracle reads it: from the XML itself, with nothing of the engine."""

import operator
import re
from dataclasses import dataclass, field
from xml.etree import ElementTree

B = "{http://www.omg.org/spec/BPMN/20100524/MODEL}"
Z = "{http://camunda.org/schema/zeebe/1.0}"
DEFINITIONS = {"message": "name", "signal": "name", "error": "errorCode", "escalation": "escalationCode"}


@dataclass
class Many:
    """Of an activity that is done more than once: for the items of a collection, or as long as a condition holds."""

    collection: str | None = None
    output: tuple[str, str] | None = None
    item: str | None = None
    until: str | None = None
    sequential: bool = True
    again: str | None = None
    at_most: int | None = None
    asks_first: bool = False


@dataclass
class Node:
    """An element: `into` and `out` are flows in the order of the file, `border` the events on it, `watchers` the event subprocesses in it."""

    id: str
    tag: str
    scope: str | None
    default: str | None = None
    interrupts: bool = True
    script: tuple[str, str] | None = None
    trigger: str | None = None
    name: str | None = None  # of the message, signal or link; the code; the condition
    firings: int = 1  # of a timer that does not interrupt
    attached: str | None = None
    is_watcher: bool = False
    many: Many | None = None
    link: str | None = None
    into: list[str] = field(default_factory=list)
    out: list[str] = field(default_factory=list)
    border: list[str] = field(default_factory=list)
    watchers: list[str] = field(default_factory=list)
    start: str | None = None

    @property
    def throws(self) -> bool:
        """Whether it says something to others before it is left."""
        sends = self.tag in ("intermediateThrowEvent", "endEvent", "sendTask")
        return sends and self.trigger in ("message", "signal", "escalation")

    @property
    def catches(self) -> bool:
        """Whether it stops a token until something happens."""
        return self.tag in ("intermediateCatchEvent", "receiveTask") and self.trigger != "link"


class Net:
    """The whole diagram. Node "" is the process."""

    def __init__(self, xml: bytes):
        root = ElementTree.fromstring(xml)
        self.names = {node.get("id"): node.get(DEFINITIONS[word]) for word in DEFINITIONS for node in root.iter(f"{B}{word}")}
        self.nodes: dict[str, Node] = {"": Node("", "process", None)}
        self.source: dict[str, str] = {}
        self.target: dict[str, str] = {}
        self.condition: dict[str, str] = {}
        self._read(root.find(f"{B}process"), "")
        for flow, node in self.source.items():
            self.nodes[node].out.append(flow)
        for flow, node in self.target.items():
            self.nodes[node].into.append(flow)
        for node in list(self.nodes.values()):
            self._tie(node)

    def _read(self, scope, parent: str) -> None:
        for entry in scope:
            tag, identity = entry.tag.removeprefix(B), entry.get("id")
            if tag == "sequenceFlow":
                self.source[identity], self.target[identity] = entry.get("sourceRef"), entry.get("targetRef")
                if (condition := entry.find(f"{B}conditionExpression")) is not None:
                    self.condition[identity] = condition.text.removeprefix("=")
            elif tag.endswith(("Task", "task", "Gateway", "Event", "subProcess")):
                made = Node(identity, tag, parent, entry.get("default"))
                made.interrupts = "false" not in (entry.get("cancelActivity"), entry.get("isInterrupting"))
                made.attached, made.is_watcher = entry.get("attachedToRef"), entry.get("triggeredByEvent") == "true"
                self._read_event(entry, made)
                self._read_work(entry, made)
                self.nodes[identity] = made
                if tag == "subProcess":
                    self._read(entry, identity)

    def _read_event(self, entry, made: Node) -> None:
        for part in entry:
            tag = part.tag.removeprefix(B)
            if tag.endswith("EventDefinition"):
                made.trigger = tag.removesuffix("EventDefinition")
                made.name = self.names.get(part.get(f"{made.trigger}Ref")) or part.get("name")
                if made.trigger == "conditional":
                    made.name = part.find(f"{B}condition").text.removeprefix("=")
                if (cycle := part.find(f"{B}timeCycle")) is not None and not made.interrupts:
                    made.firings = int(re.match(r"R(\d+)", cycle.text)[1])
        if entry.get("messageRef"):
            made.trigger, made.name = "message", self.names[entry.get("messageRef")]

    def _read_work(self, entry, made: Node) -> None:
        if made.tag == "scriptTask":
            script = entry.find(f"{B}extensionElements/{Z}script")
            made.script = (script.get("resultVariable"), script.get("expression").removeprefix("="))
        if (many := entry.find(f"{B}multiInstanceLoopCharacteristics")) is not None:
            box = many.find(f"{B}extensionElements/{Z}loopCharacteristics")
            made.many = Many(box.get("inputCollection").removeprefix("="), None, box.get("inputElement"))
            if box.get("outputCollection"):
                made.many.output = (box.get("outputCollection"), box.get("outputElement").removeprefix("="))
            made.many.until = many.findtext(f"{B}completionCondition", "").removeprefix("=") or None
            made.many.sequential = many.get("isSequential") == "true"
        if (loop := entry.find(f"{B}standardLoopCharacteristics")) is not None:
            again = loop.findtext(f"{B}loopCondition", "").removeprefix("=") or None
            most = loop.get("loopMaximum")
            made.many = Many(again=again, at_most=most and int(most), asks_first=loop.get("testBefore") == "true")

    def _tie(self, node: Node) -> None:
        if node.attached:
            self.nodes[node.attached].border.append(node.id)
        if node.is_watcher:
            self.nodes[node.scope].watchers.append(node.id)
        if node.tag == "startEvent":
            self.nodes[node.scope].start = node.id
        if node.tag == "intermediateThrowEvent" and node.trigger == "link":
            catching = [n.id for n in self.nodes.values() if (n.tag, n.trigger) == ("intermediateCatchEvent", "link")]
            [node.link] = [name for name in catching if (self.nodes[name].name, self.nodes[name].scope) == (node.name, node.scope)]

    def out_of(self, element: str) -> list[str]:
        """Flows by which a token in `element` may go on, also from its border or at the other end of a link."""
        node = self.nodes[element]
        found = list(node.out)
        for name in (*node.border, *([node.link] if node.link else [])):
            found += self.nodes[name].out
        return found

    def race(self, event: str) -> str | None:
        """The event-based gateway that leads to an event."""
        sources = [self.source[flow] for flow in self.nodes[event].into]
        return next((source for source in sources if self.nodes[source].tag == "eventBasedGateway"), None)


_LIST = re.compile(r"\[(.*)\]")
_PAIR = re.compile(r"(\w+) ([-+<>]) (\w+)")
_OPERATORS = {"+": operator.add, "-": operator.sub, "<": operator.lt, ">": operator.gt}


def value(expression: str, variables: dict):
    """The few expressions of the random diagrams: an atom, two with a sign between, a list of atoms."""
    if found := _LIST.fullmatch(expression):
        return tuple(_atom(part.strip(), variables) for part in found[1].split(",") if part.strip())
    if found := _PAIR.fullmatch(expression):
        left, sign, right = found.groups()
        return _OPERATORS[sign](_atom(left, variables), _atom(right, variables))
    return _atom(expression, variables)


def _atom(text: str, variables: dict):
    if text in ("null", "true", "false"):
        return {"null": None, "true": True, "false": False}[text]
    return int(text) if text.isdigit() else variables[text]
