"""Papers of a case: what was filled in at a task, laid out for printing and signing.

A user task whose property `document` holds a title has a paper of its own: a copy for each time the task was done, and a blank while it is
open. `document_form` names another form that is printed instead (a notice to somebody); `signatures` says who signs. Nothing else decides
what a paper shows, so a procedure's author writes it in the form editor and runs no code.
"""

from dataclasses import dataclass

from sqlalchemy import and_, exists, or_, select
from sqlalchemy.orm import Session

from engine import audit, definitions, feel, instances, parties
from engine.audit import Event
from engine.definitions import Compiled
from engine.exceptions import NotFound
from engine.forms import FieldView, Form
from engine.instances import ACTIVE, CLAIMED, INCIDENT, OFFERED, Instance, Task
from engine.organisation import Actor
from engine.permissions import may, require
from engine.system import System
from engine.vault import SubjectKey
from engine.workflow import Case, Element

LOOK_AHEAD = 4  # how many events after a completion its answers stand


@dataclass(frozen=True)
class Line:
    """One paper in a list. `party` is whose it is, where the task was done for each party; `title_en` may be empty."""

    task: Task
    element: str
    title: str
    title_en: str
    party: str


@dataclass(frozen=True)
class Document:
    """One paper. `filled`: with answers; else a blank. `notice`: a form written to be read, whose texts belong to the paper."""

    task: Task
    instance: Instance
    compiled: Compiled
    title: str
    title_en: str
    signatures: tuple[str, ...]
    fields: tuple[FieldView, ...]
    filled: bool
    notice: bool


def of_case(system: System, session: Session, actor: Actor, instance_id: str) -> list[Line]:
    """The papers of a case that the actor may read, in the order of their tasks.

    Staff read those of the cases of their place; volunteers and partners only what is theirs. Raises NotFound, Forbidden.
    """
    opened = open_case(system, session, actor, instance_id)
    compiled = definitions.compiled(system, session, opened.instance.version_id)
    case = Case.restore(compiled.process, opened.state["case"])
    people = parties.listed(case.variables())
    lines = []
    for task in instances.tasks_of(session, instance_id, open_only=False):
        element = compiled.process.elements.get(task.element)
        if element is None or not element.properties.get("document") or not readable(session, actor, task, opened.instance):
            continue
        about = _party_of(case, task) if task.status in (OFFERED, CLAIMED) else _answers(system, session, opened, task)[1]
        name = people.get(about, {}).get("name", "") if about else ""
        lines.append(Line(task, element.id, *titles_of(element), name))
    return lines


def open_case(system: System, session: Session, actor: Actor, instance_id: str) -> instances.Opened:
    """A case that the actor may read, or in which they did a task while it still goes on. Raises NotFound, Forbidden."""
    require(actor, "instance:read")
    did = exists().where(Task.instance_id == Instance.id, Task.holder_id == actor.person_id, Task.status != "cancelled")
    own = and_(Instance.county_id == actor.county_id, Instance.status.in_((ACTIVE, INCIDENT)), did)
    row = session.execute(
        select(Instance, SubjectKey)
        .join(SubjectKey, SubjectKey.id == Instance.key_id)
        .where(Instance.id == instance_id, or_(instances.visible(actor), own))
    ).one_or_none()
    if row is None:
        raise NotFound(what="个案", key=instance_id)
    return instances.Opened(*row, *instances.open_state(system, lambda: session, *row))


def open_document(system: System, session: Session, actor: Actor, task_id: str) -> Document:
    """The paper of one task. Raises NotFound (also for what the actor may not read), Forbidden, Erased."""
    task, instance = readable_task(session, actor, task_id)
    key = session.get(SubjectKey, instance.key_id)
    state, people = instances.open_state(system, lambda: session, instance, key)
    opened = instances.Opened(instance, key, state, people)
    compiled = definitions.compiled(system, session, instance.version_id)
    case = Case.restore(compiled.process, state["case"])
    element = compiled.process.elements[task.element]
    filled = task.status not in (OFFERED, CLAIMED)
    if filled:
        answers, about = _answers(system, session, opened, task)
        variables = case.variables() | answers
        variables |= {name: one for name in _party_names(compiled.forms.get(element.form_id)) if (one := _entry(variables, about))}
    else:
        variables = case.visible(task.token)
    own = element.properties.get("document_form")
    form = compiled.forms.get(own or element.form_id)
    clock = (task.ended_at or task.offered_at).astimezone(system.zone)
    signatures = tuple(part.strip() for part in element.properties.get("signatures", "").split(",") if part.strip())
    fields = tuple(form.view(variables, clock=clock)) if form else ()
    return Document(task, instance, compiled, *titles_of(element), signatures, fields, filled, bool(own))


def readable_task(session: Session, actor: Actor, task_id: str) -> tuple[Task, Instance]:
    """A task whose paper the actor may read, with its case. Raises NotFound, Forbidden."""
    require(actor, "task:read")
    query = select(Task, Instance).join(Instance, Instance.id == Task.instance_id)
    row = session.execute(query.where(Task.id == task_id, Task.county_id == actor.county_id)).one_or_none()
    if row is None or row.Task.status == "cancelled" or not readable(session, actor, row.Task, row.Instance):
        raise NotFound(what="任务", key=task_id)
    return row.Task, row.Instance


def readable(session: Session, actor: Actor, task: Task, instance: Instance) -> bool:
    """Whether an actor may read what is filled in at a task.

    While it is open, whoever may open the task itself, so that a part-timer never sees what only a full-time worker may do. Afterwards who
    did it, while the case goes on, and those who read the data of the cases of their place.
    """
    if task.status == "cancelled":
        return False
    if task.status in (OFFERED, CLAIMED):
        return instances.in_reach(actor, task)
    if task.holder_id == actor.person_id and instance.status in (ACTIVE, INCIDENT):
        return True
    seen = select(Instance.id).where(Instance.id == instance.id, instances.visible(actor))
    staff = may(actor, "client:read") and instances.sees_place(actor)
    return staff and session.scalar(seen) is not None


def titles_of(element: Element) -> tuple[str, str]:
    """What the paper of a task is called, in Chinese and in English."""
    properties = element.properties
    title = properties.get("document") or element.name or element.id
    return title, properties.get("document_en") or properties.get("name_en", "")


def _answers(system: System, session: Session, opened: instances.Opened, task: Task) -> tuple[dict, str | None]:
    """What was filled in at a completed task, as FEEL values, and the party it is about."""
    stream = instances.stream_of(task.instance_id)
    completed = select(Event.seq, Event.facts).where(Event.stream == stream, Event.kind == str(audit.Kind.TASK_COMPLETED))
    seq = next((seq for seq, facts in session.execute(completed) if facts.get("task") == task.id), None)
    for event in audit.events(session, stream, seq, LOOK_AHEAD) if seq else ():
        if event.kind == "variable:set" and event.facts.get("element") == task.element:
            data = audit.as_line(system.vault, event, opened.key)["data"] or {}
            stored = opened.parties.reveal(data) if opened.parties else data
            answers = feel.decode(stored.get("values", {}))
            about = next((each[parties.ID] for each in answers.values() if isinstance(each, dict) and parties.ID in each), None)
            return answers, about
    return {}, None


def _party_of(case: Case, task: Task) -> str | None:
    """The party that an open task is for."""
    seen = case.visible(task.token)
    return next((each[parties.ID] for each in seen.values() if isinstance(each, dict) and parties.ID in each), None)


def _party_names(form: Form | None) -> set[str]:
    """The variables by which a form's groups name the party they are about."""
    return {each.attributes["party"] for each in form.fields if each.kind == "group" and "party" in each.attributes} if form else set()


def _entry(variables: dict, about: str | None) -> dict | None:
    return parties.listed(variables).get(about) if about else None
