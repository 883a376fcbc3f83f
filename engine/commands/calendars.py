"""Importing a year's holidays and make-up workdays, and moving the open deadlines that it changes."""

from datetime import datetime

from engine import audit, calendar
from engine.audit import Kind
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
    return answer | {"cases": reschedule_open_timers(system, now)}


@command("calendar:import", "calendar:write")
def _write(act: Act, year: Year) -> dict:
    row = calendar.put_year(act.unit, act.actor.county_id, year, act.actor.person_id)
    answer = {"year": row.year, "number": row.number, "holidays": len(year.holidays), "workdays": len(year.workdays)}
    # The days themselves go into history: a later import replaces the row, and old deadlines must still be explained.
    facts = answer | {"source": row.source, "holidays": row.holidays, "workdays": row.workdays}
    act.record(audit.stream("calendar", act.actor.county_id), Kind.CALENDAR_IMPORTED, facts=facts)
    return answer
