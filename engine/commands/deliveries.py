"""Carrying out what cases have for one another, each in a transaction of its own: right after the commit that wrote it, else by the worker."""

import logging
from collections import deque
from collections.abc import Callable, Iterable
from datetime import datetime, timedelta

from sqlalchemy import select

from engine import deliveries, messages
from engine.audit import Kind
from engine.commands import Act, command, correlation, outside
from engine.commands.locking import lock_instance
from engine.commands.messages import begin_by_event, begin_next, broadcast, expire, publish
from engine.commands.posting import unpacked
from engine.commands.running import Run
from engine.deliveries import Delivery
from engine.exceptions import DatabaseUnavailable, EngineError, NoSuchToken, NotFound
from engine.instances import ACTIVE, INCIDENT
from engine.messages import StartSubscription
from engine.organisation import Actor
from engine.permissions import require
from engine.system import System

log = logging.getLogger(__name__)
AT_ONCE = 50  # deliveries, with those that follow from them, that a process carries out for the one who waits


def settle(system: System, posted: Iterable[str], now: datetime) -> None:
    """Try once what a command has just posted, and what follows from it. Never raises: what is left is the worker's."""
    pending, tried = deque(posted), 0
    while pending and tried < AT_ONCE:
        tried += 1
        try:
            pending.extend(_attempt(system, pending.popleft(), now)["posted"])
        except EngineError:  # the database is away, full or busy
            log.warning("deliveries are left to the worker", exc_info=True)
            return


def carry_out(system: System, now: datetime, limit: int = 100) -> int:
    """Carry out what is due and forget messages whose time is over; answers how many. One that fails never stops the others."""
    with system.database.read() as session:
        due = deliveries.due(session, system.county_id, now, limit)
        over = messages.expired(session, system.county_id, now, limit)
    done = sum(_attempt(system, delivery_id, now)["outcome"] == "done" for delivery_id in due)
    return done + sum(expire(system, Actor.system(system.county_id), *each, now=now)["expired"] for each in over)


@command("delivery:carry-out", settles=False)
def deliver(act: Act, delivery_id: str) -> dict:
    """Carry out a delivery, exactly once: its row goes with the transaction.

    Answers {outcome, posted}: done, dropped (whom it was for is over), later (an earlier one comes first), gone (another process has it).
    """
    row = act.session.get(Delivery, delivery_id, with_for_update={"skip_locked": True})
    if row is None or row.next_at is None or row.next_at > act.now:
        return {"outcome": "gone", "posted": []}
    if _comes_later(act, row):
        return {"outcome": "later", "posted": []}
    payload = act.system.vault.open_own(row.sealed, deliveries.place_of(row.id))
    done = _HOW[row.kind](act, row, payload)
    act.session.delete(row)
    act.record(row.__stream__(), Kind.DELIVERY_DONE if done else Kind.DELIVERY_DROPPED, facts={"delivery": row.kind})
    return {"outcome": "done" if done else "dropped", "posted": act.posted}


@command("delivery:postpone", settles=False)
def postpone(act: Act, delivery_id: str, error: str) -> dict:
    """Put off a delivery that failed, longer each time; after too many times it waits for an operator. Answers {postponed}."""
    row = act.session.get(Delivery, delivery_id, with_for_update=True)
    if row is None:
        return {"postponed": False}
    row.attempts, row.error = row.attempts + 1, error[:60]
    row.next_at = act.now + deliveries.pause_after(row.attempts) if row.attempts < deliveries.ATTEMPTS else None
    act.record(row.__stream__(), Kind.DELIVERY_FAILED, facts={"delivery": row.kind, "error": error, "attempts": row.attempts})
    return {"postponed": True}


@command("delivery:retry", "instance:operate")
def retry_delivery(act: Act, delivery_id: str) -> dict:
    """Let a delivery that failed be tried again now. Answers {id}; raises NotFound, Forbidden."""
    row = act.session.get(Delivery, delivery_id, with_for_update=True)
    if row is None or row.county_id != act.actor.county_id:
        raise NotFound(what="投递", key=delivery_id)
    require(act.actor, "instance:operate", row.place_path)
    row.attempts, row.next_at = 0, act.now
    act.record(row.__stream__(), Kind.DELIVERY_RETRIED, facts={"delivery": row.kind})
    act.posted.append(row.id)
    return {"id": row.id}


def _attempt(system: System, delivery_id: str, now: datetime) -> dict:
    actor = Actor.system(system.county_id)
    try:
        return deliver(system, actor, delivery_id, now=now)
    except DatabaseUnavailable:  # no fault of the delivery
        raise
    except Exception as error:  # one that cannot be carried out must not stop the others: it is put off, loudly
        log.exception("delivery %s failed", delivery_id)
        code = error.code if isinstance(error, EngineError) else type(error).__name__
        postpone(system, actor, delivery_id, code, now=now)
        return {"outcome": "failed", "posted": []}


def _comes_later(act: Act, row: Delivery) -> bool:
    """Whether something that the same case had for the same case before is not carried out yet."""
    if row.source_id is None or row.target_id is None:
        return False
    earlier = select(Delivery.id).where(Delivery.source_id == row.source_id, Delivery.target_id == row.target_id, Delivery.id < row.id)
    return act.session.scalar(earlier.limit(1)) is not None


# --- how each kind is carried out: whether whom it was for is still there -------------------------------------------------------


def _message(act: Act, row: Delivery, payload: dict) -> bool:
    lifetime = timedelta(seconds=payload["lifetime"]) - (act.now - row.created_at)  # counted from when it was thrown
    variables = unpacked(payload["variables"])
    publish(act, payload["name"], payload["key"], variables, max(lifetime, timedelta(0)), row.place_path, source=row.source_id)
    return True


def _broadcast(act: Act, row: Delivery, payload: dict) -> bool:
    broadcast(act, payload["name"], unpacked(payload["variables"]), row.place_path, row.source_id)
    return True


def _signal(act: Act, row: Delivery, payload: dict) -> bool:
    run = _open(act, row)
    if run is None:
        return False
    heard = False
    for subscription in payload["subscriptions"]:
        if any(wait.id == subscription for wait in run.case.subscriptions()):
            run.case.correlate(subscription, unpacked(payload["variables"]), run.environment)
            heard = True
    if heard:
        run.save()
    return heard


def _start(act: Act, row: Delivery, payload: dict) -> bool:
    start = act.session.get(StartSubscription, (payload["definition"], payload["element"]))
    if start is None:
        return False
    begin_by_event(act, start, unpacked(payload["variables"]), row.place_path, {"start": start.element})
    return True


def _awaited(act: Act, row: Delivery, payload: dict) -> bool:
    correlation.lock_key(act, payload["hash"])
    run = _open(act, row)
    wait = next((wait for wait in run.case.subscriptions() if wait.id == payload["subscription"]), None) if run else None
    if wait is None or not outside.catch_kept(run, wait, outside.MOST_AT_ONCE):
        return wait is not None
    run.save()
    return True


def _freed(act: Act, _row: Delivery, payload: dict) -> bool:
    return begin_next(act, payload["definition"], payload["hash"]) is not None


def _finished(act: Act, row: Delivery, payload: dict) -> bool:
    variables = unpacked(payload["variables"])
    return _at_call(act, row, lambda run: run.case.finish_call(payload["token"], variables, run.environment))


def _failed(act: Act, row: Delivery, payload: dict) -> bool:
    variables = unpacked(payload["variables"])
    return _at_call(act, row, lambda run: run.case.throw_error(payload["token"], payload["code"], variables, run.environment))


def _escalated(act: Act, row: Delivery, payload: dict) -> bool:
    variables = unpacked(payload["variables"])
    return _at_call(act, row, lambda run: run.case.throw_escalation(payload["token"], payload["code"], variables, run.environment))


def _cancel(act: Act, row: Delivery, _payload: dict) -> bool:
    run = _open(act, row)
    if run is None:
        return False
    reason = "上级个案不再需要这个个案"
    run.record(Kind.INSTANCE_CANCELLED, {"by": row.source_id}, {"reason": reason})
    run.case.cancel(run.environment, reason)
    run.save()
    return True


def _at_call(act: Act, row: Delivery, answer: Callable[[Run], None]) -> bool:
    """Let the case that called know; not if it has stopped waiting."""
    run = _open(act, row)
    if run is None:
        return False
    try:
        answer(run)
    except NoSuchToken:
        return False
    run.save()
    return True


def _open(act: Act, row: Delivery) -> Run | None:
    """The case a delivery is for, locked and taken up; None if it has ended."""
    run = lock_instance(act, row.target_id)
    return run.restore() if run.instance.status in (ACTIVE, INCIDENT) else None


_HOW = {
    deliveries.MESSAGE: _message,
    deliveries.BROADCAST: _broadcast,
    deliveries.SIGNAL: _signal,
    deliveries.START: _start,
    deliveries.AWAITED: _awaited,
    deliveries.FREED: _freed,
    deliveries.FINISHED: _finished,
    deliveries.FAILED: _failed,
    deliveries.ESCALATED: _escalated,
    deliveries.CANCEL: _cancel,
}
