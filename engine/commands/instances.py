"""Starting, cancelling and repairing cases."""

import secrets

from engine import audit, clients, definitions, instances, organisation as org
from engine.audit import Kind
from engine.commands import Act, command
from engine.commands.running import Run, lock_instance, require_open
from engine.commands.tasks import complete_wait
from engine.db import new_id
from engine.exceptions import Forbidden, InvalidRequest, NoIncident, NotFound
from engine.instances import ACTIVE, INCIDENT, Instance
from engine.reference import in_force
from engine.workflow import Case

NUMBER_LETTERS = "23456789ABCDEFGHJKLMNPQRSTUVWXYZ"  # no 0/O, 1/I: numbers are read out on the telephone


@command("instance:start", "instance:start")
def start(act: Act, definition: str, data: dict | None = None, place: str | None = None, client_id: str | None = None) -> dict:
    """Start a case at a place. Empty `data` opens the first form; otherwise `data` answers it at once, checked as if typed.

    Answers {id, number, status, tasks}. Raises NotFound, NotPublished, Forbidden, InvalidForm, RegulationRefused.
    """
    return _answer(begin(act, definition, data or {}, place, client_id))


def begin(act: Act, definition: str, data: dict, place: str | None, client_id: str | None, start_event: str | None = None) -> Run:
    """What `start` and a timer start share."""
    compiled = definitions.published(act.system, act.session, definition)
    today = act.now.astimezone(act.system.zone).date()
    unit = org.unit_by_key(act.session, act.actor.county_id, place or act.actor.unit_key, on=today)
    if not org.covers(act.actor.unit_path, unit.path):
        raise Forbidden(permission="instance:start", unit=unit.name)
    variables = {"placeName": unit.name} | (_known(act, client_id) if client_id else {})
    instance_id = new_id()
    key = act.system.vault.new_key(act.session, act.actor.county_id, f"instance/{instance_id}", act.now)
    audit.open_stream(act.unit, instances.stream_of(instance_id), act.actor.county_id)
    instance = Instance.row(
        id=instance_id,
        county_id=act.actor.county_id,
        number=f"{act.now.astimezone(act.system.zone):%Y%m%d}-{''.join(secrets.choice(NUMBER_LETTERS) for _ in range(6))}",
        definition_key=compiled.key,
        version_id=compiled.version_id,
        version_number=compiled.number,
        client_id=client_id,
        unit_id=unit.id,
        place_path=unit.path,
        station_id=unit.station_id,
        status=ACTIVE,
        started_by=act.actor.person_id,
        started_at=act.now,
        ended_at=None,
        key_id=key.id,
        sealed_state=b"",
    )
    run = Run(act, instance, key, compiled, in_force(act.system, act.session))
    run.record(
        Kind.INSTANCE_STARTED,
        {"definition": compiled.key, "version": compiled.number, "place": unit.path, "client": client_id, "start": start_event},
    )
    run.case = Case.start(compiled.process, variables, run.environment, start_event)
    run.save()
    if data:
        _answer_first_form(run, data)
    return run


@command("instance:cancel", "instance:cancel")
def cancel(act: Act, instance_id: str, reason: str) -> dict:
    """End a case early, for a reason that stays in its history. Raises NotFound, InstanceClosed, Forbidden, InvalidRequest."""
    if not reason or not reason.strip():
        raise InvalidRequest(field="reason", reason="请写明原因")
    run = _managed(act, instance_id, "instance:cancel")
    require_open(run)
    run.record(Kind.INSTANCE_CANCELLED, {}, {"reason": reason.strip()})
    run.case.cancel(run.environment, reason.strip())
    run.save()
    return _answer(run)


@command("instance:retry", "incident:retry")
def retry(act: Act, instance_id: str) -> dict:
    """Try again every step of a case that failed. Raises NotFound, NoIncident, Forbidden."""
    run = _managed(act, instance_id, "incident:retry")
    if run.instance.status != INCIDENT:
        raise NoIncident()
    failed = [incident.token for incident in run.case.incidents()]
    run.record(Kind.INSTANCE_RETRIED, {"tokens": failed})
    for token in failed:
        if any(incident.token == token for incident in run.case.incidents()):
            run.case.retry(token, run.environment)
    run.save()
    return _answer(run)


def _managed(act: Act, instance_id: str, permission: str) -> Run:
    """A case that the actor's unit covers; somebody else's is not found."""
    run = lock_instance(act, instance_id)
    if not instances.sees_place(act.actor) or not org.covers(act.actor.unit_path, run.instance.place_path):
        raise NotFound(what="个案", key=instance_id)
    return run.restore()


def _answer_first_form(run: Run, data: dict) -> None:
    if len(run.new_tasks) != 1:
        raise InvalidRequest(field="data", reason="这个流程的第一步不是一张表单,请以空的 data 开始")
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
