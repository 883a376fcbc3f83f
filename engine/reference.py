"""What is in force now: parameters, calendar and regulation tables. Cached by a process and revalidated by one look at their streams."""

from bisect import bisect_right
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from operator import attrgetter

from sqlalchemy import bindparam, select
from sqlalchemy.engine import Connection
from sqlalchemy.orm import Session

from engine import audit, calendar, definitions, feel, parameters
from engine.audit import Stream
from engine.calendar import Calendar
from engine.facts import Needs
from engine.feel import FeelFunction
from engine.parameters import Parameter
from engine.prepared import Prepared
from engine.regulations import Tables
from engine.system import System


@dataclass(frozen=True)
class Reference:
    """Reference data of a county as of one moment. `heads`: the sequence number of each stream it was read at.

    `functions`: what expressions may call, the arithmetic of the calendar.
    """

    heads: frozenset
    calendar: Calendar
    functions: Mapping[str, FeelFunction]
    tables: Tables
    needs: Needs
    parameter_rows: list[Parameter]
    _in_force: dict = field(default_factory=dict)

    @property
    def sequence(self) -> int:
        """How far the county's stream of regulations had come: which versions were in force."""
        return _sequence(self.heads)

    def parameters(self, now: datetime, station_id: str | None) -> dict:
        """Name → value in force at `now` for a station: the FEEL context `parameters`. Not to be changed."""
        since = bisect_right(self.parameter_rows, now, key=attrgetter("valid_from"))  # rows are in the order of their dates
        found = self._in_force.get((station_id, since))
        if found is None:
            rows = parameters.effective(self.parameter_rows, now, station_id)
            found = self._in_force[station_id, since] = {key: feel.from_plain(row.value) for key, row in rows.items()}
        return found


def known(system: System, connection: Connection) -> Reference | None:
    """What this process has read before, if it is still in force: one statement tells."""
    current = system.compiled.get("reference")
    return current if current is not None and current.heads == _heads(system, connection) else None


def in_force(system: System, session: Session) -> Reference:
    """The county's reference data, read anew if anything changed since this process last looked."""
    heads = _heads(system, session.connection())
    current = system.compiled.get("reference")
    if current is None or current.heads != heads:
        dates = calendar.load(session, system.county_id, system.zone)
        if current is not None and _sequence(current.heads) == _sequence(heads):  # a new number or calendar changes no table
            tables, needs = current.tables, current.needs
        else:
            tables = Tables(definitions.regulations_in_force(session, system.county_id))
            needs = Needs(tables)
        current = Reference(
            heads,
            dates,
            calendar.feel_functions(dates),
            tables,
            needs,
            parameters.history(session, system.county_id),
        )
        system.compiled["reference"] = current
    return current


def _sequence(heads: frozenset) -> int:
    return next((seq for stream, seq in heads if stream.startswith("regulations/")), 0)


_HEADS = Prepared(
    select(Stream.id, Stream.seq).where(Stream.id.in_([bindparam("calendar"), bindparam("parameters"), bindparam("regulations")]))
)


def _heads(system: System, connection: Connection) -> frozenset:
    streams = {
        "calendar": audit.stream("calendar", system.county_id),
        "parameters": parameters.stream_of(system.county_id),
        "regulations": definitions.stream_of(system.county_id, "regulation", ""),
    }
    return frozenset(_HEADS.rows(connection, streams))
