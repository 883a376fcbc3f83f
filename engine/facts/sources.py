"""Every source of further facts, by the root they stand under."""

from collections.abc import Mapping
from decimal import Decimal

from engine.facts.carried import OF_LOAD
from engine.facts.gathering import Asked, Source
from engine.facts.registered import OF_CLIENT, OF_PERSON, OF_UNIT
from engine.facts.units import OF_UNIT_ITSELF
from engine.registers import outings

VISITS = frozenset({"visit", "home_visit"})  # tags of tasks done outside


def _company(asked: Asked, _names) -> dict:
    """With how many people a visit is made; 0 where there is no outing for it, and for whatever is no visit."""
    if asked.instance_id is None or asked.person is None or not asked.tags & VISITS:
        return {"people": Decimal(0)}
    return {"people": Decimal(outings.company(asked.connection, asked.instance_id, asked.person.person_id, asked.since))}


SOURCES: Mapping[str, tuple[Source, ...]] = {
    "person": (OF_PERSON, OF_LOAD),
    "unit": (OF_UNIT, OF_UNIT_ITSELF),
    "client": (OF_CLIENT,),
    "outing": (Source(frozenset({"people"}), _company),),
}
