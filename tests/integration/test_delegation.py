"""What was delegated goes back to whoever delegated it, with a reason; what cannot is offered as before."""

from dataclasses import replace

import pytest
from sqlalchemy import update

from engine import tasks
from engine.accounts import Account
from engine.commands import organisation as organising
from engine.commands.handing import carry_on, hand_over, reassign, take_back
from engine.commands.tasks import claim, complete, delegate, dispatch, release
from engine.exceptions import InvalidRequest, NotFound
from engine.instances import CLAIMED, OFFERED
from engine.organisation import Person
from tests.integration.test_assigned import one
from tests.integration.test_candidates import events, the_task
from tests.integration.test_cases import ASSIGN

REASON = "和对象是亲戚，不便办理"


@pytest.fixture
def case(county):
    """ft-01-1 holds the one task and has delegated it to pt-01-1."""
    county.deploy(**one(ASSIGN))
    case = county.start("one")
    claim(county.system, county.act("ft-01-1"), the_task(county, case).id, now=county.now)
    hand(county, case, "ft-01-1", "pt-01-1")
    return case


def hand(county, case, who, to):
    return delegate(county.system, county.act(who), the_task(county, case).id, to, now=county.now)


def give_back(county, case, who, reason=REASON):
    return release(county.system, county.act(who), the_task(county, case).id, reason, now=county.now)


def holder(county, case):
    task = the_task(county, case)
    return task.status, task.holder_id


def held_by(county, who):
    return CLAIMED, county.act(who).person_id


def told(county, who) -> list:
    with county.system.database.read() as session:
        lines, _ = tasks.inbox(county.system, session, county.act(who), "mine")
        return list(tasks.returned(county.system, session, county.act(who), lines).values())


def test_who_delegated_has_it_again_and_reads_why(county, case):
    give_back(county, case, "pt-01-1")
    assert holder(county, case) == held_by(county, "ft-01-1")
    (line,) = events(county, case, "task:returned")
    assert line["data"]["reason"] == REASON and REASON not in str(line["facts"])
    assert (line["facts"]["from"], line["facts"]["to"]) == (county.act("pt-01-1").person_id, county.act("ft-01-1").person_id)
    assert told(county, "ft-01-1") == [(county.act("pt-01-1").person_id, REASON)] and told(county, "pt-01-1") == []
    assert county.do("ft-01-1", case["id"], "task")["instance"]["status"] == "completed"
    assert told(county, "ft-01-1") == [] and county.faults() == []


def test_a_reason_is_needed_and_nothing_is_changed_without(county, case):
    with pytest.raises(InvalidRequest):
        give_back(county, case, "pt-01-1", "  ")
    assert holder(county, case) == held_by(county, "pt-01-1")
    give_back(county, case, "pt-01-1")  # the refusal has not ended the delegation
    assert holder(county, case) == held_by(county, "ft-01-1")


def test_who_gave_back_to_themselves_gives_it_to_all_the_next_time(county, case):
    give_back(county, case, "pt-01-1")
    give_back(county, case, "ft-01-1", "")
    assert holder(county, case) == (OFFERED, None)


def test_a_lead_who_takes_it_away_offers_it_to_all(county, case):
    give_back(county, case, "lead-01", "")
    assert holder(county, case) == (OFFERED, None) and events(county, case, "task:returned") == []


def test_who_delegated_and_has_left_gets_nothing_and_the_history_says_whose_it_was(county, case):
    left = county.act("ft-01-1").person_id
    organising.change_person(county.system, county.act("admin"), left, {"active": False}, now=county.now)
    give_back(county, case, "pt-01-1")
    assert holder(county, case) == (OFFERED, None)
    (line,) = events(county, case, "task:released")
    assert line["facts"]["delegator"] == left and line["data"]["reason"] == REASON


def test_what_was_sent_elsewhere_meanwhile_is_no_longer_delegated(county, case):
    dispatch(county.system, county.act("lead-01"), the_task(county, case).id, "ft-01-2", "缺人", now=county.now)
    give_back(county, case, "ft-01-2", "")
    assert holder(county, case) == (OFFERED, None)


def test_a_delegation_outlives_an_absence(county, case):
    people = (county.act(who).person_id for who in ("pt-01-1", "ft-01-2"))
    found = hand_over(county.system, county.act("lead-01"), *people, now=county.now)["id"]
    carry_on(county.system, found, county.now)
    take_back(county.system, county.act("lead-01"), found, now=county.now)
    carry_on(county.system, found, county.now)
    give_back(county, case, "pt-01-1")
    assert holder(county, case) == held_by(county, "ft-01-1")


def test_delegating_on_goes_back_one_step(county, case):
    hand(county, case, "ft-01-1", "ft-01-2")
    hand(county, case, "ft-01-2", "pt-01-1")
    give_back(county, case, "pt-01-1")
    assert holder(county, case) == held_by(county, "ft-01-2")
    complete(county.system, county.act("ft-01-2"), the_task(county, case).id, {}, now=county.now)
    assert county.faults() == []


def test_who_may_not_have_it_themselves_does_not_get_it(county, case):
    hand(county, case, "lead-01", "ft-01-2")
    give_back(county, case, "ft-01-2")
    assert holder(county, case) == (OFFERED, None)
    assert events(county, case, "task:released")[0]["facts"]["delegator"] == county.act("lead-01").person_id


def test_nobody_of_another_county_gives_or_gets_a_task(county, case):
    task, stranger = the_task(county, case).id, replace(county.act("supervisor"), county_id="elsewhere")
    for doing, more in ((dispatch, ("ft-01-2", "缺人")), (delegate, ("ft-01-2",)), (release, ("不办",))):
        with pytest.raises(NotFound):
            doing(county.system, stranger, task, *more, now=county.now)
    moved = county.act("ft-02-1").person_id
    with county.system.database.unit(county.now) as unit:  # as if they belonged there
        unit.session.execute(update(Person).where(Person.id == moved).values(county_id="elsewhere"))
        unit.session.execute(update(Account).where(Account.person_id == moved).values(county_id="elsewhere"))
        unit.commit()
    for doing, more in ((dispatch, ("ft-02-1", "缺人")), (delegate, ("ft-02-1",))):
        with pytest.raises(NotFound):
            doing(county.system, county.act("supervisor"), task, *more, now=county.now)
    with pytest.raises(NotFound):
        reassign(county.system, county.act("supervisor"), [task], "ft-02-1", "缺人", now=county.now)
    with pytest.raises(NotFound):
        hand_over(county.system, county.act("lead-01"), county.act("pt-01-1").person_id, moved, now=county.now)
    assert holder(county, case) == held_by(county, "pt-01-1")
