"""Changes of the county's tree and of who works in it."""

from datetime import date

from sqlalchemy import func, select

from engine import clients, names, organisation
from engine.audit import Kind
from engine.clients import Client, Household
from engine.commands import Act, command, register_places, stranded
from engine.commands.locking import lock_instance
from engine.commands.sessions import end_all
from engine.db import new_id
from engine.exceptions import InvalidRequest, NotFound, StaleVersion
from engine.instances import ACTIVE, INCIDENT, Instance
from engine.organisation import PARTNERS, WORKFORCE, Account, Person, Unit, unit_by_key
from engine.vault import SubjectKey

BELOW = {"county": None, "station": "county", "room": "station"}  # what stands above what


@command("organisation:add-unit", "organisation:write")
def add_unit(act: Act, kind: str, unit_key: str, name: str, parent_key: str | None = None, valid_from: date | None = None) -> dict:
    """A new county, station or room. Answers {id, key}; raises InvalidRequest, NotFound, UnitClosed."""
    if kind not in BELOW or bool(parent_key) != bool(BELOW[kind]):
        raise InvalidRequest(field="kind", reason="单位应是县、站或室；县没有上级，站和室要有上级")
    if not names.fits_key(unit_key):
        raise InvalidRequest(field="key", reason="编号只能用小写字母、数字和短横，不超过 32 个字符")
    if not name.strip() or len(name) > 60:
        raise InvalidRequest(field="name", reason="名称不能为空，也不能超过 60 个字")
    valid_from = valid_from or today(act)
    county_id = act.actor.county_id
    parent = unit_by_key(act.session, county_id, parent_key, valid_from) if parent_key else None
    if parent is not None and parent.kind != BELOW[kind]:
        raise InvalidRequest(field="parent", reason=f"“{parent.name}”下不能设这一级单位")
    taken = Unit.parent_id.is_(None) if parent is None else Unit.key == unit_key
    if act.session.scalar(select(func.count()).select_from(Unit).where(Unit.county_id == county_id, taken)):
        raise InvalidRequest(field="key", reason=f"编号“{unit_key}”已经使用，或者县已经建立")
    unit = new_unit(county_id, kind, unit_key, name.strip(), parent, valid_from)
    act.session.add(unit)
    act.record(organisation.stream(county_id), Kind.UNIT_ADDED, facts={"key": unit_key, "name": unit.name, "parent": parent_key})
    return {"id": unit.id, "key": unit.key}


@command("organisation:close-unit", "organisation:write")
def close_unit(act: Act, unit_key: str, on: date | None = None) -> dict:
    """A unit's last day is `on` (today). Nothing may be left in it. Raises InvalidRequest, NotFound, UnitClosed."""
    on = on or today(act)
    unit = unit_by_key(act.session, act.actor.county_id, unit_key, on)
    people = select(Person.id).where(Person.unit_id == unit.id, Person.active)
    served = select(Client.id).join(SubjectKey, SubjectKey.id == Client.key_id)
    served = served.where(Client.unit_id == unit.id, SubjectKey.destroyed_at.is_(None))
    for query, what in ((people, "人员"), (served, "服务对象")):
        if act.session.scalar(query.limit(1)) is not None:
            raise InvalidRequest(field="key", reason=f"“{unit.name}”还有{what}；请先调出，或改用合并")
    for child in organisation.units(act.session, act.actor.county_id, on, within=unit.path):
        if child is not unit and child.valid_to is None:
            raise InvalidRequest(field="key", reason=f"“{unit.name}”还有下级单位“{child.name}”")
    unit.valid_to = on
    act.record(organisation.stream(act.actor.county_id), Kind.UNIT_CLOSED, facts={"key": unit_key, "on": on.isoformat()})
    return {"key": unit_key, "valid_to": on.isoformat()}


@command("organisation:merge-rooms", "organisation:write")
def merge_rooms(act: Act, room_keys: list[str], into_key: str, on: date | None = None) -> dict:
    """Villages merge: the rooms' last day is `on` (today); their people, clients and households go to the room `into_key`.

    Open cases go with them; ended ones stay where they were. Answers {into, people, clients, cases}. Raises InvalidRequest, NotFound, UnitClosed.
    """
    on = on or today(act)
    county_id = act.actor.county_id
    into = unit_by_key(act.session, county_id, into_key, on)
    rooms = [unit_by_key(act.session, county_id, room_key, on) for room_key in dict.fromkeys(room_keys)]
    if not rooms or into in rooms or any(room.kind != "room" or room.valid_to for room in [*rooms, into]):
        raise InvalidRequest(field="rooms", reason="只能把现行的村社工室并入另一个现行的村社工室")
    ids = [room.id for room in rooms]
    for room in rooms:
        room.valid_to = on
        room.successor_id = into.id
    people = act.session.scalars(select(Person).where(Person.unit_id.in_(ids)).with_for_update()).all()
    for person in people:
        person.unit_id = into.id
    register_places.follow(act, [person.id for person in people], into)
    moved = {"people": len(people), "clients": _move_clients(act, ids, into), "cases": _move_cases(act, ids, into)}
    facts = {"rooms": [room.key for room in rooms], "into": into_key, "on": on.isoformat()} | moved
    act.record(organisation.stream(county_id), Kind.UNIT_MERGED, facts=facts)
    return {"into": into_key} | moved


@command("organisation:add-person", "organisation:write")
def add_person(act: Act, name: str, unit_key: str, workforce: str | None = None, partner: str | None = None) -> dict:
    """Somebody who works in a unit. Answers {id}; raises InvalidRequest, NotFound, UnitClosed."""
    name = name.strip()
    if not names.tokens(name) or len(name) > names.LONGEST:
        raise InvalidRequest(field="name", reason=f"请填写姓名，不超过 {names.LONGEST} 个字")
    check_workforce(workforce, partner)
    county_id = act.actor.county_id
    unit = unit_by_key(act.session, county_id, unit_key, today(act))
    (person,) = new_people(act, [(unit, name, workforce, partner)])
    facts = {"person": person.id, "unit": unit_key, "workforce": workforce, "partner": partner}
    act.record(organisation.stream(county_id), Kind.PERSON_ADDED, facts=facts)
    return {"id": person.id}


@command("organisation:change-person", "organisation:write")
def change_person(act: Act, person_id: str, changes: dict, version: int | None = None) -> dict:
    """Move, retype, retire or bring back: `changes` may hold unit (key), workforce, partner, active. Answers {id, version}.

    Raises InvalidRequest, NotFound, UnitClosed, StaleVersion.
    """
    county_id = act.actor.county_id
    query = select(Person).where(Person.id == person_id, Person.county_id == county_id).with_for_update()
    person = act.session.scalar(query)
    if person is None:
        raise NotFound(what="人员", key=person_id)
    if version is not None and person.version != version:
        raise StaleVersion()
    if unknown := changes.keys() - {"unit", "workforce", "partner", "active"}:
        raise InvalidRequest(field=sorted(unknown)[0], reason="没有这个栏目")
    if "unit" in changes:
        unit = unit_by_key(act.session, county_id, changes["unit"], today(act))
        person.unit_id = unit.id
        register_places.follow(act, [person_id], unit)
    workforce = changes.get("workforce", person.workforce_type)
    partner = changes.get("partner", person.partner_kind if workforce == "partner" else None)
    check_workforce(workforce, partner)
    person.workforce_type, person.partner_kind = workforce, partner
    person.active = bool(changes.get("active", person.active))
    if not person.active:
        end_all(act, person_id)
    act.record(organisation.stream(county_id), Kind.PERSON_CHANGED, facts={"person": person_id, **changes})
    act.session.flush()
    if username := act.session.scalar(select(Account.username).where(Account.person_id == person_id)):
        stranded.left_by(act, username)
    return {"id": person_id, "version": person.version}


def today(act: Act) -> date:
    """The day in the county."""
    return act.now.astimezone(act.system.zone).date()


def new_unit(county_id: str, kind: str, unit_key: str, name: str, parent: Unit | None, valid_from: date) -> Unit:
    """A unit's row, not yet added."""
    return Unit(
        id=new_id(),
        county_id=county_id,
        key=unit_key,
        kind=kind,
        parent_id=parent.id if parent else None,
        path=f"{parent.path}/{unit_key}" if parent else unit_key,
        name=name,
        valid_from=valid_from,
        valid_to=None,
        successor_id=None,
    )


def new_people(act: Act, lines: list[tuple[Unit, str, str | None, str | None]]) -> list[Person]:
    """People's rows with key, sealed name and search tokens, added, for lines of (unit, name, workforce, partner).

    The caller records the event.
    """
    county_id, vault, people = act.actor.county_id, act.system.vault, []
    for unit, name, workforce, partner in lines:
        person_id = new_id()
        key = vault.new_key(act.session, county_id, f"person/{person_id}", act.now)
        person = Person(
            id=person_id,
            county_id=county_id,
            unit_id=unit.id,
            workforce_type=workforce,
            partner_kind=partner,
            key_id=key.id,
            sealed_name=vault.seal(key, name, Person.place(person_id)),
            active=True,
        )
        people.append(person)
    act.session.flush()  # keys first, then people, then what points at people
    act.session.add_all(people)
    act.session.flush()
    for person, (_unit, name, _workforce, _partner) in zip(people, lines, strict=True):
        organisation.index_person(act.session, vault, county_id, person.id, name)
    return people


def new_account(act: Act, person: Person, username: str, password_hash: str, roles: list[str]) -> Account:
    """An account's row, added. The caller records the event."""
    account = Account(
        person_id=person.id,
        county_id=act.actor.county_id,
        username=username,
        password_hash=password_hash,
        roles=sorted(roles),
        active=True,
    )
    act.session.add(account)
    return account


def check_workforce(workforce: str | None, partner: str | None) -> None:
    """Raises InvalidRequest unless known, and a kind of partner is given for partners only."""
    if workforce is not None and workforce not in WORKFORCE:
        raise InvalidRequest(field="workforce", reason=f"人员类型应是 {'、'.join(WORKFORCE)} 之一")
    if (workforce == "partner") != (partner is not None) or (partner is not None and partner not in PARTNERS):
        raise InvalidRequest(field="partner", reason=f"联动伙伴应注明类别：{'、'.join(PARTNERS)}")


def _move_clients(act: Act, unit_ids: list[str], into: Unit) -> int:
    """Households and clients of closed rooms, each with an event in its own stream."""
    facts = {"to": into.key}
    for household in act.session.scalars(select(Household).where(Household.unit_id.in_(unit_ids)).with_for_update()):
        household.unit_id, household.station_id = into.id, into.parent_id
        act.record(household.__stream__(), Kind.HOUSEHOLD_MOVED, facts=facts)
    moved = act.session.scalars(select(Client).where(Client.unit_id.in_(unit_ids)).with_for_update()).all()
    for client in moved:
        client.unit_id, client.station_id, client.updated_at = into.id, into.parent_id, act.now
        act.record(client.__stream__(), Kind.CLIENT_MOVED, facts=facts)
    clients.move_index(act.session, [client.id for client in moved], into.parent_id, into.id)
    register_places.follow(act, [client.id for client in moved], into)
    return len(moved)


def _move_cases(act: Act, unit_ids: list[str], into: Unit) -> int:
    """Open cases of closed rooms with their open tasks, each with an event in its own stream."""
    query = select(Instance.id).where(Instance.unit_id.in_(unit_ids), Instance.status.in_((ACTIVE, INCIDENT))).order_by(Instance.id)
    found = act.session.scalars(query).all()
    for instance_id in found:
        lock_instance(act, instance_id).move(into)
    return len(found)
