"""Asking for a rerun, calling it off, and the worker's batches."""

import logging
from datetime import date, datetime, time, timedelta

from sqlalchemy import func, select

from engine import definitions
from engine.audit import Kind
from engine.commands import Act, command
from engine.db import new_id
from engine.definitions import Version
from engine.exceptions import DatabaseUnavailable, EngineError, InvalidRequest, NotFound, RerunEnded
from engine.organisation import Actor
from engine.reruns import Outcome, Rerun, RerunRequest
from engine.reruns.requests import CANCELLED, DONE, FAILED, RUNNING, in_force, oldest_running, resumed, tables_of
from engine.system import System

log = logging.getLogger(__name__)
MOST_RUNNING = 10  # of a county; they take turns


@command("rerun:start", "rerun:start")
def start(act: Act, key: str, number: int, since: str | None = None, until: str | None = None, decision: str | None = None) -> dict:
    """Have past decisions made again by a table of a version; `decision` names it where there are several.

    `since` and `until` are days (ISO 8601), both included. Who asks what is being worked out already is told of that. Answers
    {id, status}. Raises NotFound, InvalidRequest.
    """
    _definition, version = definitions.version(act.session, act.actor.county_id, key, number)
    chosen = _decision(act, version, decision)
    first, end = _span(act, since, until)
    running = select(RerunRequest).where(RerunRequest.county_id == act.actor.county_id, RerunRequest.status == RUNNING)
    same = running.where(RerunRequest.version_id == version.id, RerunRequest.decision == chosen)
    for known in act.session.scalars(same):
        if known.since == first and (known.until == end or until is None):
            return {"id": known.id, "status": known.status}
    if act.session.scalar(select(func.count()).select_from(running.subquery())) >= MOST_RUNNING:
        raise InvalidRequest(field="rerun", reason="同时进行的重算太多，请等其中一次结束，或取消一次")
    against = in_force(act.session, version)
    request = RerunRequest(
        id=new_id(),
        county_id=act.actor.county_id,
        version_id=version.id,
        against_id=against.id if against else None,
        decision=chosen,
        since=first,
        until=end,
        status=RUNNING,
        outcome=Outcome().as_dict(),
        requested_by=act.actor.person_id,
        requested_at=act.now,
    )
    act.session.add(request)
    act.record(request.stream, Kind.RERUN_STARTED, facts={"key": key, "number": number, "decision": chosen, "rerun": request.id})
    return {"id": request.id, "status": RUNNING}


@command("rerun:cancel", "rerun:start")
def cancel(act: Act, rerun_id: str) -> dict:
    """Call a rerun off; what it found so far stays. Answers {id, status}. Raises NotFound, RerunEnded."""
    request = act.session.get(RerunRequest, rerun_id, with_for_update=True)
    if request is None or request.county_id != act.actor.county_id:
        raise NotFound(what="重算", key=rerun_id)
    if request.status != RUNNING:
        raise RerunEnded(status=request.status)
    _end(act, request, CANCELLED)
    return {"id": request.id, "status": request.status}


@command("rerun:keep")
def keep(act: Act, rerun_id: str, place: list, outcome: dict | None, more: bool, error: str | None = None) -> dict:
    """Keep what a batch that began at `place` found. Answers {kept}: false if it was called off or another worker was quicker."""
    request = act.session.get(RerunRequest, rerun_id, with_for_update=True)
    if request is None or request.status != RUNNING or request.outcome["place"] != place:
        return {"kept": False}
    if outcome is not None:
        request.outcome = outcome
    request.error = error
    if not more:
        _end(act, request, FAILED if error else DONE)
    return {"kept": True}


def advance(system: System, now: datetime) -> bool:
    """Make one batch of the rerun whose turn it is. Answers whether there was anything to do.

    The batch is made outside the transaction that keeps it, so that nobody waits for it; of two workers that make the same, one is kept.
    """
    actor = Actor.system(system.county_id)
    with system.database.read() as session:
        request = oldest_running(session, system.county_id)
        if request is None:
            system.compiled.pop("rerun", None)
            return False
        rerun_id, place = request.id, request.outcome["place"]
        try:
            rerun = _resumed(system, session, request)
            more = rerun.step(session)
        except DatabaseUnavailable:
            raise
        except Exception as failure:  # a version that cannot be read must not keep the worker from the others
            log.exception("rerun %s failed", rerun_id)
            system.compiled.pop("rerun", None)
            error = failure.code if isinstance(failure, EngineError) else type(failure).__name__
            keep(system, actor, rerun_id, place, None, False, error[:60], now=now)
            return True
    keep(system, actor, rerun_id, place, rerun.outcome.as_dict(), more, now=now)
    return True


def _resumed(system: System, session, request: RerunRequest) -> Rerun:
    """The rerun of the batch before, compiled already, if it stands where the row stands; else one made anew from the row."""
    known_id, rerun = system.compiled.get("rerun", (None, None))
    if known_id != request.id or list(rerun.outcome.place) != request.outcome["place"]:
        rerun = resumed(system, session, request)
        system.compiled["rerun"] = request.id, rerun
    return rerun


def _end(act: Act, request: RerunRequest, status: str) -> None:
    request.status, request.ended_at, request.ended_by = status, act.now, act.actor.person_id
    kind = Kind.RERUN_CANCELLED if status == CANCELLED else Kind.RERUN_ENDED
    told = {name: request.outcome[name] for name in ("decisions", "changed", "erased", "failed", "unknowable")}
    act.record(request.stream, kind, facts={"rerun": request.id, "status": status} | told)


def _decision(act: Act, version: Version, decision: str | None) -> str:
    tables = tables_of(act.session, version)
    if decision is None and len(tables) == 1:
        return next(iter(tables))
    if decision is None:
        raise InvalidRequest(field="decision", reason="这一版没有唯一的决策表，请选定一张")
    if decision not in tables:
        raise NotFound(what="决策", key=decision)
    return decision


def _span(act: Act, since: str | None, until: str | None) -> tuple[datetime | None, datetime]:
    """The moments between which decisions are made again; nothing that happens from now on is among them."""
    first, last = _day("since", since), _day("until", until)
    if first and last and first > last:
        raise InvalidRequest(field="until", reason="不能早于开始的日期")
    zone = act.system.zone
    begin = datetime.combine(first, time(), zone) if first else None
    if begin and begin > act.now:
        raise InvalidRequest(field="since", reason="不能晚于今天")
    end = datetime.combine(last + timedelta(days=1), time(), zone) if last else act.now
    return begin, min(end, act.now)


def _day(field: str, text: str | None) -> date | None:
    if not text:
        return None
    try:
        found = date.fromisoformat(text)
    except ValueError:
        found = None
    if found is None or not 2000 <= found.year <= 2200:
        raise InvalidRequest(field=field, reason="应写作 2026-03-01 这样的日期")
    return found
