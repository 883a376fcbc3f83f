"""The people served and their households. Everything personal is sealed; a search reads one keyed index and nothing else.

Plain columns are ids, the place, times and versions. What a client is (poor, orphan, demented) is not even indexed: the county
publishes how many there are of each, so the number of equal hashes would tell which hash means what.
"""

import re
from dataclasses import asdict, dataclass, replace
from datetime import date, datetime

from sqlalchemy import ForeignKey, Index, String, and_, delete, insert, select, tuple_, union, update
from sqlalchemy.orm import Mapped, Session, aliased, mapped_column

from engine import names
from engine.db import Base, Id, Instant
from engine.exceptions import InvalidForm, InvalidRequest, NotFound
from engine.organisation import Actor, Unit
from engine.permissions import require
from engine.vault import SubjectKey, Vault

# The codes are those of the procedures' forms and decision tables (bpmn/), so that a record can fill a form.
CATEGORIES = {
    "extreme_poverty": "特困",
    "minimum_living": "低保",
    "orphan": "孤困",
    "left_behind": "留守",
    "disabled_elder": "失能",
    "dementia": "失智",
    "veteran": "复员军人",
    "disability": "残疾",
    "petition": "信访",
}
GENDERS = {"male": "男", "female": "女"}
FIELDS = ("name", "birth_date", "gender", "id_number", "phone", "address", "categories")
PAGE = 100  # the longest page


class Household(Base):
    """People who live together. Sealed: the address."""

    __tablename__ = "household"
    id: Mapped[str] = mapped_column(Id, primary_key=True)
    unit_id: Mapped[str] = mapped_column(ForeignKey("unit.id"), index=True)
    station_id: Mapped[str | None] = mapped_column(Id)
    key_id: Mapped[str] = mapped_column(ForeignKey("subject_key.id"))
    sealed: Mapped[bytes]
    version: Mapped[int] = mapped_column()
    __mapper_args__ = {"version_id_col": version}

    def __stream__(self) -> str:
        return f"household/{self.id}"

    @property
    def place(self) -> str:
        """Where its payload is sealed."""
        return f"household:{self.id}:sealed"


class Client(Base):
    """A person served. Sealed: FIELDS."""

    __tablename__ = "client"
    __table_args__ = (Index("client_by_place", "county_id", "station_id", "unit_id", "id"),)
    id: Mapped[str] = mapped_column(Id, primary_key=True)
    household_id: Mapped[str | None] = mapped_column(ForeignKey("household.id"), index=True)
    unit_id: Mapped[str] = mapped_column(ForeignKey("unit.id"), index=True)
    station_id: Mapped[str] = mapped_column(Id)
    key_id: Mapped[str] = mapped_column(ForeignKey("subject_key.id"))
    sealed: Mapped[bytes]
    registered_at: Mapped[datetime] = mapped_column(Instant)
    updated_at: Mapped[datetime] = mapped_column(Instant)
    version: Mapped[int] = mapped_column()
    __mapper_args__ = {"version_id_col": version}

    def __stream__(self) -> str:
        return stream(self.id)

    @property
    def place(self) -> str:
        """Where its payload is sealed."""
        return f"client:{self.id}:sealed"


class ClientIndex(Base):
    """Keyed hash → client. The key holds the place too, so a search within a station or room reads one range of the index."""

    __tablename__ = "client_index"
    __table_args__ = ({"sqlite_with_rowid": False},)
    county_id: Mapped[str] = mapped_column(Id, primary_key=True, sort_order=-1)
    token: Mapped[str] = mapped_column(String(32), primary_key=True)
    station_id: Mapped[str] = mapped_column(Id, primary_key=True)
    unit_id: Mapped[str] = mapped_column(Id, primary_key=True)
    client_id: Mapped[str] = mapped_column(ForeignKey("client.id"), primary_key=True, index=True)


def stream(client_id: str) -> str:
    """The stream of a client."""
    return f"client/{client_id}"


@dataclass(frozen=True)
class Record:
    """A client opened for somebody who may read it. `categories` are keys of CATEGORIES, `gender` of GENDERS; None where not known."""

    id: str
    name: str
    birth_date: date | None
    gender: str | None
    id_number: str | None
    phone: str | None
    address: str | None
    categories: tuple[str, ...]
    household_id: str | None
    unit_id: str
    unit_key: str
    unit_path: str
    unit_name: str
    station_id: str
    version: int

    def age(self, on: date) -> int | None:
        """Full years on a day."""
        born = self.birth_date
        return born and on.year - born.year - ((on.month, on.day) < (born.month, born.day))

    def as_dict(self) -> dict:
        """Plain JSON."""
        return asdict(self) | {"birth_date": self.birth_date and self.birth_date.isoformat(), "categories": list(self.categories)}


# --- reading --------------------------------------------------------------------------------------------------------


def search(session: Session, vault: Vault, actor: Actor, text: str = "", cursor: str | None = None, limit: int = 20):
    """(records, next cursor) of the clients an actor's unit covers, by place; `text`: a name or number as `engine.names.readings` takes
    it, or part of an address, "" for all.

    One statement, whatever the register's size. Raises Forbidden (volunteers and partners see a client only through a task they hold:
    `read(…, by_task=True)`) and InvalidRequest for a bad cursor.
    """
    require(actor, "client:read")
    limit = max(1, min(limit, PAGE))
    wanted = [*names.readings(text), *filter(None, [names.address_reading(text)])]
    if text.strip() and not wanted:
        return [], None
    after = _after(cursor)
    if wanted:
        found = union(*(select(_hits(vault, actor, reading, after, limit)) for reading in wanted)).subquery()
        order = (found.c.station_id, found.c.unit_id, found.c.client_id)
        query = _RECORDS.join(found, found.c.client_id == Client.id)
    else:
        order = (Client.station_id, Client.unit_id, Client.id)
        query = _RECORDS.where(*scope(Client, actor))
        if after:
            query = query.where(tuple_(*order) > tuple_(*after))
    query = query.where(SubjectKey.destroyed_at.is_(None)).order_by(*order).limit(limit + 1)
    records = [_record(vault, row) for row in session.execute(query)]
    return records[:limit], _cursor(records[limit - 1]) if len(records) > limit else None


def read(session: Session, vault: Vault, actor: Actor, client_id: str, by_task: bool = False, emergency: bool = False) -> Record:
    """One client. Raises NotFound, also when the actor's unit does not cover it, and Erased.

    `by_task`: the caller has found that the actor holds a task of this client's case; that is a right of its own. `emergency`: the glass
    is broken; whoever may read clients reads one of another place, and the caller sees to it that somebody looks at why.
    """
    query = _RECORDS.where(Client.id == client_id, Client.county_id == actor.county_id)
    if not by_task:
        require(actor, "client:read")
        query = query if emergency else query.where(*scope(Client, actor))
    row = session.execute(query).first() if client_id.isalnum() else None
    if row is None:
        raise NotFound(what="服务对象", key=client_id)
    return _record(vault, row)


def find_anywhere(session: Session, vault: Vault, actor: Actor, text: str) -> str:
    """The id of the one client of the county who has this whole name or number; for emergencies, so nobody can leaf through a county.

    Raises Forbidden; NotFound where there is nobody, or more than one: a number tells them apart.
    """
    require(actor, "client:read")
    everywhere = replace(actor, unit_id=None, station_id=None)
    wanted, found = text.strip(), set()
    for reading in names.readings(wanted) if wanted else ():
        found |= {row.client_id for row in session.execute(select(_hits(vault, everywhere, reading, None, PAGE)))}
    query = _RECORDS.where(Client.id.in_(found), SubjectKey.destroyed_at.is_(None))
    same = [each for row in session.execute(query) if wanted in ((each := _record(vault, row)).name, each.id_number, each.phone)]
    if len(same) != 1:
        raise NotFound(what="服务对象", key="")
    return same[0].id


def household_members(session: Session, vault: Vault, actor: Actor, *household_ids: str) -> list[Record]:
    """The members of households that the actor may see, the oldest entry first."""
    require(actor, "client:read")
    query = _RECORDS.where(Client.household_id.in_(household_ids), *scope(Client, actor), SubjectKey.destroyed_at.is_(None))
    return [_record(vault, row) for row in session.execute(query.order_by(Client.id))]


_RECORDS = (
    select(Client, Unit, SubjectKey).join(Unit, Unit.id == Client.unit_id).join(SubjectKey, SubjectKey.id == Client.key_id)
)


def _record(vault: Vault, row) -> Record:
    client, unit, key = row
    data = vault.open(key, client.sealed, client.place)
    born = data.get("birth_date")
    return Record(
        id=client.id,
        name=data["name"],
        birth_date=date.fromisoformat(born) if born else None,
        gender=data.get("gender"),
        id_number=data.get("id_number"),
        phone=data.get("phone"),
        address=data.get("address"),
        categories=tuple(data.get("categories", ())),
        household_id=client.household_id,
        unit_id=unit.id,
        unit_key=unit.key,
        unit_path=unit.path,
        unit_name=unit.name,
        station_id=client.station_id,
        version=client.version,
    )


def scope(table, actor: Actor) -> list:
    """SQL conditions that keep a table with county_id, station_id and unit_id to what the actor's unit covers."""
    conditions = [table.county_id == actor.county_id]
    if actor.station_id is not None:
        conditions.append(table.station_id == actor.station_id)
        if actor.unit_id != actor.station_id:
            conditions.append(table.unit_id == actor.unit_id)
    return conditions


def _hits(vault: Vault, actor: Actor, reading: frozenset[str], after: tuple | None, limit: int):
    """Ids of the clients that have all tokens of a reading: ranges of the index's primary key, met token by token."""
    first, *others = (
        (aliased(ClientIndex), token) for token in names.keyed(vault, actor.county_id, "client", reading)
    )
    index, token = first
    order = (index.station_id, index.unit_id, index.client_id)
    query = select(*order).where(*scope(index, actor), index.token == token)
    for other, other_token in others:
        same = [getattr(other, name) == getattr(index, name) for name in ("county_id", "station_id", "unit_id", "client_id")]
        query = query.join(other, and_(*same, other.token == other_token))
    if after:
        query = query.where(tuple_(*order) > tuple_(*after))
    return query.order_by(*order).limit(limit + 1).subquery()


def _cursor(record: Record) -> str:
    return ".".join((record.station_id, record.unit_id, record.id))


def _after(cursor: str | None) -> tuple[str, ...] | None:
    if not cursor:
        return None
    parts = tuple(cursor.split("."))
    if len(parts) != 3 or not all(re.fullmatch(r"[0-9a-z-]{1,32}", part) for part in parts):
        raise InvalidRequest(field="cursor", reason="不是上一页给出的游标")
    return parts


# --- writing: called by engine.commands.clients, which opens the transaction and records the event -------------------


def seal(vault: Vault, client: Client, key: SubjectKey, data: dict) -> None:
    """Store a client's data, sealed."""
    client.sealed = vault.seal(key, data, client.place)


def index(session: Session, vault: Vault, client: Client, data: dict) -> None:
    """Write a client's search tokens anew. Who gives no address of their own is found by the household's."""
    session.execute(delete(ClientIndex).where(ClientIndex.client_id == client.id))
    place = {"county_id": client.county_id, "station_id": client.station_id, "unit_id": client.unit_id, "client_id": client.id}
    session.execute(insert(ClientIndex), [place | {"token": token} for token in search_tokens(session, vault, client, data)])


def search_tokens(session: Session, vault: Vault, client: Client, data: dict) -> list[str]:
    """The keyed tokens by which a client with these data is found."""
    address = data.get("address") or _home(session, vault, client.household_id)
    found = names.tokens(data["name"]) | names.number_tokens(data.get("phone"), data.get("id_number")) | names.address_tokens(address)
    return names.keyed(vault, client.county_id, "client", found)


def _home(session: Session, vault: Vault, household_id: str | None) -> str | None:
    """The address of a household."""
    query = select(Household, SubjectKey).join(SubjectKey, SubjectKey.id == Household.key_id).where(Household.id == household_id)
    row = session.execute(query).one_or_none() if household_id else None
    return vault.open(row.SubjectKey, row.Household.sealed, row.Household.place).get("address") if row else None


def move_index(session: Session, client_ids: list[str], station_id: str, unit_id: str) -> None:
    """Clients moved to another room: their search tokens go with them."""
    query = update(ClientIndex).where(ClientIndex.client_id.in_(client_ids)).values(station_id=station_id, unit_id=unit_id)
    session.execute(query.execution_options(synchronize_session=False))


def forget(session: Session, vault: Vault, client: Client, key: SubjectKey, now: datetime) -> None:
    """Erase: destroy the key, delete the search tokens. The row and its history stay, unreadable."""
    vault.destroy(key, now)
    session.execute(delete(ClientIndex).where(ClientIndex.client_id == client.id))
    client.updated_at = now


# --- checking -------------------------------------------------------------------------------------------------------


def clean(data: dict, today: date) -> dict:
    """FIELDS of a submission, trimmed, empty ones left out. Raises InvalidForm with a message for each field that is wrong."""
    errors: dict[str, str] = {}
    trimmed = {name: _trimmed(data.get(name)) for name in FIELDS}
    found = {name: value for name, value in trimmed.items() if value not in (None, "", [])}
    errors.update({name: "没有这个栏目" for name in data if name not in FIELDS})
    for name, check in _CHECKS.items():
        if isinstance(found.get(name), str) and not found[name].isprintable():
            errors[name] = "有无法显示的字符"
        elif name in found and (problem := check(found[name], today)):
            errors[name] = problem
    if "name" not in found:
        errors["name"] = "请填写姓名"
    number, born = found.get("id_number"), found.get("birth_date")
    if number and born and not errors.keys() & {"id_number", "birth_date"} and number[6:14] != born.replace("-", ""):
        errors["birth_date"] = "与身份证号码里的出生日期不一致"
    if errors:
        raise InvalidForm(errors)
    return found


def check_digit(number: str) -> str:
    """The last character of a resident identity number (GB 11643-1999) for its first 17 digits."""
    return "10X98765432"[sum(int(digit) * (2 ** (17 - at) % 11) for at, digit in enumerate(number[:17])) % 11]


def _trimmed(value):
    return value.strip() if isinstance(value, str) else value


def _check_name(value, _today) -> str | None:
    fits = isinstance(value, str) and len(value) <= names.LONGEST and names.tokens(value)
    return None if fits else f"请填写姓名，不超过 {names.LONGEST} 个字"


def _check_birth(value, today: date) -> str | None:
    try:
        born = date.fromisoformat(value)
    except (ValueError, TypeError):
        return "请按“年-月-日”填写，例如 1950-03-08"
    return None if date(1900, 1, 1) <= born <= today else "出生日期应在 1900 年之后、今天之前"


def _check_id_number(value, today: date) -> str | None:
    if not isinstance(value, str) or not re.fullmatch(r"[0-9]{17}[0-9Xx]", value):
        return "身份证号码应为 18 位"
    if check_digit(value) != value[-1].upper() or _check_birth(f"{value[6:10]}-{value[10:12]}-{value[12:14]}", today):
        return "身份证号码不正确，请核对"
    return None


def _check_phone(value, _today) -> str | None:
    fits = isinstance(value, str) and re.fullmatch(r"\+?[0-9][0-9 -]{5,18}", value)
    return None if fits else "请填写电话号码，只含数字、空格和短横"


_CHECKS = {
    "name": _check_name,
    "birth_date": _check_birth,
    "gender": lambda value, _today: None if isinstance(value, str) and value in GENDERS else "请选择性别",
    "id_number": _check_id_number,
    "phone": _check_phone,
    "address": lambda value, _today: None if isinstance(value, str) and len(value) <= 200 else "地址不超过 200 个字",
    "categories": lambda value, _today: (
        None if isinstance(value, list) and all(isinstance(item, str) and item in CATEGORIES for item in value) else "有不认识的对象类别"
    ),
}
