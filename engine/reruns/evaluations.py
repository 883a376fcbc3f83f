"""Decisions that cases asked of a table of their own procedure, made again by a changed table.

An evaluation keeps the values of its columns and what came out (engine.workflow.activities). The changed table is asked by the values of the
columns that ask the same; one that asks something new, in a column or inside a cell, asks what nobody kept.
"""

from datetime import datetime
from typing import Any

from sqlalchemy.orm import Session

from engine import definitions, feel, reference
from engine.audit import Event
from engine.decisions import Decision
from engine.decisions.columns import by_columns, name_of
from engine.instances import Instance
from engine.reruns.outcome import Outcome, Rerun, instance_of
from engine.system import System
from engine.vault import SubjectKey

_EQUAL = feel.compile("one = other")


class EvaluationRerun(Rerun):
    """What was said then, and what `changed` says. Rules are rows, by their ids; effects are empty."""

    kinds = ("decision:evaluated",)

    def __init__(
        self,
        system: System,
        file: bytes,
        changed: Decision,
        since: datetime | None = None,
        until: datetime | None = None,
        outcome: Outcome | None = None,
    ):
        """`file`: the one that `changed` was compiled from. Times and `outcome` as Rerun has them. Raises DeployRefused."""
        super().__init__(system, since, until, outcome)
        self.changed = changed
        self.table = by_columns(file, changed.id)
        self.columns = [column.expression.text.strip() for column in changed.inputs]
        # Row → the columns it looks at; a table answers by all its rows together, so one row's question is the table's.
        self._looks = {
            row.id: [column for column, cell in enumerate(row.inputs) if cell.text.strip() not in ("", "-")] for row in changed.rules
        }
        self._old: dict[str, dict[str, int]] = {}
        self._known: reference.Reference | None = None

    def prepare(self, session: Session) -> None:
        """Parameters with their history, and the calendar."""
        self._known = reference.in_force(self.system, session)

    def keeps(self, event: Event) -> bool:
        """Of the same decision."""
        return event.facts.get("decision") == self.changed.id

    def again(self, session: Session, event: Event, key: SubjectKey) -> None:
        """The changed table with the columns' values of then. Raises as Rerun's."""
        instance_id = instance_of(event.stream)
        instance = session.get(Instance, instance_id)
        host = dict(self._known.functions) | {"parameters": self._known.parameters(event.recorded_at, instance.station_id)}
        was = self._columns(session, instance.version_id)
        if not self._is_answerable(was, host.keys()):
            self.outcome.unknowable += 1
            return
        values = self.told(session, event, key, "inputs", instance_id)
        result = self.told(session, event, key, "result", instance_id)
        asked = {name_of(column): values[was[text]] for column, text in enumerate(self.columns) if text in was}
        outcome = self.table.decide(host | asked, event.recorded_at.astimezone(self.system.zone))
        said = dict.fromkeys(event.facts["rules"], ""), dict.fromkeys(outcome.matched, "")
        self.outcome.count(event, instance_id, [], said, said[0] != said[1] or not _same(result, outcome.result))

    def _columns(self, session: Session, version_id: str) -> dict[str, int]:
        """What the columns of the case's own version asked → their place."""
        if version_id not in self._old:
            inputs = definitions.compiled(self.system, session, version_id).decisions[self.changed.id].inputs
            self._old[version_id] = {column.expression.text.strip(): place for place, column in enumerate(inputs)}
        return self._old[version_id]

    def _is_answerable(self, was: dict[str, int], host) -> bool:
        """Whether everything the changed table asks was kept; what was not is named, by row."""
        missing = {
            row: {self.columns[column] for column in columns if self.columns[column] not in was} for row, columns in self._looks.items()
        }
        inside = self.table.names - {name_of(column) for column in range(len(self.columns))} - set(host)
        if inside:
            missing[self.changed.id] = set(inside)
        found = {row: names for row, names in missing.items() if names}
        for row, names in found.items():
            self.outcome.unknown.setdefault(row, set()).update(names)
        return not found


def _same(one: Any, other: Any) -> bool:
    """Equal by FEEL, where null equals null."""
    return (one is None and other is None) or feel.is_true(_EQUAL.evaluate({"one": one, "other": other}))
