"""Absences of the register, kept by the clock: one that begins has the person's tasks handed over to the substitute, one that is over, has
been ended or moved to other days has them given back.

The register is the order; nothing is ordered twice. What is begun here is a handover like any other (engine.commands.handing): it is carried
on with by the worker, and whoever oversees the place may take it back by hand. Only where the parameter `keep_absences` is 1.
"""

import logging
from datetime import date, datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from engine import reference
from engine.audit import Kind
from engine.commands import Act, command, handing
from engine.commands.organisation import today
from engine.exceptions import DatabaseUnavailable, NotFound
from engine.handovers import ABSENCE, MOVED, MOVING, HandedAbsence, Handover
from engine.organisation import Actor, Person, actor_of
from engine.registers.entries import RegisterEntry
from engine.system import System

log = logging.getLogger(__name__)
KEPT, SWITCH = "absences", "keep_absences"


def sweep(system: System, now: datetime, limit: int = 100) -> int:
    """For the worker, once a minute: follow the register, each entry in a transaction of its own. Answers how many there were to follow.

    Killed in between, the next sweep goes on: what is left to do is read off the tables.
    """
    day = now.astimezone(system.zone).date()
    with system.database.read() as session:
        todo = [(begin, found) for found in _beginning(system, session, day, now)[:limit]]
        todo += [(follow, found) for found in _changed(session, system.county_id, day)[:limit]]
    for once, identity in todo:
        try:
            once(system, Actor.system(system.county_id), identity, now=now)
        except DatabaseUnavailable:
            raise
        except Exception:  # one person's broken case must not keep the clock from the others
            log.exception("%s of %s failed", once.route, identity)
    return len(todo)


@command("absence:begin")
def begin(act: Act, entry_id: str) -> dict:
    """Begin the handover that an absence of today asks for; one that is running already is carried on.

    Answers {begun}: false where another worker was quicker, the entry no longer holds, or another absence of theirs is still running.
    """
    entry = act.session.get(RegisterEntry, entry_id, with_for_update=True)
    known = act.session.get(HandedAbsence, entry_id, with_for_update=True)
    if entry is None or not entry.holds_on(today(act)) or (known is not None and not known.over):
        return {"begun": False}
    running = handing.running(act, entry.subject_id)
    if running is not None and (running.status not in (MOVING, MOVED) or _entry_of(act, running) is not None):
        return {"begun": False}
    try:
        person = actor_of(act.session, act.system.vault, entry.subject_id, act.actor.county_id, active=True)
    except NotFound:  # who has left has handed on everything before
        return {"begun": False}
    by_clock = running is None or running.begun_by == act.actor.person_id
    if running is None:
        days = (today(act), entry.until or date.max)
        handover_id = handing.begin_absence(act, person, _substitute(act, entry), days, "")["id"]
    else:
        handover_id = running.id
        _set_last_day(act, running, max(running.last_day, entry.until or date.max))
    if known is None:
        known = HandedAbsence(entry_id=entry.id, county_id=entry.county_id)
        act.session.add(known)
    known.handover_id, known.by_clock, known.over = handover_id, by_clock, False
    act.record(known.__stream__(), Kind.ABSENCE_BEGUN, facts={"entry": entry.id, "handover": handover_id, "person": person.person_id})
    return {"begun": True}


@command("absence:follow")
def follow(act: Act, entry_id: str) -> dict:
    """An absence that was handed over has ended or been changed: give back what is over, or take over its new last day.

    Answers {over}.
    """
    entry = act.session.get(RegisterEntry, entry_id, with_for_update=True)
    known = act.session.get(HandedAbsence, entry_id, with_for_update=True)
    if known is None or known.over:
        return {"over": True}
    found = handing.locked(act, known.handover_id)
    if _is_over(known, entry, today(act)):
        known.over = True
        act.record(known.__stream__(), Kind.ABSENCE_OVER, facts={"entry": entry.id, "handover": found.id, "person": found.person_id})
        if _entry_of(act, found) is None:  # else the next absence has followed on this one
            handing.begin_return(act, found)
    elif known.by_clock and found.status in (MOVING, MOVED):
        _set_last_day(act, found, entry.until or date.max)
    return {"over": known.over}


def _beginning(system: System, session: Session, day: date, now: datetime) -> list[str]:
    """Ids of the absences that hold on a day and belong to no handover yet, of those who work here, where the register is kept."""
    entry, known = RegisterEntry, HandedAbsence
    query = (
        select(entry.id, entry.station_id)
        .join(Person, Person.id == entry.subject_id)
        .outerjoin(known, known.entry_id == entry.id)
        .where(entry.county_id == system.county_id, entry.register == KEPT, entry.ended_at.is_(None), Person.active)
        .where(entry.since <= day, entry.until >= day, known.entry_id.is_(None) | known.over)
        .order_by(entry.since, entry.id)
    )
    rules = reference.in_force(system, session)
    return [found for found, station_id in session.execute(query) if rules.parameters(now, station_id).get(SWITCH) == 1]


def _changed(session: Session, county_id: str, day: date) -> list[str]:
    """Ids of the absences whose handover is running and no longer fits what the entry says."""
    query = (
        select(HandedAbsence, RegisterEntry, Handover)
        .join(RegisterEntry, RegisterEntry.id == HandedAbsence.entry_id)
        .join(Handover, Handover.id == HandedAbsence.handover_id)
        .where(HandedAbsence.county_id == county_id, HandedAbsence.over.is_(False), Handover.kind == ABSENCE)
    )
    return [
        known.entry_id
        for known, entry, handover in session.execute(query)
        if _is_over(known, entry, day)
        or (known.by_clock and handover.status in (MOVING, MOVED) and handover.last_day != (entry.until or date.max))
    ]


def _is_over(known: HandedAbsence, entry: RegisterEntry, day: date) -> bool:
    """Whether the absence no longer holds. Of a handover begun by hand the last day was said by hand; only ending the entry ends it."""
    return entry.ended_at is not None or (known.by_clock and not entry.holds_on(day))


def _entry_of(act: Act, handover: Handover) -> RegisterEntry | None:
    """The absence for which a handover still runs; None once that is over, so that the next absence may carry it on."""
    query = select(RegisterEntry).join(HandedAbsence, HandedAbsence.entry_id == RegisterEntry.id)
    query = query.where(HandedAbsence.handover_id == handover.id, HandedAbsence.over.is_(False))
    return next((entry for entry in act.session.scalars(query) if entry.holds_on(today(act))), None)


def _substitute(act: Act, entry: RegisterEntry) -> str | None:
    """Whom the entry names, if they still work here; else the hierarchy decides."""
    named = entry.plain.get("substitute")
    try:
        return named and actor_of(act.session, act.system.vault, named, act.actor.county_id, active=True).person_id
    except NotFound:
        return None


def _set_last_day(act: Act, handover: Handover, last: date) -> None:
    if handover.last_day == last:
        return
    handover.last_day = last
    facts = {"handover": handover.id, "until": None if last == date.max else last.isoformat()}
    act.record(handover.__stream__(), Kind.HANDOVER_PROLONGED, facts=facts)
