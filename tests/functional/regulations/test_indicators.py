"""服务指标: needs are answered in time, the hotline too, people who need it are visited, organisations grow, citizens are content."""

import pytest

from tests.support.databases import BACKENDS
from tests.support.regulated import Step

rule = pytest.mark.rule


@rule("indicators.first_response")
@pytest.mark.parametrize(("urgency", "days", "who"), [("urgent", 1, "supervisor"), ("soon", 2, "lead-01"), ("normal", 4, "lead-01")])
def test_a_first_response_that_is_late_is_told(work, urgency, days, who):
    """In the product's own procedure its timer takes the task away at that very moment."""
    late, kept = (work.through(work.case(), "visit", crisis=False, urgency=urgency) for _ in range(2))
    work.through(kept, "first_response")
    work.county.pass_time(days=days)
    work.alerted(who, "indicators.first_response", about=late)
    work.unalerted("supervisor", "indicators.first_response", about=kept)
    assert not work.county.faults()


@rule("indicators.first_response")
@pytest.mark.parametrize("backend", BACKENDS)
def test_whatever_is_tagged_as_a_first_response_counts(work):
    late = work.case(work.deploy(Step("ring", tags="first_response", due="PT2H"), key="late"))
    early = work.case(work.deploy(Step("ring", tags="first_response", due="P9D"), key="early"))
    work.county.pass_time(hours=3)
    work.alerted("lead-01", "indicators.first_response", about=late)
    work.unalerted("lead-01", "indicators.first_response", about=early)


def ticket(work, station: str, **values) -> None:
    found = {"channel": "hotline_12345", "received_at": "2026-03-02 08:30", "subject": "路灯不亮"} | values
    work.register("hotline", station, **found)


@pytest.mark.parametrize(
    ("rule_id", "who", "day", "wrong", "right"),
    [
        pytest.param(*line, marks=rule(line[0]), id=line[0])
        for line in (
            ("indicators.hotline", "lead", "2026-03-06", {}, {"answered_at": "2026-03-02 08:50"}),
            ("indicators.hotline_late", "supervisor", "2026-03-10", {}, {"answered_at": "2026-03-02 08:50"}),
            ("indicators.hotline_extension", "supervisor", "2026-03-24", {"extended_days": 15}, {"extended_days": 10}),
            (
                "indicators.hotline_return", "lead", "2026-03-09",
                {"received_at": "2026-02-24 09:00", "returned_at": "2026-02-28 09:00"},
                {"received_at": "2026-02-26 09:00", "returned_at": "2026-02-27 09:00"},
            ),
        )
    ],
)
def test_the_hotline_is_answered_returned_and_extended_in_time(work, rule_id, who, day, wrong, right):
    ticket(work, "station-01", **wrong), ticket(work, "station-02", **right)
    work.at(day)
    mine, theirs = ("supervisor", "supervisor") if who == "supervisor" else ("lead-01", "lead-02")
    work.alerted(mine, rule_id, about="station-01")
    work.unalerted(theirs, rule_id, about="station-02")


@pytest.mark.parametrize(
    ("rule_id", "cohort", "risk", "day"),
    [
        pytest.param(*line, marks=rule(line[0]), id="-".join(line[:2]))
        for line in (
            ("indicators.elder_visit", "special_elder", "medium", "2026-04-05"),
            ("indicators.elder_visit", "dementia", "low", "2026-04-02"),
            ("indicators.child_visit", "left_behind", "high", "2026-03-12"),
            ("indicators.child_visit", "orphan", "medium", "2026-04-05"),
            ("indicators.cohort_visit", "veteran", "high", "2026-03-12"),
            ("indicators.cohort_visit", "disabled", "high", "2026-03-12"),
        )
    ],
)
def test_who_is_to_be_visited_is_visited_in_time(work, rule_id, cohort, risk, day):
    forgotten, seen = work.client(place="room-001"), work.client(place="room-004", who="supervisor")
    for client in (forgotten, seen):
        work.register("cohorts", client, cohort=cohort, risk=risk, **{"from": "2026-03-01"})
    work.county.now = work.county.now.fromisoformat(f"{day}T09:00:00+08:00")
    work.register("visits", seen, day=day, kind="home")
    work.county.pass_time()
    work.alerted("lead-01", rule_id)
    work.unalerted("lead-02", rule_id)


@rule("indicators.elder_visit")
def test_a_station_that_did_not_visit_everybody_in_the_month_is_remarked_on(work):
    """One who was seen twice does not make up for one who was not seen."""
    work.installed()
    for place, visits in (("room-001", [(0, 2), (0, 3)]), ("room-004", [(0, 2), (1, 3)])):
        clients = [work.client(name, place=place, who="supervisor") for name in ("甲甲", "乙乙")]
        for client in clients:
            work.register("cohorts", client, cohort="special_elder", risk="high", **{"from": "2026-10-01"})
        for number, day in visits:
            work.register("visits", clients[number], day=f"2026-11-{day:02}", kind="home")
    work.at("2026-12-01")
    work.told_of("station-01", "indicators.elder_visit")
    work.untold_of("station-02", "indicators.elder_visit")


def organisation(work, station: str, volunteers: int, filed_on: str = "2026-11-20") -> None:
    work.register("organisations", station, name="邻里互助队", filed_on=filed_on, volunteers=volunteers)


@rule("indicators.incubation")
def test_stations_without_a_new_organisation_are_remarked_on_in_a_quarter(work):
    work.installed()
    work.keep("organisations")
    organisation(work, "station-01", 30, "2025-11-20"), organisation(work, "station-02", 30)
    work.at("2027-01-01")
    work.told_of("station-01", "indicators.incubation")
    work.untold_of("station-02", "indicators.incubation")


@rule("indicators.incubation")
@pytest.mark.parametrize("wrong", [(30, "2025-11-20"), (29, "2026-11-20")], ids=["no organisation", "too few volunteers"])
def test_what_a_station_lacks_at_the_end_of_the_year_is_told_to_the_supervisor(work, wrong):
    work.installed()
    work.keep("organisations")
    organisation(work, "station-01", *wrong), organisation(work, "station-02", 30)
    work.at("2027-01-01")
    work.alerted("supervisor", "indicators.incubation", about="station-01")
    work.unalerted("supervisor", "indicators.incubation", about="station-02")


@rule("indicators.satisfaction")
def test_a_station_whose_citizens_are_not_content_is_remarked_on(work):
    work.installed()
    for number in range(10):
        answered = {"received_at": "2026-11-20 09:00", "answered_at": "2026-11-23 09:00"}
        ticket(work, "station-01", subject=f"路灯{number}", satisfied=number > 1, **answered)
        ticket(work, "station-02", subject=f"路灯{number}", satisfied=number > 0, **answered)
    work.at("2026-12-01")
    work.told_of("station-01", "indicators.satisfaction")
    work.untold_of("station-02", "indicators.satisfaction")
