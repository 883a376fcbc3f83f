"""Two processes at the same tasks, timers and keys at the same moment: one wins, the other is told, nothing happens twice or is lost."""

from datetime import timedelta

import pytest
from sqlalchemy import func, select

from engine.instances import Instance, Task
from tests.faults.people import assert_sound, events, kinds, prepare_cases, steps
from tests.faults.racing import Racers
from tests.support.counties import County
from tests.support.databases import BACKENDS

ONE, OTHER = "ft-01-1", "ft-01-2"
MUCH_LATER = timedelta(days=300)


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
def racers(county):
    """Starting processes takes longer than racing them: one pair for all races of a database."""
    with Racers(county.url) as racers:
        yield racers


def won(answers: list[dict]) -> tuple[int, dict]:
    """(who won, what the loser was told): exactly one has an answer."""
    winners = [number for number, answer in enumerate(answers) if "answer" in answer]
    assert len(winners) == 1, answers
    return winners[0], answers[1 - winners[0]]


def same(answers: list[dict]) -> dict:
    """Both have the same answer."""
    assert "answer" in answers[0], answers
    assert answers[0] == answers[1]
    return answers[0]["answer"]


def open_task(county: County, instance_id: str, element: str) -> str:
    return county.open_tasks(instance_id)[element].id


@pytest.mark.soak
def test_verification_beside_writers(county, racers, campaign):
    """What is verified while others write is as whole as when nobody does."""
    cases = []
    for number in campaign.rounds(4, 200):
        racers.send(county.now, *[(who, "start", ("deadline", {"amount": number}, "room-001")) for who in (ONE, OTHER)])
        assert county.faults() == []
        cases += [answer["answer"]["id"] for answer in racers.receive()]
    assert all([event.seq for event in events(county, case)] == list(range(1, len(events(county, case)) + 1)) for case in cases)
    assert_sound(county)


@pytest.mark.soak
def test_two_processes_at_the_same_tasks(county, racers, campaign):
    """One claims, the other is told who; one completes, the other is told it is done; a key from both acts once; a timer fires once."""
    begun = []
    for number in campaign.rounds(6, 1000):
        dice = campaign.dice(number)
        # The same key, the same request: one case.
        key = {"key": f"start-{number}"}
        case = same(racers(county.now, *[(ONE, "start", ("steps", {}, "room-001"), key)] * 2))["id"]
        begun.append(case)
        ask = open_task(county, case, "ask")

        winner, told = won(racers(county.now, (ONE, "claim", (ask,)), (OTHER, "claim", (ask,))))
        holder = (ONE, OTHER)[winner]
        assert told["error"] == "task_taken" and county.act(holder).name in told["message"]

        # Twice by its holder, from two processes, with different answers.
        amounts = dice.sample(range(100), 2)
        winner, told = won(racers(county.now, *((holder, "complete", (ask, {"amount": amount})) for amount in amounts)))
        assert told["error"] == "task_closed"
        assert county.variables(case)["amount"] == amounts[winner]

        # A timer, due, seen by two workers.
        due = county.now + MUCH_LATER
        answers = racers(due, ("system", "fire", ()), ("system", "fire", ()))
        assert sum(answer["answer"] for answer in answers) == 1, answers
        assert kinds(county, case).count("timer:due") == 1

        # Claimed and completed with the same key from both: the same answer, one effect.
        check = open_task(county, case, "check")
        same(racers(due, *[(OTHER, "claim", (check,), {"key": f"claim-{number}"})] * 2))
        answer = same(racers(due, *[(OTHER, "complete", (check, {}), {"key": f"complete-{number}"})] * 2))
        assert answer["instance"]["status"] == "completed"
        assert kinds(county, case).count("task:completed") == 2
        assert kinds(county, case).count("task:claimed") == 2
        campaign.note(races=6)
        if number % 100 == 0:
            assert_sound(county)
    with county.system.database.read() as session:
        assert {session.get(Instance, case).status for case in begun} == {"completed"}
        assert session.scalar(select(func.count()).select_from(Instance).where(Instance.definition_key == "steps")) == len(begun)
    assert_sound(county)


@pytest.mark.soak
def test_a_completion_and_its_deadline_at_the_same_moment(county, racers, campaign):
    """Either the task is completed or its time is up, never both and never neither."""
    outcomes = set()
    for number in campaign.rounds(4, 500):
        case = county.start("deadline")["id"]
        task = open_task(county, case, "ask")
        assert "answer" in racers(county.now, (ONE, "claim", (task,)), ("system", "fire", ()))[0]
        due = county.now + MUCH_LATER
        delay = campaign.dice(number).uniform(0, 0.02)  # the worker looks before it acts
        acts = [(ONE, "complete", (task, {"amount": number}), {"delay": delay}), ("system", "fire", ())]
        if number % 2:
            acts.reverse()
        answers = racers(due, *acts)
        if number % 2:
            answers.reverse()
        completed, fired = "answer" in answers[0], answers[1]["answer"]
        assert completed + fired == 1, answers
        told = kinds(county, case)
        assert (told.count("task:completed"), told.count("timer:due")) == (int(completed), fired)
        assert county.instance(case).status == "completed"
        with county.system.database.read() as session:
            assert session.get(Task, task).status == ("completed" if completed else "cancelled")
        if not completed:
            assert answers[0]["error"] in ("task_closed", "instance_closed")
        outcomes.add(completed)
        campaign.note(completed=int(completed), expired=fired)
    assert_sound(county)


# What may be told to who comes second. Anything else (a row that changed under one's hands, a deadlock, a fault) would be ours to prevent.
TOLD = {"task_taken", "task_closed", "task_not_yours", "instance_closed", "not_found", "not_offered"}


@pytest.mark.soak
def test_whatever_two_do_to_one_case(county, racers, campaign):
    """Claim, give back, hand on, complete, cancel, time passing: any two at once leave a case that is sound, and whoever fails knows why."""
    for number in campaign.rounds(8, 1000):
        dice = campaign.dice(number)
        case = county.start("deadline")["id"]
        task = open_task(county, case, "ask")
        acts = [
            *((who, what, (task,)) for who in (ONE, OTHER) for what in ("claim", "claim")),
            *((who, "release", (task, "换人")) for who in (ONE, OTHER, "lead-01")),
            *((who, "complete", (task, {"amount": number})) for who in (ONE, OTHER)),
            *(("lead-01", "delegate", (task, who)) for who in (ONE, OTHER)),
            ("lead-01", "cancel", (case, "搬走了")),
            ("system", "fire", ()),
        ]
        for turn in range(5):
            now = county.now + (MUCH_LATER if turn == 4 else timedelta(0))
            for answer in racers(now, *(dice.choice(acts) for _ in range(2))):
                assert "answer" in answer or answer["error"] in TOLD, answer
        told = kinds(county, case)
        assert told.count("task:completed") + told.count("instance:cancelled") + told.count("timer:due") <= 1
        campaign.note(**{f"ended {county.instance(case).status}": 1})
        if number % 100 == 0:
            assert_sound(county)
    assert_sound(county)


def test_two_supervisors_at_the_same_procedure(county, racers):
    """Two versions, or one and a word to the other; of one draft there is one publication."""
    for number in range(4):
        name = f"new_{number // 2}"  # at first nobody knows it, the second time there is one
        acts = [(who, "deploy", (steps(name),)) for who in ("supervisor", "supervisor-2")]
        answers = racers(county.now, *acts)
        versions = [answer["answer"]["number"] for answer in answers if "answer" in answer]
        assert versions and len(set(versions)) == len(versions), answers
        assert all(answer["error"] == "stale_version" for answer in answers if "error" in answer), answers
        answers = racers(county.now, *((who, "publish", (name, versions[0])) for who in ("supervisor", "supervisor-2")))
        assert won(answers)[1]["error"] in ("version_closed", "stale_version")
    assert_sound(county)
