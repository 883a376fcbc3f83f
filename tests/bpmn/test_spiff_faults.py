"""What SpiffWorkflow 3.2.0 accepts and then runs wrongly (or crashes on), element by element: here it is run right or refused by name."""

from collections.abc import Callable

import pytest

from engine.workflow import compile_process, examine
from tests.bpmn.builder import Diagram
from tests.bpmn.harness import Driver
from tests.bpmn.snippets import CALL, DEF, boundary, event, ext, file, node, timer


def flow(*nodes: Callable[[Diagram], str] | str) -> Diagram:
    """start → nodes → end, each a user task of that name unless it is given as what makes it."""
    made = Diagram("process")
    made.add("startEvent", "start")
    names = [made.user(part) if isinstance(part, str) else part(made) for part in nodes]
    made.add("endEvent", "end")
    made.path("start", *names, "end")
    return made


def watch(made: Diagram, trigger: str, name: str | None = None, interrupting: bool = True, key: str | None = None) -> Diagram:
    """An event subprocess in which `react` is done, in the scope that is open."""
    with made.watcher("watcher"):
        attributes = {} if interrupting else {"isInterrupting": "false"}
        if trigger == "timer":
            made.timer("startEvent", "happens", "Duration", name, **attributes)
        else:
            made.event("startEvent", "happens", trigger, name, key, **attributes)
        made.user("react")
        made.add("endEvent", "reacted")
        made.path("happens", "react", "reacted")
    return made


def run(made: Diagram, variables: dict | None = None, **environment) -> Driver:
    """A case of the diagram."""
    return Driver(compile_process(made.xml()), variables, **environment)


# --- refused by name ----------------------------------------------------------------------------------------------------------

REFUSED = {
    "several plain starts run and one is cancelled": (flow("task"), "several_starts"),
    "an error start of a process is read as plain": (flow("task"), "bad_process_start"),
    "an event definition by reference is read as plain": (
        file(node("intermediateCatchEvent", "<bpmn:eventDefinitionRef>d</bpmn:eventDefinitionRef>")),
        "unsupported_event",
    ),
    "a boundary event by reference": (file(more=boundary("<bpmn:eventDefinitionRef>d</bpmn:eventDefinitionRef>")), "unsupported_event"),
    "a failing script ignores its error boundary": (
        file(node("scriptTask", ext('<zeebe:script expression="=1" resultVariable="r"/>')), boundary(DEF.format("error"))),
        "error_never_thrown",
    ),
    "compensation is ignored": (file(node("intermediateThrowEvent", DEF.format("compensate"))), "unsupported_event"),
    "a transaction without compensation": (file(node("transaction")), "unsupported_element"),
    "cancel": (file(node("endEvent", DEF.format("cancel"))), "unsupported_event"),
    "a complex gateway that is not reached goes unseen": (file(more='<bpmn:complexGateway id="x"/>'), "unsupported_element"),
    "a send task without a message passes": (file(node("sendTask")), "no_definition"),
    "a receive task without a message passes": (file(node("receiveTask")), "no_definition"),
    "an ad-hoc subprocess wants a data object": (file(node("adHocSubProcess")), "unsupported_element"),
    "ids twice across scopes mix their flows": (file(node("subProcess", '<bpmn:startEvent id="start"/>')), "duplicate_id"),
    "a cron timer fails only while running": (file(node("intermediateCatchEvent", timer("0 0 9 * * *", "Cycle"))), "bad_timer"),
    "a duration as a date fails only while running": (file(node("intermediateCatchEvent", timer("PT1H", "Date"))), "bad_timer"),
    "a negative duration becomes a positive one": (file(node("intermediateCatchEvent", timer("-PT1H"))), "bad_timer"),
    "multiple triggers": (file(node("intermediateCatchEvent", timer("PT1H") + event("signal"))), "several_events"),
    "a call of nothing": (file(node("callActivity", ext(CALL.format("").replace('"q"', '""')))), "no_called_process"),
}
_second = REFUSED["several plain starts run and one is cancelled"][0]
_second.add("startEvent", "second")
_second.flow("second", "task")
_error = REFUSED["an error start of a process is read as plain"][0]
_error.event("startEvent", "broken", "error", "E")
_error.flow("broken", "task")


@pytest.mark.parametrize("name", REFUSED)
def test_refused_at_deployment(name):
    made, code = REFUSED[name]
    found = examine(made if isinstance(made, bytes) else made.xml())
    assert code in [finding.code for finding in found if finding.severity == "error"], found


# --- event subprocesses -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("trigger", ["error", "escalation"])
def test_an_event_subprocess_does_not_begin_with_its_process(trigger):
    case = run(watch(flow("task"), trigger, "X"))
    assert case.waiting == ["task"]
    assert case.complete().case.status == "completed"


def test_an_interrupting_one_interrupts():
    case = run(watch(flow("task"), "signal", "stop")).signal("stop")
    assert case.waiting == ["react"]
    assert case.complete("react").case.status == "completed"


def test_its_timer_does_not_keep_the_process_open():
    case = run(watch(flow("task"), "timer", "P1D")).complete("task")
    assert case.case.status == "completed"
    assert case.case.timers() == []


def test_its_condition_fires():
    case = run(watch(flow("task", "more"), "conditional", "risk > 3"), {"risk": 1}).complete("task", risk=5)
    assert case.waiting == ["react"]


def test_its_message_comes_inside_an_embedded_subprocess():
    made = Diagram("process")
    made.add("startEvent", "start")
    with made.inside("box"):
        made.add("startEvent", "begin")
        made.user("task")
        made.add("endEvent", "done")
        made.path("begin", "task", "done")
        watch(made, "message", "letter", key="client")
    made.add("endEvent", "end")
    made.path("start", "box", "end")
    case = run(made, {"client": "A"}).message("letter", "A")
    assert case.waiting == ["react"]
    assert case.complete().case.status == "completed"


def test_one_case_does_not_change_the_procedure_of_the_next():
    """A message event subprocess was added to the shared starts: later cases began it at once."""
    process = compile_process(watch(flow("task"), "message", "letter", interrupting=False, key="client").xml())
    Driver(process, {"client": "A"}).message("letter").message("letter")
    assert Driver(process, {"client": "B"}).waiting == ["task"]


# --- events -------------------------------------------------------------------------------------------------------------------


def test_a_catching_cycle_fires_once():
    case = run(flow(lambda made: made.timer("intermediateCatchEvent", "pause", "Cycle", "R3/PT1H"), "task")).fire()
    assert case.waiting == ["task"]
    assert case.case.timers() == []


@pytest.mark.parametrize("trigger", ["message", "signal"])
def test_a_boundary_event_that_does_not_interrupt_fires_each_time(trigger):
    made = flow("task")
    made.boundary("came", "task", trigger, "news", False, **({"key": "client"} if trigger == "message" else {}))
    made.user("note")
    made.path("came", "note", "end")
    case = run(made, {"client": "A"})
    for _ in range(3):
        case = case.message("news") if trigger == "message" else case.signal("news")
    assert case.waiting == ["note", "note", "note", "task"]


@pytest.mark.parametrize("border", [True, False])
def test_a_condition_is_looked_at_whenever_variables_change(border):
    if border:
        made = flow("task", "more")
        made.boundary("met", "more", "conditional", "total > 100")
        made.flow("met", "end")
        case = run(made, {"total": 1}).complete("task")
        assert case.waiting == ["more"]
        assert case.correct(total=101).case.status == "completed"
    else:
        case = run(flow(lambda made: made.event("intermediateCatchEvent", "met", "conditional", "total > 100")), {"total": 1})
        assert case.case.status == "active"
        assert case.correct(total=101).case.status == "completed"


def test_an_uncaught_error_does_not_go_on():
    made = flow("task")
    made.event("endEvent", "broken", "error", "E")
    made.nodes["end"].tag = "exclusiveGateway"
    made.path("end", "broken")
    case = run(made).complete()
    assert [incident.code for incident in case.case.incidents()] == ["error_uncaught"]


def test_a_sibling_does_not_catch_an_error():
    def box(made: Diagram) -> str:
        with made.inside("box"):
            made.add("startEvent", "begin")
            made.event("endEvent", "broken", "error", "E")
            made.path("begin", "broken")
        return "box"

    def beside(made: Diagram) -> str:
        with made.inside("beside"):
            made.add("startEvent", "begin2")
            made.user("task")
            made.add("endEvent", "end2")
            made.path("begin2", "task", "end2")
        made.boundary("wrong", "beside", "error")
        return "beside"

    made = flow(lambda made: made.add("parallelGateway", "split"), box)
    made.path("split", beside(made), "end")
    made.flow("wrong", "end")
    case = run(made)
    assert [incident.code for incident in case.case.incidents()] == ["error_uncaught"]
    assert case.waiting == ["task"]


def test_a_script_that_fails_is_an_incident():
    case = run(flow(lambda made: made.script("sum", "total", 'if missing then 1 else date("x") + 1')))
    assert case.case.status in ("incident", "completed")
    case = run(flow(lambda made: made.script("sum", "total", "function(x) x")))
    assert [incident.element.id for incident in case.case.incidents()] == ["sum"]


def test_many_instances_right_after_a_boundary_event():
    made = flow("task")
    made.boundary("late", "task", "timer", "PT1H")
    made.user("each")
    made.many("each", "[1, 2]", "item")
    made.path("late", "each", "end")
    case = run(made).fire()
    assert case.waiting == ["each", "each"]


def test_a_signal_end_throws_its_signal():
    made = flow("task")
    made.event("endEvent", "told", "signal", "done")
    made.flow("task", "told")
    case = run(made).complete()
    assert [(wish.kind, wish.name) for wish in case.asked] == [("signal", "done")]


def test_a_link_goes_on():
    made = flow("task")
    made.event("intermediateThrowEvent", "to", "link", "A")
    made.event("intermediateCatchEvent", "from", "link", "A")
    made.user("after")
    made.flow("task", "to")
    made.path("from", "after", "end")
    case = run(made).complete("task")
    assert case.waiting == ["after"]
    assert case.complete().case.status == "completed"


# --- flows and gateways -------------------------------------------------------------------------------------------------------


def test_several_flows_out_of_a_task_are_taken():
    made = flow("task", "one")
    made.user("two")
    made.path("task", "two", "end")
    assert run(made).complete("task").waiting == ["one", "two"]


@pytest.mark.parametrize("answer", [True, False])
def test_a_condition_on_the_only_other_flow_is_asked(answer):
    made = flow("task", "always")
    made.user("perhaps")
    made.flow("task", "perhaps", "answer")
    made.flow("perhaps", "end")
    assert run(made).complete("task", answer=answer).waiting == (["always", "perhaps"] if answer else ["always"])


def test_a_parallel_join_in_a_loop_waits_for_both_each_round():
    """It fired early when the order of arrival changed between rounds."""

    def rounds(made: Diagram) -> str:
        made.add("exclusiveGateway", "again")
        for name in "ab":
            made.user(name)
        for name in ("split", "join"):
            made.add("parallelGateway", name)
        made.path("again", "split", "a", "join")
        made.path("split", "b", "join")
        return "again"

    made = flow()
    made.arrows.clear()
    rounds(made)
    made.add("exclusiveGateway", "more")
    made.path("start", "again")
    made.flow("join", "more")
    made.flow("more", "again", "more")
    made.flow("more", "end", default=True)
    case = run(made, {"more": True})
    case.complete("a").complete("b")
    assert case.waiting == ["a", "b"]
    case.complete("b")
    assert case.waiting == ["a"]
    assert case.complete("a", more=False).case.status == "completed"


def test_two_timers_after_an_event_gateway_have_their_own_times():
    case = run(_race())
    first, second = case.case.timers()
    assert (first.element.id, second.element.id) == ("soon", "late")
    assert second.due - first.due > first.due - case.env.now


def test_a_condition_after_an_event_gateway_fires():
    assert run(_race(), {"x": 1}).correct(x=5).case.status == "completed"


def _race() -> Diagram:
    made = flow(lambda made: made.add("eventBasedGateway", "race"))
    made.arrows.pop("race_to_end")
    made.timer("intermediateCatchEvent", "soon", "Duration", "PT1H")
    made.timer("intermediateCatchEvent", "late", "Duration", "P1D")
    made.event("intermediateCatchEvent", "met", "conditional", "x > 3")
    for name in ("soon", "late", "met"):
        made.path("race", name, "end")
    return made


# --- activities ---------------------------------------------------------------------------------------------------------------


def _each(sequential: bool, output: tuple[str, str] | None = None) -> Diagram:
    made = flow("each", "again")
    made.many("each", "items", "item", output, sequential=sequential)
    return made


def test_a_null_item_does_not_stall_a_sequence():
    case = run(_each(sequential=True), {"items": [1, None, 3]})
    case.complete("each").complete("each").complete("each")
    assert case.waiting == ["again"]


def test_an_output_collection_is_made_anew_on_reentry():
    made = _each(False, ("results", "item"))
    made.nodes["again"].tag = "exclusiveGateway"
    made.nodes["again"].zeebe = ""
    made.flow("again", "each", "items = [1]")
    made.nodes["again"].attributes["default"] = "again_to_end"
    case = run(made, {"items": [1]}).complete("each")
    assert case.variables["results"] == [1]
    case.complete("each", items=[])
    assert case.case.status == "completed"
    assert case.variables["results"] == [1]


def test_an_items_variables_do_not_leak():
    case = run(_each(sequential=False), {"items": [1, 2]}).complete("each").complete("each")
    assert case.variables == {"items": [1, 2]}


def test_a_call_may_name_its_target_by_an_expression():
    case = run(flow(lambda made: made.call("call", '="visit_" + kind')), {"kind": "home"})
    assert [call.process_id for call in case.case.calls()] == ["visit_home"]
    assert case.called().case.status == "completed"


def test_a_key_is_worked_out_where_the_wait_opens():
    """It was computed from what the message brings."""
    made = flow(lambda made: made.event("intermediateCatchEvent", "reply", "message", "reply", key='"case-" + client'))
    [wait] = run(made, {"client": "7"}).case.subscriptions()
    assert (wait.name, wait.key) == ("reply", "case-7")


def test_a_thousand_tasks_in_a_row():
    made = flow(*(lambda made, n=n: made.add("task", f"t{n}") for n in range(1500)))
    assert run(made).case.status == "completed"


def test_a_thousand_rounds():
    """Deeper than a thousand its tree of tasks stopped silently."""
    made = flow("task", lambda made: made.add("exclusiveGateway", "which"))
    made.flow("which", "task", "n < 1100")
    made.nodes["which"].attributes["default"] = "which_to_end"
    case = run(made)
    for n in range(1, 1101):
        case.complete("task", n=n)
    assert case.case.status == "completed"


def test_branches_do_not_overwrite_each_other():
    """Branches held copies, and the join put stale values back."""
    made = flow(lambda made: made.add("parallelGateway", "split"), "a", lambda made: made.add("parallelGateway", "join"))
    made.user("b")
    made.path("split", "b", "join")
    case = run(made, {"x": 0, "y": 0}).complete("a", x=1).complete("b", y=2)
    assert case.variables == {"x": 1, "y": 2}
