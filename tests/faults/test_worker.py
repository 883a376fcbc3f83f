"""One broken case never stops the others: the worker goes round it, tells its history, and comes back later and later."""

from datetime import timedelta

import pytest
from sqlalchemy import select, text

from engine.commands.running import Run
from engine.commands.timers import fire_due
from engine.instances import Timer
from engine.timers import due_starts
from engine.workflow import Case
from tests.bpmn.builder import Diagram
from tests.faults.people import assert_sound, kinds, prepare_cases
from tests.support.counties import County


@pytest.fixture
def county(backend, new_database):
    county = County(new_database(backend, prepare_cases))
    yield county
    county.system.database.dispose()


@pytest.fixture
def broken_and_sound(county) -> tuple[str, str]:
    """(a case whose timer is due first, one that is due after it)."""
    first = county.start("deadline")["id"]
    county.now += timedelta(minutes=1)
    second = county.start("steps", data={"amount": 1})["id"]
    county.now += timedelta(days=2)
    return first, second


def spoil(county: County, statement: str, **values) -> None:
    with county.system.database.writing() as connection:
        assert connection.execute(text(statement), values).rowcount > 0
        connection.commit()


def timers(county: County, case: str) -> list[Timer]:
    with county.system.database.read() as session:
        return list(session.scalars(select(Timer).where(Timer.instance_id == case)))


def fire_all(county: County) -> int:
    """By a worker that was started just now: it has nothing compiled."""
    worker = County(county.url)
    fired = fire_due(worker.system, county.now)
    worker.system.database.dispose()
    return fired


SPOILT = {
    "its state cannot be opened": "UPDATE instance SET sealed_state = (SELECT max(sealed_name) FROM person) WHERE id = :case",
    "its key is destroyed": "UPDATE subject_key SET wrapped = '' WHERE subject = 'instance/' || :case",
    "its diagram cannot be compiled any more": (
        "UPDATE definition_resource SET content = (SELECT max(sealed_name) FROM person) WHERE name = 'deadline.bpmn' "
        "AND version_id = (SELECT version_id FROM instance WHERE id = :case)"
    ),
}


@pytest.mark.parametrize("what", SPOILT)
def test_a_broken_case_does_not_stop_the_others(county, broken_and_sound, what):
    broken, sound = broken_and_sound
    spoil(county, SPOILT[what], case=broken)
    assert fire_all(county) == 1
    assert "timer:due" in kinds(county, sound)
    assert kinds(county, broken)[-1] == "timer:failed"
    (late,) = timers(county, broken)
    assert late.attempts == 1
    assert late.next_at > county.now
    county.now += timedelta(hours=1)
    assert fire_all(county) == 0
    (later,) = timers(county, broken)
    assert later.attempts == 2
    assert later.next_at - county.now > late.next_at - (county.now - timedelta(hours=1))


def test_a_fault_of_ours_in_one_case_does_not_stop_the_others(county, broken_and_sound, monkeypatch):
    """Not even an error that nobody thought of."""
    broken, sound = broken_and_sound
    restore = Run.restore

    def stumble(run: Run) -> Run:
        if run.instance.id == broken:
            raise ZeroDivisionError
        return restore(run)

    monkeypatch.setattr(Run, "restore", stumble)
    assert fire_all(county) == 1
    assert "timer:due" in kinds(county, sound)
    assert kinds(county, broken)[-1] == "timer:failed"
    monkeypatch.undo()
    county.now += timedelta(hours=1)
    assert fire_all(county) == 1
    assert "timer:due" in kinds(county, broken)
    assert_sound(county)


def test_a_start_that_always_fails_is_put_off_longer_each_time(county, monkeypatch):
    """It was tried again each second, for ever, and nobody but the log knew."""
    diagram = Diagram("daily", "每日")
    diagram.timer("startEvent", "each_day", "Cycle", "R/P1D")
    diagram.user("visit", '<zeebe:assignmentDefinition candidateGroups="supervisor"/>')
    diagram.add("endEvent", "end")
    diagram.path("each_day", "visit", "end")
    county.deploy(**{"daily.bpmn": diagram.xml(), "visit.form": FORM})

    def stumble(*_arguments, **_options):
        raise ZeroDivisionError

    monkeypatch.setattr(Case, "start", stumble)
    county.now += timedelta(days=1, seconds=1)
    tries = []
    for _second in range(4 * 360):
        if due_starts_of(county):
            tries.append(county.now)
            assert fire_all(county) == 0
        county.now += timedelta(seconds=10)
    waits = [later - earlier for earlier, later in zip(tries, tries[1:], strict=False)]
    assert len(tries) < 20 and waits == sorted(waits) and max(waits) <= timedelta(hours=1, seconds=10)
    monkeypatch.undo()
    assert county.pass_time(hours=1) >= 1
    assert county.inbox("supervisor")
    assert county.faults() == []


FORM = '{"type": "default", "schemaVersion": 18, "id": "visit", "components": []}'


def due_starts_of(county: County) -> list:
    with county.system.database.read() as session:
        return due_starts(session, county.system.county_id, county.now, 10)
