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
                message = f"连线的{'起点' if side == 'source' else '终点'}“{getattr(flow, side)}”不存在或不受支持"
                report.error("dangling_reference", flow.id, message, f"The {side} {getattr(flow, side)!r} of this flow does not exist")
        if all(end is not None for _, end in ends):
            if {end["parent"] for _, end in ends} != {scopes[flow.id]}:
                report.error("crosses_border", flow.id, "连线不能穿过子流程的边界", "A sequence flow cannot cross the border of a subprocess")
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
            report.error("dangling_reference", fields["id"], f"边界事件附着的“{fields['attached_to']}”不存在", f"The host {fields['attached_to']!r} of this boundary event does not exist")
        elif host["kind"] not in ACTIVITIES - PASSING or host["parent"] != fields["parent"]:
            message = "边界定时器只能放在同一层的用户任务、脚本任务、业务规则任务或子流程上(其他元素不停留,定时器不会触发)"
            report.error("bad_host", fields["id"], message, "A boundary timer needs a host that takes time: a user, script or business rule task or a subprocess")
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
                report.error("dangling_reference", fields["id"], f"引用的连线“{reference}”不存在", f"The flow {reference!r} does not exist")
        if references and set(references) - actual - (set(references) - flows.keys()):
            report.error("inconsistent_flow", fields["id"], f"元素写的 {side} 与连线的起止不一致", f"{side} disagrees with the flows' ends")
        elif references and actual - set(references):
            report.error("inconsistent_flow", fields["id"], f"元素写的 {side} 少了连线", f"{side} lacks a flow that is connected here")
    if default is None:
        return
    if default not in {flow.id for flow in fields.get("outgoing", ())}:
        report.error("dangling_reference", fields["id"], f"默认连线“{default}”不是从这里出去的", f"The default flow {default!r} does not leave this element")
    elif fields["kind"] not in _BRANCHING:
        report.error("idle_default", fields["id"], "只有排他网关和包容网关可以有默认连线", "Only exclusive and inclusive gateways have a default flow")


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
        report.error("flow_into_start", element.id, "开始事件不能有进来的连线", "Nothing flows into a start event")
    if element.incoming and element.kind is Kind.TIMER_BOUNDARY:
        report.error("flow_into_boundary", element.id, "边界事件不能有进来的连线", "Nothing flows into a boundary event")
    if element.outgoing and element.kind in ENDS:
        report.error("flow_out_of_end", element.id, "结束事件不能有出去的连线", "Nothing flows out of an end event")
    if not element.outgoing and element.kind not in ENDS:
        report.warn("implicit_end", element.id, "这里没有出去的连线,走到这里就结束了;请画上结束事件", "Nothing flows out: the branch ends here; draw an end event")
    if element.kind is Kind.TIMER_START and element.timer and element.timer.kind == "duration":
        report.error("bad_timer", element.id, "定时开始要写时间点或循环,不能写时长(从何时算起?)", "A timer start needs a date or a cycle, not a duration")
    if element.kind is Kind.TIMER_START and element.parent:
        report.error("bad_start", element.id, "子流程只能用普通的开始事件", "A subprocess begins with a plain start event")


def _check_conditions(element: Element, report: Report) -> None:
    for flow in element.outgoing:
        if flow.condition and element.kind not in _BRANCHING:
            report.error("idle_condition", flow.id, "条件只能写在排他网关或包容网关出去的连线上", "Conditions belong on flows out of exclusive and inclusive gateways")
        elif flow.condition and flow.is_default:
            report.error("idle_condition", flow.id, "默认连线不能再有条件", "The default flow has no condition")
        elif element.kind in _BRANCHING and len(element.outgoing) > 1 and not flow.condition and not flow.is_default:
            report.error("missing_condition", flow.id, "网关的这条连线既没有条件也不是默认连线", "This flow has no condition and is not the default")


def _check_scope(process: Process, scope: str | None, members: list[Element], report: Report) -> None:
    """One process or subprocess: it begins once, everything in it can be reached, and it can end."""
    where = scope or process.id
    starts = [element for element in members if element.kind in STARTS]
    plain = [element for element in starts if element.kind is Kind.START]
    if not starts:
        report.error("no_start", where, "这里没有开始事件", "There is no start event")
        return
    for extra in plain[1:]:
        report.error("several_starts", extra.id, "只能有一个普通的开始事件", "There is more than one plain start event")
    reached = _closure((element.id for element in starts), lambda e: _next(process, e))
    for element in members:
        if element.id not in reached:
            report.error("unreachable", element.id, "从开始事件走不到这里", "This element cannot be reached from the start")
    finishing = _closure(
        (element.id for element in members if not element.outgoing), lambda e: _previous(process, e)
    )
    for element in starts:
        if element.id not in finishing:
            report.error("no_end", element.id, "从这里开始永远走不到结束", "No end can be reached from here")
    for element in members:
        if element.id in reached and element.id not in finishing and element not in starts:
            report.warn("cannot_end", element.id, "走到这里之后就再也不能结束", "From here no end can be reached")


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
