"""The entries of all registers: one table, and what is read from it — facts for rules, lists for pages, what the clock has to look at.

What is sealed lies under the key of whom the entry is about (`person/<id>`, `unit/<id>`, `client/<id>`), so erasing them erases it. The plain part stays,
and says nothing without them.
"""

import functools
import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import ColumnElement, Index, String, bindparam, case, false, func, or_, select, text, tuple_
from sqlalchemy.engine import Connection
from sqlalchemy.orm import Mapped, Session, mapped_column

from engine.db import Base, Id, Instant, Json, reference
from engine.exceptions import InvalidRequest, NotFound
from engine.organisation import Actor, lies_in
from engine.prepared import Prepared
from engine.registers import rights
from engine.registers.catalogue import REGISTERS
from engine.registers.declaring import Register
from engine.registers.values import to_feel
from engine.vault import SubjectKey, Vault

IN_FORCE, LAPSING, LAPSED, PAST, ENDED = "in_force", "lapsing", "lapsed", "past", "ended"
STATES = (IN_FORCE, LAPSING, LAPSED, PAST, ENDED)
SOON = (30, 60, 90)  # days: what pages call lapsing
PAGE = 200  # the longest page
REASON = "ended_because"  # in the sealed part, beside the fields


WATCHED = text("next_at IS NOT NULL")


class RegisterEntry(Base):
    """One entry. `since`, `until`: its first and last good day; `plain`: the fields that are not sealed; `next_at`: when the clock looks at
    it next, empty for what does not lapse, has been replaced by a later entry, is settled or has ended."""

    __tablename__ = "register_entry"
    __table_args__ = (
        Index("entry_by_subject", "subject_id", "register"),
        Index("entry_by_register", "county_id", "register", "ended_at", "station_id", "id"),
        Index("entry_by_time", "next_at"),
        Index("entry_lapsing", "county_id", "until", postgresql_where=WATCHED, sqlite_where=WATCHED),
    )
    id: Mapped[str] = mapped_column(Id, primary_key=True)
    register: Mapped[str] = mapped_column(String(24))
    subject_id: Mapped[str] = mapped_column(Id)
    place_path: Mapped[str] = mapped_column(String(200))
    station_id: Mapped[str | None] = mapped_column(Id)
    since: Mapped[date | None]
    until: Mapped[date | None]
    plain: Mapped[dict] = mapped_column(Json)
    sealed: Mapped[bytes]
    key_id: Mapped[str] = mapped_column(reference("subject_key.id"))
    added_by: Mapped[str | None] = mapped_column(Id)
    added_at: Mapped[datetime] = mapped_column(Instant)
    ended_at: Mapped[datetime | None] = mapped_column(Instant)
    next_at: Mapped[datetime | None] = mapped_column(Instant)
    version: Mapped[int] = mapped_column()
    __mapper_args__ = {"version_id_col": version}

    def __stream__(self) -> str:
        return stream(self.subject_id)

    @classmethod
    def key_fits(cls):
        """SQL: whether a key is that of whom the entry is about; engine.verification asks."""
        return SubjectKey.subject.in_([f"{kind}/" + cls.subject_id for kind in ("person", "unit", "client")])

    @property
    def place(self) -> str:
        """Where its payload is sealed."""
        return f"register_entry:{self.id}:sealed"

    def holds_on(self, day: date) -> bool:
        """Whether it is in force on a day."""
        if self.ended_at is not None or (self.since is not None and self.since > day):
            return False
        lapses = REGISTERS[self.register].lapses
        if lapses is not None and lapses.stays:
            return not lapses.is_settled(self.plain)
        return self.until is None or self.until >= day

    def state_on(self, day: date, soon: int = SOON[0]) -> str:
        """IN_FORCE, LAPSING (within `soon` days), LAPSED (and not replaced), PAST (over, replaced or not yet begun) or ENDED."""
        if self.ended_at is not None:
            return ENDED
        if self.next_at is not None and self.until is not None:
            left = (self.until - day).days
            return LAPSED if left < 0 else LAPSING if left <= soon else IN_FORCE
        return IN_FORCE if self.holds_on(day) else PAST


@dataclass(frozen=True)
class Line:
    """An entry opened for somebody who may read it. `values`: its fields as they are kept; a sealed one is missing once erased."""

    entry: RegisterEntry
    register: Register
    values: dict[str, Any] = field(repr=False)
    reason: str | None = field(default=None, repr=False)


@dataclass(frozen=True)
class Counts:
    """Of one register, at the actor's place: entries that have not ended, those that lapse within 30, 60, 90 days, those that have lapsed."""

    open: int = 0
    within_30: int = 0
    within_60: int = 0
    within_90: int = 0
    lapsed: int = 0


def stream(subject_id: str) -> str:
    """The stream of the entries about somebody or something."""
    return f"registers/{subject_id}"


def opened(vault: Vault, entry: RegisterEntry, key: SubjectKey | None) -> Line:
    """An entry with its sealed part, if its key is still there."""
    register = REGISTERS[entry.register]
    sealed = vault.open(key, entry.sealed, entry.place) if key is not None and key.wrapped else {}
    reason = sealed.pop(REASON, None)
    return Line(entry, register, {**entry.plain, **sealed}, reason)


def of_subject(connection: Connection, vault: Vault, registers: Iterable[str], subject_id: str, on: date, zone: ZoneInfo) -> dict[str, list[dict]]:
    """The facts of rules about one subject: register → its entries that have not ended, by their first day, as FEEL contexts
    {id, since, until, in_force, …fields}. One statement, however many registers are asked for; opened is only what rules are told.

    `connection`: what a session has not written yet is not seen.
    """
    found: dict[str, list[dict[str, Any]]] = {key: [] for key in registers}
    keys: dict[str, SubjectKey] = {}
    for key, since, until, plain, id, *kept in _facts_of(frozenset(found)).rows(connection, {"subject": subject_id}):
        entry = RegisterEntry.row(id=id, register=key, since=since, until=until, plain=plain, ended_at=None)
        values = plain
        if REGISTERS[key].judges_sealed:
            entry.sealed, key_id, subject, wrapped = kept
            held = keys.get(key_id) or keys.setdefault(key_id, SubjectKey.row(id=key_id, subject=subject, wrapped=wrapped))
            values = opened(vault, entry, held).values
        found[key].append(as_fact(Line(entry, REGISTERS[key], values), on, zone))
    return found


@functools.cache
def _facts_of(registers: frozenset[str]) -> Prepared:
    entry = RegisterEntry
    columns, sealed = [entry.register, entry.since, entry.until, entry.plain, entry.id], any(REGISTERS[key].judges_sealed for key in registers)
    if sealed:
        columns += [entry.sealed, SubjectKey.id, SubjectKey.subject, SubjectKey.wrapped]
    query = select(*(column.label(f"c{number}") for number, column in enumerate(columns)))
    query = query.join_from(entry, SubjectKey, SubjectKey.id == entry.key_id) if sealed else query
    query = query.where(entry.subject_id == bindparam("subject"), entry.ended_at.is_(None))
    query = query.where(or_(*(entry.register == key for key in sorted(registers)))) if registers else query.where(false())
    return Prepared(query.order_by(entry.since.nulls_first(), entry.id))


def as_fact(line: Line, on: date, zone: ZoneInfo) -> dict[str, Any]:
    """An entry as rules see it: without what is sealed and not judged."""
    entry = line.entry
    known = {"id": entry.id, "since": entry.since, "until": entry.until, "in_force": entry.holds_on(on)}
    return to_feel(line.register.judged, line.values, zone) | known


def read(session: Session, vault: Vault, actor: Actor, register: Register, entry_id: str) -> Line:
    """One entry. Raises NotFound, also for what is none of the actor's; Forbidden."""
    rights.require_open(actor, register)
    wanted = [RegisterEntry.id == entry_id, RegisterEntry.county_id == actor.county_id, RegisterEntry.register == register.key]
    row = session.execute(_OPENED.where(*wanted, rights.reach(actor, [register], RegisterEntry))).one_or_none() if entry_id.isalnum() else None
    if row is None:
        raise NotFound(what="登记", key=entry_id)
    return opened(vault, *row)


def lines(
    session: Session,
    vault: Vault,
    actor: Actor,
    registers: list[Register],
    on: date,
    *,
    state: str | None = None,
    within: str | None = None,
    subject_id: str | None = None,
    soon: int = SOON[0],
    cursor: str | None = None,
    limit: int = 50,
) -> tuple[list[Line], str | None]:
    """(entries, next cursor) that the actor may read, the newest first; those in state LAPSING or LAPSED by their last day.

    `within`: a unit's path; without `state` those that have not ended. Raises Forbidden, InvalidRequest.
    """
    for register in registers:
        rights.require_open(actor, register)
    query = _OPENED.where(RegisterEntry.county_id == actor.county_id, rights.reach(actor, registers, RegisterEntry), *_in_state(state, on, soon))
    if within is not None:
        query = query.where(lies_in(RegisterEntry.place_path, within))
    if subject_id is not None:
        query = query.where(RegisterEntry.subject_id == subject_id)
    limit, after = max(1, min(limit, PAGE)), _after(cursor)
    if state in (LAPSING, LAPSED):
        query = query.order_by(RegisterEntry.until, RegisterEntry.id)
        query = query.where(tuple_(RegisterEntry.until, RegisterEntry.id) > tuple_(*after)) if after else query
    else:
        query = query.order_by(RegisterEntry.id.desc())
        query = query.where(RegisterEntry.id < after[1]) if after else query
    found = [opened(vault, *row) for row in session.execute(query.limit(limit + 1))]
    last = found[limit - 1].entry if len(found) > limit else None
    return found[:limit], last and f"{last.until or date.min}.{last.id}"


def counts(session: Session, actor: Actor, on: date) -> dict[str, Counts]:
    """Register → how much there is of it at the actor's place; one statement."""
    registers = [register for register in rights.readable(actor) if rights.may_read(actor, register)]
    left = RegisterEntry.until
    watched = RegisterEntry.next_at.is_not(None)

    def number(*conditions):
        whole = watched & conditions[0] if len(conditions) == 1 else watched & conditions[0] & conditions[1]
        return func.sum(case((whole, 1), else_=0))

    query = (
        select(
            RegisterEntry.register,
            func.count(),
            *(number(left >= on, left <= on + timedelta(days=days)) for days in SOON),
            number(left < on),
        )
        .where(RegisterEntry.county_id == actor.county_id, RegisterEntry.ended_at.is_(None), rights.reach(actor, registers, RegisterEntry))
        .group_by(RegisterEntry.register)
    )
    return {key: Counts(*(int(each or 0) for each in numbers)) for key, *numbers in session.execute(query)} if registers else {}


def lapsing(session: Session, actor: Actor, on: date, days: int = SOON[0]) -> tuple[int, int]:
    """(how many entries lapse within so many days, how many have lapsed) of all registers at the actor's place."""
    registers = [register for register in rights.readable(actor) if rights.may_read(actor, register)]
    if not registers:
        return 0, 0
    query = select(func.count(), func.sum(case((RegisterEntry.until < on, 1), else_=0)))
    query = query.where(*_watched_until(actor, on, days), rights.reach(actor, registers, RegisterEntry))
    whole, lapsed = session.execute(query).one()
    return whole - int(lapsed or 0), int(lapsed or 0)


def own_lapsing(session: Session, vault: Vault, actor: Actor, on: date, days: int = SOON[0]) -> list[Line]:
    """The entries about the actor that lapse within so many days or have lapsed, the most urgent first."""
    query = _OPENED.where(RegisterEntry.subject_id == actor.person_id, *_watched_until(actor, on, days))
    return [opened(vault, *row) for row in session.execute(query.order_by(RegisterEntry.until, RegisterEntry.id))]


def _watched_until(actor: Actor, on: date, days: int) -> list[ColumnElement[bool]]:
    watched = [RegisterEntry.next_at.is_not(None), RegisterEntry.ended_at.is_(None)]
    return [RegisterEntry.county_id == actor.county_id, *watched, RegisterEntry.until <= on + timedelta(days=days)]


def due(session: Session, county_id: str, now: datetime, limit: int) -> list[str]:
    """Ids of the entries the clock has to look at. Look again under the lock: another worker may be quicker."""
    query = select(RegisterEntry.id).where(RegisterEntry.county_id == county_id, RegisterEntry.next_at <= now)
    return list(session.scalars(query.order_by(RegisterEntry.next_at).limit(limit)))


_OPENED = select(RegisterEntry, SubjectKey).join(SubjectKey, SubjectKey.id == RegisterEntry.key_id)


def _in_state(state: str | None, on: date, soon: int) -> list:
    until, watched, going = RegisterEntry.until, RegisterEntry.next_at.is_not(None), RegisterEntry.ended_at.is_(None)
    over = RegisterEntry.next_at.is_(None) & or_(until < on, RegisterEntry.since > on)
    if state is None:
        return [going]
    if state == ENDED:
        return [RegisterEntry.ended_at.is_not(None)]
    if state == LAPSING:
        return [going, watched, until >= on, until <= on + timedelta(days=soon)]
    if state == LAPSED:
        return [going, watched, until < on]
    if state == PAST:
        return [going, over]
    if state == IN_FORCE:
        return [going, or_(RegisterEntry.since.is_(None), RegisterEntry.since <= on), or_(until.is_(None), until >= on)]
    raise InvalidRequest(field="state", reason="只能是 in_force、lapsing、lapsed、past 或 ended")


def _after(cursor: str | None) -> tuple[date, str] | None:
    if not cursor:
        return None
    match = re.fullmatch(r"(\d{4}-\d{2}-\d{2})\.([0-9a-f]{32})", cursor)
    try:
        return date.fromisoformat(match[1]), match[2]
    except (TypeError, ValueError):
        raise InvalidRequest(field="cursor", reason="不是上一页给出的游标") from None
