"""Conversion functions (table 73), `not` (74), `is` (78) and `string`."""

import datetime
import re

from engine.feel import moments, temporal
from engine.feel.builtins.registry import builtin
from engine.feel.operators import equal
from engine.feel.text import text_of
from engine.feel.values import DATE_TIME, TIME, YearMonthDuration, kind, number

_PLAIN_NUMBER = re.compile(r"-?(?:[0-9]+(?:\.[0-9]+)?|\.[0-9]+)(?:[eE][+-]?[0-9]+)?")


@builtin("string(from: any)", run=True)
def string(run, value):
    text = text_of(value, run.budget)
    if text is not None:
        run.budget.text(len(text))
    return text


@builtin("number(from: string|number, grouping separator?: string, decimal separator?: string)")
def number_(text, grouping=None, point=None):
    if not isinstance(text, str):
        return text
    if grouping not in (None, " ", ",", ".") or point not in (None, ",", ".") or (grouping is not None and grouping == point):
        return None
    if grouping:
        text = text.replace(grouping, "")
    if point:
        text = text.replace(point, ".")
    return number(text) if _PLAIN_NUMBER.fullmatch(text) else None


@builtin("not(negand: any)")
def not_(value):
    return not value if isinstance(value, bool) else None


@builtin("is(value1: any, value2: any)", run=True)
def is_(run, left, right):
    """The same value of the same type: unlike `=`, 8:00 at +08:00 is not midnight at UTC."""
    if kind(left) != kind(right):
        return False
    if kind(left) in (TIME, DATE_TIME):
        plain = [moments.in_zone(value, None) for value in (left, right)]
        return plain[0] == plain[1] and temporal.offset_of(left) == temporal.offset_of(right)
    return equal(left, right, run) is True


@builtin("date(from: string|date|date and time)")
def date(value):
    if isinstance(value, str):
        return temporal.parse_date(value)
    return moments.day_of(value) if kind(value) == DATE_TIME else value


@builtin("date(year: number, month: number, day: number)")
def date_of(year, month, day):
    return moments.day(whole(year), whole(month), whole(day))


@builtin("date and time(from: string|date|date and time)")
def date_and_time(value):
    if isinstance(value, str):
        return temporal.parse_date_time(value)
    return value if kind(value) == DATE_TIME else temporal.midnight(value)


@builtin("date and time(date: date|date and time, time: time)")
def date_and_time_of(day, clock):
    return moments.joined(date(day), clock)


@builtin(
    "date and time(year: number, month: number, day: number, hour: number, minute: number, second: number, offset?: days and time duration)"
)
def date_and_time_parts(year, month, day, hour, minute, second, offset=None):
    return moments.joined(date_of(year, month, day), time_of(hour, minute, second, offset))


@builtin("time(from: string|time|date|date and time)")
def time(value):
    if isinstance(value, str):
        return temporal.parse_time(value)
    if kind(value) == TIME:
        return value
    return moments.clock_of(value) if kind(value) == DATE_TIME else datetime.time(tzinfo=datetime.UTC)


@builtin("time(hour: number, minute: number, second: number, offset?: days and time duration)")
def time_of(hour, minute, second, offset=None):
    zone = None if offset is None else temporal.offset_zone(offset)
    seconds = int(second)
    micros, nanos = divmod(int((second - seconds) * 1_000_000_000), 1000)
    return moments.whole(datetime.time(whole(hour), whole(minute), seconds, micros, zone), nanos=nanos)


@builtin("duration(from: string|days and time duration|years and months duration)")
def duration(value):
    return temporal.parse_duration(value) if isinstance(value, str) else value


@builtin("years and months duration(from: date|date and time, to: date|date and time)")
def years_and_months_duration(start, end):
    return YearMonthDuration(temporal.months_between(date(start), date(end)))


def whole(value) -> int:
    """`value` as a whole number; ValueError (and so null) when it is none."""
    if value != value.to_integral_value():
        raise ValueError(value)
    return int(value)
