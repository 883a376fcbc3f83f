"""Everything outside the engine's list is refused, with the element's id and the reason in two languages; nothing is ignored."""

import pytest

from engine.exceptions import DeployRefused
from engine.workflow import compile_process, examine
from engine.workflow.faults import FAULTS
from tests.bpmn.builder import HEAD
from tests.bpmn.harness import DIAGRAMS

FLOW = '<bpmn:sequenceFlow id="{0}" sourceRef="{1}" targetRef="{2}"{3}'
USER = '<bpmn:userTask id="u"><bpmn:extensionElements><zeebe:formDefinition formId="f"/>{0}</bpmn:extensionElements>{1}</bpmn:userTask>'


def file(middle: str = USER.format("", ""), more: str = "", before: str = "", process: str = 'id="p" isExecutable="true"', head: str = HEAD) -> bytes:
    """start → u → end, with `middle` as what `u` is and `more` beside it."""
    flows = FLOW.format("f1", "start", "u", "/>") + FLOW.format("f2", "u", "end", "/>")
    body = f'<bpmn:startEvent id="start"/>{middle}<bpmn:endEvent id="end"/>{flows}{more}'
    return f"{head}{before}<bpmn:process {process}>{body}</bpmn:process></bpmn:definitions>".encode()


def node(tag: str, inner: str = "", attributes: str = "") -> str:
    """The element `u`."""
    return f'<bpmn:{tag} id="u" {attributes}>{inner}</bpmn:{tag}>'


def ext(xml: str) -> str:
    """Extension elements."""
    return f"<bpmn:extensionElements>{xml}</bpmn:extensionElements>"


def boundary(inner: str, attributes: str = 'attachedToRef="u"') -> str:
    """A boundary event `b` of `u` that leads to the end."""
    return f'<bpmn:boundaryEvent id="b" {attributes}>{inner}</bpmn:boundaryEvent>' + FLOW.format("f3", "b", "end", "/>")


def timer(text: str, kind: str = "Duration") -> str:
    """A timer definition."""
    part = f'<bpmn:time{kind} xsi:type="bpmn:tFormalExpression">{text}</bpmn:time{kind}>' if kind else ""
    return f"<bpmn:timerEventDefinition>{part}</bpmn:timerEventDefinition>"


def split(gateway: str, first: str = "/>", second: str = "/>", attributes: str = "") -> bytes:
    """start → gateway u → a, end."""
    more = '<bpmn:endEvent id="a"/>' + FLOW.format("f3", "u", "a", second)
    return file(node(gateway, "", attributes), more).replace(FLOW.format("f2", "u", "end", "/>").encode(), FLOW.format("f2", "u", "end", first).encode())


def condition(text: str, attributes: str = "") -> str:
    """The rest of a flow with a condition."""
    return f'><bpmn:conditionExpression xsi:type="bpmn:tFormalExpression"{attributes}>{text}</bpmn:conditionExpression></bpmn:sequenceFlow>'


def sub(inner: str, attributes: str = "") -> bytes:
    """A subprocess `u`."""
    return file(node("subProcess", inner, attributes))


def script(expression: str = "=1", variable: str = "r") -> bytes:
    """A script task `u`."""
    return file(node("scriptTask", ext(f'<zeebe:script expression="{expression}" resultVariable="{variable}"/>')))


CAMUNDA7 = HEAD.replace(' id="', ' xmlns:camunda="http://camunda.org/schema/1.0/bpmn" xmlns:x="urn:x" id="', 1)
MI = "<bpmn:multiInstanceLoopCharacteristics/>"
LOOP = '<bpmn:standardLoopCharacteristics{0}>{1}</bpmn:standardLoopCharacteristics>'
EVENTS = ["message", "signal", "error", "escalation", "conditional", "link", "compensate", "cancel"]
DEF = "<bpmn:{0}EventDefinition/>"

REFUSED = {
    # the file
    "empty": (b"", "not_xml", None),
    "not XML": (b"PK\x03\x04 zip", "not_xml", None),
    "cut off": (file()[:-30], "not_xml", None),
    "wrong bytes": (file().replace(b"start", b"\xff\xfe"), "not_xml", None),
    "nul bytes": (b"\0" * 100, "not_xml", None),
    "doctype": (file().replace(b"?>\n", b'?>\n<!DOCTYPE d [<!ENTITY x "y">]>\n', 1), "doctype", None),
    "doctype in UTF-16": (file().decode().replace("UTF-8", "UTF-16").replace("?>\n", "?>\n<!DOCTYPE d>\n", 1).encode("utf-16"), "doctype", None),
    "billion laughs": (
        b'<!DOCTYPE l [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;"><!ENTITY c "&b;&b;&b;&b;&b;&b;&b;">]><l x="&c;"/>',
        "doctype",
        None,
    ),
    "unknown entity": (file(USER.format("", "<bpmn:documentation>&x;</bpmn:documentation>")), "not_xml", None),
    "huge": (b"<a>" + b" " * (5 << 20) + b"</a>", "file_too_large", None),
    "deep": (b"<a>" * 5000 + b"</a>" * 5000, "not_xml", None),
    "other XML": (b"<html/>", "not_bpmn", None),
    "no process": ((HEAD + "</bpmn:definitions>").encode(), "not_one_process", None),
    "two processes": (file(before='<bpmn:process id="q" isExecutable="true"/>'), "not_one_process", "p"),
    "not executable": (file(process='id="p" isExecutable="false"'), "not_executable", "p"),
    "not said executable": (file(process='id="p"'), "not_executable", "p"),
    "process without id": (file(process='isExecutable="true"'), "missing_id", None),
    "too many elements": (file(more="".join(f'<bpmn:task id="t{n}"/>' for n in range(10_001))), "too_many_elements", "p"),
    "long id": (file(more=f'<bpmn:task id="{"x" * 101}"/>'), "bad_id", "x" * 100),
    "id that is no name": (file(more='<bpmn:task id="a b"/>'), "bad_id", "a b"),
    "no id": (file(more="<bpmn:task/>"), "missing_id", "p"),
    "flow without id": (file(more='<bpmn:sequenceFlow sourceRef="u" targetRef="end"/>'), "missing_id", "p"),
    "id twice": (file(more='<bpmn:task id="u"/>'), "duplicate_id", "u"),
    "id twice across scopes": (sub('<bpmn:startEvent id="start"/>'), "duplicate_id", "start"),
    "pool of another process": (
        file(before='<bpmn:collaboration id="c"><bpmn:participant id="pool" processRef="q"/></bpmn:collaboration>'),
        "dangling_reference",
        "pool",
    ),
    "message flow": (
        file(before='<bpmn:collaboration id="c"><bpmn:messageFlow id="m" sourceRef="u" targetRef="u"/></bpmn:collaboration>'),
        "unsupported_element",
        "m",
    ),
    "choreography": (file(before='<bpmn:choreography id="c"/>'), "unsupported_element", "c"),
    # elements
    **{
        tag: (file(node(tag)), "unsupported_element", "u")
        for tag in (
            *("callActivity", "serviceTask", "sendTask", "receiveTask", "transaction", "adHocSubProcess", "complexGateway"),
            *("eventBasedGateway", "intermediateThrowEvent", "dataObject", "dataObjectReference", "dataStoreReference", "somethingNew"),
        )
    },
    "multi-instance": (file(USER.format("", MI)), "unsupported_element", "u"),
    "zeebe multi-instance": (file(USER.format('<zeebe:loopCharacteristics inputCollection="=x"/>', "")), "unsupported_extension", "u"),
    "event subprocess": (sub('<bpmn:startEvent id="s"/>', 'triggeredByEvent="true"'), "unsupported_attribute", "u"),
    "io specification": (file(USER.format("", "<bpmn:ioSpecification/>")), "unsupported_element", "u"),
    "data association": (file(USER.format("", '<bpmn:dataInputAssociation id="d"/>')), "unsupported_element", "d"),
    "potential owner": (file(USER.format("", "<bpmn:potentialOwner/>")), "unsupported_element", "u"),
    "BPMN script": (file(node("scriptTask", "<bpmn:script>import os</bpmn:script>")), "unsupported_element", "u"),
    "lane in a lane": (file(more='<bpmn:lane id="l"/>'), "misplaced_element", "l"),
    **{f"{event} start": (file(more=f'<bpmn:startEvent id="s2">{DEF.format(event)}</bpmn:startEvent>'), "unsupported_event", "s2") for event in EVENTS},
    **{f"{event} end": (file(more=f'<bpmn:endEvent id="e2">{DEF.format(event)}</bpmn:endEvent>'), "unsupported_event", "e2") for event in EVENTS},
    **{f"{event} catch": (file(node("intermediateCatchEvent", DEF.format(event))), "unsupported_event", "u") for event in EVENTS},
    **{f"{event} boundary": (file(more=boundary(DEF.format(event))), "unsupported_event", "b") for event in EVENTS},
    "event by reference": (file(node("intermediateCatchEvent", "<bpmn:eventDefinitionRef>t</bpmn:eventDefinitionRef>")), "unsupported_event", "u"),
    "event without trigger": (file(node("intermediateCatchEvent")), "no_event", "u"),
    "boundary without trigger": (file(more=boundary("")), "no_event", "b"),
    "two triggers": (file(node("intermediateCatchEvent", timer("PT1H") * 2)), "several_events", "u"),
    # attributes
    "compensation activity": (file(USER.format("", "").replace('id="u"', 'id="u" isForCompensation="true"')), "unsupported_attribute", "u"),
    "start quantity": (file(node("task", "", 'startQuantity="2"')), "unsupported_attribute", "u"),
    "web service": (file(USER.format("", "").replace('id="u"', 'id="u" implementation="##WebService"')), "unsupported_attribute", "u"),
    "unknown attribute": (file(node("task", "", 'retries="3"')), "unsupported_attribute", "u"),
    "parallel multiple": (file(node("intermediateCatchEvent", timer("PT1H"), 'parallelMultiple="true"')), "unsupported_attribute", "u"),
    "other language": (split("exclusiveGateway", condition("=x", ' language="groovy"'), "/>", 'default="f3"'), "unsupported_attribute", "f2"),
    "odd expression type": (
        file(node("intermediateCatchEvent", timer("PT1H").replace("tFormalExpression", "tOther"))),
        "unsupported_attribute",
        "u",
    ),
    # extensions
    "job worker": (file(USER.format('<zeebe:taskDefinition type="x"/>', "")), "unsupported_extension", "u"),
    "headers": (file(USER.format('<zeebe:taskHeaders><zeebe:header key="a" value="b"/></zeebe:taskHeaders>', "")), "unsupported_extension", "u"),
    "execution listener": (file(USER.format("<zeebe:executionListeners/>", "")), "unsupported_extension", "u"),
    "task listener": (file(USER.format("<zeebe:taskListeners/>", "")), "unsupported_extension", "u"),
    "unknown zeebe": (file(USER.format("<zeebe:magic/>", "")), "unsupported_extension", "u"),
    "script on a user task": (file(USER.format('<zeebe:script expression="=1" resultVariable="r"/>', "")), "unsupported_extension", "u"),
    "mapping on a gateway": (file(node("parallelGateway", ext("<zeebe:ioMapping/>"))), "unsupported_extension", "u"),
    "embedded form": (file(node("userTask", ext('<zeebe:formDefinition formKey="camunda-forms:bpmn:x"/>'))), "unsupported_extension", "u"),
    "external form": (file(node("userTask", ext('<zeebe:formDefinition externalReference="x"/>'))), "unsupported_extension", "u"),
    "version tag binding": (
        file(node("userTask", ext('<zeebe:formDefinition formId="f" bindingType="versionTag" versionTag="1"/>'))),
        "unsupported_extension",
        "u",
    ),
    "form twice": (file(USER.format('<zeebe:formDefinition formId="g"/>', "")), "duplicate_extension", "u"),
    "camunda 7 attribute": (file(node("task", "", 'camunda:asyncBefore="true"'), head=CAMUNDA7), "foreign_extension", "u"),
    "camunda 7 element": (file(USER.format("<camunda:formData/>", ""), head=CAMUNDA7), "foreign_extension", "u"),
    "unknown vendor attribute": (file(node("task", "", 'x:y="1"'), head=CAMUNDA7), "unknown_extension", "u"),
    "unknown vendor element": (file(USER.format("<x:y/>", ""), head=CAMUNDA7), "unknown_extension", "u"),
    "element outside BPMN": (file(more="<x:y/>", head=CAMUNDA7), "unknown_extension", "p"),
    # expressions
    "bad FEEL": (script("=1 +"), "feel_syntax", "u"),
    "bad condition": (split("exclusiveGateway", condition("=x >"), "/>", 'default="f3"'), "feel_syntax", "f2"),
    "bad mapping": (file(USER.format('<zeebe:ioMapping><zeebe:input source="=(" target="a"/></zeebe:ioMapping>', "")), "feel_syntax", "u"),
    "text where FEEL belongs": (script("1 + 1"), "not_an_expression", "u"),
    "condition without =": (split("exclusiveGateway", condition("x"), "/>", 'default="f3"'), "not_an_expression", "f2"),
    "form by expression": (file(node("userTask", ext('<zeebe:formDefinition formId="=x"/>'))), "must_be_fixed", "u"),
    "variable with a space": (script(variable="a b"), "bad_variable", "u"),
    "variable missing": (script(variable=""), "bad_variable", "u"),
    "variable path": (script(variable="a.b"), "bad_variable", "u"),
    "endless path": (
        file(USER.format(f'<zeebe:ioMapping><zeebe:input source="=1" target="{".".join("a" * 21)}"/></zeebe:ioMapping>', "")),
        "bad_variable",
        "u",
    ),
    "mapping without target": (file(USER.format('<zeebe:ioMapping><zeebe:input source="=1"/></zeebe:ioMapping>', "")), "bad_variable", "u"),
    "mapping without source": (file(USER.format('<zeebe:ioMapping><zeebe:output target="a"/></zeebe:ioMapping>', "")), "missing_source", "u"),
    "host name as variable": (script(variable="parameters"), "reserved_name", "u"),
    "host name as target": (file(USER.format('<zeebe:ioMapping><zeebe:input source="=1" target="case.x"/></zeebe:ioMapping>', "")), "reserved_name", "u"),
    # fields
    "script without expression": (file(node("scriptTask")), "no_script", "u"),
    "rule without decision": (file(node("businessRuleTask")), "no_decision", "u"),
    "due date that is none": (file(USER.format('<zeebe:taskSchedule dueDate="tomorrow"/>', "")), "bad_time", "u"),
    "priority too high": (file(USER.format('<zeebe:priorityDefinition priority="101"/>', "")), "bad_priority", "u"),
    "endless loop": (file(USER.format("", LOOP.format("", ""))), "bad_loop", "u"),
    "loop of none": (file(USER.format("", LOOP.format(' loopMaximum="0"', ""))), "bad_loop", "u"),
    "loop without =": (file(USER.format("", LOOP.format("", "<bpmn:loopCondition>x</bpmn:loopCondition>"))), "not_an_expression", "u"),
    **{
        f"timer {kind} {text!r}": (file(node("intermediateCatchEvent", timer(text, kind))), "bad_timer", "u")
        for kind, text in [
            *[("Duration", text) for text in ("-PT1H", "P", "PT", "1 hour", "P1.5Y", "")],
            *[("Date", text) for text in ("2026-13-01T00:00:00Z", "PT1H", "2026-03-01T09:00:00[Nowhere/Land]", "tomorrow")],
            *[("Cycle", text) for text in ("PT1H", "R0/PT1H", "R/PT0S", "R/-PT1H", "0 0 9 * * *", "R3/PT1H/2026-01-01T00:00:00Z", "R3/x/PT1H")],
            ("", "nothing"),
        ]
    },
    "two times": (file(node("intermediateCatchEvent", timer("PT1H</bpmn:timeDuration><bpmn:timeDuration>PT1H"))), "bad_timer", "u"),
    "start after a duration": (
        file(more=f'<bpmn:startEvent id="s2">{timer("PT1H")}</bpmn:startEvent>' + FLOW.format("f3", "s2", "u", "/>")),
        "bad_timer",
        "s2",
    ),
    # the graph
    "flow from nowhere": (file(more=FLOW.format("f3", "x", "end", "/>")), "dangling_reference", "f3"),
    "flow to nowhere": (file(more=FLOW.format("f3", "u", "x", "/>")), "dangling_reference", "f3"),
    "incoming that is not": (file(USER.format("", "<bpmn:incoming>f9</bpmn:incoming>")), "dangling_reference", "u"),
    "outgoing of another": (file(USER.format("", "<bpmn:outgoing>f1</bpmn:outgoing>")), "inconsistent_flow", "u"),
    "outgoing that lacks one": (
        file(USER.format("", "<bpmn:outgoing>f2</bpmn:outgoing>"), '<bpmn:endEvent id="a"/>' + FLOW.format("f3", "u", "a", "/>")),
        "inconsistent_flow",
        "u",
    ),
    "lane of nothing": (
        file(more='<bpmn:laneSet id="ls"><bpmn:lane id="l"><bpmn:flowNodeRef>x</bpmn:flowNodeRef></bpmn:lane></bpmn:laneSet>'),
        "dangling_reference",
        "l",
    ),
    "association of nothing": (file(more='<bpmn:association id="a1" sourceRef="u" targetRef="x"/>'), "dangling_reference", "a1"),
    "group of nothing": (file(more='<bpmn:group id="g1" categoryValueRef="x"/>'), "dangling_reference", "g1"),
    "boundary of nothing": (file(more=boundary(timer("PT1H"), 'attachedToRef="x"')), "dangling_reference", "b"),
    "boundary of an event": (file(more=boundary(timer("PT1H"), 'attachedToRef="end"')), "bad_host", "b"),
    "boundary of what does not wait": (file(node("manualTask"), boundary(timer("PT1H"))), "bad_host", "b"),
    "boundary of a gateway": (file(node("parallelGateway"), boundary(timer("PT1H"))), "bad_host", "b"),
    "into a boundary": (file(more=boundary(timer("PT1H")) + FLOW.format("f4", "u", "b", "/>")), "flow_into_boundary", "b"),
    "out of a subprocess": (
        sub('<bpmn:startEvent id="s"/>' + FLOW.format("f3", "s", "end", "/>")),
        "crosses_border",
        "f3",
    ),
    "into the start": (file(more=FLOW.format("f3", "u", "start", "/>")), "flow_into_start", "start"),
    "out of the end": (file(more=FLOW.format("f3", "end", "u", "/>")), "flow_out_of_end", "end"),
    "no start": (file().replace(b'<bpmn:startEvent id="start"/>', b'<bpmn:task id="start"/>'), "no_start", "p"),
    "two starts": (file(more='<bpmn:startEvent id="s2"/>' + FLOW.format("f3", "s2", "u", "/>")), "several_starts", "s2"),
    "subprocess without start": (sub('<bpmn:endEvent id="e"/>'), "no_start", "u"),
    "empty subprocess": (sub(""), "no_start", "u"),
    "subprocess with timer start": (
        sub(f'<bpmn:startEvent id="s">{timer("R/PT1H", "Cycle")}</bpmn:startEvent><bpmn:endEvent id="e"/>' + FLOW.format("f3", "s", "e", "/>")),
        "bad_start",
        "s",
    ),
    "unreachable": (file(more='<bpmn:task id="t"/>'), "unreachable", "t"),
    "no end": (
        split("exclusiveGateway", "/>", "/>").replace(b'targetRef="end"', b'targetRef="u"').replace(b'targetRef="a"', b'targetRef="u"'),
        "no_end",
        "start",
    ),
    # conditions
    "condition on an activity": (split("task", condition("=x")), "idle_condition", "f2"),
    "condition on a parallel gateway": (split("parallelGateway", condition("=x")), "idle_condition", "f2"),
    "condition on the default": (split("exclusiveGateway", condition("=x"), "/>", 'default="f2"'), "idle_condition", "f2"),
    "no condition": (split("exclusiveGateway", condition("=x")), "missing_condition", "f3"),
    "no condition, inclusive": (split("inclusiveGateway", condition("=x")), "missing_condition", "f3"),
    "empty condition": (split("exclusiveGateway", condition(""), "/>", 'default="f3"'), "empty_condition", "f2"),
    "default of a task": (split("task", "/>", "/>", 'default="f2"'), "idle_default", "u"),
    "default of a parallel gateway": (split("parallelGateway", "/>", "/>", 'default="f2"'), "unsupported_attribute", "u"),
    "default that is not": (split("exclusiveGateway", condition("=x"), condition("=y"), 'default="f9"'), "dangling_reference", "u"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_refused(name):
    xml, code, element = REFUSED[name]
    found = examine(xml)
    assert (code, element) in [(f.code, f.element) for f in found], [(f.code, f.element, f.message) for f in found]
    assert all(f.message and f.message_en for f in found)
    with pytest.raises(DeployRefused) as refusal:
        compile_process(xml)
    assert refusal.value.findings == [f for f in found if f.severity == "error"]


WARNED = {
    "no form": (file(node("userTask")), "no_form", "u"),
    "implicit end": (file(more='<bpmn:task id="t"/>' + FLOW.format("f3", "u", "t", "/>")), "implicit_end", "t"),
    "latest": (file(node("userTask", ext('<zeebe:formDefinition formId="f" bindingType="latest"/>'))), "binding", "u"),
    "unused message": (file(before='<bpmn:message id="m" name="来信"/>'), "unused_definition", "m"),
}


@pytest.mark.parametrize("name", WARNED)
def test_warned_but_run(name):
    xml, code, element = WARNED[name]
    assert [(f.code, f.element, f.severity) for f in examine(xml)] == [(code, element, "warning")]
    compile_process(xml)


def test_the_frame_itself_is_fine():
    assert examine(file()) == []


def test_an_expression_error_says_where():
    [finding] = examine(script("=1 +&#10;  if x"))
    assert finding.element == "u"
    assert (finding.line, finding.column) == (2, 7)


def test_several_faults_are_told_at_once():
    codes = {f.code for f in examine(file(node("serviceTask"), '<bpmn:task id="t"/>' + FLOW.format("f3", "x", "t", "/>")))}
    assert {"unsupported_element", "dangling_reference"} <= codes


def test_hostile_text_is_only_text():
    process = compile_process(file(USER.format("", "<bpmn:documentation>&lt;script&gt;alert(1)&lt;/script&gt;</bpmn:documentation>")))
    assert process.elements["u"].documentation == "<script>alert(1)</script>"


def test_every_fault_has_a_test():
    tested = {code for _, code, _ in [*REFUSED.values(), *WARNED.values()]}
    elsewhere = {"too_many_nodes", "feel_unsupported", "unknown_name", "cannot_end"}
    assert FAULTS.keys() - tested == elsewhere


def test_no_entity_reaches_a_file(tmp_path):
    secret = tmp_path / "secret"
    secret.write_text("password")
    xml = file(USER.format("", "<bpmn:documentation>&x;</bpmn:documentation>")).decode()
    xml = xml.replace("?>\n", f'?>\n<!-- <a> --><!DOCTYPE d [<!ENTITY x SYSTEM "file://{secret}">]>\n', 1)
    found = examine(xml.encode())
    assert [f.code for f in found] == ["doctype"]


@pytest.mark.parametrize("path", sorted(DIAGRAMS.glob("*.bpmn")), ids=lambda path: path.stem)
def test_our_diagrams_have_no_fault(path):
    assert examine(path.read_bytes()) == []
