"""Date and time functions (table 79) and the clock (table 80)."""

import calendar
import datetime
from decimal import Decimal

from engine.feel import moments
from engine.feel.builtins.registry import builtin
from engine.feel.moments import near
from engine.feel.values import admit

_DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
_MONTHS = (
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
)


@builtin("now()", run=True)
def now(run):
    """The clock handed to the evaluation; null without one."""
    return admit(run.clock)


@builtin("today()", run=True)
def today(run):
    return None if run.clock is None else datetime.date(run.clock.year, run.clock.month, run.clock.day)


@builtin("day of year(date: date|date and time)")
def day_of_year(date):
    return Decimal(near(date).timetuple().tm_yday)


@builtin("day of week(date: date|date and time)")
def day_of_week(date):
    return _DAYS[near(date).weekday()]


@builtin("month of year(date: date|date and time)")
def month_of_year(date):
    return _MONTHS[near(date).month - 1]


@builtin("week of year(date: date|date and time)")
def week_of_year(date):
    return Decimal(near(date).isocalendar().week)


@builtin("last day of month(date: date|date and time)")
def last_day_of_month(date):
    """Not in the specification; Camunda's engines have it."""
    base = near(date)
    return moments.day(moments.year(date), base.month, calendar.monthrange(base.year, base.month)[1])
