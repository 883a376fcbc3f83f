"""The county's tree of units, the people who work in it, and their accounts. What they may do is in engine/permissions.py.

county centre (县社会工作服务中心) > station (乡镇(街道)社工站) > village room (村社工室). Units are dated, because villages merge.
A person's name is personal data: sealed under the person's own key, found through keyed hashes.
"""

import functools
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import date

from sqlalchemy import ColumnElement, ForeignKey, Index, String, UniqueConstraint, and_, false, insert, or_, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from engine import names
from engine.db import Base, Id, Json
from engine.exceptions import NotFound, UnitClosed
from engine.vault import SubjectKey, Vault

KINDS = ("county", "station", "room")
ROLES = ("supervisor", "lead", "worker", "auditor", "admin", "resident", "program")
WORKFORCE = {
    "full_time": "专职社工",
    "part_time": "兼职社工",
    "assistant": "社工助理员",
    "volunteer": "志愿者",
    "partner": "联动伙伴",
}
PARTNERS = {
    "petition": "信访干部",
    "mediator": "调解员",
    "child": "儿童主任",
    "care": "护理员（护工）",
    "ceremony": "红白理事会成员",
    "protection": "未保单位",
}


class Unit(Base):
    """A county, station or room. `path` is the keys from the top, `county/station-01/room-001`; `valid_to` is its last day."""

    __tablename__ = "unit"
    __table_args__ = (UniqueConstraint("county_id", "key"), Index("unit_path", "county_id", "path"))
    id: Mapped[str] = mapped_column(Id, primary_key=True)
    key: Mapped[str] = mapped_column(String(32))
    kind: Mapped[str] = mapped_column(String(16))
    parent_id: Mapped[str | None] = mapped_column(ForeignKey("unit.id"))
    path: Mapped[str] = mapped_column(String(100))
    name: Mapped[str] = mapped_column(String(60))
    valid_from: Mapped[date]
    valid_to: Mapped[date | None]
    successor_id: Mapped[str | None] = mapped_column(ForeignKey("unit.id"))
    version: Mapped[int] = mapped_column()
    __mapper_args__ = {"version_id_col": version}

    def __stream__(self) -> str:
        return stream(self.county_id)

    @property
    def station_id(self) -> str | None:
        """The id of the station it is or stands in; None for the county."""
        return {"county": None, "station": self.id, "room": self.parent_id}[self.kind]

    def valid_on(self, day: date) -> bool:
        """Whether the unit exists on that day."""
        return self.valid_from <= day and (self.valid_to is None or day <= self.valid_to)


class Person(Base):
    """Somebody who works with the county's stations, or a resident with an account. Not the people served: those are clients."""

    __tablename__ = "person"
    id: Mapped[str] = mapped_column(Id, primary_key=True)
    unit_id: Mapped[str] = mapped_column(ForeignKey("unit.id"), index=True)
    workforce_type: Mapped[str | None] = mapped_column(String(16))
    partner_kind: Mapped[str | None] = mapped_column(String(16))
    key_id: Mapped[str] = mapped_column(ForeignKey("subject_key.id"))
    sealed_name: Mapped[bytes]
    active: Mapped[bool]
    version: Mapped[int] = mapped_column()
    __mapper_args__ = {"version_id_col": version}

    def __stream__(self) -> str:
        return stream(self.county_id)

    @staticmethod
    def place(person_id: str) -> str:
        """Where the name is sealed."""
        return f"person:{person_id}:sealed_name"


class PersonIndex(Base):
    """Keyed hash → person: finds staff by characters and pinyin."""

    __tablename__ = "person_index"
    county_id: Mapped[str] = mapped_column(Id, primary_key=True, sort_order=-1)
    token: Mapped[str] = mapped_column(String(32), primary_key=True)
    person_id: Mapped[str] = mapped_column(ForeignKey("person.id"), primary_key=True, index=True)


class Account(Base):
    """How a person signs in, and the roles this gives them."""

    __tablename__ = "account"
    __table_args__ = (UniqueConstraint("county_id", "username"),)
    person_id: Mapped[str] = mapped_column(ForeignKey("person.id"), primary_key=True)
    username: Mapped[str] = mapped_column(String(40))
    password_hash: Mapped[str] = mapped_column(String(160))
    roles: Mapped[list[str]] = mapped_column(Json)
    active: Mapped[bool]
    version: Mapped[int] = mapped_column()
    __mapper_args__ = {"version_id_col": version}

    def __stream__(self) -> str:
        return f"accounts/{self.county_id}"


def lies_in(path_column, path: str) -> ColumnElement[bool]:
    """SQL: whether a path is that of a unit or lies in it."""
    return or_(path_column == path, path_column.startswith(path + "/", autoescape=True))


def stream(county_id: str) -> str:
    """The stream that guards units and people."""
    return f"organisation/{county_id}"


# --- who acts -------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Actor:
    """Who acts, with everything that rights and assignment ask about. `workforce` and `partner` are keys of WORKFORCE and PARTNERS."""

    person_id: str
    username: str
    roles: frozenset[str]
    workforce: str | None
    partner: str | None
    unit_id: str | None
    unit_key: str
    unit_path: str
    station_id: str | None
    county_id: str
    _opened_name: Callable[[], str] = field(repr=False, compare=False)

    @classmethod
    def system(cls, county_id: str) -> "Actor":
        """The worker and the seed. Nobody can sign in as it."""
        return cls("system", "system", frozenset({"system"}), None, None, None, "county", "county", None, county_id, lambda: "系统")

    @functools.cached_property
    def name(self) -> str:
        """The person's name, unsealed when first asked for: most requests of programs never do. Raises Erased."""
        return self._opened_name()

    @property
    def groups(self) -> frozenset[str]:
        """Candidate groups of tasks: roles, workforce type, and `partner:<kind>`. A lead may stand in for any partner."""
        groups = set(self.roles)
        if self.workforce:
            groups.add(self.workforce)
        if self.partner:
            groups.add(f"partner:{self.partner}")
        if "lead" in self.roles:
            groups.add("partner")
            groups.update(f"partner:{kind}" for kind in PARTNERS)
        return frozenset(groups)


def covers(unit_path: str, place_path: str) -> bool:
    """Whether a unit is the place or stands above it."""
    return place_path == unit_path or place_path.startswith(unit_path + "/")


# --- queries --------------------------------------------------------------------------------------------------------


def unit_by_key(session: Session, county_id: str, key: str, on: date | None = None) -> Unit:
    """The unit `county`, `station-01` or `room-001`. Raises NotFound, and UnitClosed when it does not exist on the day `on`."""
    fits = isinstance(key, str) and names.fits_key(key)
    unit = session.scalar(select(Unit).where(Unit.county_id == county_id, Unit.key == key)) if fits else None
    if unit is None:
        raise NotFound(what="单位", key=key)
    if on is not None and not unit.valid_on(on):
        raise UnitClosed(unit=unit.name, date=on.isoformat())
    return unit


def units(session: Session, county_id: str, on: date | None = None, within: str | None = None) -> list[Unit]:
    """All units in the order of their keys, those valid on a day, or those a path covers."""
    query = select(Unit).where(Unit.county_id == county_id).order_by(Unit.path)
    if on is not None:
        query = query.where(Unit.valid_from <= on, or_(Unit.valid_to.is_(None), Unit.valid_to >= on))
    found = session.scalars(query)
    return [unit for unit in found if within is None or covers(within, unit.path)]


# One actor in one statement: their person, account, unit and key. Tables, not mapped classes: every request asks this, and loading rows
# as objects would cost more than the database does. Run it on `session.connection()`.
_accounts, _people, _places, _keys = Account.__table__.c, Person.__table__.c, Unit.__table__.c, SubjectKey.__table__.c
_ACTOR_COLUMNS = (
    *(_people.id, _accounts.username, _people.sealed_name, _accounts.roles, _people.workforce_type, _people.partner_kind),
    *(_places.id, _places.key, _places.path, _places.kind, _places.parent_id, _people.county_id),
    *(_keys.id, _keys.subject, _keys.wrapped),
)
_ACTOR_TABLES = (
    Account.__table__.join(Person.__table__, _people.id == _accounts.person_id)
    .join(Unit.__table__, _places.id == _people.unit_id)
    .join(SubjectKey.__table__, _keys.id == _people.key_id)
)


def select_actors(before=None, on=None):
    """A select of what `actor_from` reads; `before` is a table to come to the accounts from, joined `on` a condition."""
    return select(*_ACTOR_COLUMNS).select_from(_ACTOR_TABLES if before is None else before.join(_ACTOR_TABLES, on))


def actor_from(vault: Vault, row) -> Actor:
    """An Actor from a row of `select_actors`."""
    (person_id, username, sealed, roles, workforce, partner, unit_id, unit_key, path, kind, parent_id, county_id, *key) = row
    key_id, subject, wrapped = key

    def opened_name() -> str:
        return vault.open(SubjectKey.row(id=key_id, subject=subject, wrapped=wrapped), sealed, Person.place(person_id))

    station_id = {"county": None, "station": unit_id, "room": parent_id}[kind]
    return Actor(
        person_id, username, frozenset(roles), workforce, partner, unit_id, unit_key, path, station_id, county_id, opened_name
    )


def actor_of(session: Session, vault: Vault, who: str, county_id: str | None = None, *, active: bool = False) -> Actor:
    """The actor with this username or person id; only one who can sign in if `active`. Raises NotFound."""
    query = select_actors().where(or_(_accounts.username == who, _accounts.person_id == who))
    if active:
        query = query.where(_accounts.active, _people.active)
    if county_id is not None:
        query = query.where(_accounts.county_id == county_id)
    row = session.connection().execute(query).first()
    if row is None:
        raise NotFound(what="人员", key=who)
    return actor_from(vault, row)


def actors(session: Session, vault: Vault, county_id: str, within: str, text: str = "", limit: int = 500) -> list[Actor]:
    """Active people with active accounts under a unit's path, by username; `text` keeps those whose name fits it."""
    query = (
        select_actors()
        .where(_accounts.county_id == county_id, _accounts.active, _people.active)
        .where(lies_in(_places.path, within))
        .order_by(_accounts.username)
        .limit(limit)
    )
    if text.strip():
        query = query.where(or_(false(), *(_named(vault, county_id, wanted) for wanted in names.readings(text))))
    return [actor_from(vault, row) for row in session.connection().execute(query)]


def serving(session: Session, vault: Vault, county_id: str, place_path: str) -> list[Actor]:
    """Active people with active accounts whose unit covers a place, by username."""
    parts = place_path.split("/")
    above = ["/".join(parts[: count + 1]) for count in range(len(parts))]
    query = select_actors().where(_accounts.county_id == county_id, _accounts.active, _people.active, _places.path.in_(above))
    return [actor_from(vault, row) for row in session.connection().execute(query.order_by(_accounts.username))]


@dataclass(frozen=True)
class Staff:
    """Somebody who works in the county, as those see them who manage accounts; without an account `username` is None."""

    person_id: str
    name: str = field(repr=False)
    workforce: str | None
    partner: str | None
    unit_path: str
    active: bool
    username: str | None
    roles: frozenset[str]
    account_active: bool


def staff(session: Session, vault: Vault, county_id: str, within: str, text: str = "", person_id: str | None = None, limit: int = 300):
    """People under a unit's path with and without accounts, open and closed, those without first; `text` and `person_id` narrow it."""
    query = (
        select(Person, Unit.path, Account, SubjectKey)
        .join(Unit, Unit.id == Person.unit_id)
        .join(SubjectKey, SubjectKey.id == Person.key_id)
        .outerjoin(Account, Account.person_id == Person.id)
        .where(Person.county_id == county_id, SubjectKey.destroyed_at.is_(None))
        .where(lies_in(Unit.path, within))
        .order_by(Account.username.is_(None).desc(), Account.username)
        .limit(limit)
    )
    if text.strip():
        query = query.where(or_(false(), *(_named(vault, county_id, wanted, Person.id) for wanted in names.readings(text))))
    if person_id:
        query = query.where(Person.id == person_id)
    return [
        Staff(
            person.id,
            vault.open(key, person.sealed_name, Person.place(person.id)),
            person.workforce_type,
            person.partner_kind,
            path,
            person.active,
            account.username if account else None,
            frozenset(account.roles if account else ()),
            bool(account and account.active),
        )
        for person, path, account, key in session.execute(query)
    ]


def names_of(session: Session, vault: Vault, person_ids: Iterable[str]) -> dict[str, str]:
    """Names by person id, in one statement; people whose key was destroyed are left out."""
    query = (
        select(Person.id, Person.sealed_name, SubjectKey)
        .join(SubjectKey, SubjectKey.id == Person.key_id)
        .where(Person.id.in_(set(person_ids)), SubjectKey.destroyed_at.is_(None))
    )
    return {person_id: vault.open(key, sealed, Person.place(person_id)) for person_id, sealed, key in session.execute(query)}


def index_person(session: Session, vault: Vault, county_id: str, person_id: str, name: str) -> None:
    """Write the search tokens of a person's name."""
    row = {"county_id": county_id, "person_id": person_id}
    tokens = names.keyed(vault, county_id, "person", names.tokens(name))
    session.execute(insert(PersonIndex), [row | {"token": token} for token in tokens])


def _named(vault: Vault, county_id: str, wanted: frozenset[str], column=_people.id):
    tokens = names.keyed(vault, county_id, "person", wanted)
    found = select(PersonIndex.person_id).where(PersonIndex.county_id == county_id)
    return and_(*(column.in_(found.where(PersonIndex.token == token)) for token in tokens))
