"""Posts and vacancies: how many people a station should have, has, and lacks."""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import date

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from engine.organisation import Actor, Person, Unit, covers, units
from engine.permissions import require
from engine.registers.entries import RegisterEntry

WORKFORCES = ("full_time", "part_time", "assistant")  # those that a station must have; others only where its posts say so


@dataclass(frozen=True)
class Posts:
    """One kind of people at one station (its key). `entered`: whether `required` comes from the register, or else from the parameters."""

    station: str
    name: str
    workforce: str
    required: int
    held: int
    entered: bool

    @property
    def vacant(self) -> int:
        """How many are missing."""
        return max(0, self.required - self.held)


def by_station(session: Session, actor: Actor, today: date, parameters: Callable[[str], Mapping]) -> list[Posts]:
    """The posts of the stations that the actor looks after, in their order. `parameters`: those in force for a station's id.

    Raises Forbidden. Four statements.
    """
    require(actor, "register:read")
    known = units(session, actor.county_id, on=today)
    entered = _entered(session, actor.county_id)
    held, rooms = _held(session, actor.county_id), Counter(unit.parent_id for unit in known if unit.kind == "room")
    found = []
    for station in known:
        if station.kind != "station" or not covers(actor.unit_path, station.path):
            continue
        values = parameters(station.id)
        asked = {
            "full_time": int(values.get("staff_full_time", 0)),
            "part_time": int(values.get("staff_part_time", 0)),
            "assistant": rooms[station.id] * int(values.get("assistants_per_room", 0)),
        }
        own = entered.get(station.id, {})
        for workforce in (*WORKFORCES, *(each for each in own if each not in WORKFORCES)):
            required = own.get(workforce, asked.get(workforce, 0))
            found.append(Posts(station.key, station.name, workforce, required, held[station.id, workforce], workforce in own))
    return found


def totals(found: Iterable[Posts]) -> list[tuple[str, int, int, int]]:
    """(workforce, required, held, vacant) over several stations, in the order of first appearance. What one station has too many of does
    not fill another's vacancy."""
    sums: dict[str, list[int]] = {}
    for each in found:
        held = sums.setdefault(each.workforce, [0, 0, 0])
        for number, count in enumerate((each.required, each.held, each.vacant)):
            held[number] += count
    return [(workforce, *counts) for workforce, counts in sums.items()]


def _entered(session: Session, county_id: str) -> dict[str, dict[str, int]]:
    """Station id → workforce → number, of the register; the newest entry counts."""
    query = select(RegisterEntry.subject_id, RegisterEntry.plain).order_by(RegisterEntry.id)
    query = query.where(RegisterEntry.county_id == county_id, RegisterEntry.register == "posts", RegisterEntry.ended_at.is_(None))
    found: dict[str, dict[str, int]] = {}
    for unit_id, values in session.execute(query):
        found.setdefault(unit_id, {})[values["workforce"]] = int(float(values["number"]))
    return found


def _held(session: Session, county_id: str) -> Counter:
    """How many active people there are, by (station id, workforce)."""
    query = select(Unit.id, Unit.kind, Unit.parent_id, Person.workforce_type, func.count()).join(Unit, Unit.id == Person.unit_id)
    query = query.where(Person.county_id == county_id, Person.active).group_by(Unit.id, Unit.kind, Unit.parent_id, Person.workforce_type)
    found: Counter = Counter()
    for unit_id, kind, parent_id, workforce, number in session.execute(query):
        found[parent_id if kind == "room" else unit_id, workforce] += number
    return found
