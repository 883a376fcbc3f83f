"""Events as drawn: each where it can happen, each catch unmistakable, nothing that could never fire."""

from collections.abc import Iterable

from engine.workflow.model import Element, Kind, Process, Trigger
from engine.workflow.refusals import trigger_name
from engine.workflow.report import Report

_OF_PROCESS = frozenset({Trigger.TIMER, Trigger.MESSAGE, Trigger.SIGNAL})
_NAMED = frozenset({Trigger.MESSAGE, Trigger.SIGNAL, Trigger.ERROR, Trigger.ESCALATION})
_RACING = frozenset({Trigger.TIMER, Trigger.MESSAGE, Trigger.SIGNAL, Trigger.CONDITION})
# What something inside may throw: scopes, called procedures, and errors also programs.
_THROWING = {
    Trigger.ERROR: frozenset({Kind.SUBPROCESS, Kind.CALL_ACTIVITY, Kind.SERVICE_TASK, Kind.SEND_TASK}),
    Trigger.ESCALATION: frozenset({Kind.SUBPROCESS, Kind.CALL_ACTIVITY}),
}


def check(process: Process, report: Report) -> None:
    """Report every event that could not happen as it is drawn."""
    for element in process.elements.values():
        _check_start(process, element, report)
        _check_boundary(process, element, report)
        _check_event_subprocess(element, report)
        _check_gateway(process, element, report)
        _check_cycle(process, element, report)
    for group in _groups(process):
        _check_distinct(group, report)


def _check_start(process: Process, element: Element, report: Report) -> None:
    if element.kind is not Kind.START:
        return
    parent = process.elements[element.parent] if element.parent else None
    in_watcher = parent is not None and parent.kind is Kind.EVENT_SUBPROCESS
    if in_watcher and element.trigger is None:
        report.add("bad_watcher_start", element.id)
    if parent and not in_watcher and element.trigger:
        report.add("bad_start", element.id)
    if parent is None and element.trigger and element.trigger not in _OF_PROCESS:
        report.add("bad_process_start", element.id, what=trigger_name(element.trigger))
    if parent is None and element.timer and element.timer.kind == "duration":
        report.add("bad_timer", element.id, reason=("开始事件要写时间点或循环，时长不知从何时算起", "a start needs a date or a cycle"))
    if not element.interrupting and not in_watcher:
        report.add("idle_interrupting", element.id)
    elif not element.interrupting and element.trigger is Trigger.ERROR:
        report.add("error_interrupts", element.id)


def _check_boundary(process: Process, element: Element, report: Report) -> None:
    host = process.elements.get(element.attached_to or "")
    if element.kind is not Kind.BOUNDARY or host is None:
        return
    if element.trigger is Trigger.ERROR and not element.interrupting:
        report.add("error_interrupts", element.id)
    if host.kind not in _THROWING.get(element.trigger, {host.kind}):
        code = "error_never_thrown" if element.trigger is Trigger.ERROR else "escalation_never_thrown"
        report.add(code, element.id)


def _check_event_subprocess(element: Element, report: Report) -> None:
    if element.kind is Kind.EVENT_SUBPROCESS and element.has_body:
        report.add("event_subprocess_repeats", element.id)


def _check_gateway(process: Process, element: Element, report: Report) -> None:
    """An event-based gateway waits for the first of several events, each behind a flow of its own."""
    if element.kind is not Kind.EVENT_BASED:
        return
    if len(element.outgoing) < 2:
        report.add("gateway_of_one", element.id)
    for flow in element.outgoing:
        target = process.elements[flow.target]
        is_event = target.kind is Kind.CATCH and target.trigger in _RACING
        is_task = target.kind is Kind.RECEIVE_TASK and not target.boundary and not target.has_body
        if not (is_event or is_task) or len(target.incoming) > 1:
            report.add("bad_race", target.id)


def _check_cycle(process: Process, element: Element, report: Report) -> None:
    """A repeating timer where only one firing counts."""
    opens_process = element.kind is Kind.START and element.parent is None
    if element.timer and element.timer.kind == "cycle" and not element.repeats and not opens_process:
        report.add("cycle_once", element.id)


def _groups(process: Process) -> Iterable[list[Element]]:
    """Events that wait at the same time at the same place."""
    elements = process.elements
    yield [elements[start] for start in process.start_events]
    yield [elements[start] for watcher in process.watchers if (start := elements[watcher].start)]
    for element in elements.values():
        yield [elements[start] for watcher in element.watchers if (start := elements[watcher].start)]
        own = [element] if element.kind is Kind.RECEIVE_TASK else []
        yield own + [elements[event] for event in element.boundary]
        if element.kind is Kind.EVENT_BASED:
            yield [elements[flow.target] for flow in element.outgoing]


def _check_distinct(group: list[Element], report: Report) -> None:
    """Of two that catch the same, nobody could say which is meant."""
    seen: set[tuple[Trigger, str | None]] = set()
    for element in group:
        if element.trigger not in _NAMED:
            continue
        name = element.event.name.text if element.event.name else None
        if name is None and element.trigger in (Trigger.MESSAGE, Trigger.SIGNAL):
            continue  # already refused for having no name
        if (element.trigger, name) in seen:
            report.add("ambiguous_catch", element.id, what=trigger_name(element.trigger), name=name or "*")
        seen.add((element.trigger, name))
