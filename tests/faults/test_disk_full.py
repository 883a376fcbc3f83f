"""No room left, no turn gained, no database there: each is told in our words, nothing is half done, and afterwards work goes on."""

import contextlib
import os
import resource
import signal
import subprocess
from collections.abc import Callable, Iterator

import pytest
from sqlalchemy import bindparam, event, make_url, select, text

from engine import audit, db
from engine.commands.tasks import claim, complete
from engine.db import Database, Fetch
from engine.exceptions import DatabaseBusy, DatabaseUnavailable, EngineError, StorageFull
from tests.faults.people import assert_sound, events, prepare_cases
from tests.support.counties import County
from tests.support.county import MASTER_KEY, PASSWORD, open_system
from webapp import create_app

WHO = "ft-01-1"


@pytest.fixture
def county(backend, new_database):
    county = County(new_database(backend, prepare_cases))
    yield county
    county.system.database.dispose()


@pytest.fixture
def claimed(county) -> tuple[County, str, str]:
    """(county, a case, its claimed task)."""
    case = county.start("steps")["id"]
    task = county.open_tasks(case)["ask"].id
    claim(county.system, county.act(WHO), task, now=county.now)
    return county, case, task


@contextlib.contextmanager
def full(county: County) -> Iterator[None]:
    """A disk without room. SQLite: the file may have no page more than it has. PostgreSQL: the error its server gives (class 53)."""
    if county.system.database.dialect == "sqlite":
        setter = _limit_pages(county.system.database)
        yield
        event.remove(county.system.database.engine, "checkout", setter)
        _run(county, "PRAGMA max_page_count = 1073741823")
    else:
        _run(
            county,
            "CREATE FUNCTION no_room() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'could not extend file' "
            "USING ERRCODE = 'disk_full'; END $$",
            "CREATE TRIGGER no_room BEFORE INSERT ON event EXECUTE FUNCTION no_room()",
        )
        yield
        _run(county, "DROP TRIGGER no_room ON event", "DROP FUNCTION no_room")


def _limit_pages(database: Database) -> Callable:
    def limit(connection, _record, _proxy):
        pages = connection.execute("PRAGMA page_count").fetchone()[0]
        connection.execute(f"PRAGMA max_page_count = {pages}")

    event.listen(database.engine, "checkout", limit)
    return limit


def _run(county: County, *statements: str) -> None:
    with county.system.database.engine.begin() as connection:
        for statement in statements:
            connection.execute(text(statement))


def fill(county: County) -> type[EngineError]:
    """Start cases until the disk is full; with what error that ends."""
    for _ in range(300):  # free pages within the file are used first
        try:
            county.start("steps")
        except EngineError as error:
            return type(error)
    raise AssertionError("it never became full")


def test_a_full_disk_refuses_in_our_words_and_leaves_nothing_half_done(claimed):
    county, case, task = claimed
    with full(county):
        assert fill(county) is StorageFull
        before = len(events(county, case))
        refused = 0
        for _ in range(3):  # a small act may still find room within the last page; a large one not
            try:
                county.start("steps", data={"amount": 1})
            except StorageFull:
                refused += 1
        assert refused
        assert_sound(county)  # reading and proving still work
    assert len(events(county, case)) == before
    answer = complete(county.system, county.act(WHO), task, {"amount": 1}, now=county.now, key="again")
    assert answer["status"] == "completed"
    assert_sound(county)


def test_a_timer_that_finds_no_room_fires_when_there_is_some(claimed):
    """The case is not to blame: no failure in its history, no longer wait."""
    county, case, task = claimed
    complete(county.system, county.act(WHO), task, {"amount": 1}, now=county.now)
    before = len(events(county, case))
    with full(county):
        assert fill(county) is StorageFull
        if county.system.database.dialect == "postgresql":  # on SQLite so little may find room
            with pytest.raises(StorageFull):
                county.pass_time(hours=2)
            assert len(events(county, case)) == before
    county.pass_time(hours=2)
    assert [line.kind for line in events(county, case)][before] == "timer:due"
    assert_sound(county)


FILLS = """
import sys
from engine.exceptions import EngineError
from tests.support.counties import County
county = County(sys.argv[1])
for number in range(400):
    try:
        county.start("steps", data={"amount": number})
    except EngineError as error:
        print(error.code)
        sys.exit()
"""


def test_a_file_that_may_not_grow(new_database):
    """The operating system refuses to write, as at the end of a quota (RLIMIT_FSIZE), in the middle of the write-ahead log."""
    county = County(new_database("sqlite", prepare_cases))
    limit = os.path.getsize(make_url(county.url).database) + 200_000

    def small() -> None:
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))

    from tests.support.databases import ROOT

    command = [os.sys.executable, "-c", FILLS, county.url]
    done = subprocess.run(command, cwd=ROOT, preexec_fn=small, capture_output=True, text=True, timeout=120)
    assert done.stdout.strip() == "storage_full", done
    assert_sound(county)
    county.start("steps", data={"amount": 1})
    assert_sound(county)


@contextlib.contextmanager
def somebody_writes_for_ever(county: County, case: str, monkeypatch) -> Iterator[County]:
    """Another connection holds what a command needs; who waits gives up soon. Answers a county with connections made since."""
    monkeypatch.setattr(db, "BUSY_SECONDS", 1)
    patient = County(county.url)
    lock = "SELECT 1" if county.system.database.dialect == "sqlite" else f"SELECT * FROM stream WHERE id = 'instance/{case}' FOR UPDATE"
    with county.system.database.writing() as connection:
        connection.execute(text(lock))
        yield patient
    patient.system.database.dispose()


def test_waiting_in_vain_is_told(claimed, monkeypatch):
    county, case, task = claimed
    before = len(events(county, case))
    with somebody_writes_for_ever(county, case, monkeypatch) as patient:
        for _ in range(2):
            with pytest.raises(DatabaseBusy):
                complete(patient.system, county.act(WHO), task, {"amount": 1}, now=county.now)
        assert patient.system.database.engine.pool.checkedout() == 0, "a connection was not given back"
        assert len(events(county, case)) == before
    complete(county.system, county.act(WHO), task, {"amount": 1}, now=county.now)
    assert_sound(county)


def test_the_api_says_when_to_come_back(claimed, monkeypatch, tmp_path):
    county, case, task = claimed
    client, headers = _client(county, tmp_path, monkeypatch)
    path = f"/api/v1/tasks/{task}/complete"
    with somebody_writes_for_ever(county, case, monkeypatch):
        client.application.extensions["system"].database.dispose()  # connections made before are more patient
        answer = client.post(path, json={"data": {"amount": 1}}, headers=headers)
        assert (answer.status_code, answer.json["code"]) == (503, "database_busy")
        assert int(answer.headers["Retry-After"]) > 0
    if county.system.database.dialect == "postgresql":
        with full(county):
            answer = client.post(path, json={"data": {"amount": 1}}, headers=headers)
            assert (answer.status_code, answer.json["code"]) == (507, "storage_full")
    assert client.post(path, json={"data": {"amount": 1}}, headers=headers).status_code == 200
    client.application.extensions["system"].database.dispose()


def _client(county: County, tmp_path, monkeypatch):
    """A client of the application, signed in."""
    key = tmp_path / "master.key"
    key.write_text(MASTER_KEY.hex())
    monkeypatch.setenv("SHUIBO_VAR", str(tmp_path))
    app = create_app(
        {"database_url": county.url, "master_key_file": key, "county_id": "county", "clock": lambda: county.now, "testing": True}
    )
    client = app.test_client()
    token = client.post("/api/v1/tokens", json={"username": WHO, "password": PASSWORD}).json["token"]
    return client, {"Authorization": f"Bearer {token}", "Idempotency-Key": "once"}


@pytest.mark.parametrize("url", ["sqlite:////nowhere/at/all/shuibo.db", "postgresql+psycopg://nobody@127.0.0.1:9/none"])
def test_a_database_that_is_not_there(url, county):
    system = open_system(url)
    with pytest.raises(DatabaseUnavailable):
        claim(system, county.act(WHO), "0" * 32, now=county.now)


@pytest.mark.parametrize("backend", ["postgresql"])
def test_a_server_that_goes_away_in_the_middle(claimed):
    """PostgreSQL is restarted while a command is under way: the command fails, the next one works, nothing is half done."""
    county, case, task = claimed
    before = len(events(county, case))
    for find in (audit._LOCK_STREAM, select(audit.Stream).where(audit.Stream.id == bindparam("stream"))):
        with pytest.raises(DatabaseUnavailable), county.system.database.unit(county.now) as unit:
            pid = unit.connection.execute(text("SELECT pg_backend_pid()")).scalar_one()
            _run(county, f"SELECT pg_terminate_backend({pid})")
            if isinstance(find, Fetch):
                find(unit.connection, stream=f"instance/{case}")
            else:
                unit.session.scalars(find, {"stream": f"instance/{case}"}).all()
    complete(county.system, county.act(WHO), task, {"amount": 1}, now=county.now)
    assert len(events(county, case)) > before
    assert_sound(county)
