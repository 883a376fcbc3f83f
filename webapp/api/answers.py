"""What the API answers, written down for `/openapi.json`. Nothing is filtered by these: the routes build exactly what is described here,
and tests/fuzz holds them to it."""

import marshmallow as ma

from webapp.api.shared import Anything

STATUSES = ["active", "incident", "completed", "cancelled"]
TASK_STATUSES = ["offered", "claimed", "completed", "cancelled"]


class Answer(Anything):
    """An answer with these fields and no others."""

    class Meta:
        """Closed, so that a field nobody described is found."""

        unknown = ma.RAISE


def _text(**more):
    return ma.fields.Str(required=True, **more)


def _maybe(**more):
    return ma.fields.Str(required=True, allow_none=True, **more)


def _moment(**more):
    return ma.fields.DateTime(required=True, metadata={"description": "RFC 3339"}, **more)


def _one_of(words, **more):
    return ma.fields.Str(required=True, validate=ma.validate.OneOf(words), **more)


def _list_of(schema):
    return ma.fields.List(ma.fields.Nested(schema), required=True)


def page(schema: type[ma.Schema], name: str) -> type[ma.Schema]:
    """A list's answer: `items`, and `next` for the page after it."""
    following = ma.fields.Str(required=True, allow_none=True, metadata={"description": "pass it as `cursor`; null at the end"})
    return type(name, (Answer,), {"items": _list_of(schema), "next": following})


# --- signing in -----------------------------------------------------------------------------------------------------


class Token(Answer):
    """A bearer token; it is shown once."""

    token = _text()
    token_type = _one_of(["Bearer"])
    expires_at = _moment()


class Me(Answer):
    """Who a token belongs to."""

    id = _text()
    username = _text()
    name = _text()
    roles = ma.fields.List(ma.fields.Str(), required=True)
    workforce = _maybe()
    partner = _maybe()
    unit = _text(metadata={"description": "key of a unit"})


# --- definitions ----------------------------------------------------------------------------------------------------


class Version(Answer):
    """One version of a definition."""

    number = ma.fields.Int(required=True)
    status = _one_of(["draft", "published", "withdrawn"])
    deployed_at = _moment()
    published_at = _moment(allow_none=True)


class Definition(Answer):
    """A procedure or a regulation; `published` is the number that new cases use."""

    key = _text()
    kind = _one_of(["procedure", "regulation"])
    name = _text()
    published = ma.fields.Int(required=True, allow_none=True)
    versions = _list_of(Version)


class Deployed(Answer):
    """A new draft."""

    key = _text()
    number = ma.fields.Int(required=True)
    id = _text()
    kind = _one_of(["procedure", "regulation"])
    name = _text()


class Published(Answer):
    """A version with its new status."""

    key = _text()
    number = ma.fields.Int(required=True)
    id = _text()
    status = _one_of(["published", "withdrawn"])


# --- cases and tasks ------------------------------------------------------------------------------------------------


class NewTask(Answer):
    """A task that an act opened."""

    id = _text()
    element = _text()
    status = _one_of(TASK_STATUSES)


class Started(Answer):
    """A case after an act, with the tasks the act opened."""

    id = _text()
    number = _text()
    status = _one_of(STATUSES)
    tasks = _list_of(NewTask)


class Case(Answer):
    """What every reader of a case may see."""

    id = _text()
    number = _text()
    status = _one_of(STATUSES)
    definition = _text()
    version = ma.fields.Int(required=True)
    place = _text(metadata={"description": "key of a unit"})
    client = _maybe()
    started_at = _moment()
    ended_at = _moment(allow_none=True)
    open = ma.fields.Bool(required=True)


class CaseBrief(Answer):
    """The case of a task."""

    id = _text()
    number = _text()
    status = _one_of(STATUSES)
    definition = _text()
    place = _text()


class TaskOnly(Answer):
    """A task without its form."""

    id = _text()
    status = _one_of(TASK_STATUSES)
    element = _text()
    name = _text()
    name_en = _maybe()
    groups = ma.fields.List(ma.fields.Str(), required=True)
    holder = _maybe()
    mine = ma.fields.Bool(required=True)
    offered_at = _moment()
    claimed_at = _moment(allow_none=True)
    due_at = _moment(allow_none=True)
    due_provisional = ma.fields.Bool(required=True)
    priority = ma.fields.Int(required=True)


class Task(TaskOnly):
    """A task in a list."""

    instance = ma.fields.Nested(CaseBrief, required=True)


class TaskDetail(Task):
    """A task with everything needed to complete it."""

    form = ma.fields.Dict(required=True, allow_none=True, metadata={"description": "the form-js schema, null where there is no form"})
    data = ma.fields.Dict(required=True, metadata={"description": "what fills the form now"})


class TaskCase(Answer):
    """The case of a task after an act."""

    id = _text()
    status = _one_of(STATUSES)


class TaskChanged(Answer):
    """A task after an act."""

    id = _text()
    status = _one_of(TASK_STATUSES)
    instance = ma.fields.Nested(TaskCase, required=True)


class TaskCompleted(TaskChanged):
    """A completed task, and the tasks that come after it."""

    tasks = _list_of(NewTask)


class Timer(Answer):
    """What a case waits for."""

    element = _text()
    due_at = _moment()
    provisional = ma.fields.Bool(required=True)


class Wait(Answer):
    """A message or signal that a case waits for."""

    element = _text()
    kind = _text()
    name = _text()
    since = _moment()


class Job(Answer):
    """A job that a program is to do for a case."""

    id = _text()
    element = _text()
    type = _text()
    retries = ma.fields.Int(required=True)
    lease_until = _moment(allow_none=True)


class Call(Answer):
    """A case that this one called."""

    id = _text()
    number = _text()
    definition = _text()
    status = _one_of(STATUSES)
    token = ma.fields.Int(required=True, allow_none=True)


class Incident(Answer):
    """Where a case stands still, and why."""

    token = ma.fields.Int(required=True)
    element = _maybe()
    code = _text()
    message = _text()
    since = _moment()


class CaseDetail(Case):
    """One case; `data` is null for those who may not read about clients."""

    tasks = _list_of(TaskOnly)
    timers = _list_of(Timer)
    waits = _list_of(Wait)
    jobs = _list_of(Job)
    calls = _list_of(Call)
    caller = _maybe(metadata={"description": "id of the case that called this one"})
    incidents = _list_of(Incident)
    data = ma.fields.Dict(required=True, allow_none=True)


class Event(Answer):
    """One event of a history."""

    seq = ma.fields.Int(required=True)
    kind = _text()
    actor_id = _maybe()
    occurred_at = _moment()
    recorded_at = _moment()
    facts = ma.fields.Dict(required=True)
    data = ma.fields.Raw(required=True, allow_none=True, metadata={"description": "null where it is erased or not for this reader"})
    hash = _text()


# --- people served --------------------------------------------------------------------------------------------------


class ClientBrief(Answer):
    """A person in a list."""

    id = _text()
    name = _text()
    birth_date = ma.fields.Date(required=True, allow_none=True)
    categories = ma.fields.List(ma.fields.Str(), required=True)
    place = _text()
    household = _maybe()


class ClientRecord(Answer):
    """One person's record."""

    id = _text()
    name = _text()
    birth_date = ma.fields.Date(required=True, allow_none=True)
    gender = _maybe()
    id_number = _maybe()
    phone = _maybe()
    address = _maybe()
    categories = ma.fields.List(ma.fields.Str(), required=True)
    household_id = _maybe()
    unit_id = _text()
    unit_key = _text()
    unit_path = _text()
    unit_name = _text()
    station_id = _text()
    version = ma.fields.Int(required=True)


class Registered(Answer):
    """A new person."""

    id = _text()
    household_id = _text()
