"""Tables' base, sessions, and the unit of work: the only place that commits.

SQLite runs in WAL with synchronous=FULL; a unit of work begins with BEGIN IMMEDIATE, so that what it reads cannot change under it.
PostgreSQL locks rows with FOR UPDATE. Guarded rows carry a version column besides.
"""

import json
import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime

from sqlalchemy import DateTime, ForeignKey, String, Text, create_engine, event
from sqlalchemy.engine import make_url
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column
from sqlalchemy.orm.exc import StaleDataError
from sqlalchemy.types import TypeDecorator

from engine.exceptions import StaleVersion

Id = String(32)
BUSY_SECONDS = 30


class Instant(TypeDecorator):
    """An aware UTC datetime; naive values are refused."""

    impl = DateTime(timezone=True)
    cache_ok = True

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
    """JSON with sorted keys and no spaces: equal values have equal text."""
    return json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":"))


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


class Database:
    """A database address and its connections; knows both dialects, so that nobody else need."""

    def __init__(self, url: str, pool_size: int = 8):
        """`url`: SQLAlchemy address, `sqlite:///var/shuibo.db` or `postgresql+psycopg://…`."""
        self.url = url
        self.dialect = make_url(url).get_backend_name()
        if self.dialect == "sqlite":
            self.engine = create_engine(url, connect_args={"timeout": BUSY_SECONDS, "check_same_thread": False})
            event.listen(self.engine, "connect", _prepare_sqlite)
            event.listen(self.engine, "begin", _begin_sqlite)
        else:
            self.engine = create_engine(url, pool_size=pool_size, max_overflow=pool_size, pool_pre_ping=True)
        self.writing = self.engine.execution_options(shuibo_write=True)

    @contextmanager
    def read(self) -> Iterator[Session]:
        """A session over one consistent view that never commits."""
        with Session(self.engine, autoflush=False, expire_on_commit=False) as session:
            yield session
            session.rollback()

    def unit(self, now: datetime) -> "UnitOfWork":
        """A unit of work: everything in it happens together or not at all."""
        return UnitOfWork(Session(self.writing, autoflush=False, expire_on_commit=False), now)

    def dispose(self) -> None:
        """Close all connections; a process that forks does this first."""
        self.engine.dispose()


class UnitOfWork:
    """One transaction. Leaving the block without `commit()` rolls back."""

    def __init__(self, session: Session, now: datetime):
        """`now`: the server's time of this act, aware."""
        self.session = session
        self.now = now
        self.changed: dict[int, object] = {}  # every row written so far, by identity, over all flushes
        self.removed: dict[int, object] = {}
        event.listen(session, "before_flush", self._note)
        self.before_commit: list[Callable[[], None]] = []
        self.journal = None  # the events gathered so far; belongs to engine.audit

    def __enter__(self) -> "UnitOfWork":
        return self

    def __exit__(self, *_exception) -> None:
        self.session.rollback()
        self.session.close()

    def _note(self, session: Session, _context, _instances) -> None:
        self.changed.update({id(row): row for row in session.new})
        self.changed.update({id(row): row for row in session.dirty if session.is_modified(row)})
        self.removed.update({id(row): row for row in session.deleted})

    def commit(self) -> None:
        """Write the changed rows, let the event streams close over them, and commit once.

        Raises StaleVersion when a row changed since it was read.
        """
        try:
            for hook in self.before_commit:
                hook()
            self.session.flush()
            self.session.commit()
        except StaleDataError as error:
            raise StaleVersion() from error


def _prepare_sqlite(connection, _record) -> None:
    connection.isolation_level = None  # the driver's own BEGIN is deferred; ours is explicit
    for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON", f"busy_timeout={BUSY_SECONDS * 1000}"):
        connection.execute(f"PRAGMA {pragma}")


def _begin_sqlite(connection) -> None:
    writing = connection.get_execution_options().get("shuibo_write")
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writing else "BEGIN")
