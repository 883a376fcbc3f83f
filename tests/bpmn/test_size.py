"""Long diagrams, long cases: nothing recurses, nothing grows, nothing is forgotten."""

import json
import time

import pytest

from engine.workflow import Case, compile_process, examine
from tests.bpmn.builder import HEAD, Arrow, Diagram
from tests.bpmn.harness import NOW, Driver, Environment, diagram


def test_1200_nodes_in_a_row():
    """SpiffWorkflow ends in a recursion error after some 300."""
    made = Diagram("row")
    names = [made.add("startEvent", "start"), *(made.add("task", f"t{n}") for n in range(1200)), made.add("endEvent", "end")]
    made.path(*names)
    case = Driver(compile_process(_sparse(made)))
    assert case.case.status == "completed"
    assert len(case.told("element:completed")) == 1202


def test_a_diagram_of_10000_elements_is_examined_in_time():
    made = Diagram("large")
    names = [made.add("startEvent", "start")]
    for number in range(1600):
        names.append(made.add("inclusiveGateway", f"g{number}"))
        names.append(made.add("task", f"t{number}"))
    names.append(made.add("endEvent", "end"))
    made.path(*names)
    for number in range(1599):
        made.arrows[f"x{number}"] = Arrow(f"x{number}", f"g{number}", f"g{number + 1}")
    xml = _sparse(made)
    started = time.process_time()
    assert examine(xml) == []
    assert time.process_time() - started < 10
    started = time.process_time()
    case = Case.start(compile_process(xml), {}, Environment(now=NOW, visits=3))
    assert case.status == "incident"
    assert time.process_time() - started < 15


def _sparse(made: Diagram) -> bytes:
    """Without `incoming` and `outgoing`, whose writing would take longer than what is tested."""
    nodes = "".join(f'<bpmn:{node.tag} id="{node.id}"/>' for node in made.nodes.values())
    flows = "".join(
        f'<bpmn:sequenceFlow id="{flow.id}" sourceRef="{flow.source}" targetRef="{flow.target}">'
        + (
            '<bpmn:conditionExpression xsi:type="bpmn:tFormalExpression">=true</bpmn:conditionExpression>'
            if flow.source[0] == "g"
            else ""
        )
        + "</bpmn:sequenceFlow>"
        for flow in made.arrows.values()
    )
    return f'{HEAD}<bpmn:process id="large" isExecutable="true">{nodes}{flows}</bpmn:process></bpmn:definitions>'.encode()


@pytest.mark.soak
def test_state_does_not_grow_in_10000_rounds(campaign):
    rounds = campaign(3_000, 10_000)
    process, env = diagram("parallel_join_in_loop"), Environment(now=NOW)
    case = Case.start(process, {"again": True}, env)
    case.drain_steps()
    sizes, told = {}, set()
    for number in range(1, rounds + 1):
        for wait in case.waits():
            case.complete(wait.token, {"again": True}, env)
        told.add(len(case.drain_steps()))
        state = case.state()
        case = Case.restore(process, state)
        if number % 1000 == 10:
            sizes[number] = len(json.dumps(state))
    assert max(case.visits.values()) == rounds + 1
    assert len(told) == 1
    assert sizes[rounds - 990] - sizes[10] <= 60  # counters have more digits
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


@pytest.mark.parametrize("width", [100])
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
    started = time.process_time()
    case = Driver(compile_process(made.xml()))
    for _ in range(width):
        case.complete()
    assert case.case.status == "completed"
    assert time.process_time() - started < 20
