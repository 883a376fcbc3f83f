"""What is in force now: parameters, calendar and regulation tables. Cached by a process and revalidated by one look at their streams."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import bindparam, select
from sqlalchemy.orm import Session

from engine import audit, calendar, definitions, feel, parameters
from engine.calendar import Calendar
from engine.regulations import Tables
from engine.system import System


@dataclass(frozen=True)
class Reference:
    """Reference data of a county as of one moment. `heads`: the sequence number of each stream it was read at."""

    heads: tuple
    calendar: Calendar
    tables: Tables
    parameter_rows: list

    def parameters(self, now: datetime, station_id: str | None) -> dict:
        """Name → value in force at `now` for a station: the FEEL context `parameters`."""
        found = parameters.effective(self.parameter_rows, now, station_id)
        return {key: feel.from_plain(row.value) for key, row in found.items()}


_HEADS = select(audit.Stream.id, audit.Stream.seq).where(audit.Stream.id.in_(bindparam("streams", expanding=True)))


def in_force(system: System, session: Session) -> Reference:
    """The county's reference data; one statement when nothing changed since this process last looked."""
    streams = [
        audit.stream("calendar", system.county_id),
        parameters.stream_of(system.county_id),
        definitions.stream_of(system.county_id, "regulation", ""),
    ]
    rows = session.connection().execute(_HEADS, {"streams": streams})
    heads = tuple(sorted((row.id, row.seq) for row in rows))
    known = system.compiled.get("reference")
    if known is None or known.heads != heads:
        known = Reference(
            heads,
            calendar.load(session, system.county_id, system.zone),
            Tables(definitions.regulations_in_force(session, system.county_id)),
            parameters.history(session, system.county_id),
        )
        system.compiled["reference"] = known
    return known
