"""Procedures that run: BPMN 2.0 in Camunda 8's dialect, compiled once to plain data, played as a token game, stored as small JSON.

Reading: `parse` and `reading` (with `admit`, `vocabulary`, `dialect`, `triggers`, `shape`, `catchers`) → `model`. Running: `case` (what
commands call), `game` (the moves), `activities` (what each element does), `events`, `rounds`, `joins`, `variables`, `timing`; `state` is
what is stored, `steps` what is told.

No SpiffWorkflow underneath; `docs/discussions.md` says why.

Semantics are Camunda 8's (Zeebe), else BPMN 2.0.2. Where both leave it open:
* Standard loops (Zeebe has none): every round is an activation of its own, with its own token, scope and mappings; the border belongs to
  the whole loop; `loopCounter` is the number of the round, 0 before the first.
* Boundary timers are counted from when their host begins, before its task opens; repeats are counted from the first; those that were missed
  are made up for by one, those before the timer was set by none (Zeebe counts anew from the late one); an interrupting one fires once
  whatever its cycle says; a catch event takes the first occurrence.
* `P1D` and `P1M` as text count days of the zone's calendar, a FEEL duration counts hours; a date is its first second for a timer and its
  last for a due date; a duration field also takes a point in time, so that `=working days after(now(), 15)` works.
* Tokens stuck before a join that nothing in its scope can complete any more are an incident (`deadlock`), not an eternal silence.
* Names of the host (`parameters`, `case`, …) win over variables.
"""

from engine.workflow.case import Case
from engine.workflow.formula import Environment, Formula, JobCall
from engine.workflow.model import Element, Flow, Kind, Lane, Process, Trigger, words
from engine.workflow.parse import compile_process, compile_processes, examine
from engine.workflow.steps import Call, Incident, Job, Outgoing, Step, Subscription, Timer, Wait
from engine.workflow.trouble import BpmnError
from engine.workflow.unknown import unknown_names

__all__ = [
    "BpmnError",
    "Call",
    "Case",
    "Element",
    "Environment",
    "Flow",
    "Formula",
    "Incident",
    "Job",
    "JobCall",
    "Kind",
    "Lane",
    "Outgoing",
    "Process",
    "Step",
    "Subscription",
    "Timer",
    "Trigger",
    "Wait",
    "compile_process",
    "compile_processes",
    "examine",
    "unknown_names",
    "words",
]
