"""A running installation for tests: the small county (`tests.support.county`) with the engine's commands, people and time at hand.

`county` runs the test on each database; `county.act("ft-01-1")` is that person; time is `county.now`, moved by hand.
"""

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from engine import calendar, definitions, instances, tasks
from engine.commands.calendars import import_year
from engine.commands.clock import look, sweep
from engine.commands.definitions import deploy, publish
from engine.commands.deliveries import carry_out
from engine.commands.installation import deploy_directory, load_parameters
from engine.commands.instances import start
from engine.commands.tasks import claim, complete
from engine.commands.timers import fire_due
from engine.organisation import Actor
from engine.system import System
from engine.verification import verify
from engine.workflow import Case
from tests.support.county import open_system, person, quickened, small_county
from tests.support.databases import ROOT

# Versions never change, and copies of one prepared database have the same: what one test has compiled serves the next.
_COMPILED: dict = {}
MOST_COMPILED = 200

MORNING = datetime(2026, 3, 2, 9, 0, tzinfo=ZoneInfo("Asia/Shanghai"))  # a Monday


def lend(system: System) -> None:
    """Give a system what was compiled before."""
    system.compiled.update(_COMPILED)


def keep(system: System) -> None:
    """Keep the versions that a system has compiled."""
    for key, value in system.compiled.items():
        if key[0] == "version" and len(_COMPILED) < MOST_COMPILED:
            _COMPILED.setdefault(key, value)


class County:
    """A running installation: the engine's commands with people and time at hand."""

    def __init__(self, url: str):
        self.url = url
        self.system = open_system(url)
        lend(self.system)
        self.now = MORNING
        self._actors: dict[str, Actor] = {}

    def act(self, username: str) -> Actor:
        """The person with this username, or "system"."""
        if username not in self._actors:
            if username == "system":
                self._actors[username] = Actor.system(self.system.county_id)
            else:
                self._actors[username] = person(self.system, username)
        return self._actors[username]

    def deploy(self, **files: bytes | str) -> dict:
        """Deploy and publish a bundle: `deploy(**{"a.bpmn": xml, "a.form": json})`."""
        content = {name: text.encode() if isinstance(text, str) else text for name, text in files.items()}
        answer = deploy(self.system, self.act("supervisor"), content, now=self.now)
        return publish(self.system, self.act("supervisor"), answer["key"], answer["number"], now=self.now)

    def start(self, definition: str, place: str = "room-001", who: str = "ft-01-1", **options) -> dict:
        """Start a case."""
        return start(self.system, self.act(who), definition, place=place, now=self.now, **options)

    def open_tasks(self, instance_id: str) -> dict[str, instances.Task]:
        """The open tasks of a case by element; of several, the newest."""
        with self.system.database.read() as session:
            return {task.element: task for task in instances.tasks_of(session, instance_id)}

    def do(self, who: str, instance_id: str, element: str, data: dict | None = None) -> dict:
        """Claim and complete the case's open task at `element`."""
        task = self.open_tasks(instance_id)[element]
        if task.holder_id != self.act(who).person_id:
            claim(self.system, self.act(who), task.id, now=self.now)
        return complete(self.system, self.act(who), task.id, data or {}, now=self.now)

    def pass_time(self, **delta) -> int:
        """Let time pass and the worker do what is due: `pass_time(days=3)`. Answers how many timers fired."""
        self.now += timedelta(**delta)
        def once() -> int:
            return fire_due(self.system, self.now) + look(self.system, self.now) + sweep(self.system, self.now)

        fired = total = once()
        while fired + carry_out(self.system, self.now):
            fired = once()
            total += fired
        return total

    def instance(self, instance_id: str) -> instances.Instance:
        """A case's row."""
        with self.system.database.read() as session:
            return session.get(instances.Instance, instance_id)

    def variables(self, instance_id: str) -> dict:
        """A case's own variables as they stand."""
        with self.system.database.read() as session:
            opened = instances.open_instance(self.system, session, self.act("supervisor"), instance_id)
            compiled = definitions.compiled(self.system, session, opened.instance.version_id)
            return Case.restore(compiled.process, opened.state["case"]).variables()

    def history(self, instance_id: str) -> list[dict]:
        """A case's events, payloads opened."""
        with self.system.database.read() as session:
            return instances.history(self.system, session, self.act("supervisor"), instance_id, limit=1000)[0]

    def inbox(self, who: str, view: str = "offered") -> list[str]:
        """The elements of the tasks that somebody sees."""
        with self.system.database.read() as session:
            return [line.task.element for line in tasks.inbox(self.system, session, self.act(who), view)[0]]

    def faults(self) -> list[str]:
        """What `audit verify` finds."""
        with self.system.database.read() as session:
            return [str(fault) for fault in verify(session)]


def prepare(url: str) -> None:
    """Tables, people, calendars and parameters; no procedures."""
    small_county(url)
    county = County(url)
    for year in (2025, 2026):
        import_year(county.system, county.act("admin"), calendar.chinese_year(year), now=county.now)
    load_parameters(county.system, county.act("system"), ROOT / "bpmn" / "parameters.yaml", county.now)
    county.system.database.dispose()


def prepare_with_procedures(url: str) -> None:
    """As `prepare`, with everything under bpmn/ published."""
    prepare(url)
    county = County(url)
    deploy_directory(county.system, Actor.system("county"), ROOT / "bpmn", county.now)
    county.system.database.dispose()


@pytest.fixture
def county(backend, new_database) -> County:
    """A small county without procedures; the test runs once on each database."""
    yield from _opened(new_database(backend, prepare=prepare))


@pytest.fixture
def working_county(backend, new_database) -> County:
    """A small county with the product's procedures and regulations; once on each database."""
    yield from _opened(new_database(backend, prepare=prepare_with_procedures))


def _opened(url: str):
    county = County(url)
    quickened(county.system.database)
    yield county
    keep(county.system)
    county.system.database.dispose()
