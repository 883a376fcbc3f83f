"""Registering the people served, and keeping, moving and erasing what is known of them."""

from sqlalchemy import func, select

from engine import audit, clients, team
from engine.audit import Kind
from engine.clients import Client, Household
from engine.commands import Act, command, register_places
from engine.commands.judging import Matter, in_force, judge, person_facts
from engine.commands.organisation import today
from engine.db import new_id
from engine.exceptions import Erased, InvalidRequest, NotFound, StaleVersion
from engine.organisation import Unit, covers, unit_by_key
from engine.permissions import require
from engine.vault import SubjectKey

ADULT = 18  # years; 未成年人保护法 2

@command("client:register", "client:write")
def register(act: Act, data: dict, place: str, household_id: str | None = None) -> dict:
    """A new client of the room `place`. `data`: engine.clients.FIELDS; without `household_id` a household of its own.

    Answers {id, household_id}. Raises InvalidForm, InvalidRequest, NotFound, UnitClosed, Forbidden.
    """
    unit = _room(act, place)
    data = clients.clean(data, today(act))
    household = _household(act, household_id, unit) if household_id else new_household(act, unit, {"address": data.get("address")})
    client = new_client(act, unit, household, data)
    return {"id": client.id, "household_id": household.id}


@command("household:register", "client:write")
def register_household(act: Act, members: list[dict], place: str) -> dict:
    """A new household of the room `place` with all its members. Answers {id, clients: ids}. Raises as register does."""
    unit = _room(act, place)
    cleaned = [clients.clean(data, today(act)) for data in members]
    if not cleaned:
        raise InvalidRequest(field="members", reason="至少登记一名成员")
    household = new_household(act, unit, {"address": cleaned[0].get("address")})
    return {"id": household.id, "clients": [new_client(act, unit, household, data).id for data in cleaned]}


@command("client:update", "client:write")
def update(act: Act, client_id: str, changes: dict, version: int) -> dict:
    """Correct a client's data: only the fields in `changes`; None takes one away. Answers {id, version}.

    Raises StaleVersion when `version` is not the one the person saw, InvalidForm, NotFound, Forbidden, Erased.
    """
    client, key, unit = _client(act, client_id)
    if client.version != version:
        raise StaleVersion()
    old = act.system.vault.open(key, client.sealed, client.place)
    data = clients.clean(old | changes, today(act))
    changed = {name: data.get(name) for name in clients.FIELDS if data.get(name) != old.get(name)}
    if changed:
        clients.seal(act.system.vault, client, key, data)
        client.updated_at = act.now
        clients.index(act.session, act.system.vault, client, data)
        act.record(client.__stream__(), Kind.CLIENT_UPDATED, facts={"fields": sorted(changed)}, sealed=changed, key=key)
        act.session.flush()
    return {"id": client.id, "version": client.version}


@command("client:move", "client:write")
def move(act: Act, client_id: str, place: str) -> dict:
    """A client moves to another room, leaving the household. Both rooms must be covered by the actor's unit. Answers {id, place}."""
    client, _key, _unit = _client(act, client_id)
    unit = _room(act, place)
    household = new_household(act, unit, {})
    client.unit_id, client.station_id, client.household_id, client.updated_at = unit.id, unit.parent_id, household.id, act.now
    clients.move_index(act.session, [client.id], unit.parent_id, unit.id)
    register_places.follow(act, [client.id], unit)
    act.record(client.__stream__(), Kind.CLIENT_MOVED, facts={"to": place})
    return {"id": client.id, "place": place}


@command("client:view", "client:read")
def view(act: Act, client_id: str, reason: str = "", emergency: bool = False) -> dict:
    """Open a client's record and leave a line in the viewer's access stream (未成年人网络保护条例 36). Answers the record as a dict.

    `emergency`: a client of another place, whom the actor has to help at once (break-glass). The regulations are asked at the point `open`;
    they have it reviewed. It takes a reason whatever they say. Raises NotFound, Forbidden, Erased, InvalidRequest, RegulationRefused.
    """
    record = clients.read(act.session, act.system.vault, act.actor, client_id, emergency=emergency)
    is_own, age = covers(act.actor.unit_path, record.unit_path), record.age(today(act))
    known = in_force(act)
    told = {
        "kind": "client",
        "reason": reason,
        "own_place": is_own,
        "in_team": team.serves(act.session, act.actor.person_id, client_id),
        "broken_glass": emergency and not is_own,
        "minor": None if age is None else age < ADULT,
    }
    facts = {"person": person_facts(act.actor), "record": told}
    place = {"client_id": client_id, "unit_id": record.unit_id, "station_id": record.station_id}
    matter = Matter(clients.stream(client_id), record.unit_path, person=act.actor, **place)
    judged = judge(act, known, ("open",), facts, matter)
    if told["broken_glass"] and not reason.strip():  # whatever tables a county has published
        raise InvalidRequest(field="reason", reason="请写明事由")
    plain = {"client": client_id} | ({"emergency": True} if told["broken_glass"] else {}) | judged.plain
    # What somebody writes may name people: it goes with the client's key.
    key = act.session.scalars(select(SubjectKey).where(SubjectKey.subject == clients.stream(client_id))).one() if reason else None
    sealed = {"reason": reason[:200]} if reason else None
    act.record(audit.stream("access", act.actor.person_id), Kind.CLIENT_VIEWED, facts=plain, sealed=sealed, key=key)
    return record.as_dict()


@command("client:erase", "client:erase")
def erase(act: Act, client_id: str, reason: str) -> dict:
    """Destroy a client's key and search tokens (个人信息保护法 47); the row and its history stay, unreadable, and still verify.

    The household's key goes with its last member. Answers {id}. Raises NotFound, Erased when already done.
    """
    client, key, _unit = _client(act, client_id)
    if not reason.strip():
        raise InvalidRequest(field="reason", reason="请写明清除的依据")
    if key.destroyed_at is not None:
        raise Erased()
    household_id = client.household_id
    clients.forget(act.session, act.system.vault, client, key, act.now)
    client.household_id = None
    act.record(client.__stream__(), Kind.CLIENT_ERASED, facts={"reason": reason[:200]})
    act.session.flush()
    left = select(func.count()).select_from(Client).where(Client.household_id == household_id)
    if household_id and not act.session.scalar(left):
        household = act.session.get(Household, household_id)
        act.system.vault.destroy(act.session.get(SubjectKey, household.key_id), act.now)
        act.record(household.__stream__(), Kind.HOUSEHOLD_ERASED)
    return {"id": client_id}


def new_household(act: Act, unit: Unit, data: dict) -> Household:
    """A household's row with its key and event, added."""
    household_id, county_id = new_id(), act.actor.county_id
    key = act.system.vault.new_key(act.session, county_id, f"household/{household_id}", act.now)
    household = Household(
        id=household_id, county_id=county_id, unit_id=unit.id, station_id=unit.parent_id, key_id=key.id, sealed=b""
    )
    household.sealed = act.system.vault.seal(key, data, household.place)
    act.session.flush()
    act.session.add(household)
    act.session.flush()
    act.record(household.__stream__(), Kind.HOUSEHOLD_REGISTERED, facts={"unit": unit.key})
    return household


def new_client(act: Act, unit: Unit, household: Household, data: dict) -> Client:
    """A client's row with key, search tokens and event, added. `data` as engine.clients.clean gives it."""
    client_id, county_id = new_id(), act.actor.county_id
    key = act.system.vault.new_key(act.session, county_id, f"client/{client_id}", act.now)
    client = Client(
        id=client_id,
        county_id=county_id,
        household_id=household.id,
        unit_id=unit.id,
        station_id=unit.parent_id,
        key_id=key.id,
        sealed=b"",
        registered_at=act.now,
        updated_at=act.now,
    )
    clients.seal(act.system.vault, client, key, data)
    act.session.flush()
    act.session.add(client)
    act.session.flush()
    clients.index(act.session, act.system.vault, client, data)
    facts = {"unit": unit.key, "household": household.id}
    act.record(client.__stream__(), Kind.CLIENT_REGISTERED, facts=facts, sealed=data, key=key)
    return client


def _client(act: Act, client_id: str) -> tuple[Client, SubjectKey, Unit]:
    """A client with key and room, locked. Outside the actor's unit it is as if it were not there."""
    query = (
        select(Client, SubjectKey, Unit)
        .join(SubjectKey, SubjectKey.id == Client.key_id)
        .join(Unit, Unit.id == Client.unit_id)
        .where(Client.id == client_id, *clients.scope(Client, act.actor))
        .with_for_update(of=Client)
    )
    row = act.session.execute(query).one_or_none() if client_id.isalnum() else None
    if row is None:
        raise NotFound(what="服务对象", key=client_id)
    return row[0], row[1], row[2]


def _room(act: Act, place: str) -> Unit:
    """The room where the actor may register people."""
    unit = unit_by_key(act.session, act.actor.county_id, place, today(act))
    require(act.actor, "client:write", unit.path)
    if unit.kind != "room":
        raise InvalidRequest(field="place", reason="服务对象应登记在村社工室")
    return unit


def _household(act: Act, household_id: str, unit: Unit) -> Household:
    household = act.session.get(Household, household_id)
    if household is None or household.unit_id != unit.id:
        raise NotFound(what="家庭", key=household_id)
    return household
