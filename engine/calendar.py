"""The county's calendar: holidays, make-up workdays and the arithmetic of deadlines.

Periods follow 民法典 (Civil Code) articles 200–203: they are counted by the Gregorian calendar (200), the starting day is not
counted (201), a period of months ends on the corresponding day or, where there is none, on the last day of the month (202), and a
period whose last day is a statutory holiday ends on the day after the holiday, at 24:00 (203). We write 24:00 as 23:59:59 of the
last day, in the county's zone.

A year without a calendar falls back to "Saturday and Sunday are free" and every deadline that had to ask such a year is marked
provisional, so that it is recomputed when the State Council's notice for that year is imported.
"""

import csv
import io
from calendar import monthrange
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from types import MappingProxyType
from zoneinfo import ZoneInfo

import chinese_calendar
from sqlalchemy import String, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from engine.db import Base, Instant, Json, UnitOfWork
from engine.exceptions import CalendarInvalid
from engine.feel import FeelFunction

ZONE = "Asia/Shanghai"
# Longest period anyone may ask for: a hundred years of days. It bounds the loops below whatever a procedure's author writes.
MAX_DAYS = 36_525
END_OF_DAY = time(23, 59, 59)
# Days to look ahead for the end of a holiday; the longest so far were 9 (Spring Festival 2026).
LONGEST_HOLIDAY = 62
CSV_HEADER = ("date", "type", "name")


@dataclass(frozen=True)
class Year:
    """One year's exceptions to "Monday to Friday": `holidays` are free, `workdays` (make-up days) are worked; date → name."""

    year: int
    holidays: Mapping[date, str] = field(default_factory=lambda: MappingProxyType({}))
    workdays: Mapping[date, str] = field(default_factory=lambda: MappingProxyType({}))
    source: str = ""


@dataclass(frozen=True)
class Deadline:
    """The end of a period. `provisional`: a year without a calendar was asked, so a later import may move it."""

    at: datetime
    provisional: bool = False


class Calendar:
    """Working days of one county. `zone`: IANA name or ZoneInfo; `years`: year → Year, the years that are known."""

    def __init__(self, zone: str | ZoneInfo = ZONE, years: Mapping[int, Year] | None = None):
        self.zone = ZoneInfo(zone) if isinstance(zone, str) else zone
        self.years = MappingProxyType(dict(years or {}))
        self._free = frozenset(day for year in self.years.values() for day in year.holidays)
        self._worked = frozenset(day for year in self.years.values() for day in year.workdays)

    def known(self, year: int) -> bool:
        """Whether that year's calendar has been imported."""
        return year in self.years

    def is_working_day(self, day: date) -> bool:
        """Worked in this county: a make-up day, or Monday to Friday outside the holidays."""
        if day in self._worked:
            return True
        return day.weekday() < 5 and day not in self._free

    def name_of(self, day: date) -> str | None:
        """What the notice calls that day (春节, 国庆节 …), for a holiday or a make-up workday."""
        year = self.years.get(day.year)
        return year and (year.holidays.get(day) or year.workdays.get(day))

    def local_day(self, moment: datetime | date) -> date:
        """The county's date at that moment; a moment without a zone is taken as the county's own clock."""
        if not isinstance(moment, datetime):
            return moment
        return (moment if moment.tzinfo is None else moment.astimezone(self.zone)).date()

    def working_days_after(self, start: datetime | date, n: int) -> Deadline:
        """End of the n-th working day after the day of `start`; for n = 0 the start's own day, or the next working day."""
        day = self.local_day(start)
        left = _count(n)
        if left == 0:
            return self._deadline(*self._carry(day))
        provisional = False
        while left:
            day = _later(day)
            provisional = provisional or day.year not in self.years
            left -= self.is_working_day(day)
        return self._deadline(day, provisional)

    def days_after(self, start: datetime | date, n: int) -> Deadline:
        """End of the n-th calendar day after the day of `start`, carried past a holiday to the next working day."""
        return self._deadline(*self._carry(_later(self.local_day(start), _count(n))))

    def months_after(self, start: datetime | date, n: int) -> Deadline:
        """End of the corresponding day n months later (or of that month's last day), carried past a holiday."""
        day = self.local_day(start)
        years, month = divmod(day.month - 1 + _count(n, MAX_DAYS // 30), 12)
        year, month = day.year + years, month + 1
        if year > date.max.year - 1:
            raise ValueError("the period ends after the last year of the calendar")
        return self._deadline(*self._carry(date(year, month, min(day.day, monthrange(year, month)[1]))))

    def _carry(self, day: date) -> tuple[date, bool]:
        """The day itself or the first working day after it, and whether an unknown year was asked on the way."""
        provisional = day.year not in self.years
        for _ in range(LONGEST_HOLIDAY):
            if self.is_working_day(day):
                break
            day = _later(day)
            provisional = provisional or day.year not in self.years
        return day, provisional

    def _deadline(self, day: date, provisional: bool) -> Deadline:
        return Deadline(datetime.combine(day, END_OF_DAY, self.zone), provisional)


def _count(n, most=MAX_DAYS) -> int:
    """A whole, non-negative, bounded number of days or months; FEEL hands Decimals."""
    if isinstance(n, bool) or n != int(n) or not 0 <= n <= most:
        raise ValueError(f"a whole number from 0 to {most} is needed")
    return int(n)


def _later(day: date, days: int = 1) -> date:
    try:
        return day + timedelta(days=days)
    except OverflowError:
        raise ValueError("the period ends after the last year of the calendar") from None


# --- where years come from ------------------------------------------------------------------------------------------------


def chinese_year(year: int) -> Year | None:
    """The State Council's yearly notice as the `chinesecalendar` library carries it; None for a year it does not know.

    The library's weekend days inside a holiday are kept: they are part of the notice, and show by name.
    """
    tables = chinese_calendar.constants
    names = {holiday.value: holiday.chinese for holiday in chinese_calendar.Holiday}
    holidays = {day: names.get(name, name) for day, name in tables.holidays.items() if day.year == year}
    if not holidays:
        return None
    workdays = {day: f"{names.get(name, name)}调休上班" for day, name in tables.workdays.items() if day.year == year}
    source = f"chinesecalendar {chinese_calendar.__version__}"
    return Year(year, MappingProxyType(holidays), MappingProxyType(workdays), source)


def chinese_years() -> dict[int, Year]:
    """Every year the library knows, for the seed and for tests."""
    years = sorted({day.year for day in chinese_calendar.constants.holidays})
    return {year: chinese_year(year) for year in years}


def parse_csv(text: str, year: int, source: str = "CSV") -> Year:
    """An administrator's file: lines `date,type,name` with type holiday or workday; a header line and blank lines are allowed.

    Raises CalendarInvalid(line, reason) for the first line that is wrong. Nothing is guessed: a date of another year, a date
    given twice, a holiday or workday that changes nothing and would show a slip of the pen (a working Tuesday) are refused.
    """
    kinds: dict[str, dict[date, str]] = {"holiday": {}, "workday": {}}
    seen: dict[date, int] = {}
    reader = csv.reader(io.StringIO(text.removeprefix("\ufeff")), strict=True)
    try:
        for row in reader:
            cells = [cell.strip() for cell in row]
            if not any(cells) or (not seen and tuple(cell.lower() for cell in cells) == CSV_HEADER):
                continue
            day, kind, name = _csv_line(cells, year, reader.line_num)
            if day in seen:
                raise CalendarInvalid(line=reader.line_num, reason=f"日期 {day} 在第 {seen[day]} 行已经出现")
            seen[day] = reader.line_num
            kinds[kind][day] = name
    except csv.Error:
        raise CalendarInvalid(line=reader.line_num, reason="引号没有配对，无法按 CSV 读取") from None
    if not kinds["holiday"]:
        # A file without one holiday is an empty or a wrong file; it would silently turn the Spring Festival into work.
        raise CalendarInvalid(line=reader.line_num or 1, reason="文件里没有一个节假日（holiday）")
    return Year(year, MappingProxyType(kinds["holiday"]), MappingProxyType(kinds["workday"]), source)


def _csv_line(cells: list[str], year: int, line: int) -> tuple[date, str, str]:
    def wrong(reason):
        return CalendarInvalid(line=line, reason=reason)

    if len(cells) != 3:
        raise wrong(f"应有三列，实际有 {len(cells)} 列")
    written, kind, name = cells
    try:
        # strptime-free: only 2026-01-02, the one form nobody can misread.
        day = date.fromisoformat(written) if len(written) == 10 else None
    except ValueError:
        day = None
    if day is None:
        raise wrong(f"日期“{written}”不是 YYYY-MM-DD")
    if day.year != year:
        raise wrong(f"日期 {day} 不在 {year} 年")
    if kind not in ("holiday", "workday"):
        raise wrong(f"类型“{kind}”应为 holiday 或 workday")
    if not name or len(name) > 40:
        raise wrong("名称应为 1 到 40 个字")
    if kind == "workday" and day.weekday() < 5:
        raise wrong(f"{day} 是星期{'一二三四五'[day.weekday()]}，本来就上班，不是调休上班日")
    return day, kind, name


# --- in the database ----------------------------------------------------------------------------------------------------------


class CalendarYear(Base):
    """One year's calendar of a county; the next import of the same year replaces it under the next `number`.

    `holidays` and `workdays` are JSON objects, ISO date → name. `source` says where the year came from (the library's version,
    or the name of an administrator's file). The row is guarded by the stream `calendar/<county>`.
    """

    __tablename__ = "calendar_year"
    county_id: Mapped[str] = mapped_column(String(32), primary_key=True)
    year: Mapped[int] = mapped_column(primary_key=True)
    number: Mapped[int]
    holidays: Mapped[dict] = mapped_column(Json)
    workdays: Mapped[dict] = mapped_column(Json)
    source: Mapped[str] = mapped_column(String(200))
    imported_by: Mapped[str | None] = mapped_column(String(32))
    imported_at: Mapped[datetime] = mapped_column(Instant)
    version: Mapped[int] = mapped_column()

    __mapper_args__ = {"version_id_col": version}

    def __stream__(self) -> str:
        """The event stream that answers for this row."""
        return f"calendar/{self.county_id}"

    def as_year(self) -> Year:
        """The row as the arithmetic wants it."""
        return Year(self.year, _dated(self.holidays), _dated(self.workdays), self.source)


def load(session: Session, county_id: str, zone: str | ZoneInfo = ZONE) -> Calendar:
    """The county's calendar as it stands: one statement, one row a year."""
    rows = session.scalars(select(CalendarYear).where(CalendarYear.county_id == county_id))
    return Calendar(zone, {row.year: row.as_year() for row in rows})


def missing_years(session: Session, county_id: str, today: date) -> list[int]:
    """Years that should be there by now and are not: this one, and the next from November on, when the State Council has told it."""
    due = [today.year, today.year + 1] if today.month >= 11 else [today.year]
    known = set(session.scalars(select(CalendarYear.year).where(CalendarYear.county_id == county_id, CalendarYear.year.in_(due))))
    return [year for year in due if year not in known]


def put_year(unit: UnitOfWork, county_id: str, year: Year, imported_by: str | None) -> CalendarYear:
    """Write or replace one year in this unit of work; the caller records the event on `calendar/<county>`."""
    row = unit.session.get(CalendarYear, (county_id, year.year), with_for_update=True)
    if row is None:
        row = CalendarYear(county_id=county_id, year=year.year, number=0)
        unit.session.add(row)
    row.number += 1
    row.holidays, row.workdays = _written(year.holidays), _written(year.workdays)
    row.source, row.imported_by, row.imported_at = year.source[:200], imported_by, unit.now
    return row


def _dated(days: dict[str, str]) -> Mapping[date, str]:
    return MappingProxyType({date.fromisoformat(day): name for day, name in days.items()})


def _written(days: Mapping[date, str]) -> dict[str, str]:
    return {day.isoformat(): name for day, name in sorted(days.items())}


# --- in FEEL ---------------------------------------------------------------------------------------------------------------


def feel_functions(
    calendar: Calendar, on_provisional: Callable[[Deadline], None] = lambda deadline: None
) -> dict[str, FeelFunction]:
    """`working days after(from, days)`, `days after(from, days)`, `months after(from, months)` for a FEEL context.

    `from` is a date or a date and time; the answer is a date and time with the county's offset. Wrong arguments give null, as
    with FEEL's own functions. `on_provisional` is called with each deadline that asked an unknown year.
    """

    def function(name, counted, method):
        def call(start, n):
            if not isinstance(start, date):
                raise TypeError("a date is needed")
            deadline = method(start, n)
            if deadline.provisional:
                on_provisional(deadline)
            return deadline.at

        return FeelFunction(name, ("from", counted), call)

    return {
        "working days after": function("working days after", "days", calendar.working_days_after),
        "days after": function("days after", "days", calendar.days_after),
        "months after": function("months after", "months", calendar.months_after),
    }


FEEL_NAMES = ("working days after", "days after", "months after")
