"""Variables by Zeebe's rules: nearest scope that has the name, else the case; mappings make local ones."""

from engine.workflow import compile_process
from tests.bpmn.builder import Diagram
from tests.bpmn.harness import Driver, diagram, plain


def test_mappings_in_and_out():
    case = Driver(diagram("io_mapping"), {"client": {"name": "张三", "age": 71}})
    seen = case.case.visible(case.case.waits()[0].token)
    assert (seen["name"], seen["letter"], seen["style"]) == ("张三", {"head": "Dear 张三"}, "fixed")
    case.complete(answer=41, name="李四", unmapped=True)
    assert case.case.status == "completed"
    # What was completed stays inside; an output to a path keeps the rest of its variable; later outputs see earlier ones.
    assert case.variables == {"client": {"name": "张三", "age": 71, "answer": 41}, "next": 42}


def test_without_outputs_everything_comes_out():
    process = _task('<zeebe:ioMapping><zeebe:input source="=outer" target="inner"/></zeebe:ioMapping>')
    case = Driver(process, {"outer": 1}).complete(inner=5, outer=2, fresh=3)
    # `inner` exists in the task's own scope, so the write reaches only that one.
    assert case.variables == {"outer": 2, "fresh": 3}


def test_a_write_reaches_the_nearest_scope_with_the_name():
    shape = _nested('<zeebe:ioMapping><zeebe:input source="=0" target="level"/></zeebe:ioMapping>')
    case = Driver(shape, {"level": 7}).complete("inside", level=1, new=2)
    assert case.waiting == ["more"]
    assert plain(case.case.visible(case.case.waits()[0].token)) == {"level": 1, "new": 2}
    case.complete("more")
    assert case.variables == {"level": 7, "new": 2}


def test_parallel_branches_see_each_other():
    """SpiffWorkflow's branches hold copies, and its join puts stale values back."""
    case = Driver(diagram("parallel_gateway"), {"risk": "low", "notes": ["a"]})
    case.complete("a", risk="high", notes=["a", "b", "c"])
    assert plain(case.case.visible(case.case.waits()[0].token)) == {"risk": "high", "notes": ["a", "b", "c"]}
    case.complete("b", seen=True).complete("c")
    assert case.variables == {"risk": "high", "notes": ["a", "b", "c"], "seen": True}


def test_the_hosts_names_cannot_be_hidden():
    diagram_ = Diagram("host")
    diagram_.add("startEvent", "start")
    diagram_.script("read", "result", "parameters.limit")
    diagram_.add("endEvent", "end")
    diagram_.path("start", "read", "end")
    case = Driver(compile_process(diagram_.xml()), {"parameters": {"limit": 999}}, names={"parameters": {"limit": "law"}})
    assert case.variables["result"] == "law"


def test_a_variable_may_be_called_like_a_function():
    made = Diagram("count")
    made.add("startEvent", "start")
    made.script("first", "count", "if count = null then count([7, 8]) else 0")
    made.script("second", "count", "count + 1")
    made.script("third", "date", "if date = null then date(\"2026-03-01\").year else 0")
    made.add("endEvent", "end")
    made.path("start", "first", "second", "third", "end")
    assert Driver(compile_process(made.xml())).variables == {"count": 3, "date": 2026}


def _task(zeebe: str):
    made = Diagram("one")
    made.add("startEvent", "start")
    made.user("ask", zeebe)
    made.add("endEvent", "end")
    made.path("start", "ask", "end")
    return compile_process(made.xml())


def _nested(zeebe: str):
    made = Diagram("nested")
    made.add("startEvent", "start")
    made.add("subProcess", "box", zeebe)
    made.add("endEvent", "end")
    made.path("start", "box", "end")
    made.scope = "box"
    made.add("startEvent", "begin")
    made.user("inside")
    made.user("more")
    made.add("endEvent", "done")
    made.path("begin", "inside", "more", "done")
    return compile_process(made.xml())


def test_a_border_sees_the_inputs_of_its_activity_but_a_messages_key_is_the_scopes():
    """As in Zeebe. The timer was counted by the outer variable of the same name."""
    d = Diagram("border")
    d.add("startEvent", "start"), d.add("endEvent", "end")
    d.user("work", '<zeebe:ioMapping><zeebe:input source="=&quot;PT5H&quot;" target="length"/></zeebe:ioMapping>')
    d.path("start", "work", "end")
    d.boundary("late", "work", "timer", "=length"), d.add("endEvent", "over"), d.path("late", "over")
    d.event("boundaryEvent", "told", "message", '="told after " + length', key="length", attachedToRef="work")
    d.add("endEvent", "heard"), d.path("told", "heard")
    case = Driver(compile_process(d.xml()), {"length": "PT1H"})
    [timer], [wait] = case.case.timers(), case.case.subscriptions()
    assert (timer.due - timer.since).total_seconds() == 5 * 3600
    assert (wait.name, wait.key) == ("told after PT5H", "PT1H")


def test_an_input_to_a_path_makes_its_variable_anew():
    """As in Zeebe. It brought along what else the outer variable holds, also to called cases that were to get only what is mapped."""
    case = Driver(_task('<zeebe:ioMapping><zeebe:input source="=1" target="client.id"/></zeebe:ioMapping>'), {"client": {"name": "张三"}})
    assert plain(case.case.visible(case.case.waits()[0].token)["client"]) == {"id": 1}
