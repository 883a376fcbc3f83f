"""Days: adding a parameter's length of time to one, and when the clock looks at an entry that lapses."""

from calendar import monthrange
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from engine.calendar import Calendar

MORNING = time(8)  # when the clock looks, in the county: whoever has to act is at work soon
WEEK = timedelta(days=7)
DAY = timedelta(days=1)


def later(day: date, parameter: str, count: int) -> date:
    """`count` months after a day if the parameter's name ends in `_months` (or that month's last day), else as many days."""
    if not parameter.endswith("_months"):
        return day + timedelta(days=count)
    years, month = divmod(day.month - 1 + count, 12)
    year, month = day.year + years, month + 1
    return date(year, month, min(day.day, monthrange(year, month)[1]))


def reminded_on(until: date, calendar: Calendar, days_before: int | None) -> date:
    """The day people are reminded first: so many days before the last good day, or (None) on the working day before it."""
    if days_before is not None:
        return until - timedelta(days=days_before)
    day = until - DAY
    while not calendar.is_working_day(day):
        day -= DAY
    return day


def first_look(until: date, reminded: date, now: datetime, zone: ZoneInfo) -> datetime:
    """When the clock looks at a new entry: when people are to be reminded, or at once if that day is past."""
    return max(_morning(reminded, zone), now)


def next_look(until: date, reminded: date, now: datetime, zone: ZoneInfo) -> datetime:
    """When the clock looks again: on the day of the reminder, on the last good day, on the day after, then every week."""
    for day in (reminded, until, until + DAY):
        if _morning(day, zone) > now:
            return _morning(day, zone)
    weeks = (now.astimezone(zone).date() - (until + DAY)) // WEEK
    at = _morning(until + DAY + weeks * WEEK, zone)
    return at if at > now else _morning(until + DAY + (weeks + 1) * WEEK, zone)


def _morning(day: date, zone: ZoneInfo) -> datetime:
    return datetime.combine(day, MORNING, zone)
