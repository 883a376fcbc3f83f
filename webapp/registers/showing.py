"""Entries for people: what fields say in the reader's language, what forms hold, and the summaries that other pages show."""

from collections.abc import Iterable
from datetime import date, datetime
from typing import Any

from flask import request
from flask_babel import gettext, lazy_gettext as _l

from engine import permissions
from engine.registers import entries, subjects
from engine.registers.declaring import BOOLEAN, CHOICE, CHOICES, DATE, DATETIME, INSTANCE, PERSON, TIME, Field, Register
from engine.registers.entries import Line
from webapp.auth import actor, session, system
from webapp.i18n import as_instant, day, in_chinese, moment, named, now

STATES = {
    entries.IN_FORCE: (_l("有效"), "completed"),
    entries.LAPSING: (_l("即将到期"), "offered"),
    entries.LAPSED: (_l("已过期"), "incident"),
    entries.PAST: (_l("已过去"), "plain"),
    entries.ENDED: (_l("已注销"), "plain"),
}


def today() -> date:
    """The day in the county."""
    return now().astimezone(system().zone).date()


class Shown:
    """Lines with the names of whom they speak of, read at once; what templates ask."""

    def __init__(self, lines: Iterable[Line]):
        self.lines = list(lines)
        wanted = set()
        for line in self.lines:
            wanted |= {line.entry.subject_id, line.entry.added_by}
            wanted |= {line.values.get(field.key) for field in line.register.fields if field.type == PERSON}
        self.names = subjects.names(session(), system().vault, wanted)

    def __iter__(self):
        return iter(self.lines)

    def __len__(self) -> int:
        return len(self.lines)

    def subject(self, line: Line) -> str:
        """Whom an entry is about."""
        return self.names.get(line.entry.subject_id) or gettext("资料已清除")

    def who(self, person_id: str | None) -> str:
        """Somebody's name."""
        return self.names.get(person_id or "") or (gettext("系统") if person_id == "system" else "—")

    def value(self, line: Line, field: Field) -> str:
        """What a field says; empty where nothing was entered."""
        held = line.values.get(field.key)
        return self.who(held) if field.type == PERSON and held else told(field, held)

    def brief(self, line: Line) -> str:
        """An entry in a few words: its first fields but the days, which stand beside it."""
        said = [self.value(line, field) for field in line.register.fields if field.type not in (DATE, DATETIME, TIME, INSTANCE)]
        return " · ".join(text for text in said[:3] if text and text != "—")

    @staticmethod
    def state(line: Line) -> tuple[str, str]:
        """(what it is called, how its badge looks)."""
        return STATES[line.entry.state_on(today())]


def told(field: Field, value: Any) -> str:
    """A value as it is kept, for people."""
    if value is None or value == []:
        return ""
    if field.type in (CHOICE, CHOICES):
        called = {choice.key: named(choice) for choice in field.choices}
        return ("、" if in_chinese() else ", ").join(called.get(key, key) for key in (value if isinstance(value, list) else [value]))
    if field.type == BOOLEAN:
        return gettext("是") if value else gettext("否")
    if field.type == DATE:
        return day(value)
    if field.type == DATETIME:
        return moment(value)
    return value[:5] if field.type == TIME else str(value)


def as_typed(register: Register, values: dict) -> dict[str, Any]:
    """Kept values as a form's controls hold them: moments in the county's time, people by username."""
    people = {values[field.key] for field in register.fields if field.type == PERSON and values.get(field.key)}
    usernames = subjects.usernames(session(), people) if people else {}
    return {field.key: _typed(field, values.get(field.key), usernames) for field in register.fields}


def _typed(field: Field, value: Any, usernames: dict[str, str]) -> Any:
    if value is None:
        return [] if field.type == CHOICES else ""
    if field.type == DATETIME:
        local = as_instant(value).astimezone(system().zone)
        return local.strftime("%Y-%m-%dT%H:%M:%S" if local.second else "%Y-%m-%dT%H:%M")
    if field.type == BOOLEAN:
        return "yes" if value else "no"
    return usernames.get(value, value) if field.type == PERSON else value


def submitted(register: Register) -> dict[str, Any]:
    """What a form says of a register's fields."""
    form = request.form
    return {
        field.key: form.getlist(field.key) if field.type == CHOICES else form.get(field.key, "")
        for field in register.fields
        if field.key in form or field.type == CHOICES
    }


def local_text(value: str) -> str:
    """A moment as a file says it, in the county's time."""
    return datetime.fromisoformat(value).astimezone(system().zone).strftime("%Y-%m-%d %H:%M:%S")


def reminders() -> dict[str, Any] | None:
    """What the inbox says of entries that lapse soon or have lapsed: `own`, those about oneself; `place`, (lapsing, lapsed) at the place of who
    deals with it there. None where there is nothing to say."""
    who = actor()
    own = entries.own_lapsing(session(), system().vault, who, today()) if permissions.may(who, "register:own") else []
    deals = permissions.may(who, "register:read") and permissions.may(who, "alert:acknowledge")
    lapsing, lapsed = entries.lapsing(session(), who, today()) if deals else (0, 0)
    return {"own": Shown(own) if own else None, "lapsing": lapsing, "lapsed": lapsed} if own or lapsing or lapsed else None
