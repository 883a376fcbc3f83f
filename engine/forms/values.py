"""One value at a time: plain JSON → FEEL value (checked), a variable → what its field may show, a FEEL value → plain JSON."""

import datetime
import re
import unicodedata
from datetime import date, time
from decimal import Decimal
from typing import Any

from engine import feel
from engine.feel.values import NUMBERS
from engine.forms.messages import Message
from engine.forms.model import MANY, MISSING, TEXT_CAP, Component

_BREAKS = re.compile(r"\r\n?")
_LINE = re.compile(r"[\r\n\t]")
# Halves of surrogate pairs cannot be encoded, NUL breaks databases, the other controls and the bidirectional overrides deceive readers.
_BAD = re.compile("[\ud800-\udfff\x00-\x08\x0b\x0c\x0e-\x1f\x7f\u202a-\u202e\u2066-\u2069\ufdd0-\ufdef\ufffe\uffff]")
_NUMBER = re.compile(r"[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d{1,3})?", re.ASCII)
_DATE = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)
_TIME = re.compile(r"(\d{2}):(\d{2})(?::(\d{2})(\.\d{1,6})?)?(Z|[+-]\d{2}:\d{2})?", re.ASCII)
_DIGITS = 34


class Wrong(ValueError):
    """The value does not fit its field; `message` says why."""

    def __init__(self, code: str, **facts):
        self.message = Message(code, **facts)
        super().__init__(self.message)


def read(component: Component, raw: Any, zone: datetime.tzinfo | None) -> Any:
    """The FEEL value of the JSON value `raw` (null: the field's empty value), or Wrong. Options and rules are not checked here."""
    if raw is None:
        return empty(component)
    return _READERS[component.kind](component, raw, zone)


def empty(component: Component) -> Any:
    """What a field holds when nothing is in it, as in form-js."""
    if component.kind in ("textfield", "textarea"):
        return ""
    if component.kind == "checkbox":
        return False
    return [] if component.kind in MANY else None


def text(raw: Any, cap: int = TEXT_CAP) -> str:
    """`raw` as stored text: NFC, line ends as LF, nothing that cannot be stored or that deceives; Wrong otherwise."""
    if not isinstance(raw, str):
        raise Wrong("wrong_text")
    # Lengths first: normalising ten megabytes costs more than refusing them.
    if len(raw) > 2 * cap:
        raise Wrong("too_long", count=cap)
    if _BAD.search(raw):
        raise Wrong("bad_characters")
    if "\r" in raw:
        raw = _BREAKS.sub("\n", raw)
    raw = raw if raw.isascii() else unicodedata.normalize("NFC", raw)
    if len(raw) > cap:
        raise Wrong("too_long", count=cap)
    return raw


def number(raw: Any) -> Decimal:
    """`raw` (int, float, Decimal) as a FEEL number of at most 34 digits; Wrong otherwise. A float counts as what it prints as."""
    if isinstance(raw, bool) or not isinstance(raw, (int, float, Decimal)):
        raise Wrong("wrong_number")
    if isinstance(raw, int) and abs(raw) >= 10**_DIGITS:
        raise Wrong("digits")
    value = Decimal(repr(raw)) if isinstance(raw, float) else Decimal(raw)
    if not value.is_finite():
        raise Wrong("wrong_number")
    # Exponents such as 1e-6000 would make later arithmetic and printing long.
    if len(value.as_tuple().digits) > _DIGITS or (value and abs(value.adjusted()) > _DIGITS):
        raise Wrong("digits")
    return NUMBERS.create_decimal(value) if value else Decimal(0)


def numeral(raw: str) -> Decimal:
    """A number written as text, as JSON would write it; Wrong otherwise."""
    if len(raw) > 60 or not _NUMBER.fullmatch(raw):
        raise Wrong("wrong_number")
    return number(Decimal(raw))


def plain_number(value: Decimal) -> str:
    """`value` without exponent and without useless zeros."""
    written = format(value, "f")
    return written.rstrip("0").rstrip(".") if "." in written else written


def choice(raw: Any, depth: int = 4) -> Any:
    """An option's value: any JSON value of modest depth, as a FEEL value; Wrong otherwise."""
    if raw is None or isinstance(raw, bool):
        return raw
    if isinstance(raw, str):
        return text(raw, 1_000)
    if isinstance(raw, (int, float, Decimal)):
        return number(raw)
    if depth and isinstance(raw, list) and len(raw) <= 100:
        return [choice(item, depth - 1) for item in raw]
    if depth and isinstance(raw, dict) and len(raw) <= 100:
        return {text(key, 200): choice(value, depth - 1) for key, value in raw.items()}
    raise Wrong("wrong_choice")


def same(left: Any, right: Any) -> bool:
    """FEEL equality of two option values (Python's `True == 1` is not)."""
    return type(left) is type(right) and left == right


def _text(component, raw, zone):
    # A rule of the form may allow more than the default cap.
    bound = component.rules.bounds.get("maxLength")
    found = text(raw, max(bound, TEXT_CAP) if isinstance(bound, int) else TEXT_CAP)
    return _LINE.sub(" ", found) if component.kind == "textfield" else found


def _number(component, raw, zone):
    if component.attributes.get("as_text"):
        return plain_number(numeral(raw) if isinstance(raw, str) else number(raw))
    if not isinstance(raw, str):
        return number(raw)
    value = numeral(raw)
    # As `to_plain` writes them: text only for what a JSON reader would round.
    if not isinstance(to_plain(value), str):
        raise Wrong("wrong_number")
    return value


def _datetime(component, raw, zone):
    subtype = component.attributes["subtype"]
    if isinstance(raw, str) and len(raw) <= 40:
        try:
            found = {"date": _read_date, "time": _read_time, "datetime": _read_datetime}[subtype](raw)
        except ValueError:
            found = None
        if found is not None:
            return found if subtype == "date" else _in_zone(component, found, zone)
    raise Wrong(f"wrong_{subtype}")


def _read_date(raw: str) -> date | None:
    return date.fromisoformat(raw) if _DATE.fullmatch(raw) else None


def _read_time(raw: str) -> time | None:
    return time.fromisoformat(raw) if _TIME.fullmatch(raw) else None


def _read_datetime(raw: str) -> datetime.datetime | None:
    day, _, clock = raw.partition("T")
    if not (_DATE.fullmatch(day) and _TIME.fullmatch(clock)):
        return None
    return datetime.datetime.combine(date.fromisoformat(day), time.fromisoformat(clock))


def _in_zone(component, found, zone):
    """As `timeSerializingFormat` wants it: with the zone's offset, in UTC, or without any. Times that name no zone are local ones."""
    wanted = component.attributes["time_format"]
    # A time alone has no date to look its offset up for; form-js takes today's, a county without summer time any day's.
    day = found.date() if isinstance(found, datetime.datetime) else date(2026, 1, 1)
    moment = found if isinstance(found, datetime.datetime) else datetime.datetime.combine(day, found)
    if wanted == "no_timezone":
        moment = moment.astimezone(zone).replace(tzinfo=None) if moment.tzinfo and zone else moment.replace(tzinfo=None)
    else:
        if moment.tzinfo is None:
            moment = moment.replace(tzinfo=zone or datetime.UTC)
        # A fixed offset, so that the value is the same text wherever it is read.
        moment = moment.astimezone(datetime.UTC if wanted == "utc_normalized" else zone or moment.tzinfo)
        moment = moment.replace(tzinfo=datetime.timezone(moment.utcoffset()))
    return moment if isinstance(found, datetime.datetime) else moment.timetz()


def _checkbox(component, raw, zone):
    if not isinstance(raw, bool):
        raise Wrong("wrong_check")
    return raw


def _one(component, raw, zone):
    return choice(raw)


def _many(component, raw, zone):
    if not isinstance(raw, list) or len(raw) > 500:
        raise Wrong("wrong_choices")
    found: list = []
    for item in raw:
        value = choice(item)
        if not any(same(value, other) for other in found):
            found.append(value)
    return found


_READERS = {
    "textfield": _text,
    "textarea": _text,
    "number": _number,
    "datetime": _datetime,
    "checkbox": _checkbox,
    "radio": _one,
    "select": _one,
    "checklist": _many,
    "taglist": _many,
}


def opening(component: Component, value: Any, zone: datetime.tzinfo | None, options: list | None) -> Any:
    """What the field shows for the variable `value` (MISSING: there is none): form-js's sanitizing, on FEEL values.

    `options`: the values that are allowed, or None when they are not known yet.
    """
    if component.computed:
        return None if value is MISSING else value
    if value is MISSING:
        return empty(component) if component.default is MISSING else component.default
    kind = component.kind
    if kind in ("textfield", "textarea"):
        if isinstance(value, bool):
            value = "true" if value else "false"
        elif not isinstance(value, str):
            value = plain_number(value) if isinstance(value, Decimal) else ""
        return _LINE.sub(" ", value) if kind == "textfield" else value
    if kind == "checkbox":
        return value is True
    if kind == "number":
        return _opening_number(component, value)
    if kind == "datetime":
        return _opening_datetime(component, value, zone)
    if kind in MANY:
        found = value if isinstance(value, list) else []
        return found if options is None else [v for v in found if any(same(v, option) for option in options)]
    return value if options is None or any(same(value, option) for option in options) else None


def _opening_number(component, value):
    if isinstance(value, str):
        try:
            value = numeral(value.strip())
        except Wrong:
            return None
    if not isinstance(value, Decimal):
        return None
    return plain_number(value) if component.attributes.get("as_text") else value


def _opening_datetime(component, value, zone):
    subtype = component.attributes["subtype"]
    if isinstance(value, str):
        try:
            return _datetime(component, value, zone)
        except Wrong:
            return None
    if subtype == "datetime":
        return value if isinstance(value, datetime.datetime) else None
    if subtype == "time":
        return value if isinstance(value, time) else None
    return value if isinstance(value, date) and not isinstance(value, datetime.datetime) else None


def to_plain(value: Any) -> Any:
    """A FEEL value as plain JSON: whole numbers as int, others as float only if nothing is lost, else as text."""
    if value is None or isinstance(value, (bool, str)):
        return value
    if isinstance(value, Decimal):
        if value == value.to_integral_value():
            return int(value)
        close = float(value)
        return close if Decimal(repr(close)) == value else plain_number(value)
    if isinstance(value, list):
        return [to_plain(item) for item in value]
    if isinstance(value, dict):
        return {key: to_plain(item) for key, item in value.items()}
    if isinstance(value, datetime.datetime):
        return f"{value.date().isoformat()}T{_clock(value.timetz())}"
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, time):
        return _clock(value)
    return feel.to_plain(value)  # durations and ranges, which no field makes but a table may show


def _clock(value: time) -> str:
    """Minutes as form-js writes them, seconds only if there are any, UTC as Z."""
    precision = "minutes" if not value.second and not value.microsecond else "auto"
    written = value.isoformat(precision)
    return written[:-6] + "Z" if written.endswith("+00:00") else written

