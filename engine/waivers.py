"""Waivers: leave to go past a rule that can be waived, for one person in one case (and, unless they asked for more, one task), until a day.

Asked for by whoever was refused, or by their lead; decided by the role that the rule's row names, for the place of the case, never by who
asked or who gains by it. The rows are the register. What is in force stands in the case's ledger as well, written in the same transaction
under the same lock, so that a check asks no further question of the database (docs/discussions.md).
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Index, String, and_, case, func, or_, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from engine import audit, organisation
from engine.audit import Event, Kind
from engine.db import Base, Id, Instant, reference
from engine.instances import ACTIVE, CLAIMED, INCIDENT, OFFERED, Instance, Task, stream_of
from engine.organisation import Actor, covers, lies_in
from engine.permissions import may, require
from engine.vault import SubjectKey, Vault

ASKED, GRANTED, REFUSED, WITHDRAWN, REVOKED = "asked", "granted", "refused", "withdrawn", "revoked"
EXPIRED = "expired"  # granted, and its time is over
STATUSES = (ASKED, GRANTED, EXPIRED, REFUSED, WITHDRAWN, REVOKED)
NAMES = {ASKED: "等待答复", GRANTED: "已批准", EXPIRED: "已到期", REFUSED: "未批准", WITHDRAWN: "已撤回", REVOKED: "已撤销"}
DECIDERS = ("lead", "supervisor")  # whom a rule's row may name
LEDGER = "waivers"  # what the case's ledger calls those that were granted
TOLD = ("rule", "message", "message_en", "hint", "hint_en", "source", "facts")  # of the verdict that stopped somebody
REFUSALS = 300  # of somebody's refusals by regulations, the latest that are looked through
LONGEST_LIST = 200


class Waiver(Base):
    """One request and what became of it. `person_id`: who would act; `task_id`: none for whatever they do in the case; `regulation`: the
    table that the rule is a row of. `sealed`, under the case's key: TOLD of the verdict, `reason` and, once decided, `answer`."""

    __tablename__ = "waiver"
    __table_args__ = (
        Index("waiver_by_status", "county_id", "status", "id"),
        Index("waiver_by_rule", "county_id", "rule", "id"),
        Index("waiver_by_case", "instance_id"),
        Index("waiver_by_asker", "asked_by", "id"),
        Index("waiver_by_person", "person_id", "id"),
    )
    id: Mapped[str] = mapped_column(Id, primary_key=True)
    instance_id: Mapped[str] = mapped_column(reference("instance.id"))
    task_id: Mapped[str | None] = mapped_column(Id)
    person_id: Mapped[str] = mapped_column(Id)
    rule: Mapped[str] = mapped_column(String(80))
    regulation: Mapped[str] = mapped_column(String(100))
    waivable_by: Mapped[str] = mapped_column(String(16))
    status: Mapped[str] = mapped_column(String(12))
    asked_by: Mapped[str] = mapped_column(Id)
    asked_at: Mapped[datetime] = mapped_column(Instant)
    decided_by: Mapped[str | None] = mapped_column(Id)
    decided_at: Mapped[datetime | None] = mapped_column(Instant)
    expires_at: Mapped[datetime | None] = mapped_column(Instant)
    sealed: Mapped[bytes]
    version: Mapped[int] = mapped_column()
    __mapper_args__ = {"version_id_col": version}

    def __stream__(self) -> str:
        return stream_of(self.instance_id)

    @property
    def place(self) -> str:
        """Where its payload is sealed."""
        return f"waiver:{self.id}:sealed"

    @property
    def entry(self) -> dict:
        """What the case's ledger holds of it while it is granted."""
        return {"id": self.id, "rule": self.rule, "person": self.person_id, "task": self.task_id, "until": self.expires_at.isoformat()}

    def status_at(self, now: datetime) -> str:
        """One of STATUSES."""
        return EXPIRED if self.status == GRANTED and self.expires_at <= now else self.status


@dataclass(frozen=True)
class Line:
    """A waiver with its case; `told` is its payload opened, None once the case was erased."""

    waiver: Waiver
    instance: Instance
    task: Task | None
    told: Mapping[str, Any] | None = field(repr=False)


def of_ledger(ledger: Mapping) -> tuple[dict, ...]:
    """What a case's ledger holds of waivers: `Waiver.entry` of each that was granted and not revoked, expired ones too."""
    return tuple(ledger.get(LEDGER, ()))


def in_force(entries: Iterable[Mapping], now: datetime, person_id: str | None, task_id: str | None) -> list[str]:
    """The rules that a case's ledger lets somebody go past at a moment, in a task or (None) in what is no task: FEEL's `case.waivers`."""
    return sorted(
        {
            each["rule"]
            for each in entries
            if each["person"] == person_id and each["task"] in (None, task_id) and datetime.fromisoformat(each["until"]) > now
        }
    )


# --- who may ----------------------------------------------------------------------------------------------------------


def fits(actor: Actor, role: str) -> bool:
    """Whether the actor is who a rule leaves the decision to. A supervisor stands in for a lead, who cannot decide about themself."""
    return role in actor.roles or (role == "lead" and "supervisor" in actor.roles)


def may_decide(actor: Actor, waiver: Waiver, instance: Instance) -> bool:
    """Whether a request is the actor's to decide."""
    own = actor.person_id in (waiver.asked_by, waiver.person_id)
    return may(actor, "waiver:decide") and not own and fits(actor, waiver.waivable_by) and covers(actor.unit_path, instance.place_path)


def deciders(session: Session, vault: Vault, county_id: str, role: str, place_path: str, but: Iterable[str] = ()) -> list[Actor]:
    """The people who may decide about a rule of this role at a place, the nearest first; not those in `but` (person ids)."""
    barred = set(but)
    found = [one for one in organisation.serving(session, vault, county_id, place_path) if one.person_id not in barred]
    able = [one for one in found if may(one, "waiver:decide") and fits(one, role)]
    return sorted(able, key=lambda one: (role not in one.roles, -len(one.unit_path), one.username))


def leads(actor: Actor, person: Actor) -> bool:
    """Whether somebody is another's lead, or the supervisor above."""
    return not actor.roles.isdisjoint(DECIDERS) and covers(actor.unit_path, person.unit_path)


def refusal(session: Session, people: Iterable[str], instance_id: str, rule: str, person_id: str, task_id: str | None) -> Event | None:
    """The latest event that tells how `rule` stopped `person_id` in a case (and task), in the access streams of these people."""
    streams = [audit.stream("access", each) for each in people]
    query = select(Event).where(Event.stream.in_(streams), Event.kind == str(Kind.REGULATION_REFUSED))
    for event in session.scalars(query.order_by(Event.recorded_at.desc(), Event.seq.desc()).limit(REFUSALS)):
        facts = event.facts
        fitting = facts.get("instance") == instance_id and facts.get("person") == person_id and task_id in (None, facts.get("task"))
        if fitting and rule in facts.get("rules", ()):
            return event
    return None


def stopped(
    session: Session, vault: Vault, actor: Actor, person: Actor, instance_id: str, rule: str, task_id: str | None
) -> tuple[dict, dict] | None:
    """(plain verdict, its TOLD) of the refusal for which the actor may ask a waiver for a person; None if there was none. Raises Erased.

    Who was refused may, whatever it was about; and the lead of who was refused.
    """
    people = {actor.person_id} | ({person.person_id} if leads(actor, person) else set())
    event = refusal(session, people, instance_id, rule, person.person_id, task_id)
    if event is None:
        return None
    told = []
    if event.key_id and event.sealed:  # what an act of which nothing is left was told, its key included, is not there
        key = session.get(SubjectKey, event.key_id)
        told = vault.open(key, event.sealed, f"event:{event.stream}:sealed").get("told", ())
    verdict = next(each for each in event.facts["verdicts"] if each["rule"] == rule)
    return verdict, next((each for each in told if each["rule"] == rule), {"rule": rule})


# --- lists ------------------------------------------------------------------------------------------------------------


def register(
    session: Session,
    vault: Vault,
    actor: Actor,
    now: datetime,
    *,
    status: str | None = None,
    rule: str | None = None,
    station_id: str | None = None,
    instance_id: str | None = None,
    cursor: str | None = None,
    limit: int = 50,
) -> tuple[list[Line], str | None]:
    """(lines, next cursor): the waivers that the actor may know of, the newest first. Raises Forbidden."""
    wanted = _wanted(actor, now, status, rule, station_id, instance_id)
    found = _lines(session, vault, [*wanted, *([Waiver.id < cursor] if cursor else [])], Waiver.id.desc(), limit + 1)
    return found[:limit], found[limit - 1].waiver.id if len(found) > limit else None


def counts(
    session: Session,
    actor: Actor,
    now: datetime,
    *,
    rule: str | None = None,
    station_id: str | None = None,
    asked: tuple[datetime, datetime] | None = None,
) -> dict[str, Counter]:
    """Rule → how many waivers in each of STATUSES, of those the actor may know of, by rule. `asked`: for between two moments, the second
    excluded. Raises Forbidden."""
    state = case((and_(Waiver.status == GRANTED, Waiver.expires_at <= now), EXPIRED), else_=Waiver.status)
    query = select(Waiver.rule, state, func.count()).join(Instance, Instance.id == Waiver.instance_id)
    query = query.where(*_wanted(actor, now, None, rule, station_id))
    if asked:
        query = query.where(Waiver.asked_at >= asked[0], Waiver.asked_at < asked[1])
    found: dict[str, Counter] = {}
    for name, status, number in session.execute(query.group_by(Waiver.rule, state)):
        found.setdefault(name, Counter())[status] += number
    return dict(sorted(found.items()))


def waiting(session: Session, vault: Vault, actor: Actor) -> list[Line]:
    """The requests that are the actor's to decide and not moot yet, the oldest first; none without the right."""
    if not may(actor, "waiver:decide"):
        return []
    roles = [role for role in DECIDERS if fits(actor, role)]
    own = or_(Waiver.asked_by == actor.person_id, Waiver.person_id == actor.person_id)
    conditions = [Waiver.county_id == actor.county_id, Waiver.status == ASKED, Waiver.waivable_by.in_(roles), ~own, _inside(actor), _OPEN]
    return _lines(session, vault, conditions, Waiver.id, LONGEST_LIST)


def answers(session: Session, vault: Vault, actor: Actor, since: datetime) -> list[Line]:
    """The actor's own requests, and those made for them, that still matter: waiting, or decided after `since`, and the case not past it."""
    if not may(actor, "waiver:read"):
        return []
    open_ones = or_(Waiver.status == ASKED, and_(Waiver.status.in_((GRANTED, REFUSED, REVOKED)), Waiver.decided_at > since))
    return _lines(session, vault, [Waiver.county_id == actor.county_id, _own(actor), open_ones, _OPEN], Waiver.id.desc(), LONGEST_LIST)


def of_case(session: Session, instance_id: str, person_id: str | None = None) -> list[Waiver]:
    """All waivers of a case, or of one person in it, the newest first."""
    query = select(Waiver).where(Waiver.instance_id == instance_id).order_by(Waiver.id.desc())
    return list(session.scalars(query.where(Waiver.person_id == person_id) if person_id else query))


_OPEN = and_(
    Instance.status.in_((ACTIVE, INCIDENT)),
    or_(Waiver.task_id.is_(None), Task.status.in_((OFFERED, CLAIMED))),
)


def _wanted(actor: Actor, now: datetime, status: str | None, rule: str | None, station_id: str | None, instance_id: str | None = None):
    require(actor, "waiver:read")
    found: list[ColumnElement] = [Waiver.county_id == actor.county_id]
    over = may(actor, "waiver:decide") or may(actor, "audit:read")
    found.append(or_(_own(actor), _inside(actor)) if over else _own(actor))
    if status in (GRANTED, EXPIRED):
        found += [Waiver.status == GRANTED, Waiver.expires_at > now if status == GRANTED else Waiver.expires_at <= now]
    elif status:
        found.append(Waiver.status == status)
    chosen = ((Waiver.rule, rule), (Instance.station_id, station_id), (Waiver.instance_id, instance_id))
    return found + [column == value for column, value in chosen if value]


def _own(actor: Actor) -> ColumnElement:
    return or_(Waiver.asked_by == actor.person_id, Waiver.person_id == actor.person_id)


def _inside(actor: Actor) -> ColumnElement:
    return lies_in(Instance.place_path, actor.unit_path)


def _lines(session: Session, vault: Vault, conditions: list, order, limit: int) -> list[Line]:
    query = (
        select(Waiver, Instance, Task, SubjectKey)
        .join(Instance, Instance.id == Waiver.instance_id)
        .join(SubjectKey, SubjectKey.id == Instance.key_id)
        .outerjoin(Task, Task.id == Waiver.task_id)
        .where(*conditions)
        .order_by(order)
        .limit(limit)
    )
    return [Line(waiver, instance, task, opened(vault, key, waiver)) for waiver, instance, task, key in session.execute(query)]


def opened(vault: Vault, key: SubjectKey, waiver: Waiver) -> dict | None:
    """A waiver's payload; None where the case was erased."""
    return vault.open(key, waiver.sealed, waiver.place) if key.wrapped else None
