"""What a register is made of: plain declarations, from which the table's rows, forms, CSV files, lists and the facts of rules follow.

A register keeps entries about people who work here, units, or clients. To add one is to declare it (engine.registers.personnel, .stations,
.served); nothing else knows any register by name, except who reads what it says.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cached_property

from engine.registers.validity import later

PERSON, UNIT, CLIENT = "person", "unit", "client"  # whom an entry is about
TEXT, NUMBER, DATE, TIME, DATETIME = "text", "number", "date", "time", "datetime"
CHOICE, CHOICES, BOOLEAN, INSTANCE = "choice", "choices", "boolean", "instance"
LONG = 500  # a text of more characters than this is typed into several lines


@dataclass(frozen=True)
class Choice:
    """One of the words a field may hold."""

    key: str
    name: str
    name_en: str


@dataclass(frozen=True)
class Field:
    """One thing an entry says. `type`: TEXT … INSTANCE or PERSON; a person or case is kept as its id.

    `sealed`: personal data, kept under the subject's key only; rules are told of it only if it is `judged`, for what they are told is kept.
    `kept`: set by who keeps the register, not by people about themselves.
    `longest`: characters of a text; `most`: of a number. `ends`: a day given for a moment means its end.
    """

    key: str
    type: str
    name: str
    name_en: str
    help: str = ""
    help_en: str = ""
    required: bool = False
    sealed: bool = False
    judged: bool = False
    kept: bool = False
    choices: tuple[Choice, ...] = ()
    longest: int = 200
    most: int = 100_000
    ends: bool = False


@dataclass(frozen=True)
class Lapse:
    """How the last good day of an entry follows from its fields, and what makes it no longer need watching.

    `field`: the day it is counted from; that day itself where no period is named. `period`: the parameter that says how long it is good,
    `…_days` or `…_months`. `periods`: a field and, by its value, the parameter; another value never lapses. `at_most`: another field and, by its value, a
    parameter that it is not good for longer than. `longer_by`: a field with
    days on top. `default`: the field is filled in, if empty, as many working days after another field as a parameter says.
    `renewed_by`: a register whose newest entry about the same subject counts from later. `settled_by`: the field that, once filled in, ends
    the matter. `same`: entries about one subject that agree in these fields replace each other, the latest counts; None: each counts.
    `stays`: the entry holds on all the same when the day is past: the day is a deadline, not an end. `working_day`: people are reminded
    on the working day before, not `register_reminder_days` before.
    """

    field: str
    period: str | None = None
    periods: tuple[str, tuple[tuple[str, str], ...]] | None = None
    at_most: tuple[str, tuple[tuple[str, str], ...]] | None = None
    longer_by: str | None = None
    default: tuple[str, str] | None = None
    renewed_by: str | None = None
    settled_by: str | None = None
    same: tuple[str, ...] | None = ()
    stays: bool = False
    working_day: bool = False

    def last_day(self, values: Mapping, parameters: Mapping, renewed: date | None = None) -> date | None:
        """The last good day of an entry with these values; None if it does not lapse. `renewed`: the day `renewed_by` speaks of."""
        counted_from = values.get(self.field)
        if not counted_from:
            return None
        day = max(filter(None, [date.fromisoformat(counted_from[:10]), renewed]))
        if self.period or self.periods:
            lengths = [name for name in self._lengths(values) if parameters.get(name) is not None]
            if not lengths:
                return None
            day = min(later(day, name, int(parameters[name])) for name in lengths)
        return day + timedelta(days=int(values.get(self.longer_by) or 0)) if self.longer_by else day

    def _lengths(self, values: Mapping) -> list[str]:
        """The parameters that say how long an entry with these values is good; the shortest counts."""
        chosen = [dict(by_value).get(values.get(field)) for field, by_value in filter(None, (self.periods, self.at_most))]
        return [name for name in (self.period, *chosen) if name is not None]

    def is_settled(self, values: Mapping) -> bool:
        """Whether nothing is to be done about it any more."""
        return self.settled_by is not None and bool(values.get(self.settled_by))


@dataclass(frozen=True)
class Register:
    """One register. `about`: PERSON, UNIT or CLIENT; `since`: the field its first day is; `until`: the field its last day is, for what ends
    by itself and nobody is reminded of; `lapses` for the rest. `read_by`: the regulation that asks it.

    `inner`: about people's conduct or people served, so not for who only keeps the installation. `own`: people may write entries about
    themselves. `case`: a field of type INSTANCE says which.
    """

    key: str
    name: str
    name_en: str
    about: str
    help: str
    help_en: str
    fields: tuple[Field, ...]
    read_by: str
    since: str | None = None
    until: str | None = None
    lapses: Lapse | None = None
    inner: bool = False
    own: bool = False

    @property
    def by_key(self) -> dict[str, Field]:
        """Its fields by key."""
        return {field.key: field for field in self.fields}

    @property
    def sealed(self) -> frozenset[str]:
        """The keys of the fields that are kept sealed."""
        return frozenset(field.key for field in self.fields if field.sealed)

    @cached_property
    def judged(self) -> tuple[Field, ...]:
        """The fields that rules are told."""
        return tuple(field for field in self.fields if field.judged or not field.sealed)

    @cached_property
    def judges_sealed(self) -> bool:
        """Whether rules are told anything that has to be opened for them."""
        return any(field.sealed for field in self.judged)

    @property
    def reading(self) -> str:
        """The permission that reading it takes; see engine.registers.rights."""
        return "client:read" if self.about == CLIENT else "register:read"

    @property
    def writing(self) -> str:
        """The permission that writing it takes."""
        return "client:write" if self.about == CLIENT else "register:write"


def choices(text: str) -> tuple[Choice, ...]:
    """Choices as declarations write them: one a line, `key 中文 | English`."""
    found = []
    for line in text.strip().splitlines():
        key, _, rest = line.strip().partition(" ")
        name, _, english = rest.partition(" | ")
        found.append(Choice(key, name.strip(), english.strip()))
    return tuple(found)
