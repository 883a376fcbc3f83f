"""What passes between cases, raced and killed: no message is missed, nothing is delivered twice or lost, no job has two programs."""

import signal

import pytest
from sqlalchemy import func, select

from engine.commands.tasks import claim
from engine.deliveries import Delivery
from engine.instances import Instance
from engine.messages import Subscription
from tests.bpmn.builder import Diagram
from tests.faults.mortal import AFTER, BEFORE, LINE, Mortal
from tests.faults.people import assert_sound, attempt, kinds
from tests.faults.racing import Racers
from tests.integration.test_calls import caller, children, inner
from tests.integration.test_jobs import account, texting
from tests.integration.test_messages import asking, files, receipt
from tests.support.counties import County, prepare
from tests.support.databases import BACKENDS

ONE, OTHER, WHO = "ft-01-1", "ft-01-2", "supervisor"


def talking(ident: str, hears: str, says: str) -> dict:
    """ask → say → hear → end: two of them answer each other."""
    diagram = asking(ident)
    diagram.event("intermediateThrowEvent", "say", "message", says, key="n")
    diagram.event("intermediateCatchEvent", "hear", "message", hears, key="n")
    diagram.path("ask", "say", "hear", "end")
    return files(diagram)


def ordered() -> dict:
    """A message begins it, one at a time for a key."""
    diagram = Diagram("order")
    diagram.event("startEvent", "ordered", "message", "ordered"), diagram.add("endEvent", "end")
    diagram.timer("intermediateCatchEvent", "pause", "Duration", "P9Y"), diagram.path("ordered", "pause", "end")
    return files(diagram)


def prepare_talk(url: str) -> None:
    """A small county with procedures that talk, call and give work to programs."""
    prepare(url)
    county = County(url)
    for bundle in (receipt(), texting(), files(inner()), files(caller()), ordered(), talking("ping", "pong", "ping"), talking("pong", "ping", "pong")):
        county.deploy(**bundle)
    account(county, "program", "county")
    county.system.database.dispose()


@pytest.fixture(scope="module", params=BACKENDS)
def backend(request):
    """Once on each database."""
    return request.param


@pytest.fixture(scope="module")
def county(backend, new_module_database):
    county = County(new_module_database(backend, prepare_talk))
    yield county
    county.system.database.dispose()


@pytest.fixture(scope="module")
def racers(county):
    with Racers(county.url) as racers:
        yield racers


def claimed(county: County, case: str, element: str, who: str) -> str:
    """The task at an element, taken."""
    task = county.open_tasks(case)[element].id
    claim(county.system, county.act(who), task, now=county.now)
    return task


def held(county: County, model, *conditions) -> int:
    with county.system.database.read() as session:
        return session.scalar(select(func.count()).select_from(model).where(*conditions))


@pytest.mark.soak
def test_a_message_and_the_wait_it_is_for_at_the_same_moment(county, racers, campaign):
    """Whoever is first: the case has caught it, once, and nothing is left to be done."""
    for number in campaign.rounds(12, 1000):
        dice, key = campaign.dice(number), 1000 + number
        case = county.start("receipt")["id"]
        task = claimed(county, case, "ask", ONE)
        late = [{"delay": dice.random() * 0.02}, {"delay": dice.random() * 0.02}]
        answers = racers(
            county.now, (ONE, "complete", (task, {"n": key}), late[0]), (WHO, "publish_message", ("paid", key, {"amount": 1}), late[1])
        )
        assert all("answer" in answer for answer in answers), answers
        assert list(county.open_tasks(case)) == ["thank"], (number, answers)
        assert kinds(county, case).count("message:caught") == 1
        campaign.note(races=1)
    assert held(county, Delivery) == 0
    assert_sound(county)


@pytest.mark.soak
def test_two_messages_at_the_same_moment(county, racers, campaign):
    """Two cases wait, two messages come: each has one. With one number for both only one is taken."""
    for number in campaign.rounds(6, 500):
        key = 100_000 + number
        cases = [county.start("receipt", data={"n": key})["id"] for _ in range(2)]
        publish = (WHO, "publish_message", ("paid", key))
        assert [answer["answer"]["caught"] for answer in racers(county.now, publish, publish)] == [1, 1]
        assert [list(county.open_tasks(case)) for case in cases] == [["thank"], ["thank"]]
        twice = [(who, "publish_message", ("paid", f"k{number}", {}, 60, "N1")) for who in ("supervisor", "supervisor-2")]
        told = racers(county.now, *twice)
        assert sorted("answer" in answer for answer in told) == [False, True]
        assert [answer["error"] for answer in told if "error" in answer] == ["message_known"]
        begun = [(who, "publish_message", ("ordered", f"k{number}")) for who in ("supervisor", "supervisor-2")]
        assert sum(answer["answer"]["started"] for answer in racers(county.now, *begun)) == 1
        campaign.note(races=3)
    assert held(county, Instance, Instance.definition_key == "order", Instance.status == "active") == campaign(6, 500)
    assert_sound(county)


@pytest.mark.soak
def test_cases_that_answer_each_other_at_the_same_moment(county, racers, campaign):
    """Locks are taken in one order: nobody waits for ever, both end."""
    for number in campaign.rounds(6, 500):
        key = 200_000 + number
        one, other = county.start("ping")["id"], county.start("pong", who=OTHER)["id"]
        acts = [(ONE, "complete", (claimed(county, one, "ask", ONE), {"n": key})), (OTHER, "complete", (claimed(county, other, "ask", OTHER), {"n": key}))]
        assert all("answer" in answer for answer in racers(county.now, *acts))
        while attempt(county, "system", "carry", now=county.now)["answer"]:
            pass
        assert [county.instance(case).status for case in (one, other)] == ["completed", "completed"]
        campaign.note(races=1)
    assert held(county, Subscription, Subscription.name.in_(("ping", "pong"))) == 0
    assert_sound(county)


@pytest.mark.soak
def test_two_programs_never_have_one_job(county, racers, campaign):
    for _number in campaign.rounds(6, 500):
        cases = {county.start("texting", data={"n": 1})["id"] for _ in range(3)}
        fetch = [("program", "activate", ("send-sms", worker, 300, 2)) for worker in ("one", "other")]
        jobs = [job["id"] for answer in racers(county.now, *fetch) for job in answer["answer"]["jobs"]]
        jobs += [job["id"] for job in attempt(county, "program", "activate", "send-sms", "third", 300, 9, now=county.now)["answer"]["jobs"]]
        assert len(jobs) == len(set(jobs)) == len(cases), jobs
        assert all(kinds(county, case).count("job:activated") == 1 for case in cases)
        campaign.note(races=1)
    assert_sound(county)


@pytest.mark.soak
def test_a_delivery_that_two_workers_see_is_carried_out_once(county, racers, campaign, monkeypatch):
    for _number in campaign.rounds(4, 300):
        case = county.start("outer", data={"n": 1})["id"]
        [child] = children(county, case)
        with monkeypatch.context() as patch:
            patch.setattr("engine.commands.deliveries.settle", lambda *_: None)
            county.do(ONE, child, "work")
        answers = racers(county.now, ("system", "carry", ()), ("system", "carry", ()))
        assert sum(answer["answer"] for answer in answers) == 1, answers
        assert list(county.open_tasks(case)) == ["check"]
        assert kinds(county, case).count("call:completed") == 1
        campaign.note(races=1)
    assert held(county, Delivery) == 0
    assert_sound(county)


# --- killed -------------------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def mortal(county):
    with Mortal(county.url) as mortal:
        yield mortal


class Ending:
    """Somebody completes the last task of a called case, whose caller then goes on."""

    count = 0

    def __init__(self, county: County):
        Ending.count += 1
        self.county = county
        self.case = county.start("outer", data={"n": 1})["id"]
        [self.child] = children(county, self.case)
        self.parts = (ONE, "complete", (claimed(county, self.child, "work", ONE), {}), {"key": f"ending-{Ending.count}"})

    def finish(self) -> None:
        """Ask again, as a program does that got no answer; let the worker do what is left."""
        who, what, arguments, options = self.parts
        assert "answer" in attempt(self.county, who, what, *arguments, now=self.county.now, **options)
        while attempt(self.county, "system", "carry", now=self.county.now)["answer"]:
            pass
        assert list(self.county.open_tasks(self.case)) == ["check"]
        assert kinds(self.county, self.case).count("call:completed") == 1
        assert kinds(self.county, self.child).count("task:completed") == 1


@pytest.mark.soak
def test_killed_between_the_end_of_a_called_case_and_its_caller(county, mortal, campaign):
    """At any statement: before the first commit nothing is there, between the commits the worker finishes it, after both it is done already."""
    mortal(county.now, *Ending(county).parts)  # compiles
    outcome, counted = mortal(county.now, *Ending(county).parts)
    assert "answer" in outcome and counted[BEFORE] == counted[AFTER] > 15
    for number in campaign.rounds(16, 1000):
        at = campaign.dice(number).randint(1, counted[BEFORE])
        ending = Ending(county)
        outcome, ended = mortal(county.now, *ending.parts, (BEFORE, at))
        assert outcome is None and ended == signal.SIGKILL, at
        left = (county.instance(ending.child).status, held(county, Delivery))
        assert left in {("active", 0), ("completed", 1)}, at
        campaign.note(undone=int(left[0] == "active"), finished_by_the_worker=left[1])
        ending.finish()
    assert held(county, Delivery) == 0
    assert_sound(county)


@pytest.mark.soak
def test_killed_at_a_random_line_while_a_message_passes(county, mortal, campaign):
    """A message published, its process killed anywhere: published again under its number it is there once, and the case has caught it once."""
    warm = ("supervisor", "publish_message", ("paid", "warm", {}, 60), {})
    mortal(county.now, *warm)
    lines = mortal(county.now, *warm, (LINE, 0))[1][LINE]
    for number in campaign.rounds(6, 1000):
        dice, key = campaign.dice(number), 300_000 + number
        case = county.start("receipt", data={"n": key})["id"]
        arguments, options = ("paid", key, {"amount": 2}, 3600, f"kill-{number}"), {"key": f"kill-{number}"}
        mortal(county.now, "supervisor", "publish_message", arguments, options, (LINE, dice.randint(1, lines * 2)))
        again = attempt(county, "supervisor", "publish_message", *arguments, now=county.now, **options)
        assert "answer" in again, again
        while attempt(county, "system", "carry", now=county.now)["answer"]:
            pass
        assert list(county.open_tasks(case)) == ["thank"]
        assert kinds(county, case).count("message:caught") == 1
        campaign.note(kills=1)
    assert_sound(county)
