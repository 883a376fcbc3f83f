"""XML → `Process`. Reads everything it can even when something is wrong, so that an author sees all faults at once."""

import re

from lxml import etree

from engine.exceptions import DeployRefused
from engine.findings import Finding, errors
from engine.workflow.admit import admit, bare, place, split
from engine.workflow.dialect import NAMESPACES, Dialect
from engine.workflow.model import Process
from engine.workflow.reading import Reader
from engine.workflow.report import Report, read_xml
from engine.workflow.triggers import Triggers
from engine.workflow.vocabulary import BPMN, DEFINITIONS, REFERENCES

MAX_ELEMENTS = 10_000  # nodes and flows of a file
MAX_ID = 100
_ID = re.compile(r"[^\W\d][\w.-]*")  # an XML name without a colon
_USES = frozenset({*DEFINITIONS.values(), "itemRef", "structureRef", "itemSubjectRef", "dataStoreRef"})


def compile_processes(xml: bytes) -> list[Process]:
    """The procedures in a BPMN file, in its order, one for each pool that is drawn inside. Raises DeployRefused with every fault."""
    processes, report = _read(xml)
    if report.refused:
        raise DeployRefused(errors(report.findings))
    return processes


def compile_process(xml: bytes) -> Process:
    """The only procedure in a BPMN file. Raises DeployRefused with every fault, also when there are several."""
    processes = compile_processes(xml)
    if len(processes) != 1:
        report = Report()
        report.add("not_one_process", processes[1].id, count=len(processes))
        raise DeployRefused(report.findings)
    return processes[0]


def examine(xml: bytes) -> list[Finding]:
    """Every fault and remark about a BPMN file; whatever the bytes are, it only answers."""
    return _read(xml)[1].findings


def _read(xml: bytes) -> tuple[list[Process], Report]:
    report = Report()
    root = read_xml(xml, report)
    if root is None or not admit(root, report):
        return [], report
    return _File(root, report).processes(), report


class _File:
    """One file: its processes, and what they share."""

    def __init__(self, root: etree._Element, report: Report):
        self.root, self.report = root, report
        self.ids: set[str] = set()

    def processes(self) -> list[Process]:
        """Those that could be put together; the others have left findings."""
        nodes = self.root.findall("b:process", NAMESPACES)
        if not nodes:
            self.report.add("no_process")
        for node in nodes:
            if node.get("isExecutable") not in ("true", "1"):
                self.report.add("not_executable", node.get("id"))
            if not node.get("id"):
                self.report.add("missing_id", what=node.get("name") or "process")
        self._check_ids()
        self._check_references()
        self._check_pools(nodes)
        dialect = Dialect(self.root, self.report)
        triggers = Triggers(self.root, dialect, self.report)
        readers = [Reader(node, dialect, triggers, self.report) for node in nodes if node.get("id")]
        for reader in readers:
            reader.read()
        if sum(reader.size for reader in readers) > MAX_ELEMENTS:
            self.report.add("too_many_elements", readers[0].id, limit=MAX_ELEMENTS)
            return []
        return [process for reader in readers if (process := reader.process())]

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

    # --- what is only drawn ---------------------------------------------------------------------------------------------

    def _check_references(self) -> None:
        """Associations, groups and data must refer to something; definitions should be referred to."""
        used = set()
        for node in self.root.iter(f"{{{BPMN}}}*"):
            word = split(node.tag)[1]
            used.update(bare(node.get(attribute, "")) for attribute in _USES)
            targets = [node.get(attribute, "") for attribute in REFERENCES] if word != "sequenceFlow" else []
            if word in REFERENCES:
                targets.append(node.text or "")
            if word in ("signal", "error", "escalation"):
                targets.append(node.get("structureRef", ""))
            for target in filter(None, map(bare, targets)):
                if target not in self.ids:
                    self.report.add("dangling_reference", place(node), name=target)
        for word in (*DEFINITIONS, "itemDefinition", "dataStore"):
            for node in self.root.iterchildren(f"{{{BPMN}}}{word}"):
                if node.get("id") not in used:
                    self.report.add("unused_definition", node.get("id"), what=node.get("name") or node.get("id"))

    def _check_pools(self, nodes: list[etree._Element]) -> None:
        """A pool shows one process of the file or is a black box; messages go from one pool to another."""
        processes = {node.get("id") for node in nodes}
        shown: dict[str, str | None] = {}
        for pool in self.root.iterfind("b:collaboration/b:participant", NAMESPACES):
            target = bare(pool.get("processRef", ""))
            if target and target not in processes:
                self.report.add("dangling_reference", place(pool), name=target)
            elif target in shown.values():
                self.report.add("pool_twice", place(pool), name=target)
            shown[pool.get("id")] = target or pool.get("id")
        for flow in self.root.iterfind("b:collaboration/b:messageFlow", NAMESPACES):
            ends = [bare(flow.get(side, "")) for side in ("sourceRef", "targetRef")]
            if "" in ends:
                self.report.add("dangling_reference", place(flow), name="")
            pools = [shown.get(end) or self._process_of(end) for end in ends]
            if pools[0] == pools[1] is not None:
                self.report.add("message_flow_inside", place(flow))

    def _process_of(self, identity: str) -> str | None:
        """The process that holds an element, by their ids."""
        for node in self.root.iterfind("b:process", NAMESPACES):
            if any(inner.get("id") == identity for inner in node.iter(f"{{{BPMN}}}*")):
                return node.get("id")
        return None
