"""What importing a CSV file would do: every line read, resolved and compared with what is there, before anything is written."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from engine.db import canonical
from engine.exceptions import InvalidForm, NotFound
from engine.organisation import Actor
from engine.registers import csv_files, entries, rights
from engine.registers.csv_files import SUBJECT, SUBJECTS, CsvLine, Fault
from engine.registers.declaring import Register
from engine.registers.entries import RegisterEntry
from engine.registers.subjects import Finder, Subject
from engine.registers.told import Told, Wrong
from engine.registers.values import NAMED, clean
from engine.system import System
from engine.vault import SubjectKey

Resolve = tuple[Finder, Callable[[Any, str], str]]


@dataclass(frozen=True)
class Fresh:
    """A line that would become an entry."""

    number: int
    subject: Subject
    values: dict[str, Any] = field(repr=False)


@dataclass
class Plan:
    """What a file would do. With faults nothing; `skipped`: lines that are there already."""

    fresh: list[Fresh] = field(default_factory=list)
    skipped: int = 0
    faults: list[Fault] = field(default_factory=list)


def plan(
    session: Session, system: System, actor: Actor, register: Register, data: bytes, today: date, resolve: Resolve, completed: Callable
) -> Plan:
    """Read a file. `resolve`: finds whom it names; `completed`: fills in the deadlines that parameters give."""
    file = csv_files.read(register, data)
    found, seen = Plan(faults=file.faults), {}
    lines: list[tuple[CsvLine, Subject, dict]] = []
    for line in file.lines:
        try:
            subject = resolve[0].subject(register, line.subject, line.within)
            rights.check_write(actor, register, subject.id, subject.place_path)
        except (Wrong, NotFound) as refused:
            told = refused.told if isinstance(refused, Wrong) else Told(f"no_{register.about}")
            found.faults.append(Fault(line.number, _called(file, register, SUBJECT), told))
            subject = None
        values, faults = _read(register, line, system, resolve)
        found.faults += [Fault(line.number, _called(file, register, name), told) for name, told in faults.items()]
        if subject is not None and not faults:
            values = completed(values, subject.station_id)
            first = seen.setdefault((subject.id, canonical(values)), line.number)
            if first != line.number:
                found.faults.append(Fault(line.number, "", Told("duplicate", line=first)))
            lines.append((line, subject, values))
    if found.faults:
        found.faults.sort(key=lambda fault: fault.line)
        return found
    there = _there(session, system, register, {subject.id for _line, subject, _values in lines})
    for line, subject, values in lines:
        if (subject.id, canonical(values)) in there:
            found.skipped += 1
        else:
            found.fresh.append(Fresh(line.number, subject, values))
    return found


def _read(register: Register, line: CsvLine, system: System, resolve: Resolve) -> tuple[dict, dict[str, str]]:
    """The values of a line, or what is wrong with them by field."""
    try:
        values, errors = clean(register, line.cells, system.zone), {}
    except InvalidForm as refused:
        return {}, refused.errors
    for name, each in register.by_key.items():
        if name in values and each.type in NAMED:
            try:
                values[name] = resolve[1](each, values[name])
            except Wrong as wrong:
                errors[name] = wrong.told
    return values, errors


def _called(file: csv_files.CsvFile, register: Register, key: str) -> str:
    """What a column is called in this file."""
    names = {each.key: each.name for each in register.fields} | {SUBJECT: SUBJECTS[register.about][0]}
    return file.columns.get(key) or names.get(key, key)


def _there(session: Session, system: System, register: Register, subject_ids: set[str]) -> set[tuple[str, str]]:
    """(subject, values) of the entries that these subjects have."""
    query = select(RegisterEntry, SubjectKey).join(SubjectKey, SubjectKey.id == RegisterEntry.key_id)
    query = query.where(
        RegisterEntry.subject_id.in_(subject_ids), RegisterEntry.register == register.key, RegisterEntry.ended_at.is_(None)
    )
    return {(entry.subject_id, canonical(entries.opened(system.vault, entry, key).values)) for entry, key in session.execute(query)}
