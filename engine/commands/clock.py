"""Time passing outside the cases: the regulations look at outings, alerts and entries of registers when their time has come (check point
`clock`).

A look is one transaction under the lock of what it looks at, and moves the time of the next look: however many workers run, each happens
once.
"""

import logging
from collections.abc import Callable
from datetime import datetime, timedelta
from decimal import Decimal

from engine.audit import Kind
from engine.commands import Act, command, lateness, periods
from engine.commands.judging import Matter, in_force, judge, person_of
from engine.commands.organisation import today
from engine.commands.register_writing import Writer
from engine.exceptions import DatabaseUnavailable, EngineError
from engine.organisation import Actor, Person, Unit
from engine.registers import alerts, entries, outings, validity
from engine.registers.alerts import Alert
from engine.registers.catalogue import register_of
from engine.registers.declaring import CLIENT, PERSON
from engine.registers.entries import RegisterEntry
from engine.registers.outings import Outing
from engine.system import System

log = logging.getLogger(__name__)
# After how many minutes past the expected return the table is asked; the same parameters stand in its cells (bpmn/regulations/safety.dmn).
LOOKS = ("outing_alarm_minutes", "outing_escalation_minutes")
PAUSE = timedelta(minutes=1)  # until a look that failed is tried again: somebody may be in danger


def look(system: System, now: datetime, limit: int = 100) -> int:
    """Look at everything whose time has come, each in its own transaction; answers how many looks there were."""
    with system.database.read() as session:
        due = [(look_at_outing, found) for found in outings.due(session, system.county_id, now, limit)]
        due += [(look_at_entry, found) for found in entries.due(session, system.county_id, now, limit)]
        due += [(look_at_alert, found) for found in alerts.due(session, system.county_id, now, limit)]
    return sum(_guarded(system, once, identity, now) for once, identity in due)


def sweep(system: System, now: datetime, limit: int = 100) -> int:
    """Look at late tasks and at periods that have ended, each in its own transaction; answers how many looks there were.

    What fails is tried again with the next sweep. Once a minute is enough.
    """
    with system.database.read() as session:
        due = [(lateness.look_at_task, (task,)) for task in lateness.late(session, system.county_id, now, limit)]
        due += [(periods.look_at_period, each) for each in periods.due(system, session, now.astimezone(system.zone).date())]
    actor, looked = Actor.system(system.county_id), 0
    for once, what in due:
        try:
            looked += once(system, actor, *what, now=now)["looked"]
        except DatabaseUnavailable:
            raise
        except Exception:  # one broken case or table must not keep the clock from the others
            log.exception("%s of %s failed", once.route, what)
    return looked


@command("outing:look")
def look_at_outing(act: Act, outing_id: str) -> dict:
    """Ask the regulations about an outing that is overdue. Answers {looked}: false if another worker was quicker, or everybody is back."""
    outing = act.session.get(Outing, outing_id, with_for_update=True)
    if outing is None or outing.next_at is None or outing.next_at > act.now:
        return {"looked": False}
    known = in_force(act)
    parameters = known.parameters(act.now, outing.station_id)
    late = Decimal(int((act.now - outing.expected_return).total_seconds())) / 60
    facts = {
        "person": {"station": outing.station_id} | person_of(act, outing.reporter_id),
        "record": {"kind": "outing", "minutes_late": late},
        "outing": {"people": Decimal(len(outings.members_of(act.session, outing.id)))},
    }
    outing.next_at = next_look(outing.expected_return, parameters, act.now)
    act.record(outing.__stream__(), Kind.OUTING_OVERDUE, facts={"minutes": int(late)})
    matter = Matter(outing.__stream__(), outing.place_path, round=outing.expected_return.isoformat(), station_id=outing.station_id)
    judge(act, known, ("clock",), facts, matter)
    return {"looked": True}


@command("alert:look")
def look_at_alert(act: Act, alert_id: str) -> dict:
    """Ask the regulations about an alert that nobody dealt with in time. Answers {looked}."""
    alert = act.session.get(Alert, alert_id, with_for_update=True)
    if alert is None or alert.next_at is None or alert.next_at > act.now:
        return {"looked": False}
    known = in_force(act)
    late = Decimal(int((act.now - alert.next_at).total_seconds())) / 3600
    facts = {"record": {"kind": "alert", "rule": alert.rule, "hours_late": late}}
    alert.next_at = None
    act.record(alert.subject, Kind.ALERT_OVERDUE, facts={"alert": alert.id, "rule": alert.rule})
    judge(act, known, ("clock",), facts, Matter(alert.subject, alert.place_path, round=alert.round))
    return {"looked": True}


@command("entry:look")
def look_at_entry(act: Act, entry_id: str) -> dict:
    """Ask the regulations about an entry that lapses soon or has lapsed: record.days_left, below 0 once it has. Answers {looked}.

    Nobody is asked about who is gone: erased, or works here no more.
    """
    entry = act.session.get(RegisterEntry, entry_id, with_for_update=True)
    if entry is None or entry.next_at is None or entry.next_at > act.now:
        return {"looked": False}
    writer = Writer(act, register_of(entry.register))
    writer.load_keys([entry.subject_id])
    key = writer.keys[entry.subject_id]
    left = (entry.until - today(act)).days
    act.record(entry.__stream__(), Kind.REGISTER_LAPSES, facts={"register": entry.register, "entry": entry.id, "days_left": left})
    if not key.wrapped:
        entry.next_at = None
        return {"looked": True}
    entry.next_at = validity.next_look(entry.until, writer.reminded_on(entry), act.now, act.system.zone)
    if (about := _about(act, entry)) is not None:
        line = entries.opened(act.system.vault, entry, key)
        fields = entries.as_fact(line, today(act), act.system.zone)
        record = fields | {"kind": "entry", "register": entry.register, "days_left": Decimal(left), "entry": fields}
        judge(act, writer.known, ("clock",), about | {"record": record}, writer.matter(entry, key, f"{entry.id}/{entry.until:%y%m%d}"))
    return {"looked": True}


@command("clock:postpone")
def postpone(act: Act, table: str, identity: str, error: str) -> dict:
    """Put off a look that failed, and say so in the history of what it was to look at."""
    model = {"outing": Outing, "alert": Alert, "entry": RegisterEntry}[table]
    row = act.session.get(model, identity, with_for_update=True)
    if row is None or row.next_at is None:
        return {"postponed": False}
    row.next_at = act.now + PAUSE
    act.record(row.__stream__(), Kind.TIMER_FAILED, facts={table: identity, "error": error})
    return {"postponed": True}


def next_look(expected_return: datetime, parameters: dict, now: datetime) -> datetime | None:
    """When an outing is looked at next, by LOOKS; None when all looks are behind."""
    minutes = [float(parameters[name]) for name in LOOKS if parameters.get(name) is not None]
    return min((at for each in minutes if (at := expected_return + timedelta(minutes=each)) > now), default=None)


def _about(act: Act, entry: RegisterEntry) -> dict | None:
    """Whom an entry is about, and their station, as regulations see them; None for who works here no more."""
    about = register_of(entry.register).about
    if about == PERSON:
        person = act.session.get(Person, entry.subject_id)
        if not person.active:
            return None
        return {"person": {"station": entry.station_id} | person_of(act, entry.subject_id), "unit": _unit(act, entry.station_id)}
    unit = _unit(act, entry.station_id or entry.subject_id)
    return {"client": {"id": entry.subject_id}, "unit": unit} if about == CLIENT else {"unit": unit}


def _unit(act: Act, unit_id: str | None) -> dict:
    unit = act.session.get(Unit, unit_id) if unit_id else None
    return {"id": unit.id, "key": unit.key, "kind": unit.kind, "name": unit.name} if unit else {}


def _guarded(system: System, once: Callable, identity: str, now: datetime) -> bool:
    actor = Actor.system(system.county_id)
    try:
        return once(system, actor, identity, now=now)["looked"]
    except DatabaseUnavailable:
        raise
    except Exception as error:  # a table that cannot answer must not keep the clock from the others
        log.exception("%s of %s failed", once.route, identity)
        code = error.code if isinstance(error, EngineError) else type(error).__name__
        postpone(system, actor, once.route.partition(":")[0], identity, code, now=now)
        return False
