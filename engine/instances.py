"""Running cases: their rows, and what may be read of them."""

import secrets
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Index, String, UniqueConstraint, func, or_, select, union
from sqlalchemy.orm import Mapped, Session, mapped_column

from engine import assignment, audit
from engine.assignment import Offer
from engine.db import Base, Id, Instant, reference
from engine.exceptions import NotFound
from engine.organisation import Actor, covers, lies_in
from engine.parties import Parties
from engine.permissions import may, require
from engine.system import System
from engine.vault import SubjectKey

ACTIVE, INCIDENT, COMPLETED, CANCELLED = "active", "incident", "completed", "cancelled"
OFFERED, CLAIMED = "offered", "claimed"
SENT = ">"  # before a username among a task's users: somebody from elsewhere, sent to this task and named for no other reason
NUMBER_LETTERS = "23456789ABCDEFGHJKLMNPQRSTUVWXYZ"  # no 0/O, 1/I: numbers are read out on the telephone


def new_number(local: datetime) -> str:
    """A number that people say on the telephone, `20261124-7KQ2MP`; `local` is the county's time."""
    return f"{local:%Y%m%d}-{''.join(secrets.choice(NUMBER_LETTERS) for _ in range(6))}"


STREAM = audit.stream("instance", "")  # what the streams of cases begin with


def stream_of(instance_id: str) -> str:
    """The stream of a case."""
    return STREAM + instance_id


class Instance(Base):
    """One running case of a version. `number` is what people say on the telephone; the state is sealed under the case's key."""

    __tablename__ = "instance"
    __table_args__ = (
        UniqueConstraint("county_id", "number"),
        # Lists are read newest first, and stop at a page: of the county, of a station, of a status.
        Index("instance_by_age", "county_id", "id"),
        Index("instance_by_station", "county_id", "station_id", "id"),
        Index("instance_by_status", "county_id", "status", "id", "station_id"),
        Index("instance_by_client", "county_id", "client_id"),
        # Room on each page for the next version of a case: PostgreSQL then writes no index for it (a heap-only tuple).
        {"sqlite_with_rowid": False, "postgresql_with": {"fillfactor": 70}},
    )
    id: Mapped[str] = mapped_column(Id, primary_key=True)
    number: Mapped[str] = mapped_column(String(20))
    definition_key: Mapped[str] = mapped_column(String(100))
    version_id: Mapped[str] = mapped_column(reference("definition_version.id"))
    version_number: Mapped[int]
    client_id: Mapped[str | None] = mapped_column(Id)
    unit_id: Mapped[str] = mapped_column(Id)
    place_path: Mapped[str] = mapped_column(String(200))
    station_id: Mapped[str | None] = mapped_column(Id)
    status: Mapped[str] = mapped_column(String(12))
    started_by: Mapped[str | None] = mapped_column(Id)
    started_at: Mapped[datetime] = mapped_column(Instant)
    ended_at: Mapped[datetime | None] = mapped_column(Instant)
    key_id: Mapped[str] = mapped_column(reference("subject_key.id"))
    sealed_state: Mapped[bytes]
    revision: Mapped[int] = mapped_column()
    __mapper_args__ = {"version_id_col": revision}

    def __stream__(self) -> str:
        return stream_of(self.id)


class Task(Base):
    """A user task of a case.

    `groups`, `workforce`, `users` (usernames) and `excluded` (person ids) say to whom it is offered; bar-separated, `|full_time|lead|`,
    so that a query can filter by them.
    """

    __tablename__ = "task"
    __table_args__ = (
        Index("task_by_station", "county_id", "status", "station_id", "id", "due_at"),  # the last for the figures of the home page
        Index("task_by_holder", "holder_id", "status", "id"),
        Index("task_by_instance", "instance_id", "token"),
        {"sqlite_with_rowid": False},
    )
    id: Mapped[str] = mapped_column(Id, primary_key=True)
    instance_id: Mapped[str] = mapped_column(reference("instance.id"))
    token: Mapped[int]
    element: Mapped[str] = mapped_column(String(100))
    status: Mapped[str] = mapped_column(String(12))
    groups: Mapped[str] = mapped_column(String(400))
    workforce: Mapped[str] = mapped_column(String(200))
    users: Mapped[str] = mapped_column(String(400))
    excluded: Mapped[str] = mapped_column(String(400))
    place_path: Mapped[str] = mapped_column(String(200))
    station_id: Mapped[str | None] = mapped_column(Id)
    holder_id: Mapped[str | None] = mapped_column(Id)
    offered_at: Mapped[datetime] = mapped_column(Instant)
    claimed_at: Mapped[datetime | None] = mapped_column(Instant)
    ended_at: Mapped[datetime | None] = mapped_column(Instant)
    due_at: Mapped[datetime | None] = mapped_column(Instant)
    due_provisional: Mapped[bool]
    priority: Mapped[int]
    revision: Mapped[int] = mapped_column()
    __mapper_args__ = {"version_id_col": revision}

    def __stream__(self) -> str:
        return stream_of(self.instance_id)


class Timer(Base):
    """A due time of a case, set by the running case; a worker fires it. `retry_at` puts off a timer whose firing failed."""

    __tablename__ = "timer"
    __table_args__ = (Index("timer_by_time", "next_at"),)
    instance_id: Mapped[str] = mapped_column(reference("instance.id"), primary_key=True)
    timer: Mapped[int] = mapped_column(primary_key=True)
    element: Mapped[str] = mapped_column(String(100))
    due_at: Mapped[datetime] = mapped_column(Instant)
    provisional: Mapped[bool]
    calendar_based: Mapped[bool]
    next_at: Mapped[datetime] = mapped_column(Instant)
    attempts: Mapped[int]

    def __stream__(self) -> str:
        return stream_of(self.instance_id)


@dataclass(frozen=True)
class Opened:
    """A case with its key: enough to read its sealed state. `parties`: those with keys of their own, None where there are none."""

    instance: Instance
    key: SubjectKey
    state: dict
    parties: Parties | None = None


def visible(actor: Actor):
    """SQL condition: the cases an actor's unit covers. Volunteers and partners see a case only through a task they hold."""
    return or_(*_reach(actor))


def _reach(actor: Actor) -> list:
    """`visible`, as conditions of which each has an index of its own: by place, and by tasks held."""
    county = Instance.county_id == actor.county_id
    if may(actor, "audit:read") or "supervisor" in actor.roles:
        return [county]
    holds = Instance.id.in_(
        select(Task.instance_id).where(Task.holder_id == actor.person_id, Task.status == CLAIMED).scalar_subquery()
    )
    if not sees_place(actor):
        return [county & holds]
    inside = county & lies_in(Instance.place_path, actor.unit_path)
    if actor.station_id:
        inside &= Instance.station_id == actor.station_id
    return [inside, county & holds]


def sees_place(actor: Actor) -> bool:
    """Staff see the cases of their place; volunteers, partners and residents do not."""
    return actor.workforce not in ("volunteer", "partner") and actor.roles != frozenset({"resident"}) and actor.unit_path != ""


def sees(actor: Actor, instance: Instance) -> bool:
    """Whether the actor's unit covers a case; `visible` as a question about one row, without tasks that the actor holds."""
    if not may(actor, "instance:read") or instance.county_id != actor.county_id:
        return False
    everywhere = may(actor, "audit:read") or "supervisor" in actor.roles
    return everywhere or (sees_place(actor) and covers(actor.unit_path, instance.place_path))


def open_instance(system: System, session: Session, actor: Actor, instance_id: str) -> Opened:
    """A case that the actor may read, its state opened. Raises NotFound (also for another station's case), Forbidden."""
    require(actor, "instance:read")
    row = session.execute(
        select(Instance, SubjectKey)
        .join(SubjectKey, SubjectKey.id == Instance.key_id)
        .where(Instance.id == instance_id, visible(actor))
    ).one_or_none()
    if row is None:
        raise NotFound(what="个案", key=instance_id)
    instance, key = row
    state, parties = open_state(system, lambda: session, instance, key)
    return Opened(instance, key, state, parties)


def open_state(system: System, session: Callable[[], Session], instance: Instance, key: SubjectKey) -> tuple[dict, Parties | None]:
    """`{"case": state of the token game, "ledger": who did what so far}`, the parties' data opened, and the case's parties if any.

    `session` is asked for only where there are parties.
    """
    state = system.vault.open(key, instance.sealed_state, f"instance:{instance.id}:state")
    count = state["ledger"].get("parties")
    if not count:
        return state, None
    parties = Parties.load(system.vault, session(), instance.id, count)
    return state | {"case": parties.reveal(state["case"])}, parties


def seal_state(system: System, instance: Instance, key: SubjectKey, state: dict) -> None:
    """Store a case's state, sealed."""
    instance.sealed_state = system.vault.seal(key, state, f"instance:{instance.id}:state")


def cases(session: Session, actor: Actor, *, status=None, definition=None, client_id=None, station_id=None, cursor=None, limit=50):
    """(instances newest first, next cursor) that the actor may see."""
    require(actor, "instance:read")
    wanted = [Instance.id < cursor] if cursor else []
    for column, value in (
        (Instance.status, status),
        (Instance.definition_key, definition),
        (Instance.client_id, client_id),
        (Instance.station_id, station_id),
    ):
        if value:
            wanted.append(column == value)
    found = newest(session, *(_ids(limit + 1, reach, *wanted) for reach in _reach(actor)), limit=limit + 1)
    return found[:limit], found[limit - 1].id if len(found) > limit else None


def search(session: Session, actor: Actor, number: str, client_ids: list[str], *, limit: int, **conditions) -> list[Instance]:
    """The newest cases that the actor may see, of these clients or with a number that begins so. `conditions`: columns and values."""
    require(actor, "instance:read")
    wanted = [visible(actor), *(getattr(Instance, name) == value for name, value in conditions.items() if value)]
    numbered = Instance.number.startswith(number.upper(), autoescape=True)
    ways = (numbered, Instance.client_id.in_(client_ids)) if client_ids else (numbered,)
    county = Instance.county_id == actor.county_id
    return newest(session, *(_ids(limit, county, way, *wanted) for way in ways), limit=limit)


def newest(session: Session, *ids, limit: int) -> list[Instance]:
    """The newest of the cases that some queries of ids find, each of which has looked at no more than it must."""
    query = select(Instance).where(Instance.id.in_(union(*ids))).order_by(Instance.id.desc()).limit(limit)
    return list(session.scalars(query))


def _ids(limit: int, *conditions):
    """Ids of the newest cases that meet the conditions; a part of a union."""
    found = select(Instance.id).where(*conditions).order_by(Instance.id.desc()).limit(limit).subquery()
    return select(found.c.id)


def newest_of(session: Session, actor: Actor, ids: list[str]) -> list[Instance]:
    """Those of some cases that an actor may see, newest first."""
    return list(session.scalars(select(Instance).where(Instance.id.in_(ids), visible(actor)).order_by(Instance.id.desc())))


def count_open(session: Session, county_id: str, version_id: str | None = None) -> int:
    """How many cases of a county are not over yet; of one version, if it is named."""
    query = select(func.count()).select_from(Instance).where(Instance.county_id == county_id, Instance.status.in_((ACTIVE, INCIDENT)))
    return session.scalar(query.where(Instance.version_id == version_id) if version_id else query)


def tasks_of(session: Session, instance_id: str, open_only: bool = True) -> list[Task]:
    """A case's tasks, oldest first."""
    query = select(Task).where(Task.instance_id == instance_id).order_by(Task.id)
    return list(session.scalars(query.where(Task.status.in_((OFFERED, CLAIMED))) if open_only else query))


def timers_of(session: Session, instance_id: str) -> list[Timer]:
    """A case's waiting timers, soonest first."""
    return list(session.scalars(select(Timer).where(Timer.instance_id == instance_id).order_by(Timer.due_at)))


def history(system: System, session: Session, actor: Actor, instance_id: str, after: int = 0, limit: int = 200):
    """(events as dicts with their opened payload, next cursor). A destroyed key leaves `data` null. Raises NotFound, Forbidden."""
    opened = open_instance(system, session, actor, instance_id)
    require(actor, "instance:history")
    found = audit.events(session, stream_of(instance_id), after, limit + 1)
    lines = [audit.as_line(system.vault, event, opened.key) for event in found[:limit]]
    if opened.parties:
        lines = [line | {"data": opened.parties.reveal(line["data"])} for line in lines]
    return lines, found[limit - 1].seq if len(found) > limit else None


def offer_of(task: Task) -> Offer:
    """To whom a task is offered."""
    groups, workforce, users, excluded = (
        frozenset(filter(None, column.split("|"))) for column in (task.groups, task.workforce, task.users, task.excluded)
    )
    sent = frozenset(name.removeprefix(SENT) for name in users if name.startswith(SENT))
    named = frozenset(name for name in users if not name.startswith(SENT))
    return Offer(groups=groups, workforce=workforce, place_path=task.place_path, users=named, excluded=excluded, dispatched=sent)


def _may_take(actor: Actor, task: Task) -> bool:
    return assignment.may_take(actor.groups, actor.unit_path, offer_of(task), actor.person_id, actor.username)


def oversees(actor: Actor) -> bool:
    """Whether all open tasks of the actor's place are theirs to watch, whoever they are offered to."""
    return may(actor, "task:delegate") or may(actor, "audit:read")


def in_reach(actor: Actor, task: Task) -> bool:
    """Whether the actor may know of a task: theirs, offered to them, or at a place they oversee. Anything else is "not found"."""
    if task.county_id != actor.county_id:
        return False
    if task.holder_id == actor.person_id or _may_take(actor, task):
        return True
    return oversees(actor) and covers(actor.unit_path, task.place_path)
