"""Entries for people: what fields say in the reader's language, what forms hold, and the summaries that other pages show."""

from collections.abc import Iterable
from datetime import date, datetime
from typing import Any

from flask import request
from flask_babel import gettext, lazy_gettext as _l

from engine import permissions
from engine.registers import entries, rights, subjects
from engine.registers.catalogue import REGISTERS
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
SUMMARY = 20  # entries on somebody's page


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


def banner() -> tuple[int, int] | None:
    """(lapsing within 30 days, lapsed) at the place of who deals with it; None for everybody else and where there is none."""
    who = actor()
    if not permissions.may(who, "register:read") or not permissions.may(who, "alert:acknowledge"):
        return None
    found = entries.lapsing(session(), who, today())
    return found if any(found) else None


def of_subject(subject_id: str, about: str) -> tuple[Shown, list[Register]] | None:
    """(the newest entries about somebody, the registers in which the reader may write about them); None if they may read none."""
    registers = [each for each in REGISTERS.values() if each.about == about and rights.may_read(actor(), each)]
    if not registers:
        return None
    found, _following = entries.lines(
        session(), system().vault, actor(), registers, today(), subject_id=subject_id, limit=SUMMARY
    )
    return Shown(found), [each for each in registers if rights.may_write(actor(), each)]
