"""Reporting something to a case that waits for it at any time: a message event whose property `button` says what the button is called.

Whoever works at a task of the case may, and the staff of its place; a message by name and key needs more (`message:publish`).
"""

from engine.audit import Kind
from engine.commands import Act, command
from engine.commands.instances import managed
from engine.commands.locking import require_open
from engine.commands.running import Run
from engine.commands.tasks import take_up
from engine.exceptions import InvalidRequest
from engine.workflow import Subscription, Trigger


@command("instance:report", "instance:start")
def report(act: Act, instance_id: str, element: str) -> dict:
    """Let the case's message event `element` happen. Answers {id, status, tasks: the new ones}. Raises NotFound, InstanceClosed, InvalidRequest."""
    run = managed(act, instance_id, "instance:start")
    require_open(run)
    return _happen(run, element)


@command("task:report", "task:complete")
def report_at_task(act: Act, task_id: str, element: str) -> dict:
    """As `report`, by whoever may take or holds an open task of the case."""
    run, _task = take_up(act, task_id)
    return _happen(run.restore() if run.case is None else run, element)


def buttons(subscriptions: list[Subscription]) -> list[Subscription]:
    """Those of a case's waits that people may answer by a button, one for each element."""
    found = {each.element.id: each for each in subscriptions if each.trigger is Trigger.MESSAGE and each.element.properties.get("button")}
    return list(found.values())


def _happen(run: Run, element: str) -> dict:
    waiting = next((each for each in buttons(run.case.subscriptions()) if each.element.id == element), None)
    if waiting is None:
        raise InvalidRequest(field="element", reason="个案现在不等这样的报告")
    run.record(Kind.MESSAGE_CORRELATED, {"element": element, "subscription": waiting.id})
    run.case.correlate(waiting.id, {}, run.environment)
    run.save()
    tasks = [{"id": task.id, "element": task.element, "status": task.status} for task in run.new_tasks]
    return {"id": run.instance.id, "status": run.instance.status, "tasks": tasks}
