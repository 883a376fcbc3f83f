"""What the regulations said is counted by rule, over a time and a place."""

from datetime import timedelta

import pytest

from engine import organisation, verdicts
from engine.exceptions import RegulationRefused
from engine.verdicts import Count
from tests.support.journeys import likely
from tests.support.tables import file, table

OUTPUTS = [(name, "string") for name in ("rule", "effect", "message", "message_en", "source")]
SAID = ['"不行"', '"No"', '"站内默认"']


def counted(county, station: str | None = None, days: int = 1) -> dict[str, Count]:
    with county.system.database.read() as session:
        unit = station and organisation.unit_by_key(session, county.system.county_id, station).id
        found = verdicts.counts(session, county.system.county_id, county.now - timedelta(days=days), county.now + timedelta(minutes=1), unit)
    return {rule: count for rule, count in found.items() if rule.startswith("watch.")}


@pytest.fixture
def watched(working_county):
    """A county whose own regulation remarks on every visit, and refuses those to one person."""
    inputs = [("point", "Any"), ("task.element", "Any"), ("task.data.clientName", "Any")]
    rows = [
        ['"complete"', '"visit"', "-", '"watch.remark"', '"warn"', *SAID],
        ['"complete"', '"visit"', '"李四"', '"watch.refuse"', '"block"', *SAID],
    ]
    working_county.deploy(**{"watch.dmn": file(table(inputs, OUTPUTS, rows, hit="COLLECT", ident="watch"))})
    return working_county


def visit(county, who: str, room: str, **answers) -> None:
    case = county.start("service_delivery", place=room, who=who)["id"]
    county.do(who, case, "visit", likely("visit", county.now) | answers)


def test_remarks_and_refusals_are_counted_by_rule_and_station(watched):
    county = watched
    visit(county, "ft-01-1", "room-001")
    with pytest.raises(RegulationRefused):
        visit(county, "ft-01-1", "room-001", clientName="李四")
    visit(county, "ft-02-1", room_of(county, "station-02"))
    assert counted(county) == {"watch.remark": Count(2), "watch.refuse": Count(1, stopped=1)}
    assert counted(county, "station-01") == {"watch.remark": Count(1), "watch.refuse": Count(1, stopped=1)}
    assert counted(county, "station-02") == {"watch.remark": Count(1)}
    county.now += timedelta(days=40)
    assert counted(county) == {}
    assert counted(county, days=50)["watch.remark"] == Count(2)


def room_of(county, station: str) -> str:
    with county.system.database.read() as session:
        units = organisation.units(session, county.system.county_id, on=county.now.date())
        wanted = next(unit.id for unit in units if unit.key == station)
        return next(unit.key for unit in units if unit.kind == "room" and unit.station_id == wanted)
