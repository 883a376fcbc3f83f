"""Going out, on a telephone: report, stay longer, come back; for leads who is out now, and what they have to do about it."""

from datetime import timedelta

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask_babel import gettext

from engine import instances, organisation, permissions
from engine.commands import alerts as alert_commands, outings as commands
from engine.db import new_id
from engine.exceptions import AlertClosed, AlreadyOut, EngineError, InvalidForm, InvalidRequest, OutingClosed, RegulationRefused
from engine.instances import Instance
from engine.registers import alerts, outings
from webapp.auth import actor, command, session, system
from webapp.errors import status_of, translated_text, verdict, verdicts
from webapp.i18n import now, translated

pages = Blueprint("outings", __name__, template_folder="templates", url_prefix="/outings")
COMPANIONS = 3  # fields on the page; a program may name more (engine.commands.outings)
LONGER = (30, 60, 120)  # minutes that the buttons add
QUARTER = timedelta(minutes=15)
STATES = (AlertClosed, AlreadyOut, OutingClosed)  # somebody else was quicker: told on the page as it is now


@pages.get("/")
def index():
    """One's own way out; for who watches over others, the alarms and who is out now, the most overdue in front."""
    return _page()


@pages.route("/new", methods=["GET", "POST"])
def new():
    """Report an outing; `task` or `case` in the address says what it is for."""
    if request.method == "GET":
        expected = now().astimezone(system().zone) + timedelta(hours=2)
        expected += (QUARTER - timedelta(minutes=expected.minute % 15)) % QUARTER
        return _form({"expected_return": expected.strftime("%Y-%m-%dT%H:%M"), "leaves": True})
    trip = {
        "destination": request.form.get("destination", ""),
        "reason": request.form.get("reason", ""),
        "expected_return": request.form.get("expected_return", ""),
        "companions": sorted(set(request.form.getlist("companions")) - {""}),
        "leaves": request.form.get("leaves", "yes") == "yes",
        **{name: request.values[name] for name in ("task", "instance") if request.values.get(name)},
    }
    try:
        answer = command(commands.report, trip, key=request.form.get("_once") or None)
    except (InvalidForm, AlreadyOut, RegulationRefused) as refusal:
        return _form(trip, refusal), status_of(refusal)
    flash(gettext("已报备，一路平安。") if answer["status"] == outings.OUT else gettext("已报备。出发时请点“出发”。"), "ok")
    if trip.get("task"):
        return redirect(url_for("inbox.task", task_id=trip["task"]))
    return redirect(url_for("outings.index"))


@pages.post("/<outing_id>/leave")
def leave(outing_id: str):
    """A planned outing begins."""
    return _done(commands.leave, outing_id, said=gettext("一路平安。"))


@pages.post("/<outing_id>/extend")
def extend(outing_id: str):
    """Back later: `minutes` after the time said before, or after now if that has passed."""
    line = outings.read(session(), system().vault, actor(), outing_id)
    minutes = request.form.get("minutes", 0, type=int)
    if minutes not in LONGER:
        raise InvalidRequest(field="minutes", reason="只能是 30、60 或 120")
    expected = max(line.outing.expected_return, now()) + timedelta(minutes=minutes)
    return _done(commands.extend, outing_id, expected.isoformat(), said=gettext("已推迟预计返回时间。"))


@pages.post("/<outing_id>/return")
def come_back(outing_id: str):
    """Everybody is back, safe."""
    return _done(commands.come_back, outing_id, said=gettext("已报平安，辛苦了。"))


@pages.post("/<outing_id>/cancel")
def cancel(outing_id: str):
    """A planned outing does not take place."""
    return _done(commands.cancel, outing_id, said=gettext("已取消外出。"))


@pages.post("/alerts/<alert_id>/acknowledge")
def acknowledge(alert_id: str):
    """Write down what was done about an alert."""
    note = request.form.get("note", "")
    try:
        command(alert_commands.acknowledge, alert_id, note)
    except InvalidForm as refusal:
        return _page(refusal.errors, alert_id, note), status_of(refusal)
    except AlertClosed as refusal:
        return _told(refusal)
    flash(gettext("已记下处理情况。"), "ok")
    return redirect(url_for("outings.index"))


def banner() -> dict:
    """What the inbox says on top: the actor's open outings, and how many alerts wait for them."""
    own = outings.mine(session(), system().vault, actor()) if permissions.may(actor(), "outing:write") else []
    return {"outings": own, "alerts": len(alerts.waiting(session(), system().vault, actor()))}


def _done(function, outing_id: str, *arguments, said: str):
    try:
        command(function, outing_id, *arguments)
    except STATES as refusal:
        return _told(refusal)
    flash(said, "ok")
    return redirect(url_for("outings.index"))


def _told(refusal: EngineError):
    flash(" ".join(translated(refusal)), "warn")
    return redirect(url_for("outings.index"))


def _page(errors: dict | None = None, refused: str = "", note: str = ""):
    who, vault = actor(), system().vault
    waiting = alerts.waiting(session(), vault, who, whole=True)
    about = outings.by_id(session(), vault, {line.alert.about("outing") for line in waiting} - {None})
    cases = {line.alert.about("instance") for line in waiting} | {line.outing.instance_id for line in about.values()}
    watches = permissions.may(who, "outing:read")
    return render_template(
        "outings/index.html",
        mine=outings.mine(session(), vault, who),
        watches=watches,
        out=outings.at_place(session(), vault, who) if watches else [],
        alerts=sorted(waiting, key=lambda line: line.alert.notify not in who.roles),
        about=about,
        cases={found: session().get(Instance, found) for found in cases - {None}},
        verdict=verdict,
        longer=LONGER,
        errors={name: translated_text(text) for name, text in (errors or {}).items()},
        refused=refused,
        note=note,
    )


def _form(values: dict, refusal: EngineError | None = None):
    errors = refusal.errors if isinstance(refusal, InvalidForm) else {}
    within = "/".join(actor().unit_path.split("/")[:2])
    colleagues = organisation.actors(session(), system().vault, actor().county_id, within)
    return render_template(
        "outings/new.html",
        values=values,
        errors={name: translated_text(text) for name, text in errors.items()},
        refusal=translated(refusal) if refusal else None,
        verdicts=verdicts(refusal),
        colleagues=[person for person in colleagues if person.person_id != actor().person_id],
        fields=COMPANIONS,
        case=_case(),
        once=new_id(),
    )


def _case() -> Instance | None:
    """The case that the outing is for, by `instance` or `task` in the address, if the actor may know of it."""
    task_id, instance_id = request.values.get("task"), request.values.get("instance")
    if task_id:
        task = session().get(instances.Task, task_id)
        instance_id = task.instance_id if task is not None and instances.in_reach(actor(), task) else None
    elif instance_id:
        instances.open_instance(system(), session(), actor(), instance_id)
    return session().get(Instance, instance_id) if instance_id else None
