"""The ends of months, quarters and years: the regulations look at each station and at the county (check points `month`, `quarter`, `year`).

Only what has ended last is looked at, and nothing that ended before this installation was there: figures of a time that nobody recorded
would accuse everybody.
"""

from datetime import date, datetime, timedelta
from typing import NamedTuple

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from engine import organisation
from engine.audit import Event, Kind
from engine.commands import Act, command
from engine.commands.judging import Matter, in_force, judge
from engine.exceptions import NotFound
from engine.organisation import Unit
from engine.registers.looks import Look
from engine.regulations import PERIODS
from engine.system import System
from engine.vault import SubjectKey

MONTHS = {"month": 1, "quarter": 3, "year": 12}


class Period(NamedTuple):
    """A calendar month, quarter or year. `name`: 2026-11, 2026-Q4, 2026."""

    kind: str
    name: str
    first: date
    last: date


def ended(kind: str, today: date) -> Period:
    """The period of a kind that ended last before `today`."""
    months = MONTHS[kind]
    begun = date(today.year, (today.month - 1) // months * months + 1, 1)  # of the period that `today` is in
    last = begun - timedelta(days=1)
    first = date(last.year, (last.month - 1) // months * months + 1, 1)
    name = {"month": f"{first:%Y-%m}", "quarter": f"{first.year}-Q{(first.month + 2) // 3}", "year": f"{first.year}"}[kind]
    return Period(kind, name, first, last)


def due(system: System, session: Session, today: date) -> list[tuple[str, str]]:
    """(unit's key, kind of period) of what has ended and was not looked at."""
    since = _installed(system, session)
    periods = [period for kind in PERIODS if (period := ended(kind, today)) and since is not None and period.last >= since]
    if not periods:
        return []
    units = [unit for unit in organisation.units(session, system.county_id, on=today) if unit.kind != "room"]
    whats = [_what(each) for each in periods]
    query = select(Look.subject, Look.what).where(Look.county_id == system.county_id, Look.kind == "unit", Look.what.in_(whats))
    seen = {tuple(row) for row in session.execute(query)}
    return [(unit.key, each.kind) for each in periods for unit in units if (unit.id, _what(each)) not in seen]


@command("period:look")
def look_at_period(act: Act, unit_key: str, kind: str) -> dict:
    """Ask the regulations what they say of a unit's period that ended last. Answers {looked}: false if another worker was quicker."""
    unit = organisation.unit_by_key(act.session, act.actor.county_id, unit_key)
    unit = act.session.get(Unit, unit.id, with_for_update=True)
    if unit is None or unit.kind == "room":
        raise NotFound(what="单位", key=unit_key)
    period = ended(kind, act.now.astimezone(act.system.zone).date())
    subject, what = stream(unit.id), _what(period)
    if act.session.get(Look, (unit.county_id, "unit", unit.id, what)) is not None:
        return {"looked": False}
    act.session.add(Look(county_id=unit.county_id, kind="unit", subject=unit.id, what=what, looked_at=act.now, next_at=None))
    key = key_of(act, unit.id)
    facts = {"period": {"kind": kind, "name": period.name, "from": period.first, "to": period.last}}
    place = {"unit_id": unit.id, "station_id": unit.station_id, "period": (period.first, period.last)}
    judged = judge(act, in_force(act), (kind,), facts, Matter(subject, unit.path, key, round=what, **place))
    act.record(subject, Kind.PERIOD_ENDED, facts={"period": period.name} | judged.plain, sealed=judged.sealed, key=key)
    return {"looked": True}


def stream(unit_id: str) -> str:
    """The stream of what is found out about a unit."""
    return f"unit/{unit_id}"


def key_of(act: Act, unit_id: str) -> SubjectKey:
    """The key that seals what is written down about a unit; made when first needed."""
    found = act.session.scalar(select(SubjectKey).where(SubjectKey.subject == stream(unit_id)))
    return found or act.system.vault.new_key(act.session, act.actor.county_id, stream(unit_id), act.now)


def _what(period: Period) -> str:
    return f"{period.kind} {period.name}"


def _installed(system: System, session: Session) -> date | None:
    """The day on which this installation's history begins."""
    query = select(func.min(Event.recorded_at)).where(Event.stream == organisation.stream(system.county_id), Event.seq == 1)
    begun: datetime | None = session.scalar(query)
    return begun and begun.astimezone(system.zone).date()
