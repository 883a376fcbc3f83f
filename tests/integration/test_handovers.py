"""Handing over somebody's tasks while they are away and giving them back; many tasks to others; what goes wrong in between."""

from datetime import timedelta

import pytest

from engine import handovers
from engine.commands import organisation as organising
from engine.commands.candidates import look
from engine.commands.handing import carry_on, hand_over, plan_absence, plan_reassignment, reassign, sweep, take_back
from engine.commands.tasks import claim, complete, delegate
from engine.exceptions import Forbidden, InvalidRequest, NotFound
from engine.instances import CLAIMED, OFFERED
from tests.integration.test_assigned import one
from tests.integration.test_candidates import STRICT, said
from tests.integration.test_cases import ASSIGN


@pytest.fixture
def busy(county):
    """ft-01-1 holds three tasks."""
    county.deploy(**one(ASSIGN))
    county.held = [county.start("one") for _ in range(3)]
    for case in county.held:
        claim(county.system, county.act("ft-01-1"), task_of(county, case).id, now=county.now)
    return county


def task_of(county, case):
    return county.open_tasks(case["id"])["task"]


def holders(county) -> list[str | None]:
    names = {county.act(who).person_id: who for who in ("ft-01-1", "ft-01-2", "pt-01-1", "ft-02-1")}
    return [names.get(task_of(county, case).holder_id) for case in county.held]


def begin(county, who="lead-01", person="ft-01-1", substitute="ft-01-2", **options) -> str:
    to = county.act(substitute).person_id if substitute else None
    return hand_over(county.system, county.act(who), county.act(person).person_id, to, now=county.now, **options)["id"]


def opened(county, handover_id, who="lead-01"):
    with county.system.database.read() as session:
        return handovers.read(session, county.system.vault, county.act(who), handover_id)


def test_all_tasks_go_to_the_substitute_and_come_back_every_step_an_event(busy):
    found = begin(busy, reason="产假")
    assert carry_on(busy.system, found, busy.now) == 0 and holders(busy) == ["ft-01-2"] * 3
    assert opened(busy, found).handover.status == "moved" and opened(busy, found).reason == "产假"
    assert carry_on(busy.system, found, busy.now) == 0  # once more changes nothing
    take_back(busy.system, busy.act("lead-01"), found, now=busy.now)
    carry_on(busy.system, found, busy.now)
    assert holders(busy) == ["ft-01-1"] * 3 and opened(busy, found).handover.status == "returned"
    kinds = [line["kind"] for line in busy.history(busy.held[0]["id"])]
    assert kinds.count("task:handed_over") == kinds.count("task:taken_back") == 1
    assert busy.faults() == []


def test_a_few_lines_at_a_time_and_the_worker_does_the_rest(busy):
    found = begin(busy)
    assert carry_on(busy.system, found, busy.now, limit=1) == 2
    assert sorted(map(str, holders(busy))) == ["ft-01-1", "ft-01-1", "ft-01-2"]
    sweep(busy.system, busy.now)
    assert holders(busy) == ["ft-01-2"] * 3 and opened(busy, found).handover.status == "moved"


def test_the_clock_gives_back_when_the_last_day_is_over(busy):
    begin(busy, until=(busy.now + timedelta(days=3)).date())
    sweep(busy.system, busy.now)
    busy.now += timedelta(days=3)
    sweep(busy.system, busy.now)
    assert holders(busy) == ["ft-01-2"] * 3
    busy.now += timedelta(days=1)
    sweep(busy.system, busy.now)
    assert holders(busy) == ["ft-01-1"] * 3


def test_what_is_done_meanwhile_stays_done_and_what_went_on_stays_where_it_is(busy):
    found = begin(busy)
    done = busy.held[0]
    complete(busy.system, busy.act("ft-01-1"), task_of(busy, done).id, {}, now=busy.now)
    carry_on(busy.system, found, busy.now)
    assert sorted(line.outcome for line in opened(busy, found).lines.values()) == ["stayed", "went", "went"]
    busy.held = busy.held[1:]
    delegate(busy.system, busy.act("lead-01"), task_of(busy, busy.held[0]).id, "pt-01-1", now=busy.now)
    take_back(busy.system, busy.act("lead-01"), found, now=busy.now)
    carry_on(busy.system, found, busy.now)
    assert holders(busy) == ["pt-01-1", "ft-01-1"] and busy.faults() == []


def test_a_substitute_who_has_left_meanwhile_gets_nothing_and_the_history_says_so(busy):
    found = begin(busy)
    organising.change_person(busy.system, busy.act("admin"), busy.act("ft-01-2").person_id, {"active": False}, now=busy.now)
    carry_on(busy.system, found, busy.now)
    assert holders(busy) == ["ft-01-1"] * 3
    assert {line.code for line in opened(busy, found).lines.values()} == {"not_found"}
    assert "task:not_moved" in [line["kind"] for line in busy.history(busy.held[0]["id"])]


def test_without_a_fit_substitute_the_full_time_of_the_station_take_over(busy):
    with busy.system.database.read() as session:
        lines = plan_absence(busy.system, session, busy.act("lead-01"), busy.act("ft-01-1").person_id, busy.act("volunteer-01-1").person_id, busy.now)
    assert [line.to.username for line in lines] == ["ft-01-2"] * 3 and all(line.why for line in lines)


def test_nobody_hands_over_twice_nor_another_stations_people(busy):
    begin(busy)
    with pytest.raises(InvalidRequest):
        begin(busy)
    with pytest.raises(NotFound):
        begin(busy, who="lead-02", person="ft-01-1", substitute="ft-02-1")
    with pytest.raises(Forbidden):
        begin(busy, who="ft-01-2")
    with pytest.raises(InvalidRequest):
        begin(busy, person="ft-01-2", substitute="ft-01-1", until=(busy.now - timedelta(days=1)).date())


def test_many_tasks_go_to_one_person_of_another_station_and_back(busy):
    ids = [task_of(busy, case).id for case in busy.held]
    with pytest.raises(NotFound):
        reassign(busy.system, busy.act("lead-02"), ids, "ft-02-1", "人手不足", now=busy.now)
    found = reassign(busy.system, busy.act("supervisor"), ids, "ft-02-1", "人手不足", now=busy.now)["id"]
    carry_on(busy.system, found, busy.now)
    assert holders(busy) == ["ft-02-1"] * 3
    with pytest.raises(NotFound):
        opened(busy, found)  # the county ordered it: no lead's to see
    take_back(busy.system, busy.act("supervisor"), found, now=busy.now)
    carry_on(busy.system, found, busy.now)
    assert holders(busy) == ["ft-01-1"] * 3 and busy.faults() == []


def test_a_preview_says_whom_a_regulation_keeps_and_writes_nothing(county):
    county.deploy(**{"strict.dmn": STRICT})
    county.deploy(**one(ASSIGN + said(tags="record")))
    task = task_of(county, county.start("one"))
    with county.system.database.read() as session:
        (kept,) = plan_reassignment(county.system, session, county.act("lead-01"), [task.id], "pt-01-1", county.now)
        (goes,) = plan_reassignment(county.system, session, county.act("lead-01"), [task.id], None, county.now)
    assert kept.to is None and kept.why == "记录由专职社工写。" and [each.rule for each in kept.verdicts] == ["strict.full_time"]
    assert goes.to.workforce == "full_time"


def test_offered_tasks_go_by_ranking_and_back_to_be_offered(county):
    county.deploy(**one(ASSIGN))
    tasks = [task_of(county, county.start("one")) for _ in range(2)]
    found = reassign(county.system, county.act("lead-01"), [task.id for task in tasks], None, "积压", now=county.now)["id"]
    carry_on(county.system, found, county.now)
    case_ids = [task.instance_id for task in tasks]
    assert {county.open_tasks(case)["task"].status for case in case_ids} == {CLAIMED}
    take_back(county.system, county.act("lead-01"), found, now=county.now)
    carry_on(county.system, found, county.now)
    assert {county.open_tasks(case)["task"].status for case in case_ids} == {OFFERED}


@pytest.mark.parametrize("ids", [[], ["nothing"], ["x"] * 3])
def test_a_wrong_choice_is_refused(county, ids):
    with pytest.raises((InvalidRequest, NotFound)):
        reassign(county.system, county.act("lead-01"), ids, None, "积压", now=county.now)


def test_somebody_who_is_away_without_an_end_is_ranked_last(busy):
    begin(busy)
    task = task_of(busy, busy.start("one"))
    with busy.system.database.read() as session:
        found = look(busy.system, session, busy.act("lead-01"), task.id, busy.now)
    assert found[-1].person.username == "ft-01-1" and found[-1].away
