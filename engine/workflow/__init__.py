"""Procedures that run: BPMN 2.0 in Camunda 8's dialect, compiled once to plain data, played as a token game, stored as small JSON.

Reading: `parse` (with `admit`, `vocabulary`, `dialect`, `shape`) → `model`. Running: `case` (what commands call), `game` (the moves),
`activities` (what each element does), `joins`, `variables`, `timing`; `state` is what is stored, `steps` what is told.

No SpiffWorkflow underneath; `docs/discussions.md` says why.
"""

from engine.workflow.case import Case
from engine.workflow.formula import Environment, Formula
from engine.workflow.model import Element, Flow, Kind, Lane, Process
from engine.workflow.parse import compile_process, examine
from engine.workflow.steps import Incident, Step, Timer, Wait
from engine.workflow.unknown import unknown_names

__all__ = [
    "Case",
    "Element",
    "Environment",
    "Flow",
    "Formula",
    "Incident",
    "Kind",
    "Lane",
    "Process",
    "Step",
    "Timer",
    "Wait",
    "compile_process",
    "examine",
    "unknown_names",
]
