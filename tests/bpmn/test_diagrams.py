"""The drawn diagrams of the elements that tell, wait, call and repeat: read as drawn, and driven to their ends."""

import pytest

from engine.workflow import Kind, Trigger, compile_processes, examine, unknown_names
from tests.bpmn.builder import Diagram
from tests.bpmn.harness import DIAGRAMS, Driver, compile_process, diagram

CLIENT = {"client": "张三"}


def sent(case: Driver) -> list[tuple]:
    """What the case told the world."""
    return [(wish.kind, wish.name, wish.key) for wish in case.asked]


# --- driven -------------------------------------------------------------------------------------------------------------------


def test_messages_go_and_come():
    case = Driver(diagram("message_events"), CLIENT)
    case.message("催办", "张三").message("催办", "张三")
    assert case.waiting == ["note", "note", "read"]
    case.complete("read").message("确认", "张三")
    assert sent(case) == [("message", "回复", "张三"), ("message", "上报", "张三")]
    assert case.asked[0].variables == {"to": "张三"}
    case.message("批复", "张三").complete("note").complete("note")
    assert case.case.status == "completed"
    assert sent(case)[-1] == ("message", "结案", "张三")


def test_a_message_may_withdraw():
    case = Driver(diagram("message_events"), CLIENT).complete("read").message("撤回", "张三")
    assert case.case.status == "completed"
    assert case.told("element:completed")[-1] == "withdrawn"


def test_a_message_may_begin():
    process = diagram("message_events")
    assert process.start_events == ("start", "letter_came")
    assert Driver(process, CLIENT, start="letter_came").waiting == ["read"]


def test_signals():
    case = Driver(diagram("signal_events")).signal("雨情通报").signal("雨情通报")
    assert case.waiting == ["listen", "listen", "visit"]
    case.complete("visit").complete("listen").complete("listen").signal("预警解除")
    assert case.case.status == "completed"
    assert sent(case) == [("signal", "走访已开始", None), ("signal", "走访已结束", None)]
    assert Driver(diagram("signal_events"), start="warned").signal("立即撤离").case.status == "completed"


@pytest.mark.parametrize(("result", "then"), [("fine", []), ("forged", ["report"]), ("missing", ["ask"])])
def test_errors(result, then):
    assert Driver(diagram("error_events")).complete("compare", result=result).waiting == then


def test_escalations():
    case = Driver(diagram("escalation_events")).complete("look")
    assert case.waiting == ["prepare", "talk"]
    case.complete("talk")
    assert case.waiting == ["prepare", "rescue"]
    assert "end" not in case.told("element:completed")


def test_conditions():
    case = Driver(diagram("conditional_events"), {"collected": 0, "donors": 1})
    case.complete("collect", collected=500, donors=11)
    assert case.case.status == "active" and case.waiting == []
    case.correct(collected=1200)
    assert case.waiting == ["pay"]
    assert case.correct(collected=50).case.status == "completed"
    assert case.told("element:completed")[-1] == "stopped"


@pytest.mark.parametrize("urgent", [True, False])
def test_links(urgent):
    case = Driver(diagram("link_events"), {"urgent": urgent})
    if urgent:
        case.complete("short")
    assert case.waiting == ["long"]
    assert case.complete().case.status == "completed"


@pytest.mark.parametrize(
    ("happens", "then"),
    [
        (lambda case: case.message("同意", "张三"), ["visit"]),
        (lambda case: case.message("来信", "张三"), ["read"]),
        (lambda case: case.fire(), ["call"]),
        (lambda case: case.signal("台风预警"), []),
        (lambda case: case.correct(moved=True), []),
    ],
)
def test_the_first_of_several_events(happens, then):
    case = Driver(diagram("event_gateway"), CLIENT)
    assert happens(case).waiting == then
    assert case.case.subscriptions() == case.case.timers() == []


def test_event_subprocesses():
    case = Driver(diagram("event_subprocesses"), CLIENT).message("询问", "张三").message("询问", "张三").complete("work")
    assert case.waiting == ["answer", "answer", "step"]
    case.correct(risk="high")
    assert case.waiting == ["act", "answer", "answer"]
    case.complete("act").complete("answer")
    assert case.waiting == ["answer"]
    case.message("撤回", "张三")
    assert case.waiting == ["note"]
    assert case.complete().case.status == "completed"


def test_jobs():
    case = Driver(diagram("service_tasks"), {"client": {"id": 7, "found": None}, "channel": "wechat"})
    [job] = case.case.jobs()
    assert (job.type, job.retries, dict(job.headers)) == ("household-register", 3, {})
    case.work("fetch", found="一户")
    assert case.variables["household"] == "一户"
    [job] = case.case.jobs()
    assert (job.type, job.retries, dict(job.headers)) == ("text-message", 5, {"template": "visit"})
    case.work("notify")
    assert [job.type for job in case.case.jobs()] == ["wechat"]
    assert case.work("told").case.status == "completed"
    case = Driver(diagram("service_tasks"), {"client": {"id": 7}}).error("查无此人")
    assert case.waiting == ["ask"]


def test_calls():
    case = Driver(diagram("call_activity"), CLIENT | {"topic": "safety"})
    assert case.asked[0].variables == CLIENT
    case.escalated("情况可疑")
    assert case.waiting == ["note"]
    case.called("visit", findings="平安", other="no")
    assert case.variables["report"] == "平安" and "other" not in case.variables
    assert [call.process_id for call in case.case.calls()] == ["course_safety"]
    assert case.complete("note").called("train").case.status == "completed"
    assert Driver(diagram("call_activity"), CLIENT).error("拒绝入户").waiting == ["talk"]


def test_many():
    start = {"households": ["甲", "乙"], "leaders": ["一", "二", "三"], "amounts": [1, 2], "sites": ["南", "北"]}
    case = Driver(diagram("multi_instance"), start)
    case.complete("visit", report="好").complete("visit", report="差")
    assert case.waiting == ["sign", "sign", "sign"]
    case.complete("sign").complete("sign")
    assert case.waiting == ["look"]
    assert case.complete("look").waiting == ["look"]
    assert case.complete("look").case.status == "completed"
    assert (case.variables["reports"], case.variables["totals"]) == (["好", "差"], [2, 4])
    assert Driver(diagram("multi_instance"), start).fire("late").case.status == "completed"


def test_flows_without_gateways():
    case = Driver(diagram("conditional_flows"), {"poor": True, "ill": True, "score": 5}).complete("assess")
    assert case.waiting == ["care", "money"]
    case.complete("care").complete("money")
    assert case.waiting == ["record", "record"]
    case.complete("record").complete("record").complete("choose").complete("choose", score=1)
    assert case.waiting == ["long", "short"]
    assert Driver(diagram("conditional_flows"), {"poor": False, "ill": False}).complete("assess").waiting == ["archive"]


# --- read ---------------------------------------------------------------------------------------------------------------------


def test_data_is_only_drawn():
    """As the stock editor draws it, with a placeholder at the end of an arrow from a data object."""
    assert list(diagram("data_and_artifacts").elements) == ["start", "fill", "end"]


def test_pools_are_procedures_of_their_own():
    station, hospital = compile_processes((DIAGRAMS / "pools").with_suffix(".bpmn").read_bytes())
    assert (station.id, hospital.id) == ("pools_station", "pools_hospital")
    case = Driver(station, CLIENT)
    assert sent(case) == [("message", "转介", "张三")]
    there = Driver(hospital, CLIENT, start="hospital_asked").complete("hospital_treat")
    assert sent(there) == [("message", "转介答复", "张三")]
    assert case.message("转介答复", "张三").case.status == "completed"


def test_what_an_event_says_is_in_the_model():
    elements = diagram("event_subprocesses").elements
    asked = elements["asked"]
    assert (asked.kind, asked.trigger, asked.event.name.text, asked.event.key.text) == (Kind.START, Trigger.MESSAGE, "询问", "=client")
    assert not asked.interrupting and elements["withdrawn"].interrupting
    assert diagram("event_subprocesses").watchers == ("questions", "withdrawal")
    assert elements["stage"].watchers == ("urgent",)
    assert (elements["urgent"].kind, elements["urgent"].start, elements["stage"].start) == (Kind.EVENT_SUBPROCESS, "worse", "stage_begins")
    assert diagram("link_events").elements["page_two"].link == "from_page_one"


def test_a_text_in_quotes_is_a_fixed_name():
    made = Diagram("names")
    made.event("startEvent", "start", "message", '="letter"')
    made.event("endEvent", "end", "error", '="E1"')
    made.path("start", "end")
    elements = compile_process(made.xml()).elements
    assert (elements["start"].event.name.text, elements["end"].event.name.text) == ("letter", "E1")


def test_keys_and_lifetimes_of_what_is_sent():
    made = Diagram("sending")
    made.add("startEvent", "start")
    properties = '<zeebe:property name="correlationKey" value="=own"/><zeebe:property name="timeToLive" value="P3D"/>'
    made.send("send", "news", key="common", zeebe=f"<zeebe:properties>{properties}</zeebe:properties>")
    made.event("endEvent", "end", "message", "news", key="common")
    made.path("start", "send", "end")
    assert examine(made.xml()) == []
    elements = compile_process(made.xml()).elements
    assert (elements["send"].event.key.text, elements["send"].event.lifetime.text) == ("=own", "P3D")
    assert (elements["end"].event.key.text, elements["end"].event.lifetime) == ("=common", None)


def test_a_process_may_go_round_until_an_event_ends_it():
    """It has no way to an end but through what interrupts it."""
    made = Diagram("round")
    made.add("startEvent", "start")
    made.user("again")
    made.path("start", "again", "again")
    assert {finding.code for finding in examine(made.xml())} == {"no_end", "cannot_end"}
    with made.watcher("stop"):
        made.event("startEvent", "told", "signal", "stop")
        made.add("endEvent", "over")
        made.path("told", "over")
    assert examine(made.xml()) == []
    case = Driver(compile_process(made.xml())).complete().complete()
    assert case.signal("stop").case.status == "completed"


# --- names nobody writes ------------------------------------------------------------------------------------------------------


def slips(made: Diagram) -> set[tuple[str, str]]:
    """(element, name) of what is read and never written."""
    process = compile_process(made.xml())
    return {
        (finding.element, name)
        for finding in unknown_names(process, {"known"})
        for name in ("slip", "known", "item")
        if name in finding.message
    }


def reading(expression: str) -> Diagram:
    """A script that reads, after a place for something else."""
    made = Diagram("reading")
    made.add("startEvent", "start")
    made.add("task", "between")
    made.script("sum", "total", expression)
    made.add("endEvent", "end")
    made.path("start", "between", "sum", "end")
    return made


def test_a_slip_is_found_in_the_new_fields():
    made = reading("known")
    made.many("sum", "slip", "item", ("results", "item + numberOfInstances + loopCounter"), "slip")
    made.send("send", "news", key="slip")
    made.path("between", "send", "end")
    made.event("intermediateCatchEvent", "met", "conditional", "slip > known")
    made.path("between", "met", "end")
    assert slips(made) == {("sum", "slip"), ("send", "slip"), ("met", "slip")}


@pytest.mark.parametrize("outputs", [False, True])
@pytest.mark.parametrize("kind", ["message", "job", "call"])
def test_what_comes_from_elsewhere_may_be_anything(kind, outputs):
    made = reading("slip")
    if kind == "message":
        made.receive("other", "news", key="known")
    elif kind == "job":
        made.service("other", "work")
    else:
        made.call("other", "called")
    made.path("between", "other", "end")
    if outputs:  # then only what they name gets out
        made.nodes["other"].zeebe += '<zeebe:ioMapping><zeebe:output source="=slip" target="mapped"/></zeebe:ioMapping>'
    assert slips(made) == ({("sum", "slip")} if outputs else set())
