"""Work for programs, called procedures, and what an operator does by hand."""

import pytest

from engine.exceptions import InvalidRequest, NoSuchToken
from engine.workflow import BpmnError
from tests.bpmn.builder import Diagram
from tests.bpmn.harness import plain
from tests.bpmn.test_events import line, run

# --- jobs -------------------------------------------------------------------------------------------------------------------


def sms(**parts) -> Diagram:
    """A service task with an error on its border."""
    d = line("sms")
    d.service("sms", "send-sms", headers={"template": "t1"}, **parts)
    d.boundary("rejected", "sms", "error", "空号"), d.user("phone"), d.add("endEvent", "e"), d.path("rejected", "phone", "e")
    return d


def test_a_job_waits_for_a_program():
    case = run(sms())
    [job] = case.case.jobs()
    assert (job.type, job.retries, job.headers, job.element.id) == ("send-sms", 3, {"template": "t1"}, "sms")
    assert case.work(receipt="R1").case.status == "completed" and case.variables == {"receipt": "R1"}


def test_a_job_that_fails_too_often_is_an_incident_and_is_offered_again_on_retry():
    case = run(sms()).fail(retries=2)
    assert [job.retries for job in case.case.jobs()] == [2] and case.case.status == "active"
    case.fail(retries=0)
    assert case.case.jobs() == [] and [incident.code for incident in case.case.incidents()] == ["job_failed"]
    case.retry()
    assert [job.retries for job in case.case.jobs()] == [1]
    assert case.work().case.status == "completed"


def test_a_job_may_end_in_an_error_the_diagram_provides_for():
    assert run(sms()).error("空号", reason="停机").waiting == ["phone"]
    case = run(sms()).error("别的")
    assert [incident.code for incident in case.case.incidents()] == ["error_uncaught"]
    assert case.retry().work().case.status == "completed"


def test_a_job_the_host_knows_is_done_on_the_spot():
    def send(job):
        if plain(job.variables.get("phone")) == "0":
            raise BpmnError("空号", {"reason": "停机"})
        return {"receipt": job.headers["template"]}

    handlers = {"send-sms": send}
    case = run(sms(), {"phone": "1"}, handlers=handlers)
    assert case.case.status == "completed" and case.variables["receipt"] == "t1"
    case = run(sms(), {"phone": "0"}, handlers=handlers)
    assert case.waiting == ["phone"] and case.variables["reason"] == "停机"


def test_a_cancelled_job_is_not_done():
    d = line("sms")
    d.service("sms", "send-sms"), d.boundary("late", "sms", "timer", "PT1H"), d.add("endEvent", "e"), d.path("late", "e")
    case = run(d).fire()
    assert case.case.jobs() == [] and case.told("job:cancelled") == ["sms"]


def test_an_end_event_may_be_a_job_too():
    d = line()
    del d.nodes["end"]
    d.event("endEvent", "end", "message", "通知", zeebe='<zeebe:taskDefinition type="send-letter"/>')
    case = run(d)
    assert [job.type for job in case.case.jobs()] == ["send-letter"] and case.asked == []
    assert case.work().case.status == "completed"


# --- calls ------------------------------------------------------------------------------------------------------------------


def relief(**attributes) -> Diagram:
    """A call activity."""
    d = line("call")
    d.call("call", "relief", **attributes)
    d.boundary("failed", "call", "error", "不符合"), d.user("tell"), d.add("endEvent", "e1"), d.path("failed", "tell", "e1")
    d.boundary("news", "call", "escalation", "紧急", False), d.user("look"), d.add("endEvent", "e2"), d.path("news", "look", "e2")
    return d


def test_a_call_asks_for_a_case_and_takes_what_it_brings():
    case = run(relief(), {"n": 1})
    [wish] = case.asked
    assert (wish.kind, wish.name, {name: plain(value) for name, value in wish.variables.items()}) == ("call", "relief", {"n": 1})
    assert case.called(n=2, granted=True).case.status == "completed"
    assert case.variables == {"n": 2, "granted": True}


def test_a_call_may_give_and_take_only_what_is_mapped():
    d = relief(propagateAllParentVariables="false", propagateAllChildVariables="false")
    d.nodes["call"].zeebe += (
        '<zeebe:ioMapping><zeebe:input source="=n + 1" target="m"/><zeebe:output source="=granted" target="result"/></zeebe:ioMapping>'
    )
    case = run(d, {"n": 1})
    assert {name: plain(value) for name, value in case.asked[0].variables.items()} == {"m": 2}
    case.called(granted=True, secret="x")
    assert case.variables == {"n": 1, "result": True}


def test_a_called_case_may_fail_or_escalate():
    assert run(relief()).error("不符合").waiting == ["tell"]
    assert run(relief()).error("别的").case.incidents()[0].code == "error_uncaught"
    case = run(relief()).escalated("紧急").called()
    assert case.waiting == ["look"]


def test_an_uncaught_error_ends_a_called_case_and_is_for_its_caller():
    d = Diagram("relief")
    d.add("startEvent", "start"), d.user("check"), d.event("endEvent", "no", "error", "不符合"), d.path("start", "check", "no")
    case = run(d, called=True).complete()
    assert case.case.status == "cancelled" and case.case.failure == "不符合" and case.told("case:failed") == [None]
    assert [(wish.kind, wish.name) for wish in case.asked] == [("error", "不符合")]


def test_who_cancels_a_call_cancels_the_called_case():
    d = relief()
    d.boundary("late", "call", "timer", "P1D"), d.add("endEvent", "e3"), d.path("late", "e3")
    case = run(d).fire()
    assert [wish.kind for wish in case.asked] == ["call", "call_cancelled"] and case.case.status == "completed"
    assert [wish.kind for wish in run(d).cancel().asked] == ["call", "call_cancelled"]


# --- by hand ----------------------------------------------------------------------------------------------------------------


def test_moved_on_by_hand_past_what_fails():
    d = line("rule", "after")
    d.add("businessRuleTask", "rule", '<zeebe:calledDecision decisionId="gone" resultVariable="risk"/>'), d.user("after")
    case = run(d)
    assert [incident.code for incident in case.case.incidents()] == ["decision_unknown"]
    assert case.move("rule").waiting == ["after"] and case.told("token:moved") == ["rule"]


def test_a_gateway_is_left_by_the_flow_that_is_named():
    d = Diagram("choice")
    d.add("startEvent", "start"), d.add("exclusiveGateway", "which"), d.path("start", "which")
    for name in "ab":
        d.user(name), d.add("endEvent", f"{name}_end"), d.path(name, f"{name}_end"), d.flow("which", name, f"x = {name!r}".replace("'", '"'))
    case = run(d)
    assert case.case.incidents()[0].code == "no_way_out"
    with pytest.raises(InvalidRequest):
        case.move("which")
    assert case.move("which", "which_to_b").waiting == ["b"]


def test_a_task_is_skipped_with_everything_on_its_border():
    d = line("work", "after")
    d.user("work"), d.user("after"), d.boundary("late", "work", "timer", "PT1H"), d.add("endEvent", "e"), d.path("late", "e")
    case = run(d).move("work")
    assert case.waiting == ["after"] and case.case.timers() == [] and case.told("wait:cancelled") == ["work"]


def test_a_join_that_waits_in_vain_is_passed_by_hand():
    d = Diagram("stuck")
    d.add("startEvent", "start"), d.add("exclusiveGateway", "xor"), d.add("parallelGateway", "join"), d.add("endEvent", "end")
    d.path("start", "xor"), d.flow("xor", "join", "true"), d.flow("xor", "join", default=True), d.path("join", "end")
    case = run(d)
    assert [incident.code for incident in case.case.incidents()] == ["deadlock"]
    case.case.move_on(case.case.incidents()[0].token, case.env)
    assert case.case.status == "completed"


def test_what_is_not_there_cannot_be_moved():
    case = run(sms())
    for token in (1, 99):
        with pytest.raises(NoSuchToken):
            case.case.move_on(token, case.env)


def test_a_correction_is_told_and_lets_conditions_come_true():
    d = line("wait")
    d.event("intermediateCatchEvent", "wait", "conditional", 'state = "好"')
    case = run(d, {"state": "坏"}).correct(state="好")
    assert case.case.status == "completed" and case.step("variable:corrected").facts["names"] == ["state"]
