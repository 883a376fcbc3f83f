"""Days and moments that Python has no class for: years before 1 and after 9999, and thousandths of microseconds.

The Gregorian calendar repeats itself every 400 years, weekdays included. So a far day is one of Python's, in the years from 2000 to
2399, and a number of such cycles; everything Python knows about days is asked of that one. What Python can hold always is Python's:
`whole` sees to it, so that equal values have one form. None of these classes is a subclass of Python's: a host that
asks for a date must not get one that lies elsewhere than it says.
"""

import datetime
import zoneinfo
from dataclasses import dataclass
from functools import total_ordering

_CYCLE_YEARS, _CYCLE_DAYS = 400, 146_097
_FIRST = 2000
_FARTHEST = 999_999_999  # table 66


@total_ordering
@dataclass(frozen=True, slots=True)
class FarDate:
    """A day `cycles` times 400 years after `near`."""

    near: datetime.date
    cycles: int

    def __lt__(self, other) -> bool:
        return ordinal(self) < ordinal(other)


@dataclass(frozen=True, slots=True)
class FineTime:
    """A time of day, `nanos` billionths of a second after `near`."""

    near: datetime.time
    nanos: int

    @property
    def tzinfo(self) -> datetime.tzinfo | None:
        return self.near.tzinfo


@dataclass(frozen=True, slots=True)
class FarMoment:
    """A date and time `cycles` times 400 years and `nanos` billionths of a second after `near`."""

    near: datetime.datetime
    cycles: int
    nanos: int

    @property
    def tzinfo(self) -> datetime.tzinfo | None:
        return self.near.tzinfo


Day = datetime.date | FarDate
Clock = datetime.time | FineTime
Moment = datetime.datetime | FarMoment


def parts(value: Day | Clock | Moment) -> tuple:
    """Python's value of the same place in its cycle, to the microsecond; the cycles, and the nanoseconds, after it."""
    match value:
        case FarMoment():
            return value.near, value.cycles, value.nanos
        case FarDate():
            return value.near, value.cycles, 0
        case FineTime():
            return value.near, 0, value.nanos
    return value, 0, 0


def near(value: Day | Clock | Moment):
    """The first of the `parts`, for what is the same in every cycle: weekdays, months, hours."""
    return parts(value)[0]


def whole(near, cycles: int = 0, nanos: int = 0) -> Day | Clock | Moment:
    """The value of such `parts`, in its one form. ValueError for a year that nobody may name."""
    if isinstance(near, datetime.time):
        return FineTime(near, nanos) if nanos else near
    year = near.year + cycles * _CYCLE_YEARS
    if abs(year) > _FARTHEST:
        raise ValueError(year)
    python = datetime.MINYEAR <= year <= datetime.MAXYEAR
    if python and not nanos:
        return near.replace(year=year) if cycles else near
    base = year if python else _FIRST + year % _CYCLE_YEARS
    near, cycles = near.replace(year=base), (year - base) // _CYCLE_YEARS
    return FarMoment(near, cycles, nanos) if isinstance(near, datetime.datetime) else FarDate(near, cycles)


def day(year: int, month: int, day: int) -> Day:
    """A day of any year, 0 being the one before year 1; ValueError for one that is not in the calendar."""
    base = _FIRST + year % _CYCLE_YEARS
    return whole(datetime.date(base, month, day), (year - base) // _CYCLE_YEARS)


def year(value: Day | Moment) -> int:
    """The year, as `day` takes it."""
    base, cycles, _ = parts(value)
    return base.year + cycles * _CYCLE_YEARS


def ordinal(value: Day | Moment) -> int:
    """Days since the end of the year before year 1, as Python counts them."""
    base, cycles, _ = parts(value)
    return base.toordinal() + cycles * _CYCLE_DAYS


def day_at(ordinal: int) -> Day:
    """The day with that ordinal."""
    cycles, rest = divmod(ordinal - 1, _CYCLE_DAYS)
    return whole(datetime.date.fromordinal(rest + 1), cycles)


def joined(day: Day, clock: Clock) -> Moment:
    """A day and a time of day."""
    (base, cycles, _), (time, _, nanos) = parts(day), parts(clock)
    return whole(datetime.datetime.combine(base, time), cycles, nanos)


def day_of(value: Moment) -> Day:
    """The day of a date and time."""
    base, cycles, _ = parts(value)
    return whole(base.date(), cycles)


def clock_of(value: Moment) -> Clock:
    """The time of day of a date and time, with its zone."""
    base, _, nanos = parts(value)
    return whole(base.timetz(), 0, nanos)


def in_zone(value: Clock | Moment, zone: datetime.tzinfo | None) -> Clock | Moment:
    """The same reading of the clock elsewhere."""
    base, cycles, nanos = parts(value)
    return whole(base.replace(tzinfo=zone), cycles, nanos)


def moved(value: Moment, length: datetime.timedelta) -> Moment:
    """A date and time moved by `length`: in a named zone by what passes, not by what clocks show."""
    base, cycles, nanos = parts(value)
    try:
        return whole(_moved(base, length), cycles, nanos)
    except OverflowError:  # past Python's last year, or before its first: from the middle of a cycle it is not
        cycle = (base.year - _FIRST) // _CYCLE_YEARS
        base, cycles = base.replace(year=base.year - cycle * _CYCLE_YEARS), cycles + cycle
        more, days = divmod(length.days, _CYCLE_DAYS)
        length = datetime.timedelta(days, length.seconds, length.microseconds)
        return whole(_moved(base, length), cycles + more, nanos)


def _moved(value: datetime.datetime, length: datetime.timedelta) -> datetime.datetime:
    if isinstance(value.tzinfo, zoneinfo.ZoneInfo):
        return (value.astimezone(datetime.UTC) + length).astimezone(value.tzinfo)
    return value + length
