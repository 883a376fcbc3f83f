"""What the regulations said in a stretch of time, counted from the events that tell of it."""

from dataclasses import dataclass, replace
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from engine.audit import SPOKEN, Event, Kind


@dataclass(frozen=True)
class Count:
    """How often a rule spoke: `said` in all, of which it `stopped` the act, or was `waived` and the act went on."""

    said: int = 0
    stopped: int = 0
    waived: int = 0


def counts(session: Session, county_id: str, since: datetime, until: datetime, station_id: str | None = None) -> dict[str, Count]:
    """Rule → how often it spoke between two moments (the second excluded), at one station or in the whole county.

    A verdict is counted each time: somebody who tries three times is refused three times.
    """
    found: dict[str, Count] = {}
    query = select(Event.kind, Event.facts).where(
        Event.county_id == county_id, SPOKEN, Event.recorded_at >= since, Event.recorded_at < until
    )
    for kind, facts in session.execute(query.execution_options(yield_per=1000)):
        if station_id is not None and _station(facts) != station_id:
            continue
        for verdict in facts.get("verdicts", ()):
            one = found.get(verdict["rule"], Count())
            refused = kind == Kind.REGULATION_REFUSED
            found[verdict["rule"]] = replace(
                one, said=one.said + 1, stopped=one.stopped + refused, waived=one.waived + bool(verdict.get("waived"))
            )
    return found


def _station(facts: dict) -> str | None:
    return facts.get("station") or (facts.get("checked") or {}).get("station")
