"""Delegated tasks and their way back: the case's ledger remembers who delegated a task to whom, until it is given back or closed."""

from typing import TYPE_CHECKING

from engine.audit import Kind
from engine.commands.assigning import ask, give, require_offered
from engine.exceptions import NotFound, NotOffered, RegulationRefused
from engine.instances import Task
from engine.organisation import actor_of

if TYPE_CHECKING:
    from engine.commands.running import Run

LEDGER = "delegated"  # token of the task → [person id of who delegated, person id of who got it]


def note(run: "Run", task: Task) -> None:
    """The actor has delegated a task to its holder. Who keeps it for themselves has delegated nothing."""
    known = run.ledger.setdefault(LEDGER, {})
    if task.holder_id == run.act.actor.person_id:
        known.pop(str(task.token), None)
    else:
        known[str(task.token)] = [run.act.actor.person_id, task.holder_id]
    run.keep_state()


def delegator(ledger: dict, task: Task) -> str | None:
    """The person id of who delegated a task to its holder. A task that others hold by now (handed over, dispatched) is no longer theirs."""
    by, to = ledger.get(LEDGER, {}).get(str(task.token), (None, None))
    return by if to is not None and to == task.holder_id else None


def end(run: "Run", task: Task) -> str | None:
    """As `delegator`; whoever it was, the delegation is over."""
    by = delegator(run.ledger, task)
    if run.ledger.get(LEDGER, {}).pop(str(task.token), None) is not None:
        run.keep_state()
    return by


def give_back(run: "Run", task: Task, delegator_id: str, reason: str) -> bool:
    """Whether the one who delegated a task has it again: not if they have left, may not have it, or a regulation is against it."""
    act = run.act
    try:
        receiver = actor_of(act.session, act.system.vault, delegator_id, act.actor.county_id, active=True)
        require_offered(run, task, receiver)
        judged = ask(run, task, ("assign",), receiver, {})
    except (NotFound, NotOffered, RegulationRefused):
        return False
    give(run, task, receiver, Kind.TASK_RETURNED, {"from": task.holder_id, "to": delegator_id}, judged, {"reason": reason})
    return True
