"""Going out for programs: report, stay longer, come back; who is out; what waits to be dealt with."""

import marshmallow as ma

from engine.commands import alerts as alert_commands, outings as commands
from engine.registers import alerts, outings
from webapp.api import answers_working as answers
from webapp.api.shared import KEYED, Schema, Text, blueprint, idempotency_key, instant
from webapp.auth import actor, command, session, system
from webapp.errors import verdict

routes = blueprint("outings", "外出报备 · going out")


class View(Schema):
    """Which list."""

    view = ma.fields.Str(load_default="mine", validate=ma.validate.OneOf(("mine", "place")))


class Trip(Schema):
    """An outing to report. The engine says what is wrong with it, field by field."""

    destination = Text(required=True)
    reason = Text(required=True)
    expected_return = Text(required=True, metadata={"description": "ISO 8601; without a zone it is the county's"})
    companions = ma.fields.List(Text(), load_default=list, metadata={"description": "usernames"})
    task = Text(load_default=None, allow_none=True, metadata={"description": "id of the task it is for"})
    instance = Text(load_default=None, allow_none=True, metadata={"description": "id of the case it is for"})
    leaves = ma.fields.Bool(load_default=True, metadata={"description": "false: only planned"})


class Later(Schema):
    """A new time of return."""

    expected_return = Text(required=True, metadata={"description": "ISO 8601; without a zone it is the county's"})


class Note(Schema):
    """What was done."""

    note = Text(required=True)


@routes.route("/outings", methods=["GET"])
@routes.arguments(View(), location="query")
@routes.response(200, answers.Outings)
def index(wanted: dict):
    """Open outings: `mine`, or all of the `place` one watches over, the most overdue first."""
    found = outings.at_place if wanted["view"] == "place" else outings.mine
    return {"items": [_summary(line) for line in found(session(), system().vault, actor())]}


@routes.route("/outings", methods=["POST"])
@routes.doc(**KEYED)
@routes.arguments(Trip())
@routes.response(201, answers.OutingChanged)
def report(body: dict):
    """Report an outing. 409 names the regulation that lets nobody go like this."""
    return command(commands.report, body, key=idempotency_key())


@routes.route("/outings/<outing_id>/leave", methods=["POST"])
@routes.doc(**KEYED)
@routes.response(200, answers.OutingChanged)
def leave(outing_id: str):
    """A planned outing begins."""
    return command(commands.leave, outing_id, key=idempotency_key())


@routes.route("/outings/<outing_id>/extend", methods=["POST"])
@routes.doc(**KEYED)
@routes.arguments(Later())
@routes.response(200, answers.OutingChanged)
def extend(body: dict, outing_id: str):
    """Back later; alarms are counted from the new time."""
    return command(commands.extend, outing_id, body["expected_return"], key=idempotency_key())


@routes.route("/outings/<outing_id>/return", methods=["POST"])
@routes.doc(**KEYED)
@routes.response(200, answers.OutingChanged)
def come_back(outing_id: str):
    """Everybody is back, safe."""
    return command(commands.come_back, outing_id, key=idempotency_key())


@routes.route("/outings/<outing_id>/cancel", methods=["POST"])
@routes.doc(**KEYED)
@routes.response(200, answers.OutingChanged)
def cancel(outing_id: str):
    """A planned outing does not take place."""
    return command(commands.cancel, outing_id, key=idempotency_key())


@routes.route("/alerts", methods=["GET"])
@routes.response(200, answers.Alerts)
def waiting():
    """What a regulation says one has to do now; for a supervisor also what the leads have to do."""
    return {"items": [_alert(line) for line in alerts.waiting(session(), system().vault, actor(), whole=True)]}


@routes.route("/alerts/<alert_id>/acknowledge", methods=["POST"])
@routes.doc(**KEYED)
@routes.arguments(Note())
@routes.response(200, answers.Id)
def acknowledge(body: dict, alert_id: str):
    """Say what was done about it."""
    return command(alert_commands.acknowledge, alert_id, body["note"], key=idempotency_key())


def _summary(line: outings.Line) -> dict:
    outing = line.outing
    return {
        "id": outing.id,
        "status": outing.status,
        "destination": line.destination,
        "reason": line.reason,
        "people": [{"id": person_id, "name": name} for person_id, name in line.members.items()],
        "instance": outing.instance_id,
        "task": outing.task_id,
        "place": outing.place_path.rsplit("/", 1)[-1],
        "left_at": instant(outing.left_at),
        "expected_return": instant(outing.expected_return),
    }


def _alert(line: alerts.Line) -> dict:
    alert = line.alert
    told = verdict(line.told)
    return {
        "id": alert.id,
        "rule": alert.rule,
        "notify": alert.notify,
        "message": told["message"],
        "hint": told["hint"],
        "source": told["source"],
        "facts": told["facts"],
        "outing": alert.about("outing"),
        "instance": alert.about("instance"),
        "place": alert.place_path.rsplit("/", 1)[-1],
        "raised_at": instant(alert.raised_at),
        "due_at": instant(alert.due_at),
    }
