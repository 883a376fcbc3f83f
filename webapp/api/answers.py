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


def text(**more):
    """A field of text that is always there."""
    return ma.fields.Str(required=True, **more)


def maybe(**more):
    """Text or null."""
    return ma.fields.Str(required=True, allow_none=True, **more)


def moment(**more):
    """A time."""
    return ma.fields.DateTime(required=True, metadata={"description": "RFC 3339"}, **more)


def one_of(words, **more):
    """One of some words."""
    return ma.fields.Str(required=True, validate=ma.validate.OneOf(words), **more)


def list_of(schema, required: bool = True):
    """Any number of these."""
    return ma.fields.List(ma.fields.Nested(schema), required=required)


def page(schema: type[ma.Schema], name: str) -> type[ma.Schema]:
    """A list's answer: `items`, and `next` for the page after it."""
    following = ma.fields.Str(required=True, allow_none=True, metadata={"description": "pass it as `cursor`; null at the end"})
    return type(name, (Answer,), {"items": list_of(schema), "next": following})


# --- signing in -----------------------------------------------------------------------------------------------------


class Token(Answer):
    """A bearer token; it is shown once."""

    token = text()
    token_type = one_of(["Bearer"])
    expires_at = moment()


class Me(Answer):
    """Who a token belongs to."""

    id = text()
    username = text()
    name = text()
    roles = ma.fields.List(ma.fields.Str(), required=True)
    workforce = maybe()
    partner = maybe()
    unit = text(metadata={"description": "key of a unit"})


# --- definitions ----------------------------------------------------------------------------------------------------


class Version(Answer):
    """One version of a definition."""

    number = ma.fields.Int(required=True)
    status = one_of(["draft", "published", "withdrawn"])
    deployed_at = moment()
    published_at = moment(allow_none=True)


class Definition(Answer):
    """A procedure or a regulation; `published` is the number that new cases use."""

    key = text()
    kind = one_of(["procedure", "regulation"])
    name = text()
    published = ma.fields.Int(required=True, allow_none=True)
    versions = list_of(Version)


class Draft(Answer):
    """A new draft of one definition."""

    key = text()
    number = ma.fields.Int(required=True)
    id = text()
    kind = one_of(["procedure", "regulation"])
    name = text()


class Remark(Answer):
    """What a bundle's author may want to know; nothing keeps it from being deployed."""

    code = text()
    message = text(metadata={"description": "Chinese"})
    message_en = text()
    element = ma.fields.Str()
    file = ma.fields.Str()
    line = ma.fields.Int()
    column = ma.fields.Int()
    severity = one_of(["error", "warning"])


class Guard(Answer):
    """A rule that can speak about a task: at which check points, and with what effects."""

    rule = text()
    table = text()
    points = ma.fields.List(ma.fields.Str(), required=True)
    effects = ma.fields.List(ma.fields.Str(), required=True)


class Guarded(Answer):
    """A task with the rules in force that guard it."""

    element = text()
    name = text()
    rules = list_of(Guard)


class Deployed(Draft):
    """The first new draft of a bundle, all of them, what there is to remark, and which rules guard which task."""

    definitions = list_of(Draft)
    warnings = list_of(Remark)
    guards = list_of(Guarded)


class Published(Answer):
    """A version with its new status; of a published one the rules that guard its tasks, of a withdrawn one how many open cases that concerns."""

    key = text()
    number = ma.fields.Int(required=True)
    id = text()
    status = one_of(["published", "withdrawn"])
    guards = list_of(Guarded, required=False)
    open_cases = ma.fields.Int()


# --- cases and tasks ------------------------------------------------------------------------------------------------


class NewTask(Answer):
    """A task that an act opened."""

    id = text()
    element = text()
    status = one_of(TASK_STATUSES)


class Started(Answer):
    """A case after an act, with the tasks the act opened."""

    id = text()
    number = text()
    status = one_of(STATUSES)
    tasks = list_of(NewTask)


class Case(Answer):
    """What every reader of a case may see."""

    id = text()
    number = text()
    status = one_of(STATUSES)
    definition = text()
    version = ma.fields.Int(required=True)
    place = text(metadata={"description": "key of a unit"})
    client = maybe()
    started_at = moment()
    ended_at = moment(allow_none=True)
    open = ma.fields.Bool(required=True)


class CaseBrief(Answer):
    """The case of a task."""

    id = text()
    number = text()
    status = one_of(STATUSES)
    definition = text()
    place = text()


class TaskOnly(Answer):
    """A task without its form."""

    id = text()
    status = one_of(TASK_STATUSES)
    element = text()
    name = text()
    name_en = maybe()
    groups = ma.fields.List(ma.fields.Str(), required=True)
    holder = maybe()
    mine = ma.fields.Bool(required=True)
    offered_at = moment()
    claimed_at = moment(allow_none=True)
    due_at = moment(allow_none=True)
    due_provisional = ma.fields.Bool(required=True)
    priority = ma.fields.Int(required=True)


class Task(TaskOnly):
    """A task in a list."""

    instance = ma.fields.Nested(CaseBrief, required=True)


class TaskDetail(Task):
    """A task with everything needed to complete it."""

    form = ma.fields.Dict(required=True, allow_none=True, metadata={"description": "the form-js schema, null where there is no form"})
    data = ma.fields.Dict(required=True, metadata={"description": "what fills the form now"})


class CaseStatus(Answer):
    """A case after an act."""

    id = text()
    status = one_of(STATUSES)


class TaskChanged(Answer):
    """A task after an act."""

    id = text()
    status = one_of(TASK_STATUSES)
    instance = ma.fields.Nested(CaseStatus, required=True)


class TaskCompleted(TaskChanged):
    """A completed task, and the tasks that come after it."""

    tasks = list_of(NewTask)


class Timer(Answer):
    """What a case waits for."""

    element = text()
    due_at = moment()
    provisional = ma.fields.Bool(required=True)


class Wait(Answer):
    """A message or signal that a case waits for."""

    element = text()
    kind = text()
    name = text()
    since = moment()


class Job(Answer):
    """A job that a program is to do for a case."""

    id = text()
    element = text()
    type = text()
    retries = ma.fields.Int(required=True)
    lease_until = moment(allow_none=True)


class Call(Answer):
    """A case that this one called."""

    id = text()
    number = text()
    definition = text()
    status = one_of(STATUSES)
    token = ma.fields.Int(required=True, allow_none=True)


class Incident(Answer):
    """Where a case stands still, and why."""

    token = ma.fields.Int(required=True)
    element = maybe()
    code = text()
    message = text()
    since = moment()


class CaseDetail(Case):
    """One case; `data` is null for those who may not read about clients."""

    tasks = list_of(TaskOnly)
    timers = list_of(Timer)
    waits = list_of(Wait)
    jobs = list_of(Job)
    calls = list_of(Call)
    caller = maybe(metadata={"description": "id of the case that called this one"})
    incidents = list_of(Incident)
    data = ma.fields.Dict(required=True, allow_none=True)


class Event(Answer):
    """One event of a history."""

    seq = ma.fields.Int(required=True)
    kind = text()
    actor_id = maybe()
    occurred_at = moment()
    recorded_at = moment()
    facts = ma.fields.Dict(required=True)
    data = ma.fields.Raw(required=True, allow_none=True, metadata={"description": "null where it is erased or not for this reader"})
    hash = text()


# --- people served --------------------------------------------------------------------------------------------------


class ClientBrief(Answer):
    """A person in a list."""

    id = text()
    name = text()
    birth_date = ma.fields.Date(required=True, allow_none=True)
    categories = ma.fields.List(ma.fields.Str(), required=True)
    place = text()
    household = maybe()


class ClientRecord(Answer):
    """One person's record."""

    id = text()
    name = text()
    birth_date = ma.fields.Date(required=True, allow_none=True)
    gender = maybe()
    id_number = maybe()
    phone = maybe()
    address = maybe()
    categories = ma.fields.List(ma.fields.Str(), required=True)
    household_id = maybe()
    unit_id = text()
    unit_key = text()
    unit_path = text()
    unit_name = text()
    station_id = text()
    version = ma.fields.Int(required=True)


class Registered(Answer):
    """A new person."""

    id = text()
    household_id = text()
