"""Two at the same moment: at one task to dispatch, at a task that its holder completes, at one line of a handover. One wins, nothing is
done twice, and the loser is told."""

from sqlalchemy import select

from engine.commands.handing import carry_on, hand_over
from engine.commands.tasks import claim
from engine.handovers import HandoverTask
from engine.instances import Task
from tests.faults.people import assert_sound, kinds
from tests.faults.test_races import backend, county, open_task, racers, won  # noqa: F401

HOLDER, SUBSTITUTE = "ft-01-1", "ft-01-2"
ROUNDS = 6


def revision(county, task_id) -> int:  # noqa: F811
    with county.system.database.read() as session:
        return session.get(Task, task_id).revision


def claimed(county) -> tuple[str, str]:  # noqa: F811
    """(case, task) of HOLDER."""
    case = county.start("steps")["id"]
    task = open_task(county, case, "ask")
    claim(county.system, county.act(HOLDER), task, now=county.now)
    return case, task


def test_two_dispatchers_at_one_task(county, racers):  # noqa: F811
    for _ in range(ROUNDS):
        case = county.start("steps")["id"]
        task = open_task(county, case, "ask")
        seen = revision(county, task)
        acts = [(who, "dispatch", (task, to, "缺人", seen)) for who, to in (("lead-01", HOLDER), ("supervisor", "pt-01-1"))]
        winner, told = won(racers(county.now, *acts))
        person = county.act((HOLDER, "pt-01-1")[winner])
        assert told["error"] == "task_taken" and person.name in told["message"], told
        assert county.open_tasks(case)["ask"].holder_id == person.person_id and kinds(county, case).count("task:dispatched") == 1
    assert_sound(county)


def test_a_dispatch_while_the_holder_completes(county, racers, campaign):  # noqa: F811
    for number in campaign.rounds(ROUNDS, 200):
        case, task = claimed(county)
        delay = {"delay": number % 3 * 0.01}
        sent, done = racers(
            county.now, ("lead-01", "dispatch", (task, SUBSTITUTE, "缺人"), delay), (HOLDER, "complete", (task, {"amount": number}))
        )
        winner, told = won([sent, done])
        assert told["error"] in (("task_taken",), ("task_closed", "instance_closed", "not_found"))[winner], told
        assert (kinds(county, case).count("task:dispatched"), kinds(county, case).count("task:completed")) == ((1, 0), (0, 1))[winner]
    assert_sound(county)


def test_two_at_one_step_and_two_at_a_whole_handover(county, racers):  # noqa: F811
    cases = dict(claimed(county) for _ in range(8))
    people = [county.act(who).person_id for who in (HOLDER, SUBSTITUTE)]
    found = hand_over(county.system, county.act("lead-01"), *people, now=county.now)["id"]
    for task in list(cases.values())[:4]:
        answers = racers(county.now, *[("system", "step", (found, task))] * 2)
        assert sorted(str(each["answer"]["outcome"]) for each in answers) == ["None", "went"], answers
    answers = racers(county.now, *[("system", "carry_on", (found,))] * 2)
    assert all("answer" in each for each in answers), answers
    carry_on(county.system, found, county.now)
    assert all(kinds(county, case).count("task:handed_over") == 1 for case in cases)
    answers = racers(county.now, *[("lead-01", "take_back", (found,))] * 2)
    assert all(each["answer"] == {"id": found} for each in answers), answers
    racers(county.now, *[("system", "carry_on", (found,))] * 2)
    carry_on(county.system, found, county.now)
    assert all(kinds(county, case).count("task:taken_back") == 1 for case in cases)
    with county.system.database.read() as session:
        lines = list(session.scalars(select(HandoverTask.outcome).where(HandoverTask.handover_id == found)))
        holders = {session.get(Task, task).holder_id for task in cases.values()}
    assert set(lines) == {"back"} and len(lines) >= 8 and holders == {people[0]}
    assert_sound(county)


def test_two_hand_over_the_same_person(county, racers):  # noqa: F811
    people = tuple(county.act(who).person_id for who in (HOLDER, SUBSTITUTE))
    winner, told = won(racers(county.now, *((who, "hand_over", people) for who in ("lead-01", "supervisor"))))
    assert told["error"] == "invalid_request" and "已经移交" in told["message"]
    assert_sound(county)
