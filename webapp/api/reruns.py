"""“What would this change have done?” for programs: ask, look, call off."""

import marshmallow as ma

from engine.commands import reruns as commands
from engine.reruns import requests
from webapp.api import answers_working as answers
from webapp.api.shared import KEYED, Schema, Text, blueprint, idempotency_key, instant
from webapp.auth import command, session, system
from webapp.reruns.views import request_of, visible_cases

routes = blueprint("reruns", "重算 · reruns")
DAY = {"description": "ISO 8601 date, included; from the first or to the last decision without it"}


class RerunOf(Schema):
    """Which table is to decide again, and what."""

    key = Text(required=True, validate=ma.validate.Length(min=1, max=100))
    number = ma.fields.Int(required=True, strict=True, validate=ma.validate.Range(1, 1_000_000))
    decision = Text(load_default=None, allow_none=True, metadata={"description": "id of the table, where the version has several"})
    since = Text(load_default=None, allow_none=True, metadata=DAY)
    until = Text(load_default=None, allow_none=True, metadata=DAY)


@routes.route("/reruns", methods=["POST"])
@routes.doc(**KEYED)
@routes.arguments(RerunOf())
@routes.response(201, answers.RerunAsked)
def start(body: dict):
    """Have past decisions made again by a version's table. The worker does it; ask how it stands by its id."""
    return command(commands.start, body["key"], body["number"], body["since"], body["until"], body["decision"], key=idempotency_key())


@routes.route("/reruns/<rerun_id>", methods=["GET"])
@routes.response(200, answers.Rerun)
def detail(rerun_id: str):
    """How a rerun stands and what it found so far. Of cases, those one may see."""
    found = requests.read(session(), system().county_id, rerun_id)
    outcome = found.found
    seen = visible_cases(outcome.cases)
    shown = [
        {name: each[name] for name in ("at", "points", "before", "after")} | {"instance": each["instance"] if each["instance"] in seen else None}
        for each in outcome.shown
    ]
    counts = {name: getattr(outcome, name) for name in ("seen", "total", "decisions", "changed", "erased", "failed", "unknowable", "more_cases")}
    when = {name: instant(getattr(found, name)) for name in ("since", "until", "requested_at", "ended_at")}
    unknown = {row: sorted(names) for row, names in outcome.unknown.items()}
    return request_of(found) | when | counts | {"rules": outcome.rules(), "cases": sorted(seen), "decided": shown, "unknown": unknown}


@routes.route("/reruns/<rerun_id>/cancel", methods=["POST"])
@routes.doc(**KEYED)
@routes.response(200, answers.RerunAsked)
def cancel(rerun_id: str):
    """Call it off; what it found so far stays."""
    return command(commands.cancel, rerun_id, key=idempotency_key())
