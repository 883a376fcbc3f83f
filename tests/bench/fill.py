"""`make fill`: a county as it is after years, made by the engine's own commands. ARGS: sqlite | postgresql | URL, --cases N, --processes N.

The county is the whole of Liangshan. Of fifty cases four stay open at different places, every tenth has a client, and they spread over the
rooms and over three hundred days. Whatever is there already counts: a filling that was broken off goes on where it stopped.
"""

import argparse
import multiprocessing
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

from sqlalchemy import create_engine, func, make_url, pool, select, text

from engine.audit import Event
from engine.commands.clients import register
from engine.commands.definitions import deploy, publish
from engine.commands.instances import start
from engine.commands.seed import seed_county
from engine.commands.tasks import claim, complete
from engine.db import Database
from engine.definitions import Definition
from engine.instances import Instance
from engine.organisation import Unit
from engine.schema import upgrade
from tests.bench.ours import DIAGRAMS, TEN_FIELDS
from tests.support.counties import County
from tests.support.county import PASSWORD
from tests.support.databases import ROOT, wheel_server

BATCH = 100  # cases that a process does before it reports
FOLDER = ROOT / "var" / "scale"
DAYS = 300
OPEN_AFTER = {0: 0, 1: 1, 2: 2, 3: 5}  # of fifty cases: how many claims and completions the open ones get; the others get all six
NAMES = ("张三", "李秀英", "王德福", "刘翠花", "陈志强", "杨桂兰", "赵海霞", "黄继先")


def main() -> None:
    """Fill as far as asked; tell what there is."""
    options = argparse.ArgumentParser(prog="make fill", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("database", nargs="?", default="sqlite")
    options.add_argument("--cases", type=int, default=100_000)
    options.add_argument("--processes", type=int, default=None, help="as many as the machine has cores on PostgreSQL, one on SQLite")
    given = options.parse_args()
    with database(given.database) as url:
        fill(url, given.cases, given.processes)
        print("{:,} cases, {:,} events in {}".format(*sizes(url), make_url(url).render_as_string(hide_password=True)))


@contextmanager
def database(name: str) -> Iterator[str]:
    """The URL of `sqlite` or `postgresql`, the databases kept for this, or of whatever else a URL names."""
    if name == "sqlite":
        FOLDER.mkdir(parents=True, exist_ok=True)
        yield f"sqlite:///{FOLDER / 'full.db'}"
    elif name == "postgresql":
        with server() as address:
            yield existing(address, "scale_full")
    else:
        yield name


@contextmanager
def server() -> Iterator[str]:
    """The maintenance database of the PostgreSQL kept for this, on the disk; its commits are durable."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    with wheel_server(FOLDER / "postgresql", "max_connections = 100", "max_wal_size = 2GB", "shared_buffers = 512MB") as address:
        yield address


def existing(address: str, name: str, fresh: bool = False) -> str:
    """A database of that server, made if it is not there; `fresh`: made anew."""
    engine = create_engine(address, poolclass=pool.NullPool, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        if fresh:
            connection.execute(text(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)'))
        if not connection.scalar(text("SELECT 1 FROM pg_database WHERE datname = :name"), {"name": name}):
            connection.execute(text(f"CREATE DATABASE \"{name}\" TEMPLATE template0 ENCODING 'UTF8'"))
    return make_url(address).set(database=name).render_as_string(hide_password=False)


def prepare(url: str) -> None:
    """Tables, the county and the bench's procedures, as far as they are not there."""
    base = Database(url)
    upgrade(base)
    base.dispose()
    county = County(url)
    seed_county(county.system, ROOT / "webapp/seeds/liangshan.yaml", PASSWORD, county.now)
    with county.system.database.read() as session:
        known = set(session.scalars(select(Definition.key)))
    for process, form in (("three_tasks", "ten_fields"), ("loop", "again")):
        if process not in known:
            files = {name: (DIAGRAMS / name).read_bytes() for name in (f"{process}.bpmn", f"{form}.form")}
            answer = deploy(county.system, county.act("supervisor"), files, now=county.now)
            publish(county.system, county.act("supervisor"), answer["key"], answer["number"], now=county.now)
    county.system.database.dispose()


def fill(url: str, cases: int, processes: int | None = None) -> None:
    """Cases until there are so many. Processes share the work on PostgreSQL; on SQLite they would only wait for each other."""
    prepare(url)
    first = sizes(url)[0]
    batches = [(url, range(at, min(at + BATCH, cases))) for at in range(first, cases, BATCH)]
    if processes is None:
        processes = 1 if url.startswith("sqlite") else multiprocessing.cpu_count()
    began = time.monotonic()
    if processes == 1:
        done = map(_batch, batches)
    else:
        workers = multiprocessing.get_context("spawn").Pool(processes)
        done = workers.imap_unordered(_batch, batches)
    for number in done:
        first += number
        _tell(first, cases, time.monotonic() - began, len(batches))
    if processes > 1:
        workers.close()
        workers.join()


def sizes(url: str) -> tuple[int, int]:
    """(cases, events)."""
    held = Database(url)
    with held.read() as session:
        found = tuple(session.scalar(select(func.count()).select_from(table)) for table in (Instance, Event))
    held.dispose()
    return found


_fillers: dict[str, "Filler"] = {}


def _batch(job: tuple[str, range]) -> int:
    url, numbers = job
    if url not in _fillers:
        _fillers[url] = Filler(url)
    for number in numbers:
        _fillers[url].case(number)
    return len(numbers)


class Filler:
    """One process's hands."""

    def __init__(self, url: str):
        if url.startswith("postgresql"):  # what a power cut takes away is filled in again
            url = make_url(url).update_query_dict({"options": "-csynchronous_commit=off"}).render_as_string(hide_password=False)
        self.county = County(url)
        with self.county.system.database.read() as session:
            rooms = session.execute(select(Unit.key, Unit.path).where(Unit.kind == "room").order_by(Unit.key)).all()
        self.rooms = [(key, f"ft-{path.split('/')[1].removeprefix('station-')}-1") for key, path in rooms]

    def case(self, number: int) -> None:
        """The case of this number, as far as it gets."""
        room, who = self.rooms[number % len(self.rooms)]
        system, actor, now = self.county.system, self.county.act(who), self.county.now + timedelta(days=number % DAYS)
        client = None
        if number % 10 == 0:
            data = {"name": NAMES[number // 10 % len(NAMES)], "address": f"{room}第{number % 97}号"}
            client = register(system, actor, data, room, now=now)["id"]
        tasks = start(system, actor, "three_tasks", {}, room, client, now=now)["tasks"]
        for act in range(OPEN_AFTER.get(number % 50, 6)):
            if act % 2 == 0:
                claim(system, actor, tasks[0]["id"], now=now)
            else:
                tasks = complete(system, actor, tasks[0]["id"], TEN_FIELDS, now=now)["tasks"]


def _tell(done: int, cases: int, seconds: float, batches: int) -> None:
    end = "\r" if sys.stderr.isatty() and done < cases else "\n"
    if sys.stderr.isatty() or done >= cases or done // BATCH % max(1, batches // 20) == 0:
        print(f"  个案 · cases {done:,}/{cases:,}  {seconds:.0f} s", end=end, file=sys.stderr, flush=True)


if __name__ == "__main__":
    Path(FOLDER).mkdir(parents=True, exist_ok=True)
    main()
