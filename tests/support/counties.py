"""A small county for tests: one station with two rooms, a second station, and everybody a procedure needs.

`county` runs the test on each database; `county.act("ft-01-1")` is that person; time is `county.now`, moved by hand.
"""

from datetime import datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from engine import calendar, definitions, instances, tasks
from engine.audit import Kind, record
from engine.commands.definitions import deploy, publish
from engine.commands.installation import deploy_directory, load_parameters
from engine.commands.instances import start
from engine.commands.seed import seed_county
from engine.commands.tasks import claim, complete
from engine.commands.timers import fire_due
from engine.db import Database
from engine.organisation import Actor, actor_of
from engine.schema import upgrade
from engine.system import System
from engine.vault import Vault
from engine.verification import verify
from engine.workflow import Case

ROOT = Path(__file__).parents[2]
MORNING = datetime(2026, 3, 2, 9, 0, tzinfo=ZoneInfo("Asia/Shanghai"))  # a Monday
PASSWORD = "liangshan-1234"
VAULT = Vault(b"\x07" * 32)
COUNTY = """
county: {name: 测试县, valid_from: 2022-01-01}
stations:
  - {name: 水泊街道, rooms: [张庄村, 李庄村]}
  - {name: 梁山街道, rooms: [王庄村]}
posts:
  - {each: county, username: supervisor, roles: [supervisor]}
  - {each: county, username: supervisor-2, roles: [supervisor]}
  - {each: county, username: auditor, roles: [auditor]}
  - {each: county, username: admin, roles: [admin]}
  - {each: station, username: "lead-{number}", roles: [lead]}
  - {each: station, username: "ft-{number}-1", workforce: full_time}
  - {each: station, username: "ft-{number}-2", workforce: full_time}
  - {each: station, username: "pt-{number}-1", workforce: part_time}
  - {each: station, username: "volunteer-{number}-1", workforce: volunteer}
  - {each: station, username: "partner-{number}-child", workforce: partner, partner: child}
  - {each: room, username: "assistant-{number}", workforce: assistant}
names: {surnames: 王李张刘, given: [秀英, 建国, 海燕, 永刚]}
"""


class County:
    """A running installation: the engine's commands with people and time at hand."""

    def __init__(self, url: str):
        self.url = url
        self.system = System(Database(url), VAULT, "county")
        self.now = MORNING
        self._actors: dict[str, Actor] = {}

    def act(self, username: str) -> Actor:
        """The person with this username, or "system"."""
        if username not in self._actors:
            if username == "system":
                self._actors[username] = Actor.system(self.system.county_id)
            else:
                with self.system.database.read() as session:
                    self._actors[username] = actor_of(session, VAULT, username)
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
        fired = total = fire_due(self.system, self.now)
        while fired:
            fired = fire_due(self.system, self.now)
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
    """Tables, people, the calendar, parameters and regulations; no procedures."""
    county = County(url)
    upgrade(county.system.database)
    file = Path(url.rsplit("/", 1)[-1].replace("?", "_") + ".yaml")
    file = Path("/tmp") / file.name
    file.write_text(COUNTY, encoding="utf-8")
    seed_county(county.system, file, PASSWORD, county.now)
    with county.system.database.unit(county.now) as unit:
        for year in (2025, 2026):
            calendar.put_year(unit, "county", calendar.chinese_year(year), None)
        record(unit, "calendar/county", Kind.PARAMETER_SET, actor=Actor.system("county"))
        unit.commit()
    load_parameters(county.system, Actor.system("county"), ROOT / "bpmn" / "parameters.yaml", county.now)
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
    yield county
    county.system.database.dispose()
