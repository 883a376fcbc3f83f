"""Writing entries: rows, keys and events for one register in one transaction, however many, and which of them the clock watches."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from datetime import UTC, date, datetime
from typing import Any

from sqlalchemy import func, select

from engine.audit import Kind
from engine.commands import Act
from engine.commands.judging import Matter, in_force, judge, person_facts
from engine.commands.organisation import today
from engine.db import canonical, new_id
from engine.exceptions import Erased
from engine.organisation import Actor, Unit
from engine.registers import entries, validity
from engine.registers.catalogue import REGISTERS
from engine.registers.declaring import CLIENT, UNIT, Register
from engine.registers.entries import REASON, Line, RegisterEntry
from engine.registers.subjects import Subject
from engine.registers.values import day_of, first_day
from engine.vault import SubjectKey


class Writer:
    """Adds and changes entries of one register. Call `finish` at the end: it decides what the clock looks at."""

    def __init__(self, act: Act, register: Register):
        self.act, self.register, self.vault = act, register, act.system.vault
        self.known = in_force(act)
        self.keys: dict[str, SubjectKey] = {}
        self.fresh: list[Line] = []  # not yet in the database
        self.touched: set[str] = set()  # subjects

    def parameters(self, station_id: str | None) -> dict:
        """The parameters in force for a station."""
        return self.known.parameters(self.act.now, station_id)

    def completed(self, values: Mapping[str, Any], station_id: str | None) -> dict[str, Any]:
        """Values with the deadline filled in that a parameter gives where nobody has given one."""
        lapse = self.register.lapses
        if lapse is None or lapse.default is None or values.get(lapse.field):
            return dict(values)
        field, parameter = lapse.default
        days = self.parameters(station_id).get(parameter)
        if not values.get(field) or days is None:
            return dict(values)
        begun = datetime.fromisoformat(values[field]).astimezone(self.act.system.zone)
        due = self.known.calendar.working_days_after(begun, int(days)).at
        return {**values, lapse.field: due.astimezone(UTC).isoformat()}

    def load_keys(self, subject_ids: Iterable[str]) -> None:
        """Have the keys of these subjects at hand; a unit gets one when first needed."""
        wanted = {f"{self.register.about}/{subject_id}": subject_id for subject_id in subject_ids if subject_id not in self.keys}
        if not wanted:
            return
        for key in self.act.session.scalars(select(SubjectKey).where(SubjectKey.subject.in_(wanted))):
            self.keys[wanted.pop(key.subject)] = key
        if self.register.about == UNIT and wanted:
            self._make_keys(wanted)

    def _make_keys(self, wanted: dict[str, str]) -> None:
        """Under the units' locks, so that of two who are first at the same moment one makes the key and both use it."""
        units = select(Unit).where(Unit.id.in_(wanted.values())).order_by(Unit.id).with_for_update()
        list(self.act.session.scalars(units))
        for key in self.act.session.scalars(select(SubjectKey).where(SubjectKey.subject.in_(list(wanted)))):
            self.keys[wanted.pop(key.subject)] = key
        for subject, unit_id in wanted.items():
            self.keys[unit_id] = self.vault.new_key(self.act.session, self.act.actor.county_id, subject, self.act.now)

    def key_of(self, subject_id: str) -> SubjectKey:
        """A subject's key. Raises Erased."""
        self.load_keys([subject_id])
        key = self.keys.get(subject_id)
        if key is None or not key.wrapped:
            raise Erased()
        return key

    def add(self, subject: Subject, values: Mapping[str, Any], kind: str = Kind.REGISTER_ADDED) -> RegisterEntry:
        """A new entry with cleaned values. Raises Erased, RegulationRefused."""
        key = self.key_of(subject.id)
        entry = RegisterEntry.row(
            id=new_id(),
            county_id=self.act.actor.county_id,
            register=self.register.key,
            subject_id=subject.id,
            place_path=subject.place_path,
            station_id=subject.station_id,
            key_id=key.id,
            added_by=self.act.actor.person_id,
            added_at=self.act.now,
            ended_at=None,
            next_at=None,
        )
        self.put(entry, values, key)
        self.check(Line(entry, self.register, dict(values)), key)
        self.act.unit.write(entry)
        self.fresh.append(Line(entry, self.register, dict(values)))
        self.record(entry, kind, values, key)
        return entry

    def put(self, entry: RegisterEntry, values: Mapping[str, Any], key: SubjectKey, reason: str | None = None) -> None:
        """Set an entry's fields. Its last day follows when the writer finishes."""
        register = self.register
        entry.plain = {name: value for name, value in values.items() if name not in register.sealed}
        sealed = {name: value for name, value in values.items() if name in register.sealed} | ({REASON: reason} if reason else {})
        entry.sealed = self.vault.seal(key, sealed, entry.place)
        entry.since = first_day(register, values, self.act.system.zone)
        entry.until = self.last_day(values, entry.station_id, None)

    def check(self, line: Line, key: SubjectKey) -> None:
        """Ask the regulations whether an entry may stand as it is now (check point `open`; nearly none of them asks that).

        Raises RegulationRefused.
        """
        entry, act = line.entry, self.act
        record = {"kind": "entry", "register": entry.register}
        if not self.known.needs.question(("open",), {"record": record}, self.parameters(entry.station_id)).tables["open"].regulations:
            return
        fields = entries.as_fact(line, today(act), act.system.zone)
        facts = {"person": person_facts(act.actor), "record": fields | record | {"entry": fields}}
        judge(act, self.known, ("open",), facts, self.matter(entry, key, person=act.actor))

    def matter(self, entry: RegisterEntry, key: SubjectKey, round: str = "", person: Actor | None = None) -> Matter:
        """An entry as what is judged."""
        about = self.register.about
        return Matter(
            key.subject,
            entry.place_path,
            key,
            round=round,
            person=person,
            client_id=entry.subject_id if about == CLIENT else None,
            unit_id=entry.subject_id if about == UNIT else entry.station_id,
            station_id=entry.station_id,
        )

    def last_day(self, values: Mapping[str, Any], station_id: str | None, renewed: date | None) -> date | None:
        """The last good day that follows from an entry's values."""
        zone, register = self.act.system.zone, self.register
        if register.lapses is None:
            return day_of(values.get(register.until), zone) if register.until else None
        days = dict(values)
        if values.get(register.lapses.field):  # a moment counts as the county's day
            days[register.lapses.field] = day_of(values[register.lapses.field], zone).isoformat()
        return register.lapses.last_day(days, self.parameters(station_id), renewed)

    def record(self, entry: RegisterEntry, kind: str, sealed: Mapping[str, Any], key: SubjectKey) -> None:
        """An event about an entry, whose subject's watching is decided anew."""
        facts = {"register": entry.register, "entry": entry.id, "fields": sorted(sealed)}
        self.act.record(entry.__stream__(), kind, facts=facts, sealed=dict(sealed), key=key)
        self.touched.add(entry.subject_id)

    def finish(self) -> None:
        """Of entries that replace each other let the clock watch the latest; let what is renewed by these be counted anew."""
        if self.register.lapses is not None:
            self.watch(self.touched)
        for other in REGISTERS.values():
            if other.lapses is not None and other.lapses.renewed_by == self.register.key:
                days = defaultdict(lambda: date.min)
                for line in self.fresh:
                    days[line.entry.subject_id] = max(days[line.entry.subject_id], line.entry.since or date.min)
                Writer(self.act, other).watch(self.touched, days)

    def watch(self, subject_ids: set[str], renewing: Mapping[str, date] | None = None) -> None:
        """Set `until` and `next_at` of what these subjects have in this register. `renewing`: days of entries that are not yet written."""
        lapse = self.register.lapses
        groups: dict[tuple, list[Line]] = defaultdict(list)
        for line in [*self._open(subject_ids), *self.fresh]:
            same = (line.entry.id,) if lapse.same is None else tuple(canonical(line.values.get(name)) for name in lapse.same)
            groups[line.entry.subject_id, same].append(line)
        if lapse.renewed_by and groups:
            renewed = self._renewed({subject_id for subject_id, _same in groups}, renewing or {})
            for line in (each for group in groups.values() for each in group):
                until = self.last_day(line.values, line.entry.station_id, renewed.get(line.entry.subject_id))
                if until != line.entry.until:
                    line.entry.until, line.entry.next_at = until, None
        for group in groups.values():
            latest = max(group, key=lambda line: (line.entry.until or date.max, line.entry.id))
            for line in group:
                self._watch_one(line, line is latest)

    def _watch_one(self, line: Line, is_latest: bool) -> None:
        entry = line.entry
        if not is_latest or entry.until is None or self.register.lapses.is_settled(line.values):
            entry.next_at = None
        elif entry.next_at is None:
            entry.next_at = validity.first_look(entry.until, self.reminded_on(entry), self.act.now, self.act.system.zone)

    def reminded_on(self, entry: RegisterEntry) -> date:
        """The first day on which people are reminded of an entry that lapses."""
        days = None if self.register.lapses.working_day else int(self.parameters(entry.station_id).get("register_reminder_days", 30))
        return validity.reminded_on(entry.until, self.known.calendar, days)

    def _open(self, subject_ids: set[str]) -> list[Line]:
        query = select(RegisterEntry, SubjectKey).join(SubjectKey, SubjectKey.id == RegisterEntry.key_id)
        query = query.where(
            RegisterEntry.subject_id.in_(subject_ids), RegisterEntry.register == self.register.key, RegisterEntry.ended_at.is_(None)
        )
        return [entries.opened(self.vault, entry, key) for entry, key in self.act.session.execute(query.order_by(RegisterEntry.id))]

    def _renewed(self, subject_ids: set[str], renewing: Mapping[str, date]) -> dict[str, date]:
        """The newest day of the entries in `renewed_by`, by subject."""
        query = (
            select(RegisterEntry.subject_id, func.max(RegisterEntry.since))
            .where(RegisterEntry.register == self.register.lapses.renewed_by, RegisterEntry.subject_id.in_(subject_ids))
            .where(RegisterEntry.ended_at.is_(None), RegisterEntry.since <= today(self.act))
            .group_by(RegisterEntry.subject_id)
        )
        found = {subject_id: day for subject_id, day in self.act.session.execute(query) if day is not None}
        for subject_id, day in renewing.items():
            if day <= today(self.act):
                found[subject_id] = max(found.get(subject_id, date.min), day)
        return found
