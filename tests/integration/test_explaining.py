"""Why somebody cannot take a task: the same answer that claiming or delegating would give, found out without changing anything."""

import pytest

from engine.commands.tasks import claim, complete, delegate, release
from engine.exceptions import EngineError, Forbidden, NotFound, NotOffered, RegulationRefused, TaskTaken
from engine.explaining import explain
from tests.support.gate import GATE, VOLUNTEER, open_gate
from tests.support.writes import COUNT, count_writes

PEOPLE = ("supervisor", "lead-01", "ft-01-1", "ft-01-2", "pt-01-1", VOLUNTEER, "partner-01-mediator", "assistant-001")
ONE = (
    '<definitions xmlns="http://www.omg.org/spec/BPMN/20100524/MODEL" xmlns:zeebe="http://camunda.org/schema/zeebe/1.0" '
    'id="d" targetNamespace="t"><process id="approved" name="审批" isExecutable="true">'
    '<startEvent id="s"><outgoing>a</outgoing></startEvent><sequenceFlow id="a" sourceRef="s" targetRef="write"/>'
    '<userTask id="write" name="写"><extensionElements><zeebe:userTask/><zeebe:assignmentDefinition candidateGroups="lead,full_time"/>'
    '<zeebe:properties><zeebe:property name="tags" value="plan"/></zeebe:properties></extensionElements>'
    "<incoming>a</incoming><outgoing>b</outgoing></userTask>"
    '<sequenceFlow id="b" sourceRef="write" targetRef="approve"/>'
    '<userTask id="approve" name="批"><extensionElements><zeebe:userTask/><zeebe:assignmentDefinition {who}/>'
    '<zeebe:properties><zeebe:property name="exclude" value="plan"/></zeebe:properties></extensionElements>'
    "<incoming>b</incoming><outgoing>c</outgoing></userTask>"
    '<sequenceFlow id="c" sourceRef="approve" targetRef="e"/><endEvent id="e"><incoming>c</incoming></endEvent></process></definitions>'
)
REFUSALS = {NotFound: "unknown", Forbidden: "right", NotOffered: "offer", TaskTaken: "taken", RegulationRefused: "rule"}


def approval(county, who: str) -> str:
    """The task `approve` of a new case whose plan ft-01-1 wrote; answers its id."""
    county.deploy(**{"approved.bpmn": ONE.format(who=who)})
    case = county.start("approved", place="room-001")["id"]
    county.do("ft-01-1", case, "write")
    return county.open_tasks(case)["approve"].id


def explained(county, who: str, task: str, person: str | None = None):
    with county.system.database.read() as session:
        return explain(county.system, session, county.act(who), task, county.now, person)


def tried(county, who: str, task: str) -> str:
    """What claiming says; whoever succeeds gives the task back."""
    try:
        claim(county.system, county.act(who), task, now=county.now)
    except EngineError as refusal:
        return REFUSALS[type(refusal)]
    release(county.system, county.act(who), task, now=county.now)
    return "possible"


def told(county, who: str, task: str) -> str:
    """What the explanation says, in the words of `tried`."""
    try:
        found = explained(county, who, task)
    except NotFound:
        return "unknown"
    if found.possible:
        return "possible"
    codes = [each.code for each in found.obstacles]
    return next((code for code in ("taken", "right") if code in codes), "offer" if codes else "rule")


@pytest.mark.parametrize("groups", ["lead,full_time", "worker", "part_time,supervisor"])
def test_explaining_says_what_claiming_would(county, groups):
    county.deploy(**GATE)
    task = approval(county, f'candidateGroups="{groups}"')
    for who in PEOPLE:
        assert told(county, who, task) == tried(county, who, task), who


def test_whoever_wrote_it_is_told_to_stand_aside(county):
    task = approval(county, 'candidateGroups="full_time"')
    (obstacle,) = explained(county, "ft-01-1", task).obstacles
    assert (obstacle.code, obstacle.message) == ("excluded", "参与了前面的环节，按规定须回避")
    assert explained(county, "ft-01-2", task).possible


def test_a_task_that_is_taken_or_done(county):
    task = approval(county, 'candidateGroups="full_time"')
    claim(county.system, county.act("ft-01-2"), task, now=county.now)
    assert [each.message for each in explained(county, "lead-01", task, "ft-01-2").obstacles] == []
    assert explained(county, "ft-01-2", task).held
    assert explained(county, "lead-01", task).obstacles[0].message == "已由江专二领取"
    complete(county.system, county.act("ft-01-2"), task, {}, now=county.now)
    assert [each.code for each in explained(county, "lead-01", task).obstacles] == ["closed"]


def test_what_nobody_could_take_is_for_whom_the_lead_chooses(county):
    """As delegating has it."""
    task = approval(county, 'candidateUsers="nobody-knows-them"')
    assert explained(county, "lead-01", task, VOLUNTEER).possible
    assert explained(county, "lead-01", task, "ft-01-1").obstacles[0].code == "excluded"
    delegate(county.system, county.act("lead-01"), task, VOLUNTEER, now=county.now)
    assert explained(county, "lead-01", task, VOLUNTEER).held


def test_looking_leaves_nothing(county):
    case = open_gate(county)
    task = county.open_tasks(case)["visit"].id
    count_writes(county.system.database)
    found = explained(county, VOLUNTEER, task)
    assert [each.verdict.rule for each in found.blocks] == ["gate.visit"] and not found.blocks[0].askable
    assert [each.name for each in found.blocks[0].deciders] == ["周总督", "吴总督"]
    with county.system.database.engine.connect() as connection:
        assert connection.execute(COUNT).scalar_one() == 0
