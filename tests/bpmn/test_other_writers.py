"""Files as other programs than Camunda's modeller write them: other prefixes, qualified references, no drawing, other encodings."""

import pytest

from engine.workflow import compile_process, examine
from tests.bpmn.harness import Driver

FILE = """<?xml version="1.0" encoding="UTF-8"?>
<semantic:definitions xmlns:semantic="http://www.omg.org/spec/BPMN/20100524/MODEL" xmlns:z="http://camunda.org/schema/zeebe/1.0"
    xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xmlns:tns="urn:x" id="d" targetNamespace="urn:x" xsi:schemaLocation="a b">
  <semantic:message id="m" name="withdrawn"><semantic:extensionElements><z:subscription correlationKey="=k"/></semantic:extensionElements></semantic:message>
  <semantic:category id="c"><semantic:categoryValue id="cv" value="v"/></semantic:category>
  <semantic:collaboration id="together">
    <semantic:participant id="station" processRef="tns:p"/><semantic:participant id="court" name="法院"/><semantic:participant id="police"/>
    <semantic:messageFlow id="mf1" sourceRef="tns:court" targetRef="tns:over"/><semantic:messageFlow id="mf2" sourceRef="court" targetRef="police"/>
  </semantic:collaboration>
  <semantic:process id="p" isExecutable="true">
    <semantic:laneSet id="ls"><semantic:lane id="outer"><semantic:flowNodeRef>tns:s</semantic:flowNodeRef>
      <semantic:flowNodeRef>u</semantic:flowNodeRef><semantic:childLaneSet id="cl"><semantic:lane id="inner">
      <semantic:flowNodeRef> tns:u </semantic:flowNodeRef></semantic:lane></semantic:childLaneSet></semantic:lane></semantic:laneSet>
    <semantic:startEvent id="s"><semantic:outgoing>tns:f1</semantic:outgoing></semantic:startEvent>
    <semantic:userTask id="u" default="tns:f2"><semantic:extensionElements><z:formDefinition formId="u"/></semantic:extensionElements>
      <semantic:incoming>tns:f1</semantic:incoming></semantic:userTask>
    <semantic:boundaryEvent id="over" attachedToRef="tns:u"><semantic:messageEventDefinition id="md" messageRef="tns:m"/></semantic:boundaryEvent>
    <semantic:endEvent id="e1"/><semantic:endEvent id="e2"/><semantic:endEvent id="e3"/>
    <semantic:sequenceFlow id="f1" sourceRef="s" targetRef="tns:u"/><semantic:sequenceFlow id="f2" sourceRef="u" targetRef="e1"/>
    <semantic:sequenceFlow id="f3" sourceRef="over" targetRef="e2"/>
    <semantic:sequenceFlow id="f4" sourceRef="u" targetRef="e3">
      <semantic:conditionExpression><![CDATA[=n < 3]]></semantic:conditionExpression></semantic:sequenceFlow>
    <semantic:textAnnotation id="ta"><semantic:text>hi</semantic:text></semantic:textAnnotation>
    <semantic:association id="as" sourceRef="u" targetRef="ta"/><semantic:group id="g" categoryValueRef="tns:cv"/>
    <semantic:dataObject id="do"/><semantic:dataObjectReference id="dor" dataObjectRef="do"/><semantic:dataStoreReference id="dsr"/>
  </semantic:process>
</semantic:definitions>"""


@pytest.mark.parametrize(
    "written",
    [
        FILE.encode(),
        FILE.replace("semantic:", "").replace("xmlns:semantic", "xmlns").encode(),
        FILE.replace("UTF-8", "UTF-16").encode("utf-16"),
        ("\ufeff" + FILE).encode(),
        FILE.replace('isExecutable="true"', 'isExecutable="1"').encode(),
        FILE.replace('attachedToRef="tns:u"', 'attachedToRef=" u "').encode(),
    ],
    ids=["prefixed", "unprefixed", "utf-16", "byte order mark", "xsd boolean", "spaces"],
)
def test_it_is_the_same_procedure(written):
    """`attachedToRef` is a qualified name by the schema; it was looked for with its prefix and not found."""
    assert examine(written) == []
    process = compile_process(written)
    assert process.elements["u"].lane.id == "inner" and process.elements["s"].lane.id == "outer"
    assert Driver(process, {"k": "1", "n": 1}).complete().told("element:completed") == ["s", "u", "e3"]
    assert Driver(process, {"k": "1", "n": 5}).complete().told("element:completed") == ["s", "u", "e1"]
    assert Driver(process, {"k": "1"}).message("withdrawn").told("element:completed") == ["s", "over", "e2"]
