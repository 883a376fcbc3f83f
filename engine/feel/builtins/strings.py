"""String functions (table 75). Positions count Unicode characters from 1, or from -1 backwards."""

from decimal import Decimal

from engine.feel import regex
from engine.feel.builtins.registry import builtin


@builtin("substring(string: string, start position: number, length?: number)")
def substring(text, start, length=None):
    start = int(start)
    first = start - 1 if start > 0 else len(text) + start
    if start == 0 or not 0 <= first < len(text):
        return None
    if length is None:
        return text[first:]
    return text[first : first + int(length)] if length >= 1 else None


@builtin("string length(string: string)")
def string_length(text):
    return Decimal(len(text))


@builtin("upper case(string: string)", run=True)
def upper_case(run, text):
    run.budget.text(len(text))
    return text.upper()


@builtin("lower case(string: string)", run=True)
def lower_case(run, text):
    run.budget.text(len(text))
    return text.lower()


@builtin("substring before(string: string, match: string)")
def substring_before(text, match):
    return text[: max(text.find(match), 0)]


@builtin("substring after(string: string, match: string)")
def substring_after(text, match):
    place = text.find(match)
    return text[place + len(match) :] if place >= 0 else ""


@builtin("contains(string: string, match: string)")
def contains(text, match):
    return match in text


@builtin("starts with(string: string, match: string)")
def starts_with(text, match):
    return text.startswith(match)


@builtin("ends with(string: string, match: string)")
def ends_with(text, match):
    return text.endswith(match)


@builtin("matches(input: string, pattern: string, flags?: string)", run=True)
def matches(run, text, pattern, flags=None):
    return regex.compiled(pattern, flags or "").search(text, run.budget) is not None


@builtin("replace(input: string, pattern: string, replacement: string, flags?: string)", run=True)
def replace(run, text, pattern, replacement, flags=None):
    result = regex.compiled(pattern, flags or "").replace(text, replacement, run.budget)
    return result


@builtin("split(string: string, delimiter: string)", run=True)
def split(run, text, delimiter):
    """`delimiter` is a regular expression; between all characters if it is empty."""
    pieces = list(text) if not delimiter else regex.compiled(delimiter, "").split(text, run.budget)
    run.budget.items(len(pieces))
    return pieces


@builtin("extract(string: string, pattern: string)", run=True)
def extract(run, text, pattern):
    """Camunda's extension: all that matches."""
    found = [text[match.start : match.end] for match in regex.compiled(pattern, "").matches(text, run.budget)]
    run.budget.items(len(found))
    return found


@builtin("string join(list: list, delimiter?: string)", run=True)
def string_join(run, parts, delimiter=None):
    """Nulls are left out; null when there is anything else but strings."""
    parts = [part for part in parts if part is not None]
    if not all(isinstance(part, str) for part in parts):
        return None
    delimiter = delimiter or ""
    run.budget.text(sum(map(len, parts)) + len(delimiter) * max(len(parts) - 1, 0))
    return delimiter.join(parts)


@builtin("trim(string: string)")
def trim(text):
    """Camunda's extension: without blanks around it."""
    return text.strip()


@builtin("is blank(string: string)")
def is_blank(text):
    """Camunda's extension: whether there is nothing but blanks."""
    return not text.strip()
