"""Due times of timer events: ISO 8601 dates, durations and repeating intervals, as text or as FEEL values. No clock is read here."""

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from typing import Any

from engine import feel
from engine.feel import temporal
from engine.workflow.trouble import Trouble

_DURATION = re.compile(
    r"P(?=[\dT])(?:(\d{1,6})Y)?(?:(\d{1,6})M)?(?:(\d{1,6})W)?(?:(\d{1,9})D)?"
    r"(?:T(?=\d)(?:(\d{1,9})H)?(?:(\d{1,9})M)?(?:(\d{1,9})(\.\d{1,9})?S)?)?"
)
_CYCLE = re.compile(r"R(\d{0,9})/(?:([^/]+)/)?([^/]+)")
_ZONE_SUFFIX = re.compile(r"(Z|[+-]\d\d:?\d\d)?\[([\w/+-]+)\]$")

SHORTEST = timedelta(seconds=1)  # between two firings of one timer

KIND_NAMES = {"date": "时间点", "duration": "时长", "cycle": "循环"}


@dataclass(frozen=True)
class Interval:
    """A length of time. Months and days are counted on the zone's calendar, the rest exactly."""

    months: int = 0
    days: int = 0
    rest: timedelta = timedelta()

    @classmethod
    def read(cls, text: str) -> "Interval":
        """`P1Y2M3W4DT5H6M7.8S`, at least one part. Raises ValueError, for negative ones too."""
        match = _DURATION.fullmatch(text.strip())
        if match is None:
            raise ValueError("时长应写作 P3D、PT8H 这样的形式，且不能为负")
        years, months, weeks, days, hours, minutes, seconds = (int(part or 0) for part in match.groups()[:7])
        rest = timedelta(hours=hours, minutes=minutes, seconds=seconds + float(match[8] or 0))
        return cls(years * 12 + months, weeks * 7 + days, rest)

    @classmethod
    def of(cls, value: Any) -> "Interval":
        """A FEEL duration or its text. Raises ValueError."""
        if isinstance(value, str):
            return cls.read(value)
        if isinstance(value, feel.YearMonthDuration):
            found = cls(months=value.months)
        elif isinstance(value, timedelta):
            found = cls(rest=value)
        else:
            raise ValueError("应是时长")
        if found.months < 0 or found.rest < timedelta():
            raise ValueError("时长不能为负")
        return found

    def __bool__(self) -> bool:
        return bool(self.months or self.days or self.rest)

    def after(self, start: datetime, zone: tzinfo, times: int = 1) -> datetime:
        """`start` and `times` intervals, at UTC. Counted from `start` each time, so the 31st does not wander to the 28th.

        Raises OverflowError.
        """
        local = start.astimezone(zone)
        if self.months:
            try:
                local = temporal.add_months(local, self.months * times)
            except ValueError as error:  # no such year
                raise OverflowError from error
            if not isinstance(local, datetime):  # a year that FEEL knows and no clock
                raise OverflowError
        if self.days:
            local += timedelta(days=self.days * times)
        return local.astimezone(UTC) + self.rest * times


@dataclass(frozen=True)
class Schedule:
    """When a timer is due; a repeating one also has its `interval` (ISO text), how often (`repeats`, None: for ever) and its
    `anchor`, the time of the first occurrence if the text names one; `passed`: how many of its occurrences lie before it was set."""

    due: datetime
    interval: str | None = None
    repeats: int | None = None
    anchor: datetime | None = None
    passed: int = 0


def occurrence(interval: str, count: int, since: datetime, anchor: datetime | None, zone: tzinfo) -> datetime:
    """The due time after `count` firings: at the anchor and every interval after it, or every interval after `since`.

    Raises OverflowError.
    """
    return Interval.read(interval).after(anchor or since, zone, count if anchor else count + 1)


def passed(interval: str, since: datetime, anchor: datetime | None, zone: tzinfo, at: datetime, least: int = 0) -> int:
    """How many occurrences are due at a time, known to be at least `least`. Looked for by halves: an old cycle has millions behind it."""

    def is_due(count: int) -> bool:  # whether so many are
        try:
            return occurrence(interval, count - 1, since, anchor, zone) <= at
        except OverflowError:
            return False

    step = 1
    while is_due(least + step):
        step *= 2
    low, high = least + step // 2, least + step  # so many are due, so many are not
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if is_due(middle) else (low, middle)
    return low


def schedule(kind: str, value: Any, since: datetime, zone: tzinfo) -> Schedule:
    """`value`: text or FEEL value of a timer of this kind, counted from `since`. Raises Trouble."""
    try:
        if kind == "cycle":
            return _repeating(value, since, zone)
        if kind == "duration" and not isinstance(value, datetime):
            return Schedule(Interval.of(value).after(since, zone))
        return Schedule(moment(value, zone))
    except OverflowError:
        raise Trouble("timer_invalid", "定时器的时间太远，无法表示") from None
    except ValueError as error:
        raise Trouble("timer_invalid", f"定时器的{KIND_NAMES[kind]}不正确：{error}") from None


def fault_of(kind: str, text: str) -> str | None:
    """What is wrong with a fixed text, in Chinese, or None."""
    try:
        schedule(kind, text, datetime(2000, 1, 1, tzinfo=UTC), UTC)
    except Trouble as trouble:
        return trouble.message
    return None


def moment(value: Any, zone: tzinfo, end_of_day: bool = False) -> datetime:
    """A point in time at UTC from a FEEL date and time, a date (its first or last second) or their text. Raises ValueError."""
    if isinstance(value, str):
        value = _read_moment(value.strip())
    if isinstance(value, datetime):
        return (value if value.tzinfo else value.replace(tzinfo=zone)).astimezone(UTC)
    if isinstance(value, date):
        return datetime.combine(value, time(23, 59, 59) if end_of_day else time(), zone).astimezone(UTC)
    raise ValueError("应是日期和时间，例如 2026-03-01T09:00:00+08:00")


def _read_moment(text: str):
    if match := _ZONE_SUFFIX.search(text):
        # Java's form of a zone: 2026-03-01T09:00:00+08:00[Asia/Shanghai]. An offset says the same and more exactly.
        text = text[: match.start()] + (match[1] or f"@{match[2]}")
    return temporal.parse_date_time(text) if "T" in text else temporal.parse_date(text)


def _repeating(value: Any, since: datetime, zone: tzinfo) -> Schedule:
    match = _CYCLE.fullmatch(value.strip()) if isinstance(value, str) else None
    if match is None:
        raise ValueError("应写作 R3/PT8H、R/P1D 或 R3/2026-03-01T09:00:00+08:00/P1D；不支持 cron 写法")
    count, start, text = match.groups()
    interval = Interval.read(text)
    if not interval:
        raise ValueError("两次之间的间隔不能为零")
    repeats = int(count) if count else None
    if repeats == 0:
        raise ValueError("重复次数不能为零")
    if interval.after(since, zone) < since + SHORTEST:
        raise ValueError("两次之间至少要隔一秒")
    if start:
        anchor = moment(start, zone)
        behind = passed(text, since, anchor, zone, since - timedelta.resolution)
        if repeats is not None and behind >= repeats:  # all of it: due at once, as a date in the past is
            behind = repeats - 1
        return Schedule(occurrence(text, behind, since, anchor, zone), text, repeats, anchor, behind)
    return Schedule(interval.after(since, zone), text, repeats)
