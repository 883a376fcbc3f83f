"""Importing a year's holidays and make-up workdays, and moving the open deadlines that it changes."""

from datetime import datetime

from sqlalchemy import select

from engine import audit, calendar
from engine.audit import Event, Kind
from engine.calendar import Year
from engine.commands import Act, command
from engine.commands.timers import reschedule_open_timers
from engine.organisation import Actor
from engine.system import System


def import_year(system: System, actor: Actor, year: Year, now: datetime) -> dict:
    """Put a year into force, replacing an earlier import of it, then count every open deadline again, a case a transaction.

    Answers {year, number, holidays, workdays, cases}. Raises Forbidden.
    """
    answer = _write(system, actor, year, now=now)
    return answer | {"cases": recount(system, now)}


def recount(system: System, now: datetime) -> int:
    """Count every open deadline again and note that it is done; answers how many cases were looked at."""
    cases = reschedule_open_timers(system, now)
    _note_recount(system, Actor.system(system.county_id), cases, now=now)
    return cases


def finish_recount(system: System, now: datetime) -> None:
    """Count again what an interrupted import left uncounted: the last word of the calendar's history is then an import."""
    stream = audit.stream("calendar", system.county_id)
    with system.database.read() as session:
        query = select(Event.kind).where(Event.stream == stream).order_by(Event.seq.desc()).limit(1)
        interrupted = session.scalar(query) == Kind.CALENDAR_IMPORTED
    if interrupted:
        recount(system, now)


@command("calendar:recount")
def _note_recount(act: Act, cases: int) -> None:
    act.record(audit.stream("calendar", act.actor.county_id), Kind.CALENDAR_RECOUNTED, facts={"cases": cases})


@command("calendar:import", "calendar:write")
def _write(act: Act, year: Year) -> dict:
    row = calendar.put_year(act.unit, act.actor.county_id, year, act.actor.person_id)
    answer = {"year": row.year, "number": row.number, "holidays": len(year.holidays), "workdays": len(year.workdays)}
    # The days themselves go into history: a later import replaces the row, and old deadlines must still be explained.
    facts = answer | {"source": row.source, "holidays": row.holidays, "workdays": row.workdays}
    act.record(audit.stream("calendar", act.actor.county_id), Kind.CALENDAR_IMPORTED, facts=facts)
    return answer
