"""Is the history whole, and do the tables say what the history says?

Walks every stream once, in order, and looks up the rows that the streams speak of a few hundred at a time; memory is bounded by one
stream and the heads of all. Then it counts the guarded rows that no event explains.
Who has the master key also learns whether every key still opens, and whether people are still found by what is sealed about them.
Whoever tampers need not keep to our types: a text where bytes belong, JSON or a time that is none. That too is a fault with a place.
"""

from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime
from itertools import chain, groupby

from sqlalchemy import Boolean, Row, and_, func, literal, or_, select, tuple_, type_coerce
from sqlalchemy.orm import Session
from sqlalchemy.types import UserDefinedType

from engine import searching
from engine.accounts import AccessToken
from engine.audit import ALGORITHM, FORMAT, GENESIS, Event, Kind, Stream, event_hash, row_hash, row_name
from engine.db import Base
from engine.vault import SubjectKey, Vault

BATCH = 500
UNREADABLE = object()  # a value that is not of its column's type; no hash can be taken of it


@dataclass(frozen=True)
class Fault:
    """A place where history or table was tampered with. `place` is `stream#sequence` or `table/key`."""

    place: str
    code: str
    message: str

    def __str__(self) -> str:
        return f"{self.place}: {self.message} [{self.code}]"


def verify(session: Session, progress: Callable[[int, int], None] = lambda done, total: None, vault: Vault | None = None) -> Iterator[Fault]:
    """Every fault in events and guarded rows; with the vault also in keys and search tokens. `progress(done, total)` as events are read."""
    with _any_text(session):
        yield from _verify(session, progress)
        if vault is not None:
            yield from _check_secrets(session, vault)


def _verify(session: Session, progress: Callable[[int, int], None]) -> Iterator[Fault]:
    total = session.scalar(select(func.count()).select_from(Event))
    done = 0
    explained: dict[str, int] = {}
    spoken: list[tuple[str, str, str | None, int]] = []
    tokens = defaultdict(list)
    for token in session.execute(select(*_columns(AccessToken))):
        tokens[f"access/{token.person_id}", token.created_at].append(token)
    heads = {row.id: (row.seq, row.hash, row.county_id) for row in session.execute(select(*_columns(Stream)))}
    query = select(*_columns(Event)).order_by(Event.stream, Event.seq).execution_options(yield_per=BATCH)
    for stream_id, events in groupby(session.execute(query), key=lambda event: event.stream):
        rows: dict[str, tuple[str | None, int]] = {}
        last = (0, GENESIS, None)
        for event in events:
            yield from _check_event(event, last)
            last = (event.seq if isinstance(event.seq, int) else last[0] + 1, event.hash, event.county_id)
            if isinstance(event.rows, dict):
                rows.update({name: (digest, event.seq) for name, digest in event.rows.items()})
            if event.kind == Kind.SESSION_OPENED and (made := tokens.get((stream_id, event.occurred_at))):
                if opened := next((token for token in made if _opened(event, token)), None):
                    made.remove(opened)
            done += 1
            if done % BATCH == 0:
                progress(done, total)
        yield from _check_head(stream_id, heads.pop(stream_id, None), last)
        spoken += [(stream_id, name, digest, seq) for name, (digest, seq) in rows.items()]
        if len(spoken) >= BATCH:
            yield from _check_rows(session, spoken, explained)
            spoken.clear()
    yield from _check_rows(session, spoken, explained)
    for stream_id, (seq, *_) in heads.items():
        if seq:
            yield Fault(f"{stream_id}#1", "events_removed", f"这条历史应有 {seq} 个事件，一个也没有了")
    for token in chain.from_iterable(tokens.values()):
        yield Fault(f"access_token/{str(token.id)[:8]}", "session_forged", "没有人这样登录过：这个登录凭证是绕过系统添加或改动的")
    progress(done, total)
    yield from _check_unexplained(session, explained)
    yield from _check_keys(session)


def _check_event(event: Row, last: tuple) -> Iterator[Fault]:
    place = f"{event.stream}#{event.seq}"
    if event.seq != last[0] + 1:
        yield Fault(place, "event_missing", f"第 {last[0]} 个事件之后应是第 {last[0] + 1} 个：有事件被删除或调换")
    elif event.previous_hash != last[1]:
        yield Fault(place, "chain_broken", "这个事件不接在前一个事件之后：历史被改写或调换")
    if event.format not in range(1, FORMAT + 1) or event.algorithm != ALGORITHM:
        yield Fault(place, "format_unknown", f"不认识的格式 {event.format}/{event.algorithm}")
    if _hash_or_none(event_hash, event._mapping) != event.hash:
        yield Fault(place, "event_changed", "这个事件的内容与它的哈希不符：内容被改动或伪造")


def _check_head(stream_id: str, head: tuple | None, last: tuple) -> Iterator[Fault]:
    if head is None:
        yield Fault(f"{stream_id}#{last[0]}", "stream_missing", "这条历史的登记不见了")
    elif isinstance(head[0], int) and head[0] > last[0]:
        yield Fault(f"{stream_id}#{last[0] + 1}", "events_removed", f"末尾的 {head[0] - last[0]} 个事件被删除")
    elif head != last:
        yield Fault(f"{stream_id}#{last[0]}", "head_differs", "末尾的事件与登记的哈希不符：有事件被添加或登记被改动")


def _check_rows(session: Session, spoken: list[tuple], explained: dict[str, int]) -> Iterator[Fault]:
    """Compare rows that streams speak of, as (stream, name, digest or None, sequence), with the tables."""
    by_table: dict[str, list[tuple]] = {}
    for said in spoken:
        by_table.setdefault(said[1].split("/", 1)[0], []).append(said)
    for table, names in by_table.items():
        model = _guarded().get(table)
        if model is None:  # also when whoever asks has not imported engine.tables: better a fault than a table that nobody looks at
            yield Fault(table, "table_unknown", f"历史写下了 {len(names)} 行，但没有这张表可以核对")
            continue
        found = _load(session, model, [name for _stream, name, _digest, _seq in names])
        for stream_id, name, digest, seq in names:
            row = found.get(name)
            if row is None and digest is not None:
                yield Fault(name, "row_removed", f"这一行被删除（{stream_id}#{seq} 写下了它）")
            elif row is not None:
                explained[table] = explained.get(table, 0) + 1
                if digest is None:
                    yield Fault(name, "row_restored", f"这一行应已删除（{stream_id}#{seq}），现在又出现了")
                elif _hash_or_none(row_hash, row) != digest or row.__stream__() != stream_id:
                    yield Fault(name, "row_changed", f"这一行与历史不符（{stream_id}#{seq}）：被绕过系统改动")


def _load(session: Session, model, names: list[str]) -> dict[str, object]:
    """The rows of these names; a name that cannot be a key of this table names none."""
    key = list(model.__table__.primary_key)
    keys = []
    for name in names:
        parts = name.split("/")[1:]
        with suppress(ValueError, TypeError):
            keys.append(tuple(column.type.python_type(part) for column, part in zip(key, parts, strict=True)))
    found = {}
    for start in range(0, len(keys), BATCH):
        batch = keys[start : start + BATCH]
        one_of = key[0].in_([each[0] for each in batch]) if len(key) == 1 else tuple_(*key).in_(batch)
        for values in session.execute(select(*_columns(model)).where(one_of)):
            row = model.row(**values._mapping)
            found[row_name(row)] = row
    return found


def _check_unexplained(session: Session, explained: dict[str, int]) -> Iterator[Fault]:
    """Rows that no event ever wrote. The count tells whether to look; the look names them."""
    for table, model in _guarded().items():
        if session.scalar(select(func.count()).select_from(model)) == explained.get(table, 0):
            continue
        for values in session.execute(select(*_columns(model)).execution_options(yield_per=BATCH)):
            row = model.row(**values._mapping)
            if not _explained(session, row):
                yield Fault(row_name(row), "row_forged", "没有任何事件写过这一行：它是绕过系统添加的")


def _check_keys(session: Session) -> Iterator[Fault]:
    """Keys are no guarded rows, for erasing is destroying them. But only an erasure that history tells of destroys one, and for good."""
    erased = SubjectKey.subject.in_(select(Event.stream).where(Event.kind.endswith(":erased")))
    gone = or_(func.length(SubjectKey.wrapped) == 0, SubjectKey.destroyed_at.is_not(None))
    there = or_(func.length(SubjectKey.wrapped) != 0, SubjectKey.destroyed_at.is_(None))
    for key_id in session.scalars(select(SubjectKey.id).where(gone, ~erased)):
        yield Fault(f"subject_key/{key_id}", "key_destroyed", "这把密钥被销毁，历史里却没有清除：内容被毁")
    for key_id in session.scalars(select(SubjectKey.id).where(there, erased)):
        yield Fault(f"subject_key/{key_id}", "key_restored", "历史里已清除，这把密钥却又出现了")
    for table, model in _guarded().items():
        if "key_id" not in model.__table__.c:
            continue
        fits = model.key_fits() if hasattr(model, "key_fits") else SubjectKey.subject == literal(f"{table}/") + model.id
        own = and_(SubjectKey.id == model.key_id, fits)
        for row_id in session.scalars(select(model.id).outerjoin(SubjectKey, own).where(SubjectKey.id.is_(None))):
            yield Fault(f"{table}/{row_id}", "key_missing", "这一行的密钥不见了，或已换成别人的")


def _check_secrets(session: Session, vault: Vault) -> Iterator[Fault]:
    """What only the master key tells. A row that is no row at all has had its fault before, so it only ends the comparison."""
    living = select(*_columns(SubjectKey)).where(func.length(SubjectKey.wrapped) > 0)
    for key in session.execute(living.execution_options(yield_per=BATCH)):
        if not vault.unwraps(key.id, key.subject, key.wrapped):
            yield Fault(f"subject_key/{key.id}", "key_broken", "这把密钥打不开：被改动，或主密钥不是原来那一把")
    with suppress(ValueError, TypeError, AttributeError):
        for name in searching.differing(session, vault):
            yield Fault(name, "search_differs", "检索用的索引与资料不符：被绕过系统改动（可用 shuibo db reindex 重建）")


def _opened(event: Row, token: Row) -> bool:
    """Whether this signing in made that token. What events of former versions do not tell is not compared."""
    facts = event.facts if isinstance(event.facts, dict) else {}
    if facts.get("session", str(token.id)[:16]) != str(token.id)[:16] or facts.get("kind", token.kind) != token.kind:
        return False
    expires_at = facts.get("expires_at")  # in whatever zone the clock was
    with suppress(ValueError, TypeError):
        return expires_at is None or datetime.fromisoformat(expires_at) == token.expires_at
    return False


def _explained(session: Session, row) -> bool:
    name = row_name(row)
    query = select(type_coerce(Event.rows, _Tolerant(Event.rows.type))).where(Event.stream == row.__stream__(), Event.rows != {})
    return any(isinstance(written, dict) and name in written for written in session.scalars(query))


def _guarded() -> dict[str, type]:
    return {mapper.local_table.name: mapper.class_ for mapper in Base.registry.mappers if hasattr(mapper.class_, "__stream__")}


class _Tolerant(UserDefinedType):
    """A column's type that reads whatever stands there."""

    cache_ok = True

    def __init__(self, kind):
        self.kind = kind

    def result_processor(self, dialect, coltype):
        """As the type itself does; UNREADABLE where it would raise."""
        process = self.kind.dialect_impl(dialect).result_processor(dialect, coltype)

        def read(value):
            if isinstance(self.kind, Boolean) and value not in (None, 0, 1):
                return UNREADABLE  # SQLAlchemy takes any for true
            try:
                return process(value)
            except (ValueError, TypeError, AttributeError):
                return UNREADABLE

        return read if process else None


def _columns(model) -> list:
    return [type_coerce(column, _Tolerant(column.type)).label(column.name) for column in model.__table__.c]


def _hash_or_none(function, value) -> str | None:
    try:
        return function(value)
    except (ValueError, TypeError, AttributeError):
        return None


@contextmanager
def _any_text(session: Session) -> Iterator[None]:
    """SQLite keeps any bytes as text; read what is no UTF-8 as such, instead of not at all."""
    connection = session.connection()
    if connection.dialect.name != "sqlite":
        yield
        return
    driver = connection.connection.driver_connection
    driver.text_factory = lambda raw: raw.decode(errors="replace")
    try:
        yield
    finally:
        driver.text_factory = str
