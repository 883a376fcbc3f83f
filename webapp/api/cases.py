"""Cases for programs: start, read, follow, cancel, repair."""

import marshmallow as ma

from engine import calls, definitions, feel, instances, operations, permissions
from engine.commands import instances as commands
from engine.exceptions import InvalidRequest, NotFound
from engine.instances import ACTIVE, INCIDENT, Instance
from engine.workflow import Case
from webapp.api import answers
from webapp.api.shared import KEYED, Page, Schema, Text, blueprint, from_cursor, idempotency_key, instant, page_of
from webapp.api.tasks import task_summary
from webapp.auth import actor, command, session, system
from webapp.cases.views import note_look
from webapp.places import places

routes = blueprint("instances", "个案 · cases")


class Start(Schema):
    """A new case. `data: {}` opens the first form; answers to it complete it at once, checked as if typed."""

    definition = Text(required=True, validate=ma.validate.Length(max=100))
    data = ma.fields.Dict(keys=ma.fields.Str(), load_default=dict)
    place = Text(load_default=None, allow_none=True, validate=ma.validate.Length(max=32), metadata={"description": "unit key, e.g. station-01"})
    client = Text(load_default=None, allow_none=True, validate=ma.validate.Length(max=32), metadata={"description": "id of the client"})


class Wanted(Page):
    """Which cases."""

    status = ma.fields.Str(load_default=None, validate=ma.validate.OneOf(["active", "incident", "completed", "cancelled"]))
    definition = Text(load_default=None)
    place = Text(load_default=None, metadata={"description": "key of a station"})
    client = Text(load_default=None)


class Reason(Schema):
    """Why; it stays in the history."""

    reason = Text(required=True, validate=ma.validate.Length(min=1, max=1000))


@routes.route("/instances", methods=["POST"])
@routes.doc(**KEYED)
@routes.arguments(Start())
@routes.response(201, answers.Started)
def start(body: dict):
    """Start a case of the published version at a place (default: one's own unit)."""
    return command(commands.start, body["definition"], body["data"], body["place"], body["client"], key=idempotency_key())


@routes.route("/instances", methods=["GET"])
@routes.arguments(Wanted(), location="query")
@routes.response(200, answers.page(answers.Case, "Cases"))
def index(wanted: dict):
    """Cases that one may see, newest first."""
    station = None
    if wanted["place"]:
        place = places().by_key.get(wanted["place"])
        if place is None or place.kind != "station":
            raise NotFound(what="单位", key=wanted["place"])
        station = place.id
    found, following = instances.cases(
        session(),
        actor(),
        status=wanted["status"],
        definition=wanted["definition"],
        client_id=wanted["client"],
        station_id=station,
        cursor=from_cursor(wanted["cursor"]),
        limit=wanted["limit"],
    )
    return page_of([summary(each) for each in found], following)


@routes.route("/instances/<instance_id>", methods=["GET"])
@routes.response(200, answers.CaseDetail)
def detail(instance_id: str):
    """One case: status, open tasks, timers, incidents, and its variables for those who may see them (looking leaves a line in the access stream)."""
    note_look(instance_id)
    opened = instances.open_instance(system(), session(), actor(), instance_id)
    compiled = definitions.compiled(system(), session(), opened.instance.version_id)
    running = Case.restore(compiled.process, opened.state["case"])
    data = feel.to_plain(running.variables()) if permissions.may(actor(), "client:read") else None
    return summary(opened.instance) | {
        "tasks": [task_summary(task, compiled) for task in instances.tasks_of(session(), instance_id)],
        "timers": [
            {"element": timer.element, "due_at": instant(timer.due_at), "provisional": timer.provisional}
            for timer in instances.timers_of(session(), instance_id)
        ],
        "waits": [
            {"element": wait.element, "kind": wait.trigger, "name": wait.name, "since": instant(wait.opened_at)}
            for wait in operations.waits_of(session(), instance_id)
        ],
        "jobs": [
            {"id": job.id, "element": job.element, "type": job.type, "retries": job.retries, "lease_until": instant(job.lease_until)}
            for job in operations.jobs_of(session(), instance_id)
        ],
        "calls": [_called(link, child) for link, child in calls.called_by(session(), instance_id)],
        "caller": _caller(instance_id),
        "incidents": [
            {
                "token": each.token,
                "element": each.element.id if each.element else None,
                "code": each.code,
                "message": each.message,
                "since": instant(each.since),
            }
            for each in running.incidents()
        ],
        "data": data,
    }


@routes.route("/instances/<instance_id>/history", methods=["GET"])
@routes.arguments(Page(), location="query")
@routes.response(200, answers.page(answers.Event, "History"))
def history(wanted: dict, instance_id: str):
    """The events of a case in order, each with its hash; `data` is null where it is erased or not for this reader."""
    cursor = from_cursor(wanted["cursor"]) or "0"
    if not cursor.isdigit() or len(cursor) > 12:
        raise InvalidRequest(field="cursor", reason="不是上一页给出的游标")
    after = int(cursor)
    lines, following = instances.history(system(), session(), actor(), instance_id, after, wanted["limit"])
    if not permissions.may(actor(), "client:read"):
        lines = [line | {"data": None} for line in lines]
    return page_of(lines, following)


@routes.route("/instances/<instance_id>/cancel", methods=["POST"])
@routes.doc(**KEYED)
@routes.arguments(Reason())
@routes.response(200, answers.Started)
def cancel(body: dict, instance_id: str):
    """End a case early."""
    return command(commands.cancel, instance_id, body["reason"], key=idempotency_key())


@routes.route("/instances/<instance_id>/retry", methods=["POST"])
@routes.doc(**KEYED)
@routes.response(200, answers.Started)
def retry(instance_id: str):
    """Try every failed step of a case again."""
    return command(commands.retry, instance_id, key=idempotency_key())


def _called(link, child: Instance) -> dict:
    return {"id": child.id, "number": child.number, "definition": child.definition_key, "status": child.status, "token": link.parent_token}


def _caller(instance_id: str) -> str | None:
    link = calls.caller_of(session(), instance_id)
    return link.parent_id if link else None


def summary(instance: Instance) -> dict:
    """What every reader of a case may see in a list."""
    return {
        "id": instance.id,
        "number": instance.number,
        "status": instance.status,
        "definition": instance.definition_key,
        "version": instance.version_number,
        "place": instance.place_path.rsplit("/", 1)[-1],
        "client": instance.client_id,
        "started_at": instant(instance.started_at),
        "ended_at": instant(instance.ended_at),
        "open": instance.status in (ACTIVE, INCIDENT),
    }
