"""Time passing: due timers fire, procedures start on schedule, a new calendar moves deadlines."""

import logging
import random
from datetime import datetime, timedelta

from sqlalchemy import select

from engine import definitions, reference, timers
from engine.audit import Kind
from engine.commands import Act, command, lateness
from engine.commands.instances import begin
from engine.commands.locking import lock_instance, lock_stream
from engine.definitions import Definition, Version
from engine.exceptions import DatabaseUnavailable, EngineError
from engine.instances import ACTIVE, INCIDENT, Timer
from engine.organisation import Actor
from engine.system import System
from engine.timers import StartTimer
from engine.workflow import Environment

log = logging.getLogger(__name__)
SHORTEST_WAIT, LONGEST_WAIT = timedelta(seconds=20), timedelta(hours=1)


def fire_due(system: System, now: datetime, limit: int = 100) -> int:
    """Fire what is due soonest, each in its own transaction; answers how many fired. One broken case never stops the others.

    The timers of one case fire in their order. Whose turn comes first is chance: several workers that see the same list would else all
    wait for the same case.
    """
    actor = Actor.system(system.county_id)
    with system.database.read() as session:
        due = timers.due(session, system.county_id, now, limit)
        starts = timers.due_starts(session, system.county_id, now, limit)
    fired = 0
    by_case: dict[str, list[int]] = {}
    for instance_id, number in due:
        by_case.setdefault(instance_id, []).append(number)
    for instance_id in random.sample(list(by_case), len(by_case)):
        for number in by_case[instance_id]:
            fired += _guarded(system, actor, instance_id, number, now)
    for definition_id, element in starts:
        fired += _start_one(system, actor, definition_id, element, now)
    return fired


@command("timer:fire")
def fire(act: Act, instance_id: str, number: int) -> dict:
    """Fire one timer if it is still due under the lock. Answers {fired}."""
    run = lock_instance(act, instance_id)
    row = act.session.get(Timer, (instance_id, number))
    if row is None or row.next_at > act.now or run.instance.status not in (ACTIVE, INCIDENT):
        return {"fired": False}
    run.restore()
    lateness.look_before(run, run.compiled.process.elements[row.element])
    run.record(Kind.TIMER_FIRED, {"timer": number, "element": row.element, "due": row.due_at.isoformat()})
    act.session.expunge(row)
    run.case.fire(number, run.environment)
    run.save()
    return {"fired": True}


@command("timer:postpone")
def postpone(act: Act, instance_id: str, number: int, error: str) -> dict:
    """Put off a timer whose firing failed, longer each time, and say so in the history of its case, which is not touched: it is broken."""
    stream = lock_stream(act, instance_id)
    row = act.session.get(Timer, (instance_id, number))
    if row is None:
        return {"postponed": False}
    row.attempts += 1
    row.next_at = act.now + min(LONGEST_WAIT, timedelta(seconds=10 * 2 ** min(row.attempts, 10)))
    act.record(stream, Kind.TIMER_FAILED, facts={"timer": number, "element": row.element, "error": error, "attempts": row.attempts})
    return {"postponed": True}


def reschedule_open_timers(system: System, now: datetime, progress=lambda done: None) -> int:
    """Count every calendar-based deadline again, after a new calendar; answers how many cases were looked at."""
    actor = Actor.system(system.county_id)
    done, after = 0, ""
    while True:
        with system.database.read() as session:
            batch = timers.open_cases(session, system.county_id, after)
        if not batch:
            return done
        for instance_id in batch:
            reschedule(system, actor, instance_id, now=now)
            done += 1
            progress(done)
        after = batch[-1]


@command("timer:reschedule")
def reschedule(act: Act, instance_id: str) -> dict:
    """Count one case's calendar-based timers and due dates again from when their waits began."""
    run = lock_instance(act, instance_id)
    if run.instance.status not in (ACTIVE, INCIDENT):
        return {"moved": 0}
    run.restore()
    before = {timer.id: timer.due for timer in run.case.timers()}
    for timer in run.case.timers():
        if timer.calendar_based:
            run.case.reschedule(timer.id, run.environment)
    moved = sum(before[timer.id] != timer.due for timer in run.case.timers())
    run.record(Kind.TIMER_RESCHEDULED, {"moved": moved})
    run.redate_tasks()
    run.save()
    return {"moved": moved}


def schedule_starts(act: Act, definition: Definition, version: Version | None) -> None:
    """Arm the timer start events of the version that is now current; those of the former one are disarmed. None: disarm only."""
    for row in act.session.scalars(select(StartTimer).where(StartTimer.definition_id == definition.id)):
        act.session.delete(row)
    act.session.flush()
    if version is None:
        return
    process = definitions.compiled(act.system, act.session, version.id).process
    for element_id in process.start_events:
        first = timers.first_start(process.elements[element_id], act.now, _environment(act))
        if first is not None:
            act.session.add(
                StartTimer(
                    definition_id=definition.id,
                    county_id=act.actor.county_id,
                    element=element_id,
                    key=definition.key,
                    armed_at=act.now,
                    next_at=first[0],
                    started=first[1],
                )
            )


@command("timer:start")
def start_on_schedule(act: Act, definition_id: str, element: str) -> dict:
    """Start a case by its timer start event, at the county, and arm the next one. However many starts were missed, one makes up for all.

    Answers {fired, instance}.
    """
    row = act.session.get(StartTimer, (definition_id, element), with_for_update=True)
    if row is None or row.next_at > act.now:
        return {"fired": False}
    run = begin(act, row.key, {}, None, None, element)
    due, past = timers.next_start(run.compiled.process.elements[element], row.armed_at, row.started, _environment(act), act.now)
    facts = {"element": element, "instance": run.instance.id, "missed": past - row.started - 1}
    if due is None:
        act.session.delete(row)
    else:
        row.next_at, row.started = due, past
    act.record(row.__stream__(), Kind.START_TIMER_FIRED, facts=facts)
    return {"fired": True, "instance": run.instance.id}


@command("timer:postpone-start")
def postpone_start(act: Act, definition_id: str, element: str, error: str) -> dict:
    """Put off a scheduled start that failed and say so in its procedure's history. It waits as long again as it is late already, so
    that what is broken for long is tried seldom; what is known of its schedule stays as it is."""
    row = act.session.get(StartTimer, (definition_id, element), with_for_update=True)
    if row is None or row.next_at > act.now:
        return {"postponed": False}
    row.next_at = act.now + max(SHORTEST_WAIT, min(LONGEST_WAIT, act.now - _planned(act, row)))
    act.record(row.__stream__(), Kind.START_TIMER_FAILED, facts={"element": element, "error": error, "next": row.next_at.isoformat()})
    return {"postponed": True}


def _planned(act: Act, row: StartTimer) -> datetime:
    """When a start should have been. Long ago, where that cannot be worked out any more."""
    try:
        version_id = act.session.get(Definition, row.definition_id).published_version_id
        process = definitions.compiled(act.system, act.session, version_id).process
        return timers.planned_start(process.elements[row.element], row.armed_at, row.started, _environment(act))
    except (EngineError, KeyError):
        return act.now - LONGEST_WAIT


def _environment(act: Act) -> Environment:
    """What a start timer's expression may read: the county's parameters and calendar."""
    known = reference.in_force(act.system, act.session)
    names = dict(known.functions) | {"parameters": known.parameters(act.now, None)}
    return Environment(act.now.astimezone(act.system.zone), names, None, act.system.zone)


def _guarded(system: System, actor: Actor, instance_id: str, number: int, now: datetime) -> bool:
    try:
        return fire(system, actor, instance_id, number, now=now)["fired"]
    except DatabaseUnavailable:  # no fault of the case: the worker waits and tries again
        raise
    except Exception as error:  # one broken case must not stop the others: it is put off, loudly
        log.exception("timer %s of %s failed", number, instance_id)
        postpone(system, actor, instance_id, number, _code(error), now=now)
        return False


def _start_one(system: System, actor: Actor, definition_id: str, element: str, now: datetime) -> bool:
    try:
        return start_on_schedule(system, actor, definition_id, element, now=now)["fired"]
    except DatabaseUnavailable:
        raise
    except Exception as error:  # whatever it is, the other procedures start on time
        log.exception("scheduled start %s of %s failed", element, definition_id)
        postpone_start(system, actor, definition_id, element, _code(error), now=now)
        return False


def _code(error: Exception) -> str:
    return error.code if isinstance(error, EngineError) else type(error).__name__
