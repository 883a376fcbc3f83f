"""A procedure of two tasks that anybody takes, and a regulation of this county that stops volunteers: what waivers are tried on.

`gate.visit` (waivable by the supervisor) and `gate.plan` (by the lead) stop them from taking the tasks of these names, `gate.closed` (by
nobody) from taking one at the other station; `gate.done` (by the supervisor) stops everybody from completing `plan`.
"""

from engine.commands.tasks import claim
from engine.exceptions import RegulationRefused
from tests.support.tables import file, table

GROUPS = "worker,lead,supervisor"
TASK = (
    '<userTask id="{id}" name="{name}"><extensionElements><zeebe:userTask/><zeebe:assignmentDefinition candidateGroups="{groups}"/>'
    '</extensionElements><incoming>{before}</incoming><outgoing>{after}</outgoing></userTask>'
)
DIAGRAM = (
    '<definitions xmlns="http://www.omg.org/spec/BPMN/20100524/MODEL" xmlns:zeebe="http://camunda.org/schema/zeebe/1.0" '
    'id="d" targetNamespace="t"><process id="gated" name="上门" isExecutable="true">'
    '<startEvent id="s"><outgoing>a</outgoing></startEvent><sequenceFlow id="a" sourceRef="s" targetRef="visit"/>'
    + TASK.format(id="visit", name="高风险走访", groups=GROUPS, before="a", after="b")
    + '<sequenceFlow id="b" sourceRef="visit" targetRef="plan"/>'
    + TASK.format(id="plan", name="写计划", groups=GROUPS, before="b", after="c")
    + '<sequenceFlow id="c" sourceRef="plan" targetRef="e"/><endEvent id="e"><incoming>c</incoming></endEvent></process></definitions>'
)
OUTPUTS = [(name, "string") for name in ("rule", "effect", "message", "message_en", "hint", "hint_en", "source", "waivable_by")]
WORDS = ['"志愿者不能单独走访。"', '"Volunteers do not visit alone."', '"请与社工同去。"', '"Go with a social worker."', '"站内默认"']
ROWS = [
    ['"assign"', '"volunteer"', '"visit"', "-", '"gate.visit"', '"waiver"', *WORDS, '"supervisor"'],
    ['"assign"', '"volunteer"', '"plan"', "-", '"gate.plan"', '"waiver"', *WORDS, '"lead"'],
    ['"assign"', '"volunteer"', "-", '"room-004"', '"gate.closed"', '"block"', *WORDS, "null"],
    ['"complete"', "-", '"plan"', "-", '"gate.done"', '"waiver"', *WORDS, '"supervisor"'],
]
INPUTS = ["point", "person.workforce", "task.element", 'split(case.place, "/")[-1]']
GATE = {"gate.dmn": file(table([(text, "Any") for text in INPUTS], OUTPUTS, ROWS, hit="COLLECT", ident="gate", name="走访制度"))}
# Another one: it lets nobody begin a case.
_BEGIN = [['"start"', "-", '"visit"', "-", '"gate.start"', '"waiver"', *WORDS, '"supervisor"']]
BEGIN = {"begin.dmn": file(table([(text, "Any") for text in INPUTS], OUTPUTS, _BEGIN, hit="COLLECT", ident="begin", name="发起制度"))}
VOLUNTEER = "volunteer-01-1"


def open_gate(county) -> str:
    """Publish both and start a case at room-001; answers its id."""
    county.deploy(**{"gated.bpmn": DIAGRAM})
    county.deploy(**GATE)
    return county.start("gated", place="room-001")["id"]


def refused(county, case: str, who: str = VOLUNTEER, element: str = "visit") -> str:
    """Somebody tries to take the case's task and is refused by the regulation; answers the task's id."""
    task = county.open_tasks(case)[element].id
    try:
        claim(county.system, county.act(who), task, now=county.now)
    except RegulationRefused:
        return task
    raise AssertionError("the gate is open")
