"""Backups and restores killed by SIGKILL at any line of theirs: what has its final name is whole, and a database is the old one or the new."""

import multiprocessing
import os
import shutil
import signal
import sys
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import make_url, text

from engine import backup
from engine.backup import Archive, restore, save
from engine.backup.archive import DATA, KEYS
from engine.exceptions import DatabaseInUse
from tests.support.backups import opened
from tests.support.browsers import eventually
from tests.support.counties import County
from tests.support.county import COUNTY
from tests.upgrade.sample import prepare_sample

OURS = str(Path(backup.__path__[0]))


class Doomed:
    """A process that forks one for each act, and kills it at the given line of engine/backup; at none it counts them."""

    def __init__(self):
        context = multiprocessing.get_context("spawn")
        self._pipe, theirs = context.Pipe()
        self._process = context.Process(target=_live, args=(theirs,), daemon=True)
        self._process.start()

    def __call__(self, url: str, what: str, arguments: tuple, later: timedelta, line: int = 0, **options) -> int:
        """Lines run; 0 if it was killed."""
        self._pipe.send((url, what, arguments, later, line, options))
        assert self._pipe.poll(120), "it never came back"
        answer = self._pipe.recv()
        assert isinstance(answer, int), answer
        return answer

    def close(self) -> None:
        """End it."""
        self._pipe.send(None)
        self._process.join(10)
        self._process.kill()


def _live(pipe) -> None:
    while (job := pipe.recv()) is not None:
        child = os.fork()
        if child == 0:
            try:
                pipe.send(_act(*job))
            except BaseException as error:
                pipe.send(repr(error))
            finally:
                os._exit(0)
        status = os.waitpid(child, 0)[1]
        if os.WIFSIGNALED(status):
            pipe.send(0 if os.WTERMSIG(status) == signal.SIGKILL else f"signal {os.WTERMSIG(status)}")


def _act(url: str, what: str, arguments: tuple, later: timedelta, line: int, options: dict) -> int:
    county, count = opened(url), 0

    def trace(frame, event, _argument):
        nonlocal count
        if not frame.f_code.co_filename.startswith(OURS):
            return None
        if event == "line":
            count += 1
            if count == line:
                os.kill(os.getpid(), signal.SIGKILL)
        return trace

    sys.settrace(trace)
    {"save": save, "restore": restore}[what](county.system, *arguments, now=county.now + later, **options)
    sys.settrace(None)
    return count


@pytest.fixture(scope="module")
def doomed():
    doomed = Doomed()
    yield doomed
    doomed.close()


@pytest.mark.soak
def test_a_backup_killed_anywhere(backend, new_database, tmp_path, doomed, campaign):
    """Whatever is there under its name is whole; the next backup goes on as if nothing had been, and cleans up."""
    url = new_database(backend, prepare_sample)
    data, keys = tmp_path / "data", tmp_path / "keys"
    lines = doomed(url, "save", (data, keys), timedelta())
    county = opened(url)
    minute = 0
    for number in campaign.rounds(3, 300):
        minute = 2 * number + 1
        line = _line(campaign.dice(backend, number), number, lines)
        killed = doomed(url, "save", (data, keys), timedelta(minutes=minute), line) == 0
        for path in data.glob("shuibo*.zip"):
            Archive(path, county.system.vault, COUNTY, DATA).check()
        Archive(keys / f"shuibo-{COUNTY}.keys.zip", county.system.vault, COUNTY, KEYS).check()
        assert killed
        restore(county.system, data, keys, now=county.now, check_only=True)
        save(county.system, data, keys, now=county.now + timedelta(minutes=minute + 1))
        assert sorted(path.name for path in tmp_path.rglob(".*")) == [".lock", ".lock"]
    county.system.database.dispose()


@pytest.mark.soak
@pytest.mark.parametrize("filled", [False, True], ids=["empty", "replacing"])
def test_a_restore_killed_anywhere(backend, filled, new_database, tmp_path, doomed, campaign):
    """The database is as it was, or all of the backup; then the restore is done again."""
    source = opened(new_database(backend, prepare_sample))
    answer = save(source.system, tmp_path, now=source.now)
    source.system.database.dispose()
    files = Path(answer["data"]), Path(answer["keys"])
    lines = 0
    for number in campaign.rounds(1, 150):
        url = new_database(backend, prepare_sample) if filled else new_database(backend)
        if filled:
            _mark(url)
        if not lines:
            lines = doomed(new_database(backend), "restore", files, timedelta())
        line = _line(campaign.dice(backend, filled, number), number, lines)
        assert doomed(url, "restore", files, timedelta(), line, replace=True) == 0
        county = opened(url)
        state = _state(county)
        assert state in (("old" if filled else "nothing"), "restored"), state
        if state != "nothing":
            assert county.faults() == []
        eventually(lambda county=county: _again(county, files), 60)
        assert _state(county) == "restored" and county.faults() == []
        county.system.database.dispose()
        _tidy(url)


def _line(dice, number: int, lines: int) -> int:
    """Any line, or one of the last, where files get their names."""
    return dice.randint(1, lines) if number % 2 else dice.randint(lines - 60, lines - 1)


def _mark(url: str) -> None:
    """The old one has gone on since."""
    county = opened(url)
    county.start("two_steps")
    county.system.database.dispose()


def _state(county: County) -> str:
    """nothing, old or restored."""
    database = county.system.database
    if database.dialect == "sqlite" and not Path(make_url(county.url).database).exists():
        return "nothing"
    with database.read() as session:
        tables = {"sqlite": "sqlite_master WHERE name = 'event'", "postgresql": "pg_tables WHERE tablename = 'event' AND schemaname = 'public'"}
        if not session.scalar(text(f"SELECT count(*) FROM {tables[database.dialect]}")):
            return "nothing"
        return "restored" if session.scalar(text("SELECT count(*) FROM event WHERE kind = 'backup:restored'")) else "old"


def _again(county: County, files: tuple[Path, Path]) -> bool:
    """PostgreSQL takes a moment to notice that a client was killed."""
    try:
        restore(county.system, *files, now=county.now + timedelta(minutes=1), replace=True)
    except DatabaseInUse:
        return False
    return True


def _tidy(url: str) -> None:
    """A campaign makes hundreds."""
    if url.startswith("sqlite"):
        path = Path(make_url(url).database)
        for each in path.parent.glob(f"*{path.name}*"):
            shutil.rmtree(each) if each.is_dir() else each.unlink()
