"""Long diagrams, long cases: nothing recurses, nothing grows, nothing is forgotten."""

import json
import time

import pytest

from engine.workflow import Case, compile_process
from tests.bpmn.builder import Diagram
from tests.bpmn.harness import NOW, Driver, Environment, diagram


def test_1200_nodes_in_a_row():
    """SpiffWorkflow ends in a recursion error after some 300."""
    made = Diagram("row")
    names = [made.add("startEvent", "start"), *(made.add("task", f"t{n}") for n in range(1200)), made.add("endEvent", "end")]
    made.path(*names)
    case = Driver(compile_process(made.xml()))
    assert case.case.status == "completed"
    assert len(case.told("element:completed")) == 1202


def test_state_does_not_grow_in_10000_rounds(campaign):
    process, env = diagram("parallel_join_in_loop"), Environment(now=NOW)
    case = Case.start(process, {"again": True}, env)
    sizes = []
    for _ in range(10_000):
        for _ in range(2):
            case.complete(case.waits()[0].token, {"again": True}, env)
        state = case.state()
        case = Case.restore(process, state)
        sizes.append(len(json.dumps(state)))
    assert max(case.visits.values()) == 10_001
    assert sizes[-1] - sizes[10] <= 60  # counters have more digits
    assert len(case.tokens) == 3


def test_finished_branches_leave_nothing():
    case = Driver(diagram("subprocess"), {"client": "x"})
    inside = case.sizes[-1]
    case.complete("ask", pet="cat")
    state = case.case.state()
    assert [token["element"] for token in state["tokens"]] == [None, "after"]
    assert case.sizes[-1] < inside
    case.complete()
    assert case.case.state()["timers"] == []
    assert [token["element"] for token in case.case.state()["tokens"]] == [None]


@pytest.mark.parametrize("width", [300])
def test_wide_splits(width):
    made = Diagram("wide")
    made.add("startEvent", "start")
    made.add("parallelGateway", "split")
    made.add("parallelGateway", "join")
    made.add("endEvent", "end")
    made.path("start", "split")
    made.path("join", "end")
    for number in range(width):
        made.user(f"u{number}")
        made.path("split", f"u{number}", "join")
    started = time.perf_counter()
    case = Driver(compile_process(made.xml()))
    for _ in range(width):
        case.complete()
    assert case.case.status == "completed"
    assert time.perf_counter() - started < 20
