"""Filling an empty installation: a county's units, people and accounts from a file. Adds what is missing and changes nothing."""

from collections.abc import Callable
from datetime import datetime
from pathlib import Path

from sqlalchemy import select

from engine import organisation
from engine.accounts import hash_password
from engine.audit import Kind
from engine.commands import Act, command
from engine.commands.county_file import CountyFile, PersonLine, UnitLine, read_county
from engine.commands.organisation import new_account, new_people, new_unit, today
from engine.organisation import Account, Actor, Unit
from engine.system import System

Progress = Callable[[str, int, int], None]


def silent(text: str, done: int, total: int) -> None:
    """The progress of nobody watching. `text` says in Chinese what is being done; `done` of `total` parts are."""


def seed_county(system: System, county_file: Path, password: str, now: datetime, progress: Progress = silent) -> dict:
    """Units, people and accounts of a county file, a station a transaction. Answers {units, people}: how many were added.

    Everybody gets the same password, hashed once, so that seeding takes seconds: right for a demonstration and nowhere else, since equal
    hashes show equal passwords. A county that goes live creates accounts one by one (`engine.commands.accounts.create_account`).
    A second run adds nothing and writes nothing. Raises CountyFileInvalid.
    """
    county = read_county(county_file)
    with system.database.read() as session:
        have_units = set(session.scalars(select(Unit.key).where(Unit.county_id == system.county_id)))
        have_people = set(session.scalars(select(Account.username).where(Account.county_id == system.county_id)))
    parts = [
        (text, units, people)
        for text, units, people in _parts(county)
        if not have_units.issuperset(unit.key for unit in units) or not have_people.issuperset(person.username for person in people)
    ]
    added = {"units": 0, "people": 0}
    password_hash = hash_password(password) if parts else ""
    for done, (text, units, people) in enumerate(parts):
        progress(text, done, len(parts))
        answer = _import_part(system, Actor.system(system.county_id), county, units, people, password_hash, now=now)
        added = {name: added[name] + answer[name] for name in added}
    if parts:
        progress(county.name, len(parts), len(parts))
    return added


def _parts(county: CountyFile) -> list[tuple[str, list[UnitLine], list[PersonLine]]]:
    """The file cut into the county itself and its stations, each with what stands in it and who works there."""
    part_of, parts = {}, {}
    for unit in county.units:
        part_of[unit.key] = part_of[unit.parent] if unit.kind == "room" else unit.key
        parts.setdefault(part_of[unit.key], (unit.name, [], []))[1].append(unit)
    for person in county.people:
        parts[part_of[person.unit]][2].append(person)
    return list(parts.values())


@command("county:import", "organisation:write")
def _import_part(act: Act, county: CountyFile, units: list[UnitLine], people: list[PersonLine], password_hash: str) -> dict:
    known = {unit.key: unit for unit in organisation.units(act.session, act.actor.county_id)}
    new_units = []
    for line in units:
        if line.key not in known:
            parent = known[line.parent] if line.parent else None
            known[line.key] = new_unit(act.actor.county_id, line.kind, line.key, line.name, parent, county.valid_from or today(act))
            new_units.append(known[line.key])
    act.session.add_all(new_units)
    act.session.flush()
    taken = set(act.session.scalars(select(Account.username).where(Account.county_id == act.actor.county_id)))
    lines = [line for line in people if line.username not in taken]
    persons = new_people(act, [(known[line.unit], line.name, line.workforce, line.partner) for line in lines])
    for person, line in zip(persons, lines, strict=True):
        new_account(act, person, line.username, password_hash, list(line.roles))
    facts = {"file": county.digest, "units": len(new_units), "people": len(lines)}
    if new_units or lines:
        act.record(organisation.stream(act.actor.county_id), Kind.COUNTY_IMPORTED, facts=facts)
    if lines:
        act.record(f"accounts/{act.actor.county_id}", Kind.COUNTY_IMPORTED, facts=facts)
    return facts
