"""Values of fields: read from what people type, spreadsheets hold and programs send; kept as plain JSON; handed to rules as FEEL values.

Kept: texts, dates and times as ISO text (moments in UTC), numbers as text (`"3.5"`, so that none is rounded), choices as their keys, booleans, lists of
keys. Whoever is named is resolved before (engine.registers.subjects).
"""

import re
from collections.abc import Iterable, Mapping
from datetime import UTC, date, datetime, time
from decimal import Decimal, InvalidOperation
from typing import Any
from zoneinfo import ZoneInfo

from engine import feel
from engine.exceptions import InvalidForm
from engine.registers.declaring import (
    BOOLEAN,
    CHOICE,
    CHOICES,
    DATE,
    DATETIME,
    INSTANCE,
    NUMBER,
    PERSON,
    TIME,
    Field,
    Register,
)
from engine.registers.told import Told, Wrong

YES = frozenset({"true", "yes", "y", "1", "是", "有", "对", "√"})
NO = frozenset({"false", "no", "n", "0", "否", "无", "不", "×"})
SEPARATORS = re.compile(r"[、,，;；|]\s*")  # between the choices of one cell
EARLIEST, LATEST = date(1950, 1, 1), date(2100, 12, 31)
END_OF_DAY = time(23, 59, 59)

_NUMBERED = re.compile(r"(\d{4})(?:-(\d{1,2})-(\d{1,2})|/(\d{1,2})/(\d{1,2})|\.(\d{1,2})\.(\d{1,2})|年(\d{1,2})月(\d{1,2})日|(\d{2})(\d{2}))")
_MIDNIGHT = re.compile(r"\s+0{1,2}:00(:00)?$")  # how spreadsheets write a day that they take for a moment
_AMBIGUOUS = re.compile(r"\d{1,2}[-/.]\d{1,2}[-/.](\d{4}|\d{2})")
_MOMENT = re.compile(r"(.+?)(?:T|\s+)(\d{1,2}:\d{2}(?::\d{2}(?:\.\d+)?)?)\s*(Z|[+-]\d{2}:?\d{2})?")


def clean(register: Register, values: Mapping[str, Any], zone: ZoneInfo, *, own: bool = False) -> dict[str, Any]:
    """The fields of a submission as they are kept, empty ones left out. `own`: by the person whom it is about, who sets no `kept` field.

    Raises InvalidForm with a message for each field that is wrong.
    """
    fields, errors, found = register.by_key, {}, {}
    for key, value in values.items():
        if key not in fields:
            errors[key] = Told("unknown")
            continue
        try:
            read = of_field(fields[key], value, zone)
        except Wrong as wrong:
            errors[key] = wrong.told
            continue
        if read is not None:
            found[key] = read
            if own and fields[key].kept:
                errors[key] = Told("kept")
    errors |= {key: Told("required") for key, field in fields.items() if field.required and key not in found and key not in errors}
    if not errors:
        errors = _order(register, found)
    if errors:
        raise InvalidForm(errors)
    return found


def of_field(field: Field, value: Any, zone: ZoneInfo) -> Any:
    """One value as it is kept; None if it is empty. Raises Wrong."""
    if isinstance(value, str):
        value = value.strip()
        if any(ord(letter) < 32 and letter not in "\n\r\t" for letter in value) or any("\ud800" <= letter <= "\udfff" for letter in value):
            raise Wrong("characters")
    if value is None or value == "" or value == []:
        return None
    return _READERS.get(field.type, _text)(field, value, zone)


def to_feel(fields: Iterable[Field], values: Mapping[str, Any], zone: ZoneInfo) -> dict[str, Any]:
    """Fields as rules see them; null where nothing was entered, and of a sealed one that was erased."""
    return {field.key: _feel(field, values.get(field.key), zone) for field in fields}


def first_day(register: Register, values: Mapping[str, Any], zone: ZoneInfo) -> date | None:
    """The day an entry is good from."""
    return day_of(values.get(register.since), zone)


def day_of(value: str | None, zone: ZoneInfo) -> date | None:
    """The county's day of a date or moment as it is kept."""
    if not value:
        return None
    return date.fromisoformat(value) if len(value) == 10 else datetime.fromisoformat(value).astimezone(zone).date()


def read_date(text: str) -> date:
    """2026-03-01, 2026/3/1, 2026.3.1, 2026年3月1日, 20260301. Raises Wrong; also for 3/1/2026, of which nobody knows what it means."""
    text = _MIDNIGHT.sub("", text.strip())
    match = _NUMBERED.fullmatch(text)
    if match is None:
        raise Wrong("ambiguous" if _AMBIGUOUS.fullmatch(text) else "date")
    year, month, day = (int(part) for part in match.groups() if part is not None)
    try:
        found = date(year, month, day)
    except ValueError:
        raise Wrong("no_such_day") from None
    if not EARLIEST <= found <= LATEST:
        raise Wrong("far")
    return found


def _date(_field: Field, value: Any, _zone: ZoneInfo) -> str:
    return read_date(_string(value, "date")).isoformat()


def _time(_field: Field, value: Any, _zone: ZoneInfo) -> str:
    text = _string(value, "time")
    if not re.fullmatch(r"\d{1,2}:\d{2}(:\d{2})?", text):
        raise Wrong("time")
    try:
        return time.fromisoformat(text.zfill(8) if text.count(":") == 2 else text.zfill(5)).isoformat()
    except ValueError:
        raise Wrong("time") from None


def _moment(field: Field, value: Any, zone: ZoneInfo) -> str:
    text = _string(value, "moment")
    match = _MOMENT.fullmatch(text)
    try:
        day = read_date(match[1] if match else text)
        if match is None:
            local = datetime.combine(day, END_OF_DAY if field.ends else time(), zone)
        else:
            clock = match[2] if match[2].index(":") == 2 else f"0{match[2]}"
            local = datetime.fromisoformat(f"{day.isoformat()}T{clock}{match[3] or ''}")
    except ValueError as error:
        raise error if isinstance(error, Wrong) and error.told != Told("date") else Wrong("moment") from None
    return (local if local.tzinfo else local.replace(tzinfo=zone)).astimezone(UTC).isoformat()


def _number(field: Field, value: Any, _zone: ZoneInfo) -> str:
    text = _string(value if isinstance(value, str) or isinstance(value, bool) else str(value), "number").replace(",", "").replace("，", "")
    try:
        number = Decimal(text)
    except InvalidOperation:
        raise Wrong("number") from None
    if not number.is_finite() or len(text) > 20 or "_" in text:
        raise Wrong("number")
    if number < 0:
        raise Wrong("too_small")
    if number > field.most:
        raise Wrong("too_large", bound=field.most)
    return f"{number.normalize():f}" if number else "0"


def _choice(field: Field, value: Any, _zone: ZoneInfo) -> str:
    text = _string(value, "text")
    for choice in field.choices:
        if text in (choice.key, choice.name) or text.lower() in (choice.key, choice.name_en.lower()):
            return choice.key
    allowed = tuple("、".join(getattr(choice, name) for choice in field.choices) for name in ("name", "name_en"))
    raise Wrong("choice", allowed=allowed)


def _choices(field: Field, value: Any, zone: ZoneInfo) -> list[str] | None:
    parts = SEPARATORS.split(value) if isinstance(value, str) else value
    if not isinstance(parts, list):
        raise Wrong("text")
    chosen = {_choice(field, part.strip() if isinstance(part, str) else part, zone) for part in parts if part != ""}
    return [choice.key for choice in field.choices if choice.key in chosen] or None


def _boolean(_field: Field, value: Any, _zone: ZoneInfo) -> bool:
    if isinstance(value, bool):
        return value
    text = value.lower() if isinstance(value, str) else ""
    if text not in YES | NO:
        raise Wrong("boolean")
    return text in YES


def _text(field: Field, value: Any, _zone: ZoneInfo) -> str:
    text = _string(value, "text")
    if len(text) > field.longest:
        raise Wrong("too_long", count=field.longest)
    return text


def _string(value: Any, otherwise: str) -> str:
    if not isinstance(value, str):
        raise Wrong(otherwise)
    return value


_READERS = {DATE: _date, TIME: _time, DATETIME: _moment, NUMBER: _number, CHOICE: _choice, CHOICES: _choices, BOOLEAN: _boolean}


def _order(register: Register, found: Mapping[str, Any]) -> dict[str, str]:
    """Days that end before they begin."""
    fields = register.by_key
    errors = {}
    for first, last in (("from", "to"), ("insured_from", "insured_until"), ("issued_on", "registered_until"), ("issued_on", "valid_until")):
        ordered = first in fields and last in fields and fields[first].type == DATE
        if ordered and found.get(first) and found.get(last) and found[last] < found[first]:
            errors[last] = Told("order", field=(fields[first].name, fields[first].name_en))
    return errors


def _feel(field: Field, value: Any, zone: ZoneInfo) -> Any:
    if value is None:
        return [] if field.type == CHOICES else None
    if field.type == NUMBER:
        return Decimal(value)
    if field.type == DATE:
        return date.fromisoformat(value)
    if field.type == TIME:
        return feel.cast(value, "time")
    if field.type == DATETIME:
        return datetime.fromisoformat(value).astimezone(zone)
    return value


NAMED = frozenset({PERSON, INSTANCE})  # types whose values name something that must be there
