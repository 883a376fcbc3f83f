"""Why can I not take this? Everything that stands between somebody and a task, found out without changing anything.

The same questions that claiming asks (engine.commands.tasks): is it open, is it offered to them, what do the regulations say. Unlike a
refusal, which names the first obstacle, an explanation names all, what would remove each, and who can waive it.
"""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.orm import Session

from engine import assignment, checking, organisation, reference, tasks, waivers
from engine.exceptions import Forbidden, NotFound
from engine.instances import CLAIMED, OFFERED
from engine.organisation import Actor, covers
from engine.permissions import PERMISSION_NAMES, may
from engine.regulations import Verdict
from engine.system import System
from engine.tasks import Detail
from engine.waivers import Waiver

# What stands in the way besides assignment.REFUSALS and the regulations.
OBSTACLES = {
    "closed": ("这项任务已经结束", "the task is closed"),
    "taken": ("已由{holder}领取", "{holder} has taken it"),
    "right": ("没有领取任务的权限", "no right to take tasks"),
}


@dataclass(frozen=True)
class Obstacle:
    """One reason that is no regulation's: `code` is a key of OBSTACLES or assignment.REFUSALS; `workforce`: of whom, where it is that."""

    code: str
    message: str
    message_en: str
    workforce: tuple[str, ...] = ()


@dataclass(frozen=True)
class Block:
    """A regulation that stops somebody. `name`: of its table; `deciders`: who can waive the rule here, none where nobody can; `waiver`: the
    latest that was asked for just this; `askable`: whether the reader may ask for one now, since the refusal has happened."""

    verdict: Verdict
    name: str
    deciders: list[Actor]
    waiver: Waiver | None
    askable: bool


@dataclass(frozen=True)
class Explanation:
    """All that keeps `person` from a task; nothing does if both lists are empty. `held`: they have it already."""

    detail: Detail
    person: Actor
    held: bool
    obstacles: list[Obstacle]
    blocks: list[Block]

    @property
    def possible(self) -> bool:
        """Whether they could take it now, or have it."""
        return self.held or not (self.obstacles or self.blocks)


def explain(system: System, session: Session, actor: Actor, task_id: str, now: datetime, person: str | None = None) -> Explanation:
    """What keeps the actor, or for who dispatches there the person with this username, from taking a task.

    Raises NotFound (a task they may not know of, a person of elsewhere), Forbidden (about somebody else, for who does not dispatch).
    """
    detail = tasks.detail(system, session, actor, task_id)
    somebody = _somebody(system, session, actor, detail, person)
    task, known = detail.task, reference.in_force(system, session)
    held = task.status == CLAIMED and task.holder_id == somebody.person_id
    obstacles = [] if held else _obstacles(system, session, actor, somebody, detail)
    verdicts = []
    if task.status in (OFFERED, CLAIMED) and not held:
        facts = checking.task_facts(detail, task, {}) | {"person": checking.person_facts(somebody)}
        matter = checking.task_matter(detail, task, somebody)
        verdicts = checking.ask(system, lambda: session, now, known, ("assign",), facts, matter).blocking
    names = {table.key: table.name for table in known.tables}
    blocks = [_block(system, session, actor, somebody, detail, each, names.get(each.table, each.table)) for each in verdicts]
    return Explanation(detail, somebody, held, obstacles, blocks)


def _somebody(system: System, session: Session, actor: Actor, detail: Detail, person: str | None) -> Actor:
    if person in (None, "", actor.username):
        return actor
    if not (may(actor, "task:delegate") and covers(actor.unit_path, detail.task.place_path)):
        raise Forbidden(permission=PERMISSION_NAMES["task:delegate"], unit=actor.unit_key)
    found = organisation.actor_of(session, system.vault, person, actor.county_id, active=True)
    if not covers(actor.unit_path, found.unit_path):
        raise NotFound(what="人员", key=person)
    return found


def _obstacles(system: System, session: Session, actor: Actor, somebody: Actor, detail: Detail) -> list[Obstacle]:
    task, found = detail.task, []
    if task.status not in (OFFERED, CLAIMED):
        return [Obstacle("closed", *OBSTACLES["closed"])]
    if task.status == CLAIMED:
        name = organisation.names_of(session, system.vault, [task.holder_id]).get(task.holder_id, "—")
        found.append(Obstacle("taken", *(text.format(holder=name) for text in OBSTACLES["taken"])))
    if not may(somebody, "task:claim"):
        found.append(Obstacle("right", *OBSTACLES["right"]))
    offer = checking.offer_for(detail, task, somebody, actor)
    why = assignment.refusal(somebody.groups, somebody.unit_path, offer, somebody.person_id, somebody.username)
    if why:
        kinds = tuple(sorted(offer.workforce)) if why == "workforce" else ()
        found.append(Obstacle(why, *assignment.REFUSALS[why], kinds))
    return found


def _block(system: System, session: Session, actor: Actor, somebody: Actor, detail: Detail, verdict: Verdict, name: str) -> Block:
    instance, task = detail.instance, detail.task
    if verdict.effect != "waiver" or verdict.waivable_by not in waivers.DECIDERS:
        return Block(verdict, name, [], None, False)
    able = waivers.deciders(session, system.vault, instance.county_id, verdict.waivable_by, instance.place_path, {somebody.person_id})
    known = [each for each in waivers.of_case(session, instance.id, somebody.person_id) if each.rule == verdict.rule]
    latest = next((each for each in known if each.task_id in (None, task.id)), None)
    refused = waivers.stopped(session, system.vault, actor, somebody, instance.id, verdict.rule, task.id) is not None
    asked = latest is not None and latest.status == waivers.ASKED
    return Block(verdict, name, able, latest, refused and not asked and may(actor, "waiver:ask"))
