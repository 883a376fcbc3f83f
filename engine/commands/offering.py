"""Tasks that are offered to one after the other: the property `offer="first"` has the system give a task to the best ranked; whoever gives
it back passes it to the next. When nobody is left, it is offered to all, like any other."""

from typing import TYPE_CHECKING

from engine import checking, organisation
from engine.assignment import FIRST
from engine.audit import Kind
from engine.instances import OFFERED, Task

if TYPE_CHECKING:
    from engine.commands.running import Run

TOLD = 3  # how many of the ranking the event names


def is_first(run: "Run", task: Task) -> bool:
    """Whether a task is offered to one after the other."""
    return run.compiled.process.elements[task.element].properties.get("offer") == FIRST


def give_to_first(run: "Run", task: Task) -> None:
    """Give an offered task to the best who is there, has not given it back, and whom no regulation keeps from it."""
    from engine.commands.assigning import ask, give  # they are made of runs themselves
    from engine.commands.candidates import ranked

    if task.status != OFFERED or not is_first(run, task) or checking.is_handed_out(run, task):
        return
    act = run.act
    gave_back = run.ledger.get("returned", {}).get(str(task.token), ())
    people = organisation.serving(act.session, act.system.vault, act.actor.county_id, task.place_path)
    found = ranked(run, task, [person for person in people if person.person_id not in gave_back])
    best = next((choice for choice in found if not choice.away and choice.verdicts == []), None)
    if best is None:
        return
    judged = ask(run, task, ("assign",), best.person, {})
    ranking = [{"person": each.person.person_id, "reasons": [code for code, _, _ in each.candidate.reasons]} for each in found[:TOLD]]
    blocked = {each.person.person_id: [verdict.rule for verdict in each.verdicts] for each in found if each.blocked}
    why = {"why": [zh for _, zh, _ in best.candidate.reasons], "why_en": [en for _, _, en in best.candidate.reasons]}
    give(run, task, best.person, Kind.TASK_ASSIGNED, {"to": best.person.person_id, **why, "ranking": ranking, "blocked": blocked}, judged)


def pass_on(run: "Run", task: Task, who: str) -> None:
    """Somebody gave a task back: remember it, and give it to the next."""
    if not is_first(run, task):
        return
    if run.case is None:
        run.restore()
    gave_back = run.ledger.setdefault("returned", {}).setdefault(str(task.token), [])
    if who not in gave_back:
        gave_back.append(who)
    run.keep_state()
    give_to_first(run, task)
