"""The diagram as a graph: ties elements and flows together, and refuses graphs that cannot be run as drawn."""

from collections.abc import Iterable, Mapping
from dataclasses import replace

from engine.workflow.model import ACTIVITIES, ENDS, PASSING, STARTS, Element, Flow, Kind, Process
from engine.workflow.report import Report

_BRANCHING = frozenset({Kind.EXCLUSIVE, Kind.INCLUSIVE})


def connect(drafts: dict[str, dict], flows: dict[str, Flow], scopes: Mapping[str, str | None], report: Report) -> bool:
    """Fill incoming, outgoing, boundary and start of the drafts. False when a reference leads nowhere."""
    whole = True
    for flow in list(flows.values()):
        ends = [(side, drafts.get(getattr(flow, side))) for side in ("source", "target")]
        for side, end in ends:
            if end is None:
                whole = False
                report.add("dangling_reference", flow.id, name=getattr(flow, side))
        if all(end is not None for _, end in ends):
            if {end["parent"] for _, end in ends} != {scopes[flow.id]}:
                report.add("crosses_border", flow.id)
            if ends[0][1].get("_default") == flow.id:
                flow = flows[flow.id] = replace(flow, is_default=True)
            ends[0][1]["outgoing"] = (*ends[0][1].get("outgoing", ()), flow)
            ends[1][1]["incoming"] = (*ends[1][1].get("incoming", ()), flow)
    whole &= _attach(drafts, report)
    for fields in drafts.values():
        _check_drawn(fields, flows, report)
        if fields["kind"].is_start and fields["parent"]:
            drafts[fields["parent"]].setdefault("start", fields["id"])
    return whole


def _attach(drafts: dict[str, dict], report: Report) -> bool:
    whole = True
    for fields in drafts.values():
        if fields["kind"] is not Kind.TIMER_BOUNDARY:
            continue
        host = drafts.get(fields["attached_to"])
        if host is None:
            whole = False
            report.add("dangling_reference", fields["id"], name=fields["attached_to"])
        elif host["kind"] not in ACTIVITIES - PASSING or host["parent"] != fields["parent"]:
            report.add("bad_host", fields["id"])
        else:
            host["boundary"] = (*host.get("boundary", ()), fields["id"])
    return whole


def _check_drawn(fields: dict, flows: Mapping[str, Flow], report: Report) -> None:
    """`incoming`, `outgoing` and `default` must say what the flows say."""
    default = fields.pop("_default")
    drawn = fields.pop("_drawn")
    for side, references in drawn.items():
        actual = {flow.id for flow in fields.get(side, ())}
        for reference in references:
            if reference not in flows:
                report.add("dangling_reference", fields["id"], name=reference)
        if references and set(references) & flows.keys() != actual:
            report.add("inconsistent_flow", fields["id"], side=side)
    if default is None:
        return
    if default not in {flow.id for flow in fields.get("outgoing", ())}:
        report.add("dangling_reference", fields["id"], name=default)
    elif fields["kind"] not in _BRANCHING:
        report.add("idle_default", fields["id"])


def check(process: Process, report: Report) -> None:
    """Everything about the graph that would make it stop, or run otherwise than drawn."""
    for element in process.elements.values():
        _check_ends(element, report)
        _check_conditions(element, report)
    scopes: dict[str | None, list[Element]] = {None: []}
    for element in process.elements.values():
        scopes.setdefault(element.parent, []).append(element)
        if element.kind is Kind.SUBPROCESS:
            scopes.setdefault(element.id, [])
    for scope, members in scopes.items():
        _check_scope(process, scope, members, report)


def _check_ends(element: Element, report: Report) -> None:
    if element.incoming and element.kind in STARTS:
        report.add("flow_into_start", element.id)
    if element.incoming and element.kind is Kind.TIMER_BOUNDARY:
        report.add("flow_into_boundary", element.id)
    if element.outgoing and element.kind in ENDS:
        report.add("flow_out_of_end", element.id)
    if not element.outgoing and element.kind not in ENDS:
        report.add("implicit_end", element.id)
    if element.kind is Kind.TIMER_START and element.timer and element.timer.kind == "duration":
        report.add("bad_timer", element.id, reason=("开始事件要写时间点或循环,时长不知从何时算起", "a start needs a date or a cycle"))
    if element.kind is Kind.TIMER_START and element.parent:
        report.add("bad_start", element.id)


def _check_conditions(element: Element, report: Report) -> None:
    for flow in element.outgoing:
        if flow.condition and (flow.is_default or element.kind not in _BRANCHING):
            report.add("idle_condition", flow.id)
        elif element.kind in _BRANCHING and len(element.outgoing) > 1 and not flow.condition and not flow.is_default:
            report.add("missing_condition", flow.id)


def _check_scope(process: Process, scope: str | None, members: list[Element], report: Report) -> None:
    """One process or subprocess: it begins once, everything in it can be reached, and it can end."""
    where = scope or process.id
    starts = [element for element in members if element.kind in STARTS]
    plain = [element for element in starts if element.kind is Kind.START]
    if not starts:
        report.add("no_start", where)
        return
    for extra in plain[1:]:
        report.add("several_starts", extra.id)
    reached = _closure((element.id for element in starts), lambda e: _next(process, e))
    for element in members:
        if element.id not in reached:
            report.add("unreachable", element.id)
    finishing = _closure((element.id for element in members if not element.outgoing), lambda e: _previous(process, e))
    for element in starts:
        if element.id not in finishing:
            report.add("no_end", element.id)
    for element in members:
        if element.id in reached and element.id not in finishing and element not in starts:
            report.add("cannot_end", element.id)


def _next(process: Process, identity: str) -> Iterable[str]:
    element = process.elements[identity]
    return [flow.target for flow in element.outgoing] + list(element.boundary)


def _previous(process: Process, identity: str) -> Iterable[str]:
    element = process.elements[identity]
    return [flow.source for flow in element.incoming] + ([element.attached_to] if element.attached_to else [])


def _closure(seeds: Iterable[str], following) -> set[str]:
    found, pending = set(), list(seeds)
    while pending:
        identity = pending.pop()
        if identity not in found:
            found.add(identity)
            pending.extend(following(identity))
    return found
