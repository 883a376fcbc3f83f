"""SpiffWorkflow 3.2.0 beside ours, on diagrams it does right (no loops with joins, no data that branches write)."""

import re

from lxml import etree
from SpiffWorkflow.bpmn import BpmnWorkflow
from SpiffWorkflow.bpmn.parser import BpmnParser
from SpiffWorkflow.util.task import TaskState


class Spiff:
    """One workflow; user tasks become manual tasks, conditions lose their `=`."""

    def __init__(self, xml: bytes, data: dict):
        text = re.sub(r"<bpmn:extensionElements>.*?</bpmn:extensionElements>", "", xml.decode())
        text = text.replace("bpmn:userTask", "bpmn:manualTask").replace('tFormalExpression">=', 'tFormalExpression">')
        parser = BpmnParser()
        parser.add_bpmn_xml(etree.fromstring(text.encode()))
        self.workflow = BpmnWorkflow(parser.get_spec("random"), parser.get_subprocess_specs("random"))
        self.workflow.task_tree.set_data(**data)
        self.workflow.data.update(data)
        self._run()

    def _run(self) -> None:
        self.workflow.do_engine_steps()

    def _ready(self) -> list:
        return [task for task in self.workflow.get_tasks(state=TaskState.READY) if task.task_spec.manual]

    @property
    def waiting(self) -> list[str]:
        """Names of open tasks."""
        return [task.task_spec.bpmn_id for task in self._ready()]

    @property
    def completed(self) -> bool:
        """Whether it has ended."""
        return self.workflow.completed

    def complete(self, element: str) -> None:
        """Do an open task."""
        next(task for task in self._ready() if task.task_spec.bpmn_id == element).run()
        self._run()
