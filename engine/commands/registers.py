"""Keeping the registers: adding, changing and ending entries, importing files, and what other commands write into them."""

from datetime import date

from sqlalchemy import or_, select

from engine import instances
from engine.audit import Kind
from engine.clients import Client
from engine.commands import Act, command
from engine.commands.organisation import today
from engine.commands.register_files import plan
from engine.commands.register_writing import Writer
from engine.exceptions import EntryEnded, InvalidForm, NotFound, RegisterFileInvalid, StaleVersion
from engine.instances import Instance
from engine.organisation import Actor, Unit
from engine.registers import entries, rights
from engine.registers.catalogue import register_of
from engine.registers.declaring import INSTANCE, PERSON, Register
from engine.registers.entries import Line, RegisterEntry
from engine.registers.served import VISITS
from engine.registers.subjects import Finder, Subject
from engine.registers.told import Told, Wrong
from engine.registers.values import clean
from engine.vault import SubjectKey

LONGEST_REASON = 500


@command("register:add", "register:own")
def add(act: Act, register_key: str, whom: str, values: dict, within: str = "") -> dict:
    """A new entry about a person (username, name or id; "" for oneself), unit (key, name or id) or client (name or id).

    `within`: a unit that tells two of one name apart. Answers {id, version}. Raises InvalidForm (`whom` among its fields), NotFound,
    Forbidden, Erased, RegulationRefused.
    """
    register = register_of(register_key)
    rights.require_write(act.actor, register)
    finder = _finder(act)
    if register.about == PERSON and not whom.strip():
        whom = act.actor.person_id
    try:
        found = finder.subject(register, whom, within)
    except Wrong as wrong:
        raise InvalidForm({"whom": wrong.told}) from None
    own = rights.check_write(act.actor, register, found.id, found.place_path)
    writer = Writer(act, register)
    cleaned = writer.completed(_cleaned(act, finder, register, values, own), found.station_id)
    entry = writer.add(found, cleaned)
    writer.finish()
    return {"id": entry.id, "version": 1}


@command("register:change", "register:own")
def change(act: Act, register_key: str, entry_id: str, changes: dict, version: int | None = None) -> dict:
    """Correct an entry: only the fields in `changes`; None or "" takes one away. Answers {id, version}.

    Raises StaleVersion when `version` is not the one the person saw, EntryEnded, InvalidForm, NotFound, Forbidden, Erased, RegulationRefused.
    """
    register = register_of(register_key)
    line, own = _locked(act, register, entry_id)
    entry = line.entry
    if version is not None and entry.version != version:
        raise StaleVersion()
    writer = Writer(act, register)
    key = writer.key_of(entry.subject_id)
    cleaned = _cleaned(act, _finder(act), register, line.values | changes, own=False)
    cleaned = writer.completed(cleaned, entry.station_id)
    changed = {name: cleaned.get(name) for name in register.by_key if cleaned.get(name) != line.values.get(name)}
    if own and (kept := [name for name in changed if register.by_key[name].kept]):
        raise InvalidForm({name: Told("kept") for name in kept})
    if changed:
        before = entry.until
        writer.put(entry, cleaned, key)
        writer.check(Line(entry, register, cleaned), key)
        if entry.until != before:
            entry.next_at = None
        writer.record(entry, Kind.REGISTER_CHANGED, changed, key)
        act.session.flush()
        writer.finish()
        act.session.flush()
    return {"id": entry.id, "version": entry.version}


@command("register:end", "register:own")
def end(act: Act, register_key: str, entry_id: str, reason: str) -> dict:
    """An entry made in error, or over. It stays, with the reason, and counts no more. Answers {id}.

    Raises InvalidForm without a reason, EntryEnded, NotFound, Forbidden, Erased.
    """
    register = register_of(register_key)
    line, _own = _locked(act, register, entry_id)
    reason = reason.strip()
    if not 1 <= len(reason) <= LONGEST_REASON:
        raise InvalidForm({"reason": "请写明原因，不超过 500 个字"})
    entry, writer = line.entry, Writer(act, register)
    key = writer.key_of(entry.subject_id)
    until = entry.until
    writer.put(entry, line.values, key, reason)
    entry.until, entry.ended_at, entry.next_at = until, act.now, None
    writer.record(entry, Kind.REGISTER_ENDED, {"reason": reason}, key)
    act.session.flush()
    writer.finish()
    return {"id": entry.id}


@command("register:import", "register:write")
def import_csv(act: Act, register_key: str, data: bytes, preview: bool = False) -> dict:
    """Add every line of a CSV file (engine.registers.csv_files), or none. Lines that are there already are skipped.

    Answers {added, skipped}; with `preview` what it would do, and does nothing. Raises RegisterFileInvalid with every faulty line, Forbidden,
    RegulationRefused.
    """
    register = register_of(register_key)
    rights.require_keeper(act.actor, register)
    writer = Writer(act, register)
    found = plan(act.session, act.system, act.actor, register, data, today(act), _person_or_case(act), writer.completed)
    if found.faults:
        raise RegisterFileInvalid(found.faults)
    if not preview:
        writer.load_keys({line.subject.id for line in found.fresh})
        for line in found.fresh:
            writer.add(line.subject, line.values, Kind.REGISTER_IMPORTED)
        writer.finish()
    return {"added": len(found.fresh), "skipped": found.skipped}


@command("register:fill")
def fill(act: Act, register_key: str, lines: list[tuple[str, dict]]) -> dict:
    """Many entries at once, as (subject, values): for a demonstration. Answers {added}. Raises InvalidForm, Wrong."""
    register = register_of(register_key)
    finder, writer = _finder(act), Writer(act, register)
    found = [(finder.subject(register, subject), _cleaned(act, finder, register, values)) for subject, values in lines]
    writer.load_keys({subject.id for subject, _values in found})
    for subject, values in found:
        writer.add(subject, writer.completed(values, subject.station_id), Kind.REGISTER_IMPORTED)
    writer.finish()
    return {"added": len(found)}


def note_visit(act: Act, client_id: str, day: date, by: str, kind: str, case: str | None = None, task: str | None = None) -> None:
    """Somebody has visited a client: an entry in `visits`, within whatever command has found that out. Nothing for a client who was erased.

    `by`: a person's id; `kind`: home, phone or activity; `case`, `task`: ids.
    """
    query = select(Client.id, Unit.path, Client.station_id, SubjectKey).join(Unit, Unit.id == Client.unit_id)
    row = act.session.execute(query.join(SubjectKey, SubjectKey.id == Client.key_id).where(Client.id == client_id)).one_or_none()
    if row is None or not row.SubjectKey.wrapped:
        return
    writer = Writer(act, VISITS)
    writer.keys[client_id] = row.SubjectKey
    values = {"day": day.isoformat(), "by": by, "kind": kind, "case": case, "task": task}
    writer.add(Subject(client_id, row.path, row.station_id), {name: value for name, value in values.items() if value})
    writer.finish()


def _finder(act: Act) -> Finder:
    return Finder(act.session, act.system.vault, act.actor, today(act))


def _cleaned(act: Act, finder: Finder, register: Register, values: dict, own: bool = False) -> dict:
    """Values as they are kept, people and cases by id. Raises InvalidForm."""
    cleaned, errors = clean(register, values, act.system.zone, own=own), {}
    for name, field in register.by_key.items():
        if name in cleaned and field.type in (PERSON, INSTANCE):
            try:
                cleaned[name] = finder.person(cleaned[name]) if field.type == PERSON else case_named(act.session, act.actor, cleaned[name])
            except Wrong as wrong:
                errors[name] = wrong.told
    if errors:
        raise InvalidForm(errors)
    return cleaned


def _person_or_case(act: Act):
    """For files: what resolves a person or a case that a cell names."""
    finder = _finder(act)
    return finder, lambda field, text: finder.person(text) if field.type == PERSON else case_named(act.session, act.actor, text)


def case_named(session, actor: Actor, text: str) -> str:
    """The id of a case by id or number, if the actor may see it. Raises Wrong."""
    query = select(Instance.id).where(or_(Instance.id == text, Instance.number == text.upper()), Instance.county_id == actor.county_id)
    found = session.scalar(query if "system" in actor.roles else query.where(instances.visible(actor)))
    if found is None:
        raise Wrong("no_case")
    return found


def _locked(act: Act, register: Register, entry_id: str) -> tuple[Line, bool]:
    """An entry that the actor may write, locked, and whether only because it is about themselves."""
    rights.require_write(act.actor, register)
    query = select(RegisterEntry, SubjectKey).join(SubjectKey, SubjectKey.id == RegisterEntry.key_id)
    query = query.where(
        RegisterEntry.id == entry_id, RegisterEntry.county_id == act.actor.county_id, RegisterEntry.register == register.key
    )
    row = act.session.execute(query.with_for_update(of=RegisterEntry)).one_or_none() if entry_id.isalnum() else None
    if row is None:
        raise NotFound(what="登记", key=entry_id)
    try:
        own = rights.check_write(act.actor, register, row[0].subject_id, row[0].place_path)
    except NotFound:
        raise NotFound(what="登记", key=entry_id) from None
    if row[0].ended_at is not None:
        raise EntryEnded()
    return entries.opened(act.system.vault, *row), own
