"""Who is out, with whom, and until when (安全管理：外出报备). Where to and why is told of somebody served, so it is sealed.

An outing is planned (`left_at` is empty), out, returned or cancelled. Its clock runs from `expected_return` on, planned or out: who
planned to go and forgot to say so is looked for all the same.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import Index, String, bindparam, func, or_, select
from sqlalchemy.engine import Connection
from sqlalchemy.orm import Mapped, Session, mapped_column

from engine.db import Base, Id, Instant, reference
from engine.exceptions import NotFound
from engine.organisation import Actor, covers, lies_in, names_of
from engine.permissions import may, require
from engine.prepared import Prepared
from engine.vault import SubjectKey, Vault

PLANNED, OUT, RETURNED, CANCELLED = "planned", "out", "returned", "cancelled"


class Outing(Base):
    """One time out. Sealed: destination, reason. `next_at`: when the clock looks at it next; empty when it need not look any more."""

    __tablename__ = "outing"
    __table_args__ = (Index("outing_by_place", "county_id", "returned_at", "expected_return"), Index("outing_by_time", "next_at"))
    id: Mapped[str] = mapped_column(Id, primary_key=True)
    reporter_id: Mapped[str] = mapped_column(reference("person.id"))
    instance_id: Mapped[str | None] = mapped_column(reference("instance.id"), index=True)
    task_id: Mapped[str | None] = mapped_column(Id)
    place_path: Mapped[str] = mapped_column(String(200))
    station_id: Mapped[str | None] = mapped_column(Id)
    reported_at: Mapped[datetime] = mapped_column(Instant)
    left_at: Mapped[datetime | None] = mapped_column(Instant)
    expected_return: Mapped[datetime] = mapped_column(Instant)
    returned_at: Mapped[datetime | None] = mapped_column(Instant)
    cancelled_at: Mapped[datetime | None] = mapped_column(Instant)
    next_at: Mapped[datetime | None] = mapped_column(Instant)
    key_id: Mapped[str] = mapped_column(reference("subject_key.id"))
    sealed: Mapped[bytes]
    version: Mapped[int] = mapped_column()
    __mapper_args__ = {"version_id_col": version}

    def __stream__(self) -> str:
        return stream(self.id)

    @property
    def place(self) -> str:
        """Where its payload is sealed."""
        return f"outing:{self.id}:sealed"

    @property
    def status(self) -> str:
        """PLANNED, OUT, RETURNED or CANCELLED."""
        if self.cancelled_at is not None:
            return CANCELLED
        if self.returned_at is not None:
            return RETURNED
        return PLANNED if self.left_at is None else OUT


class OutingMember(Base):
    """Somebody who goes, the reporter too."""

    __tablename__ = "outing_member"
    outing_id: Mapped[str] = mapped_column(reference("outing.id"), primary_key=True)
    person_id: Mapped[str] = mapped_column(reference("person.id"), primary_key=True, index=True)

    def __stream__(self) -> str:
        return stream(self.outing_id)


def stream(outing_id: str) -> str:
    """The stream of an outing."""
    return f"outing/{outing_id}"


@dataclass(frozen=True)
class Line:
    """An outing opened for somebody who may know of it. `members`: person id → name, the reporter first."""

    outing: Outing
    destination: str = field(repr=False)
    reason: str = field(repr=False)
    members: dict[str, str] = field(repr=False)

    @property
    def reporter(self) -> str:
        """The name of who reported it."""
        return self.members.get(self.outing.reporter_id, "")

    @property
    def companions(self) -> list[str]:
        """The names of the others."""
        return [name for person_id, name in self.members.items() if person_id != self.outing.reporter_id]


class _Row(NamedTuple):
    outing: Outing
    key: SubjectKey


_OPEN = (Outing.returned_at.is_(None), Outing.cancelled_at.is_(None))


def mine(session: Session, vault: Vault, actor: Actor) -> list[Line]:
    """The open outings that the actor takes part in, the one that ends first in front."""
    going = select(OutingMember.outing_id).where(OutingMember.person_id == actor.person_id)
    return _lines(session, vault, [Outing.id.in_(going), *_OPEN])


def at_place(session: Session, vault: Vault, actor: Actor) -> list[Line]:
    """Every open outing of the people whom the actor's unit covers, the most overdue in front. Raises Forbidden."""
    require(actor, "outing:read")
    inside = lies_in(Outing.place_path, actor.unit_path)
    return _lines(session, vault, [inside, *_OPEN, Outing.county_id == actor.county_id])


def read(session: Session, vault: Vault, actor: Actor, outing_id: str) -> Line:
    """One outing, open or not. Raises NotFound for whoever neither takes part in it nor watches over its place."""
    found = _lines(session, vault, [Outing.id == outing_id, Outing.county_id == actor.county_id]) if outing_id.isalnum() else []
    if not found or not concerns(actor, found[0].outing, found[0].members):
        raise NotFound(what="外出报备", key=outing_id)
    return found[0]


def by_id(session: Session, vault: Vault, outing_ids: Iterable[str]) -> dict[str, Line]:
    """Outings by id, for whoever has an alert about them."""
    return {line.outing.id: line for line in _lines(session, vault, [Outing.id.in_(list(outing_ids))])}


def concerns(actor: Actor, outing: Outing, members: Iterable[str]) -> bool:
    """Whether an outing is the actor's to change: they take part in it, or watch over its place."""
    return actor.person_id in members or (may(actor, "outing:read") and covers(actor.unit_path, outing.place_path))


def members_of(session: Session, outing_id: str) -> list[str]:
    """The ids of who goes."""
    return list(session.scalars(select(OutingMember.person_id).where(OutingMember.outing_id == outing_id)))


def company(connection: Connection, instance_id: str, person_id: str, since: datetime) -> int:
    """With how many people, themselves included, somebody goes or went out for a case: the most of their outings open or ended since
    a moment; 0 for none."""
    rows = _COMPANY.rows(connection, {"instance": instance_id, "person": person_id, "since": since})
    return max((count for (count,) in rows), default=0)


_COMPANY = Prepared(
    select(func.count())
    .select_from(OutingMember)
    .join(Outing, Outing.id == OutingMember.outing_id)
    .where(Outing.instance_id == bindparam("instance"), Outing.cancelled_at.is_(None))
    .where(Outing.id.in_(select(OutingMember.outing_id).where(OutingMember.person_id == bindparam("person"))))
    .where(or_(Outing.returned_at.is_(None), Outing.returned_at >= bindparam("since")))
    .group_by(Outing.id)
)


def is_out(session: Session, person_id: str) -> bool:
    """Whether somebody has left on an outing of their own and not returned."""
    query = select(Outing.id).where(Outing.reporter_id == person_id, Outing.left_at.is_not(None), *_OPEN)
    return session.scalar(query.limit(1)) is not None


def due(session: Session, county_id: str, now: datetime, limit: int) -> list[str]:
    """Ids of the outings the clock has to look at, the longest due first. Look again under the lock: another worker may be quicker."""
    query = select(Outing.id).where(Outing.county_id == county_id, Outing.next_at <= now).order_by(Outing.next_at).limit(limit)
    return list(session.scalars(query))


def _lines(session: Session, vault: Vault, conditions: list) -> list[Line]:
    query = select(Outing, SubjectKey).join(SubjectKey, SubjectKey.id == Outing.key_id).where(*conditions)
    rows = [_Row(*row) for row in session.execute(query.order_by(Outing.expected_return, Outing.id))]
    going: dict[str, list[str]] = {row.outing.id: [row.outing.reporter_id] for row in rows}
    for member in session.scalars(select(OutingMember).where(OutingMember.outing_id.in_(going)).order_by(OutingMember.person_id)):
        if member.person_id not in going[member.outing_id]:
            going[member.outing_id].append(member.person_id)
    names = names_of(session, vault, {person_id for people in going.values() for person_id in people})
    lines = []
    for outing, key in rows:
        told = vault.open(key, outing.sealed, outing.place)
        members = {person_id: names.get(person_id, "") for person_id in going[outing.id]}
        lines.append(Line(outing, told["destination"], told["reason"], members))
    return lines
