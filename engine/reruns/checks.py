"""Acts that the regulations judged, made again by the regulation in force and by a changed one.

Every such act keeps what the tables were told (engine.commands.judging), refused acts too; so both tables answer the very question that was
put then, with the parameters of that day.
"""

from collections.abc import Mapping
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from engine import audit, definitions, reference, regulations
from engine.audit import Event, Kind
from engine.definitions import Version
from engine.facts import Needs
from engine.facts.needs import MOST, Tree, asked
from engine.regulations import Regulation, Tables, settled
from engine.reruns.outcome import Outcome, Rerun, instance_of
from engine.system import System
from engine.vault import SubjectKey


class CheckRerun(Rerun):
    """What `current` (None: there was no such regulation) and `changed` say of the acts that were judged."""

    kinds = (Kind.TASK_CLAIMED, Kind.TASK_DELEGATED, Kind.TASK_COMPLETED, Kind.OUTING_REPORTED, Kind.REGULATION_REFUSED)

    def __init__(
        self,
        system: System,
        changed: Regulation,
        current: Regulation | None,
        since: datetime | None = None,
        until: datetime | None = None,
        outcome: Outcome | None = None,
    ):
        """Times and `outcome` as Rerun has them."""
        super().__init__(system, since, until, outcome)
        self.changed = changed
        self.tables = Tables([current] if current else []), Tables([changed])
        self._known: reference.Reference | None = None
        self._kept: _Kept | None = None

    def prepare(self, session: Session) -> None:
        """Parameters with their history, and which tables were in force when."""
        self._known = reference.in_force(self.system, session)
        self._kept = self._kept or _Kept(session, self.system.county_id)

    def keeps(self, event: Event) -> bool:
        """Else it is of a time when nothing was kept."""
        return "checked" in event.facts

    def again(self, session: Session, event: Event, key: SubjectKey) -> None:
        """Both tables, at the points and with the facts of then. Raises as Rerun's."""
        checked = event.facts["checked"]
        instance_id = event.facts.get("instance") or instance_of(event.stream)
        facts = self.told(session, event, key, "checked", instance_id)
        facts |= {"parameters": self._known.parameters(event.recorded_at, checked["station"])}
        points, clock = tuple(checked["points"]), event.recorded_at.astimezone(self.system.zone)
        missing = self._kept.missing(session, self.changed, checked["regulations"], points, facts)
        for row, names in missing.items():
            self.outcome.unknown.setdefault(row, set()).update(names)
        left_out = {self.changed.rule_of(row) for row in missing}
        before, after = (_said(each, points, facts, clock, left_out) for each in self.tables)
        self.outcome.count(event, instance_id, list(points), (before, after), before != after)


def _said(tables: Tables, points: tuple[str, ...], facts: dict, clock: datetime, left_out: set[str]) -> dict[str, str]:
    """Rule → effect."""
    found = [each for point in points for each in regulations.check(tables, point, facts, clock=clock)]
    return {each.rule: each.effect for each in found if each.rule not in left_out}


class _Kept:
    """What was kept when: the tables in force at a place in the stream of regulations, and what they asked for."""

    def __init__(self, session: Session, county_id: str):
        self.county_id = county_id
        self.events = audit.events(session, definitions.stream_of(county_id, "regulation", ""))
        self._needs: dict[int, Needs] = {}
        self._missing: dict[tuple, tuple[dict[str, set[str]], Mapping]] = {}

    def missing(self, session: Session, changed: Regulation, sequence: int, points: tuple[str, ...], facts: dict) -> dict[str, set[str]]:
        """Row of the changed table → what it asks at these points about this kind of act that nobody kept then."""
        kind = settled(facts)
        parameters = facts["parameters"]
        key = (sequence, points, str(kind), id(parameters))  # the numbers are kept with the answer: no others take their place in memory
        if key not in self._missing:
            if len(self._missing) >= MOST:
                self._missing.clear()
            needs = self._needs_at(session, sequence)
            tree, absent = needs.question(points, facts, parameters).tree, needs.absent(facts)
            found: dict[str, set[str]] = {}
            for point in points:
                for row, paths in asked(changed.narrowed(point, kind, parameters, absent)).items():
                    found.setdefault(row, set()).update(".".join(path) for path in paths if not _covers(tree, path))
            self._missing[key] = {row: names for row, names in found.items() if names}, parameters
        return self._missing[key][0]

    def _needs_at(self, session: Session, sequence: int) -> Needs:
        if sequence not in self._needs:
            numbers: dict[str, int] = {}
            for event in self.events:
                if event.seq > sequence:
                    break
                if event.kind == Kind.DEFINITION_PUBLISHED:
                    numbers[event.facts["key"]] = event.facts["number"]
                elif event.kind == Kind.DEFINITION_WITHDRAWN and numbers.get(event.facts["key"]) == event.facts["number"]:
                    del numbers[event.facts["key"]]
            self._needs[sequence] = Needs(Tables(self._compiled(session, *each) for each in numbers.items()))
        return self._needs[sequence]

    def _compiled(self, session: Session, key: str, number: int) -> Regulation:
        query = select(Version.id).where(Version.county_id == self.county_id, Version.key == key, Version.number == number)
        return definitions.regulation(session, session.scalars(query).one(), str(number))


def _covers(tree: Tree, path: tuple[str, ...]) -> bool:
    """Whether what a tree keeps holds everything under a path."""
    for name in path:
        if name not in tree:
            return False
        if not tree[name]:
            return True
        tree = tree[name]
    return False
