"""Dates, times and durations: reading and writing their text, and the arithmetic Python does not do FEEL's way.

Years run from 1 to 9999 and fractions of a second have six digits, as in Python; what lies outside is null.
"""

import datetime
import re
import zoneinfo
from datetime import UTC, date, time, timedelta, timezone

from engine.feel.values import DayTimeDuration, YearMonthDuration

# All zones are read here, once, so that evaluating never opens a file.
ZONES = {key: zoneinfo.ZoneInfo(key) for key in sorted(zoneinfo.available_timezones())}

_DATE = r"(?P<year>[0-9]{4})-(?P<month>[0-9]{2})-(?P<day>[0-9]{2})"
_TIME = (
    r"(?P<hour>[0-9]{2}):(?P<minute>[0-9]{2}):(?P<second>[0-9]{2})(?:\.(?P<fraction>[0-9]{1,12}))?"
    r"(?P<zone>[Zz]|[+-][0-9]{2}:[0-9]{2}(?::[0-9]{2})?|@[A-Za-z0-9_+/-]{1,40})?"
)
_DATE_ONLY = re.compile(_DATE)
_TIME_ONLY = re.compile(_TIME)
_DATE_TIME = re.compile(f"{_DATE}(?:T{_TIME})?")
_YEAR_MONTH = re.compile(r"(-?)P(?=[0-9])(?:([0-9]{1,9})Y)?(?:([0-9]{1,9})M)?")
_DAY_TIME = re.compile(
    r"(-?)P(?=[0-9T])(?:([0-9]{1,9})D)?(?:T(?=[0-9])(?:([0-9]{1,12})H)?(?:([0-9]{1,12})M)?(?:([0-9]{1,12})(?:\.([0-9]{1,9}))?S)?)?"
)


# --- reading ----------------------------------------------------------------------------------------------------------


def parse_date(text: str) -> date | None:
    """`2026-01-31`."""
    match = _DATE_ONLY.fullmatch(text)
    return _valid(lambda: date(*map(int, match.groups()))) if match else None


def parse_time(text: str) -> time | None:
    """`08:30:00`, with a fraction, an offset or a zone if need be; a T in front is allowed in `@"T08:30:00"`."""
    match = _TIME_ONLY.fullmatch(text.removeprefix("T"))
    return _valid(lambda: _time(match)) if match else None


def parse_date_time(text: str) -> datetime.datetime | None:
    """`2026-01-31T08:30:00`, or a date alone for its first moment."""
    match = _DATE_TIME.fullmatch(text)
    if match is None:
        return None

    def build():
        day = date(int(match["year"]), int(match["month"]), int(match["day"]))
        return datetime.datetime.combine(day, _time(match) if match["hour"] else time())

    return _valid(build)


def parse_duration(text: str) -> DayTimeDuration | YearMonthDuration | None:
    """`P1Y2M`, `P3DT4H`, `-PT30S`."""
    match = _YEAR_MONTH.fullmatch(text)
    if match:
        sign, years, months = match.groups()
        total = int(years or 0) * 12 + int(months or 0)
        return YearMonthDuration(-total if sign else total)
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
    if "T" in text[1:]:
        return parse_date_time(text)
    return parse_date(text) if ":" not in text else parse_time(text)


def _time(match: re.Match) -> time:
    fraction = (match["fraction"] or "")[:6].ljust(6, "0")
    return time(int(match["hour"]), int(match["minute"]), int(match["second"]), int(fraction), parse_zone(match["zone"]))


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


def format_date(value: date) -> str:
    """As `parse_date` reads it."""
    return value.isoformat()


def format_time(value: time) -> str:
    """As `parse_time` reads it."""
    text = f"{value.hour:02}:{value.minute:02}:{value.second:02}"
    if value.microsecond:
        text += f".{value.microsecond:06}".rstrip("0")
    return text + format_zone(value.tzinfo)


def format_date_time(value: datetime.datetime) -> str:
    """As `parse_date_time` reads it."""
    return f"{value.date().isoformat()}T{format_time(value.timetz())}"


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


def offset_of(value: time | datetime.datetime) -> timedelta | None:
    """The offset from UTC. A time in a named zone has no day to tell summer from winter: winter (January 2000) is meant."""
    offset = value.utcoffset()
    if offset is None and value.tzinfo is not None:
        offset = datetime.datetime(2000, 1, 1, tzinfo=value.tzinfo).utcoffset()
    return offset


def microseconds(value: time | datetime.datetime) -> int:
    """The length of time until `value`, from the beginning of its day or of all days; at UTC if it has an offset. In numbers no
    moment is too early or too late to be compared: Python's own classes overflow near the years 1 and 9999."""
    seconds = value.hour * 3600 + value.minute * 60 + value.second
    if isinstance(value, datetime.datetime):
        seconds += value.toordinal() * 86_400
    offset = offset_of(value)
    return seconds * 1_000_000 + value.microsecond - (0 if offset is None else offset // timedelta(microseconds=1))


def midnight(value: date) -> datetime.datetime:
    """The first moment of a day, at UTC, as the specification compares dates with points in time."""
    return datetime.datetime(value.year, value.month, value.day, tzinfo=UTC)


def add_months(value: date, months: int) -> date:
    """`value` moved by `months`, to the last day of the month when it has fewer days (XML Schema, appendix E)."""
    year, month = divmod(value.year * 12 + value.month - 1 + months, 12)
    first = date(year, month + 1, 1)
    last = 31 if month == 11 else (date(year, month + 2, 1) - first).days
    return value.replace(year=year, month=month + 1, day=min(value.day, last))


def add_length(value, length: timedelta):
    """A date, time or date and time moved by `length`: a date by whole days, a time around the clock."""
    if isinstance(value, datetime.datetime):
        if isinstance(value.tzinfo, zoneinfo.ZoneInfo):
            return (value.astimezone(UTC) + length).astimezone(value.tzinfo)
        return value + length
    if isinstance(value, date):
        return (datetime.datetime.combine(value, time()) + length).date()
    part_of_day = timedelta(seconds=length.seconds, microseconds=length.microseconds)
    moved = datetime.datetime.combine(date(2000, 1, 1), value.replace(tzinfo=None)) + part_of_day
    return moved.time().replace(tzinfo=value.tzinfo)


def months_between(start: date, end: date) -> int:
    """Whole months from `start` to `end`, negative backwards."""
    if end < start:
        return -months_between(end, start)
    months = (end.year - start.year) * 12 + end.month - start.month
    return months - 1 if end.day < start.day else months
