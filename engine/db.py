"""Tables' base, sessions, and the unit of work: the only place that commits.

SQLite runs in WAL with synchronous=FULL; a unit of work begins with BEGIN IMMEDIATE, so that what it reads cannot change under it.
PostgreSQL locks rows with FOR UPDATE. Guarded rows carry a version column besides. What a database refuses for want of space, time or
itself is an EngineError here, so that nobody above need know a driver.
"""

import functools
import json
import math
import os
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from datetime import UTC, datetime
from typing import ClassVar, Self

import orjson
from sqlalchemy import DateTime, ForeignKey, String, Text, bindparam, create_engine, event, select, text
from sqlalchemy.dialects import sqlite
from sqlalchemy.engine import Connection, ExceptionContext, make_url
from sqlalchemy.exc import DisconnectionError, OperationalError
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, configure_mappers, mapped_column
from sqlalchemy.orm.base import manager_of_class
from sqlalchemy.orm.exc import StaleDataError
from sqlalchemy.types import TypeDecorator

from engine.exceptions import DatabaseUnavailable, EngineError, StaleVersion
from engine.prepared import Prepared, in_our_words

Id = String(32)
BUSY_SECONDS = 30


class Instant(TypeDecorator):
    """An aware UTC datetime; naive values are refused."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def load_dialect_impl(self, dialect):
        """SQLite keeps text."""
        return dialect.type_descriptor(_InstantText() if dialect.name == "sqlite" else self.impl)

    def process_bind_param(self, value: datetime | None, dialect):
        """UTC going in."""
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("an instant needs a time zone")
        return value.astimezone(UTC)

    def process_result_value(self, value: datetime | None, dialect):
        """UTC coming out; SQLite forgets the zone."""
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


class _InstantText(sqlite.DATETIME):
    """SQLAlchemy's text of a datetime, written by Python's own `isoformat`, which takes a third of the time."""

    def bind_processor(self, dialect):
        return lambda value: None if value is None else instant_text(value, " ", "microseconds")[: -len("+00:00")]


@functools.lru_cache(maxsize=128)  # the time of an act is written into a dozen of its rows and hashes
def instant_text(value: datetime, separator: str = "T", precision: str = "auto") -> str:
    """`isoformat` of a datetime that is in UTC already (two of one zone with summer time may be equal and not the same)."""
    return value.isoformat(separator, precision)


class Json(TypeDecorator):
    """Canonical JSON text, the same bytes on every database, so that a row's hash can be taken anywhere."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value, dialect):
        """To canonical text."""
        return None if value is None else canonical(value)

    def process_result_value(self, value, dialect):
        """From text."""
        return None if value is None else json.loads(value)


def canonical(value) -> str:
    """JSON with sorted keys and no spaces: equal values have equal text. Hashes are taken of it, so it is the same in every release.

    What `json` writes is the standard; orjson writes the same of what nearly all values are made of, in a tenth of the time.
    """
    try:
        if _is_plain(value):
            return orjson.dumps(value, option=orjson.OPT_SORT_KEYS).decode()
    except (TypeError, RecursionError):  # halves of surrogate pairs, numbers beyond 64 bits, keys that are no text, deep nesting
        pass
    return _canonical(value)


_canonical = json.JSONEncoder(ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode  # dumps() would make one each time
_PLAIN = frozenset({str, int, bool, type(None)})


def _is_plain(value) -> bool:
    """Whether a value is made of nothing but texts, whole numbers, booleans and nulls: floats have two spellings."""
    kind = value.__class__
    if kind is dict:
        value = value.values()
    elif kind is not list:
        return kind in _PLAIN
    for part in value:  # a loop, since all() takes three times as long
        if part.__class__ not in _PLAIN and not _is_plain(part):
            return False
    return True


def reference(column: str) -> ForeignKey:
    """A foreign key checked at commit, so that the order of writes inside a transaction does not matter."""
    return ForeignKey(column, deferrable=True, initially="DEFERRED")


def new_id() -> str:
    """A 32-digit hexadecimal id that grows with time (RFC 9562, version 7 without dashes), so that indexes stay compact."""
    milliseconds = time.time_ns() // 1_000_000
    random = int.from_bytes(os.urandom(10), "big")
    value = (milliseconds << 80) | (0x7 << 76) | ((random >> 68 & 0xFFF) << 64) | (0b10 << 62) | (random & (1 << 62) - 1)
    return f"{value:032x}"


class Base(DeclarativeBase):
    """Every table. `county_id` scopes every row, so that the schema can be distributed by county."""

    county_id: Mapped[str] = mapped_column(Id, sort_order=-1)

    @classmethod
    def row(cls, **values) -> Self:
        """A row for `UnitOfWork.write`, without the constructor: it would announce each attribute to listeners that are not there."""
        if not cls.__mapper__.configured:
            configure_mappers()  # the constructor and every ORM statement would; in a new process this may come before them
        made = manager_of_class(cls).new_instance()
        made.__dict__.update(values)
        return made


class Database:
    """A database address and its connections; knows both dialects, so that nobody else need."""

    def __init__(self, url: str, pool_size: int = 8):
        """`url`: SQLAlchemy address, `sqlite:///var/shuibo.db` or `postgresql+psycopg://…`."""
        self.url = url
        self.dialect = make_url(url).get_backend_name()
        # No statement's values in the messages of errors: they may be people's.
        # The connection used last is used next: its cache of pages and statements is the one that is warm.
        if self.dialect == "sqlite":
            self.engine = create_engine(url, hide_parameters=True, pool_use_lifo=True, connect_args={"timeout": BUSY_SECONDS, "check_same_thread": False})
            event.listen(self.engine, "connect", _prepare_sqlite)
            self.reading = self._glancing = self.engine
        else:
            self.engine = create_engine(url, hide_parameters=True, pool_size=pool_size, max_overflow=pool_size, pool_use_lifo=True)
            event.listen(self.engine, "connect", _prepare_postgresql)
            event.listen(self.engine, "checkin", _note_rest)
            event.listen(self.engine, "checkout", _take_up)
            # Each statement of READ COMMITTED has a view of its own: a verification beside writers would find faults that are none.
            self.reading = self.engine.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)
            self._glancing = self.engine.execution_options(isolation_level="AUTOCOMMIT")
        # On the dialect, for a listener on the engine would make every statement announce itself to nobody.
        event.listen(self.engine.dialect, "handle_error", _in_our_words)

    @contextmanager
    def read(self) -> Iterator[Session]:
        """A session over one consistent view that never commits."""
        with Session(self.reading, autoflush=False, expire_on_commit=False) as session:
            if self.dialect == "sqlite":
                _BEGIN.run(session.connection(), {})
            else:
                # Lists are asked for by people who see two cases and by people who see all: each is planned for its own parameters.
                session.connection().connection.driver_connection.prepare_threshold = None
            yield session
            if self.dialect == "postgresql" and session.in_transaction():
                # psycopg forgets at a rollback what statements the server has prepared; of what only reads there is nothing to roll back.
                session.connection().get_transaction().commit()

    @contextmanager
    def glance(self) -> Iterator[Connection]:
        """A connection for one statement, which needs no view of its own."""
        with self._glancing.connect() as connection:
            yield connection

    @contextmanager
    def writing(self) -> Iterator[Connection]:
        """A connection in a transaction that no other writer can come between; it commits nothing by itself."""
        with self.engine.connect() as connection:
            connection.begin()
            if self.dialect == "sqlite":
                _BEGIN_WRITING.run(connection, {})
            yield connection

    def unit(self, now: datetime) -> "UnitOfWork":
        """A unit of work: everything in it happens together or not at all."""
        return UnitOfWork(self.writing(), now)

    def dispose(self) -> None:
        """Close all connections; a process that forks does this first."""
        self.engine.dispose()


class UnitOfWork:
    """One transaction. Leaving the block without `commit()` rolls back.

    Most commands change rows through `session`. The few that people call all day read with `Fetch` and write with `write`, which cost a
    fraction of the session's bookkeeping; both happen in the same transaction.
    """

    connection: Connection

    def __init__(self, transaction: AbstractContextManager[Connection], now: datetime):
        """`now`: the server's time of this act, aware."""
        self.now = now
        self.before_commit: list[Callable[[], None]] = []
        self.journal = None  # the events gathered so far; belongs to engine.audit
        self.changed: dict[int, object] = {}  # every row written, by identity, over all flushes
        self.removed: dict[int, object] = {}
        self._transaction = transaction
        self._session: Session | None = None
        self._writes: dict[int, object] = {}

    def __enter__(self) -> "UnitOfWork":
        self.connection = self._transaction.__enter__()
        return self

    def __exit__(self, *exception) -> None:
        if self._session is not None:
            self._session.close()
        self._transaction.__exit__(*exception)

    @property
    def session(self) -> Session:
        """A session in the transaction; made when first asked for."""
        if self._session is None:
            self._session = Session(
                self.connection, autoflush=False, expire_on_commit=False, join_transaction_mode="rollback_only"
            )
            event.listen(self._session, "before_flush", self._note)
        return self._session

    def write(self, row: Base) -> None:
        """Insert a row made here, or update one that `Fetch` brought, at commit; the row may still change until then."""
        self._writes[id(row)] = row

    def forget(self, row: Base) -> None:
        """Do not write a row after all."""
        self._writes.pop(id(row), None)

    def commit(self) -> None:
        """Write the changed rows, let the event streams close over them, and commit once.

        Raises StaleVersion when a row changed since it was read; StorageFull, DatabaseBusy or DatabaseUnavailable as any statement may.
        """
        try:
            if self._session is not None:
                self._session.flush()
            self._write_all()
            for hook in self.before_commit:
                hook()
            self.connection.commit()
        except StaleDataError as error:
            raise StaleVersion() from error

    def _note(self, session: Session, _context, _instances) -> None:
        self.changed.update({id(row): row for row in session.new})
        self.changed.update({id(row): row for row in session.dirty if session.is_modified(row)})
        self.removed.update({id(row): row for row in session.deleted})

    def _write_all(self) -> None:
        for model, rows in _by_model(self._writes.values()).items():
            mapped = _Mapped.of(model)
            fresh = [row for row in rows if not hasattr(row, FETCHED)]
            if fresh:
                for row in fresh:
                    mapped.count_up(row)
                mapped.insert.run(self.connection, [mapped.values(row) for row in fresh])
            for row in rows:
                if hasattr(row, FETCHED):
                    mapped.update_one(self.connection, row)
        self.changed.update(self._writes)
        self._writes.clear()


_BEGIN = Prepared(text("BEGIN"))
_BEGIN_WRITING = Prepared(text("BEGIN IMMEDIATE"))
FETCHED = "_fetched"  # what the row held when it was read


class Fetch:
    """A select of whole rows of several tables, built once: `Fetch(Task, Instance, where=…)(connection, task=id)`.

    Answers tuples of plain row objects that no session watches; pass them to `UnitOfWork.write` after a change.
    """

    def __init__(self, *models: type[Base], where, lock: bool = False):
        """`where`: SQL conditions, joins included, with `bindparam`s."""
        columns = [column.label(f"c{number}_{column.name}") for number, model in enumerate(models) for column in model.__table__.c]
        statement = select(*columns).where(*where)
        self.statement = Prepared(statement.with_for_update() if lock else statement)
        self.models = [_Mapped.of(model) for model in models]

    def __call__(self, connection: Connection, **parameters) -> tuple | None:
        """The one row, as one object a table; None if there is none."""
        rows = self.statement.rows(connection, parameters)
        if not rows:
            return None
        (row,) = rows
        objects, start = [], 0
        for mapped in self.models:
            end = start + len(mapped.names)
            objects.append(mapped.load(row[start:end]))
            start = end
        return tuple(objects)


class _Mapped:
    """What `Fetch` and `write` know of a table; made once a model."""

    _known: ClassVar[dict[type, "_Mapped"]] = {}

    def __init__(self, model: type[Base]):
        table = model.__table__
        self.model = model
        self.names = [column.name for column in table.c]
        self.keys = [column.name for column in table.primary_key]
        self.revision = next((name for name in ("revision", "version") if name in self.names), None)
        self.table = table
        self.identity = {f"old_{name}": name for name in (*self.keys, self.revision) if name}  # what an update looks for
        self.insert = Prepared(table.insert())
        self.updates: dict[tuple[str, ...], Prepared] = {}

    @classmethod
    def of(cls, model: type[Base]) -> "_Mapped":
        if model not in cls._known:
            cls._known[model] = cls(model)
        return cls._known[model]

    def load(self, values) -> Base:
        read = dict(zip(self.names, values, strict=True))
        return self.model.row(**read, **{FETCHED: read})

    def values(self, row: Base) -> dict:
        return {name: row.__dict__[name] for name in self.names}

    def count_up(self, row: Base) -> None:
        if self.revision:
            row.__dict__[self.revision] = row.__dict__.get(FETCHED, {}).get(self.revision, 0) + 1

    def update_one(self, connection: Connection, row: Base) -> None:
        """Write what differs from what was read, if the row is still of the revision that was read."""
        held, read = row.__dict__, row.__dict__[FETCHED]
        self.count_up(row)
        changed = tuple([name for name in self.names if held[name] is not read[name] and held[name] != read[name]])
        if not changed:
            return
        values = {name: held[name] for name in changed} | {old: read[name] for old, name in self.identity.items()}
        if self._update(changed).run(connection, values) != 1:
            raise StaleVersion()
        held[FETCHED] = self.values(row)

    def _update(self, changed: tuple[str, ...]) -> Prepared:
        if changed not in self.updates:
            same = [self.table.c[name] == bindparam(old) for old, name in self.identity.items()]
            update = self.table.update().where(*same).values({name: bindparam(name) for name in changed})
            self.updates[changed] = Prepared(update)
        return self.updates[changed]


def _by_model(rows) -> dict[type[Base], list[Base]]:
    found: dict[type[Base], list[Base]] = {}
    for row in rows:
        found.setdefault(type(row), []).append(row)
    return found


def _prepare_sqlite(connection, _record) -> None:
    connection.isolation_level = None  # the driver's own BEGIN is deferred; ours is explicit
    for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON", f"busy_timeout={BUSY_SECONDS * 1000}"):
        connection.execute(f"PRAGMA {pragma}")


def _prepare_postgresql(connection, _record) -> None:
    connection.execute(f"SET lock_timeout = {BUSY_SECONDS * 1000}")  # as long as SQLite's writers wait
    connection.commit()


PREPARE_AFTER = 5  # executions on one connection, the driver's default
RESTED = 1.0  # seconds after which a connection is asked whether it is still there; each question costs as much as a statement


def _note_rest(_connection, record) -> None:
    record.info["rests_since"] = time.monotonic()


def _take_up(connection, record, _proxy) -> None:
    connection.prepare_threshold = PREPARE_AFTER
    if time.monotonic() - record.info.get("rests_since", math.inf) <= RESTED:
        return
    try:
        connection.autocommit = True  # no transaction that would have to be rolled back
        connection.execute("SELECT 1")
        connection.autocommit = False
    except Exception as error:
        raise DisconnectionError() from error  # the pool connects anew


def _in_our_words(context: ExceptionContext) -> EngineError | None:
    if context.is_disconnect:
        return DatabaseUnavailable()
    return in_our_words(context.original_exception, isinstance(context.sqlalchemy_exception, OperationalError))
