"""What may follow the dot: entries of contexts, and the properties of dates, times, durations and ranges (tables 53 and 65)."""

from datetime import timedelta
from decimal import Decimal

from engine.feel import temporal
from engine.feel.moments import near, year
from engine.feel.values import CONTEXT, DATE, DATE_TIME, DAY_TIME, LIST, RANGE, TIME, YEAR_MONTH, DayTimeDuration, kind


def _seconds(value) -> Decimal:
    second, fraction = Decimal(near(value).second), temporal.fraction_of(value)
    return second + Decimal(fraction).scaleb(-9).normalize() if fraction else second


def _offset(value) -> DayTimeDuration | None:
    offset = temporal.offset_of(value)
    return None if offset is None else DayTimeDuration.of(offset)


def _zone(value) -> str | None:
    text = temporal.format_zone(value.tzinfo)
    return text[1:] if text.startswith("@") else None


def _clock_part(size: timedelta, within: timedelta):
    """The part of a duration counted in `size` below the next bigger unit, with the sign of the whole."""

    def part(value: timedelta) -> Decimal:
        count = abs(value) % within // size
        return Decimal(-count if value < timedelta() else count)

    return part


def _duration_seconds(value: timedelta) -> Decimal:
    micros = abs(value) % timedelta(minutes=1) // timedelta(microseconds=1)
    seconds = Decimal(micros).scaleb(-6).normalize() + 0
    return -seconds if value < timedelta() else seconds


def _signed(value, divisor: int, remainder: bool) -> Decimal:
    quotient, rest = divmod(abs(value), divisor)
    part = rest if remainder else quotient
    return Decimal(-part if value < 0 else part)


_DATES = {
    "year": lambda v: Decimal(year(v)),
    "month": lambda v: Decimal(near(v).month),
    "day": lambda v: Decimal(near(v).day),
    "weekday": lambda v: Decimal(near(v).isoweekday()),
}
_TIMES = {
    "hour": lambda v: Decimal(near(v).hour),
    "minute": lambda v: Decimal(near(v).minute),
    "second": _seconds,
    "time offset": _offset,
    "timezone": _zone,
}

PROPERTIES = {
    DATE: _DATES,
    TIME: _TIMES,
    DATE_TIME: _DATES | _TIMES,
    DAY_TIME: {
        "days": _clock_part(timedelta(days=1), timedelta.max),
        "hours": _clock_part(timedelta(hours=1), timedelta(days=1)),
        "minutes": _clock_part(timedelta(minutes=1), timedelta(hours=1)),
        "seconds": _duration_seconds,
    },
    YEAR_MONTH: {
        "years": lambda v: _signed(v.months, 12, remainder=False),
        "months": lambda v: _signed(v.months, 12, remainder=True),
    },
    RANGE: {
        "start": lambda v: v.start,
        "end": lambda v: v.end,
        "start included": lambda v: v.start_included,
        "end included": lambda v: v.end_included,
    },
}


def get(run, value, name: str):
    """`value.name`: null where there is none; of a list, the list of its items' (specification 10.3.2.5)."""
    what = kind(value)
    if what == CONTEXT:
        return value.get(name)
    if what == LIST:
        run.budget.items(len(value))
        return [get(run, item, name) for item in value]
    property_ = PROPERTIES.get(what, {}).get(name)
    return None if property_ is None else property_(value)
