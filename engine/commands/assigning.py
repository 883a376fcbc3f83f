"""Giving a task to somebody: whether they may have it, what the regulations say of it, and having it.

Claiming, delegating, dispatching, handing over and offering to the first all come through here, so that no way of getting a task is asked
less than another.
"""

from engine import assignment, checking, organisation
from engine.assignment import Offer
from engine.audit import Kind
from engine.commands import teams
from engine.commands.judging import Judgement, Matter, judge, person_facts, task_facts, task_matter
from engine.commands.running import Run, barred, words
from engine.exceptions import InvalidRequest, NotOffered, ReceiverUnfit
from engine.instances import CLAIMED, SENT, Task
from engine.organisation import Actor
from engine.regulations import Verdict


def offer_now(run: Run, task: Task, to: Actor, dispatched: bool = False) -> Offer:
    """Whom a task is offered to at this moment (engine.checking.offer_for). `dispatched`: as if `to` were sent to this task from elsewhere."""
    if run.case is None:
        run.restore()
    return checking.offer_for(run, task, to, run.act.actor, dispatched)


def why_not(run: Run, task: Task, to: Actor, dispatched: bool = False) -> str | None:
    """Why somebody may not have a task, in Chinese, or None if they may."""
    offer = offer_now(run, task, to, dispatched)
    why = assignment.refusal(to.groups, to.unit_path, offer, to.person_id, to.username)
    return why and assignment.REFUSALS[why][0].format(workforce="、".join(sorted(offer.workforce)))


def require_offered(run: Run, task: Task, to: Actor, refused: type[NotOffered] = NotOffered, dispatched: bool = False) -> None:
    """Raises `refused` unless somebody may have a task."""
    if why := why_not(run, task, to, dispatched):
        raise refused(reason=why)


def ask(run: Run, task: Task, points: tuple[str, ...], person: Actor, values: dict) -> Judgement:
    """Ask the regulations of somebody who is to have or complete a task; raise RegulationRefused when one blocks."""
    return judge(run.act, run.reference, points, *_question(run, task, person, values))


def objections(run: Run, task: Task, person: Actor) -> list[Verdict]:
    """What would keep somebody from being given a task, if it were done now. Nothing is recorded."""
    act = run.act
    return checking.ask(act.system, lambda: act.session, act.now, run.reference, ("assign",), *_question(run, task, person, {})).blocking


def _question(run: Run, task: Task, person: Actor, values: dict) -> tuple[dict, Matter]:
    """Facts and matter of a check about a task."""
    if run.case is None:
        run.restore()
    return task_facts(run, task, values) | {"person": person_facts(person)}, task_matter(run, task, person)


def give(run: Run, task: Task, to: Actor, kind: Kind, facts: dict, judged: Judgement, sealed: dict | None = None, sent: bool = False) -> None:
    """Somebody who may has the task from now on, whoever held it before; an event of this kind says so. `sent`: from elsewhere."""
    mark_sent(task, to.username if sent else None)
    task.status, task.holder_id, task.claimed_at = CLAIMED, to.person_id, run.act.now
    run.act.unit.write(task)
    run.record(kind, {"task": task.id, "element": task.element} | facts | judged.plain, (sealed or {}) | judged.sealed)
    teams.join(run, to.person_id, words(_element(run, task).properties.get("tags")))


def send(run: Run, task: Task, to: Actor, kind: Kind, facts: dict, sealed: dict | None = None) -> None:
    """Give a task on behalf of whoever oversees its place and the receiver's: somebody from elsewhere is sent to it, for this task only.

    Raises ReceiverUnfit, RegulationRefused.
    """
    sent = not organisation.covers(to.unit_path, task.place_path)
    require_offered(run, task, to, ReceiverUnfit, dispatched=sent)
    judged = ask(run, task, ("assign",), to, {})
    facts = {"from": task.holder_id, "to": to.person_id} | ({"dispatched": True} if sent else {}) | facts
    give(run, task, to, kind, facts, judged, sealed, sent)


def mark_sent(task: Task, username: str | None) -> None:
    """Note in the task who was sent to it from elsewhere; None ends whatever was noted. Raises InvalidRequest where no room is left."""
    if not username and SENT not in task.users:
        return
    named = [name for name in task.users.split("|") if name and not name.startswith(SENT)]
    marked = barred([*named, f"{SENT}{username}"] if username else named)
    if len(marked) > Task.__table__.c.users.type.length:
        raise InvalidRequest(field="to", reason="这项任务点名的人已经太多，不能再从外站派人")
    task.users = marked


def _element(run: Run, task: Task):
    return run.compiled.process.elements[task.element]
