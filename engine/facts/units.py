"""What regulations may ask about a unit itself: `unit.kind`, `unit.staff.full_time`, `unit.rooms`, and of an ended period `unit.figures`."""

from collections import Counter
from decimal import Decimal
from typing import Any

from sqlalchemy import bindparam, func, or_, select

from engine.facts.figures import figures
from engine.facts.gathering import Asked, Source
from engine.organisation import Person, Unit, lies_in
from engine.prepared import Prepared

COUNTED = ("full_time", "part_time", "assistant")  # the workforce types of `unit.staff`


def _unit(asked: Asked, names: frozenset[str]) -> dict[str, Any]:
    """{id, key, kind, name, staff, rooms, figures} of the unit a check is about, as far as `names` has them; nothing without one."""
    rows = _UNIT.rows(asked.connection, {"unit": asked.unit_id}) if asked.unit_id else ()
    if not rows:
        return {}
    unit = Unit.row(**dict(zip(_PLAIN, rows[0], strict=True)))
    found: dict[str, Any] = {name: getattr(unit, name) for name in ("id", "key", "kind", "name")}
    if "staff" in names:
        found["staff"] = _staff(asked, unit)
    if "rooms" in names:
        found["rooms"] = _rooms(asked, unit)
    if "figures" in names and asked.period is not None:
        found["figures"] = figures(asked, unit)
    return {name: value for name, value in found.items() if name in names}


def _staff(asked: Asked, unit: Unit) -> dict[str, Decimal]:
    """How many active people work there, by workforce type; those of its rooms count."""
    held = Counter(dict(_STAFF.rows(asked.connection, {"county": unit.county_id, "path": unit.path, "below": f"{unit.path}/%"})))
    return {workforce: Decimal(held[workforce]) for workforce in COUNTED}


_PLAIN = ("id", "county_id", "key", "kind", "parent_id", "path", "name")
_UNIT = Prepared(select(*(getattr(Unit, name) for name in _PLAIN)).where(Unit.id == bindparam("unit")))
_STAFF = Prepared(  # keys of units hold no wildcards
    select(Person.workforce_type, func.count())
    .join(Unit, Unit.id == Person.unit_id)
    .where(Person.county_id == bindparam("county"), Person.active, or_(Unit.path == bindparam("path"), Unit.path.like(bindparam("below"))))
    .group_by(Person.workforce_type)
)


def _rooms(asked: Asked, unit: Unit) -> Decimal:
    """How many village rooms there are on the day of the check, or on the last of the period."""
    day = asked.period[1] if asked.period else asked.today
    query = select(Unit).where(Unit.county_id == unit.county_id, Unit.kind == "room", lies_in(Unit.path, unit.path))
    return Decimal(sum(room.valid_on(day) for room in asked.session.scalars(query)))


OF_UNIT_ITSELF = Source(frozenset({"id", "key", "kind", "name", "staff", "rooms", "figures"}), _unit)
