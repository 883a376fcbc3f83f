"""One diagram an element kind, driven to its end; the harness stores and restores between every two steps."""

from datetime import date, datetime, timedelta

import pytest

from engine import feel
from engine.exceptions import NoSuchToken
from engine.workflow import Kind
from tests.bpmn.harness import DIAGRAMS, NOW, Driver, Outcome, diagram


def after(start, days):
    """Stands in for the host's calendar."""
    return start + timedelta(days=int(days))


WORKING_DAYS = {"working days after": feel.FeelFunction("working days after", ("from", "days"), after)}


def test_start_and_end():
    case = Driver(diagram("start_and_end"), {"name": "张三"})
    assert case.case.status == "completed"
    assert case.variables == {"name": "张三"}
    assert [(step.kind, step.element) for step in case.steps] == [
        ("case:started", None),
        ("element:entered", "start"),
        ("element:completed", "start"),
        ("flow:taken", "start"),
        ("element:entered", "end"),
        ("element:completed", "end"),
        ("case:completed", None),
    ]


def test_each_start_begins_the_case_alone():
    process = diagram("timer_start")
    assert process.start_events == ("start", "every_month", "on_a_day")
    for start in (None, *process.start_events):
        case = Driver(process, start=start)
        assert case.waiting == ["visit"]
        assert case.complete().case.status == "completed"
        assert len(case.told("element:entered")) == 3


def test_only_start_events_start():
    with pytest.raises(NoSuchToken):
        Driver(diagram("timer_start"), start="visit")


def test_a_timer_start_says_when():
    process = diagram("timer_start")
    rule = process.elements["every_month"].timer
    assert (rule.kind, rule.formula.text) == ("cycle", "R/2026-04-01T09:00:00+08:00/P1M")


def test_terminate_ends_everything_at_once():
    case = Driver(diagram("terminate_end"))
    assert case.waiting == ["stop", "work"]
    case.complete("stop")
    assert case.case.status == "completed"
    assert case.told("wait:cancelled") == ["work"]
    assert case.step("element:cancelled").facts == {"by": "kill"}


def test_terminate_ends_its_own_scope_only():
    case = Driver(diagram("terminate_in_subprocess")).complete("stop")
    assert case.waiting == ["outside"]
    assert "inner" in case.told("element:completed")
    assert case.complete("outside").case.status == "completed"


def test_user_task_offers_itself():
    case = Driver(diagram("user_task"), {"worker": "ft-01-2", "urgent": True}, names=WORKING_DAYS | {"parameters": feel.from_plain({"days": 3})})
    [wait] = case.case.waits()
    assert wait.element.kind is Kind.USER_TASK
    assert (wait.element.form_id, wait.element.documentation, wait.element.properties) == ("ask", "向求助人说明来意", {"stage": "intake"})
    assert wait.assignee == "ft-01-2"
    assert wait.candidate_groups == ["full_time", "part_time"]
    assert wait.candidate_users == ["ft-01-1", "ft-01-2"]
    assert wait.due == NOW + timedelta(days=3)
    assert wait.follow_up == datetime(2026, 3, 3, 23, 59, 59, tzinfo=NOW.tzinfo)
    assert (wait.priority, wait.visit, wait.since) == (90, 1, NOW)
    case.complete(answer="是")
    assert case.case.status == "completed"
    assert case.variables["answer"] == "是"


def test_a_task_is_completed_once():
    case = Driver(diagram("user_task"), {"worker": "a"}, names=WORKING_DAYS | {"parameters": feel.from_plain({"days": 3})})
    token = case.case.waits()[0].token
    case.complete()
    with pytest.raises(NoSuchToken):
        case.case.complete(token, {}, case.env)


def test_manual_and_plain_tasks_pass_through():
    case = Driver(diagram("passing_tasks"))
    assert case.case.status == "completed"
    assert case.told("element:completed") == ["start", "call", "note", "end"]


def test_script_writes_one_variable_exactly():
    case = Driver(diagram("script_task"), {"amounts": [1, 2]})
    assert case.case.variables()["total"] == feel.from_plain(3.1)
    assert case.variables["pair"]["list"][1] is None
    evaluated = next(step for step in case.steps if step.kind == "script:evaluated")
    assert evaluated.facts == {"variable": "total"}
    assert evaluated.data["inputs"] == {"amounts": [1, 2]}


def test_business_rule_asks_the_host():
    asked = []

    def decide(decision, context):
        asked.append((decision, context["place"]))
        return Outcome({"grade": "high"}, ("rule_3",), ("水泊街道",))

    case = Driver(diagram("business_rule_task"), {"place": "shuibo"}, decide=decide)
    assert asked == [("risk_grade", "shuibo"), ("grade_of_shuibo", "shuibo")]
    assert case.variables["second"] == {"grade": "high"}
    step = case.step("decision:evaluated")
    assert step.facts == {"decision": "grade_of_shuibo", "rules": ["rule_3"]}
    assert step.data == {"inputs": ["水泊街道"], "result": {"grade": "high"}}
    assert diagram("business_rule_task").decision_ids == {"risk_grade"}


@pytest.mark.parametrize(("risk", "task"), [("high", "urgent"), ("middle", "soon"), ("low", "plain"), (None, "plain")])
def test_exclusive_takes_the_first_true(risk, task):
    case = Driver(diagram("exclusive_gateway"), {"risk": risk})
    assert case.waiting == [task]
    assert case.step("gateway:decided").facts == {"flows": [f"which_to_{task}"], "default": task == "plain"}
    assert case.complete().case.status == "completed"


def test_exclusive_remembers_what_it_decided_from():
    case = Driver(diagram("exclusive_gateway"), {"risk": "middle", "name": "张三"})
    conditions = case.step("gateway:decided").data["conditions"]
    assert [(c["flow"], c["result"], c["inputs"]) for c in conditions] == [
        ("which_to_urgent", False, {"risk": "middle"}),
        ("which_to_soon", True, {"risk": "middle"}),
    ]


@pytest.mark.parametrize("order", ["abc", "cba", "bac"])
def test_parallel_waits_for_all(order):
    case = Driver(diagram("parallel_gateway"))
    for name in order:
        assert case.case.status == "active"
        case.complete(name)
    assert case.case.status == "completed"
    assert case.told("join:fired") == ["join"]


@pytest.mark.parametrize(
    ("data", "tasks"),
    [
        ({"poor": True, "ill": True}, ["care", "money"]),
        ({"poor": True, "ill": False}, ["money"]),
        ({"poor": False, "ill": False}, ["talk"]),
    ],
)
def test_inclusive_waits_for_those_that_went(data, tasks):
    case = Driver(diagram("inclusive_gateway"), data)
    assert case.waiting == tasks
    for name in tasks:
        assert case.case.status == "active"
        case.complete(name)
    assert case.case.status == "completed"
    assert case.told("join:fired") == ["join"]


def test_subprocesses_nest():
    case = Driver(diagram("subprocess"), {"client": "张三"})
    case.complete("ask", pet="cat")
    assert case.waiting == ["after"]
    assert case.variables["report"] == {"outer": "about 张三 and cat"}
    assert "person" not in case.variables
    assert case.complete().case.status == "completed"


def test_loop_asks_after_each_round():
    case = Driver(diagram("loop_user_task"))
    tokens = set()
    for more in (True, True, False):
        assert case.waiting == ["visit"]
        tokens.add(case.case.waits()[0].token)
        case.complete(more=more)
    assert case.case.status == "completed"
    assert len(tokens) == 3
    assert [step.facts["round"] for step in case.steps if step.element == "visit" and step.kind == "element:entered"] == [1, 2, 3]
    assert case.told("timer:set") == case.told("timer:cancelled") == ["too_long"]


def test_loop_is_interrupted_as_a_whole():
    case = Driver(diagram("loop_user_task")).complete(more=True).later(days=40)
    case.fire("too_long")
    assert case.case.status == "completed"
    assert case.told("loop:cancelled") == ["visit"]


@pytest.mark.parametrize(("wanted", "total"), [(0, None), (2, 3), (9, 15)])
def test_loop_may_ask_first_and_is_capped(wanted, total):
    case = Driver(diagram("loop_before"), {"wanted": wanted})
    assert case.case.status == "completed"
    assert case.variables.get("total") == total


def test_loop_of_a_subprocess_has_its_own_scope():
    case = Driver(diagram("loop_subprocess"))
    for _ in range(3):
        case.complete("ask")
    assert case.case.status == "completed"
    assert case.variables == {"seen": [10, 20, 30]}


def test_lanes_say_who():
    process = diagram("lanes")
    named = {element.id: element.lane and element.lane.name for element in process.elements.values()}
    assert named["station"] == "社工站"
    assert named["county"] == "县中心"
    assert named["visit"] == named["inner"] == "外勤"  # the innermost lane; and inside the subprocess
    assert process.elements["station"].lane.properties == {"workforce": "full_time"}
    case = Driver(process).complete("station").complete("county").complete("inner")
    assert case.case.status == "completed"


def test_splits_and_merges_without_gateways():
    case = Driver(diagram("implicit_split"))
    assert case.waiting == ["a", "b"]
    case.complete("a").complete("b")
    assert case.waiting == ["c", "c"]  # each token on its own
    assert [wait.visit for wait in case.case.waits()] == [1, 2]
    assert case.complete().complete().case.status == "completed"


def test_cancel_ends_everything():
    case = Driver(diagram("boundary_on_subprocess"), {"deadline": date(2026, 4, 1)}).cancel()
    assert case.case.status == "cancelled"
    assert not case.case.waits() and not case.case.timers()
    assert sorted(case.told("wait:cancelled")) == ["a", "b"]
    assert sorted(case.told("timer:cancelled")) == ["nudge", "pause", "too_late"]
    assert case.step("case:cancelled").data == {"reason": "撤销"}
    case.case.cancel(case.env, "again")
    assert case.case.drain_steps() == []


def test_every_diagram_is_used():
    tests = "".join(path.read_text() for path in DIAGRAMS.parent.glob("test_*.py"))
    assert [path.stem for path in DIAGRAMS.glob("*.bpmn") if f'"{path.stem}"' not in tests] == []
