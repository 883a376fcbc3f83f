"""Values ↔ JSON: exactly (`encode`, `decode`, for state and events) and plainly (`to_plain`, `from_plain`, `cast`, for people)."""

import datetime
import zoneinfo
from collections.abc import Callable
from decimal import Decimal

from engine.feel import moments, temporal
from engine.feel.budget import Budget
from engine.feel.errors import FeelLimit, FeelTypeError
from engine.feel.moments import Clock, Moment, near
from engine.feel.text import text_of
from engine.feel.types import ANY, TYPE_NAMES
from engine.feel.values import (
    CONTEXT,
    DATE,
    DATE_TIME,
    DAY_TIME,
    LIST,
    NULL,
    NUMBER,
    RANGE,
    STRING,
    TIME,
    YEAR_MONTH,
    Range,
    admit,
    kind,
)

# --- exactly ----------------------------------------------------------------------------------------------------------
#
# Null, booleans, strings, lists and small whole numbers are themselves. Everything else is an object of one key that begins
# with one `$`; keys of contexts that begin with `$` get one more in front.

_SAFE = 2**53  # what every JSON reader keeps exactly
_THEMSELVES = frozenset({str, bool, type(None)})
_ITEMS = 300_000  # of a value's JSON


def encode(value):
    """`value` as JSON from which `decode` makes the same value again; FeelTypeError for functions and foreign objects."""
    return value if value.__class__ in _THEMSELVES else _bounded(_encode, value)


def _bounded(function: Callable, value):
    """`function(value, purse)`. A list that shares its parts can come to more JSON than any disk holds."""
    try:
        return function(value, Budget(steps=_ITEMS))
    except RecursionError:
        raise FeelLimit(limit="嵌套", allowed="规定的层数") from None


def _encode(value, purse: Budget):
    value = admit(value)
    match kind(value):
        case "Null" | "boolean" | "string":
            return value
        case "number":
            return _encode_number(value)
        case "list":
            purse.spend(len(value))
            return [_encode(item, purse) for item in value]
        case "context":
            purse.spend(len(value))
            return {f"${key}" if key.startswith("$") else key: _encode(item, purse) for key, item in value.items()}
        case "date":
            return {"$d": temporal.format_date(value)}
        case "time":
            _check_zone(value)
            return {"$t": temporal.format_time(value)}
        case "date and time":
            _check_zone(value)
            text = temporal.format_date_time(value)
            # The second of the two hours when the clocks go back.
            return {"$dt": [text, 1] if near(value).fold else text}
        case "days and time duration" | "years and months duration":
            return {"$p": temporal.format_duration(value)}
        case "range":
            return {"$r": [_encode(value.start, purse), _encode(value.end, purse), value.start_included, value.end_included]}
    raise FeelTypeError(value=value.name, type="可保存的值")


def _encode_number(value: Decimal):
    if not value.is_finite():
        raise FeelTypeError(value=str(value), type="数字")
    if value.as_tuple().exponent == 0 and abs(value) < _SAFE and (value or not value.is_signed()):
        return int(value)
    return {"$n": str(value)}


def _check_zone(value: Clock | Moment) -> None:
    zone = value.tzinfo
    named = isinstance(zone, zoneinfo.ZoneInfo) and temporal.ZONES.get(zone.key) is zone
    if not (zone is None or named or isinstance(zone, datetime.timezone)):
        raise FeelTypeError(value=str(zone), type="时区")


def decode(json):
    """The value that `encode` was given."""
    return json if json.__class__ in _THEMSELVES else _bounded(_decode, json)


def _decode(json, purse: Budget):
    if isinstance(json, bool) or json is None or isinstance(json, str):
        return json
    if isinstance(json, int):
        return Decimal(json)
    if isinstance(json, list | dict):
        purse.spend(len(json))
    if isinstance(json, list):
        return [_decode(item, purse) for item in json]
    if isinstance(json, dict):
        if len(json) == 1:
            [(tag, content)] = json.items()
            if tag in _DECODERS:
                return _decoded(tag, content)
        return {key[1:] if key.startswith("$") else key: _decode(item, purse) for key, item in json.items()}
    raise FeelTypeError(value=str(json)[:40], type="编码值")


def _decoded(tag: str, content):
    try:
        value = _DECODERS[tag](content)
    except (ArithmeticError, AttributeError, TypeError, ValueError):
        value = None
    if value is None:
        raise FeelTypeError(value=str(content)[:40], type="编码值")
    return value


def _decode_date_time(content):
    if isinstance(content, list):
        value, cycles, nanos = moments.parts(temporal.parse_date_time(content[0]))
        return moments.whole(value.replace(fold=content[1]), cycles, nanos)
    return temporal.parse_date_time(content)


def _decode_range(content) -> Range:
    start, end, start_included, end_included = content
    return Range(decode(start), decode(end), start_included, end_included)


_DECODERS = {
    "$n": Decimal,
    "$d": temporal.parse_date,
    "$t": temporal.parse_time,
    "$dt": _decode_date_time,
    "$p": temporal.parse_duration,
    "$r": _decode_range,
}

# --- plainly ----------------------------------------------------------------------------------------------------------


def to_plain(value):
    """`value` as anybody's JSON: numbers as numbers, dates and durations as ISO text, ranges as FEEL text."""
    return _bounded(_to_plain, value)


def _to_plain(value, purse: Budget):
    value = admit(value)
    what = kind(value)
    if what in (LIST, CONTEXT):
        purse.spend(len(value))
    if what == NUMBER:
        return _plain_number(value)
    if what == LIST:
        return [_to_plain(item, purse) for item in value]
    if what == CONTEXT:
        return {key: _to_plain(item, purse) for key, item in value.items()}
    if what in (DATE, TIME, DATE_TIME, DAY_TIME, YEAR_MONTH, RANGE):
        return text_of(value)
    if what in (NULL, STRING) or isinstance(value, bool):
        return value
    raise FeelTypeError(value=value.name, type="可输出的值")


def _plain_number(value: Decimal):
    if abs(value) >= Decimal("1e300"):
        return str(value)  # no reader's numbers go that far
    return int(value) if value == value.to_integral_value() else float(value)


def from_plain(json):
    """JSON as values: numbers become decimals, text stays text (`cast` makes dates of it)."""
    return _bounded(_from_plain, json)


def _from_plain(json, purse: Budget):
    if isinstance(json, list | dict):
        purse.spend(len(json))
    if isinstance(json, list):
        return [_from_plain(item, purse) for item in json]
    if isinstance(json, dict):
        return {str(key): _from_plain(item, purse) for key, item in json.items()}
    return admit(json)


_PARSERS = {
    DATE: temporal.parse_date,
    TIME: temporal.parse_time,
    DATE_TIME: temporal.parse_date_time,
    DAY_TIME: temporal.parse_duration,
    YEAR_MONTH: temporal.parse_duration,
}


def cast(value, type_name: str):
    """`value` as DMN's `typeRef` asks for it, reading ISO text; FeelTypeError when it does not fit. Null fits every type."""
    value = from_plain(value)
    wanted = TYPE_NAMES.get(type_name.removeprefix("feel:"))
    if wanted is None:
        raise FeelTypeError(value=type_name, type="类型名称")
    if value is None or wanted == ANY:
        return value
    if isinstance(value, str) and wanted in _PARSERS:
        parsed = _PARSERS[wanted](value)
        if kind(parsed) == wanted:
            return parsed
    if kind(value) != wanted:
        raise FeelTypeError(value=str(to_plain(value))[:40], type=type_name)
    return value
