"""A process killed in the middle of a command leaves all of it or nothing: at each statement in turn, and at random lines."""

import signal
from datetime import timedelta

import pytest
from sqlalchemy import func, literal, select, union_all

from engine.commands.tasks import claim
from engine.db import Base
from tests.faults.mortal import AFTER, BEFORE, LINE, Mortal
from tests.faults.people import assert_sound, attempt, kinds, prepare_cases
from tests.support.counties import County
from tests.support.databases import BACKENDS

WHO = "ft-01-1"
MUCH_LATER = timedelta(days=30)
ACTS = ("start", "complete", "fire")


@pytest.fixture(scope="module", params=BACKENDS)
def backend(request):
    """Once on each database."""
    return request.param


@pytest.fixture(scope="module")
def county(backend, new_module_database):
    county = County(new_module_database(backend, prepare_cases))
    yield county
    county.system.database.dispose()


@pytest.fixture(scope="module")
def mortal(county):
    with Mortal(county.url) as mortal:
        yield mortal


class Act:
    """One command about to happen to a case of its own, and how to tell whether it did."""

    count = 0

    def __init__(self, county: County, what: str):
        Act.count += 1
        self.county, self.what, self.who, self.now, self.options = county, what, WHO, county.now, {"key": f"act-{Act.count}"}
        if what == "start":
            self.arguments = ("steps", {}, "room-001")
            return
        if what == "fire":
            while attempt(county, "system", "fire", now=county.now + MUCH_LATER)["answer"]:
                pass  # the timers of cases before
        self.case = county.start("steps")["id"]
        task = county.open_tasks(self.case)["ask"].id
        if what == "complete":
            claim(county.system, county.act(WHO), task, now=county.now)
            self.arguments = (task, {"amount": 7})
        else:
            county.do(WHO, self.case, "ask", {"amount": 7})
            self.who, self.arguments, self.options, self.now = "system", (), {}, county.now + MUCH_LATER

    def parts(self) -> tuple:
        """Who does what: the first arguments of `Mortal` after the time."""
        return self.who, self.what, self.arguments, self.options

    def done(self) -> dict:
        """Do it again, in this process, to its end."""
        return attempt(self.county, self.who, self.what, *self.arguments, now=self.now, **self.options)


def rows(county: County) -> dict[str, int]:
    """How many rows each table holds."""
    counts = [select(literal(name), func.count()).select_from(table) for name, table in Base.metadata.tables.items()]
    with county.system.database.read() as session:
        return dict(session.execute(union_all(*counts)).all())


def change(before: dict[str, int], after: dict[str, int]) -> dict[str, int]:
    """What came and what went, by table."""
    return {name: after[name] - number for name, number in before.items() if after[name] != number}


def measured(county: County, mortal: Mortal, what: str) -> tuple[dict, dict]:
    """(rows that this act adds, how many statements and lines it takes), from one that nobody disturbs."""
    act = Act(county, what)
    mortal(act.now, *act.parts())  # compiles
    act = Act(county, what)
    lines = mortal(act.now, *act.parts(), (LINE, 0))[1]
    act = Act(county, what)
    before = rows(county)
    outcome, counted = mortal(act.now, *act.parts())
    assert "answer" in outcome, outcome
    return change(before, rows(county)), counted | {LINE: lines[LINE]}


def die(county: County, mortal: Mortal, what: str, death: tuple[str, int], whole: dict[str, int]) -> bool:
    """Be killed there; all or nothing is left, and doing it again ends with all of it, once. Answers whether all was left."""
    act = Act(county, what)
    before = rows(county)
    outcome, ended = mortal(act.now, *act.parts(), death)
    if outcome is None:
        assert ended == signal.SIGKILL
    left = change(before, rows(county))
    assert left in ({}, whole), (what, death)
    again = act.done()
    assert "answer" in again, again
    assert change(before, rows(county)) == whole, (what, death)
    if what == "complete":
        assert again["answer"]["status"] == "completed"
        assert kinds(county, act.case).count("task:completed") == 1
    if what == "fire":
        assert again["answer"] == (0 if left else 1)
        assert kinds(county, act.case).count("timer:due") == 1
    return bool(left)


@pytest.mark.parametrize("what", ACTS)
def test_killed_at_each_statement(county, mortal, what):
    whole, counted = measured(county, mortal, what)
    assert counted[BEFORE] == counted[AFTER] > 5
    # What is left after a statement is what is left before the next one: after the last one, the commit, remains.
    deaths = [(BEFORE, number) for number in range(1, counted[BEFORE] + 1)] + [(AFTER, counted[AFTER])]
    left = [die(county, mortal, what, death, whole) for death in deaths]
    assert not any(left[:-1]), "before the commit nothing is there"
    assert left[-1], "after the commit all is there"
    assert_sound(county)


@pytest.mark.soak
def test_killed_at_a_random_line(county, mortal, campaign):
    """At any line of the engine."""
    known = {what: measured(county, mortal, what) for what in ACTS}
    for number in campaign.rounds(6, 1000):
        dice = campaign.dice(number)
        what = dice.choice(ACTS)
        whole, counted = known[what]
        stayed = die(county, mortal, what, (LINE, dice.randint(1, counted[LINE])), whole)
        campaign.note(kept=int(stayed), undone=int(not stayed))
        if number % 100 == 0:
            assert_sound(county)
    assert_sound(county)
