"""Looking at a paper of a case, and printing it: each leaves a line in the access stream of whoever does."""

from engine import audit, documents
from engine.audit import Kind
from engine.commands import Act, command


@command("document:view", "task:read")
def view(act: Act, task_id: str) -> dict:
    """Note that the actor opens the paper of a task. Answers {instance, task}. Raises NotFound, Forbidden."""
    return _note(act, task_id, Kind.DOCUMENT_VIEWED)


@command("document:print", "task:read")
def print_out(act: Act, task_id: str) -> dict:
    """Note that the actor prints it. Answers and raises as `view`."""
    return _note(act, task_id, Kind.DOCUMENT_PRINTED)


def _note(act: Act, task_id: str, kind: Kind) -> dict:
    task, instance = documents.readable_task(act.session, act.actor, task_id)
    told = {"instance": instance.id, "task": task.id}
    act.record(audit.stream("access", act.actor.person_id), kind, facts=told | {"element": task.element})
    return told
