"""Which case called which. A table of its own: the row of a case, and what history has written of it, stay as they were."""

from sqlalchemy import Index, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from engine.db import Base, Id, reference
from engine.instances import ACTIVE, INCIDENT, Instance, stream_of

DEEPEST = 20  # cases that called one another in a row
MOST_AT_ONCE = 100  # cases begun by calls in one transaction, which keeps others waiting
MOST = 10_000  # calls by one element of one case: a loop of calls without any wait would go round for ever, a transaction each time


class CalledCase(Base):
    """A case that another called: `parent_token` is the call in it. `depth` is 1 below a case that nobody called."""

    __tablename__ = "called_case"
    __table_args__ = (Index("called_case_by_parent", "parent_id", "parent_token"),)
    instance_id: Mapped[str] = mapped_column(reference("instance.id"), primary_key=True)
    parent_id: Mapped[str] = mapped_column(Id)
    parent_token: Mapped[int]
    depth: Mapped[int]

    def __stream__(self) -> str:
        return stream_of(self.instance_id)


def caller_of(session: Session, instance_id: str) -> CalledCase | None:
    """By whom a case was called."""
    return session.get(CalledCase, instance_id)


def called_by(session: Session, parent_id: str, token: int | None = None, open_only: bool = False) -> list[tuple[CalledCase, Instance]]:
    """The cases that a case, or one call of it, has called, the oldest first."""
    query = select(CalledCase, Instance).join(Instance, Instance.id == CalledCase.instance_id).where(CalledCase.parent_id == parent_id)
    if token is not None:
        query = query.where(CalledCase.parent_token == token)
    if open_only:
        query = query.where(Instance.status.in_((ACTIVE, INCIDENT)))
    return [tuple(row) for row in session.execute(query.order_by(Instance.id))]
