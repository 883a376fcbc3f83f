"""What people do with tasks: claim, release, delegate, complete. Each checks right, place, offer and regulations before it acts."""

from engine import assignment, organisation
from engine.audit import Kind
from engine.commands import Act, command, delegation, offering, registers
from engine.commands.assigning import ask, give, mark_sent, require_offered, send
from engine.commands.locking import lock_task, require_open
from engine.commands.organisation import today
from engine.commands.running import Run, words
from engine.exceptions import (
    InvalidRequest,
    NotFound,
    NotOffered,
    ReceiverUnfit,
    StaleVersion,
    TaskClosed,
    TaskNotYours,
    TaskTaken,
)
from engine.facts.sources import VISITS
from engine.instances import CLAIMED, OFFERED, Task, in_reach
from engine.organisation import Actor, actor_of
from engine.parties import of_others
from engine.permissions import may, require

LONGEST_REASON = 500


@command("task:claim", "task:claim")
def claim(act: Act, task_id: str) -> dict:
    """Take an offered task; one of two wins. Raises NotFound, TaskTaken, TaskClosed, Forbidden, RegulationRefused."""
    run, task = take_up(act, task_id)
    if task.status == CLAIMED and task.holder_id == act.actor.person_id:
        return _answer(run, task)
    _claim(run, task)
    return _answer(run, task)


@command("task:release", "task:release")
def release(act: Act, task_id: str, reason: str = "") -> dict:
    """Give a claimed task back, saying why. Its holder may, and who dispatches at its place.

    What was delegated goes back to whoever delegated it, if its holder gives it back and the other may have it still; anything else is
    offered as before, and a task that is offered to one after the other goes to the next. Raises NotFound, TaskNotYours, TaskTaken,
    TaskClosed; InvalidRequest where a delegated task is given back without a reason.
    """
    reason = reasoned(reason, needed=False)
    run, task = take_up(act, task_id)
    if task.status != CLAIMED:
        raise TaskNotYours()
    if task.holder_id != act.actor.person_id and not may(act.actor, "task:delegate"):
        raise TaskTaken(holder=_name(act, task.holder_id))
    if run.case is None:
        run.restore()
    holder = task.holder_id
    delegator_id = delegation.end(run, task) if holder == act.actor.person_id else None
    if delegator_id is not None and delegation.give_back(run, task, delegator_id, reasoned(reason)):
        return _answer(run, task)
    task.status, task.holder_id, task.claimed_at = OFFERED, None, None
    mark_sent(task, None)
    act.unit.write(task)
    facts = {"task": task.id, "element": task.element, "holder": holder} | ({"delegator": delegator_id} if delegator_id else {})
    run.record(Kind.TASK_RELEASED, facts, {"reason": reason} if reason else None)
    offering.pass_on(run, task, holder)
    return _answer(run, task)


@command("task:delegate", "task:delegate")
def delegate(act: Act, task_id: str, to: str) -> dict:
    """Hand a task to the person with username `to`, who must be one it may be offered to. Raises as claim does."""
    run, task = take_up(act, task_id)
    if task.status == CLAIMED and task.holder_id != act.actor.person_id and not organisation.covers(
        act.actor.unit_path, task.place_path
    ):
        raise TaskTaken(holder=_name(act, task.holder_id))
    receiver = actor_of(act.session, act.system.vault, to, act.actor.county_id, active=True)
    require_offered(run, task, receiver, ReceiverUnfit)
    judged = ask(run, task, ("assign",), receiver, {})
    give(run, task, receiver, Kind.TASK_DELEGATED, {"from": task.holder_id, "to": receiver.person_id}, judged)
    delegation.note(run, task)
    return _answer(run, task)


@command("task:dispatch", "task:dispatch")
def dispatch(act: Act, task_id: str, to: str, reason: str, revision: int | None = None) -> dict:
    """Send the person with username `to` to a task, for a reason; from another station too, where the actor oversees both.

    They may read the case while they hold the task, and give it back. `revision`: of the task as the actor saw it; where it has changed
    hands since, they are told who has it instead of taking it away unseen. Raises NotFound, Forbidden, InvalidRequest, TaskClosed,
    TaskTaken, StaleVersion, ReceiverUnfit, RegulationRefused.
    """
    reason = reasoned(reason)
    run, task = take_up(act, task_id)
    if revision is not None and revision != task.revision:
        raise TaskTaken(holder=_name(act, task.holder_id)) if task.status == CLAIMED else StaleVersion()
    receiver = actor_of(act.session, act.system.vault, to, act.actor.county_id, active=True)
    for place in (task.place_path, receiver.unit_path):
        require(act.actor, "task:dispatch", place)
    send(run, task, receiver, Kind.TASK_DISPATCHED, {}, {"reason": reason})
    return _answer(run, task)


@command("task:complete", "task:complete")
def complete(act: Act, task_id: str, data: dict) -> dict:
    """Finish a task with its form's answers and move the case on to its next waits.

    Answers {id, status, instance: {id, status}, tasks: the new ones}. Raises NotFound, TaskNotYours, TaskTaken, TaskClosed, InvalidForm,
    RegulationRefused.
    """
    run, task = take_up(act, task_id)
    complete_wait(run, task, data)
    return _answer(run, task) | {
        "instance": {"id": run.instance.id, "status": run.instance.status},
        "tasks": [{"id": new.id, "element": new.element, "status": new.status} for new in run.new_tasks if new is not task],
    }


def complete_wait(run: Run, task: Task, data: dict, claim: bool = False) -> None:
    """Complete a task of a locked case; with `claim`, take it first (answering the first form while starting)."""
    act = run.act
    if claim:
        _claim(run, task)
    elif task.holder_id != act.actor.person_id:
        raise TaskTaken(holder=_name(act, task.holder_id)) if task.holder_id else TaskNotYours()
    if run.case is None:
        run.restore()
    element = run.compiled.process.elements[task.element]
    if act.actor.person_id in run.excluded(task.element):
        raise NotOffered(reason=assignment.REFUSALS["excluded"][0])
    values = _read_form(run, task, data)
    judged = ask(run, task, ("complete",) if run.ledger["completed"] else ("start", "complete"), act.actor, values)
    _note(run, element, act.actor)
    _note_visit(run, element, task)
    task.status, task.ended_at = "completed", act.now
    act.unit.write(task)
    facts = {"task": task.id, "element": task.element, "token": task.token, "version": run.compiled.number}
    run.record(Kind.TASK_COMPLETED, facts | judged.plain, judged.sealed)
    run.case.complete(task.token, values, run.environment)
    run.save(done=task.token)


def take_up(act: Act, task_id: str) -> tuple[Run, Task]:
    """Lock a task that the actor may know of; anybody else's is not found."""
    run, task = lock_task(act, task_id)
    if not in_reach(act.actor, task):
        raise NotFound(what="任务", key=task_id)
    if task.status not in (OFFERED, CLAIMED):
        raise TaskClosed(status=task.status)
    require_open(run)
    return run, task


def reasoned(reason: str, needed: bool = True) -> str:
    """A reason as it is kept. Raises InvalidRequest if it is missing where one is needed, or too long."""
    reason = (reason or "").strip()
    if needed and not reason:
        raise InvalidRequest(field="reason", reason="请写明原因")
    if len(reason) > LONGEST_REASON:
        raise InvalidRequest(field="reason", reason=f"原因不超过 {LONGEST_REASON} 个字")
    return reason


def _claim(run: Run, task: Task) -> None:
    act = run.act
    if task.status == CLAIMED:
        raise TaskTaken(holder=_name(act, task.holder_id))
    require_offered(run, task, act.actor)
    give(run, task, act.actor, Kind.TASK_CLAIMED, {}, ask(run, task, ("assign",), act.actor, {}))


def _read_form(run: Run, task: Task, data: dict) -> dict:
    element = run.compiled.process.elements[task.element]
    form = run.compiled.forms.get(element.form_id)
    if form is None:
        if data:
            raise InvalidRequest(field="data", reason="这项任务没有表单，data 应为空")
        return {}
    known = run.case.visible(task.token)
    for name in of_others(form, known):
        del known[name]
    return run.about_parties(form, form.read(data, known, clock=run.environment.now), known)


def _note(run: Run, element, actor: Actor) -> None:
    """Remember in the ledger who did what, so that later checks need not read the case's whole history."""
    ledger = run.ledger
    ledger["completed"] += 1
    stage, tags = element.properties.get("stage"), words(element.properties.get("tags"))
    if stage and "reminder" not in tags and stage not in ledger["stages"]:
        ledger["stages"].append(stage)
    if "approval" in tags:  # who approves is no author of what is approved
        tags = ["approval"]
    for tag in tags:
        authors = ledger["authors"].setdefault(tag, [])
        if actor.person_id not in authors:
            authors.append(actor.person_id)


def _note_visit(run: Run, element, task: Task) -> None:
    """Whoever completes a task done outside has visited the client, today as far as the engine can tell."""
    if run.instance.client_id is not None and not VISITS.isdisjoint(words(element.properties.get("tags"))):
        registers.note_visit(run.act, run.instance.client_id, today(run.act), run.act.actor.person_id, "home", run.instance.id, task.id)


def _name(act: Act, person_id: str | None) -> str:
    found = organisation.names_of(act.session, act.system.vault, [person_id]) if person_id else {}
    return found.get(person_id, "另一位同事")


def _answer(run: Run, task: Task) -> dict:
    return {"id": task.id, "status": task.status, "instance": {"id": run.instance.id, "status": run.instance.status}}
