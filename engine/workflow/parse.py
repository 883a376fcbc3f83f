"""XML → `Process`. Reads everything it can even when something is wrong, so that an author sees all faults at once."""

import re
from types import MappingProxyType

from lxml import etree

from engine.exceptions import DeployRefused
from engine.findings import Finding, errors
from engine.workflow import shape
from engine.workflow.admit import admit, place, split
from engine.workflow.dialect import NAMESPACES, Dialect
from engine.workflow.formula import Formula
from engine.workflow.model import TIMED, Element, Flow, Kind, Lane, Process
from engine.workflow.report import Report, read_xml
from engine.workflow.vocabulary import BPMN, NODES

MAX_ELEMENTS = 10_000  # nodes and flows
MAX_ID = 100
SIDES = ("incoming", "outgoing")
_ID = re.compile(r"[^\W\d][\w.-]*")  # an XML name without a colon


def compile_process(xml: bytes) -> Process:
    """The procedure in a BPMN file. Raises DeployRefused with every fault."""
    process, report = _read(xml)
    if process is None or report.refused:
        raise DeployRefused(errors(report.findings))
    return process


def examine(xml: bytes) -> list[Finding]:
    """Every fault and remark about a BPMN file; whatever the bytes are, it only answers."""
    return _read(xml)[1].findings


def _read(xml: bytes) -> tuple[Process | None, Report]:
    report = Report()
    root = read_xml(xml, report)
    if root is None or not admit(root, report):
        return None, report
    return Reader(root, report).process(), report


def local(node: etree._Element) -> str:
    """The name of a node without its namespace."""
    return split(node.tag)[1]


class Reader:
    """Reads one file."""

    def __init__(self, root: etree._Element, report: Report):
        self.root, self.report = root, report
        self.dialect = Dialect(root, report)
        self.drafts: dict[str, dict] = {}  # fields of Element by id
        self.flows: dict[str, Flow] = {}
        self.flow_scopes: dict[str, str | None] = {}
        self.lanes: dict[str, Lane] = {}
        self.ids: set[str] = set()

    def process(self) -> Process | None:
        """The only process of the file; None, with findings, if it has none or a fault keeps it from being put together."""
        node = self._only_process()
        if node is None:
            return None
        self._check_ids()
        self._read_scopes(node)
        if len(self.drafts) + len(self.flows) > MAX_ELEMENTS:
            self.report.add("too_many_elements", place(node), limit=MAX_ELEMENTS)
            return None
        if not shape.connect(self.drafts, self.flows, self.flow_scopes, self.report):
            return None
        self._inherit_lanes()
        elements = {identity: Element(**fields) for identity, fields in self.drafts.items()}
        starts = [e for e in elements.values() if e.kind.is_start and e.parent is None]
        tag = self.dialect.extension(node, "versionTag")
        process = Process(
            id=node.get("id"),
            name=node.get("name") or node.get("id"),
            documentation=_documentation(node),
            properties=self.dialect.properties(node),
            version_tag=None if tag is None else tag.get("value"),
            elements=MappingProxyType(elements),
            flows=MappingProxyType(self.flows),
            lanes=tuple(self.lanes.values()),
            start_events=tuple(e.id for e in sorted(starts, key=lambda e: e.kind is not Kind.START)),
        )
        shape.check(process, self.report)
        return process

    # --- the file -------------------------------------------------------------------------------------------------------

    def _only_process(self) -> etree._Element | None:
        found = self.root.findall("b:process", NAMESPACES)
        for node in found:
            if node.get("isExecutable") != "true":
                self.report.add("not_executable", node.get("id"))
        if len(found) != 1:
            self.report.add("not_one_process", found[1].get("id") if found else None, count=len(found))
            return None
        if not found[0].get("id"):
            self.report.add("missing_id", what=found[0].get("name") or "process")
            return None
        self._check_pools(found[0])
        for kind in ("message", "signal", "error", "escalation", "itemDefinition"):
            for node in self.root.findall(f"b:{kind}", NAMESPACES):
                self.report.add("unused_definition", node.get("id"), what=node.get("name") or node.get("id"))
        return found[0]

    def _check_pools(self, process: etree._Element) -> None:
        for pool in self.root.iterfind("b:collaboration/b:participant", NAMESPACES):
            target = pool.get("processRef")
            if target is not None and target.rpartition(":")[2] != process.get("id"):
                self.report.add("dangling_reference", place(pool), name=target)

    def _check_ids(self) -> None:
        for node in self.root.iter(f"{{{BPMN}}}*"):
            identity = node.get("id")
            if identity is None:
                continue
            if identity in self.ids:
                self.report.add("duplicate_id", identity, id=identity)
            self.ids.add(identity)
            if len(identity) > MAX_ID or not _ID.fullmatch(identity):
                self.report.add("bad_id", identity[:MAX_ID], limit=MAX_ID)
        for node in self.root.iter(f"{{{BPMN}}}association", f"{{{BPMN}}}group"):
            for attribute in ("sourceRef", "targetRef", "categoryValueRef"):
                target = node.get(attribute, "").rpartition(":")[2]
                if target and target not in self.ids:
                    self.report.add("dangling_reference", place(node), name=target)

    # --- scopes ---------------------------------------------------------------------------------------------------------

    def _read_scopes(self, process: etree._Element) -> None:
        pending: list[tuple[etree._Element, str | None]] = [(process, None)]
        lane_sets = []
        while pending:
            scope, parent = pending.pop(0)
            for node in scope.iterchildren(f"{{{BPMN}}}*"):
                word = local(node)
                if word == "sequenceFlow":
                    self._flow(node, parent)
                elif word == "laneSet":
                    lane_sets.append(node)
                elif word in NODES and self._node(node, parent) and word == "subProcess":
                    pending.append((node, node.get("id")))
        self._read_lanes(lane_sets)

    def _node(self, node: etree._Element, parent: str | None) -> bool:
        identity, word = node.get("id"), NODES[local(node)]
        if not identity:
            self.report.add("missing_id", place(node), what=node.get("name") or local(node))
            return False
        if identity in self.drafts:
            return False
        kind = self._event_kind(node, word.kind)
        fields = self.dialect.fields(node, kind)
        fields |= {"id": identity, "kind": kind, "name": node.get("name", ""), "documentation": _documentation(node), "parent": parent}
        if kind in TIMED:
            fields["timer"] = self.dialect.timer(node, node.find("b:timerEventDefinition", NAMESPACES))
        if kind is Kind.TIMER_BOUNDARY:
            fields |= {"attached_to": node.get("attachedToRef"), "interrupting": node.get("cancelActivity") != "false"}
        # How the node itself tells its arrows, to be compared with what the arrows tell.
        fields["_drawn"] = {side: [_reference(part) for part in node.iterfind(f"b:{side}", NAMESPACES)] for side in SIDES}
        fields["_default"] = node.get("default")
        self.drafts[identity] = fields
        return True

    def _event_kind(self, node: etree._Element, kind: Kind) -> Kind:
        definitions = [child for child in node if local(child).endswith("EventDefinition") or local(child) == "eventDefinitionRef"]
        if len(definitions) > 1:
            self.report.add("several_events", place(node))
        words = {local(child) for child in definitions}
        if kind is Kind.START and "timerEventDefinition" in words:
            return Kind.TIMER_START
        if kind is Kind.END and "terminateEventDefinition" in words:
            return Kind.TERMINATE_END
        if kind in (Kind.TIMER_CATCH, Kind.TIMER_BOUNDARY) and "timerEventDefinition" not in words:
            if not words:
                self.report.add("no_event", place(node))
            return Kind.TASK  # a placeholder that never runs: the file is refused
        return kind

    def _flow(self, node: etree._Element, scope: str | None) -> None:
        identity = node.get("id")
        if not identity:
            self.report.add("missing_id", place(node), what=node.get("name") or local(node))
            return
        condition = node.find("b:conditionExpression", NAMESPACES)
        formula = None
        if condition is not None:
            # A wrong one keeps its text: it is a condition all the same.
            formula = self.dialect.formula(node, condition.text, "condition", needs_feel=True) or Formula(condition.text or "")
            if not (condition.text or "").strip():
                self.report.add("empty_condition", identity)
        ends = node.get("sourceRef", ""), node.get("targetRef", "")
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
                    target = _reference(reference)
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


def _reference(node: etree._Element) -> str:
    """An id in the text of a node, perhaps with a prefix."""
    return (node.text or "").strip().rpartition(":")[2]


def _documentation(node: etree._Element) -> str:
    return "\n".join((part.text or "").strip() for part in node.iterfind("b:documentation", NAMESPACES))
