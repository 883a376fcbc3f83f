"""Numbers that a county or a station sets: deadlines, caps, intervals. Rows are added, never changed, so each has a history."""

from collections.abc import Mapping
from datetime import datetime

from sqlalchemy import String, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from engine import audit
from engine.db import Base, Id, Instant, Json

# Lengths of time and numbers of people are whole numbers, by `about.unit`, and at most this many: ten years, a crowd. A fraction, or a
# time no calendar reaches, would break every case that counts a deadline by it.
MOST = {"minutes": 5_256_000, "hours": 87_600, "days": 3_650, "working_days": 2_500, "months": 120, "people": 1_000, "switch": 1}


class Parameter(Base):
    """One value in force from `valid_from` on, for a county (`unit_id` is null) or one station. `about`: label, label_en, unit, source."""

    __tablename__ = "parameter"
    id: Mapped[str] = mapped_column(Id, primary_key=True)
    unit_id: Mapped[str | None] = mapped_column(Id)
    key: Mapped[str] = mapped_column(String(60), index=True)
    value: Mapped[object] = mapped_column(Json)
    about: Mapped[dict] = mapped_column(Json)
    valid_from: Mapped[datetime] = mapped_column(Instant)
    set_by: Mapped[str | None] = mapped_column(Id)
    set_at: Mapped[datetime] = mapped_column(Instant)

    def __stream__(self) -> str:
        return stream_of(self.county_id)


def stream_of(county_id: str) -> str:
    """The stream of a county's parameters."""
    return audit.stream("parameters", county_id)


def fault_of(value, about: Mapping) -> str | None:
    """What keeps a value from being this parameter's, in Chinese, or None. `about` as in `Parameter.about`."""
    most = MOST.get(about.get("unit"))
    if most is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float) or value != int(value):
        return "应为整数"
    return None if 0 <= value <= most else f"应在 0 到 {most} 之间"


def history(session: Session, county_id: str, key: str | None = None) -> list[Parameter]:
    """Every value ever set, oldest first."""
    query = select(Parameter).where(Parameter.county_id == county_id).order_by(Parameter.valid_from, Parameter.id)
    return list(session.scalars(query.where(Parameter.key == key) if key else query))


def effective(rows: list[Parameter], now: datetime, unit_id: str | None = None) -> dict[str, Parameter]:
    """The value of each key in force at `now`; a station's own value goes before the county's. `rows` as `history` gives them."""
    found: dict[str, Parameter] = {}
    for scope in (None, unit_id) if unit_id else (None,):
        found.update({row.key: row for row in rows if row.unit_id == scope and row.valid_from <= now})
    return found
