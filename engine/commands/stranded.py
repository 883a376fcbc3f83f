"""Tasks that nobody could take: whom the diagram names is unknown, has left, or may not.

They are offered to whom the lane is for, else to the lead and the supervisor, who may do them or hand them to whoever they choose; the
history says so. An incident would stop the case for an operator; whom to ask instead is the lead's to know.
"""

from typing import TYPE_CHECKING

from sqlalchemy import select

from engine.assignment import may_take
from engine.audit import Kind
from engine.bundle import GROUPS
from engine.checking import STAND_INS
from engine.commands import Act
from engine.exceptions import NotFound
from engine.instances import OFFERED, Task, offer_of
from engine.organisation import actor_of

if TYPE_CHECKING:
    from engine.commands.running import Run



def settle(run: "Run", task: Task) -> None:
    """Offer an open task anew if nobody it is offered to could take it."""
    offer = offer_of(task)
    if offer.groups & GROUPS or (offer.workforce and not offer.groups and not offer.users):
        return
    if any(_may(run, username, task) for username in sorted(offer.users)):
        return
    task.users, task.groups = "", "" if offer.workforce else STAND_INS
    offered = sorted(offer.workforce) or ["lead", "supervisor"]
    run.record(Kind.TASK_REOFFERED, {"task": task.id, "element": task.element, "groups": offered})


def _may(run: "Run", username: str, task: Task) -> bool:
    act = run.act
    try:
        actor = actor_of(act.session, act.system.vault, username, act.actor.county_id, active=True)
    except NotFound:
        return False
    return may_take(actor.groups, actor.unit_path, offer_of(task), actor.person_id, actor.username)


def left_by(act: Act, username: str) -> None:
    """Somebody cannot sign in any more, or works elsewhere: settle the open tasks that only they could have taken."""
    from engine.commands.locking import lock_task  # which settles what it opens

    act.session.flush()
    named = select(Task.id).where(
        Task.county_id == act.actor.county_id, Task.status == OFFERED, Task.users.contains(f"|{username}|", autoescape=True)
    )
    for task_id in list(act.session.scalars(named.order_by(Task.instance_id, Task.id))):
        run, task = lock_task(act, task_id)
        if task.status == OFFERED:
            settle(run, task)
            act.unit.write(task)
