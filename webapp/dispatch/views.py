"""The pages “调度”: open tasks, the ranked candidates of one, previews of a reassignment or an absence, and how those went."""

from datetime import date

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask_babel import gettext

from engine import handovers, organisation, tasks
from engine.assignment import CAPACITY
from engine.commands import candidates, handing, tasks as commands
from engine.exceptions import EngineError, InvalidRequest, NotFound, ReceiverUnfit, RegulationRefused, TaskClosed
from engine.organisation import covers
from webapp.auth import actor, command, session, system
from webapp.errors import status_of, verdict
from webapp.i18n import in_chinese, now, translated
from webapp.places import places

pages = Blueprint("dispatch", __name__, template_folder="templates", url_prefix="/dispatch")
REFUSED = (InvalidRequest, ReceiverUnfit, RegulationRefused, TaskClosed)
SHOWN = 12  # candidates on the page


@pages.get("/")
def index():
    """Open tasks of one's place, narrowed by station, lateness, state and holder."""
    station = places().by_key.get(request.args.get("station", ""))
    lines, following = tasks.to_dispatch(
        system(),
        session(),
        actor(),
        within=station.path if station else None,
        overdue_at=now() if request.args.get("overdue") else None,
        status=request.args.get("status") or None,
        holder=request.args.get("holder") or None,
        cursor=request.args.get("cursor"),
    )
    return render_template(
        "dispatch/index.html",
        lines=lines,
        next=following,
        stations=[each for each in places().stations() if covers(actor().unit_path, each.path)],
        people=_people(),
        names=organisation.names_of(session(), system().vault, {line.task.holder_id for line in lines} - {None}),
        wanted=request.args,
    )


@pages.get("/tasks/<task_id>")
def task(task_id: str):
    """Who could do one task, with the reasons."""
    return _task(task_id)


@pages.post("/tasks/<task_id>")
def send(task_id: str):
    """Give it to one of them."""
    to, reason = request.form.get("to", ""), request.form.get("reason", "").strip() or gettext("按排序调度")
    try:
        command(commands.dispatch, task_id, to, reason)
    except REFUSED as refusal:
        return _task(task_id, refusal), status_of(refusal)
    flash(gettext("已派出。"), "ok")
    return redirect(url_for("dispatch.index"))


@pages.post("/preview")
def preview():
    """What would become of the chosen tasks."""
    chosen, to = request.form.getlist("tasks"), request.form.get("to") or None
    lines = handing.plan_reassignment(system(), session(), actor(), chosen, to, now())
    return render_template("dispatch/plan.html", lines=lines, to=to, person=None, names=_names(lines))


@pages.post("/reassign")
def reassign():
    """Do what the preview showed."""
    chosen, to = request.form.getlist("tasks"), request.form.get("to") or None
    answer = command(handing.reassign, chosen, to, request.form.get("reason", ""), lines=_seen())
    return _carried(answer["id"])


@pages.get("/handovers")
def absences():
    """Hand over somebody's tasks; what was handed over lately."""
    found = handovers.recent(session(), actor())
    names = organisation.names_of(session(), system().vault, {each.person_id for each in found} - {None})
    return render_template("dispatch/handovers.html", found=found, names=names, people=_people(), never=date.max)


@pages.get("/handovers/preview")
def absence():
    """Which tasks of somebody would go to whom."""
    person, substitute = request.args.get("person", ""), request.args.get("substitute") or None
    if not person:
        return redirect(url_for("dispatch.absences"))
    lines = handing.plan_absence(system(), session(), actor(), person, substitute, now())
    whose = organisation.actor_of(session(), system().vault, person, actor().county_id)
    return render_template("dispatch/plan.html", lines=lines, to=substitute, person=whose, until=request.args.get("until"), names=_names(lines))


@pages.post("/handovers")
def hand_over():
    """Do what the preview showed."""
    options = {"until": request.form.get("until") or None, "reason": request.form.get("reason", ""), "lines": _seen()}
    answer = command(handing.hand_over, request.form.get("person", ""), request.form.get("to") or None, **options)
    return _carried(answer["id"])


@pages.get("/handovers/<handover_id>")
def handover(handover_id: str):
    """How far one is, and what became of each task."""
    found = handovers.read(session(), system().vault, actor(), handover_id)
    people = {to for _task, _revision, to in found.handover.plan} | {found.handover.person_id} - {None}
    return render_template(
        "dispatch/handover.html", found=found, handover=found.handover, names=organisation.names_of(session(), system().vault, people)
    )


@pages.post("/handovers/<handover_id>/continue")
def carry_on(handover_id: str):
    """The next lines."""
    return _carried(handovers.read(session(), system().vault, actor(), handover_id).handover.id)


@pages.post("/handovers/<handover_id>/take-back")
def take_back(handover_id: str):
    """Give back what was handed over."""
    return _carried(command(handing.take_back, handover_id)["id"])


def _carried(handover_id: str):
    handing.carry_on(system(), handover_id, now())
    return redirect(url_for("dispatch.handover", handover_id=handover_id))


def _seen() -> list[list]:
    """The lines of the preview, as its hidden fields hold them: task.revision.person."""
    return [line.split(".") for line in request.form.getlist("lines")]


def _people() -> list:
    return organisation.actors(session(), system().vault, actor().county_id, actor().unit_path)


def _names(lines) -> dict[str, str]:
    return organisation.names_of(session(), system().vault, {line.from_id for line in lines} - {None})


def _task(task_id: str, refusal: EngineError | None = None):
    detail = tasks.detail(system(), session(), actor(), task_id)
    if not covers(actor().unit_path, detail.task.place_path):
        raise NotFound(what="任务", key=task_id)
    elsewhere = bool(request.args.get("elsewhere"))
    found = candidates.look(system(), session(), actor(), task_id, now(), elsewhere=elsewhere)[:SHOWN]
    rows = [
        {
            "person": each.person,
            "reasons": [zh if in_chinese() else en for _code, zh, en in each.candidate.reasons],
            "open": each.candidate.open_cases,
            "capacity": each.candidate.capacity or max((CAPACITY[group] for group in each.person.groups if group in CAPACITY), default=10),
            "verdicts": [verdict(said) for said in each.verdicts or ()],
        }
        for each in found
    ]
    return render_template(
        "dispatch/task.html",
        detail=detail,
        rows=rows,
        elsewhere=elsewhere,
        refusal=translated(refusal) if refusal else None,
        holder=organisation.names_of(session(), system().vault, {detail.task.holder_id} - {None}).get(detail.task.holder_id),
    )
