"""Messages, signals, conditions, errors, escalations, links and the gateway that waits: thrown and caught, interrupting or not."""

import pytest

from engine.exceptions import NoSuchSubscription
from engine.workflow import compile_process
from tests.bpmn.builder import Diagram
from tests.bpmn.harness import Driver


def run(diagram: Diagram, variables=None, **options) -> Driver:
    """A case of a drawn process."""
    return Driver(compile_process(diagram.xml()), variables, **options)


def line(*middle: str) -> Diagram:
    """Start, whatever `middle` will be, end; the nodes of the middle are still to be added."""
    d = Diagram("line")
    d.add("startEvent", "start"), d.add("endEvent", "end")
    d.path("start", *middle, "end")
    return d


# --- messages and signals ---------------------------------------------------------------------------------------------------


def test_a_message_is_waited_for_under_its_key_and_brings_variables():
    d = line("wait")
    d.event("intermediateCatchEvent", "wait", "message", "答复", "number")
    case = run(d, {"number": "A-7"})
    [waiting] = case.case.subscriptions()
    assert (waiting.name, waiting.key, waiting.element.id) == ("答复", "A-7", "wait")
    case.message("答复", result="受理")
    assert case.case.status == "completed" and case.variables == {"number": "A-7", "result": "受理"}


def test_a_number_is_a_key_too_and_nothing_is_none():
    d = line("wait")
    d.event("intermediateCatchEvent", "wait", "message", "答复", "number")
    assert run(d, {"number": 12}).case.subscriptions()[0].key == "12"
    stuck = run(d)
    assert [incident.code for incident in stuck.case.incidents()] == ["correlation_key_invalid"]
    stuck.correct(number="B-1").retry()
    assert stuck.case.subscriptions()[0].key == "B-1"


def test_a_message_that_nobody_waits_for_is_told():
    d = line("wait")
    d.event("intermediateCatchEvent", "wait", "message", "答复", "number")
    case = run(d, {"number": "A-7"})
    case.message("答复")
    with pytest.raises(NoSuchSubscription):
        case.case.correlate(2, {}, case.env)


def test_a_receive_task_is_an_activity_that_waits():
    d = line("wait")
    d.receive("wait", "答复", "number")
    d.boundary("late", "wait", "timer", "PT1H"), d.add("endEvent", "over"), d.path("late", "over")
    assert run(d, {"number": "1"}).message("答复").told("element:completed") == ["start", "wait", "end"]
    assert run(d, {"number": "1"}).fire().told("element:completed") == ["start", "late", "over"]


def test_a_message_is_sent_with_the_local_variables():
    d = line("send")
    d.send("send", "通知", "number", zeebe='<zeebe:ioMapping><zeebe:input source="=number + 1" target="next"/></zeebe:ioMapping>')
    case = run(d, {"number": 1})
    [sent] = case.asked
    assert (sent.kind, sent.name, sent.key) == ("message", "通知", "1")
    assert {name: int(value) for name, value in sent.variables.items()} == {"next": 2}
    assert case.case.status == "completed"


@pytest.mark.parametrize("tag", ["intermediateThrowEvent", "endEvent"])
def test_messages_and_signals_are_thrown_by_events(tag):
    d = Diagram("throws")
    d.add("startEvent", "start")
    d.event(tag, "m", "message", "通知", "1"), d.event(tag, "s", "signal", "警报")
    d.add("parallelGateway", "fork"), d.path("start", "fork", "m"), d.path("fork", "s")
    if tag == "intermediateThrowEvent":
        d.add("endEvent", "end"), d.path("m", "end"), d.path("s", "end")
    case = run(d)
    assert [(wish.kind, wish.name) for wish in case.asked] == [("message", "通知"), ("signal", "警报")]
    assert case.case.status == "completed"


def test_a_signal_wakes_everything_that_waits_for_it_in_its_own_case_too():
    d = Diagram("signals")
    d.add("startEvent", "start"), d.add("parallelGateway", "fork"), d.add("parallelGateway", "join"), d.add("endEvent", "end")
    for name in "ab":
        d.event("intermediateCatchEvent", name, "signal", "警报")
        d.path("fork", name, "join")
    d.user("work"), d.event("intermediateThrowEvent", "throw", "signal", "警报")
    d.path("start", "fork", "work", "throw", "join"), d.path("join", "end")
    case = run(d).complete("work")
    assert case.case.status == "completed"
    assert sorted(case.told("signal:caught")) == ["a", "b"]


@pytest.mark.parametrize("trigger", ["message", "signal", "conditional"])
@pytest.mark.parametrize("interrupting", [True, False])
def test_a_boundary_event_fires_as_often_as_it_happens(trigger, interrupting):
    d = line("work")
    d.user("work"), d.add("endEvent", "aside")
    name = "n > 0" if trigger == "conditional" else "来信"
    key = {"key": '"k"'} if trigger == "message" else {}
    d.boundary("event", "work", trigger, name, interrupting, **key), d.path("event", "aside")
    case = run(d, {"n": 0})
    for _ in range(1 if interrupting else 3):
        if trigger == "conditional":
            case.correct(n=1).correct(n=2).correct(n=0)  # only becoming true counts
        else:
            getattr(case, trigger)("来信")
    assert len(case.told("element:completed")) == (3 if interrupting else 7)
    assert case.waiting == ([] if interrupting else ["work"])
    assert case.case.status == ("completed" if interrupting else "active")


def test_a_condition_that_holds_already_does_not_wait():
    d = line("wait")
    d.event("intermediateCatchEvent", "wait", "conditional", "n > 1")
    assert run(d, {"n": 2}).case.status == "completed"
    case = run(d, {"n": 1})
    assert case.case.status == "active"
    assert case.correct(n=2).case.status == "completed"


def test_a_condition_is_met_by_what_a_parallel_branch_writes():
    d = Diagram("parallel")
    d.add("startEvent", "start"), d.add("parallelGateway", "fork"), d.add("parallelGateway", "join"), d.add("endEvent", "end")
    d.event("intermediateCatchEvent", "wait", "conditional", 'risk = "高"'), d.user("visit")
    d.path("start", "fork", "wait", "join", "end"), d.path("fork", "visit", "join")
    assert run(d).complete("visit", risk="高").case.status == "completed"


@pytest.mark.parametrize("times", [1, 2])
def test_a_condition_that_holds_between_two_steps_only_has_held(times):
    """Conditions were looked at when everything rested: one that came and went in between was missed, one that came twice counted once."""
    steps = [f"{name}{number}" for number in range(times) for name in ("rises", "falls")]
    d = line(*steps, "stay")
    for step in steps:
        d.script(step, "water", "5" if step.startswith("rises") else "1")
    d.user("stay")
    with d.watcher("watch"):
        d.event("startEvent", "high", "conditional", "water > 3", isInterrupting="false")
        d.user("warn"), d.add("endEvent", "warned"), d.path("high", "warn", "warned")
    assert run(d, {"water": 0}).waiting == ["stay", *["warn"] * times]


# --- errors and escalations -------------------------------------------------------------------------------------------------


def mediation(catches: tuple[tuple[str, str | None], ...], throws: str, trigger: str = "error", interrupting: bool = True) -> Diagram:
    """A subprocess that ends by throwing; events on its border."""
    d = line("inner")
    with d.inside("inner"):
        d.add("startEvent", "in"), d.user("talk"), d.event("endEvent", "refused", trigger, throws), d.path("in", "talk", "refused")
    for name, code in catches:
        d.boundary(name, "inner", trigger, code, interrupting), d.add("endEvent", f"{name}_end"), d.path(name, f"{name}_end")
    return d


def test_an_error_is_caught_by_its_code_before_the_one_for_all():
    case = run(mediation((("any", None), ("exact", "拒绝")), "拒绝")).complete()
    assert case.told("error:caught") == ["exact"] and case.case.status == "completed"
    assert "refused" in case.told("element:completed") and "inner" in case.told("element:cancelled")
    assert run(mediation((("any", None), ("other", "失联")), "拒绝")).complete().told("error:caught") == ["any"]


def test_an_error_that_nothing_catches_is_an_incident_and_goes_on_nowhere():
    case = run(mediation((("other", "失联"),), "拒绝")).complete()
    assert [incident.code for incident in case.case.incidents()] == ["error_uncaught"]
    assert case.told("element:completed") == ["start", "in", "talk"]


def test_an_error_is_never_caught_by_a_sibling():
    d = Diagram("siblings")
    d.add("startEvent", "start"), d.add("parallelGateway", "fork"), d.path("start", "fork")
    for name in "ab":
        with d.inside(name):
            d.add("startEvent", f"{name}1"), d.user(f"{name}2")
            d.event("endEvent", f"{name}3", "error", "坏") if name == "a" else d.add("endEvent", "b3")
            d.path(f"{name}1", f"{name}2", f"{name}3")
        d.add("endEvent", f"{name}4"), d.path("fork", name, f"{name}4")
    d.boundary("caught", "b", "error", "坏"), d.add("endEvent", "e"), d.path("caught", "e")
    case = run(d).complete("a2")
    assert case.case.incidents()[0].code == "error_uncaught" and case.waiting == ["b2"]


@pytest.mark.parametrize("interrupting", [True, False])
def test_an_escalation_tells_the_scope_outside(interrupting):
    case = run(mediation((("up", "上报"),), "上报", "escalation", interrupting)).complete()
    assert case.case.status == "completed" and case.told("escalation:caught") == ["up"]
    assert ("inner" in case.told("element:completed")) is not interrupting


def test_an_escalation_that_nobody_hears_changes_nothing():
    d = line("up", "work")
    d.event("intermediateThrowEvent", "up", "escalation", "上报"), d.user("work")
    case = run(d)
    assert case.waiting == ["work"] and case.step("escalation:thrown").facts == {"code": "上报", "caught": False}


# --- event subprocesses -----------------------------------------------------------------------------------------------------


def watched(trigger: str, interrupting: bool, embedded: bool = False, **parts) -> Diagram:
    """A user task, and an event subprocess with a task of its own beside it; both perhaps inside a subprocess."""
    d = Diagram("watched")
    d.add("startEvent", "start"), d.add("endEvent", "end")

    def body():
        d.user("work")
        with d.watcher("watcher"):
            cancels = {"isInterrupting": str(interrupting).lower()}
            if trigger == "timer":
                d.timer("startEvent", "alarm", "Duration" if interrupting else "Cycle", "PT1H" if interrupting else "R3/PT1H", **cancels)
            else:
                d.event("startEvent", "alarm", trigger, parts["name"], parts.get("key"), **cancels)
            d.user("handle"), d.add("endEvent", "handled"), d.path("alarm", "handle", "handled")

    if embedded:
        with d.inside("sub"):
            d.add("startEvent", "in"), body(), d.add("endEvent", "out"), d.path("in", "work", "out")
        d.path("start", "sub", "end")
    else:
        body(), d.path("start", "work", "end")
    return d


CAUSES = {
    "message": ({"name": "警情", "key": '"k"'}, lambda case: case.message("警情", what="打人")),
    "signal": ({"name": "警情"}, lambda case: case.signal("警情", what="打人")),
    "conditional": ({"name": 'what != null'}, lambda case: case.correct(what="打人")),
    "timer": ({}, lambda case: case.fire()),
}


@pytest.mark.parametrize("embedded", [False, True])
@pytest.mark.parametrize("trigger", CAUSES)
def test_an_event_subprocess_that_interrupts_ends_everything_else_in_its_scope(trigger, embedded):
    parts, happen = CAUSES[trigger]
    case = run(watched(trigger, True, embedded, **parts))
    assert case.waiting == ["work"]
    happen(case)
    assert case.waiting == ["handle"] and "work" in case.told("element:cancelled")
    assert case.awaited == [] and case.case.timers() == []
    assert case.complete("handle").case.status == "completed"
    assert ("end" in case.told("element:completed")) is embedded


@pytest.mark.parametrize("embedded", [False, True])
@pytest.mark.parametrize("trigger", CAUSES)
def test_one_that_does_not_interrupt_runs_beside_and_may_come_again(trigger, embedded):
    parts, happen = CAUSES[trigger]
    case = run(watched(trigger, False, embedded, **parts))
    happen(case)
    if trigger == "conditional":
        case.correct(what=None)
    happen(case)
    assert case.waiting == ["handle", "handle", "work"]
    case.complete("work").complete("handle")
    assert case.case.status == "active", "the scope waits for what runs in it"
    assert case.complete("handle").case.status == "completed"
    assert case.told("element:completed")[-1] == ("end" if embedded else "watcher")


def test_an_error_inside_is_caught_by_the_scopes_event_subprocess_before_the_border():
    d = mediation((("border", "拒绝"),), "拒绝")
    with d.inside("inner"):
        pass
    d.scope = "inner"
    with d.watcher("watcher"):
        d.event("startEvent", "caught", "error", "拒绝"), d.user("record"), d.add("endEvent", "noted"), d.path("caught", "record", "noted")
    d.scope = None
    case = run(d).complete("talk")
    assert case.waiting == ["record"] and case.told("error:caught") == ["caught"]
    assert case.complete("record").told("element:completed")[-1] == "end"


def test_an_error_thrown_again_by_its_catcher_goes_outwards():
    d = line("inner")
    with d.inside("inner"):
        d.add("startEvent", "in"), d.user("talk"), d.event("endEvent", "refused", "error", "拒绝"), d.path("in", "talk", "refused")
        with d.watcher("watcher"):
            d.event("startEvent", "caught", "error", "拒绝"), d.event("endEvent", "again", "error", "拒绝"), d.path("caught", "again")
    d.boundary("border", "inner", "error", "拒绝"), d.add("endEvent", "e"), d.path("border", "e")
    case = run(d).complete("talk")
    assert case.told("error:caught") == ["caught", "border"] and case.case.status == "completed"


def test_what_runs_beside_in_a_scope_is_inside_it_for_errors_too():
    """An event subprocess that does not interrupt is part of its scope: another one there catches its error, before the border."""
    d = line("inner")
    with d.inside("inner"):
        d.add("startEvent", "in"), d.user("talk"), d.add("endEvent", "out"), d.path("in", "talk", "out")
        with d.watcher("beside"):
            d.event("startEvent", "asked", "signal", "询问", isInterrupting="false"), d.event("endEvent", "broken", "error", "拒绝"), d.path("asked", "broken")
        with d.watcher("watcher"):
            d.event("startEvent", "caught", "error", "拒绝"), d.user("record"), d.add("endEvent", "recorded"), d.path("caught", "record", "recorded")
    d.boundary("border", "inner", "error", "拒绝"), d.add("endEvent", "e"), d.path("border", "e")
    case = run(d).signal("询问")
    assert case.told("error:caught") == ["caught"] and case.waiting == ["record"]


# --- the gateway that waits, links ------------------------------------------------------------------------------------------


def waiting_gateway() -> Diagram:
    """A message, a signal, a time or a condition, whichever comes first."""
    d = Diagram("first")
    d.add("startEvent", "start"), d.add("eventBasedGateway", "which"), d.path("start", "which")
    d.event("intermediateCatchEvent", "m", "message", "答复", '"k"'), d.event("intermediateCatchEvent", "s", "signal", "警报")
    d.timer("intermediateCatchEvent", "t", "Duration", "P60D"), d.event("intermediateCatchEvent", "c", "conditional", "given_up")
    d.receive("r", "撤回", '"k"')
    for name in "mstcr":
        d.add("endEvent", f"{name}_end"), d.path("which", name, f"{name}_end")
    return d


@pytest.mark.parametrize(
    ("happen", "which"),
    [
        (lambda case: case.message("答复", answer="可以"), "m"),
        (lambda case: case.signal("警报"), "s"),
        (lambda case: case.fire(), "t"),
        (lambda case: case.correct(given_up=True), "c"),
        (lambda case: case.message("撤回"), "r"),
    ],
)
def test_the_first_event_wins_and_the_others_are_no_longer_waited_for(happen, which):
    case = run(waiting_gateway())
    assert case.awaited == ["撤回", "答复", "警报"] and len(case.case.timers()) == 1
    happen(case)
    assert case.case.status == "completed"
    assert case.told("element:completed") == ["start", "which", which, f"{which}_end"]
    assert case.awaited == [] and case.case.timers() == []
    assert case.variables.get("answer") == ("可以" if which == "m" else None)


def test_a_link_goes_on_where_its_name_is_caught():
    d = Diagram("links")
    d.add("startEvent", "start"), d.user("a"), d.event("intermediateThrowEvent", "out", "link", "下一页"), d.path("start", "a", "out")
    d.event("intermediateCatchEvent", "in", "link", "下一页"), d.user("b"), d.add("endEvent", "end"), d.path("in", "b", "end")
    case = run(d).complete("a")
    assert case.waiting == ["b"]
    assert case.complete().told("element:completed") == ["start", "a", "out", "in", "b", "end"]


# --- splits and merges without a gateway ------------------------------------------------------------------------------------


def test_several_flows_out_of_a_task_are_all_taken_and_a_task_begins_for_each_that_arrives():
    d = Diagram("implicit")
    d.add("startEvent", "start"), d.user("a"), d.user("b"), d.user("c"), d.user("m"), d.add("endEvent", "end")
    d.path("start", "a", "b", "m", "end"), d.path("a", "c", "m")
    case = run(d).complete("a")
    assert case.waiting == ["b", "c"]
    case.complete("b").complete("c")
    assert case.waiting == ["m", "m"]


def test_conditions_on_flows_out_of_a_task():
    d = Diagram("conditional")
    d.add("startEvent", "start"), d.user("a"), d.path("start", "a")
    for name in ("free", "yes", "rest"):
        d.user(name), d.add("endEvent", f"{name}_end"), d.path(name, f"{name}_end")
    d.flow("a", "free"), d.flow("a", "yes", "n > 1"), d.flow("a", "rest", "n > 2")
    assert run(d).complete("a", n=1).waiting == ["free"]
    assert run(d).complete("a", n=3).waiting == ["free", "rest", "yes"]


def test_a_task_with_a_default_flow_chooses_like_a_gateway():
    d = Diagram("default")
    d.add("startEvent", "start"), d.user("a"), d.path("start", "a")
    for name in ("yes", "rest"):
        d.user(name), d.add("endEvent", f"{name}_end"), d.path(name, f"{name}_end")
    d.flow("a", "yes", "n > 1"), d.flow("a", "rest", default=True)
    assert run(d).complete("a", n=2).waiting == ["yes"]
    assert run(d).complete("a", n=1).waiting == ["rest"]
