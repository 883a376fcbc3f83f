"""Where a backup is restored to: an empty database, or one that makes room. Nothing of the old one is lost, and until the last moment it is
the one that counts: on SQLite a new file takes its name, on PostgreSQL all happens in one transaction."""

import fcntl
import os
import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path

from sqlalchemy import Connection, inspect, make_url, select, text
from sqlalchemy.exc import DatabaseError

from engine.backup.archive import sync_folder
from engine.backup.rows import REVISION, tables_of
from engine.backup.saving import erasures_of
from engine.db import Database
from engine.exceptions import DatabaseInUse, DatabaseNotEmpty

LOCK = 7330146  # any number that only restoring takes, for pg_advisory_xact_lock
PATIENCE = 20  # tenths of a second


class Target:
    """`database`: what to fill, in one unit of work that calls `clear` first. `aside`: where the old content is afterwards; None if empty.
    `erasures`: what the old content knows of erasures (engine.backup.saving.ERASURE_COLUMNS); None where it could not be read."""

    def __init__(self, database: Database):
        self.database = database
        self.aside: str | None = None
        self.erasures: list[list] | None = []

    def clear(self, connection: Connection) -> None:
        """Make room, inside the transaction."""


@contextmanager
def target_of(database: Database, replace: bool, now: datetime) -> Iterator[Target]:
    """The place to restore to. Raises DatabaseNotEmpty unless told to `replace`, DatabaseInUse. Leaving without an error puts it in force."""
    stamp = now.astimezone(UTC).strftime("%Y%m%dT%H%M%SZ")
    database.dispose()
    if database.dialect == "sqlite":
        with _new_file(Path(make_url(database.url).database), replace, stamp) as target:
            yield target
    else:
        try:
            yield _Schema(database, replace, stamp)
        finally:
            database.dispose()


class _Schema(Target):
    """PostgreSQL: the old tables move to a schema of their own, in the transaction that fills the new ones."""

    def __init__(self, database: Database, replace: bool, stamp: str):
        super().__init__(database)
        self._replace, self._schema = replace, f"shuibo_before_{stamp.lower()}"

    def clear(self, connection: Connection) -> None:
        filled = _has_rows(connection)
        if filled and not self._replace:
            raise DatabaseNotEmpty()
        if not connection.scalar(select(text(f"pg_try_advisory_xact_lock({LOCK})"))) or _others_stay(connection):
            raise DatabaseInUse()
        names = [connection.dialect.identifier_preparer.quote(name) for name in inspect(connection).get_table_names()]
        if not filled:
            if names:
                connection.exec_driver_sql(f"DROP TABLE {', '.join(names)} CASCADE")
            return
        self.erasures = _erasures(connection)
        connection.exec_driver_sql(f"CREATE SCHEMA {self._schema}")
        for name in names:
            connection.exec_driver_sql(f"ALTER TABLE {name} SET SCHEMA {self._schema}")
        self.aside = self._schema


def _others_stay(connection: Connection) -> bool:
    """Whether somebody else is connected to this PostgreSQL database; who has just gone may take a moment to be gone."""
    others = text(
        "SELECT count(*) FROM pg_stat_clear_snapshot(), pg_stat_activity"
        " WHERE datname = current_database() AND pid <> pg_backend_pid() AND backend_type = 'client backend'"
    )
    for _ in range(PATIENCE):
        if not connection.scalar(others):
            return False
        time.sleep(0.1)
    return True


@contextmanager
def _new_file(path: Path, replace: bool, stamp: str) -> Iterator[Target]:
    """SQLite: a file beside the old one, which takes its name when it is complete."""
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f".{path.name}.restoring")
    with open(path.with_name(f".{path.name}.lock"), "wb") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise DatabaseInUse() from error
        _remove(draft)
        target = Target(Database(f"sqlite:///{draft}"))
        try:
            filled = _look_at(path, target) if path.exists() else False
            if filled and not replace:
                raise DatabaseNotEmpty()
            with _held(path):
                pass  # better told now than when all is done
            yield target
            target.database.dispose()
            _settle(draft)
            with _held(path):
                if filled:
                    aside = path.with_name(f"{path.name}.before-{stamp}")
                    os.link(path, aside)
                    target.aside = str(aside)
                os.replace(draft, path)
                sync_folder(path.parent)
        finally:
            target.database.dispose()
            _remove(draft)


def _look_at(path: Path, target: Target) -> bool:
    """Whether the old file holds anything, and what it knows of erasures. A file that cannot be read holds something."""
    old = Database(f"sqlite:///{path}")
    try:
        with old.read() as session:
            filled = _has_rows(session.connection())
            target.erasures = _erasures(session.connection()) if filled else []
            return filled
    except DatabaseError:
        target.erasures = None
        return True
    finally:
        old.dispose()


@contextmanager
def _held(path: Path) -> Iterator[None]:
    """Nobody else has the file open; everything of it is in the one file, no write-ahead log. Raises DatabaseInUse."""
    if not path.exists():
        yield
        return
    with closing(sqlite3.connect(path, timeout=2, isolation_level=None)) as connection:
        try:
            if connection.execute("PRAGMA journal_mode=DELETE").fetchone()[0] != "delete":
                raise DatabaseInUse()
            connection.execute("BEGIN EXCLUSIVE")
        except sqlite3.OperationalError as error:
            raise DatabaseInUse() from error
        except sqlite3.DatabaseError:
            pass  # a broken file is held by nobody
        yield


def _settle(draft: Path) -> None:
    """All of a new file on the disk, without a write-ahead log."""
    with closing(sqlite3.connect(draft, isolation_level=None)) as connection:
        connection.execute("PRAGMA journal_mode=DELETE")
    with draft.open("rb+") as file:
        os.fsync(file.fileno())


def _remove(draft: Path) -> None:
    for suffix in ("", "-wal", "-shm", "-journal"):
        with suppress(FileNotFoundError):
            draft.with_name(draft.name + suffix).unlink()


def _has_rows(connection: Connection) -> bool:
    return any(connection.execute(select(table).limit(1)).first() for table in tables_of(connection))


def _erasures(connection: Connection) -> list[list]:
    """Of whatever version the old tables are, they have events."""
    return list(erasures_of(connection)) if inspect(connection).has_table("event") and inspect(connection).has_table(REVISION) else []
