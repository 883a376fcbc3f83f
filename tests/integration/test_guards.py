"""A regulation is published while its examples hold; a procedure cannot be drawn around one."""

import pytest

from engine.commands.definitions import deploy, publish, withdraw
from engine.exceptions import DeployRefused, RegulationRefused
from tests.support import tables
from tests.support.databases import ROOT

DIRECTORY = ROOT / "bpmn" / "regulations"
COLUMNS = [(name, "string") for name in ("rule", "effect", "message", "message_en")]
SAID = ['"不行"', '"No"']
FOREIGN = """<?xml version="1.0"?><bpmn:definitions xmlns:bpmn="http://www.omg.org/spec/BPMN/20100524/MODEL"
 xmlns:zeebe="http://camunda.org/schema/zeebe/1.0" id="d" targetNamespace="t"><bpmn:process id="foreign" name="别处画的" isExecutable="true">
 <bpmn:startEvent id="s"><bpmn:outgoing>f1</bpmn:outgoing></bpmn:startEvent><bpmn:sequenceFlow id="f1" sourceRef="s" targetRef="r"/>
 <bpmn:scriptTask id="r"><bpmn:extensionElements><zeebe:script expression="=&quot;high&quot;" resultVariable="risk"/></bpmn:extensionElements>
 <bpmn:incoming>f1</bpmn:incoming><bpmn:outgoing>f0</bpmn:outgoing></bpmn:scriptTask><bpmn:sequenceFlow id="f0" sourceRef="r" targetRef="Activity_1"/>
 <bpmn:userTask id="Activity_1" name="去看看"><bpmn:extensionElements><zeebe:userTask/><zeebe:assignmentDefinition candidateGroups="worker"/>
 <zeebe:properties><zeebe:property name="tags" value="home_visit"/></zeebe:properties></bpmn:extensionElements>
 <bpmn:incoming>f0</bpmn:incoming><bpmn:outgoing>f2</bpmn:outgoing></bpmn:userTask>
 <bpmn:sequenceFlow id="f2" sourceRef="Activity_1" targetRef="e"/><bpmn:endEvent id="e"><bpmn:incoming>f2</bpmn:incoming></bpmn:endEvent>
 </bpmn:process></bpmn:definitions>"""


def table(*rows) -> bytes:
    return tables.file(tables.table([("point", "string"), ("task.stage", "string")], COLUMNS, rows, hit="COLLECT", ident="own"))


def codes(findings) -> list[str]:
    return [each["code"] if isinstance(each, dict) else each.code for each in findings]


def test_a_task_tagged_as_a_home_visit_is_checked_whatever_the_diagram_says(working_county):
    county = working_county
    answer = county.deploy(**{"foreign.bpmn": FOREIGN})
    (task,) = answer["guards"]
    assert {"safety.two_person", "image.badge", "image.appearance"} <= {each["rule"] for each in task["rules"]}
    case = county.start("foreign")["id"]
    with pytest.raises(RegulationRefused) as refused:
        county.do("ft-01-1", case, "Activity_1")
    assert "safety.two_person" in [verdict.rule for verdict in refused.value.verdicts]


def test_a_regulation_whose_examples_fail_is_not_published(working_county):
    county, who = working_county, working_county.act("supervisor")
    name = "image.examples.yaml"
    files = {each: (DIRECTORY / each).read_bytes() for each in ("image.dmn", name)}
    files[name] = files[name].replace(b"keep_badges: 1}", b"keep_badges: 0}", 1)
    answer = deploy(county.system, who, files, now=county.now)
    assert set(codes(answer["warnings"])) == {"example_failed"}
    with pytest.raises(DeployRefused) as refused:
        publish(county.system, who, "image", answer["number"], now=county.now)
    assert {(each.code, each.element, each.file) for each in refused.value.findings} == {("example_failed", "image.badge", name)}


def test_a_rule_that_blocks_everybody_is_not_published(county):
    who = county.act("supervisor")
    for row in (['"complete"', "-", '"own.all"', '"block"', *SAID], ["-", "-", '"own.all"', '"waiver"', *SAID]):
        answer = deploy(county.system, who, {"own.dmn": table(row)}, now=county.now)
        with pytest.raises(DeployRefused) as refused:
            publish(county.system, who, "own", answer["number"], now=county.now)
        assert codes(refused.value.findings) == ["blocks_everybody"]
    harmless = [['"complete"', '"plan"', '"own.plan"', '"block"', *SAID], ['"complete"', "-", '"own.all"', '"warn"', *SAID]]
    county.deploy(**{"own.dmn": table(*harmless)})


def test_withdrawing_a_regulation_says_how_many_open_cases_it_guarded(working_county):
    county = working_county
    county.start("service_delivery")
    answer = withdraw(county.system, county.act("supervisor"), "image", 1, now=county.now)
    assert answer["status"] == "withdrawn" and answer["open_cases"] == 1
