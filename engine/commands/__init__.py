"""Every write. A command opens one unit of work, checks the right, acts, records, and commits once.

`@command(route, permission)` turns `act(unit, …)` into `command(system, actor, …, now=…, key=None)`:

* whoever lacks the permission is refused; a command that declares none is the product's own, and people may not carry it out;
* an idempotency key belongs to actor and route; seen before, it answers what it answered first; with another body it is refused;
* a refusal by right or regulation rolls everything back and leaves one event in the actor's access stream;
* nothing is remembered of an act that failed;
* what it has for other cases (`posted`) is carried out right after its commit, by the same process and in transactions of its own; what
  does not succeed then is the worker's.
"""

import functools
import hashlib
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy import String, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Mapped, Session, mapped_column

from engine import audit
from engine.db import Base, Id, Instant, UnitOfWork, canonical
from engine.exceptions import EngineError, Forbidden, IdempotencyMismatch, InvalidRequest, NotOffered, RegulationRefused
from engine.organisation import Actor
from engine.permissions import require
from engine.system import System
from engine.vault import SubjectKey

LONGEST_KEY = 200  # characters of an idempotency key


class StoredAnswer(Base):
    """The first answer to an idempotency key. `body` is a keyed hash of the request, `answer` is sealed."""

    __tablename__ = "idempotency_key"
    actor_id: Mapped[str] = mapped_column(Id, primary_key=True)
    route: Mapped[str] = mapped_column(String(60), primary_key=True)
    key: Mapped[str] = mapped_column(String(200), primary_key=True)
    body: Mapped[str] = mapped_column(String(32))
    answer: Mapped[bytes | None]
    created_at: Mapped[datetime] = mapped_column(Instant, index=True)


@dataclass
class Act:
    """One command being carried out: who, when, and the transaction it happens in."""

    system: System
    actor: Actor
    unit: UnitOfWork
    posted: list[str] = field(default_factory=list)  # ids of the deliveries that wait for its commit
    calls: int = 0  # cases that other cases have begun in it

    @property
    def session(self) -> Session:
        """The transaction's session."""
        return self.unit.session

    @property
    def now(self) -> datetime:
        """The server's time of this act."""
        return self.unit.now

    def record(self, stream: str, kind: str, *, facts=None, sealed=None, key: SubjectKey | None = None, occurred_at=None) -> None:
        """Add an event to a stream (see `engine.audit.record`)."""
        audit.record(
            self.unit,
            stream,
            kind,
            actor=self.actor,
            facts=facts,
            sealed=sealed,
            key=key,
            vault=self.system.vault,
            occurred_at=occurred_at,
        )


SYSTEM = "system:work"  # the permission of what only the worker and the seed do; what declares none has this one
SIGNED_IN = "signed-in"  # no permission of its own: it is about oneself, or looks at the object to decide; the command says which


def command(
    route: str,
    permission: str = SYSTEM,
    *,
    settles: bool = True,
    kept: Callable[[dict], dict] | None = None,
    again: Callable[[Act, dict], dict] | None = None,
):
    """Make a command of a function `(act, …) -> answer` (a JSON-able dict). `route` names it for idempotency keys and refusals.

    `settles`: whether what it posted is carried out at once. An answer with personal data must not be kept as it is, where no erasure
    would find it: `kept` is what may be stored of it, and `again` makes the answer of that for whoever repeats the key.
    """

    def decorate(function: Callable) -> Callable:
        @functools.wraps(function)
        def run(system: System, actor: Actor, *arguments, now: datetime, key: str | None = None, **options):
            try:
                with system.database.unit(now) as unit:
                    if permission != SIGNED_IN:
                        require(actor, permission)
                    act = Act(system, actor, unit)
                    if key:
                        _check_key(key)
                    body = _digest(system, actor, arguments, options) if key else ""
                    if key and not _take(act, route, key, body):
                        first = _first_answer(act, route, key, body)
                        return again(act, first) if again else first
                    answer = function(act, *arguments, **options)
                    if key:
                        _remember(act, route, key, kept(answer) if kept else answer)
                    unit.commit()
            except (Forbidden, NotOffered, RegulationRefused) as refusal:
                _record_refusal(system, actor, route, refusal, now)
                raise
            if settles and act.posted:
                from engine.commands.deliveries import settle  # it is made of commands itself

                settle(system, act.posted, now)
            return answer

        run.permission = permission  # read by webapp.rights, which writes docs/rights.md
        run.route = route
        return run

    return decorate


def _check_key(key: str) -> None:
    if len(key) > LONGEST_KEY or not key.isascii() or not key.isprintable():
        raise InvalidRequest(field="Idempotency-Key", reason=f"应为 1 到 {LONGEST_KEY} 个可见的 ASCII 字符")


def _digest(system: System, actor: Actor, arguments, options) -> str:
    text = canonical([[_plain(argument) for argument in arguments], options])
    return system.vault.index(actor.county_id, "idempotency", text)


def _plain(argument):
    """An argument as JSON can tell it: a bundle's files are bytes by name."""
    if isinstance(argument, bytes):
        return hashlib.sha256(argument).hexdigest()
    return {name: _plain(value) for name, value in argument.items()} if isinstance(argument, dict) else argument


def _identity(act: Act, route: str, key: str):
    return (StoredAnswer.actor_id == (act.actor.person_id), StoredAnswer.route == route, StoredAnswer.key == key)


def _take(act: Act, route: str, key: str, body: str) -> bool:
    """Claim the key: on PostgreSQL a second request with the same key waits here until the first has ended."""
    dialect = sqlite if act.system.database.dialect == "sqlite" else postgresql
    values = {
        "county_id": act.actor.county_id,
        "actor_id": act.actor.person_id,
        "route": route,
        "key": key,
        "body": body,
        "answer": None,
        "created_at": act.now,
    }
    taken = dialect.insert(StoredAnswer.__table__).values(values).on_conflict_do_nothing().returning(StoredAnswer.key)
    return act.unit.connection.execute(taken).first() is not None


def _first_answer(act: Act, route: str, key: str, body: str):
    stored = act.session.scalars(select(StoredAnswer).where(*_identity(act, route, key))).one()
    if stored.body != body:
        raise IdempotencyMismatch()
    return act.system.vault.open_own(stored.answer, f"answer:{stored.actor_id}:{route}:{key}")


def _remember(act: Act, route: str, key: str, answer) -> None:
    place = f"answer:{act.actor.person_id}:{route}:{key}"
    answer = act.system.vault.seal_own(answer, place)
    act.unit.connection.execute(update(StoredAnswer.__table__).where(*_identity(act, route, key)).values(answer=answer))


def _record_refusal(system: System, actor: Actor, route: str, refusal: EngineError, now: datetime) -> None:
    refusal.recorded = True  # so that whoever shows it does not record it again
    if not isinstance(refusal, RegulationRefused):
        note_refusal(system, actor, route, {"code": refusal.code} | refusal.facts, now=now)
        return
    evidence = dict(refusal.evidence or {})
    facts = {"rules": [verdict.rule for verdict in refusal.verdicts]} | evidence.pop("facts", {})
    note_refusal(system, actor, route, facts, now=now, kind=audit.Kind.REGULATION_REFUSED, **evidence)


def note_refusal(
    system: System, actor: Actor, route: str, facts: dict, *, now: datetime, kind: str = audit.Kind.RIGHT_REFUSED, sealed=None, key=None
) -> None:
    """One event in the actor's access stream, in a transaction of its own: the refused act left nothing.

    `facts`: no personal data; that goes into `sealed`, under `key`.
    """
    with system.database.unit(now) as unit:
        stream = audit.stream("access", actor.person_id)
        audit.record(unit, stream, kind, actor=actor, facts={"route": route} | facts, sealed=sealed, key=key, vault=system.vault)
        unit.commit()
