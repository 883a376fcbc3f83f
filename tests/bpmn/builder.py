"""Writes diagrams in Camunda 8's dialect from a few lines of Python, drawing included, so that a failing one can be opened in a modeller.

    diagram = Diagram("two_steps")
    diagram.add("startEvent", "start"); diagram.user("ask"); diagram.add("endEvent", "end")
    diagram.path("start", "ask", "end")
    xml = diagram.xml()

FEEL is given without its `=`; what needs a fixed text says so.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from xml.sax.saxutils import escape, quoteattr

HEAD = (
    '<?xml version="1.0" encoding="UTF-8"?>\n<bpmn:definitions xmlns:bpmn="http://www.omg.org/spec/BPMN/20100524/MODEL"'
    ' xmlns:bpmndi="http://www.omg.org/spec/BPMN/20100524/DI" xmlns:dc="http://www.omg.org/spec/DD/20100524/DC"'
    ' xmlns:di="http://www.omg.org/spec/DD/20100524/DI" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"'
    ' xmlns:zeebe="http://camunda.org/schema/zeebe/1.0" xmlns:modeler="http://camunda.org/schema/modeler/1.0"'
    ' id="definitions" targetNamespace="http://bpmn.io/schema/bpmn"'
    ' modeler:executionPlatform="Camunda Cloud" modeler:executionPlatformVersion="8.6.0">\n'
)


@dataclass
class Node:
    """One element being written. `zeebe` and `inner` are XML; `scope` is the enclosing subprocess."""

    tag: str
    id: str
    scope: str | None
    attributes: dict[str, str] = field(default_factory=dict)
    zeebe: str = ""
    inner: str = ""


@dataclass
class Arrow:
    """One flow being written."""

    id: str
    source: str
    target: str
    condition: str | None = None


class Diagram:
    """One process."""

    def __init__(self, identity: str, name: str = ""):
        self.id, self.name = identity, name
        self.nodes: dict[str, Node] = {}
        self.arrows: dict[str, Arrow] = {}
        self.scope: str | None = None  # where new nodes go
        self.extra = ""  # XML at the end of the process
        self.definitions: dict[str, str] = {}  # messages and the like by id

    # --- nodes ----------------------------------------------------------------------------------------------------------

    def add(self, tag: str, identity: str, zeebe: str = "", inner: str = "", **attributes: str) -> str:
        """Any node; answers its id."""
        self.nodes[identity] = Node(tag, identity, self.scope, attributes, zeebe, inner)
        return identity

    def user(self, identity: str, zeebe: str = "", **parts: str) -> str:
        """A user task with a form named like itself."""
        return self.add("userTask", identity, f'<zeebe:userTask/><zeebe:formDefinition formId="{identity}"/>{zeebe}', **parts)

    def script(self, identity: str, variable: str, expression: str, **parts: str) -> str:
        """A script task: `variable` becomes `expression`."""
        zeebe = f"<zeebe:script expression={quoteattr('=' + expression)} resultVariable={quoteattr(variable)}/>"
        return self.add("scriptTask", identity, zeebe, **parts)

    # --- events ---------------------------------------------------------------------------------------------------------

    def timer(self, tag: str, identity: str, kind: str, text: str, zeebe: str = "", **attributes: str) -> str:
        """An event with a timer; `kind`: Date, Duration or Cycle. `text` is fixed or begins with `=`."""
        part = f'<bpmn:time{kind} xsi:type="bpmn:tFormalExpression">{escape(text)}</bpmn:time{kind}>'
        return self.add(tag, identity, zeebe, f"<bpmn:timerEventDefinition>{part}</bpmn:timerEventDefinition>", **attributes)

    def event(
        self, tag: str, identity: str, trigger: str, name: str | None = None, key: str | None = None, zeebe: str = "", **attributes: str
    ) -> str:
        """An event with another trigger. `name`: of the message, signal or link, the code of the error or escalation (None: any), or the
        condition. `key`: the correlation key of the message."""
        inner = ""
        if trigger == "conditional":
            inner = f'<bpmn:condition xsi:type="bpmn:tFormalExpression">={escape(name)}</bpmn:condition>'
        elif trigger == "link":
            return self.add(tag, identity, zeebe, f"<bpmn:linkEventDefinition name={quoteattr(name)}/>", **attributes)
        reference = f' {trigger}Ref="{self.define(trigger, name, key)}"' if name and not inner else ""
        return self.add(
            tag, identity, zeebe, f"<bpmn:{trigger}EventDefinition{reference}>{inner}</bpmn:{trigger}EventDefinition>", **attributes
        )

    def boundary(self, identity: str, host: str, trigger: str, name: str | None = None, interrupting: bool = True, **parts: str) -> str:
        """An event on the border of `host`; for a timer `name` is its duration."""
        cancels = "true" if interrupting else "false"
        if trigger == "timer":
            return self.timer("boundaryEvent", identity, "Duration", name, attachedToRef=host, cancelActivity=cancels, **parts)
        return self.event("boundaryEvent", identity, trigger, name, attachedToRef=host, cancelActivity=cancels, **parts)

    def define(self, word: str, name: str, key: str | None = None) -> str:
        """A message, signal, error or escalation of the file; answers its id. The same name and key are the same definition."""
        identity = re.sub(r"[^\w.-]", "_", f"{word}_{name}" + (f"_by_{key}" if key else ""))
        attribute = f"{word}Code" if word in ("error", "escalation") else "name"
        named = f" name={quoteattr(name)}" if attribute != "name" else ""
        inner = (
            f"<bpmn:extensionElements><zeebe:subscription correlationKey={quoteattr('=' + key)}/></bpmn:extensionElements>" if key else ""
        )
        self.definitions[identity] = f'  <bpmn:{word} id="{identity}"{named} {attribute}={quoteattr(name)}>{inner}</bpmn:{word}>\n'
        return identity

    # --- work and scopes ------------------------------------------------------------------------------------------------

    def service(
        self, identity: str, job: str, retries: str = "", headers: Mapping[str, str] | None = None, tag: str = "serviceTask", **parts: str
    ) -> str:
        """A service task (or what `tag` says) that a program does."""
        return self.add(tag, identity, job_of(job, retries, headers) + parts.pop("zeebe", ""), **parts)

    def send(self, identity: str, message: str, key: str | None = None, **parts: str) -> str:
        """A send task by which the engine publishes `message`."""
        return self.add("sendTask", identity, messageRef=self.define("message", message, key), **parts)

    def receive(self, identity: str, message: str, key: str, **parts: str) -> str:
        """A receive task."""
        return self.add("receiveTask", identity, messageRef=self.define("message", message, key), **parts)

    def call(self, identity: str, process: str, zeebe: str = "", **attributes: str) -> str:
        """A call activity; `attributes` are those of zeebe:calledElement."""
        named = "".join(f" {name}={quoteattr(value)}" for name, value in attributes.items())
        return self.add("callActivity", identity, f"<zeebe:calledElement processId={quoteattr(process)}{named}/>{zeebe}")

    @contextmanager
    def inside(self, identity: str, **parts: str) -> Iterator[str]:
        """A subprocess; new nodes go inside."""
        self.add("subProcess", identity, **parts)
        outer, self.scope = self.scope, identity
        yield identity
        self.scope = outer

    def watcher(self, identity: str, **parts: str):
        """An event subprocess; new nodes go inside."""
        return self.inside(identity, triggeredByEvent="true", **parts)

    def many(
        self,
        identity: str,
        collection: str,
        item: str = "",
        output: tuple[str, str] | None = None,
        until: str = "",
        sequential: bool = False,
    ) -> str:
        """Make an activity run once for each item; `output`: variable and expression."""
        named = {"inputCollection": f"={collection}", "inputElement": item}
        if output:
            named |= {"outputCollection": output[0], "outputElement": f"={output[1]}"}
        zeebe = "".join(f" {name}={quoteattr(value)}" for name, value in named.items() if value)
        ending = f'<bpmn:completionCondition xsi:type="bpmn:tFormalExpression">={escape(until)}</bpmn:completionCondition>' if until else ""
        self.nodes[identity].inner += (
            f'<bpmn:multiInstanceLoopCharacteristics isSequential="{str(sequential).lower()}"><bpmn:extensionElements>'
            f"<zeebe:loopCharacteristics{zeebe}/></bpmn:extensionElements>{ending}</bpmn:multiInstanceLoopCharacteristics>"
        )
        return identity

    # --- arrows ---------------------------------------------------------------------------------------------------------

    def flow(self, source: str, target: str, condition: str | None = None, default: bool = False) -> str:
        """An arrow; `condition` is FEEL without `=`."""
        base = identity = f"{source}_to_{target}"
        count = 1
        while identity in self.arrows:
            count += 1
            identity = f"{base}_{count}"
        self.arrows[identity] = Arrow(identity, source, target, condition)
        if default:
            self.nodes[source].attributes["default"] = identity
        return identity

    def path(self, *nodes: str) -> None:
        """Arrows from each node to the next."""
        for source, target in zip(nodes, nodes[1:], strict=False):
            self.flow(source, target)

    # --- XML ------------------------------------------------------------------------------------------------------------

    def xml(self) -> bytes:
        """The file."""
        definitions = "".join(self.definitions.values())
        return f"{HEAD}{definitions}{self.process()}{self._drawing()}</bpmn:definitions>\n".encode()

    def process(self) -> str:
        """The process without the file around it."""
        opening = f'  <bpmn:process id="{self.id}" name={quoteattr(self.name or self.id)} isExecutable="true">\n'
        return f"{opening}{self._scope(None, 4)}{self.extra}  </bpmn:process>\n"

    def _scope(self, scope: str | None, indent: int) -> str:
        pad = " " * indent
        lines = [self._node(node, pad) for node in self.nodes.values() if node.scope == scope]
        for arrow in self.arrows.values():
            if self.nodes[arrow.source].scope != scope:
                continue
            ends = f'<bpmn:sequenceFlow id="{arrow.id}" sourceRef="{arrow.source}" targetRef="{arrow.target}"'
            if arrow.condition is None:
                lines.append(f"{pad}{ends}/>\n")
            else:
                condition = f'<bpmn:conditionExpression xsi:type="bpmn:tFormalExpression">={escape(arrow.condition)}'
                lines.append(f"{pad}{ends}>{condition}</bpmn:conditionExpression></bpmn:sequenceFlow>\n")
        return "".join(lines)

    def _node(self, node: Node, pad: str) -> str:
        attributes = "".join(f" {name}={quoteattr(value)}" for name, value in node.attributes.items())
        parts = [f"<bpmn:extensionElements>{node.zeebe}</bpmn:extensionElements>"] if node.zeebe else []
        parts += [f"<bpmn:incoming>{arrow.id}</bpmn:incoming>" for arrow in self.arrows.values() if arrow.target == node.id]
        parts += [f"<bpmn:outgoing>{arrow.id}</bpmn:outgoing>" for arrow in self.arrows.values() if arrow.source == node.id]
        inside = "".join(f"{pad}  {part}\n" for part in [*parts, *([node.inner] if node.inner else [])])
        if node.tag == "subProcess":
            inside += self._scope(node.id, len(pad) + 2)
        opening = f'{pad}<bpmn:{node.tag} id="{node.id}"{attributes}'
        return f"{opening}>\n{inside}{pad}</bpmn:{node.tag}>\n" if inside else f"{opening}/>\n"

    # --- drawing --------------------------------------------------------------------------------------------------------

    def _drawing(self) -> str:
        shapes, _ = self.shapes()
        plane = f'    <bpmndi:BPMNPlane id="plane" bpmnElement="{self.id}">\n{shapes}    </bpmndi:BPMNPlane>\n'
        return f'  <bpmndi:BPMNDiagram id="drawing">\n{plane}  </bpmndi:BPMNDiagram>\n'

    def shapes(self, top: int = 100) -> tuple[str, tuple[int, int]]:
        """The drawing of nodes and arrows, and the right and lower border of it."""
        boxes = self._layout(top)
        shapes = "".join(shape(name, box, ' isExpanded="true"' if self._is_scope(name) else "") for name, box in boxes.items())
        edges = "".join(edge(arrow.id, boxes[arrow.source], boxes[arrow.target]) for arrow in self.arrows.values())
        return shapes + edges, (max(x + w for x, _, w, _ in boxes.values()), max(y + h for _, y, _, h in boxes.values()))

    def _is_scope(self, name: str) -> bool:
        return self.nodes[name].tag == "subProcess"

    def _layout(self, top: int) -> dict[str, tuple[int, int, int, int]]:
        """Columns by distance from the start, rows by order; subprocesses around what they hold; borders carry their events."""
        boxes: dict[str, tuple[int, int, int, int]] = {}
        self._place(None, 160, top, boxes)
        for node in self.nodes.values():
            if node.tag == "boundaryEvent":
                x, y, _, h = boxes[node.attributes["attachedToRef"]]
                nth = sum(
                    1
                    for other in boxes
                    if other != node.id and self.nodes[other].attributes.get("attachedToRef") == node.attributes["attachedToRef"]
                )
                boxes[node.id] = (x + 10 + 40 * nth, y + h - 18, 36, 36)
        return boxes

    def _place(self, scope: str | None, left: int, top: int, boxes: dict) -> tuple[int, int]:
        columns: dict[int, int] = {}  # column → next free y
        depth = self._depths(scope)
        x, right, bottom = left, left, top
        for column in sorted(set(depth.values())):
            width = 0
            for name in [name for name, at in depth.items() if at == column]:
                y = columns.get(column, top)
                tag = self.nodes[name].tag
                if tag == "subProcess":
                    inner_right, inner_bottom = self._place(name, x + 40, y + 40, boxes)
                    w, h = inner_right - x + 20, inner_bottom - y + 20
                else:
                    w, h = (36, 36) if tag.endswith("Event") else (50, 50) if tag.endswith("Gateway") else (100, 80)
                boxes[name] = (x, y + (0 if h >= 80 else (80 - h) // 2), w, h)
                columns[column] = y + max(h, 80) + 50
                width, bottom = max(width, w), max(bottom, y + max(h, 80))
            right = max(right, x + width)
            x = x + width + 60
        for node in [node for node in self.nodes.values() if node.scope == scope and "triggeredByEvent" in node.attributes]:
            bottom += 60
            inner_right, inner_bottom = self._place(node.id, left + 40, bottom + 40, boxes)
            boxes[node.id] = (left, bottom, inner_right - left + 20, inner_bottom - bottom + 40)
            right, bottom = max(right, inner_right + 20), inner_bottom + 40
        return right, bottom

    def _depths(self, scope: str | None) -> dict[str, int]:
        members = [node for node in self.nodes.values() if node.scope == scope and node.tag != "boundaryEvent"]
        members = [node for node in members if "triggeredByEvent" not in node.attributes]
        depth = {node.id: 0 for node in members if node.tag == "startEvent"}
        pending = list(depth)
        while pending:
            name = pending.pop(0)
            hosts = {name} | {node.id for node in self.nodes.values() if node.attributes.get("attachedToRef") == name}
            for arrow in self.arrows.values():
                if arrow.source in hosts and arrow.target not in depth:
                    depth[arrow.target] = depth[name] + 1
                    pending.append(arrow.target)
        return {node.id: depth.get(node.id, 0) for node in members}


class Pools:
    """Several processes in one file, each in a pool, and pools without content."""

    def __init__(self, *diagrams: Diagram, black_boxes: Iterable[str] = ()):
        self.diagrams, self.black_boxes = diagrams, list(black_boxes)
        self.messages: list[tuple[str, str]] = []  # arrows between pools, by the ids of their ends

    def xml(self) -> bytes:
        """The file."""
        definitions = {identity: xml for diagram in self.diagrams for identity, xml in diagram.definitions.items()}
        pools = "".join(
            f'    <bpmn:participant id="pool_{d.id}" name={quoteattr(d.name or d.id)} processRef="{d.id}"/>\n' for d in self.diagrams
        )
        pools += "".join(f'    <bpmn:participant id="{name}" name={quoteattr(name)}/>\n' for name in self.black_boxes)
        pools += "".join(f'    <bpmn:messageFlow id="{a}_tells_{b}" sourceRef="{a}" targetRef="{b}"/>\n' for a, b in self.messages)
        together = f'  <bpmn:collaboration id="together">\n{pools}  </bpmn:collaboration>\n'
        processes = "".join(diagram.process() for diagram in self.diagrams)
        return f"{HEAD}{''.join(definitions.values())}{together}{processes}{self._drawing()}</bpmn:definitions>\n".encode()

    def _drawing(self) -> str:
        boxes: dict[str, tuple[int, int, int, int]] = {}
        shapes, top = "", 80
        for diagram in self.diagrams:
            inner, (right, bottom) = diagram.shapes(top + 30)
            boxes[f"pool_{diagram.id}"] = (100, top, right - 60, bottom - top + 30)
            boxes |= diagram._layout(top + 30)
            shapes += shape(f"pool_{diagram.id}", boxes[f"pool_{diagram.id}"], ' isHorizontal="true"') + inner
            top = bottom + 80
        for name in self.black_boxes:
            boxes[name] = (100, top, 600, 60)
            shapes += shape(name, boxes[name], ' isHorizontal="true"')
            top += 110
        edges = "".join(edge(f"{a}_tells_{b}", boxes[a], boxes[b], upright=True) for a, b in self.messages)
        plane = f'    <bpmndi:BPMNPlane id="plane" bpmnElement="together">\n{shapes}{edges}    </bpmndi:BPMNPlane>\n'
        return f'  <bpmndi:BPMNDiagram id="drawing">\n{plane}  </bpmndi:BPMNDiagram>\n'


def job_of(job: str, retries: str = "", headers: Mapping[str, str] | None = None) -> str:
    """Extension elements of what a program does."""
    many = f" retries={quoteattr(retries)}" if retries else ""
    entries = "".join(f"<zeebe:header key={quoteattr(key)} value={quoteattr(value)}/>" for key, value in (headers or {}).items())
    told = f"<zeebe:taskHeaders>{entries}</zeebe:taskHeaders>" if entries else ""
    return f"<zeebe:taskDefinition type={quoteattr(job)}{many}/>{told}"


def shape(name: str, box: tuple[int, int, int, int], attributes: str = "") -> str:
    """A drawn node."""
    x, y, w, h = box
    bounds = f'<dc:Bounds x="{x}" y="{y}" width="{w}" height="{h}"/>'
    return f'      <bpmndi:BPMNShape id="{name}_di" bpmnElement="{name}"{attributes}>{bounds}</bpmndi:BPMNShape>\n'


def edge(name: str, source: tuple[int, int, int, int], target: tuple[int, int, int, int], upright: bool = False) -> str:
    """A drawn arrow with right angles: from the right side to the left, or (`upright`) from below to above."""
    (ax, ay, aw, ah), (bx, by, bw, bh) = source, target
    if upright:
        middle = (ay + ah + by) // 2
        ends = [(ax + aw // 2, ay + ah), (ax + aw // 2, middle), (bx + bw // 2, middle), (bx + bw // 2, by)]
    elif bx > ax + aw:
        middle = bx - 30
        ends = [(ax + aw, ay + ah // 2), (middle, ay + ah // 2), (middle, by + bh // 2), (bx, by + bh // 2)]
    else:  # back: below both
        below = max(ay + ah, by + bh) + 30
        ends = [(ax + aw // 2, ay + ah), (ax + aw // 2, below), (bx + bw // 2, below), (bx + bw // 2, by + bh)]
    points = "".join(f'<di:waypoint x="{x}" y="{y}"/>' for x, y in dict.fromkeys(ends))
    return f'      <bpmndi:BPMNEdge id="{name}_di" bpmnElement="{name}">{points}</bpmndi:BPMNEdge>\n'
