"""Starting, cancelling and repairing cases."""

from dataclasses import dataclass

from sqlalchemy import select

from engine import clients, definitions, instances
from engine.audit import Kind
from engine.commands import Act, command
from engine.commands.locking import lock_instance, require_open
from engine.commands.running import Run, open_case
from engine.commands.tasks import complete_wait
from engine.exceptions import CalledByCase, Forbidden, InvalidRequest, NoIncident, NotFound, StartedByEvent
from engine.instances import ACTIVE, INCIDENT, Instance
from engine.organisation import Unit, covers, unit_by_key
from engine.permissions import PERMISSION_NAMES
from engine.workflow import Case


@command("instance:start", "instance:start")
def start(act: Act, definition: str, data: dict | None = None, place: str | None = None, client_id: str | None = None) -> dict:
    """Start a case at a place. Empty `data` opens the first form; otherwise `data` answers it at once, checked as if typed.

    Answers {id, number, status, tasks}. Raises NotFound, NotPublished, StartedByEvent, Forbidden, InvalidForm, RegulationRefused.
    """
    return _answer(begin(act, definition, data or {}, place, client_id))


def begin(act: Act, definition: str, data: dict, place: str | None, client_id: str | None, start_event: str | None = None) -> Run:
    """What `start` and a timer start share."""
    compiled = definitions.published(act.system, act.session, definition)
    if start_event is None and not compiled.process.has_plain_start:  # what the event would have brought is missing (as in Zeebe)
        raise StartedByEvent(definition=definition)
    unit = unit_today(act, place or act.actor.unit_key)
    if not covers(act.actor.unit_path, unit.path):
        raise Forbidden(permission=PERMISSION_NAMES["instance:start"], unit=unit.name)
    variables = {"placeName": unit.name} | (_known(act, client_id) if client_id else {})
    run = open_case(act, compiled, Place.of(unit), client_id, {"start": start_event})
    run.case = Case.start(compiled.process, variables, run.environment, start_event)
    run.save()
    if data:
        _answer_first_form(run, data)
    return run


@dataclass(frozen=True)
class Place:
    """Where a case is: the fields of its row."""

    unit_id: str
    place_path: str
    station_id: str | None

    @classmethod
    def of(cls, unit: Unit) -> "Place":
        """The place that a unit is."""
        return cls(unit.id, unit.path, unit.station_id)


def unit_today(act: Act, unit_key: str) -> Unit:
    """The unit with a key, as it is today. Raises NotFound, UnitClosed."""
    return unit_by_key(act.session, act.actor.county_id, unit_key, on=act.now.astimezone(act.system.zone).date())


@command("instance:cancel", "instance:cancel")
def cancel(act: Act, instance_id: str, reason: str) -> dict:
    """End a case early, for a reason that stays in its history; cases that it called end with it.

    Raises NotFound, InstanceClosed, CalledByCase, Forbidden, InvalidRequest.
    """
    if not reason or not reason.strip():
        raise InvalidRequest(field="reason", reason="请写明原因")
    run = managed(act, instance_id, "instance:cancel")
    require_open(run)
    link = run.caller()
    if link is not None and _waits(act, link.parent_id):
        raise CalledByCase()
    run.record(Kind.INSTANCE_CANCELLED, {}, {"reason": reason.strip()})
    run.case.cancel(run.environment, reason.strip())
    run.save()
    return _answer(run)


@command("instance:retry", "incident:retry")
def retry(act: Act, instance_id: str) -> dict:
    """Try again every step of a case that failed. Raises NotFound, NoIncident, Forbidden."""
    run = managed(act, instance_id, "incident:retry")
    if run.instance.status != INCIDENT:
        raise NoIncident()
    failed = [incident.token for incident in run.case.incidents()]
    run.record(Kind.INSTANCE_RETRIED, {"tokens": failed})
    for token in failed:
        if any(incident.token == token for incident in run.case.incidents()):
            run.case.retry(token, run.environment)
    run.save()
    return _answer(run)


def managed(act: Act, instance_id: str, permission: str) -> Run:
    """A case that the actor's unit covers; somebody else's is not found."""
    run = lock_instance(act, instance_id)
    if not instances.sees_place(act.actor) or not covers(act.actor.unit_path, run.instance.place_path):
        raise NotFound(what="个案", key=instance_id)
    return run.restore()


def _waits(act: Act, instance_id: str) -> bool:
    """Whether a case is still open."""
    return act.session.scalar(select(Instance.status).where(Instance.id == instance_id)) in (ACTIVE, INCIDENT)


def _answer_first_form(run: Run, data: dict) -> None:
    if len(run.new_tasks) != 1:
        raise InvalidRequest(field="data", reason="这个流程的第一步不是一张表单，请以空的 data 开始")
    complete_wait(run, run.new_tasks[0], data, claim=True)


def _known(act: Act, client_id: str) -> dict:
    """What is known of a client the actor may see, under the names that first forms ask for it."""
    record = clients.read(act.session, act.system.vault, act.actor, client_id)
    return {"clientName": record.name, "birthDate": record.birth_date, "categories": list(record.categories)}


def _answer(run: Run) -> dict:
    return {
        "id": run.instance.id,
        "number": run.instance.number,
        "status": run.instance.status,
        "tasks": [{"id": task.id, "element": task.element, "status": task.status} for task in run.new_tasks],
    }
