"""What came of making past decisions again, and the walk through the events that keep them."""

from abc import ABC, abstractmethod
from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, ClassVar

from sqlalchemy import func, select, tuple_
from sqlalchemy.orm import Session

from engine import feel
from engine.audit import Event, Kind
from engine.exceptions import DecisionFailed
from engine.feel import FeelError
from engine.parties import Parties
from engine.system import System
from engine.vault import SubjectKey

BATCH = 200  # events; a worker makes one batch between two looks at what else is due
MOST_SHOWN = 500  # changed decisions that are told one by one; the others are counted
MOST_CASES = 5_000  # cases that are told apart; beyond them it is known only that there are more


@dataclass
class Outcome:
    """What was said of `decisions` past decisions before and after the change, and how far the making again has come.

    `erased`: could not be read any more; `failed`: one of the tables could not answer; `unknowable`: the changed table asks of all of it what
    nobody kept. `unknown`: row of the changed table → what it asks and nobody kept. `before`, `after`: how often each rule spoke, by
    "rule effect"; `cases`: those in which a verdict changes, `more_cases` if they are more than MOST_CASES;
    `shown`: {stream, seq, at, instance, points, before, after} of changed decisions, before and after as rule → effect.
    `seen` of `total` events; `place`: the last one, as (stream, seq).
    """

    decisions: int = 0
    erased: int = 0
    failed: int = 0
    unknowable: int = 0
    changed: int = 0
    before: Counter = field(default_factory=Counter)
    after: Counter = field(default_factory=Counter)
    unknown: dict[str, set[str]] = field(default_factory=dict)
    cases: set[str] = field(default_factory=set)
    more_cases: bool = False
    shown: list[dict] = field(default_factory=list)
    seen: int = 0
    total: int = 0
    place: tuple[str, int] = ("", 0)

    def rules(self) -> list[dict]:
        """{rule, effect, before, after} for each rule that spoke, those that differ first."""
        keys = sorted(self.before.keys() | self.after.keys(), key=lambda key: (self.before[key] == self.after[key], key))
        told = [(*key.rpartition(" ")[::2], self.before[key], self.after[key]) for key in keys]
        return [dict(zip(("rule", "effect", "before", "after"), each, strict=True)) for each in told]

    def count(self, event: Event, instance_id: str | None, points: list[str], said: tuple[dict, dict], differs: bool) -> None:
        """Add one decision. `said`: rule → effect before and after."""
        before, after = said
        self.decisions += 1
        self.before.update(f"{rule} {effect}" for rule, effect in before.items())
        self.after.update(f"{rule} {effect}" for rule, effect in after.items())
        if not differs:
            return
        self.changed += 1
        if instance_id is not None and instance_id not in self.cases:
            if len(self.cases) < MOST_CASES:
                self.cases.add(instance_id)
            else:
                self.more_cases = True
        if len(self.shown) < MOST_SHOWN:
            place = {"stream": event.stream, "seq": event.seq, "at": event.recorded_at.isoformat(), "instance": instance_id}
            self.shown.append(place | {"points": points, "before": before, "after": after})

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


class Erased(Exception):
    """Something of what was told then cannot be read any more, so the question cannot be put again."""


class Rerun(ABC):
    """The decisions between two moments made again, batch by batch; each kind of decision says which events keep it (`kinds`) and how one
    is made again (`again`)."""

    kinds: ClassVar[tuple[Kind | str, ...]]

    def __init__(self, system: System, since: datetime | None = None, until: datetime | None = None, outcome: Outcome | None = None):
        """`since` included, `until` not; `outcome`: where an earlier one stopped."""
        self.system = system
        self.outcome = outcome or Outcome()
        self.wanted = [Event.county_id == system.county_id, Event.kind.in_([str(kind) for kind in self.kinds]), Event.sealed.is_not(None)]
        self.wanted += [Event.recorded_at >= since] if since else []
        self.wanted += [Event.recorded_at < until] if until else []

    def prepare(self, session: Session) -> None:  # noqa: B027  (not every kind has something to prepare)
        """Called before each batch."""

    @abstractmethod
    def keeps(self, event: Event) -> bool:
        """Whether an event keeps a decision of the kind that is made again."""

    @abstractmethod
    def again(self, session: Session, event: Event, key: SubjectKey) -> None:
        """Make the decision of one event again and count it. Raises Erased, DecisionFailed, FeelError."""

    def step(self, session: Session) -> bool:
        """Make one batch again; false when nothing is left."""
        outcome = self.outcome
        if not outcome.total:
            outcome.total = session.scalar(select(func.count()).select_from(Event).where(*self.wanted))
        self.prepare(session)
        query = select(Event).where(*self.wanted, tuple_(Event.stream, Event.seq) > outcome.place).order_by(Event.stream, Event.seq)
        events = list(session.scalars(query.limit(BATCH)))
        keys = session.scalars(select(SubjectKey).where(SubjectKey.id.in_({event.key_id for event in events})))
        keys = {key.id: key for key in keys if key.wrapped}
        for event in filter(self.keeps, events):
            try:
                if event.key_id not in keys:
                    raise Erased
                self.again(session, event, keys[event.key_id])
            except Erased:
                outcome.erased += 1
            except (DecisionFailed, FeelError):
                outcome.failed += 1
        outcome.seen += len(events)
        outcome.place = (events[-1].stream, events[-1].seq) if events else outcome.place
        session.expunge_all()
        return len(events) == BATCH

    def told(self, session: Session, event: Event, key: SubjectKey, name: str, instance_id: str | None) -> Any:
        """What an event's sealed payload holds under `name`, as FEEL values. Raises Erased where a party of it was erased since."""
        told = self.system.vault.open(key, event.sealed, f"event:{event.stream}:sealed")[name]
        if instance_id is not None:
            parties = Parties.of(self.system.vault, session, instance_id, told)
            if parties.is_any_erased:
                raise Erased
            told = parties.reveal(told)
        return feel.decode(told)


def instance_of(stream: str) -> str | None:
    """The id of the case whose stream this is."""
    kind, _, identity = stream.partition("/")
    return identity if kind == "instance" else None
