"""Reads one process of a file into drafts of elements and flows, and puts them together."""

from types import MappingProxyType

from lxml import etree

from engine.workflow import shape
from engine.workflow.admit import bare, place, split
from engine.workflow.dialect import NAMESPACES, Dialect
from engine.workflow.formula import Formula
from engine.workflow.model import Element, Flow, Kind, Lane, Process
from engine.workflow.report import Report
from engine.workflow.triggers import Triggers
from engine.workflow.vocabulary import BPMN, NODES

SIDES = ("incoming", "outgoing")


class Reader:
    """Reads one process: `read` first, then `process`."""

    def __init__(self, node: etree._Element, dialect: Dialect, triggers: Triggers, report: Report):
        """`dialect` and `triggers` are those of the file."""
        self.node, self.dialect, self.triggers, self.report = node, dialect, triggers, report
        self.ids = {inner.get("id") for inner in node.iter(f"{{{BPMN}}}*")}
        self.id: str = node.get("id")
        self.drafts: dict[str, dict] = {}  # fields of Element by id
        self.flows: dict[str, Flow] = {}
        self.flow_scopes: dict[str, str | None] = {}
        self.lanes: dict[str, Lane] = {}

    @property
    def size(self) -> int:
        """Nodes and flows."""
        return len(self.drafts) + len(self.flows)

    def process(self) -> Process | None:
        """What was read, checked as a graph; None, with findings, if a reference leads nowhere."""
        if not shape.connect(self.drafts, self.flows, self.flow_scopes, self.report):
            return None
        self._inherit_lanes()
        elements = {identity: Element(**fields) for identity, fields in self.drafts.items()}
        outermost = [element for element in elements.values() if element.parent is None]
        starts = [element for element in outermost if element.kind is Kind.START]
        tag = self.dialect.extension(self.node, "versionTag")
        process = Process(
            id=self.id,
            name=self.node.get("name") or self.id,
            documentation=_documentation(self.node),
            properties=self.dialect.properties(self.node),
            version_tag=None if tag is None else tag.get("value"),
            elements=MappingProxyType(elements),
            flows=MappingProxyType(self.flows),
            lanes=tuple(self.lanes.values()),
            start_events=tuple(e.id for e in sorted(starts, key=lambda e: e.event is not None)),
            watchers=tuple(e.id for e in outermost if e.kind is Kind.EVENT_SUBPROCESS),
        )
        shape.check(process, self.report)
        return process

    # --- scopes ---------------------------------------------------------------------------------------------------------

    def read(self) -> None:
        """Every node, flow and lane, the outer scopes before the inner ones."""
        pending: list[tuple[etree._Element, str | None]] = [(self.node, None)]
        lane_sets = []
        while pending:
            scope, parent = pending.pop(0)
            for node in scope.iterchildren(f"{{{BPMN}}}*"):
                word = _word(node)
                if word == "sequenceFlow":
                    self._flow(node, parent)
                elif word == "laneSet":
                    lane_sets.append(node)
                elif word in NODES and self._node(node, parent) and word == "subProcess":
                    pending.append((node, node.get("id")))
        self._read_lanes(lane_sets)

    def _node(self, node: etree._Element, parent: str | None) -> bool:
        identity, kind = node.get("id"), NODES[_word(node)].kind
        if not identity:
            self.report.add("missing_id", place(node), what=node.get("name") or _word(node))
            return False
        if identity in self.drafts:
            return False
        if kind is Kind.SUBPROCESS and node.get("triggeredByEvent") == "true":
            kind = Kind.EVENT_SUBPROCESS
        fields = self.dialect.fields(node, kind) | self.triggers.fields(node, kind, kind is Kind.START and parent is None)
        fields |= {"id": identity, "kind": kind, "name": node.get("name", ""), "documentation": _documentation(node), "parent": parent}
        if kind is Kind.BOUNDARY:
            fields |= {"attached_to": bare(node.get("attachedToRef")), "interrupting": node.get("cancelActivity") != "false"}
        elif kind is Kind.START:
            fields["interrupting"] = node.get("isInterrupting") != "false"
        # How the node itself tells its arrows, to be compared with what the arrows tell.
        fields["_drawn"] = {side: [bare(part.text) for part in node.iterfind(f"b:{side}", NAMESPACES)] for side in SIDES}
        fields["_default"] = bare(node.get("default")) or None
        self.drafts[identity] = fields
        return True

    def _flow(self, node: etree._Element, scope: str | None) -> None:
        identity = node.get("id")
        if not identity:
            self.report.add("missing_id", place(node), what=node.get("name") or _word(node))
            return
        condition = node.find("b:conditionExpression", NAMESPACES)
        formula = None
        if condition is not None:
            # A wrong one keeps its text: it is a condition all the same.
            formula = self.dialect.formula(node, condition.text, "condition", needs_feel=True) or Formula(condition.text or "")
            if not (condition.text or "").strip():
                self.report.add("empty_condition", identity)
        ends = bare(node.get("sourceRef")), bare(node.get("targetRef"))
        properties = self.dialect.properties(node)
        self.flows.setdefault(identity, Flow(identity, *ends, node.get("name", ""), formula, properties=properties))
        self.flow_scopes.setdefault(identity, scope)

    # --- lanes ----------------------------------------------------------------------------------------------------------

    def _read_lanes(self, pending: list[etree._Element]) -> None:
        while pending:  # outer lanes before inner ones, so that the innermost stays
            for node in pending.pop(0).iterfind("b:lane", NAMESPACES):
                lane = Lane(node.get("id", ""), node.get("name", ""), self.dialect.properties(node))
                self.lanes[lane.id] = lane
                for reference in node.iterfind("b:flowNodeRef", NAMESPACES):
                    target = bare(reference.text)
                    if target in self.drafts:
                        self.drafts[target]["lane"] = lane
                    elif target not in self.ids:
                        self.report.add("dangling_reference", lane.id, name=target)
                pending.extend(node.iterfind("b:childLaneSet", NAMESPACES))

    def _inherit_lanes(self) -> None:
        """What is inside a subprocess is in its lane. Drafts are in the order outer before inner."""
        for fields in self.drafts.values():
            if fields.get("lane") is None and fields["parent"]:
                fields["lane"] = self.drafts[fields["parent"]].get("lane")


def _word(node: etree._Element) -> str:
    """The name of a node without its namespace."""
    return split(node.tag)[1]


def _documentation(node: etree._Element) -> str:
    return "\n".join((part.text or "").strip() for part in node.iterfind("b:documentation", NAMESPACES))
