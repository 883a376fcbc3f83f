"""Jobs for programs: fetch some for a while, say what came of each. A lease that runs out gives the job back."""

import marshmallow as ma

from engine import jobs
from engine.commands import jobs as commands
from webapp.api import answers_working as answers
from webapp.api.shared import KEYED, Schema, Text, blueprint, idempotency_key
from webapp.auth import command

routes = blueprint("jobs", "作业 · jobs")
WORKER = {"description": "what the program calls itself; the same name says what came of the job"}


class Wanted(Schema):
    """Which jobs to fetch."""

    type = Text(required=True, validate=ma.validate.Length(1, 200))
    worker = Text(required=True, validate=ma.validate.Length(1, 100), metadata=WORKER)
    lease = ma.fields.Int(
        load_default=300, strict=True, validate=ma.validate.Range(1, int(jobs.LONGEST_LEASE.total_seconds())), metadata={"description": "seconds"}
    )
    max = ma.fields.Int(load_default=1, strict=True, validate=ma.validate.Range(1, jobs.MOST))
    variables = ma.fields.List(
        ma.fields.Str(), load_default=None, allow_none=True, metadata={"description": "only these (default: all that the element sees)"}
    )


class Done(Schema):
    """A job is done."""

    worker = Text(required=True, metadata=WORKER)
    variables = ma.fields.Dict(keys=ma.fields.Str(), load_default=dict)


class Failed(Schema):
    """A job could not be done."""

    worker = Text(required=True, metadata=WORKER)
    message = Text(required=True, metadata={"description": "for the operator; kept sealed"})
    retries = ma.fields.Int(load_default=None, allow_none=True, strict=True, metadata={"description": "how often it may still fail; 0: an incident"})
    backoff = ma.fields.Int(load_default=None, allow_none=True, strict=True, metadata={"description": "seconds until it is offered again"})


class Outcome(Schema):
    """A job ended in an error that the diagram provides for."""

    worker = Text(required=True, metadata=WORKER)
    code = Text(required=True, validate=ma.validate.Length(1, 200))
    variables = ma.fields.Dict(keys=ma.fields.Str(), load_default=dict)


@routes.route("/jobs/activate", methods=["POST"])
@routes.doc(**KEYED)
@routes.arguments(Wanted())
@routes.response(200, answers.GivenJobs)
def activate(body: dict):
    """Fetch jobs of a type; nobody else gets them before their lease is over."""
    values = body["type"], body["worker"], body["lease"], body["max"], body["variables"]
    return command(commands.activate, *values, key=idempotency_key())


@routes.route("/jobs/<job_id>/complete", methods=["POST"])
@routes.doc(**KEYED)
@routes.arguments(Done())
@routes.response(200, answers.JobOutcome)
def complete(body: dict, job_id: str):
    """It is done; the case goes on with the variables."""
    return command(commands.complete, job_id, body["worker"], body["variables"], key=idempotency_key())


@routes.route("/jobs/<job_id>/fail", methods=["POST"])
@routes.doc(**KEYED)
@routes.arguments(Failed())
@routes.response(200, answers.JobOutcome)
def fail(body: dict, job_id: str):
    """It could not be done: offered again later, or an incident when no retries are left."""
    return command(commands.fail, job_id, body["worker"], body["message"], body["retries"], body["backoff"], key=idempotency_key())


@routes.route("/jobs/<job_id>/error", methods=["POST"])
@routes.doc(**KEYED)
@routes.arguments(Outcome())
@routes.response(200, answers.JobOutcome)
def throw_error(body: dict, job_id: str):
    """An error event of the diagram with this code goes on instead."""
    return command(commands.throw_error, job_id, body["worker"], body["code"], body["variables"], key=idempotency_key())
