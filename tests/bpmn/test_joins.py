"""Joins in loops, whatever the order of arrival; joins that wait for each other; joins that wait for nothing."""

from itertools import product

import pytest

from tests.bpmn.builder import Diagram
from tests.bpmn.harness import Driver, compile_process, diagram


@pytest.mark.parametrize("orders", list(product(["ab", "ba"], repeat=3)))
def test_parallel_join_in_a_loop(orders):
    """SpiffWorkflow fires early when the order of arrival changes between rounds."""
    case = Driver(diagram("parallel_join_in_loop"))
    for number, order in enumerate(orders, 1):
        for name in order:
            assert len(case.told("join:fired")) == number - 1
            case.complete(name, again=number < len(orders))
    assert case.case.status == "completed"


@pytest.mark.parametrize("order", ["abcd", "acbd", "cdab", "adcb"])
def test_excess_tokens_stay_for_the_next_round(order):
    """SpiffWorkflow drops them."""
    case = Driver(diagram("parallel_join_excess"))
    for name in order:
        case.complete(name)
    assert case.case.status == "completed"
    assert case.told("element:completed").count("end") == 2


ROUNDS = [({"x": True, "y": True}, ["a", "b"]), ({"x": False, "y": True}, ["b"]), ({"x": False, "y": False}, ["c"])]


@pytest.mark.parametrize("rounds", list(product(ROUNDS, repeat=3)))
def test_inclusive_join_in_a_loop(rounds):
    case = Driver(diagram("inclusive_join_in_loop"), rounds[0][0])
    for number, (_, tasks) in enumerate(rounds, 1):
        assert case.waiting == tasks
        following = rounds[number][0] if number < len(rounds) else {}
        for name in reversed(tasks) if number % 2 else tasks:
            assert len(case.told("join:fired")) == number - 1
            case.complete(name, again=number < len(rounds), **following)
    assert case.case.status == "completed"


def test_joins_that_can_reach_each_other_do_not_wait_for_ever():
    """Each could still get a token from the other; the specification lets a join go on that such a token could as well fill."""
    case = Driver(diagram("inclusive_joins_facing"), {"go_left": False, "go_right": False})
    case.complete("a")
    assert case.case.status == "active"
    case.complete("b")
    assert case.case.status in ("completed", "incident")
    case_two = Driver(diagram("inclusive_joins_facing"), {"go_left": False, "go_right": False})
    case_two.complete("b").complete("a")
    assert case_two.case.status == case.case.status


def test_a_join_nobody_can_complete_is_an_incident():
    case = Driver(diagram("deadlock"), {"left": True}).complete("a")
    assert case.case.status == "incident"
    [incident] = case.case.incidents()
    assert (incident.code, incident.element.id) == ("deadlock", "join")
    assert "汇合" in incident.message
    case.retry()
    assert case.case.status == "incident"
    assert case.cancel().case.status == "cancelled"


def test_an_inclusive_join_waits_for_what_may_come_over_a_link():
    made = Diagram("linked")
    made.add("startEvent", "start")
    made.add("parallelGateway", "split")
    made.add("inclusiveGateway", "join")
    made.user("here")
    made.user("there")
    made.event("intermediateThrowEvent", "away", "link", "back")
    made.event("intermediateCatchEvent", "back", "link", "back")
    made.user("after")
    made.add("endEvent", "end")
    made.path("start", "split", "here", "join", "after", "end")
    made.path("split", "there", "away")
    made.path("back", "join")
    case = Driver(compile_process(made.xml())).complete("here")
    assert case.waiting == ["there"]
    assert case.complete("there").waiting == ["after"]


def split_and_lost(watch: str) -> Diagram:
    """Two branches to a parallel join, of which one ends elsewhere; `watch` is what may happen at any time."""
    made = Diagram("lost")
    made.add("startEvent", "start"), made.add("parallelGateway", "split"), made.add("parallelGateway", "join"), made.add("endEvent", "end")
    made.user("here"), made.user("there"), made.add("exclusiveGateway", "back"), made.add("endEvent", "elsewhere")
    made.path("start", "split", "here", "join", "end"), made.path("split", "there", "back")
    made.flow("back", "join", "false"), made.flow("back", "elsewhere", default=True)
    with made.watcher("watch"):
        if watch == "timer":
            made.timer("startEvent", "each_day", "Cycle", "R/P1D", isInterrupting="false")
        else:
            made.event("startEvent", "each_day", watch, "called" if watch == "signal" else "alarm = true", isInterrupting="false")
        made.user("look"), made.add("endEvent", "looked")
        made.path("each_day", "look", "looked")
    return made


@pytest.mark.parametrize("watch", ["timer", "signal", "conditional"])
def test_a_join_nobody_can_complete_is_found_whatever_else_may_happen(watch):
    """A process-level event subprocess kept such a case active for ever: no task, no incident, nothing that an operator could move."""
    case = Driver(compile_process(split_and_lost(watch).xml()), {"alarm": False}).complete("there")
    assert case.case.status == "active", "somebody is still on the way to the join"
    case.complete("here")
    assert [incident.code for incident in case.case.incidents()] == ["deadlock"]
    assert case.retry().case.status == "incident"
    case.case.move_on(case.case.incidents()[0].token, case.env)
    assert case.case.status == "completed"


def test_a_dead_join_is_found_while_somebody_works_elsewhere():
    made = split_and_lost("timer")
    made.add("parallelGateway", "begin"), made.user("apart"), made.add("endEvent", "done")
    arrow = next(arrow for arrow in made.arrows.values() if (arrow.source, arrow.target) == ("start", "split"))
    arrow.target = "begin"
    made.path("begin", "split"), made.path("begin", "apart", "done")
    case = Driver(compile_process(made.xml()), {}).complete("there").complete("here")
    assert [incident.code for incident in case.case.incidents()] == ["deadlock"] and case.waiting == ["apart"]
    assert case.complete("apart").case.status == "incident"
