"""What the clock has looked at that has no time of its own to be looked at: late tasks, and periods that have ended."""

from datetime import datetime

from sqlalchemy import String
from sqlalchemy.orm import Mapped, mapped_column

from engine.db import Base, Id, Instant


class Look(Base):
    """That something of a case or unit was looked at. `kind`: instance or unit, `subject` its id; `what`: a task's id, or a period,
    `month 2026-11`. `next_at`: when it is looked at again; empty when never.
    """

    __tablename__ = "look"
    county_id: Mapped[str] = mapped_column(Id, primary_key=True, sort_order=-1)
    kind: Mapped[str] = mapped_column(String(12), primary_key=True)
    subject: Mapped[str] = mapped_column(Id, primary_key=True)
    what: Mapped[str] = mapped_column(String(40), primary_key=True)
    looked_at: Mapped[datetime] = mapped_column(Instant)
    next_at: Mapped[datetime | None] = mapped_column(Instant)

    def __stream__(self) -> str:
        return f"{self.kind}/{self.subject}"
