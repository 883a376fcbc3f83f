"""Waivers for programs: ask for one after a refusal, decide, and read the register; and why somebody cannot take a task."""

import marshmallow as ma

from engine import explaining, waivers as register
from engine.commands import waivers as commands
from webapp.api import answers_working as answers
from webapp.api.shared import KEYED, Page, Schema, Text, blueprint, from_cursor, idempotency_key, instant, page_of
from webapp.auth import actor, command, session, system
from webapp.errors import verdict
from webapp.i18n import named, now
from webapp.waivers.wording import filters, obstacle_text, people_of

routes = blueprint("waivers", "豁免 · waivers")


class Wanted(Page):
    """Which waivers."""

    view = ma.fields.Str(
        load_default="all",
        validate=ma.validate.OneOf(("all", "waiting")),
        metadata={"description": "waiting: those that one has to decide, all on one page"},
    )
    status = ma.fields.Str(load_default=None, validate=ma.validate.OneOf(register.STATUSES))
    rule = Text(load_default=None, validate=ma.validate.Length(max=80))
    station = Text(load_default=None, validate=ma.validate.Length(max=32), metadata={"description": "key of a unit"})
    instance = Text(load_default=None, validate=ma.validate.Length(max=32), metadata={"description": "id of a case"})


class Counted(Schema):
    """Which waivers are counted."""

    rule = Text(load_default=None, validate=ma.validate.Length(max=80))
    station = Text(load_default=None, validate=ma.validate.Length(max=32), metadata={"description": "key of a unit"})


class WaiverRequest(Schema):
    """What somebody asks for, after they were refused. `task`, or `instance` where it was at no task."""

    rule = Text(required=True, validate=ma.validate.Length(min=1, max=80))
    reason = Text(required=True)
    task = Text(load_default=None, allow_none=True, validate=ma.validate.Length(max=32))
    instance = Text(load_default=None, allow_none=True, validate=ma.validate.Length(max=32))
    person = Text(
        load_default=None,
        allow_none=True,
        validate=ma.validate.Length(max=40),
        metadata={"description": "username of who was stopped; oneself if missing"},
    )
    whole_case = ma.fields.Bool(load_default=False, metadata={"description": "not for this task alone"})


class WaiverReason(Schema):
    """Why."""

    reason = Text(required=True)


class WaiverGrant(WaiverReason):
    """Why, and until the end of which day."""

    until = Text(load_default=None, allow_none=True, metadata={"description": "ISO 8601 date; without it the parameter `waiver_days` counts"})


class About(Schema):
    """Whom an explanation is about."""

    person = Text(load_default=None, validate=ma.validate.Length(max=40), metadata={"description": "username; for who dispatches at the place"})


@routes.route("/waivers", methods=["GET"])
@routes.arguments(Wanted(), location="query")
@routes.response(200, answers.page(answers.Waiver, "Waivers"))
def index(wanted: dict):
    """One's own, and for whoever decides or audits those of their place; the newest first."""
    if wanted["view"] == "waiting":
        lines, following = register.waiting(session(), system().vault, actor()), None
    else:
        chosen = filters(wanted["status"], wanted["rule"], wanted["station"]) | {"instance_id": wanted["instance"]}
        page = {"cursor": from_cursor(wanted["cursor"]), "limit": wanted["limit"]}
        lines, following = register.register(session(), system().vault, actor(), now(), **chosen, **page)
    people = people_of(lines)
    return page_of([_line(line, people) for line in lines], following)


@routes.route("/waivers/counts", methods=["GET"])
@routes.arguments(Counted(), location="query")
@routes.response(200, answers.WaiverCounts)
def counts(wanted: dict):
    """How many there are of each rule, by status."""
    chosen = filters(None, wanted["rule"], wanted["station"])
    chosen.pop("status")
    found = register.counts(session(), actor(), now(), **chosen)
    return {"items": [{"rule": rule, **{status: number[status] for status in register.STATUSES}} for rule, number in found.items()]}


@routes.route("/waivers", methods=["POST"])
@routes.doc(**KEYED)
@routes.arguments(WaiverRequest())
@routes.response(201, answers.WaiverChanged)
def ask(body: dict):
    """Ask for a waiver. 409 if nobody was refused, the rule cannot be waived, or it was asked for already."""
    return command(
        commands.ask,
        body["rule"],
        body["reason"],
        body["task"],
        body["instance"],
        body["person"],
        body["whole_case"],
        key=idempotency_key(),
    )


@routes.route("/waivers/<waiver_id>/grant", methods=["POST"])
@routes.doc(**KEYED)
@routes.arguments(WaiverGrant())
@routes.response(200, answers.WaiverChanged)
def grant(body: dict, waiver_id: str):
    """Let them go past the rule until the end of a day."""
    return command(commands.grant, waiver_id, body["reason"], body["until"], key=idempotency_key())


@routes.route("/waivers/<waiver_id>/refuse", methods=["POST"])
@routes.doc(**KEYED)
@routes.arguments(WaiverReason())
@routes.response(200, answers.WaiverChanged)
def refuse(body: dict, waiver_id: str):
    """Do not."""
    return command(commands.refuse, waiver_id, body["reason"], key=idempotency_key())


@routes.route("/waivers/<waiver_id>/revoke", methods=["POST"])
@routes.doc(**KEYED)
@routes.arguments(WaiverReason())
@routes.response(200, answers.WaiverChanged)
def revoke(body: dict, waiver_id: str):
    """Take back what was granted."""
    return command(commands.revoke, waiver_id, body["reason"], key=idempotency_key())


@routes.route("/waivers/<waiver_id>/withdraw", methods=["POST"])
@routes.doc(**KEYED)
@routes.response(200, answers.WaiverChanged)
def withdraw(waiver_id: str):
    """Take one's own request back."""
    return command(commands.withdraw, waiver_id, key=idempotency_key())


@routes.route("/tasks/<task_id>/explanation", methods=["GET"])
@routes.arguments(About(), location="query")
@routes.response(200, answers.Explanation)
def explanation(wanted: dict, task_id: str):
    """Why one cannot take a task, with every rule that stops one, the facts, what would make it pass and who can waive it. Changes nothing."""
    found = explaining.explain(system(), session(), actor(), task_id, now(), wanted["person"])
    return {
        "task": task_id,
        "person": _person(found.person),
        "possible": found.possible,
        "held": found.held,
        "obstacles": [{"code": each.code, "message": obstacle_text(each)} for each in found.obstacles],
        "regulations": [_block(each) for each in found.blocks],
    }


def _block(block: explaining.Block) -> dict:
    waiver = block.waiver
    return verdict(block.verdict) | {
        "name": block.name,
        "deciders": [_person(each) for each in block.deciders],
        "waiver": {"id": waiver.id, "status": waiver.status_at(now()), "expires_at": instant(waiver.expires_at)} if waiver else None,
        "askable": block.askable,
    }


def _person(person) -> dict:
    return {"id": person.person_id, "name": person.name}


def _named(people: dict[str, str], person_id: str | None) -> dict | None:
    return {"id": person_id, "name": people.get(person_id, "")} if person_id else None


def _line(line: register.Line, people: dict[str, str]) -> dict:
    waiver, told = line.waiver, line.told or {}
    return {
        "id": waiver.id,
        "status": waiver.status_at(now()),
        "rule": waiver.rule,
        "table": waiver.regulation,
        "message": named(told, "message", "message_en") or None,
        "facts": told.get("facts") or {},
        "reason": told.get("reason"),
        "answer": told.get("answer"),
        "waivable_by": waiver.waivable_by,
        "person": _named(people, waiver.person_id),
        "asked_by": _named(people, waiver.asked_by),
        "asked_at": instant(waiver.asked_at),
        "decided_by": _named(people, waiver.decided_by),
        "decided_at": instant(waiver.decided_at),
        "expires_at": instant(waiver.expires_at),
        "instance": {
            "id": line.instance.id,
            "number": line.instance.number,
            "definition": line.instance.definition_key,
            "place": line.instance.place_path.rsplit("/", 1)[-1],
        },
        "task": waiver.task_id,
    }
