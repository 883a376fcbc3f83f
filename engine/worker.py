"""The worker: does what is due, one transaction each, and sleeps between. Any number may run; each timer and delivery is done once."""

import logging
import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from sqlalchemy import delete
from sqlalchemy.exc import DBAPIError

from engine.commands import StoredAnswer
from engine.commands.absences import sweep as keep_absences
from engine.commands.calendars import finish_recount
from engine.commands.clock import look, sweep
from engine.commands.deliveries import carry_out
from engine.commands.handing import sweep as carry_handovers_on
from engine.commands.reruns import advance
from engine.commands.timers import fire_due
from engine.exceptions import EngineError
from engine.system import System

log = logging.getLogger(__name__)
PAUSE = 1.0  # seconds between looks when nothing is due
BATCH = 100
KEEP_ANSWERS = timedelta(days=7)


def run(system: System, stop: threading.Event, clock: Callable[[], datetime] = lambda: datetime.now(UTC)) -> None:
    """Work until `stop` is set. A database that is away, full or busy for a while is waited for."""
    swept = minute = None
    while not stop.is_set():
        try:
            now = clock()
            fired = max(fire_due(system, now, BATCH), look(system, now, BATCH), carry_out(system, now, BATCH))
            more = advance(system, now)
            if minute != (minute := now.replace(second=0, microsecond=0)):
                sweep(system, now, BATCH)
                keep_absences(system, now, BATCH)
                carry_handovers_on(system, now, BATCH)
            if swept != now.date():
                finish_recount(system, now)
                forget_answers(system, now)
                swept = now.date()
        except (EngineError, DBAPIError):
            log.exception("the database did not do what was asked; trying again")
            fired, more = 0, False
        if fired < BATCH and not more:
            stop.wait(PAUSE)


def forget_answers(system: System, now: datetime) -> None:
    """Forget answers to idempotency keys that nobody will ask for again."""
    with system.database.unit(now) as unit:
        unit.session.execute(delete(StoredAnswer).where(StoredAnswer.created_at < now - KEEP_ANSWERS))
        unit.commit()
