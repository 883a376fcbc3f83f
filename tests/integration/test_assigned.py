"""Who a task is for: what a diagram can say, what it cannot get around, and what it may not misspell."""

import pytest

from engine.commands.accounts import change_account
from engine.commands.tasks import claim, complete, delegate, release
from engine.exceptions import DeployRefused, NotFound, NotOffered
from engine.instances import CLAIMED, OFFERED
from tests.bpmn.builder import Diagram
from tests.integration.test_cases import ASSIGN, form, two_steps


def said(**properties: str) -> str:
    """`zeebe:properties`."""
    entries = "".join(f'<zeebe:property name="{name}" value="{value}"/>' for name, value in properties.items())
    return f"<zeebe:properties>{entries}</zeebe:properties>"


def one(zeebe: str) -> dict:
    """A single task."""
    diagram = Diagram("one", "一步")
    diagram.add("startEvent", "start")
    diagram.user("task", zeebe)
    diagram.add("endEvent", "end")
    diagram.path("start", "task", "end")
    return {"one.bpmn": diagram.xml(), "task.form": form("task")}


def written_and_approved(approval: str, beside: bool = False) -> dict:
    """write (tag plan) and approve (excludes plan), one after the other or beside each other."""
    diagram = Diagram("approved", "审批")
    diagram.add("startEvent", "start")
    diagram.user("write", ASSIGN + said(tags="plan"))
    diagram.user("approve", approval + said(exclude="plan"))
    diagram.add("endEvent", "end")
    if beside:
        diagram.add("parallelGateway", "fork")
        diagram.add("parallelGateway", "join")
        diagram.path("start", "fork", "write", "join", "end")
        diagram.path("fork", "approve", "join")
    else:
        diagram.path("start", "write", "approve", "end")
    return {"approved.bpmn": diagram.xml(), "write.form": form("write"), "approve.form": form("approve")}


def assigned_to(name: str) -> str:
    return f'<zeebe:assignmentDefinition assignee="{name}" candidateGroups="full_time"/>'


def test_an_assignee_holds_the_task_at_once_and_can_take_it_back_after_a_release(county):
    county.deploy(**one(assigned_to("pt-01-1")))
    case = county.start("one")
    task = county.open_tasks(case["id"])["task"]
    assert (task.status, task.holder_id) == (CLAIMED, county.act("pt-01-1").person_id)
    release(county.system, county.act("pt-01-1"), task.id, now=county.now)
    assert county.do("pt-01-1", case["id"], "task")["status"] == "completed"
    assert county.faults() == []


@pytest.mark.parametrize("name", ["ft-02-1", "volunteer-99-1"])
def test_an_assignee_from_elsewhere_or_nowhere_gets_nothing_and_the_candidates_do_it(county, name):
    county.deploy(**one(assigned_to(name)))
    case = county.start("one")
    assert county.open_tasks(case["id"])["task"].status == OFFERED
    assert county.inbox("ft-02-1") == county.inbox("ft-02-1", "mine") == []
    assert county.do("ft-01-1", case["id"], "task")["status"] == "completed"


def test_naming_the_author_as_assignee_does_not_let_them_approve_their_own(county):
    county.deploy(**written_and_approved(assigned_to("ft-01-1")))
    case = county.start("approved")
    county.do("ft-01-1", case["id"], "write")
    assert county.open_tasks(case["id"])["approve"].status == OFFERED
    with pytest.raises(NotOffered):
        county.do("ft-01-1", case["id"], "approve")
    assert county.do("ft-01-2", case["id"], "approve")["status"] == "completed"


def test_who_wrote_beside_an_open_approval_may_not_give_it(county):
    county.deploy(**written_and_approved(ASSIGN, beside=True))
    case = county.start("approved")
    approval = county.open_tasks(case["id"])["approve"]
    author = county.act("ft-01-1")
    claim(county.system, author, approval.id, now=county.now)  # nothing is written yet
    county.do("ft-01-1", case["id"], "write")
    with pytest.raises(NotOffered):
        complete(county.system, author, approval.id, {}, now=county.now)
    release(county.system, author, approval.id, now=county.now)
    with pytest.raises(NotOffered):
        claim(county.system, author, approval.id, now=county.now)
    with pytest.raises(NotOffered):
        delegate(county.system, county.act("lead-01"), approval.id, "ft-01-1", now=county.now)
    assert county.do("ft-01-2", case["id"], "approve")["status"] == "completed"


def test_nobody_can_be_handed_a_task_who_cannot_sign_in(county):
    county.deploy(**two_steps())
    case = county.start("two_steps")
    task = county.open_tasks(case["id"])["ask"]
    change_account(county.system, county.act("admin"), "ft-01-2", active=False, now=county.now)
    with pytest.raises(NotFound):
        delegate(county.system, county.act("lead-01"), task.id, "ft-01-2", now=county.now)


def test_a_task_without_candidates_is_for_whom_its_lane_is_and_they_see_it(county):
    diagram = Diagram("laned", "泳道")
    diagram.add("startEvent", "start")
    diagram.user("task")
    diagram.add("endEvent", "end")
    diagram.path("start", "task", "end")
    diagram.extra = (
        f'<bpmn:laneSet id="lanes"><bpmn:lane id="lane"><bpmn:extensionElements>{said(workforce="part_time")}'
        "</bpmn:extensionElements><bpmn:flowNodeRef>task</bpmn:flowNodeRef></bpmn:lane></bpmn:laneSet>"
    )
    county.deploy(**{"laned.bpmn": diagram.xml(), "task.form": form("task")})
    case = county.start("laned")
    assert county.inbox("pt-01-1") == ["task"]
    assert county.inbox("ft-01-1") == county.inbox("volunteer-01-1") == county.inbox("pt-02-1") == []
    assert county.do("pt-01-1", case["id"], "task")["status"] == "completed"


@pytest.mark.parametrize(
    ("zeebe", "code"),
    [
        ("", "nobody"),
        ('<zeebe:assignmentDefinition candidateGroups="full_time,fulltime"/>', "unknown_word"),
        (ASSIGN + said(exclude="plna"), "unknown_word"),
        (ASSIGN + said(place="stattion"), "unknown_word"),
    ],
)
def test_what_would_leave_a_task_to_nobody_or_let_in_too_many_is_refused_at_deployment(county, zeebe, code):
    with pytest.raises(DeployRefused) as refusal:
        county.deploy(**one(zeebe))
    assert [(finding.code, finding.element) for finding in refusal.value.findings] == [(code, "task")]


def test_more_candidates_than_can_be_kept_are_an_incident(county):
    county.deploy(**one('<zeebe:assignmentDefinition candidateGroups="=for i in 1..100 return &quot;group&quot; + string(i)"/>'))
    case = county.start("one")
    assert case["status"] == "incident"
    assert [line["facts"]["code"] for line in county.history(case["id"]) if line["kind"] == "incident:raised"] == ["assignment_invalid"]


# --- nobody whom the diagram names could take it: nobody could at all ---------------------------------------------------------


def named(*names: str) -> str:
    return f'<zeebe:assignmentDefinition candidateUsers="{",".join(names)}"/>'


@pytest.mark.parametrize(
    "zeebe",
    [
        '<zeebe:assignmentDefinition assignee="nobody-99-1"/>',
        named("ft-02-1"),  # of another station
        '<zeebe:assignmentDefinition candidateUsers="=[]"/>',
        '<zeebe:assignmentDefinition candidateGroups="=&quot;misspelt&quot;"/>',
    ],
)
def test_a_task_for_nobody_is_the_leads_to_do_or_hand_on_and_the_history_says_why(county, zeebe):
    county.deploy(**one(zeebe))
    case = county.start("one")
    assert county.inbox("lead-01") == ["task"] and county.inbox("ft-01-1") == county.inbox("ft-02-1") == []
    assert [line["facts"]["groups"] for line in county.history(case["id"]) if line["kind"] == "task:reoffered"] == [["lead", "supervisor"]]
    task = county.open_tasks(case["id"])["task"]
    with pytest.raises(NotOffered):
        claim(county.system, county.act("ft-01-1"), task.id, now=county.now)
    with pytest.raises(NotOffered):  # who may hand on their own tasks may not take this one so
        delegate(county.system, county.act("ft-01-1"), task.id, "ft-01-1", now=county.now)
    with pytest.raises(NotOffered):
        delegate(county.system, county.act("lead-01"), task.id, "ft-02-1", now=county.now)
    delegate(county.system, county.act("lead-01"), task.id, "ft-01-2", now=county.now)
    assert county.do("ft-01-2", case["id"], "task")["instance"]["status"] == "completed"
    assert county.faults() == []


def test_what_only_somebody_who_left_could_take_goes_to_the_lead(county):
    county.deploy(**one(named("ft-01-1")))
    left, moved = county.start("one"), county.start("one")
    release(county.system, county.act("lead-01"), _claimed(county, moved), now=county.now)
    change_account(county.system, county.act("admin"), "ft-01-1", active=False, now=county.now)
    assert county.inbox("lead-01") == ["task", "task"]
    assert county.do("lead-01", left["id"], "task")["instance"]["status"] == "completed"
    assert county.faults() == []


def _claimed(county, case) -> str:
    task = county.open_tasks(case["id"])["task"]
    claim(county.system, county.act("ft-01-1"), task.id, now=county.now)
    return task.id


def test_an_approval_for_the_lead_alone_is_not_handed_to_a_worker(county):
    county.deploy(**one('<zeebe:assignmentDefinition candidateGroups="lead"/>'))
    case = county.start("one")
    with pytest.raises(NotOffered):
        delegate(county.system, county.act("lead-01"), county.open_tasks(case["id"])["task"].id, "ft-01-1", now=county.now)


def test_in_a_lane_whoever_it_is_for_does_what_nobody_named_can(county):
    diagram = Diagram("laned", "泳道")
    diagram.add("startEvent", "start"), diagram.user("task", named("nobody-99-1")), diagram.add("endEvent", "end")
    diagram.path("start", "task", "end")
    diagram.extra = (
        f'<bpmn:laneSet id="lanes"><bpmn:lane id="lane"><bpmn:extensionElements>{said(workforce="part_time")}'
        "</bpmn:extensionElements><bpmn:flowNodeRef>task</bpmn:flowNodeRef></bpmn:lane></bpmn:laneSet>"
    )
    county.deploy(**{"laned.bpmn": diagram.xml(), "task.form": form("task")})
    case = county.start("laned")
    assert county.inbox("pt-01-1") == ["task"] and county.inbox("ft-01-1") == []
    assert county.do("pt-01-1", case["id"], "task")["status"] == "completed"
