"""Names that expressions read although nothing in sight writes them: most often a slip of the pen."""

from collections.abc import Iterable, Iterator

from engine.findings import Finding
from engine.workflow.formula import HOST_NAMES, Formula
from engine.workflow.model import Element, EventRule, Kind, Process, Trigger
from engine.workflow.report import Report

# What loops and many instances lend to their expressions.
ROUNDS = {"loopCounter", *(f"numberOf{which}Instances" for which in ("", "Active", "Completed", "Terminated"))}
_BRINGS = frozenset({Trigger.MESSAGE, Trigger.SIGNAL, Trigger.ERROR, Trigger.ESCALATION})


def unknown_names(process: Process, known: Iterable[str]) -> list[Finding]:
    """A warning for every variable that is read but neither written by the diagram nor `known` (the keys of its forms).

    What messages, programs and called procedures bring is not known: where it may reach, nothing is said.
    """
    report = Report()
    elements = process.elements.values()
    if any(brings(element) and not element.outputs for element in elements):
        return report.findings
    written = {name for element in elements for name in writes(element)}
    seen = HOST_NAMES | ROUNDS | written | frozenset(known)
    for where, formula in formulas(process):
        if where in process.elements and brings(process.elements[where]):
            continue
        for name in sorted(formula.reads - seen):
            report.add("unknown_name", where, name=name)
    return report.findings


def brings(element: Element) -> bool:
    """Whether variables of any name may come in here from elsewhere; with output mappings only those get any further."""
    if element.job or (element.call and element.call.takes_all) or element.kind is Kind.RECEIVE_TASK:
        return True
    return element.trigger in _BRINGS and element.kind in (Kind.START, Kind.CATCH, Kind.BOUNDARY)


def writes(element: Element) -> Iterator[str]:
    """Variables an element makes itself (a user task also makes those of its form)."""
    if element.result_variable:
        yield element.result_variable
    yield from (mapping.target[0] for mapping in (*element.inputs, *element.outputs))
    if element.multi and element.multi.item:
        yield element.multi.item
    if element.multi and element.multi.output:
        yield element.multi.output[0]


def formulas(process: Process) -> Iterator[tuple[str, Formula]]:
    """Every expression with the element or flow it belongs to."""
    for element in process.elements.values():
        assigned, many = element.assignment, element.multi
        parts = [element.script, element.decision_id, element.due, element.follow_up, element.priority]
        parts += [assigned.assignee, assigned.candidate_groups, assigned.candidate_users]
        parts += [mapping.source for mapping in (*element.inputs, *element.outputs)]
        parts += [element.loop and element.loop.condition, element.call and element.call.process_id]
        parts += [element.job.type, element.job.retries] if element.job else []
        parts += [many.collection, many.output and many.output[1], many.until] if many else []
        parts += _of_event(element.event) if element.event else []
        yield from ((element.id, part) for part in parts if part)
    yield from ((flow.id, flow.condition) for flow in process.flows.values() if flow.condition)


def _of_event(event: EventRule) -> list[Formula | None]:
    return [event.timer and event.timer.formula, event.name, event.key, event.lifetime, event.condition]
