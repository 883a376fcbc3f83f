"""Going out: reporting where to, with whom and until when; leaving, staying longer, coming back (安全管理：外出报备)."""

from datetime import datetime, timedelta
from decimal import Decimal

from sqlalchemy import select

from engine import instances, waivers
from engine.audit import Kind
from engine.commands import Act, command
from engine.commands.clock import next_look
from engine.commands.judging import Matter, case_facts, in_force, judge, person_facts
from engine.commands.locking import lock_instance
from engine.commands.running import Run
from engine.db import new_id
from engine.exceptions import AlreadyOut, InvalidForm, NotFound, OutingClosed
from engine.instances import CLAIMED, OFFERED, Instance, Task
from engine.organisation import actor_of
from engine.registers import outings
from engine.registers.outings import OUT, PLANNED, Outing, OutingMember

LONGEST = timedelta(days=30)  # 站内默认 station default: nobody is out longer without saying so anew
COMPANIONS = 10
FIELDS = ("destination", "reason", "expected_return", "companions", "task", "instance", "leaves")
_TEXTS = {
    "destination": ("请写明去哪里", 200, "地点不超过 200 个字"),
    "reason": ("请写明去做什么", 500, "事由不超过 500 个字"),
}


@command("outing:report", "outing:write")
def report(act: Act, trip: dict) -> dict:
    """Report an outing before it begins.

    `trip`: destination, reason, expected_return (ISO 8601 with zone), companions (usernames), task or instance (the id of what it is for,
    may be missing), leaves (false: only planned). Answers {id, status}. Raises InvalidForm, NotFound, AlreadyOut, RegulationRefused.
    """
    texts, expected = _read(act, trip)
    companions = [actor_of(act.session, act.system.vault, name, act.actor.county_id, active=True) for name in trip.get("companions") or ()]
    people = {person.person_id: person for person in [act.actor, *companions]}
    leaves = bool(trip.get("leaves", True))
    if leaves and outings.is_out(act.session, act.actor.person_id):
        raise AlreadyOut()
    task, run, case = _what_for(act, trip)
    outing, key = _new(act, texts, expected, leaves, task, run and run.instance)
    act.session.add_all(OutingMember(outing_id=outing.id, county_id=outing.county_id, person_id=each) for each in people)
    facts = {
        "person": person_facts(act.actor),
        "record": {"kind": "outing"},
        "outing": {"people": Decimal(len(people))},
        "case": case,
    }
    told = {"people": list(people), "instance": outing.instance_id, "until": outing.expected_return.isoformat(), "left": leaves}
    matter = Matter(
        outing.__stream__(),
        outing.place_path,
        key,
        person=act.actor,
        instance_id=outing.instance_id,
        station_id=act.actor.station_id,
        task_id=outing.task_id,
        waivers=waivers.of_ledger(run.ledger) if run else (),
    )
    judged = judge(act, in_force(act), ("open",), facts, matter)
    act.record(outing.__stream__(), Kind.OUTING_REPORTED, facts=told | judged.plain, sealed=texts | judged.sealed, key=key)
    return _answer(outing)


@command("outing:leave", "outing:write")
def leave(act: Act, outing_id: str) -> dict:
    """A planned outing begins. Raises NotFound, OutingClosed, AlreadyOut."""
    outing = _locked(act, outing_id, PLANNED)
    if outings.is_out(act.session, outing.reporter_id):
        raise AlreadyOut()
    outing.left_at = act.now
    act.record(outing.__stream__(), Kind.OUTING_LEFT)
    return _answer(outing)


@command("outing:extend", "outing:write")
def extend(act: Act, outing_id: str, expected_return: str) -> dict:
    """Come back later than said: alarms are counted from the new time. Raises NotFound, OutingClosed, InvalidForm."""
    outing = _locked(act, outing_id, PLANNED, OUT)
    before, expected = outing.expected_return, _moment(act, expected_return)
    if isinstance(expected, str):
        raise InvalidForm({"expected_return": expected})
    outing.expected_return = expected
    outing.next_at = _first_look(act, outing)
    act.record(outing.__stream__(), Kind.OUTING_EXTENDED, facts={"from": before.isoformat(), "to": expected.isoformat()})
    return _answer(outing)


@command("outing:return", "outing:write")
def come_back(act: Act, outing_id: str) -> dict:
    """Everybody is back, safe; the clock stops. Raises NotFound, OutingClosed."""
    outing = _locked(act, outing_id, PLANNED, OUT)
    outing.left_at = outing.left_at or outing.reported_at
    outing.returned_at, outing.next_at = act.now, None
    act.record(outing.__stream__(), Kind.OUTING_RETURNED)
    return _answer(outing)


@command("outing:cancel", "outing:write")
def cancel(act: Act, outing_id: str) -> dict:
    """A planned outing does not take place. Raises NotFound, OutingClosed, also when they have left: then they have to return."""
    outing = _locked(act, outing_id, PLANNED)
    outing.cancelled_at, outing.next_at = act.now, None
    act.record(outing.__stream__(), Kind.OUTING_CANCELLED)
    return _answer(outing)


def _read(act: Act, trip: dict) -> tuple[dict, datetime]:
    """The texts and the time of a report, checked. Raises InvalidForm."""
    errors = {name: "没有这个栏目" for name in trip if name not in FIELDS}
    texts = {}
    for name, (missing, longest, too_long) in _TEXTS.items():
        texts[name] = str(trip.get(name) or "").strip()
        if not texts[name]:
            errors[name] = missing
        elif len(texts[name]) > longest:
            errors[name] = too_long
    if len(trip.get("companions") or ()) > COMPANIONS:
        errors["companions"] = "最多 10 名同行人"
    expected = _moment(act, trip.get("expected_return"))
    if isinstance(expected, str):
        errors["expected_return"] = expected
    if errors:
        raise InvalidForm(errors)
    return texts, expected


def _moment(act: Act, text) -> datetime | str:
    """The expected return, or what is wrong with it."""
    try:
        found = datetime.fromisoformat(text)
    except (TypeError, ValueError):
        return "请填写预计返回的日期和时间"
    if found.tzinfo is None:
        found = found.replace(tzinfo=act.system.zone)
    if not act.now < found <= act.now + LONGEST:
        return "预计返回时间应在现在之后、30 天之内"
    return found


def _what_for(act: Act, trip: dict) -> tuple[Task | None, Run | None, dict]:
    """The task and the case an outing is for, and the case as regulations see it. Raises NotFound for what the actor may not know of."""
    task, instance_id = None, trip.get("instance") or None
    if trip.get("task"):
        task = act.session.get(Task, trip["task"])
        if task is None or not instances.in_reach(act.actor, task):
            raise NotFound(what="任务", key=trip["task"])
        instance_id = task.instance_id
    elif instance_id:
        instances.open_instance(act.system, act.session, act.actor, instance_id)
    if instance_id is None:
        return None, None, {}
    run = lock_instance(act, instance_id).restore()
    token = task.token if task is not None and task.status in (OFFERED, CLAIMED) else None
    return task, run, case_facts(run, token)


def _new(act: Act, texts: dict, expected: datetime, leaves: bool, task: Task | None, instance: Instance | None):
    """The outing's row with its key, added."""
    outing_id, actor = new_id(), act.actor
    key = act.system.vault.new_key(act.session, actor.county_id, outings.stream(outing_id), act.now)
    act.session.flush()
    outing = Outing(
        id=outing_id,
        county_id=actor.county_id,
        reporter_id=actor.person_id,
        instance_id=instance.id if instance else None,
        task_id=task.id if task else None,
        place_path=actor.unit_path,
        station_id=actor.station_id,
        reported_at=act.now,
        left_at=act.now if leaves else None,
        expected_return=expected,
        returned_at=None,
        cancelled_at=None,
        key_id=key.id,
    )
    outing.next_at = _first_look(act, outing)
    outing.sealed = act.system.vault.seal(key, texts, outing.place)
    act.session.add(outing)
    return outing, key


def _first_look(act: Act, outing: Outing) -> datetime | None:
    return next_look(outing.expected_return, in_force(act).parameters(act.now, outing.station_id), act.now)


def _locked(act: Act, outing_id: str, *statuses: str) -> Outing:
    """An outing that the actor may change, locked. Raises NotFound; OutingClosed when it is in none of the statuses."""
    query = select(Outing).where(Outing.id == outing_id, Outing.county_id == act.actor.county_id).with_for_update()
    outing = act.session.scalar(query) if outing_id.isalnum() else None
    if outing is None or not outings.concerns(act.actor, outing, outings.members_of(act.session, outing_id)):
        raise NotFound(what="外出报备", key=outing_id)
    if outing.status not in statuses:
        raise OutingClosed(status=outing.status)
    return outing


def _answer(outing: Outing) -> dict:
    return {"id": outing.id, "status": outing.status, "expected_return": outing.expected_return.isoformat()}
