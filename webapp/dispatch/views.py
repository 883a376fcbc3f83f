"""The pages “调度”: open tasks, the ranked candidates of one, previews of a reassignment or an absence, and how those went."""

from datetime import date

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask_babel import gettext

from engine import handovers, organisation, tasks
from engine.assignment import CRITERIA
from engine.commands import candidates, handing, tasks as commands
from engine.exceptions import EngineError, InvalidRequest, NotFound, ReceiverUnfit, RegulationRefused, StaleVersion, TaskClosed, TaskTaken
from engine.organisation import covers
from webapp.auth import actor, command, session, system
from webapp.cases.views import procedure_names
from webapp.errors import status_of, verdict
from webapp.i18n import in_chinese, now, translated
from webapp.inbox.views import client_names, element_name
from webapp.places import places

pages = Blueprint("dispatch", __name__, template_folder="templates", url_prefix="/dispatch")
REFUSED = (InvalidRequest, ReceiverUnfit, RegulationRefused, StaleVersion, TaskClosed, TaskTaken)
SPOKEN = frozenset(code for codes in CRITERIA.values() for code in codes)  # reasons that stand beside a bar
SHOWN = 12  # candidates on the page


@pages.get("/")
def index():
    """Open tasks of one's place, narrowed by station, procedure, lateness, state and holder."""
    station = places().by_key.get(request.args.get("station", ""))
    lines, following = tasks.to_dispatch(
        system(),
        session(),
        actor(),
        within=station.path if station else None,
        overdue_at=now() if request.args.get("overdue") else None,
        status=request.args.get("status") or None,
        holder=request.args.get("holder") or None,
        definition=request.args.get("definition") or None,
        cursor=request.args.get("cursor"),
    )
    return render_template(
        "dispatch/index.html",
        lines=lines,
        next=following,
        stations=[each for each in places().stations() if covers(actor().unit_path, each.path)],
        people=_people(),
        procedures=procedure_names(),
        clients=_clients(lines),
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
        command(commands.dispatch, task_id, to, reason, request.form.get("revision", type=int))
    except REFUSED as refusal:
        return _task(task_id, refusal), status_of(refusal)
    flash(gettext("已派出。"), "ok")
    return redirect(url_for("dispatch.index"))


@pages.post("/preview")
def preview():
    """What would become of the chosen tasks."""
    chosen, to = request.form.getlist("tasks"), request.form.get("to") or None
    if not chosen:
        flash(gettext("请先选中要改派的任务。"), "warn")
        return redirect(url_for("dispatch.index"))
    return _plan(handing.plan_reassignment(system(), session(), actor(), chosen, to, now()), to=to, person=None)


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
    return _plan(lines, to=substitute, person=whose, until=request.args.get("until"))


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
    about = tasks.at_place(system(), session(), actor(), [task_id for task_id, *_ in found.handover.plan])
    return render_template(
        "dispatch/handover.html",
        found=found,
        handover=found.handover,
        about=about,
        clients=_clients(about.values()),
        names=organisation.names_of(session(), system().vault, people),
        never=date.max,
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


def _clients(lines) -> dict[str, str]:
    """Client id → name, as far as the actor may see it."""
    return client_names({line.instance.client_id for line in lines})


def _plan(lines, **more):
    """The page of a preview. `clashes`: whether the regulations keep it from the one wished for."""
    about = tasks.at_place(system(), session(), actor(), [line.task_id for line in lines])
    return render_template(
        "dispatch/plan.html",
        lines=lines,
        about=about,
        clients=_clients(about.values()),
        names=_names(lines),
        clashes=lambda line: [verdict(said) for said in line.verdicts],
        **more,
    )


def _words(each, codes) -> str:
    """The reasons with these codes, in the reader's language."""
    return gettext("，").join(zh if in_chinese() else en for code, zh, en in each.candidate.reasons if code in codes)


def _bars(each) -> list[tuple[str, float, str]]:
    """(criterion, how well they fit from 0 to 1, in words) of a candidate."""
    criteria = {
        "place": (gettext("地点"), gettext("上级单位")),
        "load": (gettext("工作量"), ""),
        "skills": (gettext("技能"), gettext("没有要求")),
        "continuity": (gettext("连续性"), gettext("没有接触过")),
        "fairness": (gettext("均衡"), gettext("近 30 天没有接过")),
    }
    fit = each.candidate.fit
    return [(label, float(fit[key]), _words(each, CRITERIA[key]) or none) for key, (label, none) in criteria.items()]


def _task(task_id: str, refusal: EngineError | None = None):
    detail = tasks.detail(system(), session(), actor(), task_id)
    if not covers(actor().unit_path, detail.task.place_path):
        raise NotFound(what="任务", key=task_id)
    elsewhere = bool(request.args.get("elsewhere"))
    found = candidates.look(system(), session(), actor(), task_id, now(), elsewhere=elsewhere)[:SHOWN]
    rows = [
        {
            "person": each.person,
            "away": each.away,
            "besides": [zh if in_chinese() else en for code, zh, en in each.candidate.reasons if code not in SPOKEN],
            "bars": _bars(each),
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
        client=client_names({detail.instance.client_id}).get(detail.instance.client_id),
        name=element_name(detail),
        holder=organisation.names_of(session(), system().vault, {detail.task.holder_id} - {None}).get(detail.task.holder_id),
    )
