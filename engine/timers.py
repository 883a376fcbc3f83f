"""Which timers are due, of running cases and of procedures that start on schedule."""

from datetime import datetime

from sqlalchemy import String, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from engine.db import Base, Instant, reference
from engine.definitions import stream_of
from engine.exceptions import InvalidRequest
from engine.feel import FeelError
from engine.instances import ACTIVE, INCIDENT, Instance, Task, Timer
from engine.workflow import Element, Environment
from engine.workflow.timing import Schedule, occurrence, passed, schedule
from engine.workflow.trouble import Trouble


class StartTimer(Base):
    """When a published procedure's timer start event starts its next case. `armed_at` and `started`, the number of occurrences that are past
    (also those missed, and those before it was armed), give the next."""

    __tablename__ = "start_timer"
    definition_id: Mapped[str] = mapped_column(reference("definition.id"), primary_key=True)
    element: Mapped[str] = mapped_column(String(100), primary_key=True)
    key: Mapped[str] = mapped_column(String(100))
    armed_at: Mapped[datetime] = mapped_column(Instant)
    next_at: Mapped[datetime] = mapped_column(Instant, index=True)
    started: Mapped[int]

    def __stream__(self) -> str:
        return stream_of(self.county_id, "procedure", self.key)


def due(session: Session, county_id: str, now: datetime, limit: int) -> list[tuple[str, int]]:
    """(instance id, timer number) of what is due, soonest first. Re-check under the lock: another worker may be quicker."""
    query = (
        select(Timer.instance_id, Timer.timer)
        .where(Timer.county_id == county_id, Timer.next_at <= now)
        .order_by(Timer.next_at, Timer.instance_id, Timer.timer)
        .limit(limit)
    )
    return [(row.instance_id, row.timer) for row in session.execute(query)]


def due_starts(session: Session, county_id: str, now: datetime, limit: int) -> list[tuple[str, str]]:
    """(definition id, element) of scheduled starts that are due."""
    query = (
        select(StartTimer.definition_id, StartTimer.element)
        .where(StartTimer.county_id == county_id, StartTimer.next_at <= now)
        .order_by(StartTimer.next_at)
        .limit(limit)
    )
    return [(row.definition_id, row.element) for row in session.execute(query)]


def first_start(element: Element, armed_at: datetime, env: Environment) -> tuple[datetime, int] | None:
    """(due, occurrences that are past) of a timer start event when it is armed; None where it has no timer.

    Raises InvalidRequest where the expression gives no time.
    """
    if element.timer is None:
        return None
    plan = _schedule(element, armed_at, env)
    return plan.due, plan.passed


def next_start(element: Element, armed_at: datetime, started: int, env: Environment, now: datetime) -> tuple[datetime | None, int]:
    """(due, occurrences that are past) after one more start at `now`, which makes up for all that were missed; due is None after the last.

    Raises InvalidRequest as `first_start`.
    """
    plan = _schedule(element, armed_at, env)
    if plan.interval is None:
        return None, 1
    past = passed(plan.interval, armed_at, plan.anchor, env.zone, now, started + 1)
    if plan.repeats is not None and past >= plan.repeats:
        return None, plan.repeats
    try:
        return occurrence(plan.interval, past, armed_at, plan.anchor, env.zone), past
    except OverflowError:  # beyond all calendars
        return None, past


def planned_start(element: Element, armed_at: datetime, started: int, env: Environment) -> datetime:
    """When the start after so many past occurrences should be. Raises InvalidRequest as `first_start`."""
    plan = _schedule(element, armed_at, env)
    return plan.due if plan.interval is None else occurrence(plan.interval, started, armed_at, plan.anchor, env.zone)


def _schedule(element: Element, armed_at: datetime, env: Environment) -> Schedule:
    try:
        value = element.timer.formula.evaluate({}, env, now=armed_at)
        return schedule(element.timer.kind, value, armed_at, env.zone)
    except (Trouble, FeelError) as error:
        raise InvalidRequest(field=element.id, reason=error.message) from error


def open_cases(session: Session, county_id: str, after: str = "", limit: int = 500) -> list[str]:
    """Ids of running cases that hold a deadline, in order: what a new calendar may move."""
    timed = select(Timer.instance_id).where(Timer.calendar_based)
    dated = select(Task.instance_id).where(Task.due_at.is_not(None), Task.status.in_(("offered", "claimed")))
    query = (
        select(Instance.id)
        .where(Instance.county_id == county_id, Instance.status.in_((ACTIVE, INCIDENT)), Instance.id > after)
        .where(Instance.id.in_(timed) | Instance.id.in_(dated))
        .order_by(Instance.id)
        .limit(limit)
    )
    return list(session.scalars(query))
