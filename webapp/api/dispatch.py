"""Dispatching for programs: who could do a task and why, sending somebody, handing over while somebody is away, reassigning many."""

from datetime import date

import marshmallow as ma
from flask_babel import gettext

from engine import handovers, permissions, tasks as reading
from engine.commands import candidates, handing, tasks as commands
from webapp.api import answers_dispatch as answers
from webapp.api.answers import TaskChanged
from webapp.api.shared import KEYED, Page, Schema, Text, blueprint, from_cursor, idempotency_key, instant, page_of
from webapp.api.tasks import task_line
from webapp.auth import actor, command, session, system
from webapp.errors import verdict
from webapp.i18n import in_chinese, now
from webapp.places import places
from webapp.words import fact

routes = blueprint("dispatch", "调度 · dispatching")
NAME = {"validate": ma.validate.Length(min=1, max=40)}
REASON = {"validate": ma.validate.Length(max=commands.LONGEST_REASON), "load_default": ""}


class Where(Schema):
    """Whether to look elsewhere."""

    elsewhere = ma.fields.Bool(load_default=False, metadata={"description": "people of other places, who could be sent"})


class Filter(Page):
    """Which open tasks."""

    place = Text(load_default=None, **NAME)
    overdue = ma.fields.Bool(load_default=False)
    status = ma.fields.Str(load_default=None, validate=ma.validate.OneOf(["offered", "claimed"]))
    holder = Text(load_default=None, **NAME)
    definition = Text(load_default=None, validate=ma.validate.Length(max=100))


class Sent(Schema):
    """Who is sent, and why."""

    to = Text(required=True, metadata={"description": "username"}, **NAME)
    reason = Text(required=True, validate=ma.validate.Length(min=1, max=commands.LONGEST_REASON))
    revision = ma.fields.Int(
        load_default=None, metadata={"description": "of the task as its candidates were read; refused where it has changed hands since"}
    )


class Absence(Schema):
    """Who is away, who stands in."""

    person = Text(required=True, metadata={"description": "username or id"}, **NAME)
    substitute = Text(load_default=None, metadata={"description": "username or id; by the hierarchy without"}, **NAME)


class Handing(Absence):
    """An absence to be handed over."""

    until = ma.fields.Date(load_default=None, metadata={"description": "last day; given back by hand without"})
    reason = Text(**REASON)


class Chosen(Schema):
    """Which tasks go to whom."""

    tasks = ma.fields.List(Text(**NAME), required=True, validate=ma.validate.Length(min=1, max=handing.MOST))
    to = Text(load_default=None, metadata={"description": "username or id; by ranking without"}, **NAME)


class Reassigning(Chosen):
    """A reassignment to be carried out."""

    reason = Text(required=True, validate=ma.validate.Length(min=1, max=commands.LONGEST_REASON))


@routes.route("/dispatch", methods=["GET"])
@routes.arguments(Filter(), location="query")
@routes.response(200, answers.Tasks)
def index(wanted: dict):
    """The open tasks of one's place."""
    place = places().by_key.get(wanted["place"]) if wanted["place"] else None
    lines, following = reading.to_dispatch(
        system(),
        session(),
        actor(),
        within=place.path if place else wanted["place"],
        overdue_at=now() if wanted["overdue"] else None,
        status=wanted["status"],
        holder=wanted["holder"],
        definition=wanted["definition"],
        cursor=from_cursor(wanted["cursor"]),
        limit=wanted["limit"],
    )
    return page_of([task_line(line) for line in lines], following)


@routes.route("/tasks/<task_id>/candidates", methods=["GET"])
@routes.arguments(Where(), location="query")
@routes.response(200, answers.Candidates)
def ranked(wanted: dict, task_id: str):
    """Who could do a task, best first, each with the reasons; whom a regulation would refuse comes last, with its verdicts."""
    permissions.require(actor(), "task:dispatch")
    found = candidates.look(system(), session(), actor(), task_id, now(), elsewhere=wanted["elsewhere"])
    task = reading.detail(system(), session(), actor(), task_id).task
    return {"items": [_candidate(each) for each in found], "revision": task.revision}


@routes.route("/tasks/<task_id>/dispatch", methods=["POST"])
@routes.doc(**KEYED)
@routes.arguments(Sent())
@routes.response(200, TaskChanged)
def dispatch(body: dict, task_id: str):
    """Send somebody to a task, from another station too. Of two who send somebody at the same time, one wins and the other is told who."""
    return command(commands.dispatch, task_id, body["to"], body["reason"], body["revision"], key=idempotency_key())


@routes.route("/handovers/preview", methods=["GET"])
@routes.arguments(Absence(), location="query")
@routes.response(200, answers.Plan)
def preview_absence(wanted: dict):
    """Which of somebody's tasks would go to whom, and which could not and why. Nothing is done."""
    return _plan(handing.plan_absence(system(), session(), actor(), wanted["person"], wanted["substitute"], now()))


@routes.route("/handovers", methods=["POST"])
@routes.doc(**KEYED)
@routes.arguments(Handing())
@routes.response(200, answers.Handover)
def hand_over(body: dict):
    """Hand over all tasks of somebody. The first lines are carried out at once, the rest by the worker or `continue`."""
    options = {"until": body["until"] and body["until"].isoformat(), "reason": body["reason"]}
    return _begun(command(handing.hand_over, body["person"], body["substitute"], key=idempotency_key(), **options))


@routes.route("/handovers", methods=["GET"])
@routes.response(200, answers.Handovers)
def handed():
    """The latest handovers and reassignments."""
    return {"items": [_summary(each) for each in handovers.recent(session(), actor())]}


@routes.route("/handovers/<handover_id>", methods=["GET"])
@routes.response(200, answers.Handover)
def handover(handover_id: str):
    """One handover with what became of each task."""
    return _detail(handover_id)


@routes.route("/handovers/<handover_id>/continue", methods=["POST"])
@routes.response(200, answers.Handover)
def carry_on(handover_id: str):
    """Carry out the next lines; doing so again is harmless."""
    return _begun({"id": handovers.read(session(), system().vault, actor(), handover_id).handover.id})


@routes.route("/handovers/<handover_id>/take-back", methods=["POST"])
@routes.doc(**KEYED)
@routes.response(200, answers.Handover)
def take_back(handover_id: str):
    """Give back what was handed over."""
    return _begun(command(handing.take_back, handover_id, key=idempotency_key()))


@routes.route("/reassignments/preview", methods=["POST"])
@routes.arguments(Chosen())
@routes.response(200, answers.Plan)
def preview_reassignment(body: dict):
    """What a reassignment would do. Nothing is done."""
    return _plan(handing.plan_reassignment(system(), session(), actor(), body["tasks"], body["to"], now()))


@routes.route("/reassignments", methods=["POST"])
@routes.doc(**KEYED)
@routes.arguments(Reassigning())
@routes.response(200, answers.Handover)
def reassign(body: dict):
    """Give many tasks to one person, or by ranking; each in its own transaction."""
    return _begun(command(handing.reassign, body["tasks"], body["to"], body["reason"], key=idempotency_key()))


def _begun(answer: dict) -> dict:
    handing.carry_on(system(), answer["id"], now())
    return _detail(answer["id"])


def _detail(handover_id: str) -> dict:
    with system().database.read() as fresh:
        found = handovers.read(fresh, system().vault, actor(), handover_id)
        lines = [
            {"task": task_id, "to": to, "outcome": line and line.outcome, "code": line and line.code}
            for task_id, _revision, to in found.handover.plan
            for line in [found.lines.get(task_id)]
        ]
        return _summary(found.handover) | {"reason": found.reason, "lines": lines}


def _summary(each) -> dict:
    last = each.last_day if each.last_day and each.last_day < date.max else None
    return {
        "id": each.id,
        "kind": each.kind,
        "status": each.status,
        "person": each.person_id,
        "until": last and last.isoformat(),
        "tasks": len(each.plan),
        "begun_at": instant(each.begun_at),
    }


def _candidate(each: candidates.Choice) -> dict:
    one = each.candidate
    return {
        "id": each.person.person_id,
        "username": each.person.username,
        "name": each.person.name,
        "unit": each.person.unit_key,
        "open_cases": one.open_cases,
        "reasons": [{"code": code, "text": zh if in_chinese() else en} for code, zh, en in one.reasons],
        "fit": {criterion: round(float(value), 3) for criterion, value in one.fit.items()},
        "blocked": each.blocked,
        "verdicts": [verdict(said) for said in each.verdicts or ()],
    }


def _plan(lines: list[handing.Line]) -> dict:
    return {
        "items": [
            {
                "task": line.task_id,
                "number": line.number,
                "name": line.name,
                "from": line.from_id,
                "to": line.to and line.to.username,
                "why": line.why and _why(line),
                "verdicts": [verdict(said) for said in line.verdicts],
            }
            for line in lines
        ]
    }


def _why(line: handing.Line) -> str:
    """What is against the person wished for, in the reader's language."""
    return gettext("；").join(verdict(said)["message"] for said in line.verdicts) if line.verdicts else fact(line.why)
