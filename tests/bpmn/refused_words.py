"""name → (file, code, element) of what is refused: broken files, unknown words, attributes, extensions and expressions."""

from tests.bpmn.builder import HEAD
from tests.bpmn.snippets import CAMUNDA7, FLOW, LOOP, USER, condition, ext, file, node, pools, script, split, sub, timer

REFUSED = {
    # the file
    "empty": (b"", "not_xml", None),
    "not XML": (b"PK\x03\x04 zip", "not_xml", None),
    "cut off": (file()[:-30], "not_xml", None),
    "wrong bytes": (file().replace(b"start", b"\xff\xfe"), "not_xml", None),
    "nul bytes": (b"\0" * 100, "not_xml", None),
    "doctype": (file().replace(b"?>\n", b'?>\n<!DOCTYPE d [<!ENTITY x "y">]>\n', 1), "doctype", None),
    "doctype in UTF-16": (
        file().decode().replace("UTF-8", "UTF-16").replace("?>\n", "?>\n<!DOCTYPE d>\n", 1).encode("utf-16"),
        "doctype",
        None,
    ),
    "billion laughs": (
        b'<!DOCTYPE l [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;"><!ENTITY c "&b;&b;&b;&b;&b;&b;&b;">]><l x="&c;"/>',
        "doctype",
        None,
    ),
    "unknown entity": (file(USER.format("", "<bpmn:documentation>&x;</bpmn:documentation>")), "not_xml", None),
    "huge": (b"<a>" + b" " * (5 << 20) + b"</a>", "file_too_large", None),
    "deep": (b"<a>" * 5000 + b"</a>" * 5000, "not_xml", None),
    "other XML": (b"<html/>", "not_bpmn", None),
    "no process": ((HEAD + "</bpmn:definitions>").encode(), "no_process", None),
    "a second process that is empty": (file(before='<bpmn:process id="q" isExecutable="true"/>'), "no_start", "q"),
    "a second process that is not executable": (file(before='<bpmn:process id="q"/>'), "not_executable", "q"),
    "two processes of one id": (file(before='<bpmn:process id="p" isExecutable="true"/>'), "duplicate_id", "p"),
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
    "two pools of one process": (pools('<bpmn:participant id="pool2" processRef="p"/>'), "pool_twice", "pool2"),
    "message flow inside a pool": (pools('<bpmn:messageFlow id="m" sourceRef="u" targetRef="start"/>'), "message_flow_inside", "m"),
    "message flow within the pool": (pools('<bpmn:messageFlow id="m" sourceRef="u" targetRef="pool"/>'), "message_flow_inside", "m"),
    "message flow to nowhere": (pools('<bpmn:messageFlow id="m" sourceRef="u" targetRef="x"/>'), "dangling_reference", "m"),
    "message flow without end": (pools('<bpmn:messageFlow id="m" sourceRef="u"/>'), "dangling_reference", "m"),
    "multiplicity of a pool": (
        pools('<bpmn:participant id="b"><bpmn:participantMultiplicity/></bpmn:participant>'),
        "unsupported_element",
        "b",
    ),
    "conversation": (pools('<bpmn:conversation id="v"/>'), "unsupported_element", "v"),
    "BPMN's correlation": (file(before='<bpmn:correlationProperty id="v"/>'), "unsupported_element", "v"),
    "import": (file(before='<bpmn:import namespace="x"/>'), "unsupported_element", "definitions"),
    "choreography": (file(before='<bpmn:choreography id="c"/>'), "unsupported_element", "c"),
    # elements
    **{tag: (file(node(tag)), "unsupported_element", "u") for tag in ("transaction", "adHocSubProcess", "complexGateway", "somethingNew")},
    "io specification": (file(USER.format("", "<bpmn:ioSpecification/>")), "unsupported_element", "u"),
    "property": (file(USER.format("", '<bpmn:property id="v" name="v"/>')), "unsupported_element", "v"),
    "data of nothing": (file(more='<bpmn:dataObjectReference id="v" dataObjectRef="x"/>'), "dangling_reference", "v"),
    "data from nowhere": (
        file(USER.format("", '<bpmn:dataInputAssociation id="v"><bpmn:sourceRef>x</bpmn:sourceRef></bpmn:dataInputAssociation>')),
        "dangling_reference",
        "v",
    ),
    **{
        f"data {part}": (
            file(USER.format("", f'<bpmn:dataOutputAssociation id="v"><bpmn:{part}/></bpmn:dataOutputAssociation>')),
            "unsupported_element",
            "v",
        )
        for part in ("transformation", "assignment")
    },
    "potential owner": (file(USER.format("", "<bpmn:potentialOwner/>")), "unsupported_element", "u"),
    "BPMN script": (file(node("scriptTask", "<bpmn:script>import os</bpmn:script>")), "unsupported_element", "u"),
    "lane in a lane": (file(more='<bpmn:lane id="l"/>'), "misplaced_element", "l"),
    # attributes
    "compensation activity": (file(USER.format("", "").replace('id="u"', 'id="u" isForCompensation="true"')), "unsupported_attribute", "u"),
    "start quantity": (file(node("task", "", 'startQuantity="2"')), "unsupported_attribute", "u"),
    "web service": (file(USER.format("", "").replace('id="u"', 'id="u" implementation="##WebService"')), "unsupported_attribute", "u"),
    "unknown attribute": (file(node("task", "", 'retries="3"')), "unsupported_attribute", "u"),
    "parallel multiple": (file(node("intermediateCatchEvent", timer("PT1H"), 'parallelMultiple="true"')), "unsupported_attribute", "u"),
    "other language": (
        split("exclusiveGateway", condition("=x", ' language="groovy"'), "/>", 'default="f3"'),
        "unsupported_attribute",
        "f2",
    ),
    "odd expression type": (
        file(node("intermediateCatchEvent", timer("PT1H").replace("tFormalExpression", "tOther"))),
        "unsupported_attribute",
        "u",
    ),
    # extensions
    "job worker": (file(USER.format('<zeebe:taskDefinition type="x"/>', "")), "unsupported_extension", "u"),
    "headers": (
        file(USER.format('<zeebe:taskHeaders><zeebe:header key="a" value="b"/></zeebe:taskHeaders>', "")),
        "unsupported_extension",
        "u",
    ),
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
    "mapping without source": (
        file(USER.format('<zeebe:ioMapping><zeebe:output target="a"/></zeebe:ioMapping>', "")),
        "missing_source",
        "u",
    ),
    "host name as variable": (script(variable="parameters"), "reserved_name", "u"),
    "host name as target": (
        file(USER.format('<zeebe:ioMapping><zeebe:input source="=1" target="case.x"/></zeebe:ioMapping>', "")),
        "reserved_name",
        "u",
    ),
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
            *[
                ("Cycle", text)
                for text in ("PT1H", "R0/PT1H", "R/PT0S", "R/-PT1H", "0 0 9 * * *", "R3/PT1H/2026-01-01T00:00:00Z", "R3/x/PT1H")
            ],
            ("", "nothing"),
        ]
    },
    "two times": (file(node("intermediateCatchEvent", timer("PT1H</bpmn:timeDuration><bpmn:timeDuration>PT1H"))), "bad_timer", "u"),
    "start after a duration": (
        file(more=f'<bpmn:startEvent id="s2">{timer("PT1H")}</bpmn:startEvent>' + FLOW.format("f3", "s2", "u", "/>")),
        "bad_timer",
        "s2",
    ),
}
