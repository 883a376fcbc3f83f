"""Deadlines by 民法典 200–203 over the State Council's calendar, known and unknown years, and the yearly CSV."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, strategies as st

from engine import feel
from engine.calendar import FEEL_NAMES, Calendar, Year, chinese_year, chinese_years, feel_functions, parse_csv
from engine.exceptions import CalendarInvalid

SHANGHAI = ZoneInfo("Asia/Shanghai")
CALENDAR = Calendar("Asia/Shanghai", chinese_years())


def moment(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=SHANGHAI)


def end_of(text: str) -> datetime:
    return moment(f"{text}T23:59:59")


@pytest.mark.parametrize(
    ("day", "worked"),
    [
        ("2026-02-13", True),  # Friday before the Spring Festival
        ("2026-02-14", True),  # Saturday, made up
        ("2026-02-15", False),  # first day of the Spring Festival, a Sunday
        ("2026-02-16", False),  # Chinese New Year's Eve
        ("2026-02-23", False),  # last day, a Monday
        ("2026-02-24", True),
        ("2026-02-28", True),  # Saturday, made up
        ("2026-03-01", False),  # an ordinary Sunday
        ("2026-09-20", True),  # Sunday, made up for National Day
        ("2026-10-01", False),
        ("2026-10-07", False),
        ("2026-10-10", True),  # Saturday, made up
        ("2024-10-12", True),  # the same, another year
        ("2025-10-06", False),  # Mid-autumn inside National Day
    ],
)
def test_working_days_follow_the_notice(day, worked):
    assert CALENDAR.is_working_day(date.fromisoformat(day)) is worked


@pytest.mark.parametrize(
    ("start", "n", "end"),
    [
        ("2026-03-02T09:00", 3, "2026-03-05"),  # Monday: Tue, Wed, Thu
        ("2026-03-02T23:59", 3, "2026-03-05"),  # the start day is not counted, however late (201)
        ("2026-03-06T16:00", 1, "2026-03-09"),  # over an ordinary weekend
        ("2026-02-13T10:00", 1, "2026-02-14"),  # the made-up Saturday is a working day
        ("2026-02-13T10:00", 2, "2026-02-24"),  # then nine days of Spring Festival
        ("2026-02-13T10:00", 3, "2026-02-25"),
        ("2026-02-20T10:00", 1, "2026-02-24"),  # a start inside the holiday
        ("2026-02-25T10:00", 3, "2026-02-28"),  # Thu, Fri, made-up Saturday
        ("2026-09-18T10:00", 1, "2026-09-20"),  # Friday → made-up Sunday
        ("2026-09-30T10:00", 1, "2026-10-08"),
        ("2026-09-30T10:00", 3, "2026-10-10"),  # Thu, Fri, made-up Saturday
        ("2025-12-31T10:00", 1, "2026-01-04"),  # New Year 1–3 January, Sunday the 4th made up
        ("2026-03-02T09:00", 0, "2026-03-02"),
        ("2026-03-01T09:00", 0, "2026-03-02"),  # a Sunday
    ],
)
def test_working_days_after(start, n, end):
    deadline = CALENDAR.working_days_after(moment(start), n)
    assert (deadline.at, deadline.provisional) == (end_of(end), False)


@pytest.mark.parametrize(
    ("start", "n", "end"),
    [
        ("2026-03-02T09:00", 15, "2026-03-17"),
        ("2026-02-01T09:00", 15, "2026-02-24"),  # the 16th is a holiday: first working day after it (203)
        ("2026-02-01T09:00", 13, "2026-02-14"),  # a made-up Saturday is no holiday
        ("2026-09-05T09:00", 30, "2026-10-08"),  # ends on 5 October, National Day
        ("2026-03-02T09:00", 5, "2026-03-09"),  # Saturday → Monday
        ("2024-01-30T09:00", 30, "2024-02-29"),  # leap day
    ],
)
def test_calendar_days_run_on_past_a_holiday(start, n, end):
    assert CALENDAR.days_after(moment(start), n).at == end_of(end)


@pytest.mark.parametrize(
    ("start", "n", "end"),
    [
        ("2025-01-31T09:00", 1, "2025-02-28"),  # no 31 February: last day of the month (202), a Friday
        ("2024-01-31T09:00", 1, "2024-02-29"),
        ("2025-08-31T09:00", 1, "2025-09-30"),
        ("2026-01-16T09:00", 1, "2026-02-24"),  # Chinese New Year's Eve → after the festival
        ("2025-07-01T09:00", 3, "2025-10-09"),  # National Day and Mid-autumn 2025 last to the 8th
        ("2025-11-15T09:00", 3, "2026-02-24"),  # over the new year, into the Spring Festival
        ("2026-03-31T09:00", 6, "2026-09-30"),
        ("2024-02-29T09:00", 12, "2025-02-28"),
    ],
)
def test_months_after(start, n, end):
    assert CALENDAR.months_after(moment(start), n).at == end_of(end)


def test_the_day_is_the_countys_not_utcs():
    """17:00 UTC on Sunday is already Monday in the county."""
    assert CALENDAR.working_days_after(datetime(2026, 3, 1, 17, tzinfo=UTC), 1).at == end_of("2026-03-03")
    other = Calendar("Asia/Urumqi", chinese_years())
    assert other.working_days_after(datetime(2026, 3, 1, 17, tzinfo=UTC), 1).at.date() == date(2026, 3, 2)


@pytest.mark.parametrize(
    ("method", "start", "n", "end", "provisional"),
    [
        ("working_days_after", "2027-02-01T09:00", 5, "2027-02-08", True),  # all in an unknown year: weekends only
        ("working_days_after", "2026-12-30T09:00", 1, "2026-12-31", False),
        ("working_days_after", "2026-12-30T09:00", 2, "2027-01-01", True),  # New Year is not known to be free
        ("days_after", "2026-12-21T09:00", 10, "2026-12-31", False),
        ("days_after", "2026-12-21T09:00", 12, "2027-01-04", True),  # Saturday → Monday
        ("months_after", "2026-11-30T09:00", 1, "2026-12-30", False),
        ("months_after", "2026-11-30T09:00", 3, "2027-03-01", True),  # 28 February 2027 is a Sunday
    ],
)
def test_an_unknown_year_counts_weekends_and_is_provisional(method, start, n, end, provisional):
    deadline = getattr(CALENDAR, method)(moment(start), n)
    assert (deadline.at, deadline.provisional) == (end_of(end), provisional)


def test_known():
    assert CALENDAR.known(2026) and not CALENDAR.known(2027)
    assert CALENDAR.name_of(date(2026, 2, 17)) == "春节"
    assert CALENDAR.name_of(date(2026, 2, 14)) == "春节调休上班"
    assert CALENDAR.name_of(date(2026, 2, 13)) is None


@pytest.mark.parametrize("n", [-1, 1.5, Decimal("0.5"), True, 10**9, 40_000])
def test_a_period_is_a_bounded_whole_number(n):
    with pytest.raises(ValueError):
        CALENDAR.working_days_after(moment("2026-01-05"), n)


def test_the_end_of_time_is_an_error_not_a_crash():
    for method in (CALENDAR.days_after, CALENDAR.working_days_after, CALENDAR.months_after):
        with pytest.raises(ValueError):
            method(date(9999, 12, 31), 36)


days = st.dates(date(2018, 1, 1), date(2027, 12, 31))
counts = st.integers(0, 400)
methods = st.sampled_from(["working_days_after", "days_after", "months_after"])


@given(methods, days, counts, st.integers(0, 60))
def test_a_longer_period_or_a_later_start_never_ends_earlier(method, start, n, more):
    after = getattr(CALENDAR, method)
    n, more = (n // 30, more // 30) if method == "months_after" else (n, more)
    assert after(start, n).at <= after(start, n + more).at
    assert after(start, n).at <= after(start + timedelta(days=more), n).at


@given(methods, days, st.integers(0, 120))
def test_a_period_ends_on_a_working_day_after_its_start(method, start, n):
    end = getattr(CALENDAR, method)(start, n).at
    assert CALENDAR.is_working_day(end.date()) and end.date() >= start + timedelta(days=n > 0)
    assert (end.hour, end.minute, end.second, end.tzinfo) == (23, 59, 59, SHANGHAI)


@given(days, st.integers(1, 60))
def test_working_days_are_counted_one_by_one(start, n):
    """The naive reading: list the following days, keep the worked ones, take the n-th."""
    worked = [day for day in (start + timedelta(days=k) for k in range(1, 200)) if CALENDAR.is_working_day(day)]
    assert CALENDAR.working_days_after(start, n).at.date() == worked[n - 1]


# --- years --------------------------------------------------------------------------------------------------------------------


def test_the_library_ends_somewhere():
    assert chinese_year(2026).holidays[date(2026, 10, 1)] == "国庆节"
    assert chinese_year(2500) is None


GOOD = """\ufeffdate,type,name
2027-01-01,holiday,元旦
2027-02-06,holiday,春节

2027-01-31,workday,"春节,调休上班"
"""


def test_csv_is_read():
    year = parse_csv(GOOD, 2027)
    assert year == Year(
        2027,
        {date(2027, 1, 1): "元旦", date(2027, 2, 6): "春节"},
        {date(2027, 1, 31): "春节,调休上班"},
        "CSV",
    )
    calendar = Calendar("Asia/Shanghai", {**chinese_years(), 2027: year})
    assert calendar.working_days_after(moment("2026-12-30T09:00"), 2) == CALENDAR._deadline(date(2027, 1, 4), False)


@pytest.mark.parametrize(
    ("text", "line", "reason"),
    [
        ("2027-01-01,holiday", 1, "三列"),
        ("date,type,name\n2027-01-01,holiday,元旦\n2027/02/06,holiday,春节", 3, "YYYY-MM-DD"),
        ("2027-02-30,holiday,春节", 1, "YYYY-MM-DD"),
        ("20270201,holiday,春节", 1, "YYYY-MM-DD"),
        ("2026-01-01,holiday,元旦", 1, "不在 2027 年"),
        ("2027-01-01,free,元旦", 1, "holiday 或 workday"),
        ("2027-01-01,holiday,", 1, "名称"),
        ("2027-01-01,holiday,元旦\n2027-01-01,holiday,元旦", 2, "第 1 行已经出现"),
        ("2027-01-02,workday,元旦\n2027-01-01,holiday,元旦\n2027-01-05,workday,元旦", 3, "星期二"),
        ('2027-01-01,holiday,"元旦', 1, "引号"),
        ("", 1, "没有一个节假日"),
        ("date,type,name\n", 1, "没有一个节假日"),
    ],
)
def test_csv_says_what_is_wrong_and_where(text, line, reason):
    with pytest.raises(CalendarInvalid) as refused:
        parse_csv(text, 2027)
    assert refused.value.facts["line"] == line
    assert reason in refused.value.facts["reason"]


# --- in FEEL ----------------------------------------------------------------------------------------------------------------------


def evaluated(text: str, **variables):
    """The value of an expression beside the calendar's functions, and the deadlines that were provisional."""
    provisional = []
    context = {**feel_functions(CALENDAR, provisional.append), **variables}
    return feel.compile(text, FEEL_NAMES).evaluate(context, clock=moment("2026-02-13T10:00")), provisional


@pytest.mark.parametrize(
    ("text", "end"),
    [
        ("working days after(now(), 2)", "2026-02-24"),
        ("working days after(from: today(), days: 1)", "2026-02-14"),
        ('days after(date("2026-02-01"), 15)', "2026-02-24"),
        ('months after(date and time("2026-01-31T09:00:00+08:00"), n)', "2026-02-28"),
        ("working days after(days after(now(), 1), 1)", "2026-02-24"),
    ],
)
def test_feel_functions(text, end):
    assert evaluated(text, n=Decimal(1)) == (end_of(end), [])


@pytest.mark.parametrize(
    "text",
    [
        "working days after(now(), -1)",
        "working days after(now(), 1.5)",
        "working days after(now(), 1000000)",
        'working days after("tomorrow", 1)',
        "working days after(null, 1)",
        "working days after(now(), null)",
        "days after(now())",
        'months after(date("9999-12-01"), 5)',
    ],
)
def test_wrong_arguments_give_null(text):
    assert evaluated(text) == (None, [])


def test_a_provisional_deadline_is_told():
    value, provisional = evaluated('days after(date("2027-01-01"), 3)')
    assert value == end_of("2027-01-04")
    assert [(deadline.at, deadline.provisional) for deadline in provisional] == [(value, True)]
