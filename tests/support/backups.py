"""What the tests of backups share: a county in use, an empty database of the other kind, and what a backup holds."""

import zipfile
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import select

from engine import clients
from engine.backup import restore, save
from engine.backup.saving import PASSING
from engine.commands.clients import register
from engine.db import Base
from tests.support.counties import County
from tests.support.county import quickened
from tests.support.databases import BACKENDS
from tests.upgrade.sample import SAMPLE_NOW, prepare_sample

WHO = "ft-01-1"


@pytest.fixture(name="county")
def used_county(backend, new_database):
    """A county in use: everything that the sample holds."""
    county = opened(new_database(backend, prepare_sample))
    yield county
    county.system.database.dispose()


@pytest.fixture(name="other")
def other_county(backend, new_database):
    """An empty database of the other kind: a backup of one is restored to the other."""
    county = opened(new_database(BACKENDS[1 - BACKENDS.index(backend)]))
    yield county
    county.system.database.dispose()


@pytest.fixture(name="folder")
def backup_folder(tmp_path) -> Path:
    """Where backups go."""
    return tmp_path / "backups"


def opened(url: str) -> County:
    """The county behind a database, at the sample's time."""
    county = County(url)
    quickened(county.system.database)
    county.now = SAMPLE_NOW
    return county


def backed_up(county: County, folder: Path) -> dict:
    """A backup, taken a minute later than the last one."""
    county.now += timedelta(minutes=1)
    return save(county.system, folder / "data", folder / "keys", now=county.now)


def brought_back(county: County, answer: dict, **options) -> dict:
    """A backup restored to the county's database; what `restore` answers."""
    return restore(county.system, Path(answer["data"]), Path(answer["keys"]), now=county.now, **options)


def content(county: County, without: frozenset[str] = PASSING) -> dict[str, list]:
    """Every row of every table."""
    with county.system.database.read() as session:
        return {
            table.name: sorted(tuple(row) for row in session.execute(select(table)))
            for table in Base.metadata.sorted_tables
            if table.name not in without
        }


def new_client(county: County, name: str = "赵六") -> str:
    """Somebody registered; the id."""
    return register(county.system, county.act(WHO), {"name": name, "phone": "000-1111-2222"}, "room-001", now=county.now)["id"]


def found(county: County, name: str) -> list[str]:
    """Whom a search finds."""
    with county.system.database.read() as session:
        return [record.id for record in clients.search(session, county.system.vault, county.act("supervisor"), name)[0]]


def inside(path: str) -> bytes:
    """All that a file holds, unpacked."""
    with zipfile.ZipFile(path) as file:
        return b"\n".join(file.read(name) for name in file.namelist())
