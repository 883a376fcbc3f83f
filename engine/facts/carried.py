"""What regulations may ask about how much somebody carries: `person.open_cases`, `person.led_cases`, `person.open_high_risk`."""

from decimal import Decimal
from typing import Any

from engine import workload
from engine.facts.gathering import Asked, Source

CARRIED = frozenset({"open_cases", "led_cases", "open_high_risk"})


def _carried(asked: Asked, names: frozenset[str]) -> dict[str, Any]:
    """Counts of open cases, as engine.workload has them; nothing where a check is about nobody."""
    if asked.person is None:
        return {}
    who = asked.person.person_id
    load = workload.of(asked.session, asked.system.vault, [who])[who]
    return {name: Decimal(getattr(load, name)) for name in names}


OF_LOAD = Source(CARRIED, _carried)
