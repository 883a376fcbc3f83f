"""What would this change have done? Past decisions are made again, by the regulation in force and by the changed one, and compared.

Every act that the regulations judged keeps what they were told (engine.commands.judging), refused acts too; so both tables answer the very
question that was put then, with the parameters of that day. What the changed table asks and nobody kept cannot be known: its rows are
named and left out, and nothing is guessed. It goes on batch by batch from wherever it stopped; memory is bounded by a batch and the
ids of the cases that change.
"""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import func, select, tuple_
from sqlalchemy.orm import Session

from engine import audit, definitions, feel, reference, regulations
from engine.audit import Event, Kind
from engine.definitions import Version
from engine.exceptions import DecisionFailed
from engine.facts import Needs
from engine.facts.needs import MOST, Tree, asked
from engine.feel import FeelError
from engine.parties import Parties
from engine.regulations import Regulation, Tables, settled
from engine.system import System
from engine.vault import SubjectKey

# The events that keep what the tables were told.
KINDS = (Kind.TASK_CLAIMED, Kind.TASK_DELEGATED, Kind.TASK_COMPLETED, Kind.OUTING_REPORTED, Kind.REGULATION_REFUSED)
BATCH = 500
MOST_SHOWN = 500  # changed decisions that are told one by one; the others are counted


@dataclass
class Outcome:
    """What both tables said of `decisions` past decisions, and how far the making again has come.

    `erased`: could not be read any more; `failed`: one of the tables could not answer; `unknown`: row of the changed table → what it asks
    and nobody kept. `before`, `after`: how often each rule spoke, by "rule effect"; `cases`: those in which a verdict changes;
    `shown`: {stream, seq, at, instance, points, before, after} of changed decisions, before and after as rule → effect.
    `seen` of `total` events; `place`: the last one, as (stream, seq).
    """

    decisions: int = 0
    erased: int = 0
    failed: int = 0
    changed: int = 0
    before: Counter = field(default_factory=Counter)
    after: Counter = field(default_factory=Counter)
    unknown: dict[str, set[str]] = field(default_factory=dict)
    cases: set[str] = field(default_factory=set)
    shown: list[dict] = field(default_factory=list)
    seen: int = 0
    total: int = 0
    place: tuple[str, int] = ("", 0)

    def rules(self) -> list[dict]:
        """{rule, effect, before, after} for each rule that spoke, those that differ first."""
        keys = sorted(self.before.keys() | self.after.keys(), key=lambda key: (self.before[key] == self.after[key], key))
        return [dict(zip(("rule", "effect"), key.split(" "), strict=True)) | {"before": self.before[key], "after": self.after[key]} for key in keys]

    def as_dict(self) -> dict:
        """Plain JSON, from which `of` makes it again."""
        names = {name: sorted(asked) for name, asked in self.unknown.items()}
        return self.__dict__ | {"unknown": names, "cases": sorted(self.cases), "place": list(self.place)}

    @classmethod
    def of(cls, plain: dict) -> "Outcome":
        """From `as_dict`."""
        counts = {name: Counter(plain[name]) for name in ("before", "after")}
        sets = {"unknown": {name: set(asked) for name, asked in plain["unknown"].items()}, "cases": set(plain["cases"])}
        return cls(**(plain | counts | sets | {"place": tuple(plain["place"])}))


class Rerun:
    """The decisions between two moments, made again by `changed` and by the regulation of its key that is in force (none if it is new)."""

    def __init__(self, system: System, changed: Regulation, since: datetime | None = None, until: datetime | None = None, outcome: Outcome | None = None):
        """`outcome`: where an earlier one stopped."""
        self.system, self.changed = system, changed
        self.outcome = outcome or Outcome()
        self.wanted = [Event.county_id == system.county_id, Event.kind.in_([str(kind) for kind in KINDS]), Event.sealed.is_not(None)]
        self.wanted += [Event.recorded_at >= since] if since else []
        self.wanted += [Event.recorded_at < until] if until else []
        self._kept: _Kept | None = None

    def step(self, session: Session) -> bool:
        """Make one batch again; false when nothing is left."""
        outcome, known = self.outcome, reference.in_force(self.system, session)
        if not outcome.total:
            outcome.total = session.scalar(select(func.count()).select_from(Event).where(*self.wanted))
        self._kept = self._kept or _Kept(session, self.system.county_id)
        query = select(Event).where(*self.wanted, tuple_(Event.stream, Event.seq) > outcome.place).order_by(Event.stream, Event.seq)
        events = list(session.scalars(query.limit(BATCH)))
        keys = session.scalars(select(SubjectKey).where(SubjectKey.id.in_({event.key_id for event in events})))
        keys = {key.id: key for key in keys if key.wrapped}
        tables = (Tables(table for table in known.tables if table.key == self.changed.key), Tables([self.changed]))
        for event in events:
            if "checked" in event.facts:  # else it is of a time when nothing was kept
                self._decide(session, event, keys.get(event.key_id), known, tables)
        outcome.seen += len(events)
        outcome.place = (events[-1].stream, events[-1].seq) if events else outcome.place
        session.expunge_all()
        return len(events) == BATCH

    def _decide(self, session: Session, event: Event, key: SubjectKey | None, known: reference.Reference, tables: tuple[Tables, Tables]) -> None:
        outcome, checked = self.outcome, event.facts["checked"]
        if key is None:
            outcome.erased += 1
            return
        instance_id = event.facts.get("instance") or _instance(event.stream)
        facts = self._facts(session, event, key, instance_id) | {"parameters": known.parameters(event.recorded_at, checked["station"])}
        points, clock = tuple(checked["points"]), event.recorded_at.astimezone(self.system.zone)
        missing = self._kept.missing(session, self.changed, checked["regulations"], points, facts)
        for row, names in missing.items():
            outcome.unknown.setdefault(row, set()).update(names)
        left_out = {self.changed.rule_of(row) for row in missing}
        try:
            before, after = (_said(each, points, facts, clock, left_out) for each in tables)
        except (DecisionFailed, FeelError):
            outcome.failed += 1
            return
        outcome.decisions += 1
        outcome.before.update(f"{rule} {effect}" for rule, effect in before.items())
        outcome.after.update(f"{rule} {effect}" for rule, effect in after.items())
        if before != after:
            outcome.changed += 1
            outcome.cases |= {instance_id} - {None}
            if len(outcome.shown) < MOST_SHOWN:
                place = {"stream": event.stream, "seq": event.seq, "at": event.recorded_at.isoformat(), "instance": instance_id}
                outcome.shown.append(place | {"points": list(points), "before": before, "after": after})

    def _facts(self, session: Session, event: Event, key: SubjectKey, instance_id: str | None) -> dict[str, Any]:
        """What the tables were told then, opened."""
        told = self.system.vault.open(key, event.sealed, f"event:{event.stream}:sealed")["checked"]
        if instance_id is not None:
            told = Parties.of(self.system.vault, session, instance_id, told).reveal(told)
        return feel.decode(told)


def _said(tables: Tables, points: tuple[str, ...], facts: dict, clock: datetime, left_out: set[str]) -> dict[str, str]:
    """Rule → effect."""
    found = [each for point in points for each in regulations.check(tables, point, facts, clock=clock)]
    return {each.rule: each.effect for each in found if each.rule not in left_out}


def _instance(stream: str) -> str | None:
    kind, _, identity = stream.partition("/")
    return identity if kind == "instance" else None


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
            tree = self._needs_at(session, sequence).question(points, facts, parameters).tree
            found: dict[str, set[str]] = {}
            for point in points:
                for row, paths in asked(changed.narrowed(point, kind, parameters)).items():
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
