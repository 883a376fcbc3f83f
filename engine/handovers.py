"""Tasks that change hands together: a person's while they are away (代班), or many at once to others (批量调度).

A handover is planned, looked at by whoever orders it, and carried out as it was planned: each task in a transaction of its own under its
case's lock. What is left undone when a process dies is in the plan and not in the lines, so whoever comes next does the rest.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date, datetime

from sqlalchemy import Index, String, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from engine.db import Base, Id, Instant, Json, reference
from engine.exceptions import Erased, NotFound
from engine.instances import stream_of
from engine.organisation import Actor, covers
from engine.permissions import require
from engine.vault import SubjectKey, Vault

ABSENCE, REASSIGNMENT = "absence", "reassignment"
MOVING, MOVED, RETURNING, RETURNED = "moving", "moved", "returning", "returned"
# What became of a line of the plan: the task went over, stayed (with a code that says why), or has come back since.
WENT, STAYED, BACK = "went", "stayed", "back"
CHANGED = "changed"  # the code of a task that is no longer as it was when the plan was looked at
SHOWN = 50
# Why a task of a plan goes to nobody, beside what engine.assignment.REFUSALS and the regulations say.
WHY = {
    "closed": ("任务已经结束", "the task is closed"),
    "held": ("任务已经在他手里", "they hold it already"),
    "away": ("代办人也不在岗", "the substitute is away too"),
    "nobody": ("本单位没有可以接手的人", "nobody of the unit can take it"),
}


class Handover(Base):
    """One handover. `person_id`: whose tasks (none where they were picked one by one); `first_day`, `last_day` of an absence.

    `plan`: [task id, its revision, who gets it] of each line as it was looked at; `place_path`: whose unit ordered it. Sealed: the reason.
    """

    __tablename__ = "handover"
    __table_args__ = (Index("handover_by_person", "person_id", "kind"), Index("handover_by_status", "status"))
    id: Mapped[str] = mapped_column(Id, primary_key=True)
    kind: Mapped[str] = mapped_column(String(16))
    person_id: Mapped[str | None] = mapped_column(reference("person.id"))
    substitute_id: Mapped[str | None] = mapped_column(reference("person.id"))
    first_day: Mapped[date | None]
    last_day: Mapped[date | None]
    status: Mapped[str] = mapped_column(String(12))
    plan: Mapped[list] = mapped_column(Json)
    place_path: Mapped[str] = mapped_column(String(200))
    begun_by: Mapped[str] = mapped_column(Id)
    begun_at: Mapped[datetime] = mapped_column(Instant)
    ended_at: Mapped[datetime | None] = mapped_column(Instant)
    key_id: Mapped[str] = mapped_column(reference("subject_key.id"))
    sealed: Mapped[bytes]
    version: Mapped[int] = mapped_column()
    __mapper_args__ = {"version_id_col": version}

    def __stream__(self) -> str:
        return stream(self.id)

    @property
    def place(self) -> str:
        """Where its payload is sealed."""
        return f"handover:{self.id}:sealed"


class HandoverTask(Base):
    """What became of one task of a handover; written with the task, in its case's stream. `from_id`: who held it before."""

    __tablename__ = "handover_task"
    __table_args__ = ({"sqlite_with_rowid": False},)
    handover_id: Mapped[str] = mapped_column(reference("handover.id"), primary_key=True)
    task_id: Mapped[str] = mapped_column(reference("task.id"), primary_key=True, index=True)
    instance_id: Mapped[str] = mapped_column(reference("instance.id"))
    from_id: Mapped[str | None] = mapped_column(Id)
    to_id: Mapped[str] = mapped_column(Id)
    outcome: Mapped[str] = mapped_column(String(8))
    code: Mapped[str | None] = mapped_column(String(40))
    version: Mapped[int] = mapped_column()
    __mapper_args__ = {"version_id_col": version}

    def __stream__(self) -> str:
        return stream_of(self.instance_id)


class HandedAbsence(Base):
    """An absence of the register that belongs to a handover: `by_clock` begun for it, or begun by hand before; `over`: the entry has ended
    or been changed since. Once an entry: who has taken back their tasks by hand keeps them, however long the entry still runs."""

    __tablename__ = "handed_absence"
    __table_args__ = ({"sqlite_with_rowid": False},)
    entry_id: Mapped[str] = mapped_column(reference("register_entry.id"), primary_key=True)
    handover_id: Mapped[str] = mapped_column(reference("handover.id"), index=True)
    by_clock: Mapped[bool]
    over: Mapped[bool]
    version: Mapped[int] = mapped_column()
    __mapper_args__ = {"version_id_col": version}

    def __stream__(self) -> str:
        return f"absence/{self.entry_id}"


def stream(handover_id: str) -> str:
    """The stream of a handover."""
    return f"handover/{handover_id}"


@dataclass(frozen=True)
class Opened:
    """A handover opened for somebody who may order such. `lines`: task id → what became of it; a line of the plan without one is to come."""

    handover: Handover
    reason: str = field(repr=False)
    lines: dict[str, HandoverTask]


def read(session: Session, vault: Vault, actor: Actor, handover_id: str) -> Opened:
    """One handover. Raises Forbidden; NotFound for one that another place has ordered."""
    require(actor, "task:dispatch")
    found = session.get(Handover, handover_id) if handover_id.isalnum() else None
    if found is None or found.county_id != actor.county_id or not covers(actor.unit_path, found.place_path):
        raise NotFound(what="移交", key=handover_id)
    lines = session.scalars(select(HandoverTask).where(HandoverTask.handover_id == handover_id))
    return Opened(found, _reason(session, vault, found), {line.task_id: line for line in lines})


def recent(session: Session, actor: Actor) -> list[Handover]:
    """The latest handovers of the actor's place, newest first; those that are not over in front. Raises Forbidden."""
    require(actor, "task:dispatch")
    query = select(Handover).where(Handover.county_id == actor.county_id).order_by(Handover.status == RETURNED, Handover.id.desc())
    found = session.scalars(query.limit(SHOWN * 4))
    return [each for each in found if covers(actor.unit_path, each.place_path)][:SHOWN]


def away(session: Session, person_ids: Iterable[str], day: date) -> dict[str, date]:
    """Person id → last day of their absence, of those who are away on a day and have handed over. One statement."""
    query = select(Handover.person_id, Handover.last_day).where(
        Handover.person_id.in_(list(person_ids)),
        Handover.kind == ABSENCE,
        Handover.status.in_((MOVING, MOVED)),
        Handover.first_day <= day,
        Handover.last_day >= day,
    )
    found: dict[str, date] = {}
    for person_id, last_day in session.execute(query):
        found[person_id] = max(last_day, found.get(person_id, last_day))
    return found


def unfinished(session: Session, county_id: str) -> list[str]:
    """Ids of the handovers of which a line may be left."""
    query = select(Handover.id).where(Handover.status.in_((MOVING, RETURNING)), Handover.county_id == county_id)
    return list(session.scalars(query.order_by(Handover.id)))


def _reason(session: Session, vault: Vault, handover: Handover) -> str:
    try:
        return vault.open(session.get_one(SubjectKey, handover.key_id), handover.sealed, handover.place)["reason"]
    except Erased:
        return ""
