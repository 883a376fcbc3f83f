"""The oracles themselves: do the stock editors run here, and do they complain when there is reason to?"""

import pytest

pytestmark = pytest.mark.browser

DIAGRAM = """<?xml version="1.0" encoding="UTF-8"?>
<bpmn:definitions xmlns:bpmn="http://www.omg.org/spec/BPMN/20100524/MODEL" xmlns:bpmndi="http://www.omg.org/spec/BPMN/20100524/DI"
  xmlns:dc="http://www.omg.org/spec/DD/20100524/DC" xmlns:zeebe="http://camunda.org/schema/zeebe/1.0" id="d" targetNamespace="t">
  <bpmn:process id="p" isExecutable="true">
    <bpmn:userTask id="task" name="填写需求"><bpmn:extensionElements>
      <zeebe:formDefinition formId="intake" /></bpmn:extensionElements></bpmn:userTask>
  </bpmn:process>
  <bpmndi:BPMNDiagram id="di"><bpmndi:BPMNPlane id="plane" bpmnElement="p">
    <bpmndi:BPMNShape id="task_di" bpmnElement="task"><dc:Bounds x="160" y="80" width="100" height="80" /></bpmndi:BPMNShape>
  </bpmndi:BPMNPlane></bpmndi:BPMNDiagram>
</bpmn:definitions>"""

FORM = {
    "type": "default",
    "components": [
        {"type": "textfield", "id": "f1", "key": "name", "label": "姓名", "validate": {"required": True}},
        {"type": "number", "id": "f2", "key": "age", "label": "年龄"},
        {"type": "textfield", "id": "f3", "key": "guardian", "label": "监护人", "conditional": {"hide": "=age >= 18"}},
    ],
}


def test_the_modeller_opens_a_diagram_of_the_dialect(stock_modeler):
    assert stock_modeler.open(DIAGRAM) == []
    assert '<zeebe:formDefinition formId="intake" />' in stock_modeler.saved()


def test_the_modeller_warns_of_what_it_does_not_know(stock_modeler):
    assert stock_modeler.open(DIAGRAM.replace('bpmnElement="task"', 'bpmnElement="nothing"'))


def test_the_viewer_submits_what_is_shown(stock_viewer):
    answer = stock_viewer.submit(FORM, {"name": "张三", "age": 20, "guardian": "李四"})
    assert answer["data"] == {"name": "张三", "age": 20}
    assert answer["errors"] == {}


def test_the_viewer_applies_what_is_typed(stock_viewer):
    answer = stock_viewer.submit(FORM, {"name": "张三", "age": 20, "guardian": "李四"}, typed={"age": 8, "name": ""})
    assert answer["data"]["guardian"] == "李四"
    assert list(answer["errors"]) == ["f1"]
