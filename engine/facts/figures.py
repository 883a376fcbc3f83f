"""What a unit did in a period that has ended, counted from the registers: `unit.figures` of the regulations.

    visits          visits made                       visits_due, visited   people of cohorts to be visited in it, and of those who were
    ratings         answers that were rated           satisfied             of those, by somebody content
    people_without_supervision     ids of social workers with fewer hours of supervision than `supervision_hours`
    record_checks_missing, privacy_training_missing    people without one in the period
    continuing_education_short     certified people with fewer hours than their registration has come to ask for

A figure is null where the county does not keep the register it is counted from (`parameters.keep_…`), and a rule says nothing of it.
"""

from collections.abc import Iterable, Iterator, Mapping
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from sqlalchemy import select

from engine.facts.gathering import Asked
from engine.organisation import Person, Unit, lies_in
from engine.registers.entries import RegisterEntry, opened
from engine.registers.served import COHORTS
from engine.vault import SubjectKey

SOCIAL_WORKERS = ("full_time", "part_time")
STAFF = (*SOCIAL_WORKERS, "assistant")
HOURS = {  # certificate → the parameter that says how many hours of continuing education it asks for in `continuing_years`
    "assistant_social_worker": "continuing_hours_assistant",
    "social_worker": "continuing_hours_social_worker",
    "senior_social_worker": "continuing_hours_social_worker",
}
YEAR = 365.25  # days
MONTH = timedelta(days=31)


def figures(asked: Asked, unit: Unit) -> dict[str, Any]:
    """The figures of the unit's period, as FEEL values."""
    return _Figures(asked, unit).all()


class _Figures:
    def __init__(self, asked: Asked, unit: Unit):
        self.asked, self.unit = asked, unit
        self.first, self.last = asked.period

    def all(self) -> dict[str, Any]:
        found = self.visits() | self.ratings()
        if self.keeps("trainings"):
            found |= self.trainings()
        if self.keeps("record_checks"):
            checked = {entry.subject_id for entry in self.entries("record_checks") if self.within(entry.since)}
            found["record_checks_missing"] = _count(self.people(STAFF) - checked)
        return found

    def visits(self) -> dict[str, Any]:
        """A cohort's client is due if their interval has run out once in the period; every month, if it is no longer than one."""
        seen = [entry for entry in self.entries("visits") if self.within(entry.since)]
        visited, due = {entry.subject_id for entry in seen}, set()
        for entry, values in self.opened("cohorts"):
            begun = max(entry.since or self.first, self.first)
            until = COHORTS.lapses.last_day(values | {COHORTS.lapses.field: begun.isoformat()}, self.asked.parameters)
            if until is not None and (until - timedelta(days=1) <= self.last or begun == self.first and until - begun <= MONTH):
                due.add(entry.subject_id)
        return {"visits": _count(seen), "visits_due": _count(due), "visited": _count(visited & due)}

    def ratings(self) -> dict[str, Any]:
        rated = [
            entry.plain["satisfied"]
            for entry in self.entries("hotline")
            if entry.plain.get("satisfied") is not None and self.within(_day(entry.plain.get("answered_at")))
        ]
        return {"ratings": _count(rated), "satisfied": _count([each for each in rated if each is True])}

    def trainings(self) -> dict[str, Any]:
        held = [(entry.subject_id, entry.plain, _day(entry.plain.get("held_on"))) for entry in self.entries("trainings")]
        supervised = _hours((person, plain) for person, plain, day in held if plain["topic"] == "supervision" and self.within(day))
        private = {person for person, plain, day in held if plain["topic"] == "privacy" and self.within(day)}
        workers, needed = self.people(SOCIAL_WORKERS), self.asked.parameters.get("supervision_hours", 0)
        return {
            "people_without_supervision": sorted(person for person in workers if supervised.get(person, 0) < needed),
            "privacy_training_missing": _count(self.people(STAFF) - private),
            "continuing_education_short": _count(self._short(held)) if self.keeps("certificates") else None,
        }

    def _short(self, held: list[tuple[str, dict, date | None]]) -> Iterator[str]:
        """Who has fewer hours than the part of their registration that is over asks for."""
        years, active = self.asked.parameters.get("continuing_years", 3), self.people(None)
        for entry in self.entries("certificates"):
            wanted = self.asked.parameters.get(HOURS.get(entry.plain["kind"], ""))
            if wanted is None or entry.subject_id not in active or not entry.holds_on(self.last):
                continue
            length = timedelta(days=float(years) * YEAR)
            begun = entry.until - length if entry.until else self.last - length
            done = _hours((person, plain) for person, plain, day in held if plain["topic"] == "continuing" and day and begun < day <= self.last)
            if done.get(entry.subject_id, 0) < wanted * Decimal(min(1.0, max(0.0, (self.last - begun) / length))):
                yield entry.subject_id

    # --- what it is counted from ----------------------------------------------------------------------------------------

    def keeps(self, register: str) -> bool:
        return self.asked.parameters.get(f"keep_{register}") == 1

    def within(self, day: date | None) -> bool:
        return day is not None and self.first <= day <= self.last

    def people(self, workforce: tuple[str, ...] | None) -> set[str]:
        query = select(Person.id).join(Unit, Unit.id == Person.unit_id).where(Person.county_id == self.unit.county_id, Person.active)
        query = query.where(lies_in(Unit.path, self.unit.path))
        return set(self.asked.session.scalars(query.where(Person.workforce_type.in_(workforce)) if workforce else query))

    def entries(self, register: str) -> Iterator[RegisterEntry]:
        """The entries of the unit, its people and those it serves that have not ended."""
        query = select(RegisterEntry).where(
            RegisterEntry.county_id == self.unit.county_id, RegisterEntry.register == register, RegisterEntry.ended_at.is_(None)
        )
        if self.unit.station_id is not None:
            query = query.where(RegisterEntry.station_id == self.unit.station_id)
        return iter(self.asked.session.scalars(query))

    def opened(self, register: str) -> Iterator[tuple[RegisterEntry, Mapping[str, Any]]]:
        """Entries that are in force, with what is sealed of them; whoever was erased is left out."""
        found = [entry for entry in self.entries(register) if entry.holds_on(self.last)]
        keys = self.asked.session.scalars(select(SubjectKey).where(SubjectKey.id.in_({entry.key_id for entry in found})))
        keys = {key.id: key for key in keys if key.wrapped}
        for entry in found:
            if entry.key_id in keys:
                yield entry, opened(self.asked.system.vault, entry, keys[entry.key_id]).values


def _hours(held: Iterable[tuple[str, Mapping[str, Any]]]) -> dict[str, Decimal]:
    found: dict[str, Decimal] = {}
    for person, plain in held:
        found[person] = found.get(person, Decimal(0)) + Decimal(str(plain.get("hours") or 0))
    return found


def _count(found: Iterable) -> Decimal:
    return Decimal(sum(1 for _ in found))


def _day(text: str | None) -> date | None:
    return date.fromisoformat(text[:10]) if text else None
