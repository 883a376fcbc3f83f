"""A form posted by a browser → the plain data that `Form.read` takes.

Names are paths (`goals[0].text`). Markers that the page writes say what an absent name means: `goals[]` that a list is on the page,
`goals[0]` an entry of it, `_hidden` which fields were hidden. Text becomes numbers and dates as people type them (full-width digits,
2026年1月31日); what cannot be converted stays text, so that the server refuses it and shows it again.
"""

import re
import unicodedata
from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any

from engine.forms import Component, Form, choice_of, plain_json

ADD, REMOVE, CHECK, HIDDEN = "_add", "_remove", "_check", "_hidden"
# Names on the page that are none of the form's.
_OURS = {"csrf_token"}
# One more than a form allows, so that the excess is refused and not silently dropped.
MOST_ENTRIES = 201
_ENTRY = re.compile(r"(.+)\[(\d{1,6})\](?:\..+)?", re.ASCII)
_NUMBER = re.compile(r"[+-]?(?:\d+\.?\d*|\.\d+)", re.ASCII)
_THOUSANDS = re.compile(r"[+-]?\d{1,3}(?:,\d{3})+(?:\.\d+)?", re.ASCII)
_DATE = re.compile(r"(\d{4})\s*[-/.年]\s*(\d{1,2})\s*[-/.月]\s*(\d{1,2})\s*[日号]?|(\d{4})(\d{2})(\d{2})", re.ASCII)
_TIME = re.compile(r"(\d{1,2})\s*[:点时]\s*(?:(\d{1,2})\s*分?)?(?::(\d{2})(?:\.\d{1,6})?)?", re.ASCII)
_DASHES = str.maketrans({"。": ".", "−": "-", "–": "-", "—": "-"})


def parse(form: Form, posted, variables: Mapping | None = None, clock: datetime | None = None) -> tuple[dict[str, Any], bool]:
    """The data in `posted` (a MultiDict), and whether the page should be shown again with it instead of being sent on.

    That is so for the buttons that add or remove an entry and for Enter in a field; and, if the case's `variables` are given, where
    the answers made fields appear that the person has not seen, for want of JavaScript.
    """
    seen: set[str] = set()
    entries = _entries(posted)
    data = _parse(form.fields, posted, entries, "", seen)
    for name in posted:
        # Passed on as they are, so that the form refuses names that it does not have.
        if name not in seen and name not in _OURS and not name.startswith("_"):
            data[name] = posted[name]
    again = CHECK in posted
    if ADD in posted:
        again = True
        _change(form.fields, data, posted[ADD], "", _add)
    elif REMOVE in posted:
        again = True
        _change(form.fields, data, posted[REMOVE], "", _remove)
    if not again and variables is not None:
        again = bool(appeared(form, posted, data, variables, clock))
    return data, again


def appeared(form: Form, posted, data: Mapping, variables: Mapping, clock: datetime | None = None) -> list[str]:
    """Names of fields that were hidden on the page, are not with these answers, and so were never seen."""
    hidden = set(posted.get(HIDDEN, "").split())
    if not hidden:
        return []
    views = [view for top in form.view(variables, data, clock=clock) for view in top.walk()]
    return [view.name for view in views if view.name in hidden and not view.hidden and not view.readonly]


def _entries(posted) -> dict[str, list[int]]:
    """List name → numbers of its entries on the page, in order."""
    found: dict[str, set[int]] = {}
    for name in posted:
        rest = name
        while match := _ENTRY.fullmatch(rest):
            found.setdefault(match.group(1), set()).add(int(match.group(2)))
            rest = match.group(1)
    return {name: sorted(numbers)[:MOST_ENTRIES] for name, numbers in found.items()}


def _parse(components: tuple[Component, ...], posted, entries, prefix: str, seen: set[str]) -> dict[str, Any]:
    data: dict[str, Any] = {}
    for component in components:
        name = prefix + ".".join(component.path)
        if component.kind == "group":
            _merge(data, _parse(component.children, posted, entries, prefix, seen))
        elif component.kind == "dynamiclist":
            seen.add(f"{name}[]")
            made = []
            for number in entries.get(name, []):
                seen.add(f"{name}[{number}]")
                made.append(_parse(component.children, posted, entries, f"{name}[{number}].", seen))
            if component.readonly is not True and (made or f"{name}[]" in posted):
                _put(data, component.path, made)
        elif component.path:
            seen.add(name)
            if not component.served:
                _field(component, posted, name, data)
    return data


def _field(component: Component, posted, name: str, data: dict) -> None:
    kind = component.kind
    if kind == "checkbox":
        value: Any = posted.get(name) not in (None, "", "false")
    elif kind in ("checklist", "taglist"):
        value = [choice_of(token) for token in posted.getlist(name) if token != ""]
    elif kind == "radio":
        token = posted.get(name, "")
        value = None if token == "" else choice_of(token)
    elif name not in posted:
        return  # not on the page: the server's value stands
    elif kind == "select":
        value = None if posted[name] == "" else choice_of(posted[name])
    elif kind == "number":
        value = number_of(posted[name])
    elif kind == "datetime":
        value = moment_of(posted[name], component.attributes["subtype"])
    else:
        value = posted[name]
    _put(data, component.path, value)


def number_of(text: str) -> int | float | str | None:
    """A number as people type it: `１２．５`, `1,200`, `−3`; None for nothing, the text itself if it is no number.

    What a float cannot hold exactly stays text too, written as JSON would; the form reads it as the number it is.
    """
    plain = unicodedata.normalize("NFKC", text[:100]).translate(_DASHES).strip()
    if not plain:
        return None
    if _THOUSANDS.fullmatch(plain):
        plain = plain.replace(",", "")
    return plain_json(Decimal(plain)) if len(text) <= 100 and _NUMBER.fullmatch(plain) else text


def moment_of(text: str, subtype: str) -> str | None:
    """A date, a time or both as people type them, in ISO form; None for nothing, the text itself if it is none.

    Native inputs send ISO already; this is for browsers without them.
    """
    plain = unicodedata.normalize("NFKC", text[:60]).strip()
    if not plain:
        return None
    day, clock = "", plain
    if subtype != "time":
        match = _DATE.match(plain)
        if not match:
            return text
        year, month, date = (part for part in match.groups() if part is not None)
        day, clock = f"{year}-{int(month):02d}-{int(date):02d}", plain[match.end() :].lstrip("T, ")
    if subtype == "date":
        return text if clock else day
    # An offset at the end passes through; people do not type one.
    match = re.fullmatch(rf"({_TIME.pattern})(Z|[+-]\d{{2}}:\d{{2}})?", clock, re.ASCII)
    if not match:
        return text
    hours, minutes, seconds, offset = match.group(2), match.group(3), match.group(4), match.group(5)
    written = f"{int(hours):02d}:{int(minutes or 0):02d}" + (f":{seconds}" if seconds else "") + (offset or "")
    return written if subtype == "time" else f"{day}T{written}"


def _put(data: dict, path: tuple[str, ...], value: Any) -> None:
    for step in path[:-1]:
        data = data.setdefault(step, {})
    data[path[-1]] = value


def _merge(data: dict, more: dict) -> None:
    """Groups may share a path."""
    for key, value in more.items():
        if isinstance(value, dict) and isinstance(data.get(key), dict):
            _merge(data[key], value)
        else:
            data[key] = value


# --- the buttons of lists, where there is no JavaScript ----------------------------------------------------------------


def _change(components, data: Mapping, target: str, prefix: str, change) -> bool:
    """Find the list that `target` names (`goals`, `goals[0].steps`, `goals[1]`) and `change` it."""
    for component in components:
        if component.kind == "group":
            if _change(component.children, data, target, prefix, change):
                return True
        elif component.kind == "dynamiclist":
            name = prefix + ".".join(component.path)
            if not target.startswith(name):
                continue
            found: Any = data
            for step in component.path:
                found = found.get(step) if isinstance(found, Mapping) else None
            if not isinstance(found, list):
                continue
            if not component.fixed and change(component, found, name, target):
                return True
            for number, entry in enumerate(found):
                if _change(component.children, entry, target, f"{name}[{number}].", change):
                    return True
    return False


def _add(component: Component, entries: list, name: str, target: str) -> bool:
    if target != name:
        return False
    if len(entries) < component.attributes["max_items"]:
        entries.append({})
    return True


def _remove(component: Component, entries: list, name: str, target: str) -> bool:
    match = _ENTRY.fullmatch(target)
    if not match or match.group(1) != name or not target.endswith("]"):
        return False
    number = int(match.group(2))
    if number < len(entries):
        del entries[number]
    return True
