"""Open tasks past their due time: the regulations look at each, whatever its diagram does about it (check point `clock`)."""

import logging
from datetime import datetime, timedelta
from decimal import Decimal

from sqlalchemy import and_, or_, select
from sqlalchemy.orm import Session

from engine.audit import Kind
from engine.commands import Act, command
from engine.commands.judging import judge, person_of, task_facts, task_matter
from engine.commands.locking import lock_task
from engine.commands.running import Run
from engine.exceptions import DecisionFailed
from engine.instances import CLAIMED, OFFERED, Task
from engine.registers.looks import Look
from engine.workflow.model import Element

log = logging.getLogger(__name__)

OPEN = (OFFERED, CLAIMED)
AGAIN = (timedelta(days=1), timedelta(days=3), timedelta(days=7))  # after a task's due time; after the last, every week


def late(session: Session, county_id: str, now: datetime, limit: int) -> list[str]:
    """Ids of the open tasks that are late and have to be looked at, the longest due first."""
    seen = and_(Look.county_id == Task.county_id, Look.kind == "instance", Look.subject == Task.instance_id, Look.what == Task.id)
    query = (
        select(Task.id)
        .outerjoin(Look, seen)
        .where(Task.county_id == county_id, Task.status.in_(OPEN), Task.due_at <= now, or_(Look.what.is_(None), Look.next_at <= now))
        .order_by(Task.due_at)
        .limit(limit)
    )
    return list(session.scalars(query))


@command("task:look")
def look_at_task(act: Act, task_id: str) -> dict:
    """Ask the regulations about a late task. Answers {looked}: false if it is done by now, or another worker was quicker."""
    run, task = lock_task(act, task_id)
    look = act.session.get(Look, (task.county_id, "instance", task.instance_id, task.id))
    if task.status not in OPEN or task.due_at is None or task.due_at > act.now or (look and look.next_at > act.now):
        return {"looked": False}
    run.restore()
    _look(run, task, look)
    return {"looked": True}


def look_before(run: Run, interrupting: Element) -> None:
    """An interrupting timer takes a task away at the moment it is late (首次响应): who looks later would never see it. So the late tasks of
    the case that nobody has looked at are looked at first, in the same transaction. A table that cannot answer holds no timer up."""
    if not interrupting.interrupting:
        return
    act = run.act
    seen = select(Look.what).where(Look.county_id == act.actor.county_id, Look.kind == "instance", Look.subject == run.instance.id)
    query = select(Task).where(Task.instance_id == run.instance.id, Task.status.in_(OPEN), Task.due_at <= act.now, Task.id.not_in(seen))
    for task in act.session.scalars(query.order_by(Task.due_at)):
        try:
            _look(run, task, None)
        except DecisionFailed:
            log.exception("the regulations cannot judge the late task %s", task.id)


def _look(run: Run, task: Task, look: Look | None) -> None:
    act = run.act
    hours = Decimal(int((act.now - task.due_at).total_seconds())) / 3600
    facts = task_facts(run, task, {}) | {"record": {"kind": "task", "hours_late": hours}, "person": person_of(act, task.holder_id)}
    judged = judge(act, run.reference, ("clock",), facts, task_matter(run, task))
    if look is None:
        look = Look(county_id=task.county_id, kind="instance", subject=task.instance_id, what=task.id)
        act.session.add(look)
    look.looked_at, look.next_at = act.now, next_look(task.due_at, act.now)
    run.record(Kind.TASK_LATE, {"task": task.id, "element": task.element, "hours": int(hours)} | judged.plain, judged.sealed)


def next_look(due: datetime, now: datetime) -> datetime:
    """When a task that is still open is looked at again."""
    return next((due + after for after in AGAIN if due + after > now), now + AGAIN[-1])
