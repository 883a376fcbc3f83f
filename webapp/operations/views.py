"""The page “运行”: incidents first, then by kind what waits. What is done about it stands on the case's own page."""

from dataclasses import dataclass
from datetime import datetime

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask_babel import gettext

from engine import definitions, operations
from engine.commands import deliveries as carrying, instances as repairing
from engine.exceptions import NotFound
from engine.instances import Instance
from webapp.auth import actor, command, session, system
from webapp.cases.timeline import element_name
from webapp.cases.views import procedure_names
from webapp.i18n import now

pages = Blueprint("operations", __name__, template_folder="templates", url_prefix="/operations")
PAGE = 30
LISTS = ("incidents", "timers", "messages", "jobs", "deliveries")


@dataclass
class Line:
    """One thing that waits: of which case, where in its diagram, for what, since or until when, and how it stands."""

    case: Instance | None
    where: str
    what: str
    when: datetime | None
    state: str = ""
    id: str | None = None


@pages.get("/")
@pages.get("/<kind>")
def index(kind: str = "incidents"):
    """One list, a page at a time."""
    if kind not in LISTS:
        raise NotFound(what="页面", key=kind)
    cursor = request.args.get("cursor")
    troubles, lines, kept, following = [], [], [], None
    if kind == "incidents":
        troubles, following = operations.incidents(system(), session(), actor(), cursor, PAGE)
    else:
        lines, following = _LINES[kind](cursor)
    if kind == "messages" and not cursor:
        kept, _more = operations.kept_messages(session(), actor(), now(), limit=PAGE)
    return render_template(
        "operations/index.html",
        kind=kind,
        lists=LISTS,
        troubles=troubles,
        lines=lines,
        kept=kept,
        failed=operations.failed_deliveries(session(), actor()),
        next=following,
        procedures=procedure_names(),
        where=_where,
    )


@pages.post("/incidents/<instance_id>/retry")
def retry(instance_id: str):
    """Try the failed steps of a case again, from the list."""
    answer = command(repairing.retry, instance_id)
    if answer["status"] == "incident":
        flash(gettext("重试后仍有故障，请按原因处理。"), "danger")
    else:
        flash(gettext("故障已排除，个案继续。"), "ok")
    return redirect(url_for("operations.index"))


@pages.post("/deliveries/<delivery_id>/retry")
def deliver(delivery_id: str):
    """Try a delivery again."""
    command(carrying.retry_delivery, delivery_id)
    flash(gettext("已重新投递；仍在列表里的，请看原因。"), "ok")
    return redirect(url_for("operations.index", kind="deliveries"))


def _timers(cursor: str | None):
    found, following = operations.timers(session(), actor(), cursor, PAGE)
    return [
        Line(case, _where(case, timer.element), gettext("第 %(n)s 次失败", n=timer.attempts) if timer.attempts else "", timer.due_at)
        for timer, case in found
    ], following


def _messages(cursor: str | None):
    found, following = operations.waits(session(), actor(), cursor, PAGE)
    told = {"message": gettext("消息"), "signal": gettext("信号")}
    return [Line(case, _where(case, wait.element), wait.name, wait.opened_at, told[wait.trigger]) for wait, case in found], following


def _jobs(cursor: str | None):
    found, following = operations.waiting_jobs(session(), actor(), cursor, PAGE)
    lines = []
    for job, case in found:
        leased = job.worker and job.lease_until and job.lease_until > now()
        state = gettext("%(worker)s 办理中", worker=job.worker) if leased else gettext("等待程序领取")
        lines.append(Line(case, _where(case, job.element), job.type, job.next_at, f"{state} · {gettext('还可失败 %(n)s 次', n=job.retries)}"))
    return lines, following


def _deliveries(cursor: str | None):
    found, following = operations.waiting_deliveries(session(), actor(), cursor, PAGE)
    ids = {each for delivery in found for each in (delivery.source_id, delivery.target_id) if each}
    cases = {each: session().get(Instance, each) for each in ids}
    lines = []
    for each in found:
        case = cases.get(each.target_id or each.source_id)
        state = gettext("失败 %(n)s 次：%(error)s", n=each.attempts, error=each.error) if each.attempts else gettext("等待投递")
        lines.append(Line(case, _place(case), _DELIVERIES[each.kind](), each.created_at, state, each.id))
    return lines, following


def _place(case: Instance | None) -> str:
    return procedure_names().get(case.definition_key, case.definition_key) if case else ""


def _where(case: Instance, element: str | None) -> str:
    """What a case's diagram calls an element."""
    process = definitions.compiled(system(), session(), case.version_id).process
    return element_name(process.elements.get(element or ""))


_DELIVERIES = {
    "message": lambda: gettext("发出的消息"),
    "broadcast": lambda: gettext("发出的信号"),
    "signal": lambda: gettext("信号"),
    "start": lambda: gettext("按信号发起个案"),
    "awaited": lambda: gettext("查收已到的消息"),
    "freed": lambda: gettext("按消息发起下一个个案"),
    "call_finished": lambda: gettext("下级个案的结果"),
    "call_failed": lambda: gettext("下级个案的错误"),
    "call_escalated": lambda: gettext("下级个案提请升级"),
    "cancel": lambda: gettext("终止下级个案"),
}
_LINES = {"timers": _timers, "messages": _messages, "jobs": _jobs, "deliveries": _deliveries}
