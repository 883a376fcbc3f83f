"""Values as text: what `string()` gives, and how values look inside lists and contexts."""

from engine.feel import temporal
from engine.feel.budget import Budget
from engine.feel.values import BOOLEAN, CONTEXT, DATE, DATE_TIME, DAY_TIME, LIST, NUMBER, RANGE, STRING, TIME, YEAR_MONTH, kind

_WRITERS = {
    BOOLEAN: lambda v: "true" if v else "false",
    NUMBER: lambda v: number_text(v),
    DATE: temporal.format_date,
    TIME: temporal.format_time,
    DATE_TIME: temporal.format_date_time,
    DAY_TIME: temporal.format_duration,
    YEAR_MONTH: temporal.format_duration,
}


def text_of(value, budget: Budget | None = None) -> str | None:
    """`string(value)`; null for null. The items of lists and contexts are paid for."""
    return value if value is None or kind(value) == STRING else _nested(value, budget or Budget())


def _nested(value, budget: Budget) -> str:
    what = kind(value)
    if value is None:
        return "null"
    if what in _WRITERS:
        return _WRITERS[what](value)
    if what == STRING:
        return _quoted(value)
    if what in (LIST, CONTEXT):
        budget.spend(len(value))
    if what == LIST:
        return "[" + ", ".join(_nested(item, budget) for item in value) + "]"
    if what == CONTEXT:
        return "{" + ", ".join(f"{_key(key)}: {_nested(item, budget)}" for key, item in value.items()) + "}"
    if what == RANGE:
        return _range(value, budget)
    return f"function({', '.join(value.parameters)})"


def _key(key: str) -> str:
    return key if key.replace(" ", "").isalnum() else _quoted(key)


def _quoted(text: str) -> str:
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def _range(value, budget: Budget) -> str:
    if value.start is None:
        return f"({'<=' if value.end_included else '<'} {_nested(value.end, budget)})"
    if value.end is None:
        return f"({'>=' if value.start_included else '>'} {_nested(value.start, budget)})"
    start, end = "[" if value.start_included else "(", "]" if value.end_included else ")"
    return f"{start}{_nested(value.start, budget)}..{_nested(value.end, budget)}{end}"


def number_text(value) -> str:
    """A decimal without exponent and without zeros that say nothing."""
    text = format(value, "f")
    if "." in text:
        text = text.rstrip("0").rstrip(".")
    return "0" if text == "-0" else text
