"""What cannot go on waits as an incident, the others go on; a retry does again exactly what failed."""

import pytest

from engine import feel
from engine.exceptions import EngineError, NoSuchToken
from engine.workflow import compile_process
from tests.bpmn.builder import Diagram
from tests.bpmn.harness import Driver, Outcome, diagram


class TableFailed(EngineError):
    """两行同时命中。"""


def test_a_condition_that_is_not_boolean():
    case = Driver(diagram("inclusive_gateway"), {"poor": "yes", "ill": True})
    [incident] = case.case.incidents()
    assert (case.case.status, incident.code, incident.element.id) == ("incident", "condition_not_boolean", "split")
    assert "yes" not in incident.message
    with pytest.raises(NoSuchToken):
        case.case.retry(99, case.env)
    case.retry()
    assert case.case.status == "incident"
    assert case.told("incident:raised") == ["split", "split"]


def test_no_way_out():
    made = _start("stuck")
    made.add("exclusiveGateway", "which")
    made.add("endEvent", "a")
    made.add("endEvent", "b")
    made.flow("start", "which")
    made.flow("which", "a", "n > 5")
    made.flow("which", "b", "n < 3")
    case = Driver(compile_process(made.xml()), {"n": 4})
    assert case.case.incidents()[0].code == "no_way_out"


def test_a_failed_decision_can_be_retried():
    def fails(decision, context):
        raise TableFailed()

    case = Driver(diagram("business_rule_task"), {"place": "x"}, decide=fails)
    [incident] = case.case.incidents()
    assert (incident.code, incident.element.id) == ("decision_failed", "grade")
    assert "两行同时命中" in incident.message
    case.retry(decide=lambda decision, context: Outcome("ok"))
    assert case.case.status == "completed"
    assert case.told("incident:resolved") == ["grade"]
    assert case.told("element:entered").count("grade") == 1


def test_too_much_to_calculate_is_an_incident():
    made = _start("heavy")
    made.script("sum", "n", "count(for a in 1..1000000, b in 1..1000000 return a * b)")
    made.add("endEvent", "end")
    made.path("start", "sum", "end")
    case = Driver(compile_process(made.xml()))
    assert case.case.incidents()[0].code == "expression_failed"


def test_a_function_cannot_be_kept():
    made = _start("function")
    made.script("keep", "f", "function(x) x + 1")
    made.add("endEvent", "end")
    made.path("start", "keep", "end")
    assert Driver(compile_process(made.xml())).case.incidents()[0].code == "value_not_storable"


def test_other_branches_go_on():
    made = _start("branches")
    made.add("parallelGateway", "split")
    made.add("businessRuleTask", "rule", '<zeebe:calledDecision decisionId="d" resultVariable="r"/>')
    made.user("work")
    made.add("endEvent", "end")
    made.path("start", "split", "rule", "end")
    made.path("split", "work", "end")
    case = Driver(compile_process(made.xml()))
    assert (case.case.status, case.waiting) == ("incident", ["work"])
    case.complete("work")
    assert case.case.status == "incident"
    case.retry(decide=lambda decision, context: Outcome(1))
    assert case.case.status == "completed"


@pytest.mark.parametrize(
    ("field", "code"),
    [
        ('<zeebe:assignmentDefinition candidateGroups="=5"/>', "assignment_invalid"),
        ('<zeebe:assignmentDefinition candidateUsers="=missing"/>', "assignment_invalid"),
        ('<zeebe:assignmentDefinition assignee="=[1]"/>', "assignment_invalid"),
        ('<zeebe:taskSchedule dueDate="=&quot;soon&quot;"/>', "schedule_invalid"),
        ('<zeebe:taskSchedule followUpDate="=7"/>', "schedule_invalid"),
        ('<zeebe:priorityDefinition priority="=101"/>', "priority_invalid"),
        ('<zeebe:priorityDefinition priority="=1.5"/>', "priority_invalid"),
    ],
)
def test_fields_of_a_task_that_make_no_sense(field, code):
    made = _start("fields")
    made.user("ask", field)
    made.add("endEvent", "end")
    made.path("start", "ask", "end")
    case = Driver(compile_process(made.xml()))
    assert [(i.code, i.element.id) for i in case.case.incidents()] == [(code, "ask")]
    assert case.waiting == []


def test_an_incident_can_be_interrupted():
    made = _start("interrupt")
    made.add("businessRuleTask", "rule", '<zeebe:calledDecision decisionId="d" resultVariable="r"/>')
    made.timer("boundaryEvent", "late", "Duration", "PT1H", attachedToRef="rule")
    made.add("endEvent", "end")
    made.add("endEvent", "other")
    made.path("start", "rule", "end")
    made.flow("late", "other")
    case = Driver(compile_process(made.xml()))
    assert case.case.status == "incident"
    assert case.fire("late").case.status == "completed"


def test_a_circle_without_waiting_is_stopped():
    case = Driver(diagram("circle"), {"n": 0, "limit": 1000000})
    [incident] = case.case.incidents()
    assert incident.code == "runs_in_circle"
    assert sum(case.case.visits.values()) == 10_001
    assert case.case.visits["turn"] > 3000


def test_long_circles_run():
    case = Driver(diagram("circle"), {"n": 0, "limit": 10_000}, visits=50_000)
    assert case.case.status == "completed"
    assert case.variables["n"] == 10_000


def test_a_stopped_circle_goes_on_when_told():
    case = Driver(diagram("circle"), {"n": 0, "limit": 5000})
    assert case.case.status == "incident"
    case.retry()
    assert case.case.status == "completed"
    assert case.variables["n"] == 5000


def test_no_value_leaks_into_facts():
    secret = "王小明的秘密"
    data = {"poor": secret, "ill": secret, "worker": secret, "risk": secret, "client": {"name": secret}, "amounts": [secret]}
    for name in ("inclusive_gateway", "user_task", "exclusive_gateway", "io_mapping", "script_task"):
        case = Driver(diagram(name), data, names={"parameters": feel.from_plain({"days": 1})})
        if case.case.status != "completed":
            case.retry() if case.case.incidents() else case.complete(more=secret)
        assert secret not in str([step.facts for step in case.steps])
        assert secret not in str(case.case.incidents())


def _start(name: str) -> Diagram:
    made = Diagram(name)
    made.add("startEvent", "start")
    return made


# --- an event on the border that cannot be evaluated stops nothing else ---------------------------------------------------------


def _with_condition(draw) -> Diagram:
    made = _start("border")
    draw(made)
    made.boundary("unclear", "work", "conditional", "flag")
    made.add("endEvent", "end"), made.add("endEvent", "noted")
    made.path("start", "work", "end"), made.path("unclear", "noted")
    return made


def test_retrying_a_condition_on_its_border_does_not_call_a_second_time():
    """It did: two called cases for one call, and the first one's answer was lost."""
    case = Driver(compile_process(_with_condition(lambda d: d.call("work", "inner")).xml()), {"flag": "yes"})
    assert [(incident.code, incident.element.id) for incident in case.case.incidents()] == [("condition_not_boolean", "unclear")]
    case.correct(flag=False).retry()
    assert [wish.kind for wish in case.asked] == ["call"]
    assert case.called().case.status == "completed"


def test_a_job_is_done_though_a_condition_on_its_border_fails():
    """It was taken back from its program, and offered again after the retry: done twice."""
    case = Driver(compile_process(_with_condition(lambda d: d.service("work", "letter")).xml()), {"flag": "yes"})
    assert case.case.status == "incident"
    assert case.work().case.status == "completed"


def test_many_instances_go_on_though_a_condition_on_their_border_fails():
    def visits(made: Diagram) -> None:
        made.user("work"), made.many("work", "[1, 2]", "n", sequential=True)

    case = Driver(compile_process(_with_condition(visits).xml()), {"flag": "yes"}).complete()
    assert case.waiting == ["work"]
    assert case.complete().case.status == "completed"
