"""What the registers say reaches the regulations: of who acts, of their station, of whom they serve; and visits enter a register themselves."""

import pytest
from sqlalchemy import event, select

from engine.audit import events
from engine.commands import registers as commands
from engine.commands.clients import register as register_client
from engine.commands.definitions import withdraw
from engine.exceptions import RegulationRefused
from engine.organisation import unit_by_key
from engine.registers import entries
from engine.registers.catalogue import REGISTERS
from engine.registers.entries import RegisterEntry
from engine.regulations import Tables
from tests.support.databases import ROOT
from tests.support.journeys import likely
from tests.support.tables import file, table

OUTPUTS = [(name, "string") for name in ("rule", "effect", "message", "message_en", "source")]
SAID = ['"不行"', '"No"', '"站内默认"']
BADGE = {"number": "GP-001", "issued_on": "2026-01-01", "valid_until": "2026-03-20"}


def regulation(*rows: list[str], inputs: list[str]) -> dict[str, bytes]:
    """A regulation of the tests. Each row: cells of the inputs; rule; effect."""
    rules = [[*row, *SAID] for row in rows]
    return {"registered.dmn": file(table([(text, "Any") for text in inputs], OUTPUTS, rules, hit="COLLECT", ident="registered"))}


def add(county, register, subject, values):
    return commands.add(county.system, county.act("lead-01"), register, subject, values, now=county.now)["id"]


def test_a_person_and_their_station_are_judged_by_their_entries(working_county):
    county = working_county
    asked = ["point", "count(person.badges[item.in_force = true])", "count(unit.insurances[list contains(item.covers, \"activity\")])"]
    county.deploy(
        **regulation(
            ['"assign"', "0", "-", '"r.badge"', '"block"'], ['"assign"', "-", "0", '"r.insurance"', '"block"'], inputs=asked
        )
    )
    case = county.start("service_delivery")["id"]
    with pytest.raises(RegulationRefused) as refused:
        county.do("ft-01-1", case, "visit")
    assert {each.rule for each in refused.value.verdicts} == {"r.badge", "r.insurance"}
    add(county, "badges", "ft-01-1", BADGE)
    add(county, "badges", "ft-01-2", BADGE | {"valid_until": "2026-03-01"})
    add(county, "insurances", "station-01", {"policy": "P", "covers": "活动", "insured_from": "2026-01-01", "insured_until": "2026-12-31"})
    with pytest.raises(RegulationRefused) as refused:
        county.do("ft-01-2", case, "visit")
    assert [each.rule for each in refused.value.verdicts] == ["r.badge"]
    county.do("ft-01-1", case, "visit", likely("visit", county.now))
    assert county.faults() == []


def test_rules_are_told_what_they_need_of_a_check_and_nothing_of_the_rest_that_is_sealed(county):
    add(county, "record_checks", "ft-01-1", {"checked_on": "2026-01-05", "result": "clear", "authority": "县公安局"})
    add(county, "interests", "ft-01-1", {"kind": "kinship", "party": "表舅欧阳", "declared_on": "2026-01-05", "description": "同村"})
    with county.system.database.read() as session:
        found = entries.of_subject(
            session.connection(), county.system.vault, ["record_checks", "interests"], county.act("ft-01-1").person_id,
            county.now.date(), county.system.zone,
        )
    assert found["record_checks"][0]["result"] == "clear"
    assert not {"party", "description"} & found["interests"][0].keys() and found["interests"][0]["kind"] == "kinship"


def test_registers_cost_one_statement_a_check_however_many_are_asked(working_county):
    county = working_county

    def statements() -> int:
        case = county.start("service_delivery")["id"]
        seen = []
        note = lambda *arguments: seen.append(arguments[2])  # noqa: E731
        event.listen(county.system.database.engine, "before_cursor_execute", note)
        county.do("ft-01-1", case, "visit", likely("visit", county.now))
        event.remove(county.system.database.engine, "before_cursor_execute", note)
        return sum("register_entry" in each and each.startswith("SELECT register_entry.register AS") for each in seen)

    for each in Tables.load(ROOT / "bpmn" / "regulations"):
        withdraw(county.system, county.act("supervisor"), each.key, 1, now=county.now)
    assert statements() == 0
    county.deploy(**regulation(['"assign"', "> 99", "> 99", '"r"', '"warn"'], inputs=["point", "count(person.badges)", "count(person.trainings)"]))
    assert statements() == 1


def test_whoever_completes_a_visit_has_visited_the_client(working_county):
    county = working_county
    served = register_client(county.system, county.act("ft-01-1"), {"name": "欧阳甲"}, "room-001", now=county.now)["id"]
    add(county, "cohorts", served, {"cohort": "dementia", "risk": "high", "from": "2026-02-20"})
    case = county.start("service_delivery", client_id=served)["id"]
    county.do("ft-01-1", case, "visit", likely("visit", county.now))
    with county.system.database.read() as session:
        kept = {each.register: each for each in session.scalars(select(RegisterEntry).where(RegisterEntry.subject_id == served))}
        assert kept["visits"].plain["case"] == case and kept["visits"].plain["by"] == county.act("ft-01-1").person_id
        assert kept["cohorts"].until.isoformat() == "2026-03-09", "seven days after the visit"
        assert [each.kind for each in events(session, f"registers/{served}")] == ["register:added", "register:added"]
    assert county.faults() == []


def test_who_is_nobody_has_no_entries(county):
    with county.system.database.read() as session:
        station = unit_by_key(session, "county", "station-01").id
        found = entries.of_subject(session.connection(), county.system.vault, REGISTERS, station, county.now.date(), county.system.zone)
    assert set(found) == set(REGISTERS) and not any(found.values())
