"""What one case has for another, or for the county: written with what caused it, carried out in a transaction of its own.

A transaction locks one case and never waits for a second, so nothing that a case does reaches another directly. A delivery is deleted in
the transaction that carries it out: exactly once, whoever is killed when.
"""

from datetime import datetime, timedelta

from sqlalchemy import Index, String, exists, select
from sqlalchemy.orm import Mapped, Session, aliased, mapped_column

from engine import audit
from engine.db import Base, Id, Instant

# kinds, and what is sealed with them
MESSAGE = "message"  # {name, key, lifetime, variables}: a case throws a message
BROADCAST = "broadcast"  # {name, variables}: a case throws a signal
SIGNAL = "signal"  # {subscriptions, variables}: to one of those who waited when it was thrown
START = "start"  # {definition, element, variables}: a signal begins a case
AWAITED = "awaited"  # {subscription}: a wait opened while somebody published under its key
FREED = "freed"  # {definition, hash}: a case that a message began is over; another may be waiting
FINISHED = "call_finished"  # {token, variables}, to the caller
FAILED = "call_failed"  # {token, code, variables}, to the caller
ESCALATED = "call_escalated"  # {token, code, variables}, to the caller
CANCEL = "cancel"  # {}: to a called case whose caller needs it no more

FIRST_PAUSE = timedelta(seconds=10)
LONGEST_PAUSE = timedelta(hours=1)
ATTEMPTS = 8  # then it waits for somebody who looks at it


class Delivery(Base):
    """One thing to be carried out. `next_at` is empty when it has failed too often; `error` is the code of the last failure."""

    __tablename__ = "delivery"
    __table_args__ = (Index("delivery_by_time", "county_id", "next_at"), Index("delivery_by_target", "target_id"))
    id: Mapped[str] = mapped_column(Id, primary_key=True)
    kind: Mapped[str] = mapped_column(String(20))
    source_id: Mapped[str | None] = mapped_column(Id)
    target_id: Mapped[str | None] = mapped_column(Id)
    place_path: Mapped[str] = mapped_column(String(200))
    sealed: Mapped[bytes]
    created_at: Mapped[datetime] = mapped_column(Instant)
    next_at: Mapped[datetime | None] = mapped_column(Instant)
    attempts: Mapped[int]
    error: Mapped[str | None] = mapped_column(String(60))

    def __stream__(self) -> str:
        return stream_of(self.id)


def stream_of(delivery_id: str) -> str:
    """The stream of a delivery, from its writing to its end."""
    return audit.stream("delivery", delivery_id)


def place_of(delivery_id: str) -> str:
    """Where a delivery's payload is sealed."""
    return f"delivery:{delivery_id}:sealed"


def pause_after(attempts: int) -> timedelta:
    """How long to wait after so many failures."""
    return min(LONGEST_PAUSE, FIRST_PAUSE * 2 ** min(attempts, 10))


def due(session: Session, county_id: str, now: datetime, limit: int) -> list[str]:
    """Ids of what is due, the oldest first. What one case has for another is carried out in the order in which it was written."""
    earlier = aliased(Delivery)
    before = exists().where(
        earlier.source_id == Delivery.source_id, earlier.target_id == Delivery.target_id, earlier.id < Delivery.id
    )
    query = (
        select(Delivery.id)
        .where(Delivery.county_id == county_id, Delivery.next_at <= now, ~before)
        .order_by(Delivery.next_at, Delivery.id)
        .limit(limit)
    )
    return list(session.scalars(query))
