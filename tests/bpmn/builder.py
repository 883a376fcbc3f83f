"""Writes diagrams in Camunda 8's dialect from a few lines of Python, drawing included, so that a failing one can be opened in a modeller.

    diagram = Diagram("two_steps")
    diagram.add("startEvent", "start"); diagram.user("ask"); diagram.add("endEvent", "end")
    diagram.path("start", "ask", "end")
    xml = diagram.xml()
"""

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

    def timer(self, tag: str, identity: str, kind: str, text: str, zeebe: str = "", **attributes: str) -> str:
        """An event with a timer; `kind`: Date, Duration or Cycle."""
        part = f'<bpmn:time{kind} xsi:type="bpmn:tFormalExpression">{escape(text)}</bpmn:time{kind}>'
        return self.add(tag, identity, zeebe, f"<bpmn:timerEventDefinition>{part}</bpmn:timerEventDefinition>", **attributes)

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
        process = f'  <bpmn:process id="{self.id}" name={quoteattr(self.name or self.id)} isExecutable="true">\n'
        body = self._scope(None, 4) + self.extra
        return f"{HEAD}{process}{body}  </bpmn:process>\n{self._drawing()}</bpmn:definitions>\n".encode()

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
        boxes = self._layout()
        shapes = "".join(
            f'      <bpmndi:BPMNShape id="{name}_di" bpmnElement="{name}"{" isExpanded=" + chr(34) + "true" + chr(34) if self._is_scope(name) else ""}>'
            f'<dc:Bounds x="{x}" y="{y}" width="{w}" height="{h}"/></bpmndi:BPMNShape>\n'
            for name, (x, y, w, h) in boxes.items()
        )
        edges = ""
        for arrow in self.arrows.values():
            (ax, ay, aw, ah), (bx, by, _, bh) = boxes[arrow.source], boxes[arrow.target]
            points = f'<di:waypoint x="{ax + aw}" y="{ay + ah // 2}"/><di:waypoint x="{bx}" y="{by + bh // 2}"/>'
            edges += f'      <bpmndi:BPMNEdge id="{arrow.id}_di" bpmnElement="{arrow.id}">{points}</bpmndi:BPMNEdge>\n'
        plane = f'    <bpmndi:BPMNPlane id="plane" bpmnElement="{self.id}">\n{shapes}{edges}    </bpmndi:BPMNPlane>\n'
        return f'  <bpmndi:BPMNDiagram id="drawing">\n{plane}  </bpmndi:BPMNDiagram>\n'

    def _is_scope(self, name: str) -> bool:
        return self.nodes[name].tag == "subProcess"

    def _layout(self) -> dict[str, tuple[int, int, int, int]]:
        """Columns by distance from the start, rows by order; subprocesses around what they hold; borders carry their events."""
        boxes: dict[str, tuple[int, int, int, int]] = {}
        self._place(None, 160, 100, boxes)
        for node in self.nodes.values():
            if node.tag == "boundaryEvent":
                x, y, _, h = boxes[node.attributes["attachedToRef"]]
                nth = sum(1 for other in boxes if other != node.id and self.nodes[other].attributes.get("attachedToRef") == node.attributes["attachedToRef"])
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
            right = x + width
            x = right + 60
        return right, bottom

    def _depths(self, scope: str | None) -> dict[str, int]:
        members = [node for node in self.nodes.values() if node.scope == scope and node.tag != "boundaryEvent"]
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
