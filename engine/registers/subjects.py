"""Who is meant: people by username, name or id, units by key, name or id, clients by name or id; and what the found are called."""

import functools
import re
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date

from sqlalchemy import select
from sqlalchemy.orm import Session

from engine import clients, organisation
from engine.clients import Client
from engine.organisation import Account, Actor, Person, Unit, covers
from engine.permissions import may
from engine.registers.declaring import CLIENT, PERSON, Register
from engine.registers.told import Wrong
from engine.vault import SubjectKey, Vault

ID = re.compile(r"[0-9a-f]{32}")
MOST_PEOPLE = 100_000


@dataclass(frozen=True)
class Subject:
    """Whom an entry is about: where they are, and the unit that `place_path` names."""

    id: str
    place_path: str
    station_id: str | None
    name: str = field(default="", repr=False)


class Finder:
    """Resolves what people write for one actor; what was read once serves the next line."""

    def __init__(self, session: Session, vault: Vault, actor: Actor, today: date):
        self.session, self.vault, self.actor, self.today = session, vault, actor, today
        self._clients: dict[tuple, list] = {}

    def subject(self, register: Register, text: str, unit: str = "") -> Subject:
        """Whom an entry of this register is about. `unit` narrows a name down. Raises Wrong; the actor's place is not looked at for
        themselves."""
        text = str(text or "").strip()
        if not text:
            raise Wrong("required")
        if register.about == CLIENT:
            return self._client(text, unit)
        return self._person_subject(text, unit) if register.about == PERSON else self._unit_subject(text)

    def person(self, text: str, unit: str = "") -> str:
        """The id of one of the county's people. Raises Wrong."""
        found = self._staff(text, unit, "county" if may(self.actor, "organisation:read") else self.actor.unit_path)
        return found.person_id

    def unit(self, text: str) -> Unit:
        """A unit of today by key, name or id, of those the actor looks after. Raises Wrong."""
        found = [unit for unit in self._units if covers(self.actor.unit_path, unit.path) and text in (unit.key, unit.id)]
        found = found or [unit for unit in self._units if covers(self.actor.unit_path, unit.path) and unit.name == text]
        if len(found) > 1:
            raise Wrong("several_units", candidates="、".join(unit.key for unit in found[:5]))
        if not found:
            raise Wrong("no_unit")
        return found[0]

    def _unit_subject(self, text: str) -> Subject:
        unit = self.unit(text)
        return Subject(unit.id, unit.path, unit.station_id, unit.name)

    def _person_subject(self, text: str, unit: str) -> Subject:
        actor = self.actor
        if text in (actor.person_id, actor.username):
            return Subject(actor.person_id, actor.unit_path, actor.station_id)
        found = self._staff(text, unit, actor.unit_path)
        place = self._by_path[found.unit_path]
        return Subject(found.person_id, place.path, place.station_id, found.name)

    def _staff(self, text: str, unit: str, within: str) -> organisation.Staff:
        text = str(text).strip()
        within = self.unit(unit.strip()).path if unit.strip() else within
        found = [each for each in self._people.get(text, ()) if covers(within, each.unit_path)]
        if len(found) > 1:
            raise Wrong("several_people", candidates="、".join(sorted(each.username or each.person_id for each in found)[:5]))
        if not found:
            raise Wrong("no_person")
        return found[0]

    @functools.cached_property
    def _people(self) -> dict[str, list[organisation.Staff]]:
        """The county's people by id, username and name; who has left is found by id and username only."""
        found = defaultdict(list)
        for each in organisation.staff(self.session, self.vault, self.actor.county_id, self._top, limit=MOST_PEOPLE):
            for name in {each.person_id, each.username, each.name if each.active else None} - {None}:
                found[name].append(each)
        return found

    @functools.cached_property
    def _units(self) -> list[Unit]:
        return [unit for unit in organisation.units(self.session, self.actor.county_id) if unit.valid_on(self.today)]

    @functools.cached_property
    def _by_path(self) -> dict[str, Unit]:
        return {unit.path: unit for unit in organisation.units(self.session, self.actor.county_id)}

    @property
    def _top(self) -> str:
        return self.actor.unit_path.split("/")[0]

    def _client(self, text: str, unit: str) -> Subject:
        if ID.fullmatch(text):
            row = self.session.execute(select(Client.id, Client.unit_id).where(Client.id == text, *clients.scope(Client, self.actor))).first()
            found = [(row.id, row.unit_id, "")] if row else []
        else:
            found = [(record.id, record.unit_id, record.name) for record in self._records(text) if record.name == text]
        if unit.strip():
            within = self.unit(unit.strip()).path
            found = [each for each in found if covers(within, self._by_id[each[1]].path)]
        if len(found) != 1:
            raise Wrong("several_clients" if found else "no_client")
        client_id, unit_id, name = found[0]
        place = self._by_id[unit_id]
        return Subject(client_id, place.path, place.station_id, name)

    def _records(self, text: str) -> list[clients.Record]:
        if text not in self._clients:
            self._clients[text] = clients.search(self.session, self.vault, self.actor, text, limit=clients.PAGE)[0]
        return self._clients[text]

    @functools.cached_property
    def _by_id(self) -> dict[str, Unit]:
        return {unit.id: unit for unit in self._by_path.values()}


def names(session: Session, vault: Vault, ids: Iterable[str]) -> dict[str, str]:
    """What people, units and clients are called, by id, in three statements; who was erased is left out."""
    wanted = set(filter(None, ids))
    if not wanted:
        return {}
    found = organisation.names_of(session, vault, wanted)
    found |= dict(session.execute(select(Unit.id, Unit.name).where(Unit.id.in_(wanted - found.keys()))).all())
    if left := wanted - found.keys():
        query = select(Client, SubjectKey).join(SubjectKey, SubjectKey.id == Client.key_id)
        for client, key in session.execute(query.where(Client.id.in_(left), SubjectKey.destroyed_at.is_(None))):
            found[client.id] = vault.open(key, client.sealed, client.place)["name"]
    return found


def usernames(session: Session, person_ids: Iterable[str]) -> dict[str, str]:
    """Usernames by person id: how a file names people, so that it can be read again."""
    query = select(Account.person_id, Account.username).where(Account.person_id.in_(set(person_ids)))
    return dict(session.execute(query).all())


def place_of(session: Session, subject_id: str) -> str | None:
    """The path of the unit where a person works, a unit is, or a client lives."""
    for query in (
        select(Unit.path).where(Unit.id == subject_id),
        select(Unit.path).join(Person, Person.unit_id == Unit.id).where(Person.id == subject_id),
        select(Unit.path).join(Client, Client.unit_id == Unit.id).where(Client.id == subject_id),
    ):
        if (path := session.scalar(query)) is not None:
            return path
    return None
