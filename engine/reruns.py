"""What would this change have done? Past decisions are made again, by the regulation in force and by the changed one, and compared.

Every act that the regulations judged keeps what they were told (engine.commands.judging), refused acts too; so both tables answer the very
question that was put then, with the parameters of that day. What the changed table asks and nobody kept cannot be known: its rows are
named and left out, and nothing is guessed. Memory is bounded by a batch and the ids of the cases that change.
"""

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import func, select, tuple_
from sqlalchemy.orm import Session

from engine import audit, definitions, feel, reference, regulations
from engine.audit import Event, Kind
from engine.definitions import Version
from engine.exceptions import DecisionFailed
from engine.facts import Needs
from engine.facts.needs import Tree, asked
from engine.feel import FeelError
from engine.parties import Parties
from engine.regulations import Regulation, Tables, Verdict
from engine.system import System
from engine.vault import SubjectKey

# The events that keep what the tables were told.
KINDS = (Kind.TASK_CLAIMED, Kind.TASK_DELEGATED, Kind.TASK_COMPLETED, Kind.OUTING_REPORTED, Kind.REGULATION_REFUSED)
BATCH = 500
MOST_SHOWN = 500  # changed decisions that are told one by one; the others are counted

Progress = Callable[[int, int], None]


class Changed(NamedTuple):
    """A decision that would have come out otherwise: where it stands in the history, and what each table says, as rule → effect."""

    stream: str
    seq: int
    at: datetime
    instance_id: str | None
    points: tuple[str, ...]
    before: dict[str, str]
    after: dict[str, str]


@dataclass
class Outcome:
    """What both tables said of `decisions` past decisions.

    `erased`: could not be read any more; `failed`: one of the tables could not answer; `unknown`: row of the changed table → what it asks
    and nobody kept. `before`, `after`: verdicts by (rule, effect); `cases`: those in which a verdict changes.
    """

    decisions: int = 0
    erased: int = 0
    failed: int = 0
    changed: int = 0
    before: Counter = field(default_factory=Counter)
    after: Counter = field(default_factory=Counter)
    unknown: dict[str, set[str]] = field(default_factory=dict)
    cases: set[str] = field(default_factory=set)
    shown: list[Changed] = field(default_factory=list)

    def rules(self) -> list[dict]:
        """The counts by rule and effect, those that differ first."""
        keys = self.before.keys() | self.after.keys()
        lines = [{"rule": rule, "effect": effect, "before": self.before[rule, effect], "after": self.after[rule, effect]} for rule, effect in keys]
        return sorted(lines, key=lambda line: (line["before"] == line["after"], line["rule"], line["effect"]))


def rerun(
    system: System,
    session: Session,
    changed: Regulation,
    since: datetime | None = None,
    until: datetime | None = None,
    progress: Progress = lambda done, total: None,
) -> Outcome:
    """Make the decisions between two moments again by `changed` and by the regulation of its key that is in force (none, if it is new)."""
    known = reference.in_force(system, session)
    current = [table for table in known.tables if table.key == changed.key]
    kept, outcome = _Kept(session, system.county_id), Outcome()
    wanted = _wanted(system.county_id, since, until)
    total = session.scalar(select(func.count()).select_from(Event).where(*wanted))
    done = 0
    for events in _batches(session, wanted):
        keys = _keys(session, events)
        for event in events:
            _decide_again(system, session, known, event, keys.get(event.key_id), (current, changed), kept, outcome)
        done += len(events)
        session.expunge_all()
        progress(done, total)
    return outcome


def _wanted(county_id: str, since: datetime | None, until: datetime | None) -> list:
    wanted = [Event.county_id == county_id, Event.kind.in_([str(kind) for kind in KINDS]), Event.sealed.is_not(None)]
    if since is not None:
        wanted.append(Event.recorded_at >= since)
    if until is not None:
        wanted.append(Event.recorded_at < until)
    return wanted


def _batches(session: Session, wanted: list) -> Iterator[list[Event]]:
    after: tuple[str, int] = ("", 0)
    while True:
        query = select(Event).where(*wanted, tuple_(Event.stream, Event.seq) > after).order_by(Event.stream, Event.seq).limit(BATCH)
        found = list(session.scalars(query))
        if not found:
            return
        yield found
        after = (found[-1].stream, found[-1].seq)


def _keys(session: Session, events: list[Event]) -> dict[str, SubjectKey]:
    ids = {event.key_id for event in events}
    return {key.id: key for key in session.scalars(select(SubjectKey).where(SubjectKey.id.in_(ids)))}


def _decide_again(system: System, session: Session, known, event: Event, key: SubjectKey | None, tables, kept: "_Kept", outcome: Outcome) -> None:
    checked = event.facts.get("checked")
    if checked is None:  # of a time when nothing was kept
        return
    if key is None or not key.wrapped:
        outcome.erased += 1
        return
    current, changed = tables
    told = system.vault.open(key, event.sealed, f"event:{event.stream}:sealed").get("checked")
    instance_id = event.facts.get("instance") or _instance(event.stream)
    if instance_id is not None and '"$party"' in str(told).replace("'", '"'):
        told = Parties.of(system.vault, session, instance_id).reveal(told)
    facts = feel.decode(told) | {"parameters": known.parameters(event.recorded_at, checked["station"])}
    points, clock = tuple(checked["points"]), event.recorded_at.astimezone(system.zone)
    missing = kept.missing(changed, checked["regulations"], points)
    try:
        before, after = (_verdicts(Tables(each), points, facts, clock) for each in (current, [changed]))
    except (DecisionFailed, FeelError):
        outcome.failed += 1
        return
    for row, names in missing.items():
        outcome.unknown.setdefault(row, set()).update(names)
    not_known = {changed.rule_of(row) for row in missing}
    before, after = ([each for each in said if each.rule not in not_known] for said in (before, after))
    outcome.decisions += 1
    outcome.before.update((each.rule, each.effect) for each in before)
    outcome.after.update((each.rule, each.effect) for each in after)
    told_before, told_after = ({each.rule: each.effect for each in said} for said in (before, after))
    if told_before != told_after:
        outcome.changed += 1
        if instance_id is not None:
            outcome.cases.add(instance_id)
        if len(outcome.shown) < MOST_SHOWN:
            outcome.shown.append(Changed(event.stream, event.seq, event.recorded_at, instance_id, points, told_before, told_after))


def _verdicts(tables: Tables, points: tuple[str, ...], facts: dict, clock: datetime) -> list[Verdict]:
    return [each for point in points for each in regulations.check(tables, point, facts, clock=clock)]


def _instance(stream: str) -> str | None:
    kind, _, identity = stream.partition("/")
    return identity if kind == "instance" else None


class _Kept:
    """What was kept when: the tables in force at a place in the stream of regulations, and what they asked for."""

    def __init__(self, session: Session, county_id: str):
        self.session, self.county_id = session, county_id
        self.events = audit.events(session, definitions.stream_of(county_id, "regulation", ""))
        self._needs: dict[int, Needs] = {}
        self._missing: dict[tuple, dict[str, set[str]]] = {}

    def missing(self, changed: Regulation, sequence: int, points: tuple[str, ...]) -> dict[str, set[str]]:
        """Row of the changed table → what it asks at these points that nobody kept then."""
        key = (changed.key, sequence, points)
        if key not in self._missing:
            tree = self._needs_at(sequence).tree(*points)
            found: dict[str, set[str]] = {}
            for point in points:
                for row, paths in asked(changed, point).items():
                    found.setdefault(row, set()).update(".".join(path) for path in paths if not _covers(tree, path))
            self._missing[key] = {row: names for row, names in found.items() if names}
        return self._missing[key]

    def _needs_at(self, sequence: int) -> Needs:
        if sequence not in self._needs:
            numbers: dict[str, int] = {}
            for event in self.events:
                if event.seq > sequence:
                    break
                if event.kind == Kind.DEFINITION_PUBLISHED:
                    numbers[event.facts["key"]] = event.facts["number"]
                elif event.kind == Kind.DEFINITION_WITHDRAWN and numbers.get(event.facts["key"]) == event.facts["number"]:
                    del numbers[event.facts["key"]]
            self._needs[sequence] = Needs(Tables(self._compiled(key, number) for key, number in numbers.items()))
        return self._needs[sequence]

    def _compiled(self, key: str, number: int) -> Regulation:
        query = select(Version.id).where(Version.county_id == self.county_id, Version.key == key, Version.number == number)
        return definitions.regulation(self.session, self.session.scalars(query).one(), str(number))


def _covers(tree: Tree, path: tuple[str, ...]) -> bool:
    """Whether what a tree keeps holds everything under a path."""
    for name in path:
        if name not in tree:
            return False
        if not tree[name]:
            return True
        tree = tree[name]
    return False
