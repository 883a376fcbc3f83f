"""What a unit did in a month that has ended, counted from the registers, as the regulations are told of it."""

from datetime import date
from decimal import Decimal

import pytest

from engine import organisation, reference
from engine.commands import registers
from engine.commands.clients import register as register_client
from engine.commands.definitions import set_parameter
from engine.facts import Asked
from engine.facts.units import OF_UNIT_ITSELF

MARCH = (date(2026, 3, 1), date(2026, 3, 31))
NUMBERS = {
    "cohort_visit_high_days": 7, "cohort_visit_low_days": 90, "elder_visit_days": 31, "supervision_hours": 2, "continuing_years": 3,
    "continuing_hours_social_worker": 90, "keep_trainings": 1, "keep_certificates": 1, "keep_record_checks": 1,
}  # fmt: skip


@pytest.fixture
def kept(county):
    """A county that keeps these registers."""
    county.now = county.now.replace(month=4, day=1)
    for key, value in NUMBERS.items():
        set_parameter(county.system, county.act("system"), key, value, about={"label": key}, now=county.now)
    return county


def add(county, register, subject, values, who="lead-01"):
    registers.add(county.system, county.act(who), register, subject, values, now=county.now)


def told(county, unit_key: str, period=MARCH) -> dict:
    """`unit` as a regulation is told of it."""
    with county.system.database.read() as session:
        unit = organisation.unit_by_key(session, county.system.county_id, unit_key)
        numbers = reference.in_force(county.system, session).parameters(county.now, unit.station_id)
        asked = Asked(county.system, lambda: session, county.now, numbers, unit_id=unit.id, period=period)
        return OF_UNIT_ITSELF.fetch(asked, OF_UNIT_ITSELF.names)


def client(county, name: str) -> str:
    return register_client(county.system, county.act("ft-01-1"), {"name": name}, "room-001", now=county.now)["id"]


def test_a_station_its_people_and_its_rooms(kept):
    unit = told(kept, "station-01")
    assert (unit["kind"], unit["key"], unit["rooms"]) == ("station", "station-01", Decimal(3))
    assert unit["staff"] == {"full_time": Decimal(2), "part_time": Decimal(1), "assistant": Decimal(3)}
    county = told(kept, "county")
    assert (county["rooms"], county["staff"]["assistant"]) == (Decimal(5), Decimal(5))


def test_visits_due_are_those_whose_interval_ran_out_in_the_month(kept):
    weekly, quarterly, new, missed, elder = (client(kept, name) for name in ("甲甲", "乙乙", "丙丙", "丁丁", "戊戊"))
    add(kept, "cohorts", weekly, {"cohort": "dementia", "risk": "high", "from": "2026-01-10"})
    add(kept, "cohorts", missed, {"cohort": "dementia", "risk": "high", "from": "2026-01-10"})
    add(kept, "cohorts", quarterly, {"cohort": "veteran", "risk": "low", "from": "2026-01-10"})
    add(kept, "cohorts", elder, {"cohort": "special_elder", "risk": "low", "from": "2026-01-10"})  # every month, however well they are
    add(kept, "cohorts", new, {"cohort": "dementia", "risk": "high", "from": "2026-03-28"})
    for who, day in ((weekly, "2026-03-03"), (weekly, "2026-03-10"), (quarterly, "2026-03-11"), (missed, "2026-04-01")):
        add(kept, "visits", who, {"day": day, "kind": "home"})
    found = told(kept, "station-01")["figures"]
    assert {name: int(found[name]) for name in ("visits", "visits_due", "visited")} == {"visits": 3, "visits_due": 3, "visited": 1}
    assert told(kept, "station-02")["figures"]["visits"] == 0
    assert told(kept, "county")["figures"]["visits"] == 3


def test_who_learnt_and_who_was_checked(kept):
    def trained(who, topic, hours, day="2026-03-10"):
        add(kept, "trainings", who, {"topic": topic, "held_on": day, "hours": hours})

    trained("ft-01-1", "supervision", 1), trained("ft-01-1", "supervision", 1, "2026-03-20")
    trained("ft-01-2", "supervision", 5, "2026-02-20")
    trained("ft-01-1", "privacy", 1)
    add(kept, "record_checks", "ft-01-1", {"checked_on": "2026-03-05", "result": "clear"})
    add(kept, "record_checks", "ft-01-2", {"checked_on": "2026-02-05", "result": "clear"})
    found = told(kept, "station-01")["figures"]
    assert found["people_without_supervision"] == sorted(kept.act(who).person_id for who in ("ft-01-2", "pt-01-1"))
    assert found["privacy_training_missing"] == 5  # of two full-time, one part-time, three assistants
    assert found["record_checks_missing"] == 5


def test_continuing_education_is_asked_for_as_the_registration_runs_out(kept):
    for who, until, hours in (("ft-01-1", "2026-06-30", 80), ("ft-01-2", "2028-12-31", 8), ("pt-01-1", "2026-06-30", 89)):
        add(kept, "certificates", who, {"kind": "social_worker", "issued_on": "2020-07-01", "registered_until": until})
        add(kept, "trainings", who, {"topic": "continuing", "held_on": "2026-02-01", "hours": hours})
    assert told(kept, "station-01")["figures"]["continuing_education_short"] == 1  # ft-01-1; three months before its end 82.5 are due


def test_what_is_not_kept_is_not_counted(county):
    found = told(county, "station-01")["figures"]
    assert "record_checks_missing" not in found and "people_without_supervision" not in found and found["visits"] == 0


def test_ratings_of_the_month(kept):
    for number, (day, satisfied) in enumerate((("2026-03-02", True), ("2026-03-31", False), ("2026-02-27", True), ("2026-03-05", None))):
        values = {"channel": "hotline_12345", "received_at": "2026-02-20 09:00", "subject": f"路灯{number}", "answered_at": f"{day} 10:00"}
        add(kept, "hotline", "station-01", values | ({} if satisfied is None else {"satisfied": satisfied}))
    found = told(kept, "station-01")["figures"]
    assert (found["ratings"], found["satisfied"]) == (2, 1)
