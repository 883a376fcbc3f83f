"""Waivers: asked for by whoever a regulation stopped, decided by whom the rule names. Each is an event of its case."""

from datetime import date, datetime, time, timedelta

from engine import instances, waivers
from engine.audit import Kind
from engine.commands import Act, command
from engine.commands.locking import lock_instance, lock_task, require_open
from engine.commands.running import Run
from engine.db import new_id
from engine.exceptions import (
    Forbidden,
    InvalidForm,
    InvalidRequest,
    NotFound,
    NotRefused,
    NotWaivable,
    OwnWaiver,
    TaskClosed,
    WaiverClosed,
    WaiverKnown,
)
from engine.instances import CLAIMED, OFFERED, Task, in_reach
from engine.organisation import Actor, actor_of, covers
from engine.permissions import PERMISSION_NAMES
from engine.waivers import ASKED, DECIDERS, GRANTED, LEDGER, REFUSED, REVOKED, WITHDRAWN, Waiver

LONGEST = 1000  # characters of a reason


@command("waiver:ask", "waiver:ask")
def ask(
    act: Act,
    rule: str,
    reason: str,
    task_id: str | None = None,
    instance_id: str | None = None,
    person: str | None = None,
    whole_case: bool = False,
) -> dict:
    """Ask that somebody may go past a rule that stopped them at a task, or elsewhere in a case.

    `person`: username of who would act, the actor if not given; `whole_case`: for whatever they do in the case, not for this task alone.
    Answers {id, status, expires_at}. Raises NotFound, NotRefused, NotWaivable, WaiverKnown, TaskClosed, InstanceClosed, InvalidForm, Erased.
    """
    reason = _text(reason)
    run, task = _case(act, task_id, instance_id)
    somebody = act.actor if person in (None, act.actor.username) else actor_of(act.session, act.system.vault, person, act.actor.county_id)
    verdict, told = _refused(act, run, rule, somebody, task)
    scope = None if whole_case or task is None else task.id
    for known in waivers.of_case(act.session, run.instance.id, somebody.person_id):
        status = known.status_at(act.now)
        if known.rule == rule and known.task_id in (None, scope) and status in (ASKED, GRANTED):
            raise WaiverKnown(status=waivers.NAMES[status])
    waiver = Waiver(
        id=new_id(),
        county_id=act.actor.county_id,
        instance_id=run.instance.id,
        task_id=scope,
        person_id=somebody.person_id,
        rule=rule,
        regulation=verdict["table"],
        waivable_by=verdict["waivable_by"],
        status=ASKED,
        asked_by=act.actor.person_id,
        asked_at=act.now,
        decided_by=None,
        decided_at=None,
        expires_at=None,
    )
    waiver.sealed = act.system.vault.seal(run.key, told | {"reason": reason}, waiver.place)
    act.session.add(waiver)
    facts = {"regulation": waiver.regulation, "element": task.element if task else None}
    run.record(Kind.WAIVER_ASKED, _facts(waiver) | facts, {"reason": reason})
    return _answer(waiver)


@command("waiver:grant", "waiver:decide")
def grant(act: Act, waiver_id: str, reason: str, until: str | None = None) -> dict:
    """Let them go past the rule until the end of a day (ISO date); without one, as long as the parameter `waiver_days` says.

    Raises NotFound, OwnWaiver, Forbidden, WaiverClosed, TaskClosed, InstanceClosed, InvalidForm, Erased.
    """
    run, waiver = _to_decide(act, waiver_id, ASKED)
    reason = _text(reason)
    require_open(run)
    if waiver.task_id:
        _require_task_open(act.session.get(Task, waiver.task_id))
    waiver.expires_at = _end(run, until)
    _decide(run, waiver, GRANTED, reason)
    run.restore()
    left = [each for each in run.ledger.get(LEDGER, ()) if datetime.fromisoformat(each["until"]) > act.now]
    run.ledger[LEDGER] = [*left, waiver.entry]
    run.record(Kind.WAIVER_GRANTED, _facts(waiver) | {"until": waiver.expires_at.isoformat()}, {"reason": reason})
    run.save()
    return _answer(waiver)


@command("waiver:refuse", "waiver:decide")
def refuse(act: Act, waiver_id: str, reason: str) -> dict:
    """Do not let them go past the rule. Raises NotFound, OwnWaiver, Forbidden, WaiverClosed, InvalidForm, Erased."""
    run, waiver = _to_decide(act, waiver_id, ASKED)
    reason = _text(reason)
    _decide(run, waiver, REFUSED, reason)
    run.record(Kind.WAIVER_REFUSED, _facts(waiver), {"reason": reason})
    return _answer(waiver)


@command("waiver:revoke", "waiver:decide")
def revoke(act: Act, waiver_id: str, reason: str) -> dict:
    """Take back what was granted and is not over; what was done under it stays done. Raises as `grant` does."""
    run, waiver = _to_decide(act, waiver_id, GRANTED)
    reason = _text(reason)
    require_open(run)
    _decide(run, waiver, REVOKED, reason)
    run.restore()
    run.ledger[LEDGER] = [each for each in run.ledger.get(LEDGER, ()) if each["id"] != waiver.id]
    run.record(Kind.WAIVER_REVOKED, _facts(waiver), {"reason": reason})
    run.save()
    return _answer(waiver)


@command("waiver:withdraw", "waiver:ask")
def withdraw(act: Act, waiver_id: str) -> dict:
    """Take one's own request back, while nobody has decided it. Raises NotFound (anybody else's), WaiverClosed."""
    run, waiver = _locked(act, waiver_id)
    if act.actor.person_id not in (waiver.asked_by, waiver.person_id):
        raise NotFound(what="豁免", key=waiver_id)
    _require(waiver, ASKED, act.now)
    waiver.status, waiver.decided_by, waiver.decided_at = WITHDRAWN, act.actor.person_id, act.now
    run.record(Kind.WAIVER_WITHDRAWN, _facts(waiver))
    return _answer(waiver)


def _case(act: Act, task_id: str | None, instance_id: str | None) -> tuple[Run, Task | None]:
    """The open case, locked, and the task, of which the actor may know."""
    if task_id:
        run, task = lock_task(act, task_id)
        if not in_reach(act.actor, task):
            raise NotFound(what="任务", key=task_id)
        require_open(run)
        _require_task_open(task)
        return run, task
    if not instance_id:
        raise InvalidRequest(field="task", reason="请写明是哪项任务或哪个个案")
    instances.open_instance(act.system, act.session, act.actor, instance_id)
    run = lock_instance(act, instance_id)
    require_open(run)
    return run, None


def _refused(act: Act, run: Run, rule: str, somebody: Actor, task: Task | None) -> tuple[dict, dict]:
    """(plain verdict, its words and facts) of the refusal that is asked about. Raises NotRefused, NotWaivable, Erased."""
    found = waivers.stopped(act.session, act.system.vault, act.actor, somebody, run.instance.id, rule, task and task.id)
    if found is None:
        raise NotRefused(rule=rule)
    verdict, told = found
    if verdict["effect"] != "waiver":
        raise NotWaivable(rule=rule, reason="制度规定不得例外")
    if verdict["waivable_by"] not in DECIDERS:
        raise NotWaivable(rule=rule, reason="制度没有写明由谁批准")
    return verdict, told


def _to_decide(act: Act, waiver_id: str, status: str) -> tuple[Run, Waiver]:
    """A waiver that is the actor's to decide about, with its case, locked. Raises NotFound, OwnWaiver, Forbidden, WaiverClosed."""
    run, waiver = _locked(act, waiver_id)
    if not covers(act.actor.unit_path, run.instance.place_path):
        raise NotFound(what="豁免", key=waiver_id)
    if act.actor.person_id in (waiver.asked_by, waiver.person_id):
        raise OwnWaiver()
    if not waivers.may_decide(act.actor, waiver, run.instance):
        raise Forbidden(permission=PERMISSION_NAMES["waiver:decide"], unit=act.actor.unit_key)
    _require(waiver, status, act.now)
    return run, waiver


def _locked(act: Act, waiver_id: str) -> tuple[Run, Waiver]:
    waiver = act.session.get(Waiver, waiver_id) if waiver_id.isalnum() else None
    if waiver is None or waiver.county_id != act.actor.county_id:
        raise NotFound(what="豁免", key=waiver_id)
    run = lock_instance(act, waiver.instance_id)
    act.session.refresh(waiver)  # as it is now that nobody else can change it
    return run, waiver


def _require(waiver: Waiver, status: str, now: datetime) -> None:
    if waiver.status_at(now) != status:
        raise WaiverClosed(status=waivers.NAMES[waiver.status_at(now)])


def _require_task_open(task: Task) -> None:
    if task.status not in (OFFERED, CLAIMED):
        raise TaskClosed(status=task.status)


def _decide(run: Run, waiver: Waiver, status: str, reason: str) -> None:
    """Write down who decided what, and why."""
    act, vault = run.act, run.act.system.vault
    told = vault.open(run.key, waiver.sealed, waiver.place)
    waiver.sealed = vault.seal(run.key, told | {"answer": reason}, waiver.place)
    waiver.status, waiver.decided_by, waiver.decided_at = status, act.actor.person_id, act.now


def _text(reason: str) -> str:
    reason = (reason or "").strip()
    if not 1 <= len(reason) <= LONGEST:
        raise InvalidForm({"reason": "请写明理由，不超过 1000 个字"})
    return reason


def _end(run: Run, until: str | None) -> datetime:
    """The last second of a day in the county. Raises InvalidForm."""
    zone, parameters = run.act.system.zone, run.environment.names["parameters"]
    today, most = run.act.now.astimezone(zone).date(), int(parameters["waiver_days_most"])
    try:
        day = date.fromisoformat(until) if until else today + timedelta(days=min(int(parameters["waiver_days"]), most))
    except ValueError:
        raise InvalidForm({"until": "请填写日期，例如 2026-03-31"}) from None
    if not today <= day <= today + timedelta(days=most):
        raise InvalidForm({"until": "应不早于今天，不超过参数“豁免：最长的期限”规定的天数"})
    return datetime.combine(day, time(23, 59, 59), zone)


def _facts(waiver: Waiver) -> dict:
    return {"waiver": waiver.id, "rule": waiver.rule, "person": waiver.person_id, "task": waiver.task_id}


def _answer(waiver: Waiver) -> dict:
    return {"id": waiver.id, "status": waiver.status, "expires_at": waiver.expires_at and waiver.expires_at.isoformat()}
