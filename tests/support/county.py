"""A small county for tests: two stations, five rooms, one of each sort of person. `SMALL` is the county file it comes from."""

import tempfile
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from argon2 import PasswordHasher
from sqlalchemy import event

from engine import accounts
from engine.db import Database
from engine.organisation import Actor, actor_of
from engine.system import System
from engine.vault import Vault

COUNTY = "county"
PASSWORD = "correct horse"
NOW = datetime(2026, 11, 24, 1, 30, tzinfo=UTC)
MASTER_KEY = b"\x07" * 32
SMALL = """
county: {name: 小县, valid_from: 2022-01-01}
stations:
  - {name: 甲镇, rooms: [张庄村, 李楼村, 王集村]}
  - {name: 乙镇, rooms: [赵屯村, 刘堂村]}
posts:
  - {each: county, username: supervisor, name: 周总督, roles: [supervisor]}
  - {each: county, username: auditor, name: 孙审, roles: [auditor]}
  - {each: county, username: admin, name: 钱管, roles: [admin]}
  - {each: station, username: "lead-{number}", name: 宋站长, roles: [lead]}
  - {each: station, username: "ft-{number}-1", name: 林专一, workforce: full_time}
  - {each: station, username: "pt-{number}-1", name: 何兼一, workforce: part_time}
  - {each: station, username: "volunteer-{number}-1", name: 郑志愿, workforce: volunteer}
  - {each: station, username: "partner-{number}-mediator", name: 马调解, workforce: partner, partner: mediator}
  - {each: room, username: "assistant-{number}", name: 朱助理, workforce: assistant}
  - {each: county, username: resident-1, name: 居民, roles: [resident]}
  - {each: county, username: supervisor-2, name: 吴总督, roles: [supervisor]}
  - {each: station, username: "ft-{number}-2", name: 江专二, workforce: full_time}
  - {each: station, username: "partner-{number}-child", name: 唐主任, workforce: partner, partner: child}
  - {each: station, username: "partner-{number}-petition", name: 秦信访, workforce: partner, partner: petition}
"""


def open_system(url: str) -> System:
    """The installation behind a database of tests."""
    return System(Database(url), Vault(MASTER_KEY), COUNTY)


DEAR = accounts.HASHER


@contextmanager
def passwords_hashed(hasher: PasswordHasher):
    """Passwords that are set meanwhile cost that much to check. Nobody attacks the accounts of tests, which sign in ten thousand times:
    the whole run has them cheap (tests/conftest.py). A test of what the product's own way costs takes DEAR."""
    former, accounts.HASHER = accounts.HASHER, hasher
    try:
        yield
    finally:
        accounts.HASHER = former


CHEAP = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)

_ONE_DIALECT: dict[str, tuple] = {}  # by backend: the dialect of the first database, and the statements compiled for it


def quickened(database: Database) -> Database:
    """A database whose commits need not reach the disk (nobody pulls a plug in most tests, and a process that is killed loses nothing by it),
    and which knows the statements that SQLAlchemy compiled for those before it; else every test would compile them anew."""
    if database.dialect == "sqlite":
        event.listen(database.engine, "connect", lambda connection, _record: connection.execute("PRAGMA synchronous=OFF"))
    with database.engine.connect():  # a dialect asks its first connection for the server's version
        dialect, compiled = _ONE_DIALECT.setdefault(database.dialect, (database.engine.dialect, database.engine._compiled_cache))
    for engine in (database.engine, database.reading):
        engine.dialect, engine._compiled_cache = dialect, compiled
    return database


def small_county(url: str) -> None:
    """Prepares a database: every table, and the small county."""
    from engine.commands.seed import seed_county
    from tests.support.databases import migrate

    migrate(url)
    system = open_system(url)
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "small.yaml"
        file.write_text(SMALL)
        seed_county(system, file, PASSWORD, NOW)
    system.database.dispose()


def person(system: System, username: str) -> Actor:
    """The actor with that username."""
    with system.database.read() as session:
        return actor_of(session, system.vault, username, system.county_id)
