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
