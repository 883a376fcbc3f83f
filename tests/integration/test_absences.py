"""Absences of the register: the clock hands over and takes back, however often it is killed, and tells the lead what it could not."""

from datetime import timedelta

import pytest
from sqlalchemy import select

from engine import handovers
from engine.audit import Event
from engine.commands import registers
from engine.commands.absences import begin, sweep
from engine.commands.candidates import look
from engine.commands.definitions import set_parameter
from engine.commands.handing import carry_on, hand_over, step, sweep as carry_handovers_on, take_back
from engine.handovers import Handover
from engine.organisation import Actor
from engine.registers import alerts
from tests.integration.test_assigned import one
from tests.integration.test_handovers import busy, holders, task_of  # noqa: F401

MINE, THEIRS = ["ft-01-1"] * 3, ["ft-01-2"] * 3


@pytest.fixture
def kept(busy):  # noqa: F811
    """ft-01-1 holds three tasks; the county keeps the register of absences."""
    set_parameter(busy.system, busy.act("supervisor"), "keep_absences", 1, now=busy.now)
    return busy


def day(county, after: int = 0) -> str:
    return (county.now.astimezone(county.system.zone).date() + timedelta(days=after)).isoformat()


def absent(county, first=0, last=2, who="ft-01-1", substitute="ft-01-2") -> str:
    values = {"from": day(county, first), "to": day(county, last), "kind": "sick", "reason": "住院"}
    values |= {"substitute": substitute} if substitute else {}
    return registers.add(county.system, county.act("lead-01"), "absences", who, values, now=county.now)["id"]


def change(county, entry_id, **changes):
    registers.change(county.system, county.act("lead-01"), "absences", entry_id, changes, now=county.now)


def clock(county, days: int = 0) -> None:
    """What the worker does once a minute, after some days."""
    county.now += timedelta(days=days)
    sweep(county.system, county.now)
    carry_handovers_on(county.system, county.now)


def all_handovers(county) -> list[Handover]:
    with county.system.database.read() as session:
        return list(session.scalars(select(Handover).order_by(Handover.id)))


def events(county, *kinds) -> list[str]:
    with county.system.database.read() as session:
        return list(session.scalars(select(Event.kind).where(Event.kind.in_(kinds)).order_by(Event.recorded_at, Event.stream, Event.seq)))


def told(county, who="lead-01") -> list[tuple[str, str]]:
    with county.system.database.read() as session:
        return [(line.alert.rule, line.told["message"]) for line in alerts.waiting(session, county.system.vault, county.act(who))]


def test_on_its_first_day_all_goes_to_the_substitute_and_after_its_last_it_comes_back(kept):
    absent(kept, first=1, last=2)
    clock(kept)
    assert holders(kept) == MINE
    clock(kept, days=1)
    clock(kept)
    assert holders(kept) == THEIRS and len(all_handovers(kept)) == 1
    clock(kept, days=1)
    assert holders(kept) == THEIRS
    clock(kept, days=1)
    assert holders(kept) == MINE
    clock(kept, days=1)
    assert holders(kept) == MINE and [each.status for each in all_handovers(kept)] == ["returned"]
    assert events(kept, "absence:begun", "absence:over") == ["absence:begun", "absence:over"]
    assert len(events(kept, "task:handed_over")) == len(events(kept, "task:taken_back")) == 3
    assert told(kept) == [] and kept.faults() == []


def test_where_the_register_is_not_kept_the_clock_does_nothing(busy):  # noqa: F811
    absent(busy)
    clock(busy)
    assert holders(busy) == MINE and all_handovers(busy) == []
    set_parameter(busy.system, busy.act("supervisor"), "keep_absences", 1, "station-02", now=busy.now)
    clock(busy)
    assert holders(busy) == MINE  # another station keeps it


def test_whoever_sees_the_handover_is_the_lead_of_the_place(kept):
    absent(kept)
    clock(kept)
    with kept.system.database.read() as session:
        assert [len(handovers.recent(session, kept.act(who))) for who in ("lead-01", "lead-02", "supervisor")] == [1, 0, 1]


@pytest.mark.parametrize("how", ["ended", "shortened", "moved"])
def test_an_absence_that_ends_early_gives_back(kept, how):
    entry = absent(kept, last=9)
    clock(kept)
    kept.now += timedelta(days=2)
    if how == "ended":
        registers.end(kept.system, kept.act("lead-01"), "absences", entry, "提前返岗", now=kept.now)
    elif how == "shortened":
        change(kept, entry, to=day(kept, -1))
    else:
        change(kept, entry, **{"from": day(kept, 3), "to": day(kept, 5)})
    clock(kept)
    assert holders(kept) == MINE
    clock(kept, days=3)
    assert holders(kept) == (THEIRS if how == "moved" else MINE)
    assert kept.faults() == []


def test_a_prolonged_absence_is_kept_until_its_new_last_day(kept):
    entry = absent(kept, last=1)
    clock(kept)
    change(kept, entry, to=day(kept, 4))
    clock(kept, days=3)
    assert holders(kept) == THEIRS and all_handovers(kept)[0].last_day.isoformat() == day(kept, 1)
    clock(kept, days=2)
    assert holders(kept) == MINE and kept.faults() == []


def test_who_takes_back_by_hand_keeps_it(kept):
    absent(kept, last=9)
    clock(kept)
    take_back(kept.system, kept.act("lead-01"), all_handovers(kept)[0].id, now=kept.now)
    clock(kept)
    clock(kept, days=1)
    assert holders(kept) == MINE and len(all_handovers(kept)) == 1 and kept.faults() == []


def test_one_begun_by_hand_is_carried_on_and_not_begun_again(kept):
    person, substitute = (kept.act(who).person_id for who in ("ft-01-1", "ft-01-2"))
    found = hand_over(kept.system, kept.act("lead-01"), person, substitute, now=kept.now)["id"]
    entry = absent(kept, last=3)
    clock(kept)
    assert holders(kept) == THEIRS and len(all_handovers(kept)) == 1
    clock(kept, days=5)
    assert holders(kept) == THEIRS  # by hand without an end
    registers.end(kept.system, kept.act("lead-01"), "absences", entry, "返岗", now=kept.now)
    clock(kept)
    assert holders(kept) == MINE and all_handovers(kept)[0].id == found and kept.faults() == []


def test_an_absence_that_follows_on_another_goes_on_without_giving_back(kept):
    absent(kept, last=1)
    clock(kept)
    absent(kept, first=1, last=4)
    clock(kept, days=2)
    assert holders(kept) == THEIRS and len(all_handovers(kept)) == 1
    clock(kept, days=3)
    assert holders(kept) == MINE and events(kept, "task:taken_back") == ["task:taken_back"] * 3 and kept.faults() == []


def test_killed_in_between_it_goes_on(kept):
    entry = absent(kept)
    system, actor = kept.system, Actor.system(kept.system.county_id)
    begin(system, actor, entry, now=kept.now)  # and killed
    assert begin(system, actor, entry, now=kept.now) == {"begun": False}
    (found,) = all_handovers(kept)
    step(system, actor, found.id, found.plan[0][0], now=kept.now)  # and killed
    assert sorted(map(str, holders(kept))) == ["ft-01-1", "ft-01-1", "ft-01-2"]
    clock(kept)
    assert holders(kept) == THEIRS
    clock(kept, days=3)
    assert holders(kept) == MINE and len(events(kept, "task:handed_over")) == 3 and kept.faults() == []


def test_a_substitute_who_is_away_too_is_passed_over(kept):
    absent(kept, who="ft-01-2", substitute=None)
    absent(kept)
    clock(kept)
    assert "ft-01-2" not in holders(kept) and "ft-01-1" not in holders(kept)


def test_what_nobody_can_take_is_told_to_the_lead_and_of_a_lead_to_the_supervisor(county):
    set_parameter(county.system, county.act("supervisor"), "keep_absences", 1, now=county.now)
    county.deploy(**one('<zeebe:assignmentDefinition candidateGroups="lead"/>'))
    county.held = [county.start("one")]
    from engine.commands.tasks import claim

    claim(county.system, county.act("lead-01"), task_of(county, county.held[0]).id, now=county.now)
    absent(county, who="lead-01", substitute=None)
    clock(county)
    name = county.act("lead-01").name
    assert told(county, "supervisor") == [("handover.rest", f"{name}不在岗，还有 1 项任务没有交出去。")] and told(county) == []
    clock(county)
    assert len(told(county, "supervisor")) == 1 and county.faults() == []


def test_nobody_is_offered_new_tasks_first_while_absent(kept):
    absent(kept)
    clock(kept)
    task = task_of(kept, kept.start("one"))
    with kept.system.database.read() as session:
        found = look(kept.system, session, kept.act("lead-01"), task.id, kept.now)
    assert found[-1].person.username == "ft-01-1" and found[-1].away


def test_one_broken_entry_does_not_keep_the_clock_from_the_others(kept, monkeypatch):
    from engine.commands import handing

    absent(kept, who="pt-01-1", substitute=None)
    absent(kept)
    plan = handing.plan_absence
    broken = kept.act("pt-01-1").person_id

    def planned(system, session, actor, person_id, *more):
        if person_id == broken:
            raise RuntimeError("broken")
        return plan(system, session, actor, person_id, *more)

    monkeypatch.setattr(handing, "plan_absence", planned)
    clock(kept)
    assert holders(kept) == THEIRS


def test_carrying_on_by_hand_is_harmless(kept):
    absent(kept)
    clock(kept)
    assert carry_on(kept.system, all_handovers(kept)[0].id, kept.now) == 0 and holders(kept) == THEIRS
