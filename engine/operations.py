"""What operators look at: cases that cannot go on, and everything that waits for a time, a message, a program or its delivery."""

from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from engine import audit, jobs
from engine.audit import Event
from engine.deliveries import Delivery
from engine.exceptions import Erased, InvalidRequest, SealBroken
from engine.instances import ACTIVE, INCIDENT, Instance, Timer, stream_of
from engine.jobs import Job
from engine.messages import Message, Subscription
from engine.organisation import Actor, lies_in
from engine.permissions import may, require
from engine.system import System
from engine.vault import SubjectKey

OPEN = (ACTIVE, INCIDENT)


@dataclass(frozen=True)
class Trouble:
    """A case that stands on incidents: {element, token, code, message, since} each, as its history tells. `error`: what a program said last."""

    instance: Instance
    faults: list[dict] = field(default_factory=list)
    error: str | None = None


def incidents(system: System, session: Session, actor: Actor, cursor: str | None = None, limit: int = 50) -> tuple[list[Trouble], str | None]:
    """(cases with incidents at the actor's place, newest first; next cursor). Raises Forbidden."""
    if not may(actor, "instance:operate"):
        require(actor, "incident:retry")
    query = (
        select(Instance, SubjectKey)
        .join(SubjectKey, SubjectKey.id == Instance.key_id)
        .where(Instance.county_id == actor.county_id, Instance.status == INCIDENT, _inside(actor, Instance.place_path))
        .order_by(Instance.id.desc())
        .limit(limit + 1)
    )
    if cursor:
        query = query.where(Instance.id < cursor)
    rows = session.execute(query).all()
    shows = may(actor, "client:read")
    found = [_trouble(system, session, instance, key if shows else None) for instance, key in rows[:limit]]
    return found, rows[limit - 1].Instance.id if len(rows) > limit else None


def timers(session: Session, actor: Actor, cursor: str | None = None, limit: int = 50) -> tuple[list[tuple[Timer, Instance]], str | None]:
    """(waiting timers with their cases, soonest first; next cursor)."""
    return _of_cases(session, actor, Timer, Timer.next_at, Timer.timer, cursor, limit)


def waits(session: Session, actor: Actor, cursor: str | None = None, limit: int = 50):
    """(waits for messages and signals with their cases, the oldest first; next cursor)."""
    return _of_cases(session, actor, Subscription, Subscription.opened_at, Subscription.subscription, cursor, limit)


def waiting_jobs(session: Session, actor: Actor, cursor: str | None = None, limit: int = 50):
    """(jobs with their cases, the one due first; next cursor)."""
    return _of_cases(session, actor, Job, Job.next_at, Job.token, cursor, limit)


def kept_messages(session: Session, actor: Actor, now: datetime, cursor: str | None = None, limit: int = 50) -> tuple[list[Message], str | None]:
    """(kept messages sent from the actor's place, the oldest first; next cursor). What they bring is not told."""
    require(actor, "instance:operate")
    query = select(Message).where(
        Message.county_id == actor.county_id, Message.expires_at > now, _inside(actor, Message.place_path)
    )
    if cursor:
        query = query.where(Message.id > cursor)
    return _paged(list(session.scalars(query.order_by(Message.id).limit(limit + 1))), limit)


def waiting_deliveries(session: Session, actor: Actor, cursor: str | None = None, limit: int = 50) -> tuple[list[Delivery], str | None]:
    """(what is not carried out yet, the oldest first; next cursor)."""
    require(actor, "instance:operate")
    query = select(Delivery).where(Delivery.county_id == actor.county_id, _inside(actor, Delivery.place_path))
    if cursor:
        query = query.where(Delivery.id > cursor)
    return _paged(list(session.scalars(query.order_by(Delivery.id).limit(limit + 1))), limit)


def failed_deliveries(session: Session, actor: Actor) -> int:
    """How many deliveries at the actor's place have failed too often to be tried again by themselves."""
    query = select(func.count()).select_from(Delivery).where(Delivery.county_id == actor.county_id, Delivery.next_at.is_(None))
    return session.scalar(query.where(_inside(actor, Delivery.place_path)))


def waits_of(session: Session, instance_id: str) -> list[Subscription]:
    """What messages and signals one case waits for."""
    return list(session.scalars(select(Subscription).where(Subscription.instance_id == instance_id).order_by(Subscription.subscription)))


def jobs_of(session: Session, instance_id: str) -> list[Job]:
    """The jobs of one case."""
    return list(session.scalars(select(Job).where(Job.instance_id == instance_id).order_by(Job.token)))


def job_error(system: System, session: Session, job: Job) -> str | None:
    """What a job's program reported last; None where nothing was, or where it is erased."""
    if job.sealed_error is None:
        return None
    key = session.scalar(select(SubjectKey).join(Instance, Instance.key_id == SubjectKey.id).where(Instance.id == job.instance_id))
    return system.vault.open(key, job.sealed_error, jobs.error_place(job.instance_id, job.token)) if key and key.wrapped else None


# Kinds of events after which a token has an incident, or no more.
_ENDS = [f"{what}:{how}" for what in ("element", "loop", "instances") for how in ("completed", "cancelled")]
_TELLING = ("incident:raised", "incident:resolved", "job:failed", "token:moved", *_ENDS)


def _trouble(system: System, session: Session, instance: Instance, key: SubjectKey | None) -> Trouble:
    """From the history's end: incidents raised and not resolved since. The state itself is opened for nobody here."""
    query = select(Event).where(Event.stream == stream_of(instance.id), Event.kind.in_(_TELLING)).order_by(Event.seq)
    standing: dict[int, dict] = {}
    failed = None
    for event in session.scalars(query):
        token = event.facts.get("token")
        if event.kind == "incident:raised":
            told = {name: event.facts.get(name) for name in ("element", "token", "code", "message")}
            standing[token] = told | {"since": event.occurred_at}
        elif event.kind == "job:failed":
            failed = event
        else:
            standing.pop(token, None)
    return Trouble(instance, list(standing.values()), _said(system, failed, key))


def _said(system: System, event: Event | None, key: SubjectKey | None) -> str | None:
    if event is None or key is None or event.sealed is None:
        return None
    try:
        return (audit.as_line(system.vault, event, key)["data"] or {}).get("message")
    except (Erased, SealBroken):
        return None


def _of_cases(session: Session, actor: Actor, model, when, number, cursor: str | None, limit: int):
    """Rows of open cases at the actor's place, by time, case and number, which is what the cursor tells."""
    require(actor, "instance:operate")
    query = (
        select(model, Instance)
        .join(Instance, Instance.id == model.instance_id)
        .where(model.county_id == actor.county_id, Instance.status.in_(OPEN), _inside(actor, Instance.place_path))
        .order_by(when, model.instance_id, number)
        .limit(limit + 1)
    )
    if cursor:
        at, case, last = _place(cursor)
        later = (when == at) & ((model.instance_id > case) | ((model.instance_id == case) & (number > last)))
        query = query.where((when > at) | later)
    rows = [tuple(row) for row in session.execute(query)]
    if len(rows) <= limit:
        return rows, None
    last = rows[limit - 1][0]
    return rows[:limit], f"{getattr(last, when.key).isoformat()} {last.instance_id} {getattr(last, number.key)}"


def _place(cursor: str) -> tuple[datetime, str, int]:
    try:
        at, case, number = cursor.split(" ")
        moment = datetime.fromisoformat(at)
        if moment.tzinfo is None:
            raise ValueError(at)
        return moment, case, int(number)
    except ValueError as error:
        raise InvalidRequest(field="cursor", reason="不是上一页给出的游标") from error


def _paged(rows: list, limit: int) -> tuple[list, str | None]:
    return rows[:limit], rows[limit - 1].id if len(rows) > limit else None


def _inside(actor: Actor, column):
    return lies_in(column, actor.unit_path)

