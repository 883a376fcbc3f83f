"""What a case has to do with the world outside: calls of other procedures, what it throws, what it waits for, jobs for programs.

Everything for another case is posted as a delivery; only called cases begin at once, for nobody else can know them yet.
"""

from typing import TYPE_CHECKING

from engine import calls, definitions, deliveries, messages
from engine.commands import correlation
from engine.commands.posting import packed, post
from engine.exceptions import NotFound, NotPublished
from engine.instances import CANCELLED
from engine.jobs import Job
from engine.messages import Subscription
from engine.workflow import Outgoing, Trigger

if TYPE_CHECKING:
    from engine.commands.running import Run

MOST_AT_ONCE = 100  # kept messages that one command lets a case catch; the rest in a transaction of their own


def settle(run: "Run") -> None:
    """Let the case have the kept messages it now waits for, post what it asked for, begin what it calls. Its steps are not written yet."""
    wanted: dict[int, Outgoing] = {}
    looked, caught = set(run.subscriptions), 0
    while True:
        for wish in run.case.drain_outgoing():
            if wish.kind == "call":
                wanted[wish.token] = wish
            elif wish.kind != "call_cancelled" or wanted.pop(wish.token, None) is None:
                _WISHES[wish.kind](run, wish)
        fresh = [s for s in run.case.subscriptions() if s.id not in looked and s.trigger is Trigger.MESSAGE]
        if fresh:
            looked.add(fresh[0].id)
            caught += catch_kept(run, fresh[0], MOST_AT_ONCE - caught)
        elif not _refuse_one(run, wanted):
            break
    for token, wish in wanted.items():
        run.called[token] = run.begin_called(definitions.published(run.act.system, run.act.session, wish.name), wish, run.depth() + 1)


def catch_kept(run: "Run", wait, most: int) -> int:
    """Let a wait for a message have what is kept for it, the oldest first; how many it caught. If somebody publishes under its key just
    now, or `most` were caught, a delivery looks again."""
    act, definition = run.act, run.instance.definition_key
    hashed = hash_of(run, wait)
    has_key = correlation.lock_key(act, hashed, wait=False)
    caught = 0
    while has_key and caught < most and any(open_wait.id == wait.id for open_wait in run.case.subscriptions()):
        message = correlation.next_message(act, hashed, definition)
        if message is None:
            return caught
        correlation.note(act, message, definition, run.instance.id)
        run.case.correlate(wait.id, correlation.brought_by(act, message), run.environment)
        caught += 1
    if not has_key or caught >= most:
        _post(run, deliveries.AWAITED, {"subscription": wait.id, "hash": hashed}, run.instance.id)
    return caught


def hash_of(run: "Run", wait) -> str:
    """What stands for the name and key of a wait."""
    return messages.key_hash(run.act.system.vault, run.instance.county_id, wait.trigger.value, wait.name, wait.key)


def _refuse_one(run: "Run", wanted: dict[int, Outgoing]) -> bool:
    """Make an incident of the first call that cannot be made. Whether there was one: it may move the case."""
    for position, (token, wish) in enumerate(wanted.items()):
        if trouble := _why_not(run, wish, position):
            del wanted[token]
            run.case.refuse_call(token, *trouble, run.environment)
            return True
    return False


def _why_not(run: "Run", wish: Outgoing, position: int) -> tuple[str, str] | None:
    """(code, message) of why a procedure cannot be called; `position`: how many calls of this case come before it."""
    if run.act.calls + position >= calls.MOST_AT_ONCE:
        return "call_too_many", f"一次最多调用 {calls.MOST_AT_ONCE} 个流程；重试会接着调用，也可以把多实例改成依次"
    if run.depth() >= calls.DEEPEST:
        return "call_too_deep", f"流程互相调用超过 {calls.DEEPEST} 层"
    if run.case.visits.get(run.element_of(wish.token), 0) > calls.MOST:
        return "runs_in_circle", f"这个环节调用流程超过 {calls.MOST} 次：流程在原地打转，中间没有任何等待"
    try:
        process = definitions.published(run.act.system, run.act.session, wish.name).process
    except (NotFound, NotPublished):
        return "call_unknown", f"没有已发布的流程“{wish.name}”"
    if not process.has_plain_start:
        return "call_no_start", f"流程“{wish.name}”没有普通的开始事件，不能被调用"
    return None


# --- what a case asks for -----------------------------------------------------------------------------------------------------


def _message(run: "Run", wish: Outgoing) -> None:
    lifetime = messages.LIFETIME if wish.lifetime is None else wish.lifetime
    payload = {"name": wish.name, "key": wish.key, "lifetime": lifetime.total_seconds(), "variables": packed(wish.variables)}
    _post(run, deliveries.MESSAGE, payload)


def _signal(run: "Run", wish: Outgoing) -> None:
    _post(run, deliveries.BROADCAST, {"name": wish.name, "variables": packed(wish.variables)})


def _call_cancelled(run: "Run", wish: Outgoing) -> None:
    """The called cases of this call need not go on; one begun by this very command is not in the tables yet."""
    if wish.token in run.called:
        _post(run, deliveries.CANCEL, {}, run.called[wish.token])
        return
    for _link, child in calls.called_by(run.act.session, run.instance.id, wish.token, open_only=True):
        _post(run, deliveries.CANCEL, {}, child.id)


def _error(run: "Run", wish: Outgoing) -> None:
    _tell_caller(run, deliveries.FAILED, {"code": wish.name, "variables": packed(wish.variables)})


def _escalation(run: "Run", wish: Outgoing) -> None:
    _tell_caller(run, deliveries.ESCALATED, {"code": wish.name, "variables": packed(wish.variables)})


_WISHES = {
    "message": _message,
    "signal": _signal,
    "call_cancelled": _call_cancelled,
    "error": _error,
    "escalation": _escalation,
}


# --- what is kept of it in tables ---------------------------------------------------------------------------------------------


def save(run: "Run") -> None:
    """Write the waits and jobs that opened or closed; tell who waits for the end of the case."""
    _save_subscriptions(run)
    _save_jobs(run)
    if not run.case.ended:
        return
    if run.case.called and run.case.ended != CANCELLED:
        _tell_caller(run, deliveries.FINISHED, {"variables": packed(run.case.variables())})
    if begun_by := run.ledger.get("begun_by"):
        _post(run, deliveries.FREED, {"definition": run.instance.definition_key, "hash": begun_by})


def _save_subscriptions(run: "Run") -> None:
    waits = {wait.id: wait for wait in run.case.subscriptions()}
    run.drop(Subscription.subscription, run.subscriptions - waits.keys())
    for number in sorted(waits.keys() - run.subscriptions):
        wait = waits[number]
        run.keep(
            Subscription.row(
                instance_id=run.instance.id,
                county_id=run.instance.county_id,
                subscription=number,
                token=wait.token,
                element=wait.element.id,
                trigger=wait.trigger.value,
                name=wait.name,
                key_hash=hash_of(run, wait),
                definition_key=run.instance.definition_key,
                opened_at=wait.since,
            )
        )
    run.subscriptions = set(waits)


def _save_jobs(run: "Run") -> None:
    jobs = {job.token: job for job in run.case.jobs()}
    run.drop(Job.token, run.jobs - jobs.keys())
    for token in sorted(jobs.keys() - run.jobs):
        job = jobs[token]
        run.keep(
            Job.row(
                instance_id=run.instance.id,
                county_id=run.instance.county_id,
                token=token,
                element=job.element.id,
                type=job.type,
                retries=job.retries,
                next_at=run.act.now,
                lease_until=None,
                worker=None,
                leased_by=None,
                attempts=0,
                sealed_error=None,
                created_at=run.act.now,
            )
        )
    run.jobs = set(jobs)


def _tell_caller(run: "Run", kind: str, payload: dict) -> None:
    link = run.caller()
    if link is not None:
        _post(run, kind, {"token": link.parent_token} | payload, link.parent_id)


def _post(run: "Run", kind: str, payload: dict, target: str | None = None) -> None:
    post(run.act, kind, payload, run.instance.place_path, run.instance.id, target)
