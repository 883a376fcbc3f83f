"""The inbox: which tasks a person may see, and one task with its form and data."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import tzinfo

from sqlalchemy import func, or_, select
from sqlalchemy.orm import Session

from engine import audit, definitions, instances
from engine.audit import Event, Kind
from engine.exceptions import InvalidRequest, NotFound
from engine.instances import CLAIMED, OFFERED, Instance, Task
from engine.organisation import Actor, covers, lies_in
from engine.parties import Parties
from engine.permissions import require
from engine.system import System
from engine.vault import SubjectKey
from engine.workflow import Case

VIEWS = ("mine", "offered", "station")


@dataclass(frozen=True)
class Line:
    """A task in a list: the row, the case it belongs to, and what its diagram calls it."""

    task: Task
    instance: Instance
    name: str
    name_en: str
    definition_name: str


@dataclass(frozen=True)
class Detail:
    """A task with everything a page or a program needs to complete it; `ledger` and `parties` are the case's, `zone` the county's."""

    task: Task
    instance: Instance
    key: SubjectKey
    compiled: definitions.Compiled
    case: Case
    ledger: dict
    parties: Parties | None
    zone: tzinfo

    @property
    def element(self):
        """The diagram's element."""
        return self.compiled.process.elements[self.task.element]

    @property
    def form(self):
        """The compiled form, or None."""
        return self.compiled.forms.get(self.element.form_id)

    @property
    def variables(self) -> dict:
        """What the task sees."""
        return self.case.visible(self.task.token) if self.task.status in (OFFERED, CLAIMED) else {}


def inbox(system: System, session: Session, actor: Actor, view: str, cursor: str | None = None, limit: int = 50):
    """(lines, next cursor) of a view: mine (claimed by me), offered (I may claim), station (open at my place). Raises InvalidRequest."""
    require(actor, "task:read")
    query = (
        select(Task, Instance)
        .join(Instance, Instance.id == Task.instance_id)
        .where(_condition(actor, view))
        .order_by(Task.id)
        .limit(limit + 1)
    )
    if cursor:
        query = query.where(Task.id > cursor)
    rows = session.execute(query).all()
    lines = [_line(system, session, task, instance) for task, instance in rows[:limit]]
    return lines, rows[limit - 1].Task.id if len(rows) > limit else None


def counts(session: Session, actor: Actor) -> dict[str, int]:
    """How many tasks each view holds."""
    require(actor, "task:read")
    return {view: session.scalar(select(func.count()).select_from(Task).where(_condition(actor, view))) for view in VIEWS}


def held(session: Session, person_id: str) -> int:
    """How many open tasks a person has claimed: who leaves must hand them on."""
    query = select(func.count()).select_from(Task).where(Task.holder_id == person_id, Task.status == CLAIMED)
    return session.scalar(query)


def detail(system: System, session: Session, actor: Actor, task_id: str) -> Detail:
    """One task that the actor may see. Raises NotFound, Forbidden."""
    require(actor, "task:read")
    row = session.execute(
        select(Task, Instance, SubjectKey)
        .join(Instance, Instance.id == Task.instance_id)
        .join(SubjectKey, SubjectKey.id == Instance.key_id)
        .where(Task.id == task_id, Task.county_id == actor.county_id)
    ).one_or_none()
    if row is None or not instances.in_reach(actor, row.Task):
        raise NotFound(what="任务", key=task_id)
    task, instance, key = row
    compiled = definitions.compiled(system, session, instance.version_id)
    state, parties = instances.open_state(system, lambda: session, instance, key)
    case = Case.restore(compiled.process, state["case"])
    return Detail(task, instance, key, compiled, case, state["ledger"], parties, system.zone)


def at_place(system: System, session: Session, actor: Actor, task_ids: Iterable[str]) -> dict[str, Line]:
    """Task id → its line, open or closed, of those at the actor's place: what a list of dispatched tasks calls them. Raises Forbidden."""
    require(actor, "task:dispatch")
    query = select(Task, Instance).join(Instance, Instance.id == Task.instance_id).where(Task.county_id == actor.county_id)
    rows = session.execute(query.where(Task.id.in_(list(task_ids))))
    return {task.id: _line(system, session, task, instance) for task, instance in rows if covers(actor.unit_path, task.place_path)}


def returned(system: System, session: Session, actor: Actor, lines: list) -> dict[str, tuple[str, str]]:
    """Task id → (person id, reason) of those among the lines that were given back to the actor, who had delegated them. One statement.

    `lines`: of an inbox, or details.
    """
    tasks = {line.task.id for line in lines}
    if not tasks:
        return {}
    streams = {instances.stream_of(line.instance.id) for line in lines}
    query = select(Event, SubjectKey).join(SubjectKey, SubjectKey.id == Event.key_id)
    query = query.where(Event.stream.in_(streams), Event.kind == Kind.TASK_RETURNED).order_by(Event.stream, Event.seq)
    found = {}
    for event, key in session.execute(query):
        facts = event.facts
        if facts["task"] in tasks and facts["to"] == actor.person_id and key.wrapped:
            found[facts["task"]] = (facts["from"], audit.as_line(system.vault, event, key)["data"]["reason"])
    return found


def _condition(actor: Actor, view: str):
    """SQL condition of a view."""
    if view == "mine":
        return (Task.holder_id == actor.person_id) & (Task.status == CLAIMED)
    scope = Task.county_id == actor.county_id
    if "/" in actor.unit_path or not actor.unit_path:  # else the county itself, which every place is in
        scope &= lies_in(Task.place_path, actor.unit_path)
    if actor.station_id:
        scope &= Task.station_id == actor.station_id
    if view == "offered":
        return scope & (Task.status == OFFERED) & _offered_to(actor)
    if view == "station":
        mine = _offered_to(actor) if not instances.oversees(actor) else True
        return scope & Task.status.in_((OFFERED, CLAIMED)) & mine
    raise InvalidRequest(field="view", reason=f"只能是 {'、'.join(VIEWS)}")


def _offered_to(actor: Actor):
    """The same rule as `engine.assignment.may_take`, as SQL."""
    groups = or_(
        *(Task.groups.contains(f"|{group}|", autoescape=True) for group in sorted(actor.groups)),
        Task.users.contains(f"|{actor.username}|", autoescape=True),
        (Task.groups == "") & (Task.users == "") & (Task.workforce != ""),  # whoever the lane is for
    )
    condition = groups & ~Task.excluded.contains(f"|{actor.person_id}|", autoescape=True)
    types = [Task.workforce.contains(f"|{group}|", autoescape=True) for group in sorted(actor.groups)]
    return condition & or_(Task.workforce == "", *types)


def _line(system: System, session: Session, task: Task, instance: Instance) -> Line:
    process = definitions.compiled(system, session, instance.version_id).process
    element = process.elements[task.element]
    return Line(task, instance, element.name or element.id, element.properties.get("name_en", element.name), process.name)


def to_dispatch(
    system: System, session: Session, actor: Actor, *, within=None, overdue_at=None, status=None, holder=None, definition=None, cursor=None, limit=50
):
    """(lines, next cursor) of the open tasks of the actor's place, for who dispatches them. `within`: a unit's path; `overdue_at`: only those due
    before a moment; `status`, `holder` (person id) and `definition` (key) narrow it too. Raises Forbidden, InvalidRequest."""
    require(actor, "task:dispatch")
    if status and status not in (OFFERED, CLAIMED):
        raise InvalidRequest(field="status", reason="只能是 offered 或 claimed")
    query = select(Task, Instance).join(Instance, Instance.id == Task.instance_id).where(_condition(actor, "station"))
    if within:
        query = query.where(lies_in(Task.place_path, within))
    if overdue_at is not None:
        query = query.where(Task.due_at < overdue_at)
    for column, value in ((Task.status, status), (Task.holder_id, holder), (Instance.definition_key, definition)):
        if value:
            query = query.where(column == value)
    if cursor:
        query = query.where(Task.id > cursor)
    rows = session.execute(query.order_by(Task.id).limit(limit + 1)).all()
    return [_line(system, session, task, instance) for task, instance in rows[:limit]], rows[limit - 1].Task.id if len(rows) > limit else None
