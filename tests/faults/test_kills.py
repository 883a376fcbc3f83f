"""The running product, killed again and again under load: what was acknowledged is there, what was asked twice happened once."""

import itertools
import threading
import time

import pytest
from sqlalchemy import func, select

from engine.audit import Event
from engine.instances import Instance, Task
from tests.faults.people import assert_sound, completed_more_than_once, prepare_cases, stuck
from tests.faults.product import PATIENCE, Crowd, Product, Program
from tests.support.counties import County

PEOPLE = {"ft-01-1": "room-001", "ft-01-2": "room-002", "pt-01-1": "room-003"}
PEOPLE |= {"ft-02-1": "room-004", "ft-02-2": "room-005", "pt-02-1": "room-004"}
# Web processes are killed most: they are the ones that write. (In this order the sample's seed takes each once.)
TARGETS = ["web"] * 5 + ["timers"] * 2 + ["arbiter", "everything", "arbiter"]
ROUNDS = {"sqlite": (3, 100), "postgresql": (1, 100)}


@pytest.fixture
def county(backend, new_database):
    county = County(new_database(backend, prepare_cases))
    yield county
    county.system.database.dispose()


class Acknowledged:
    """What the server has said is done. Each line is looked at once after a kill, and all of them at the end."""

    def __init__(self):
        self._lock = threading.Lock()
        self.cases: list[str] = []
        self.tasks: list[str] = []
        self.ended: list[str] = []
        self.timed: list[str] = []  # those with a timer in them
        self._checked = (0, 0, 0)

    def add(self, to: list[str], identity: str) -> None:
        """One more."""
        with self._lock:
            to.append(identity)

    def check(self, county: County, since: bool = True) -> None:
        """Everything (since the last time) is in the database."""
        with self._lock:
            marks = len(self.cases), len(self.tasks), len(self.ended)
            start = self._checked if since else (0, 0, 0)
            cases, tasks, ended = self.cases[start[0] : marks[0]], self.tasks[start[1] : marks[1]], self.ended[start[2] : marks[2]]
            self._checked = marks
        with county.system.database.read() as session:
            for batch in _batches(cases):
                assert session.scalar(select(func.count()).select_from(Instance).where(Instance.id.in_(batch))) == len(batch)
            for batch in _batches(tasks):
                assert set(session.scalars(select(Task.status).where(Task.id.in_(batch)))) == {"completed"}
            for batch in _batches(ended):
                assert set(session.scalars(select(Instance.status).where(Instance.id.in_(batch)))) == {"completed"}


def _batches(ids: list[str]):
    return itertools.batched(ids, 500) if hasattr(itertools, "batched") else (ids[at : at + 500] for at in range(0, len(ids), 500))


class Work:
    """A case from start to end, every fourth with a timer in it. Each write has a key of its own; every second case repeats each of its
    writes after the answer."""

    def __init__(self, done: Acknowledged):
        self.done = done

    def __call__(self, program: Program, number: int) -> None:
        name = f"{program.username}-{number}"
        definition = "deadline" if number % 4 else "quick"
        case = self._write(program, number, "/instances", {"definition": definition, "place": PEOPLE[program.username]}, f"{name}-start")
        self.done.add(self.done.cases, case["id"])
        self._finish(program, number, case["tasks"][0]["id"], {"amount": number}, f"{name}-ask")
        if definition == "quick":
            self.done.add(self.done.timed, case["id"])
            self._finish(program, number, self._after_the_timer(program, case["id"]), {}, f"{name}-check")
        self.done.add(self.done.ended, case["id"])

    def _finish(self, program: Program, number: int, task: str, data: dict, key: str) -> None:
        self._write(program, number, f"/tasks/{task}/claim", None, f"{key}-claim")
        assert self._write(program, number, f"/tasks/{task}/complete", {"data": data}, f"{key}-complete")["status"] == "completed"
        self.done.add(self.done.tasks, task)

    @staticmethod
    def _write(program: Program, number: int, path: str, body: dict | None, key: str) -> dict:
        answer = program.ask("POST", path, body, key)
        if number % 2 == 0:
            assert program.ask("POST", path, body, key) == answer
        return answer

    @staticmethod
    def _after_the_timer(program: Program, case: str) -> str:
        """The task that opens when the timer has fired."""
        until = time.monotonic() + PATIENCE
        while time.monotonic() < until:
            for task in program.ask("GET", f"/instances/{case}")["tasks"]:
                if task["element"] == "check":
                    return task["id"]
            time.sleep(0.1)
        raise AssertionError(f"the timer of {case} never fired")


@pytest.mark.soak
def test_the_product_killed_under_load(backend, county, tmp_path, campaign):
    """Web processes, gunicorn, the timers' worker, or all at once: nothing acknowledged is lost, nothing happens twice, nothing is stuck."""
    done, programs = Acknowledged(), []
    with Product(county.url, tmp_path) as product:
        programs = [Program(product.port, who) for who in PEOPLE]
        with Crowd(programs, Work(done)) as crowd:
            for number in campaign.rounds(*ROUNDS[backend]):
                dice = campaign.dice(backend, number)
                time.sleep(dice.uniform(0.1, 1.0))
                killed = product.kill(dice.choice(TARGETS), dice)
                product.await_complete()
                assert not crowd.failures, crowd.failures
                done.check(county)
                assert stuck(county) == []
                assert completed_more_than_once(county) == []
                campaign.note(**{f"{killed} killed": 1})
                if number % 10 == 0:
                    assert county.faults() == []
        assert not crowd.failures, crowd.failures
        verified = product.cli("audit", "verify")
        assert verified.returncode == 0, verified.stdout
    done.check(county, since=False)
    with county.system.database.read() as session:
        # What was asked for twice happened once: there is no case that nobody was told of, and none fired its timer twice.
        assert session.scalar(select(func.count()).select_from(Instance)) == len(set(done.cases)) == len(done.ended)
        assert set(session.scalars(select(Instance.status))) == {"completed"}
        kinds = dict(session.execute(select(Event.kind, func.count()).where(Event.stream.startswith("instance/")).group_by(Event.kind)).all())
    assert kinds["task:completed"] == len(done.cases) + len(done.timed) == len(done.tasks)
    assert kinds["timer:due"] == len(done.timed)
    assert kinds["instance:started"] == len(done.cases)
    campaign.note(**{"cases": len(done.cases), "requests asked again": sum(program.repeated for program in programs)})
    assert_sound(county)
