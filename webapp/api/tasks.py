"""Tasks for programs. `GET /tasks/{id}` gives the form and the current data, so that a program can complete any task."""

import json

import marshmallow as ma

from engine import definitions, tasks
from engine.commands import tasks as commands
from webapp.api import answers
from webapp.api.shared import KEYED, Page, Schema, Text, blueprint, from_cursor, idempotency_key, instant, page_of
from webapp.auth import actor, command, session, system
from webapp.i18n import now

routes = blueprint("tasks", "任务 · tasks")


class View(Page):
    """Which list."""

    view = ma.fields.Str(load_default="mine", validate=ma.validate.OneOf(tasks.VIEWS))


class Answers(Schema):
    """What the form asked for, as plain JSON."""

    data = ma.fields.Dict(required=True)  # the form checks what is in it


class GivenBack(Schema):
    """Why a task is given back."""

    reason = Text(
        load_default="",
        validate=ma.validate.Length(max=commands.LONGEST_REASON),
        metadata={"description": "needed for a task that was delegated"},
    )


class Receiver(Schema):
    """To whom a task goes."""

    to = Text(required=True, validate=ma.validate.Length(min=1, max=40), metadata={"description": "username"})


@routes.route("/tasks", methods=["GET"])
@routes.arguments(View(), location="query")
@routes.response(200, answers.page(answers.Task, "Tasks"))
def index(wanted: dict):
    """`mine`: claimed by me; `offered`: I may claim; `station`: open at my place."""
    lines, following = tasks.inbox(
        system(), session(), actor(), wanted["view"], from_cursor(wanted["cursor"]), wanted["limit"]
    )
    return page_of([task_line(line) for line in lines], following)


@routes.route("/tasks/<task_id>", methods=["GET"])
@routes.response(200, answers.TaskDetail)
def detail(task_id: str):
    """One task with its form's schema and the data that fills it now."""
    found = tasks.detail(system(), session(), actor(), task_id)
    local = now().astimezone(system().zone)
    return task_summary(found.task, found.compiled) | {
        "instance": _case(found.instance),
        "form": form_schema(found),
        "data": found.form.data(found.variables, clock=local) if found.form else {},
    }


@routes.route("/tasks/<task_id>/claim", methods=["POST"])
@routes.doc(**KEYED)
@routes.response(200, answers.TaskChanged)
def claim(task_id: str):
    """Take an offered task. Of two who try, one wins and the other is told who."""
    return command(commands.claim, task_id, key=idempotency_key())


@routes.route("/tasks/<task_id>/release", methods=["POST"])
@routes.doc(**KEYED)
@routes.arguments(GivenBack())
@routes.response(200, answers.TaskChanged)
def release(body: dict, task_id: str):
    """Give a claimed task back: what was delegated to whoever delegated it, anything else to those it was offered to."""
    return command(commands.release, task_id, body["reason"], key=idempotency_key())


@routes.route("/tasks/<task_id>/complete", methods=["POST"])
@routes.doc(**KEYED)
@routes.arguments(Answers())
@routes.response(200, answers.TaskCompleted)
def complete(body: dict, task_id: str):
    """Finish a claimed task. 422 lists the fields that are wrong; 409 the regulations that refuse."""
    return command(commands.complete, task_id, body["data"], key=idempotency_key())


@routes.route("/tasks/<task_id>/delegate", methods=["POST"])
@routes.doc(**KEYED)
@routes.arguments(Receiver())
@routes.response(200, answers.TaskChanged)
def delegate(body: dict, task_id: str):
    """Hand a task to somebody it may be offered to."""
    return command(commands.delegate, task_id, body["to"], key=idempotency_key())


def form_schema(found) -> dict | None:
    """The form-js schema that belongs to a task, as it was deployed."""
    if found.form is None:
        return None
    cache = system().compiled.setdefault("schemas", {})
    key = (found.compiled.version_id, found.form.id)
    if key not in cache:
        files = definitions.resources(session(), found.compiled.version_id)
        for name, content in files.items():
            if name.endswith(".form"):
                schema = json.loads(content)
                cache[found.compiled.version_id, schema.get("id")] = schema
    return cache.get(key)


def task_summary(task, compiled) -> dict:
    """A task without its form."""
    element = compiled.process.elements[task.element]
    return {
        "id": task.id,
        "status": task.status,
        "element": task.element,
        "name": element.name or element.id,
        "name_en": element.properties.get("name_en"),
        "groups": [group for group in task.groups.split("|") if group],
        "holder": task.holder_id,
        "mine": task.holder_id == actor().person_id,
        "offered_at": instant(task.offered_at),
        "claimed_at": instant(task.claimed_at),
        "due_at": instant(task.due_at),
        "due_provisional": task.due_provisional,
        "priority": task.priority,
    }


def task_line(line) -> dict:
    compiled = definitions.compiled(system(), session(), line.instance.version_id)
    return task_summary(line.task, compiled) | {"instance": _case(line.instance)}


def _case(instance) -> dict:
    return {
        "id": instance.id,
        "number": instance.number,
        "status": instance.status,
        "definition": instance.definition_key,
        "place": instance.place_path.rsplit("/", 1)[-1],
    }
