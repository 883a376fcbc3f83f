"""Handing over and giving back tasks together (engine.handovers): what is planned, and each line of it in a transaction of its own.

`hand_over`, `reassign` and `take_back` write what is to be done; `carry_on` does it, line by line, as often as it takes: a line that is done
is in the table and is not done again, so a process that dies, or two that carry on at once, leave nothing half and nothing twice.
"""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date, datetime

from sqlalchemy import select

from engine import handovers, organisation
from engine.audit import Kind
from engine.commands import Act, candidates, command
from engine.commands.assigning import mark_sent, objections, send, why_not
from engine.commands.candidates import peek, ranked
from engine.commands.judging import Matter, alert
from engine.commands.locking import lock_task
from engine.commands.tasks import reasoned
from engine.db import new_id
from engine.exceptions import InvalidRequest, NotFound, ReceiverUnfit, RegulationRefused
from engine.handovers import (
    ABSENCE,
    BACK,
    CHANGED,
    MOVED,
    MOVING,
    REASSIGNMENT,
    RETURNED,
    RETURNING,
    STAYED,
    WENT,
    WHY,
    Handover,
    HandoverTask,
)
from engine.instances import ACTIVE, CLAIMED, INCIDENT, OFFERED, Task
from engine.organisation import Actor, actor_of
from engine.permissions import require
from engine.regulations import Verdict
from engine.system import System
from engine.tasks import held
from engine.vault import SubjectKey

MOST = 200  # tasks of one reassignment
AT_ONCE = 20  # lines that a page carries out while somebody waits; the rest is carried on with
REST = "handover.rest"  # names the alert about tasks that nobody could take
PASSED = (ReceiverUnfit, RegulationRefused, InvalidRequest, NotFound)  # what keeps one task where it is, and stops no other


@dataclass(frozen=True)
class Line:
    """One task of a plan. `to`: who would get it, None if nobody may; `why`: what is against the one wished for, in Chinese;
    `verdicts`: the regulations among it. `revision`: of the task as it was looked at."""

    task_id: str
    revision: int
    element: str
    number: str
    name: str
    from_id: str | None
    to: Actor | None
    why: str | None = None
    verdicts: tuple[Verdict, ...] = field(default=())


# --- planning: nothing is written -----------------------------------------------------------------------------------------


def plan_absence(system: System, session, actor: Actor, person_id: str, substitute_id: str | None, now: datetime) -> list[Line]:
    """Who would get each task that somebody holds: their substitute, else the best ranked full-time of the station, else its lead, else
    whoever else of the place may. Raises Forbidden, NotFound."""
    require(actor, "task:dispatch")
    person = _of_place(system, session, actor, person_id)
    wished = [actor_of(session, system.vault, substitute_id, actor.county_id, active=True)] if substitute_id else []
    theirs = select(Task).where(Task.holder_id == person.person_id, Task.status == CLAIMED, Task.county_id == actor.county_id)
    planned: Counter = Counter()
    tasks = [task for task in session.scalars(theirs.order_by(Task.id)) if organisation.covers(actor.unit_path, task.place_path)]
    away = frozenset(candidates.away(session, [each.person_id for each in wished], now.astimezone(system.zone).date()))
    return [_line(system, session, actor, task.id, now, wished, planned, hierarchy=True, away=away) for task in tasks]


def plan_reassignment(system: System, session, actor: Actor, task_ids: Iterable[str], to: str | None, now: datetime) -> list[Line]:
    """Whether each task may go to the person with username or id `to`, or, without one, to whom by ranking. Raises Forbidden, NotFound,
    InvalidRequest."""
    require(actor, "task:dispatch")
    task_ids = list(dict.fromkeys(task_ids))
    if not 1 <= len(task_ids) <= MOST:
        raise InvalidRequest(field="tasks", reason=f"请选择 1 到 {MOST} 项任务")
    wished = [actor_of(session, system.vault, to, actor.county_id, active=True)] if to else []
    for each in wished:
        require(actor, "task:dispatch", each.unit_path)
    planned: Counter = Counter()
    return [_line(system, session, actor, task_id, now, wished, planned, hierarchy=not wished) for task_id in task_ids]


def _line(system, session, actor, task_id, now, wished: list[Actor], planned: Counter, hierarchy: bool, away=frozenset()) -> Line:
    run, task = peek(system, session, actor, task_id, now)
    require(actor, "task:dispatch", task.place_path)
    element = run.compiled.process.elements[task.element]
    known = (task.id, task.revision, task.element, run.instance.number, element.name or element.id, task.holder_id)
    if task.status not in (OFFERED, CLAIMED):
        return Line(*known, None, WHY["closed"][0])
    why, verdicts = None, ()
    for person in wished:
        sent = not organisation.covers(person.unit_path, task.place_path)
        if person.person_id == task.holder_id:
            return Line(*known, None, WHY["held"][0])
        why = WHY["away"][0] if person.person_id in away else why_not(run, task, person, sent)
        verdicts = () if why else tuple(objections(run, task, person))
        if why is None and not verdicts:
            planned[person.person_id] += 1
            return Line(*known, person)
        why = why or "；".join(each.message for each in verdicts)
    found = _next_in_line(run, task, planned) if hierarchy else None
    if found is not None:
        planned[found.person_id] += 1
    return Line(*known, found, why or (None if found else WHY["nobody"][0]), verdicts)


def _next_in_line(run, task: Task, planned: Counter) -> Actor | None:
    """Full-time first, then leads, then the others of the place, each by the ranking, of those who are there and whom nothing keeps."""
    act = run.act
    people = organisation.serving(act.session, act.system.vault, task.county_id, task.place_path)
    able = [each.person for each in ranked(run, task, people, planned) if not each.away and each.verdicts == []]
    return min(able, key=lambda person: (person.workforce != "full_time", "lead" not in person.roles), default=None)


def _of_place(system: System, session, actor: Actor, person_id: str) -> Actor:
    person = actor_of(session, system.vault, person_id, actor.county_id)
    if not organisation.covers(actor.unit_path, person.unit_path):
        raise NotFound(what="人员", key=person_id)
    return person


# --- beginning and ending -----------------------------------------------------------------------------------------------------


@command("handover:begin", "task:dispatch")
def hand_over(act: Act, person_id: str, substitute_id: str | None = None, until: date | str | None = None, reason: str = "", lines=None) -> dict:
    """Begin handing over all tasks of somebody who is away from today `until` a day. `lines`: [task id, revision, person id] as a preview
    showed them; planned now if not given. Answers {id, tasks}; `carry_on` does it. Raises Forbidden, NotFound, InvalidRequest."""
    today = act.now.astimezone(act.system.zone).date()
    try:
        until = date.fromisoformat(until) if isinstance(until, str) else until
    except ValueError:
        raise InvalidRequest(field="until", reason="应为日期，例如 2026-12-31") from None
    if until is not None and until < today:
        raise InvalidRequest(field="until", reason="结束日期不能早于今天")
    person = _of_place(act.system, act.session, act.actor, person_id)
    if running(act, person.person_id) is not None:
        raise InvalidRequest(field="person", reason="这个人的任务已经移交，请先交还")
    return begin_absence(act, person, substitute_id, (today, until or date.max), reason, lines)


def begin_absence(act: Act, person: Actor, substitute_id: str | None, days: tuple[date, date], reason: str, lines=None) -> dict:
    """Plan and begin the handover of somebody who has none running. Answers {id, tasks}."""
    planned = plan_absence(act.system, act.session, act.actor, person.person_id, substitute_id, act.now)
    return _begin(act, ABSENCE, person, substitute_id, days, reason, _chosen(planned, lines))


def running(act: Act, person_id: str) -> Handover | None:
    """Somebody's handover that is not over. Of two who ask in order to begin one, the second waits, and then sees what the first began."""
    act.session.execute(select(organisation.Person.id).where(organisation.Person.id == person_id).with_for_update())
    found = select(Handover).where(Handover.person_id == person_id, Handover.kind == ABSENCE, Handover.status != RETURNED)
    return act.session.scalar(found.limit(1).with_for_update())


@command("reassignment:begin", "task:dispatch")
def reassign(act: Act, task_ids: list[str], to: str | None, reason: str, lines=None) -> dict:
    """Begin giving many tasks to one person, or to whom the ranking names. Arguments and answer as of `hand_over`."""
    planned = plan_reassignment(act.system, act.session, act.actor, task_ids, to, act.now)
    return _begin(act, REASSIGNMENT, None, None, (None, None), reasoned(reason), _chosen(planned, lines))


@command("handover:take-back", "task:dispatch")
def take_back(act: Act, handover_id: str) -> dict:
    """Begin giving back what a handover has moved, to whoever held it. What was not moved stays. Answers {id}; raises NotFound, Forbidden."""
    found = locked(act, handover_id)
    if found is None or found.county_id != act.actor.county_id or not organisation.covers(act.actor.unit_path, found.place_path):
        raise NotFound(what="移交", key=handover_id)
    begin_return(act, found)
    return {"id": found.id}


def begin_return(act: Act, found: Handover) -> None:
    """What was moved is to come back from now on; nothing happens if that has begun."""
    if found.status in (MOVING, MOVED):
        found.status = RETURNING
        act.record(found.__stream__(), Kind.HANDOVER_ENDED, facts={"handover": found.id})


def _chosen(planned: list[Line], lines) -> list[list]:
    """The plan as it is kept. A preview that is given must be of the same tasks; what has changed since is told when its line is done."""
    if lines is None:
        return [[line.task_id, line.revision, line.to.person_id] for line in planned if line.to]
    known = {line.task_id for line in planned}
    able = {line.task_id: line.to.person_id for line in planned if line.to}
    try:
        kept = [[str(task_id), int(revision), str(to)] for task_id, revision, to in lines]
    except (TypeError, ValueError):
        raise InvalidRequest(field="lines", reason="应为由任务、版本、接手人三项组成的列表") from None
    if len({task_id for task_id, *_ in kept}) != len(kept):
        raise InvalidRequest(field="lines", reason="一项任务只能出现一次")
    # Who may not be chosen freely here is refused: only whom the plan names now, as the preview did; a task done meanwhile is told later.
    return [[task_id, revision if able.get(task_id) == to else -1, to] for task_id, revision, to in kept if task_id in known]


def _begin(act: Act, kind: str, person: Actor | None, substitute_id: str | None, days: tuple, reason: str, plan: list[list]) -> dict:
    reason = reasoned(reason, needed=False)
    found = Handover(
        id=new_id(),
        county_id=act.actor.county_id,
        kind=kind,
        person_id=person and person.person_id,
        substitute_id=substitute_id and actor_of(act.session, act.system.vault, substitute_id, act.actor.county_id).person_id,
        first_day=days[0],
        last_day=days[1],
        status=MOVING,
        plan=plan,
        place_path=(person.unit_path if person and "system" in act.actor.roles else act.actor.unit_path) or "county",
        begun_by=act.actor.person_id,
        begun_at=act.now,
        ended_at=None,
    )
    key = act.system.vault.new_key(act.session, act.actor.county_id, handovers.stream(found.id), act.now)
    found.key_id, found.sealed = key.id, act.system.vault.seal(key, {"reason": reason}, found.place)
    act.session.add(found)
    act.record(found.__stream__(), Kind.HANDOVER_BEGUN, facts={"handover": found.id, "kind": kind, "person": found.person_id, "tasks": len(plan)})
    return {"id": found.id, "tasks": len(plan)}


def locked(act: Act, handover_id: str) -> Handover | None:
    return act.session.get(Handover, handover_id, with_for_update=True, populate_existing=True)


# --- line by line ----------------------------------------------------------------------------------------------------------------


def carry_on(system: System, handover_id: str, now: datetime, limit: int = AT_ONCE) -> int:
    """Do the next lines of a handover, at most `limit`; answers how many are left. Whoever may see the handover may have it carried on with:
    what is done was decided when it began."""
    actor = Actor.system(system.county_id)
    with system.database.read() as session:
        left = _left(session, session.get(Handover, handover_id))
    for task_id in left[:limit]:
        step(system, actor, handover_id, task_id, now=now)
    if len(left) <= limit:
        finish(system, actor, handover_id, now=now)
    return max(len(left) - limit, 0)


def sweep(system: System, now: datetime, limit: int = 100) -> int:
    """For the worker: carry on with whatever is not finished, and end the absences whose last day is over. Answers lines done at most."""
    actor, today = Actor.system(system.county_id), now.astimezone(system.zone).date()
    with system.database.read() as session:
        over = select(Handover.id).where(Handover.county_id == system.county_id, Handover.kind == ABSENCE)
        over = list(session.scalars(over.where(Handover.status.in_((MOVING, MOVED)), Handover.last_day < today).limit(limit)))
        going = handovers.unfinished(session, system.county_id)
    for handover_id in over:
        end(system, actor, handover_id, now=now)
    for handover_id in dict.fromkeys(over + going):
        carry_on(system, handover_id, now, limit)
    return len(over) + len(going)


@command("handover:end")
def end(act: Act, handover_id: str) -> dict:
    """An absence is over: as `take_back`, by the clock."""
    found = locked(act, handover_id)
    if found is not None:
        begin_return(act, found)
    return {"id": handover_id}


@command("handover:step")
def step(act: Act, handover_id: str, task_id: str) -> dict:
    """Do one line, exactly once. Answers {outcome}: WENT, STAYED, BACK, or None where somebody else has done it."""
    found = locked(act, handover_id)
    line = act.session.get(HandoverTask, (handover_id, task_id)) if found is not None else None
    if found is None or not _is_left(found, task_id, line and line.outcome):
        return {"outcome": None}
    run, task = lock_task(act, task_id)
    if found.status == RETURNING:
        code = _give_back(run, task, found, line)
        line.outcome, line.code = (STAYED, code) if code else (BACK, None)
        outcome = line.outcome
    else:
        revision, to_id = next((revision, to) for each, revision, to in found.plan if each == task_id)
        from_id = task.holder_id
        code = CHANGED if revision != task.revision else _move(run, task, found, to_id)
        outcome = STAYED if code else WENT
        row = HandoverTask(handover_id=found.id, task_id=task.id, county_id=found.county_id, instance_id=task.instance_id)
        row.from_id, row.to_id, row.outcome, row.code = from_id, to_id, outcome, code
        act.session.add(row)
    if code:
        run.record(Kind.TASK_NOT_MOVED, {"task": task.id, "element": task.element, "handover": found.id, "code": code})
    return {"outcome": outcome}


@command("handover:finish")
def finish(act: Act, handover_id: str) -> dict:
    """Nothing is left to do: say so, with how it went. Answers {status}."""
    found = locked(act, handover_id)
    if found is None or found.status not in (MOVING, RETURNING) or _left(act.session, found):
        return {"status": found and found.status}
    outcomes = Counter(act.session.scalars(select(HandoverTask.outcome).where(HandoverTask.handover_id == handover_id)))
    kind = Kind.HANDOVER_DONE if found.status == MOVING else Kind.HANDOVER_RETURNED
    found.status = MOVED if found.status == MOVING else RETURNED
    found.ended_at = act.now if found.status == RETURNED else None
    act.record(found.__stream__(), kind, facts={"handover": found.id, **outcomes})
    if found.status == MOVED and found.kind == ABSENCE and found.begun_by == Actor.system(found.county_id).person_id:
        _tell_of_the_rest(act, found)
    return {"status": found.status}


def _tell_of_the_rest(act: Act, found: Handover) -> None:
    """Nobody has looked at what the clock has planned: the lead hears of what it could not hand over; of a lead's, the supervisor."""
    left = held(act.session, found.person_id)
    if not left:
        return
    person = actor_of(act.session, act.system.vault, found.person_id, found.county_id)
    told = Verdict(
        rule=REST,
        effect="task",
        message=f"{person.name}不在岗，还有 {left} 项任务没有交出去。",
        message_en=f"{person.name} is away, and {left} of their tasks could not be handed over.",
        source="站内默认",
        waivable_by=None,
        table="",
        version="",
        hint="在“调度”里按办理人找出这些任务，改派给别人。",
        hint_en="Find these tasks under Dispatch by their holder, and reassign them.",
        notify="supervisor" if "lead" in person.roles else "lead",
    )
    key = act.session.get_one(SubjectKey, found.key_id)
    alert(act, Matter(found.__stream__(), person.unit_path, key, round=found.id), key, told)


def _left(session, found: Handover | None) -> list[str]:
    """Task ids of the lines that are to be done, in the order of the plan."""
    if found is None:
        return []
    lines = {line.task_id: line.outcome for line in session.scalars(select(HandoverTask).where(HandoverTask.handover_id == found.id))}
    return [task_id for task_id, *_ in found.plan if _is_left(found, task_id, lines.get(task_id))]


def _is_left(found: Handover, task_id: str, outcome: str | None) -> bool:
    """Whether a line is to be done; `outcome`: what became of it, None if nothing was done yet."""
    if found.status == RETURNING:
        return outcome == WENT
    return found.status == MOVING and outcome is None and any(each == task_id for each, *_ in found.plan)


def _move(run, task: Task, found: Handover, to_id: str) -> str | None:
    """Give a task as planned; the code of what keeps it where it is, else None."""
    if task.status not in (OFFERED, CLAIMED) or run.instance.status not in (ACTIVE, INCIDENT):
        return CHANGED
    try:
        receiver = actor_of(run.act.session, run.act.system.vault, to_id, found.county_id, active=True)
        kind = Kind.TASK_HANDED_OVER
        send(run, task, receiver, kind, {"handover": found.id, "by": found.begun_by})
    except PASSED as refused:
        return refused.code
    return None


def _give_back(run, task: Task, found: Handover, line: HandoverTask) -> str | None:
    """Give a task back to who held it, or offer it again where nobody did; as `_move`. What went on to others meanwhile is theirs."""
    if task.status != CLAIMED or task.holder_id != line.to_id or run.instance.status not in (ACTIVE, INCIDENT):
        return CHANGED
    told = {"handover": found.id, "by": found.begun_by}
    if line.from_id is None:
        task.status, task.holder_id, task.claimed_at = OFFERED, None, None
        mark_sent(task, None)
        run.act.unit.write(task)
        run.record(Kind.TASK_TAKEN_BACK, {"task": task.id, "element": task.element, "from": line.to_id, **told})
        return None
    try:
        receiver = actor_of(run.act.session, run.act.system.vault, line.from_id, found.county_id, active=True)
        send(run, task, receiver, Kind.TASK_TAKEN_BACK, told)
    except PASSED as refused:
        return refused.code
    return None

