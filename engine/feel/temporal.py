"""Dates, times and durations: reading and writing their text, and the arithmetic Python does not do FEEL's way.

Years and fractions of a second that Python does not have are in `moments`. Durations have six digits of a second.
"""

import calendar
import datetime
import re
import zoneinfo
from datetime import UTC, date, time, timedelta, timezone

from engine.feel import moments
from engine.feel.moments import Clock, Day, Moment
from engine.feel.values import DayTimeDuration, YearMonthDuration

LONGEST = 10**20  # months; beyond every date

# All zones are read here, once, so that evaluating never opens a file.
ZONES = {key: zoneinfo.ZoneInfo(key) for key in sorted(zoneinfo.available_timezones())}

_DATE = r"(?P<year>-?(?:[1-9][0-9]{4,8}|[0-9]{4}))-(?P<month>[0-9]{2})-(?P<day>[0-9]{2})"
_TIME = (
    r"(?P<hour>[0-9]{2}):(?P<minute>[0-9]{2}):(?P<second>[0-9]{2})(?:\.(?P<fraction>[0-9]{1,12}))?"
    r"(?P<zone>[Zz]|[+-][0-9]{2}:[0-9]{2}(?::[0-9]{2})?|@[A-Za-z0-9_+/-]{1,40})?"
)
_DATE_ONLY = re.compile(_DATE)
_TIME_ONLY = re.compile(_TIME)
_DATE_TIME = re.compile(f"{_DATE}(?:T{_TIME})?")
_YEAR_MONTH = re.compile(r"(-?)P(?=[0-9])(?:([0-9]{1,20})Y)?(?:([0-9]{1,20})M)?")
_DAY_TIME = re.compile(
    r"(-?)P(?=[0-9T])(?:([0-9]{1,9})D)?(?:T(?=[0-9])(?:([0-9]{1,12})H)?(?:([0-9]{1,12})M)?(?:([0-9]{1,12})(?:\.([0-9]{1,9}))?S)?)?"
)


# --- reading ----------------------------------------------------------------------------------------------------------


def parse_date(text: str) -> Day | None:
    """`2026-01-31`; `-0044-03-15` and `12026-01-31` too."""
    match = _DATE_ONLY.fullmatch(text)
    return _valid(lambda: _day(match)) if match else None


def parse_time(text: str) -> Clock | None:
    """`08:30:00`, with a fraction, an offset or a zone if need be; a T in front is allowed in `@"T08:30:00"`."""
    match = _TIME_ONLY.fullmatch(text.removeprefix("T"))
    return _valid(lambda: _time(match)) if match else None


def parse_date_time(text: str) -> Moment | None:
    """`2026-01-31T08:30:00`, or a date alone for its first moment. 24:00:00 is the first moment of the next day (XML Schema, 3.3.7)."""
    match = _DATE_TIME.fullmatch(text)
    if match is None:
        return None

    def build():
        if not match["hour"]:
            return moments.joined(_day(match), time())
        return moments.joined(moments.day_at(moments.ordinal(_day(match)) + (match["hour"] == "24")), _time(match))

    return _valid(build)


def parse_duration(text: str) -> DayTimeDuration | YearMonthDuration | None:
    """`P1Y2M`, `P3DT4H`, `-PT30S`."""
    match = _YEAR_MONTH.fullmatch(text)
    if match:
        sign, years, months = match.groups()
        total = int(years or 0) * 12 + int(months or 0)
        return YearMonthDuration(-total if sign else total) if total < LONGEST else None
    match = _DAY_TIME.fullmatch(text)
    if match is None:
        return None
    sign, days, hours, minutes, seconds, fraction = match.groups()

    def build():
        length = timedelta(
            int(days or 0), int(seconds or 0), int((fraction or "")[:6].ljust(6, "0")), 0, int(minutes or 0), int(hours or 0)
        )
        return DayTimeDuration.of(-length if sign else length)

    return _valid(build)


def parse_at(text: str):
    """The value of `@"…"`: whichever kind `text` spells."""
    if text.startswith(("P", "-P")):
        return parse_duration(text)
    clock = text.partition("@")[0]  # zones have letters and colons of their own
    if "T" in clock[1:]:
        return parse_date_time(text)
    return parse_date(text) if ":" not in clock else parse_time(text)


def _day(match: re.Match) -> Day:
    return moments.day(int(match["year"]), int(match["month"]), int(match["day"]))


def _time(match: re.Match) -> Clock:
    fraction = (match["fraction"] or "").ljust(9, "0")
    hour, minute, second = int(match["hour"]), int(match["minute"]), int(match["second"])
    if hour == 24 and not (minute or second or int(fraction)):
        hour = 0
    return moments.whole(time(hour, minute, second, int(fraction[:6]), parse_zone(match["zone"])), nanos=int(fraction[6:9]))


def parse_zone(text: str | None) -> datetime.tzinfo | None:
    """`Z`, `+08:00` or `@Asia/Shanghai`; ValueError for a zone nobody knows."""
    if text is None:
        return None
    if text in ("Z", "z"):
        return UTC
    if text[0] == "@":
        if text[1:] not in ZONES:
            raise ValueError(text)
        return ZONES[text[1:]]
    hours, minutes, *seconds = (int(part) for part in text[1:].split(":"))
    if minutes > 59 or (seconds and seconds[0] > 59):
        raise ValueError(text)
    return offset_zone(timedelta(hours=hours, minutes=minutes, seconds=sum(seconds)) * (-1 if text[0] == "-" else 1))


def offset_zone(offset: timedelta) -> datetime.tzinfo:
    """The zone of a fixed `offset`, of whole seconds and no more than 14 hours (table 66); ValueError for another."""
    if offset.microseconds or abs(offset) > timedelta(hours=14):
        raise ValueError(offset)
    return timezone(offset) if offset else UTC


def _valid(build):
    try:
        return build()
    except (ValueError, OverflowError):
        return None


# --- writing ----------------------------------------------------------------------------------------------------------


def format_date(value: Day) -> str:
    """As `parse_date` reads it."""
    year, near = moments.year(value), moments.near(value)
    return f"{'-' if year < 0 else ''}{abs(year):04}-{near.month:02}-{near.day:02}"


def format_time(value: Clock) -> str:
    """As `parse_time` reads it."""
    near = moments.near(value)
    text = f"{near.hour:02}:{near.minute:02}:{near.second:02}"
    if fraction := fraction_of(value):
        text += f".{fraction:09}".rstrip("0")
    return text + format_zone(near.tzinfo)


def fraction_of(value: Clock | Moment) -> int:
    """The nanoseconds of its second that have passed."""
    near, _, nanos = moments.parts(value)
    return near.microsecond * 1000 + nanos


def format_date_time(value: Moment) -> str:
    """As `parse_date_time` reads it."""
    return f"{format_date(moments.day_of(value))}T{format_time(moments.clock_of(value))}"


def format_zone(zone: datetime.tzinfo | None) -> str:
    """As `parse_zone` reads it; empty for no zone."""
    if zone is None:
        return ""
    if isinstance(zone, zoneinfo.ZoneInfo):
        return f"@{zone.key}"
    offset = zone.utcoffset(None)
    if not offset:
        return "Z"
    seconds = int(offset.total_seconds())
    sign, seconds = ("-", -seconds) if seconds < 0 else ("+", seconds)
    text = f"{sign}{seconds // 3600:02}:{seconds // 60 % 60:02}"
    return text + (f":{seconds % 60:02}" if seconds % 60 else "")


def format_duration(value: timedelta | YearMonthDuration) -> str:
    """As `parse_duration` reads it, in the shortest form."""
    if isinstance(value, YearMonthDuration):
        years, months = divmod(abs(value.months), 12)
        text = (f"{years}Y" if years else "") + (f"{months}M" if months else "") or "0M"
        return ("-P" if value.months < 0 else "P") + text
    sign, length = ("-", -value) if value < timedelta() else ("", value)
    hours, rest = divmod(length.seconds, 3600)
    minutes, seconds = divmod(rest, 60)
    second = f"{seconds}.{length.microseconds:06}".rstrip("0").rstrip(".") if length.microseconds else f"{seconds}"
    clock = (f"{hours}H" if hours else "") + (f"{minutes}M" if minutes else "") + (f"{second}S" if second != "0" else "")
    text = (f"{length.days}D" if length.days else "") + (f"T{clock}" if clock else "")
    return f"{sign}P{text or 'T0S'}"


# --- arithmetic -------------------------------------------------------------------------------------------------------


def offset_of(value: Clock | Moment) -> timedelta | None:
    """The offset from UTC. A time in a named zone has no day to tell summer from winter: the zone's standard time is meant."""
    near = moments.near(value)
    offset = near.utcoffset()
    if offset is None and near.tzinfo is not None:
        some_day = datetime.datetime(2000, 1, 1, tzinfo=near.tzinfo)
        offset = some_day.utcoffset() - some_day.dst()
    return offset


def nanoseconds(value: Clock | Moment) -> int:
    """The length of time until `value`, from the beginning of its day or of all days; at UTC if it has an offset. In numbers no
    moment is too early or too late to be compared: Python's own classes overflow near the years 1 and 9999."""
    near = moments.near(value)
    seconds = near.hour * 3600 + near.minute * 60 + near.second
    if isinstance(near, datetime.datetime):
        seconds += moments.ordinal(value) * 86_400
    offset = offset_of(value)
    return (seconds * 1_000_000 - (0 if offset is None else offset // timedelta(microseconds=1))) * 1000 + fraction_of(value)


def midnight(value: Day) -> Moment:
    """The first moment of a day, at UTC, as the specification compares dates with points in time."""
    return moments.joined(value, time(tzinfo=UTC))


def add_months(value: Day | Moment, months: int) -> Day | Moment:
    """`value` moved by `months`, to the last day of the month when it has fewer days (XML Schema, appendix E)."""
    near, cycles, nanos = moments.parts(value)
    year, month = divmod(moments.year(value) * 12 + near.month - 1 + months, 12)
    day = moments.day(year, month + 1, 1)
    base, cycles, _ = moments.parts(day)
    last = calendar.monthrange(base.year, base.month)[1]
    return moments.whole(near.replace(year=base.year, month=base.month, day=min(near.day, last)), cycles, nanos)


def add_length(value, length: timedelta):
    """A date, time or date and time moved by `length`: a date by whole days, a time around the clock."""
    near, _, nanos = moments.parts(value)
    if isinstance(near, datetime.datetime):
        return moments.moved(value, length)
    if isinstance(near, date):
        return moments.day_at(moments.ordinal(value) + length.days)
    part_of_day = timedelta(seconds=length.seconds, microseconds=length.microseconds)
    moved = datetime.datetime.combine(date(2000, 1, 1), near.replace(tzinfo=None)) + part_of_day
    return moments.whole(moved.time().replace(tzinfo=near.tzinfo), nanos=nanos)


def months_between(start: Day, end: Day) -> int:
    """Whole months from `start` to `end`, negative backwards."""
    if end < start:
        return -months_between(end, start)
    first, last = moments.near(start), moments.near(end)
    months = (moments.year(end) - moments.year(start)) * 12 + last.month - first.month
    return months - 1 if last.day < first.day else months
