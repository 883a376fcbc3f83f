"""Timers: what they are due, how often they fire, what they interrupt. The case never looks at a clock and never fires by itself."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from engine import feel
from engine.exceptions import NoSuchTimer
from engine.workflow import compile_process
from tests.bpmn.builder import Diagram
from tests.bpmn.harness import NOW, Driver, diagram
from tests.bpmn.test_elements import WORKING_DAYS

HOUR, DAY = timedelta(hours=1), timedelta(days=1)


def test_interrupting_boundary_cancels_its_host():
    case = Driver(diagram("boundary_interrupting"), names={"parameters": {"patience": "PT8H"}})
    [timer] = case.case.timers()
    assert (timer.due, timer.element.id, timer.remaining, timer.calendar_based) == (NOW + 8 * HOUR, "too_late", 0, False)
    case.fire()
    assert case.waiting == ["remind"]
    assert case.told("wait:cancelled") == ["ask"]
    assert case.step("element:cancelled").facts == {"by": "too_late"}
    assert case.complete().case.status == "completed"


def test_a_boundary_that_is_not_needed_goes_away():
    case = Driver(diagram("boundary_interrupting"), names={"parameters": {"patience": feel.compile('duration("P2D")').evaluate({})}})
    timer = case.case.timers()[0].id
    case.complete("ask")
    assert case.case.status == "completed"
    assert case.told("timer:cancelled") == ["too_late"]
    with pytest.raises(NoSuchTimer):
        case.case.fire(timer, case.env)


def test_interrupting_a_subprocess_ends_all_inside():
    case = Driver(diagram("boundary_on_subprocess"), {"deadline": date(2026, 3, 9)}, zone=ZoneInfo("Asia/Shanghai"))
    due = {timer.element.id: timer.due for timer in case.case.timers()}
    assert due == {
        "too_late": datetime(2026, 3, 8, 16, tzinfo=UTC),  # midnight in Liangshan
        "pause": NOW + DAY,
        "nudge": NOW + HOUR,
    }
    case.fire("nudge").fire("nudge")
    assert case.told("element:completed").count("nudged") == 2
    case.fire("pause").complete("b").fire("too_late")
    assert case.waiting == ["report"]
    assert case.case.timers() == []
    assert case.complete().case.status == "completed"


def test_non_interrupting_cycle_fires_as_often_as_it_says():
    case = Driver(diagram("boundary_non_interrupting"))
    assert [(t.element.id, t.remaining) for t in case.case.timers()] == [("once", 0), ("remind", 2)]
    case.fire("once")
    for count in (1, 2, 3):
        timer = next(t for t in case.case.timers() if t.element.id == "remind")
        assert (timer.due, timer.remaining) == (NOW + count * 8 * HOUR, 3 - count)
        case.fire("remind")
    assert case.waiting == ["ask", "call"]
    assert case.variables["reminders"] == 3
    assert case.case.timers() == []
    case.complete("ask")
    assert case.case.status == "active"
    assert case.complete("call").case.status == "completed"


def test_repeats_that_were_missed_are_made_up_for_by_one_and_the_rest_keep_their_times():
    """Due after 8, 16 and 24 hours; the worker was away until 17."""
    case = Driver(diagram("boundary_non_interrupting")).later(hours=17)
    case.fire("remind", at_its_time=False)
    assert case.variables["reminders"] == 1 and case.step("timer:fired").facts["missed"] == 1
    [left] = [timer for timer in case.case.timers() if timer.element.id == "remind"]
    assert (left.due, left.remaining) == (NOW + 24 * HOUR, 0)
    case.fire("remind")
    assert case.variables["reminders"] == 2 and "missed" not in case.step("timer:fired").facts
    assert "remind" not in [timer.element.id for timer in case.case.timers()]


def test_repeats_that_are_all_missed_happen_once():
    case = Driver(diagram("boundary_non_interrupting")).later(days=5).fire("remind", at_its_time=False)
    assert case.variables["reminders"] == 1
    assert "remind" not in [timer.element.id for timer in case.case.timers()]


@pytest.mark.parametrize(
    ("cycle", "due", "remaining"),
    [
        ("R/2026-02-27T12:00:00Z/P1D", datetime(2026, 3, 2, 12, tzinfo=UTC), None),  # not at once: nobody has missed anything
        ("R5/2026-02-27T12:00:00Z/P1D", datetime(2026, 3, 2, 12, tzinfo=UTC), 1),
        ("R2/2026-02-27T12:00:00Z/P1D", datetime(2026, 2, 28, 12, tzinfo=UTC), 0),  # all past: at once, like a date that is past
    ],
)
def test_a_cycle_that_began_before_its_activity_goes_on_with_its_next_time(cycle, due, remaining):
    d = Diagram("began")
    d.add("startEvent", "start"), d.user("work"), d.add("endEvent", "end"), d.path("start", "work", "end")
    d.timer("boundaryEvent", "daily", "Cycle", cycle, attachedToRef="work", cancelActivity="false")
    d.add("task", "note"), d.add("endEvent", "noted"), d.path("daily", "note", "noted")
    case = Driver(compile_process(d.xml()))
    [timer] = case.case.timers()
    assert (timer.due, timer.remaining) == (due, remaining)
    case.fire()
    following = [] if remaining == 0 else [datetime(2026, 3, 3, 12, tzinfo=UTC)]
    assert [timer.due for timer in case.case.timers()] == following


def test_catch_events():
    case = Driver(diagram("timer_catch"), names=WORKING_DAYS, zone=ZoneInfo("Asia/Shanghai"))
    for element, due, by_calendar in [
        ("on_date", datetime(2026, 3, 5, 1, tzinfo=UTC), False),
        ("after_days", datetime(2026, 3, 20, 1, tzinfo=UTC), True),
        ("after_length", datetime(2026, 4, 20, 1, tzinfo=UTC), False),
        ("first_of_cycle", datetime(2026, 4, 20, 3, tzinfo=UTC), False),
    ]:
        [timer] = case.case.timers()
        assert (timer.element.id, timer.due, timer.calendar_based, timer.remaining) == (element, due, by_calendar, 0)
        case.fire()
    assert case.case.status == "completed"


def test_a_time_in_the_past_is_just_due():
    case = Driver(diagram("timer_catch"), names=WORKING_DAYS)
    case.later(days=30).fire(at_its_time=False)
    assert case.told("timer:fired") == ["on_date"]


def test_a_new_calendar_moves_open_timers():
    def with_holiday(start, days):
        return start + timedelta(days=int(days) + 2)

    case = Driver(diagram("timer_catch"), names=WORKING_DAYS).fire()
    timer = case.case.timers()[0]
    case.later(days=4)  # the days still count from when the timer was set
    env = case.env.__class__(now=case.env.now, names={"working days after": feel.FeelFunction("working days after", ("from", "days"), with_holiday)})
    case.case.reschedule(timer.id, env)
    assert case.case.timers()[0].due == timer.due + 2 * DAY
    assert case.case.drain_steps()[-1].facts["was"] == timer.due.isoformat()


def test_a_new_calendar_moves_due_times_of_tasks():
    names = WORKING_DAYS | {"parameters": feel.from_plain({"days": 3})}
    case = Driver(diagram("user_task"), {"worker": "a"}, names=names)
    later = {"working days after": feel.FeelFunction("working days after", ("from", "days"), lambda start, days: start + 9 * DAY)}
    env = case.env.__class__(now=NOW + DAY, names=names | later)
    wait = case.case.waits()[0]
    case.case.redate(wait.token, env)
    assert case.case.waits()[0].due == NOW + 9 * DAY
    assert case.case.drain_steps()[-1].kind == "wait:moved"


@pytest.mark.parametrize("value", ["-PT1H", "PT", "P1X", "", None, 5, "R0/PT1H", "R/PT0S", "0 0 9 * * *", "R3/P1D/2026-01-01"])
def test_a_time_that_makes_no_sense_is_an_incident(value):
    case = Driver(diagram("boundary_interrupting"), names={"parameters": feel.from_plain({"patience": value})})
    [incident] = case.case.incidents()
    assert (incident.code, incident.element.id) == ("timer_invalid", "ask")
    case.retry(names={"parameters": {"patience": "PT1H"}})
    assert (case.case.status, case.waiting) == ("active", ["ask"])
    assert len(case.case.timers()) == 1
