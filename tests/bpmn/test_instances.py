"""Multi-instance: an activity once for each item, together or in turn; what it gathers, when it is over, what ends it."""

import pytest

from engine.exceptions import InvalidRequest
from engine.workflow import compile_process
from tests.bpmn.builder import Diagram
from tests.bpmn.harness import Driver
from tests.bpmn.test_events import line, run

PARTIES = ["张三", "李四", "王五"]
INCOMING = '<zeebe:ioMapping><zeebe:input source="=party" target="who"/></zeebe:ioMapping>'


def visits(sequential: bool = False, **parts) -> Diagram:
    """A visit to each party."""
    d = line("visit")
    d.user("visit", INCOMING)
    d.many("visit", "parties", "party", sequential=sequential, **parts)
    return d


def test_together_each_has_its_item():
    case = run(visits(), {"parties": PARTIES})
    assert case.waiting == ["visit"] * 3
    assert [case.case.visible(wait.token)["who"] for wait in case.case.waits()] == PARTIES
    assert [int(case.case.visible(wait.token)["loopCounter"]) for wait in case.case.waits()] == [1, 2, 3]
    case.complete().complete()
    assert case.case.status == "active"
    assert case.complete().case.status == "completed"
    assert "who" not in case.variables and "loopCounter" not in case.variables


def test_in_turn_one_after_the_other():
    case = run(visits(sequential=True), {"parties": PARTIES})
    for number, party in enumerate(PARTIES, 1):
        [wait] = case.case.waits()
        assert case.case.visible(wait.token)["who"] == party and wait.visit == number
        case.complete()
    assert case.case.status == "completed"


@pytest.mark.parametrize("sequential", [False, True])
def test_results_are_gathered_in_the_order_of_the_items(sequential):
    d = visits(sequential, output=("found", 'who + ":" + found_here'))
    case = run(d, {"parties": PARTIES})
    for _ in PARTIES:
        wait = case.case.waits()[-1]  # the last one first, where there is a choice
        case.case.complete(wait.token, {"found_here": "好"}, case.env)
        case._store()
    assert case.variables["found"] == ["张三:好", "李四:好", "王五:好"]


@pytest.mark.parametrize("sequential", [False, True])
@pytest.mark.parametrize("items", [[], [None], [None, 1, None]])
def test_nothing_and_null_are_items_like_others(sequential, items):
    case = run(visits(sequential, output=("seen", "party")), {"parties": items})
    for _ in items:
        case.complete()
    assert case.case.status == "completed" and case.variables["seen"] == items


@pytest.mark.parametrize("sequential", [False, True])
def test_the_completion_condition_ends_the_rest(sequential):
    d = visits(sequential, until="numberOfCompletedInstances >= 2 and numberOfInstances = 3", output=("seen", "party"))
    case = run(d, {"parties": PARTIES}).complete().complete()
    assert case.case.status == "completed"
    assert case.variables["seen"] == ["张三", "李四", None]
    assert len(case.told("wait:cancelled")) == (0 if sequential else 1)


@pytest.mark.parametrize("sequential", [False, True])
def test_a_boundary_event_ends_all_instances(sequential):
    d = visits(sequential)
    d.boundary("stop", "visit", "message", "撤诉", key='"k"'), d.add("endEvent", "stopped"), d.path("stop", "stopped")
    case = run(d, {"parties": PARTIES}).complete().message("撤诉")
    assert case.case.status == "completed" and case.told("element:completed")[-1] == "stopped"


def test_instances_after_a_boundary_event():
    d = line("work")
    d.user("work"), d.boundary("late", "work", "timer", "PT1H")
    d.user("visit", INCOMING), d.many("visit", "parties", "party"), d.add("endEvent", "visited"), d.path("late", "visit", "visited")
    case = run(d, {"parties": PARTIES}).fire("late")
    assert case.waiting == ["visit"] * 3
    assert case.complete().complete().complete().case.status == "completed"


def test_subprocesses_are_instances_with_scopes_of_their_own():
    d = line("each")
    with d.inside("each"):
        d.add("startEvent", "in"), d.user("first"), d.script("keep", "seen", "party"), d.user("second"), d.add("endEvent", "out")
        d.path("in", "first", "keep", "second", "out")
    d.nodes["each"].zeebe = '<zeebe:ioMapping><zeebe:input source="=null" target="seen"/></zeebe:ioMapping>'
    d.many("each", "parties", "party", output=("all", "seen"))
    case = run(d, {"parties": PARTIES})
    for _ in PARTIES:
        case.complete("first")
    for _ in PARTIES:
        case.complete("second")
    assert case.variables["all"] == PARTIES and case.case.status == "completed"


def test_entered_again_it_begins_anew():
    d = Diagram("again")
    d.add("startEvent", "start"), d.add("exclusiveGateway", "back"), d.user("visit", INCOMING), d.user("ask"), d.add("endEvent", "end")
    d.many("visit", "parties", "party", output=("seen", "party"))
    d.add("exclusiveGateway", "which"), d.path("start", "back", "visit", "ask", "which")
    d.flow("which", "back", "more"), d.flow("which", "end", default=True)
    case = run(d, {"parties": PARTIES[:2]}).complete().complete().complete("ask", more=True, parties=["赵六"])
    case.complete("visit").complete("ask", more=False)
    assert case.variables["seen"] == ["赵六"] and case.case.status == "completed"


def test_what_is_no_list_is_an_incident_that_can_be_mended():
    case = run(visits(), {"parties": "张三"})
    assert [incident.code for incident in case.case.incidents()] == ["collection_invalid"]
    case.correct(parties=["张三"]).retry()
    assert case.waiting == ["visit"]


def test_a_loop_and_its_instances_leave_nothing_behind():
    case = run(visits(True), {"parties": list(range(200))})
    for _ in range(200):
        case.complete()
    assert case.case.status == "completed"
    assert max(case.sizes[1:]) <= case.sizes[0] + 40, "the state does not grow with what has been done"


def test_after_each_instance_it_is_asked_whether_that_was_enough():
    """Several that ended in one command were counted together, so a condition like this one was never seen true."""
    made = Diagram("enough")
    made.add("startEvent", "start")
    made.script("sum", "total", "total + item")
    made.many("sum", "[1, 10, 100]", "item", until="numberOfCompletedInstances = 1")
    made.add("endEvent", "end")
    made.path("start", "sum", "end")
    case = Driver(compile_process(made.xml()), {"total": 0})
    assert case.case.status == "completed"
    assert len(case.told("instances:decided")) == 1


@pytest.mark.parametrize("wrong", [5, "abcdef", None, []])
def test_nobody_else_writes_what_is_gathered(wrong):
    """A form field called like the output collection replaced it: a number broke the completion, a text mixed its letters into the results."""
    case = run(visits(output=("results", "loopCounter")), {"parties": PARTIES})
    for _ in PARTIES:
        case.complete(results=wrong)
    assert case.case.status == "completed" and case.variables["results"] == [1, 2, 3]


# --- what an instance gives is its own (as in Zeebe) ------------------------------------------------------------------------------


def test_no_instance_gathers_what_another_gave():
    """Two subprocesses at once: the first wrote its finding, the second wrote over it, and the first gathered the second's."""
    d = line("visit")
    with d.inside("visit"):
        d.add("startEvent", "begin"), d.user("look"), d.user("tell"), d.add("endEvent", "done")
        d.path("begin", "look", "tell", "done")
    d.many("visit", "parties", "party", output=("findings", "finding"))
    case = run(d, {"parties": ["张三", "李四", "王五"]})
    case.complete("look", finding="a").complete("look", finding="b").complete("look")
    case.complete("tell").complete("tell").complete("tell")
    assert case.variables == {"parties": ["张三", "李四", "王五"], "findings": ["a", "b", None]}, "nor does it leave its scope"


@pytest.mark.parametrize("sequential", [True, False])
def test_one_veto_is_enough(sequential):
    """The condition sees what the instance that has just ended gave, and the results so far."""
    d = visits(sequential, output=("votes", "vote"), until='vote = "no"')
    case = run(d, {"parties": PARTIES}).complete(vote="yes")
    assert case.case.status == "active"
    assert case.complete(vote="no").variables["votes"] == ["yes", "no", None] and case.case.status == "completed"


def test_a_condition_that_cannot_be_answered_stops_the_instance_that_asked_and_no_other():
    case = run(visits(output=("votes", "vote"), until="vote"), {"parties": PARTIES}).complete(vote="perhaps")
    assert [(incident.code, incident.element.id) for incident in case.case.incidents()] == [("condition_not_boolean", "visit")]
    case.complete(vote=False).complete(vote=False)
    assert case.case.status == "incident"
    case.case.move_on(case.case.incidents()[0].token, case.env)
    assert case.case.status == "completed"


def test_moved_on_by_hand_it_counts_too():
    case = run(visits(sequential=True, until="numberOfCompletedInstances >= 1"), {"parties": PARTIES})
    round_one = next(token.id for token in case.case.tokens.values() if token.element == "visit" and not token.is_loop)
    case.case.move_on(round_one, case.env)
    assert case.case.status == "completed"


def test_what_gathers_the_results_is_not_corrected_by_hand():
    """A number in its place, and the next instance that was completed crashed."""
    case = run(visits(output=("got", "who")), {"parties": PARTIES})
    [body] = [token.id for token in case.case.tokens.values() if token.is_loop]
    with pytest.raises(InvalidRequest):
        case.case.correct({"got": 5}, case.env, body)
    assert case.complete().complete().complete().variables["got"] == PARTIES
