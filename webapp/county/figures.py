"""Counts for the home page: open cases, open and overdue tasks by station. No personal data."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import case, func, select
from sqlalchemy.orm import Session

from engine.instances import ACTIVE, CLAIMED, INCIDENT, OFFERED, Instance, Task


@dataclass
class Figures:
    """How much there is at one station (or, with `+`, at several)."""

    cases: int = 0
    incidents: int = 0
    tasks: int = 0
    offered: int = 0
    late: int = 0

    def __add__(self, other: "Figures") -> "Figures":
        return Figures(*(getattr(self, name) + getattr(other, name) for name in self.__dataclass_fields__))


def by_station(session: Session, county_id: str, now: datetime) -> dict[str | None, Figures]:
    """Station id → figures; None is the county itself. Two statements."""
    found: dict[str | None, Figures] = {}
    cases = (
        select(Instance.status, Instance.station_id, func.count())
        .where(Instance.county_id == county_id, Instance.status.in_((ACTIVE, INCIDENT)))
        .group_by(Instance.status, Instance.station_id)  # an index holds all three
    )
    for status, station, number in session.execute(cases):
        each = found.setdefault(station, Figures())
        each.cases += number
        each.incidents += number if status == INCIDENT else 0
    tasks = (
        select(
            Task.station_id,
            func.count(),
            func.sum(case((Task.status == OFFERED, 1), else_=0)),
            func.sum(case((Task.due_at < now, 1), else_=0)),
        )
        .where(Task.county_id == county_id, Task.status.in_((OFFERED, CLAIMED)))
        .group_by(Task.station_id)
    )
    for station, number, offered, late in session.execute(tasks):
        each = found.setdefault(station, Figures())
        each.tasks, each.offered, each.late = number, int(offered or 0), int(late or 0)
    return found
