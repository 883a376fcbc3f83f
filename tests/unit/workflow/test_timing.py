"""Due times from text and from FEEL values."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from engine import feel
from engine.workflow.timing import Interval, moment, occurrence, passed, schedule
from engine.workflow.trouble import Trouble

CHINA = ZoneInfo("Asia/Shanghai")
START = datetime(2026, 1, 31, 2, tzinfo=UTC)  # 10:00 in Liangshan


@pytest.mark.parametrize(
    ("text", "interval"),
    [
        ("P1Y2M3W4DT5H6M7S", Interval(14, 25, timedelta(hours=5, minutes=6, seconds=7))),
        ("PT0.5S", Interval(rest=timedelta(milliseconds=500))),
        ("P2W", Interval(days=14)),
        (" PT36H ", Interval(rest=timedelta(hours=36))),
        ("PT0S", Interval()),
    ],
)
def test_durations(text, interval):
    assert Interval.read(text) == interval


@pytest.mark.parametrize("text", ["", "P", "PT", "P1", "-P1D", "P-1D", "P1DT", "P1H", "PT1D", "1D", "P1.5D", "p1d", "P1D P1D", "P9999999999D"])
def test_no_durations(text):
    with pytest.raises(ValueError):
        Interval.read(text)


def test_months_are_counted_from_the_first_day():
    month = Interval(months=1)
    assert [month.after(START, CHINA, n).astimezone(CHINA).date() for n in (1, 2, 3)] == [
        date(2026, 2, 28),
        date(2026, 3, 31),
        date(2026, 4, 30),
    ]


def test_days_are_counted_on_the_zones_calendar():
    berlin = ZoneInfo("Europe/Berlin")
    before_summer_time = datetime(2026, 3, 28, 9, tzinfo=berlin)
    assert Interval(days=1).after(before_summer_time, berlin).astimezone(berlin).hour == 9
    assert Interval(rest=timedelta(hours=24)).after(before_summer_time, berlin).astimezone(berlin).hour == 10


@pytest.mark.parametrize(
    ("value", "at"),
    [
        ("2026-03-01T09:00:00+08:00", datetime(2026, 3, 1, 1, tzinfo=UTC)),
        ("2026-03-01T09:00:00+08:00[Asia/Shanghai]", datetime(2026, 3, 1, 1, tzinfo=UTC)),
        ("2026-03-01T09:00:00[Asia/Shanghai]", datetime(2026, 3, 1, 1, tzinfo=UTC)),
        ("2026-03-01T09:00:00Z", datetime(2026, 3, 1, 9, tzinfo=UTC)),
        ("2026-03-01T09:00:00", datetime(2026, 3, 1, 1, tzinfo=UTC)),  # meant in the county's zone
        ("2026-03-01", datetime(2026, 2, 28, 16, tzinfo=UTC)),
        (date(2026, 3, 1), datetime(2026, 2, 28, 16, tzinfo=UTC)),
        (datetime(2026, 3, 1, 9), datetime(2026, 3, 1, 1, tzinfo=UTC)),
    ],
)
def test_moments(value, at):
    assert moment(value, CHINA) == at


def test_a_deadline_of_a_day_is_its_last_second():
    assert moment("2026-03-01", CHINA, end_of_day=True) == datetime(2026, 3, 1, 15, 59, 59, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "first", "third", "repeats"),
    [
        ("R3/PT8H", START + timedelta(hours=8), START + timedelta(hours=24), 3),
        ("R/P1D", START + timedelta(days=1), START + timedelta(days=3), None),
        ("R2/2026-03-01T09:00:00+08:00/P1D", datetime(2026, 3, 1, 1, tzinfo=UTC), datetime(2026, 3, 3, 1, tzinfo=UTC), 2),
    ],
)
def test_cycles(text, first, third, repeats):
    made = schedule("cycle", text, START, CHINA)
    assert (made.due, made.repeats) == (first, repeats)
    assert occurrence(made.interval, 0, START, made.anchor, CHINA) == first
    assert occurrence(made.interval, 2, START, made.anchor, CHINA) == third


def test_a_duration_may_be_given_as_its_end():
    """`working days after(now(), 15)` answers a point in time."""
    assert schedule("duration", datetime(2026, 3, 1, tzinfo=UTC), START, CHINA).due == datetime(2026, 3, 1, tzinfo=UTC)


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        ("duration", feel.DayTimeDuration(days=-1)),
        ("duration", feel.YearMonthDuration(-1)),
        ("duration", date(2026, 1, 1)),
        ("duration", None),
        ("duration", "P999999Y"),
        ("date", "P1D"),
        ("date", 5),
        ("cycle", "R/P1D/P1D"),
        ("cycle", feel.DayTimeDuration(days=1)),
    ],
)
def test_what_makes_no_time(kind, value):
    with pytest.raises(Trouble) as trouble:
        schedule(kind, value, START, CHINA)
    assert trouble.value.code == "timer_invalid"


@pytest.mark.parametrize("text", ["R/PT0.000001S", "R/PT0S", "R0/PT1H"])
def test_a_cycle_without_pause_is_none(text):
    with pytest.raises(Trouble):
        schedule("cycle", text, START, UTC)


@pytest.mark.parametrize(
    "text", ["R/1900-01-01T00:00:00Z/PT1S", "R/2025-01-01T00:00:00Z/P1D", "R/1900-01-31T00:00:00Z/P1M", "R/1900-01-01T00:00:00Z/P10Y"]
)
def test_a_cycle_that_began_before_goes_on_with_its_next_time(text):
    plan = schedule("cycle", text, START, UTC)
    assert plan.due >= START
    assert occurrence(plan.interval, plan.passed, START, plan.anchor, UTC) == plan.due
    assert occurrence(plan.interval, plan.passed - 1, START, plan.anchor, UTC) < START


@pytest.mark.parametrize("text", ["R3/1900-01-01T00:00:00Z/PT1S", "R1/2025-01-01T00:00:00Z/P1D"])
def test_a_cycle_that_is_over_is_due_at_once(text):
    assert schedule("cycle", text, START, UTC).due < START


def test_what_is_past_is_counted_without_going_through_it():
    """A timer of a second each, looked at after a hundred years; and one whose next time no calendar holds."""
    later = START + timedelta(days=36525)
    assert passed("PT1S", START, None, UTC, later) == 36525 * 86400
    assert passed("P9000Y", START, None, UTC, later) == 0
    assert passed("P1M", START, START, UTC, START) == 1  # the first is at the anchor itself
