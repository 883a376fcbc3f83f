"""Messages and signals between cases and from outside: who waits for what, which procedures they start, and messages not yet due to anyone.

A correlation key may be personal data (a telephone number), so it is stored nowhere: a keyed hash finds it. What a buffered message
brings is sealed under the installation's key, since it belongs to no case yet, and is gone with the message.
"""

from datetime import datetime, timedelta

from sqlalchemy import Index, String, UniqueConstraint, bindparam, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from engine import audit
from engine.db import Base, Id, Instant, Json, canonical, reference
from engine.definitions import stream_of as stream_of_definition
from engine.instances import ACTIVE, INCIDENT, Instance, stream_of as stream_of_case
from engine.prepared import Prepared
from engine.vault import Vault

MESSAGE, SIGNAL = "message", "signal"
LIFETIME = timedelta(hours=1)  # of a message that does not say; 0 reaches only who waits already (both as in Camunda 8)
LONGEST_LIFETIME = timedelta(days=30)
LONGEST_NAME = 200
LONGEST_KEY = 400


class Subscription(Base):
    """A case waits for a message or a signal. `key_hash` stands for the name with its correlation key; of a signal, for the name."""

    __tablename__ = "subscription"
    __table_args__ = (Index("subscription_by_key", "county_id", "key_hash"),)
    instance_id: Mapped[str] = mapped_column(reference("instance.id"), primary_key=True)
    subscription: Mapped[int] = mapped_column(primary_key=True)
    token: Mapped[int]
    element: Mapped[str] = mapped_column(String(100))
    trigger: Mapped[str] = mapped_column(String(12))
    name: Mapped[str] = mapped_column(String(LONGEST_NAME))
    key_hash: Mapped[str] = mapped_column(String(32))
    definition_key: Mapped[str] = mapped_column(String(100))
    opened_at: Mapped[datetime] = mapped_column(Instant)

    def __stream__(self) -> str:
        return stream_of_case(self.instance_id)


class StartSubscription(Base):
    """A published procedure begins a case when a message or signal of this name comes."""

    __tablename__ = "start_subscription"
    __table_args__ = (Index("start_subscription_by_name", "county_id", "trigger", "name"),)
    definition_id: Mapped[str] = mapped_column(reference("definition.id"), primary_key=True)
    element: Mapped[str] = mapped_column(String(100), primary_key=True)
    key: Mapped[str] = mapped_column(String(100))
    trigger: Mapped[str] = mapped_column(String(12))
    name: Mapped[str] = mapped_column(String(LONGEST_NAME))

    def __stream__(self) -> str:
        return stream_of_definition(self.county_id, "procedure", self.key)


class StartedCase(Base):
    """A case that a message with a correlation key began. While it is open, no other of its procedure begins by the same key (as in Zeebe)."""

    __tablename__ = "started_case"
    __table_args__ = (Index("started_case_by_key", "county_id", "key_hash"),)
    instance_id: Mapped[str] = mapped_column(reference("instance.id"), primary_key=True)
    definition_key: Mapped[str] = mapped_column(String(100))
    key_hash: Mapped[str] = mapped_column(String(32))

    def __stream__(self) -> str:
        return stream_of_case(self.instance_id)


class Message(Base):
    """A message that is kept for a while. `correlated_to`: the procedures that have had it; each has it at most once (as in Zeebe).

    `message_id`: a keyed hash of the sender's own number for it; no two kept messages of one name and key have the same.
    """

    __tablename__ = "message"
    __table_args__ = (
        Index("message_by_key", "county_id", "key_hash"),
        Index("message_by_time", "county_id", "expires_at"),
        UniqueConstraint("county_id", "key_hash", "message_id"),
    )
    id: Mapped[str] = mapped_column(Id, primary_key=True)
    name: Mapped[str] = mapped_column(String(LONGEST_NAME))
    key_hash: Mapped[str] = mapped_column(String(32))
    has_key: Mapped[bool]
    message_id: Mapped[str | None] = mapped_column(String(32))
    sealed: Mapped[bytes]
    place_path: Mapped[str] = mapped_column(String(200))
    published_by: Mapped[str | None] = mapped_column(Id)
    published_at: Mapped[datetime] = mapped_column(Instant)
    expires_at: Mapped[datetime] = mapped_column(Instant)
    correlated_to: Mapped[list[str]] = mapped_column(Json)

    def __stream__(self) -> str:
        return stream_of(self.id)


def stream_of(message_id: str) -> str:
    """The stream of a message, from its publication to its end."""
    return audit.stream("message", message_id)


def key_hash(vault: Vault, county_id: str, trigger: str, name: str, key: str | None = None) -> str:
    """What stands for a name with its correlation key."""
    return vault.index(county_id, trigger, canonical([name, key]))


def place_of(message_id: str) -> str:
    """Where a message's variables are sealed."""
    return f"message:{message_id}:sealed"


_WAITING = Prepared(
    select(Subscription.instance_id, Subscription.subscription, Subscription.definition_key)
    .where(Subscription.county_id == bindparam("county"), Subscription.key_hash == bindparam("key_hash"))
    .order_by(Subscription.opened_at, Subscription.instance_id, Subscription.subscription)
)


def waiting(connection, county_id: str, hashed: str) -> list[tuple[str, int, str]]:
    """(instance id, subscription, procedure) of everything that waits for a name and key, the oldest first."""
    return _WAITING.rows(connection, {"county": county_id, "key_hash": hashed})


def starts(session: Session, county_id: str, trigger: str, name: str) -> list[StartSubscription]:
    """The start events of published procedures that wait for a name."""
    query = select(StartSubscription).where(
        StartSubscription.county_id == county_id, StartSubscription.trigger == trigger, StartSubscription.name == name
    )
    return list(session.scalars(query.order_by(StartSubscription.key, StartSubscription.element)))


def buffered(session: Session, county_id: str, hashed: str, now: datetime) -> list[Message]:
    """The messages kept for a name and key, the oldest first."""
    query = select(Message).where(Message.county_id == county_id, Message.key_hash == hashed, Message.expires_at > now)
    return list(session.scalars(query.order_by(Message.published_at, Message.id)))


def expired(session: Session, county_id: str, now: datetime, limit: int) -> list[tuple[str, str]]:
    """(id, hash of name and key) of messages whose time is over."""
    query = (
        select(Message.id, Message.key_hash)
        .where(Message.county_id == county_id, Message.expires_at <= now)
        .order_by(Message.expires_at)
        .limit(limit)
    )
    return [tuple(row) for row in session.execute(query)]


def is_running(session: Session, county_id: str, definition_key: str, hashed: str) -> bool:
    """Whether an open case of a procedure was begun by this name and key."""
    query = (
        select(Instance.id)
        .join(StartedCase, StartedCase.instance_id == Instance.id)
        .where(StartedCase.county_id == county_id, StartedCase.key_hash == hashed, StartedCase.definition_key == definition_key)
        .where(Instance.status.in_((ACTIVE, INCIDENT)))
        .limit(1)
    )
    return session.scalar(query) is not None
