"""What the API answers about dispatching (see `webapp.api.answers`)."""

import marshmallow as ma

from webapp.api import Verdict
from webapp.api.answers import Answer, Task, list_of, maybe, moment, one_of, page, text

Tasks = page(Task, "TasksToDispatch")


class RankingReason(Answer):
    """Why somebody stands where they stand."""

    code = text()
    text = text()


class Candidate(Answer):
    """Somebody who could do a task."""

    id = text()
    username = text()
    name = text()
    unit = maybe()
    open_cases = ma.fields.Int(required=True)
    reasons = list_of(RankingReason)
    fit = ma.fields.Dict(
        keys=ma.fields.Str(), values=ma.fields.Float(), required=True, metadata={"description": "criterion → 0 to 1, to be looked at; the order is not a sum"}
    )
    blocked = ma.fields.Bool(required=True)
    verdicts = list_of(Verdict)


class Candidates(Answer):
    """The best first; `revision`: of the task as it was looked at, to be given when somebody is sent."""

    items = list_of(Candidate)
    revision = ma.fields.Int(required=True)


class Planned(Answer):
    """What would become of a task; `to` is null where it stays."""

    task = text()
    number = text()
    name = text()
    to = maybe()
    why = maybe()
    verdicts = list_of(Verdict)


Planned._declared_fields["from"] = maybe()  # a word of the language


class Plan(Answer):
    """Task by task."""

    items = list_of(Planned)


class HandoverSummary(Answer):
    """A handover or reassignment."""

    id = text()
    kind = one_of(["absence", "reassignment"])
    status = one_of(["moving", "moved", "returning", "returned"])
    person = maybe()
    until = ma.fields.Date(required=True, allow_none=True)
    tasks = ma.fields.Int(required=True)
    begun_at = moment()


class Handovers(Answer):
    """The latest first."""

    items = list_of(HandoverSummary)


class HandedTask(Answer):
    """What became of a task; `outcome` is null until its turn."""

    task = text()
    to = text()
    outcome = ma.fields.Str(required=True, allow_none=True, validate=ma.validate.OneOf(["went", "stayed", "back", None]))
    code = maybe()


class Handover(HandoverSummary):
    """A handover with its tasks."""

    reason = text()
    lines = list_of(HandedTask)
