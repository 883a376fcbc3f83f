"""The diagram as a graph: ties elements and flows together, and refuses graphs that cannot be run as drawn."""

from collections.abc import Iterable, Mapping
from dataclasses import replace

from engine.workflow import catchers
from engine.workflow.model import ACTIVITIES, PASSING, SCOPES, Element, Flow, Kind, Process, Trigger
from engine.workflow.report import Report

# Where a condition on a way out is asked, and a default way taken.
_CHOOSING = ACTIVITIES | {Kind.EXCLUSIVE, Kind.INCLUSIVE}


def connect(drafts: dict[str, dict], flows: dict[str, Flow], scopes: Mapping[str, str | None], report: Report) -> bool:
    """Fill incoming, outgoing, boundary, link, start and watchers of the drafts. False when a reference leads nowhere."""
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
    _link(drafts, report)
    for fields in drafts.values():
        _check_drawn(fields, flows, report)
        if parent := drafts.get(fields["parent"]):
            if fields["kind"] is Kind.START:
                parent.setdefault("start", fields["id"])
            elif fields["kind"] is Kind.EVENT_SUBPROCESS:
                parent["watchers"] = (*parent.get("watchers", ()), fields["id"])
    return whole


def _attach(drafts: dict[str, dict], report: Report) -> bool:
    whole = True
    for fields in drafts.values():
        if fields["kind"] is not Kind.BOUNDARY:
            continue
        host = drafts.get(fields["attached_to"])
        if host is None:
            whole = False
            report.add("dangling_reference", fields["id"], name=fields["attached_to"] or "")
        elif host["kind"] not in ACTIVITIES - PASSING or host["parent"] != fields["parent"]:
            report.add("bad_host", fields["id"])
        else:
            host["boundary"] = (*host.get("boundary", ()), fields["id"])
    return whole


def _link(drafts: dict[str, dict], report: Report) -> None:
    """A link leads from every throwing event to the only catching one of its name in its scope."""
    catching: dict[tuple[str | None, str], list[str]] = {}
    links = [fields for fields in drafts.values() if fields["event"] and fields["event"].trigger is Trigger.LINK and fields["event"].name]
    for fields in links:
        if fields["kind"] is Kind.CATCH:
            catching.setdefault((fields["parent"], fields["event"].name.text), []).append(fields["id"])
    for found in catching.values():
        for extra in found[1:]:
            report.add("link_twice", extra)
    for fields in links:
        if fields["kind"] is Kind.THROW:
            found = catching.get((fields["parent"], fields["event"].name.text))
            if found:
                fields["link"] = found[0]
            else:
                report.add("link_to_nothing", fields["id"], name=fields["event"].name.text)


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
    if default is not None and default not in {flow.id for flow in fields.get("outgoing", ())}:
        report.add("dangling_reference", fields["id"], name=default)


def check(process: Process, report: Report) -> None:
    """Everything about the graph that would make it stop, or run otherwise than drawn."""
    scopes: dict[str | None, list[Element]] = {None: []}
    for element in process.elements.values():
        _check_ends(element, report)
        _check_ways(element, report)
        scopes.setdefault(element.parent, []).append(element)
        if element.kind in SCOPES:
            scopes.setdefault(element.id, [])
    catchers.check(process, report)
    for scope, members in scopes.items():
        _check_scope(process, scope, members, report)


def _check_ends(element: Element, report: Report) -> None:
    kind, is_link = element.kind, element.trigger is Trigger.LINK
    if element.incoming and kind is Kind.START:
        report.add("flow_into_start", element.id)
    if element.incoming and kind is Kind.BOUNDARY:
        report.add("flow_into_boundary", element.id)
    if kind is Kind.EVENT_SUBPROCESS:
        if element.incoming or element.outgoing:
            report.add("flow_of_event_subprocess", element.id)
    elif element.outgoing and kind is Kind.END:
        report.add("flow_out_of_end", element.id)
    elif is_link and (element.incoming if kind is Kind.CATCH else element.outgoing):
        report.add("flow_of_link", element.id)
    elif not element.outgoing and kind is not Kind.END and not (is_link and kind is Kind.THROW):
        report.add("implicit_end", element.id)


def _check_ways(element: Element, report: Report) -> None:
    is_gateway = element.kind in (Kind.EXCLUSIVE, Kind.INCLUSIVE)
    plain = [flow for flow in element.outgoing if not flow.condition and not flow.is_default]
    for flow in element.outgoing:
        if flow.condition and (flow.is_default or element.kind not in _CHOOSING):
            report.add("idle_condition", flow.id)
    if is_gateway and len(element.outgoing) > 1:
        for flow in plain:
            report.add("missing_condition", flow.id)
    elif element.default and plain:
        report.add("idle_default", element.id)


def _check_scope(process: Process, scope: str | None, members: list[Element], report: Report) -> None:
    """One process or subprocess: it begins once, everything in it can be reached, and it can end."""
    starts = [element for element in members if element.kind is Kind.START]
    is_watcher = scope is not None and process.elements[scope].kind is Kind.EVENT_SUBPROCESS
    if not starts:
        report.add("no_start", scope or process.id)
        return
    for extra in [element for element in starts if is_watcher or element.event is None][1:]:
        report.add("several_starts", extra.id)
    entries = [element.id for element in members if element.kind in (Kind.START, Kind.EVENT_SUBPROCESS)]
    reached = _closure(entries, lambda e: _next(process, e))
    for element in members:
        if element.id not in reached:
            report.add("unreachable", element.id)
    if _ended_from_outside(process, scope):
        return
    finishing = _closure((element.id for element in members if not element.outgoing and not element.link), lambda e: _previous(process, e))
    for element in starts:
        if element.id not in finishing:
            report.add("no_end", element.id)
    for element in members:
        if element.id in reached and element.id not in finishing and element not in starts:
            report.add("cannot_end", element.id)


def _ended_from_outside(process: Process, scope: str | None) -> bool:
    """Whether an event may interrupt the scope or one around it."""
    while True:
        around = process.elements[scope] if scope else process
        watching = [process.elements[process.elements[watcher].start or watcher] for watcher in around.watchers]
        border = [process.elements[event] for event in around.boundary] if scope else []
        if any(event.interrupting for event in (*watching, *border)):
            return True
        if scope is None:
            return False
        scope = around.parent


def _next(process: Process, identity: str) -> Iterable[str]:
    element = process.elements[identity]
    return [flow.target for flow in element.outgoing] + list(element.boundary) + ([element.link] if element.link else [])


def _previous(process: Process, identity: str) -> Iterable[str]:
    element = process.elements[identity]
    return [flow.source for flow in element.incoming] + process.leading_to(element)


def _closure(seeds: Iterable[str], following) -> set[str]:
    found, pending = set(), list(seeds)
    while pending:
        identity = pending.pop()
        if identity not in found:
            found.add(identity)
            pending.extend(following(identity))
    return found
