"""The two yardsticks: SpiffWorkflow bare in memory, and the naive stateless way around it.

The naive way is what a first draft does: load the full serialised state (with its spec) from SQLite, step, serialise, commit; WAL,
synchronous=FULL. It checks nothing, records nothing, and lets the same diagram run with its conditions as Python.
"""

import json
import sqlite3
from pathlib import Path

from lxml import etree
from SpiffWorkflow import TaskState
from SpiffWorkflow.bpmn import BpmnWorkflow
from SpiffWorkflow.bpmn.parser import BpmnParser
from SpiffWorkflow.bpmn.serializer import BpmnWorkflowSerializer

BPMN = "{http://www.omg.org/spec/BPMN/20100524/MODEL}"
DIAGRAMS = Path(__file__).parents[1] / "bpmn" / "bench"


def load_spec(process_id: str):
    """The bench diagram for SpiffWorkflow: without extension elements, conditions in Python's spelling."""
    root = etree.parse(str(DIAGRAMS / f"{process_id}.bpmn")).getroot()
    for extension in list(root.iter(f"{BPMN}extensionElements")):
        extension.getparent().remove(extension)
    for condition in root.iter(f"{BPMN}conditionExpression"):
        condition.text = condition.text.lstrip("=").replace(" = ", " == ").replace("true", "True").replace("false", "False")
    parser = BpmnParser()
    parser.add_bpmn_xml(root)
    return parser.get_spec(process_id)


def waiting(workflow: BpmnWorkflow):
    """The one user task that is ready."""
    return next(iter(workflow.get_tasks(state=TaskState.READY, manual=True)), None)


def step(workflow: BpmnWorkflow, data: dict) -> None:
    """Complete the ready user task and run to the next wait."""
    task = waiting(workflow)
    task.data.update(data)
    task.run()
    workflow.do_engine_steps()


class NaiveStore:
    """One SQLite table of serialised workflows."""

    def __init__(self, path: Path):
        self.serializer = BpmnWorkflowSerializer()
        self.connection = sqlite3.connect(path, isolation_level=None)
        for pragma in ("journal_mode=WAL", "synchronous=FULL"):
            self.connection.execute(f"PRAGMA {pragma}")
        self.connection.execute("CREATE TABLE workflow (id INTEGER PRIMARY KEY, state TEXT NOT NULL)")

    def start(self, spec) -> int:
        """Store a new workflow at its first task."""
        workflow = BpmnWorkflow(spec)
        workflow.do_engine_steps()
        state = self.serializer.serialize_json(workflow)
        return self.connection.execute("INSERT INTO workflow (state) VALUES (?)", (state,)).lastrowid

    def complete(self, workflow_id: int, data: dict) -> None:
        """Load, step, store, commit."""
        self.connection.execute("BEGIN IMMEDIATE")
        (state,) = self.connection.execute("SELECT state FROM workflow WHERE id = ?", (workflow_id,)).fetchone()
        workflow = self.serializer.deserialize_json(state)
        step(workflow, json.loads(json.dumps(data)))
        state = self.serializer.serialize_json(workflow)
        self.connection.execute("UPDATE workflow SET state = ? WHERE id = ?", (state, workflow_id))
        self.connection.execute("COMMIT")

    def size(self, workflow_id: int) -> int:
        """Bytes stored of a workflow."""
        return self.connection.execute("SELECT length(state) FROM workflow WHERE id = ?", (workflow_id,)).fetchone()[0]
