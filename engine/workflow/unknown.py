"""Names that expressions read although nothing in sight writes them: most often a slip of the pen."""

from collections.abc import Iterable, Iterator

from engine.findings import Finding
from engine.workflow.formula import HOST_NAMES, Formula
from engine.workflow.model import Element, Process
from engine.workflow.report import Report


def unknown_names(process: Process, known: Iterable[str]) -> list[Finding]:
    """A warning for every variable that is read but neither written by the diagram nor `known` (the keys of its forms)."""
    report = Report()
    written = {name for element in process.elements.values() for name in writes(element)}
    seen = HOST_NAMES | {"loopCounter"} | written | frozenset(known)
    for where, formula in formulas(process):
        for name in sorted(formula.reads - seen):
            report.add("unknown_name", where, name=name)
    return report.findings


def writes(element: Element) -> Iterator[str]:
    """Variables an element makes itself (a user task also makes those of its form)."""
    if element.result_variable:
        yield element.result_variable
    yield from (mapping.target[0] for mapping in (*element.inputs, *element.outputs))


def formulas(process: Process) -> Iterator[tuple[str, Formula]]:
    """Every expression with the element or flow it belongs to."""
    for element in process.elements.values():
        assigned = element.assignment
        parts = [element.script, element.decision_id, element.due, element.follow_up, element.priority]
        parts += [assigned.assignee, assigned.candidate_groups, assigned.candidate_users]
        parts += [mapping.source for mapping in (*element.inputs, *element.outputs)]
        parts += [element.timer and element.timer.formula, element.loop and element.loop.condition]
        yield from ((element.id, part) for part in parts if part)
    yield from ((flow.id, flow.condition) for flow in process.flows.values() if flow.condition)
