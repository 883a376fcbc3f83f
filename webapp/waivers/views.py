"""Asking for a waiver from the refusal itself, deciding, the register; and why somebody cannot take a task."""

import csv
import io
from datetime import timedelta

from flask import Blueprint, Response, flash, redirect, render_template, request, url_for
from flask_babel import gettext

from engine import definitions, explaining, instances, organisation, permissions, reference, tasks, waivers
from engine.commands import waivers as commands
from engine.db import new_id
from engine.exceptions import InstanceClosed, InvalidForm, InvalidRequest, NotRefused, TaskClosed, WaiverClosed, WaiverKnown
from webapp.auth import actor, command, local_address, session, system
from webapp.cases.timeline import element_name
from webapp.errors import status_of, translated_text, verdict
from webapp.i18n import moment, now, translated
from webapp.inbox.views import candidates, element_name as task_name, procedure_name
from webapp.places import places
from webapp.waivers.wording import filters, obstacle_text, people_of
from webapp.words import WAIVER_STATUSES, place_name, role

pages = Blueprint("waivers", __name__, template_folder="templates")
PAGE = 50
RECENT = timedelta(days=14)  # how long an answer is told in the asker's inbox
STATES = (TaskClosed, InstanceClosed, WaiverClosed, WaiverKnown)  # somebody else was quicker: told on the page as it is now


@pages.get("/waivers/")
def index():
    """The register: one's own waivers; for whoever decides or audits, all of their place, with counts by rule."""
    wanted = _wanted()
    chosen = filters(wanted.get("status"), wanted.get("rule"), wanted.get("station"))
    lines, following = waivers.register(session(), system().vault, actor(), now(), **chosen, cursor=request.args.get("cursor"), limit=PAGE)
    counts = waivers.counts(session(), actor(), now(), station_id=chosen["station_id"])
    return render_template(
        "waivers/index.html",
        lines=lines,
        next=following,
        counts=counts,
        wanted=wanted,
        statuses=WAIVER_STATUSES,
        stations=places().stations() if actor().station_id is None and len(places().within(actor().unit_path)) > 1 else [],
        **_about(lines),
    )


@pages.get("/waivers/register.csv")
def export():
    """The register as a table for a spreadsheet, as filtered: UTF-8 with a mark, which is what Excel asks for."""
    wanted = _wanted()
    chosen = filters(wanted.get("status"), wanted.get("rule"), wanted.get("station"))
    text = io.StringIO()
    table = csv.writer(text)
    table.writerow(_head())
    cursor, first = None, True
    while first or cursor:
        lines, cursor = waivers.register(session(), system().vault, actor(), now(), **chosen, cursor=cursor, limit=500)
        people = people_of(lines)
        table.writerows([_safe(cell) for cell in _row(line, people)] for line in lines)
        first = False
    headers = {"Content-Disposition": 'attachment; filename="waivers.csv"'}
    return Response("\ufeff" + text.getvalue(), mimetype="text/csv", headers=headers)


@pages.get("/waivers/waiting")
def waiting():
    """The requests that are this person's to decide."""
    return _waiting()


@pages.route("/waivers/new", methods=["GET", "POST"])
def new():
    """Ask for a waiver; `rule` and `task` (or `instance`) in the address say of what, `person` for whom."""
    if request.method == "GET":
        return _form({})
    task_id, instance_id = request.values.get("task") or None, request.values.get("instance") or None
    reason, whole = request.form.get("reason", ""), bool(request.form.get("whole_case"))
    key = request.form.get("_once") or None
    try:
        command(commands.ask, request.values.get("rule", ""), reason, task_id, instance_id, request.values.get("person") or None, whole, key=key)
    except InvalidForm as refusal:
        return _form({"reason": reason, "whole_case": whole}, refusal), status_of(refusal)
    except STATES as refusal:
        flash(" ".join(translated(refusal)), "warn")
    else:
        flash(gettext("申请已送出。有了答复会出现在您的任务页上。"), "ok")
    return redirect(url_for("inbox.task", task_id=task_id) if task_id else url_for("waivers.index"))


@pages.post("/waivers/<waiver_id>/grant")
def grant(waiver_id: str):
    """Let them go past the rule."""
    told = gettext("已批准，申请人会看到。")
    return _decided(waiver_id, told, commands.grant, request.form.get("reason", ""), request.form.get("until") or None)


@pages.post("/waivers/<waiver_id>/refuse")
def refuse(waiver_id: str):
    """Do not."""
    return _decided(waiver_id, gettext("已答复，申请人会看到。"), commands.refuse, request.form.get("reason", ""))


@pages.post("/waivers/<waiver_id>/revoke")
def revoke(waiver_id: str):
    """Take back what was granted."""
    try:
        command(commands.revoke, waiver_id, request.form.get("reason", ""))
        flash(gettext("已撤销。"), "warn")
    except InvalidForm as refusal:
        flash(translated_text(refusal.errors["reason"]), "danger")
    except STATES as refusal:
        flash(" ".join(translated(refusal)), "warn")
    return redirect(url_for("waivers.index"))


@pages.post("/waivers/<waiver_id>/withdraw")
def withdraw(waiver_id: str):
    """Take one's own request back."""
    try:
        command(commands.withdraw, waiver_id)
        flash(gettext("已撤回。"), "ok")
    except STATES as refusal:
        flash(" ".join(translated(refusal)), "warn")
    return redirect(local_address(request.form.get("next")) or url_for("waivers.index"))


@pages.get("/tasks/<task_id>/explanation")
def explanation(task_id: str):
    """Why can I (or, for who dispatches, somebody else) not take this? Looking changes nothing."""
    found = explaining.explain(system(), session(), actor(), task_id, now(), request.args.get("person") or None)
    task = found.detail.task
    return render_template(
        "waivers/explanation.html",
        found=found,
        task=task,
        name=task_name(found.detail),
        obstacles=[obstacle_text(each) for each in found.obstacles],
        blocks=[(each, verdict(each.verdict), _where_to_ask(found, each)) for each in found.blocks],
        at=now(),
        people=_choosable(task) if permissions.may(actor(), "task:delegate") else [],
    )


def banner() -> dict:
    """What the inbox says on top: how many requests wait for the actor's decision, and what became of their own."""
    waiting = len(waivers.waiting(session(), system().vault, actor()))
    answers = waivers.answers(session(), system().vault, actor(), now() - RECENT)
    return {"waiting": waiting, "answers": answers, "at": now(), **_about(answers)}


def _decided(waiver_id: str, said: str, function, *arguments):
    try:
        command(function, waiver_id, *arguments)
    except InvalidForm as refusal:
        return _waiting(waiver_id, refusal), status_of(refusal)
    except STATES as refusal:
        flash(" ".join(translated(refusal)), "warn")
    else:
        flash(said, "ok")
    return redirect(url_for("waivers.waiting"))


def _waiting(refused: str = "", refusal: InvalidForm | None = None):
    lines = waivers.waiting(session(), system().vault, actor())
    parameters = reference.in_force(system(), session()).parameters(now(), None)
    today = now().astimezone(system().zone).date()
    return render_template(
        "waivers/waiting.html",
        lines=lines,
        verdict=verdict,
        history=waivers.counts(session(), actor(), now()),
        statuses=WAIVER_STATUSES,
        refused=refused,
        errors={name: translated_text(text) for name, text in refusal.errors.items()} if refusal else {},
        usual=today + timedelta(days=int(parameters["waiver_days"])),
        first=today,
        last=today + timedelta(days=int(parameters["waiver_days_most"])),
        **_about(lines),
    )


def _form(values: dict, refusal: InvalidForm | None = None):
    rule, task_id = request.values.get("rule", ""), request.values.get("task") or None
    who, vault = actor(), system().vault
    if not task_id and not request.values.get("instance"):
        raise InvalidRequest(field="task", reason="请写明是哪项任务或哪个个案")
    person = organisation.actor_of(session(), vault, request.values["person"], who.county_id) if request.values.get("person") else who
    detail = tasks.detail(system(), session(), who, task_id) if task_id else None
    instance = detail.instance if detail else instances.open_instance(system(), session(), who, request.values.get("instance", "")).instance
    stopped = waivers.stopped(session(), vault, who, person, instance.id, rule, task_id)
    if stopped is None:
        raise NotRefused(rule=rule)
    plain, told = stopped
    deciders = waivers.deciders(session(), vault, who.county_id, plain["waivable_by"], instance.place_path, {who.person_id, person.person_id})
    return render_template(
        "waivers/new.html",
        rule=rule,
        told=verdict(plain | told) | {"waivers_url": None},
        instance=instance,
        detail=detail,
        name=task_name(detail) if detail else None,
        person=person if person.person_id != who.person_id else None,
        deciders=deciders,
        values=values,
        errors={name: translated_text(text) for name, text in refusal.errors.items()} if refusal else {},
        once=new_id(),
    )


def _where_to_ask(found: explaining.Explanation, block: explaining.Block) -> str | None:
    if not block.askable:
        return None
    person = {"person": found.person.username} if found.person.person_id != actor().person_id else {}
    return url_for("waivers.new", rule=block.verdict.rule, task=found.detail.task.id, **person)


def _choosable(task) -> list:
    """People of the place whom the actor may ask about: candidates, whatever the regulations say of them."""
    return [person for person in candidates(task) if organisation.covers(actor().unit_path, person.unit_path)]


def _wanted() -> dict[str, str]:
    wanted = {name: request.args.get(name, "").strip() for name in ("status", "rule", "station")}
    if wanted["status"] not in ("", *waivers.STATUSES):
        raise InvalidRequest(field="status", reason="没有这种状态")
    return {name: value for name, value in wanted.items() if value}


def _about(lines: list[waivers.Line]) -> dict:
    """What templates say of the lines' people, procedures and tasks."""
    return {
        "people": people_of(lines),
        "procedure": lambda line: procedure_name(_compiled(line)),
        "element": lambda line: element_name(_compiled(line).process.elements.get(line.task.element)) if line.task else "",
        "opens": lambda line: instances.sees(actor(), line.instance),
        "reaches": lambda line: line.task is not None and instances.in_reach(actor(), line.task),
        "decides": lambda line: waivers.may_decide(actor(), line.waiver, line.instance),
        "at": now(),
    }


def _compiled(line: waivers.Line):
    return definitions.compiled(system(), session(), line.instance.version_id)


def _head() -> list[str]:
    return [
        *(gettext("申请时间"), gettext("状态"), gettext("规则"), gettext("制度表"), gettext("个案编号"), gettext("地点"), gettext("谁办理")),
        *(gettext("申请人"), gettext("理由"), gettext("由谁决定"), gettext("决定人"), gettext("决定时间"), gettext("答复"), gettext("有效至")),
    ]


def _row(line: waivers.Line, people: dict[str, str]) -> list[str]:
    waiver, told = line.waiver, line.told or {}
    return [
        *(moment(waiver.asked_at), str(WAIVER_STATUSES[waiver.status_at(now())]), waiver.rule, waiver.regulation, line.instance.number),
        *(place_name(line.instance.place_path), people.get(waiver.person_id, ""), people.get(waiver.asked_by, "")),
        *(told.get("reason", ""), role(waiver.waivable_by), people.get(waiver.decided_by or "", ""), moment(waiver.decided_at)),
        *(told.get("answer", ""), moment(waiver.expires_at)),
    ]


def _safe(cell: str) -> str:
    """No spreadsheet takes what somebody typed for a formula."""
    return f"'{cell}" if cell.startswith(("=", "+", "-", "@", "\t", "\r")) else cell
