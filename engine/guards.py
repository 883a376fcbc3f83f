"""Which rules guard which task of a procedure: those that could speak about it, whatever else is the case. Pure.

A procedure cannot be drawn around a regulation: what a rule asks of a task is its stage, its tags and its id, and of a case that it holds
what it holds, however it came there. So before a procedure is published its gate can say which rules will look at each task, by judging
the cells of each row on what the diagram settles (engine.decisions.narrowing) and leaving open what only a case can tell.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from engine.regulations import Regulation, Tables, settled
from engine.workflow import Element, Kind, Process

_LATE = {"kind": "task"}  # what the clock looks at when a task is late (engine.commands.lateness)


@dataclass(frozen=True)
class Guard:
    """One rule that can speak about a task. `points`, `effects`: where, and with what."""

    rule: str
    table: str
    points: tuple[str, ...]
    effects: tuple[str, ...]

    def as_dict(self) -> dict:
        """Plain JSON for the API."""
        return {"rule": self.rule, "table": self.table, "points": list(self.points), "effects": list(self.effects)}


@dataclass(frozen=True)
class Guarded:
    """A task with the rules that guard it."""

    element: str
    name: str
    name_en: str
    guards: tuple[Guard, ...]

    def as_dict(self) -> dict:
        """Plain JSON for the API."""
        return {"element": self.element, "name": self.name, "rules": [guard.as_dict() for guard in self.guards]}


def guarded(process: Process, tables: Tables | Iterable[Regulation]) -> list[Guarded]:
    """Every task that people do, in the order of the diagram's file, with the rules that could speak about it."""
    tables = tuple(tables)
    first = _first(process)
    tasks = [element for element in process.elements.values() if element.kind is Kind.USER_TASK]
    return [
        Guarded(
            task.id,
            task.name or task.id,
            task.properties.get("name_en", ""),
            tuple(guard for table in tables for guard in _guards(table, _kind_of(task), task.id in first)),
        )
        for task in tasks
    ]


def _kind_of(task: Element) -> dict:
    """What the diagram settles of a task, as engine.commands.judging tells it."""
    tags = [word.strip() for word in task.properties.get("tags", "").split(",") if word.strip()]
    return {"element": task.id, "stage": task.properties.get("stage"), "tags": tags}


def _guards(table: Regulation, kind: dict, first: bool) -> list[Guard]:
    """The rules of one table that can speak about such a task, at the points where it is looked at."""
    found: dict[str, dict[str, list]] = {}
    for point in ("start", "assign", "complete", "clock") if first else ("assign", "complete", "clock"):
        facts = {"task": kind, "record": _LATE if point == "clock" else {}}
        for row in table.narrowed(point, settled(facts)).rows:
            said = found.setdefault(table.rule_of(row.id), {"points": [], "effects": []})
            said["points"].append(point)
            said["effects"].append(table.effect_of(row.id))
    return [Guard(rule, table.key, tuple(dict.fromkeys(said["points"])), tuple(dict.fromkeys(said["effects"]))) for rule, said in found.items()]


def _first(process: Process) -> set[str]:
    """The tasks that may be the first of a case: whoever completes one starts it."""
    pending = list(process.start_events)
    seen, found = set(pending), set()
    while pending:
        element = process.elements[pending.pop()]
        if element.kind is Kind.USER_TASK:
            found.add(element.id)
            continue
        following = [flow.target for flow in element.outgoing] + ([element.start] if element.start else [])
        following = [each for each in following if each not in seen]
        seen.update(following)
        pending += following
    return found
