"""For operators: what waits for a time, a message, a program or its delivery; cases that cannot go on; and what is done by hand."""

import marshmallow as ma

from engine import operations
from engine.commands import deliveries as carrying, operations as commands
from webapp.api import answers, answers_working
from webapp.api.cases import summary
from webapp.api.shared import KEYED, Page, Schema, Text, blueprint, from_cursor, idempotency_key, instant, page_of
from webapp.auth import actor, command, session, system
from webapp.i18n import now

routes = blueprint("operations", "运行 · operations")


class Moved(Schema):
    """Why a case is moved on by hand, and which way."""

    reason = Text(required=True, validate=ma.validate.Length(min=1, max=1000))
    flow = Text(load_default=None, allow_none=True, metadata={"description": "id of the way, where the diagram leaves a choice"})


class Corrected(Schema):
    """Variables to be written: JSON values, or FEEL expressions that see what is there."""

    reason = Text(required=True, validate=ma.validate.Length(min=1, max=1000))
    variables = ma.fields.Dict(keys=ma.fields.Str(), load_default=dict)
    expressions = ma.fields.Dict(keys=ma.fields.Str(), values=ma.fields.Str(), load_default=dict)
    token = ma.fields.Int(load_default=None, allow_none=True, strict=True, metadata={"description": "the scope (default: the case)"})


@routes.route("/incidents", methods=["GET"])
@routes.route("/operations/incidents", methods=["GET"])
@routes.arguments(Page(), location="query")
@routes.response(200, answers.page(answers_working.Trouble, "Incidents"))
def incidents(wanted: dict):
    """Cases that stand on an incident, newest first; `incident` is the latest, `incidents` are all."""
    found, following = operations.incidents(system(), session(), actor(), from_cursor(wanted["cursor"]), wanted["limit"])
    return page_of([_trouble(each) for each in found], following)


@routes.route("/operations/timers", methods=["GET"])
@routes.arguments(Page(), location="query")
@routes.response(200, answers.page(answers_working.WaitingTimer, "WaitingTimers"))
def timers(wanted: dict):
    """Waiting timers, soonest first."""
    found, following = operations.timers(session(), actor(), from_cursor(wanted["cursor"]), wanted["limit"])
    items = [
        _place(case) | {"timer": t.timer, "element": t.element, "due_at": instant(t.due_at), "next_at": instant(t.next_at), "attempts": t.attempts}
        for t, case in found
    ]
    return page_of(items, following)


@routes.route("/operations/messages", methods=["GET"])
@routes.arguments(Page(), location="query")
@routes.response(200, answers_working.WaitingMessages)
def waits(wanted: dict):
    """Waits for messages and signals, the oldest first; the first page also tells the messages that are kept (`kept`)."""
    cursor = from_cursor(wanted["cursor"])
    found, following = operations.waits(session(), actor(), cursor, wanted["limit"])
    items = [_place(case) | {"kind": w.trigger, "name": w.name, "element": w.element, "since": instant(w.opened_at)} for w, case in found]
    kept = [] if cursor else operations.kept_messages(session(), actor(), now(), limit=wanted["limit"])[0]
    told = [{"id": m.id, "name": m.name, "since": instant(m.published_at), "expires_at": instant(m.expires_at)} for m in kept]
    return page_of(items, following) | {"kept": told}


@routes.route("/operations/jobs", methods=["GET"])
@routes.arguments(Page(), location="query")
@routes.response(200, answers.page(answers_working.WaitingJob, "WaitingJobs"))
def jobs(wanted: dict):
    """Jobs that wait or are being done, the one due first."""
    found, following = operations.waiting_jobs(session(), actor(), from_cursor(wanted["cursor"]), wanted["limit"])
    items = [
        _place(case)
        | {"id": job.id, "type": job.type, "element": job.element, "retries": job.retries, "next_at": instant(job.next_at)}
        | {"worker": job.worker, "lease_until": instant(job.lease_until)}
        for job, case in found
    ]
    return page_of(items, following)


@routes.route("/operations/deliveries", methods=["GET"])
@routes.arguments(Page(), location="query")
@routes.response(200, answers.page(answers_working.Delivery, "Deliveries"))
def deliveries(wanted: dict):
    """What cases have for one another that is not carried out yet; without `next_at` it has failed too often."""
    found, following = operations.waiting_deliveries(session(), actor(), from_cursor(wanted["cursor"]), wanted["limit"])
    items = [
        {"id": d.id, "kind": d.kind, "from": d.source_id, "to": d.target_id, "since": instant(d.created_at), "next_at": instant(d.next_at)}
        | {"attempts": d.attempts, "error": d.error}
        for d in found
    ]
    return page_of(items, following)


@routes.route("/operations/deliveries/<delivery_id>/retry", methods=["POST"])
@routes.doc(**KEYED)
@routes.response(200, answers_working.Id)
def retry(delivery_id: str):
    """Try again now what has failed."""
    return command(carrying.retry_delivery, delivery_id, key=idempotency_key())


@routes.route("/instances/<instance_id>/tokens/<int(max=1000000000):token>/move", methods=["POST"])
@routes.doc(**KEYED)
@routes.arguments(Moved())
@routes.response(200, answers_working.CaseMoved)
def move(body: dict, instance_id: str, token: int):
    """Let a case leave the element where this token waits or is stuck, as if it were done."""
    return command(commands.move_on, instance_id, token, body["reason"], body["flow"], key=idempotency_key())


@routes.route("/instances/<instance_id>/variables", methods=["PATCH"])
@routes.doc(**KEYED)
@routes.arguments(Corrected())
@routes.response(200, answers_working.CaseCorrected)
def correct(body: dict, instance_id: str):
    """Write variables by hand."""
    values = body["reason"], body["variables"], body["expressions"], body["token"]
    return command(commands.correct, instance_id, *values, key=idempotency_key())


def _trouble(each: operations.Trouble) -> dict:
    told = [fault | {"since": instant(fault["since"])} for fault in each.faults]
    return summary(each.instance) | {"incident": told[-1] if told else None, "incidents": told, "error": each.error}


def _place(case) -> dict:
    return {"instance": {"id": case.id, "number": case.number, "definition": case.definition_key, "place": case.place_path.rsplit("/", 1)[-1]}}
