"""What a regulation says must be done now, and by whom: an alert stays on their page until they write down what they did.

A verdict with effect `task` that names whom to notify makes one (engine.commands.judging). Its text is sealed, for a rule may quote facts.
"""

from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy import Index, String, UniqueConstraint, func, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from engine.db import Base, Id, Instant
from engine.exceptions import NotFound
from engine.organisation import Actor, covers, lies_in
from engine.permissions import may, require
from engine.vault import SubjectKey, Vault


class Alert(Base):
    """One thing to be done. `subject`: the stream it is about (`outing/<id>`, `instance/<id>`), whose key seals it; `notify`: the role
    that has to act; `round`: one rule makes one alert a round of its subject. `due_at`: until when it must be done; at `next_at` the clock
    looks whether it was."""

    __tablename__ = "alert"
    __table_args__ = (
        UniqueConstraint("county_id", "subject", "rule", "round"),
        Index("alert_by_role", "county_id", "acknowledged_at", "notify"),
        Index("alert_by_time", "next_at"),
    )
    id: Mapped[str] = mapped_column(Id, primary_key=True)
    subject: Mapped[str] = mapped_column(String(80))
    rule: Mapped[str] = mapped_column(String(80))
    round: Mapped[str] = mapped_column(String(40))
    notify: Mapped[str] = mapped_column(String(16))
    place_path: Mapped[str] = mapped_column(String(200))
    raised_at: Mapped[datetime] = mapped_column(Instant)
    due_at: Mapped[datetime | None] = mapped_column(Instant)
    next_at: Mapped[datetime | None] = mapped_column(Instant)
    acknowledged_at: Mapped[datetime | None] = mapped_column(Instant)
    acknowledged_by: Mapped[str | None] = mapped_column(Id)
    sealed: Mapped[bytes]
    version: Mapped[int] = mapped_column()
    __mapper_args__ = {"version_id_col": version}

    def __stream__(self) -> str:
        return self.subject

    @property
    def place(self) -> str:
        """Where its text is sealed."""
        return f"alert:{self.id}:sealed"

    def about(self, kind: str) -> str | None:
        """The id of what it is about, if that is an `outing`, an `instance` or a `handover`."""
        found, _, identity = self.subject.partition("/")
        return identity if found == kind else None


@dataclass(frozen=True)
class Line:
    """An alert opened: `told` holds message, message_en, hint, hint_en, source and facts of its verdict."""

    alert: Alert
    told: dict = field(repr=False)


def waiting(session: Session, vault: Vault, actor: Actor, whole: bool = False) -> list[Line]:
    """What the actor has to act on: alerts for a role of theirs about what their unit covers, the oldest in front; none without the right.

    `whole`: for a supervisor also what the leads have to act on.
    """
    if not may(actor, "alert:acknowledge"):
        return []
    query = select(Alert, SubjectKey).join(SubjectKey, SubjectKey.subject == Alert.subject)
    query = query.where(*_for(actor, _roles(actor) if whole else actor.roles), SubjectKey.destroyed_at.is_(None)).order_by(Alert.raised_at, Alert.id)
    return [Line(alert, vault.open(key, alert.sealed, alert.place)) for alert, key in session.execute(query)]


def locked(session: Session, actor: Actor, alert_id: str) -> tuple[Alert, SubjectKey]:
    """An alert that the actor may deal with, locked, with the key of what it is about. Raises Forbidden; NotFound for anybody else's."""
    require(actor, "alert:acknowledge")
    query = (
        select(Alert, SubjectKey)
        .join(SubjectKey, SubjectKey.subject == Alert.subject)
        .where(Alert.id == alert_id, Alert.county_id == actor.county_id)
        .with_for_update(of=Alert)
    )
    row = session.execute(query).one_or_none() if alert_id.isalnum() else None
    if row is None or row[0].notify not in _roles(actor) or not covers(actor.unit_path, row[0].place_path):
        raise NotFound(what="待处理的事项", key=alert_id)
    return row[0], row[1]


def is_raised(session: Session, subject: str, rule: str, of_round: str) -> bool:
    """Whether this rule has made its alert of this round already."""
    query = select(func.count()).select_from(Alert).where(Alert.subject == subject, Alert.rule == rule, Alert.round == of_round)
    return session.scalar(query) > 0


def due(session: Session, county_id: str, now: datetime, limit: int) -> list[str]:
    """Ids of the alerts the clock has to look at. Look again under the lock: another worker may be quicker."""
    query = select(Alert.id).where(Alert.county_id == county_id, Alert.next_at <= now).order_by(Alert.next_at).limit(limit)
    return list(session.scalars(query))


def _roles(actor: Actor) -> frozenset[str]:
    """Whose alerts the actor may deal with: a supervisor stands in for any lead."""
    return actor.roles | {"lead"} if "supervisor" in actor.roles else actor.roles


def _for(actor: Actor, roles: frozenset[str]) -> list:
    inside = lies_in(Alert.place_path, actor.unit_path)
    return [Alert.county_id == actor.county_id, Alert.acknowledged_at.is_(None), Alert.notify.in_(sorted(roles)), inside]
