"""Drives a case and stores and restores it between every two commands: what comes out must not depend on whether it was ever stored."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

from engine.workflow import Case, Environment, Outgoing, Process, Step, compile_process

DIAGRAMS = Path(__file__).parent / "diagrams"
NOW = datetime(2026, 3, 2, 1, 0, tzinfo=UTC)  # a Monday, 09:00 in Liangshan


def diagram(name: str) -> Process:
    """A diagram of tests/bpmn/diagrams, compiled."""
    return compile_process((DIAGRAMS / f"{name}.bpmn").read_bytes())


@dataclass(frozen=True)
class Outcome:
    """What a decision answers."""

    result: Any
    matched: tuple = ()
    inputs: tuple = ()


class Driver:
    """One case with a clock that can be moved. Elements are named by their ids."""

    def __init__(
        self, process: Process, variables: Mapping[str, Any] | None = None, start: str | None = None, called: bool = False, **environment
    ):
        self.process = process
        self.env = Environment(now=NOW, **environment)
        self.steps: list[Step] = []
        self.asked: list[Outgoing] = []
        self.sizes: list[int] = []
        self.case = Case.start(process, values(variables or {}), self.env, start, called)
        self._store()

    # --- commands -------------------------------------------------------------------------------------------------------

    def complete(self, element: str | None = None, **data) -> "Driver":
        """Do the oldest open task (of this element)."""
        wait = next(wait for wait in self.case.waits() if element in (None, wait.element.id))
        self.case.complete(wait.token, values(data), self.env)
        return self._store()

    def fire(self, element: str | None = None, at_its_time: bool = True) -> "Driver":
        """Fire the next timer (of this element), moving the clock to its due time."""
        timer = next(timer for timer in self.case.timers() if element in (None, timer.element.id))
        if at_its_time:
            self.env = replace(self.env, now=max(self.env.now, timer.due))
        self.case.fire(timer.id, self.env)
        return self._store()

    def retry(self, element: str | None = None, **environment) -> "Driver":
        """Retry an incident, perhaps with another environment."""
        self.env = replace(self.env, **environment)
        incident = next(i for i in self.case.incidents() if element in (None, i.element.id))
        self.case.retry(incident.token, self.env)
        return self._store()

    def cancel(self) -> "Driver":
        """End the case."""
        self.case.cancel(self.env, "撤销")
        return self._store()

    def message(self, name: str, key: str | None = None, **data) -> "Driver":
        """A message for whoever waits longest for this name (and key)."""
        fitting = [wait for wait in self.case.subscriptions() if wait.trigger == "message" and wait.name == name]
        wait = next(wait for wait in fitting if key is None or wait.key == key)
        self.case.correlate(wait.id, values(data), self.env)
        return self._store()

    def signal(self, name: str, **data) -> "Driver":
        """A signal for all who wait for it."""
        self.case.signal(name, values(data), self.env)
        return self._store()

    def work(self, element: str | None = None, **data) -> "Driver":
        """A program does the oldest job (of this element)."""
        self.case.complete_job(self._job(element).token, values(data), self.env)
        return self._store()

    def fail(self, element: str | None = None, retries: int = 0) -> "Driver":
        """A program reports that it could not do a job."""
        self.case.fail_job(self._job(element).token, "没有回应", retries, self.env)
        return self._store()

    def error(self, code: str, element: str | None = None, **data) -> "Driver":
        """A job, or else a called case, ends in an error."""
        working = self.case.jobs() + self.case.calls()
        at = next(work for work in working if element in (None, work.element.id))
        self.case.throw_error(at.token, code, values(data), self.env)
        return self._store()

    def called(self, element: str | None = None, **data) -> "Driver":
        """A called case has ended well."""
        call = next(call for call in self.case.calls() if element in (None, call.element.id))
        self.case.finish_call(call.token, values(data), self.env)
        return self._store()

    def escalated(self, code: str, **data) -> "Driver":
        """A called case escalates."""
        self.case.throw_escalation(self.case.calls()[0].token, code, values(data), self.env)
        return self._store()

    def move(self, element: str, flow: str | None = None) -> "Driver":
        """By hand: on from an element."""
        at = next(token.id for token in self.case.tokens.values() if token.element == element)
        self.case.move_on(at, self.env, flow)
        return self._store()

    def correct(self, **data) -> "Driver":
        """By hand: other values for variables."""
        self.case.correct(values(data), self.env)
        return self._store()

    def _job(self, element: str | None):
        return next(job for job in self.case.jobs() if element in (None, job.element.id))

    def later(self, **delta) -> "Driver":
        """Move the clock."""
        self.env = replace(self.env, now=self.env.now + timedelta(**delta))
        return self

    def _store(self) -> "Driver":
        self.steps += self.case.drain_steps()
        self.asked += self.case.drain_outgoing()
        text = json.dumps(self.case.state(), ensure_ascii=False, allow_nan=False)
        restored = Case.restore(self.process, json.loads(text))
        assert json.dumps(restored.state(), ensure_ascii=False) == text, "storing and restoring changed the case"
        self.sizes.append(len(text))
        self.case = restored
        return self

    # --- what to look at ------------------------------------------------------------------------------------------------

    @property
    def waiting(self) -> list[str]:
        """Elements of open tasks, sorted."""
        return sorted(wait.element.id for wait in self.case.waits())

    @property
    def awaited(self) -> list[str]:
        """Names of the messages and signals that are waited for, sorted."""
        return sorted(wait.name for wait in self.case.subscriptions())

    @property
    def variables(self) -> dict[str, Any]:
        """The case's variables, numbers as int."""
        return {name: plain(value) for name, value in self.case.variables().items()}

    def told(self, kind: str) -> list[str | None]:
        """Elements of all steps of this kind, in order."""
        return [step.element for step in self.steps if step.kind == kind]

    def step(self, kind: str) -> Step:
        """The last step of this kind."""
        return [step for step in self.steps if step.kind == kind][-1]


def values(data: Mapping[str, Any]) -> dict[str, Any]:
    """Python literals as FEEL values."""
    return {name: _value(value) for name, value in data.items()}


def _value(value):
    if isinstance(value, list):
        return [_value(item) for item in value]
    if isinstance(value, dict):
        return values(value)
    return Decimal(value) if isinstance(value, int) and not isinstance(value, bool) else value


def plain(value):
    """FEEL values with whole numbers as int."""
    if isinstance(value, list):
        return [plain(item) for item in value]
    if isinstance(value, dict):
        return {key: plain(item) for key, item in value.items()}
    return int(value) if isinstance(value, Decimal) and value == int(value) else value
