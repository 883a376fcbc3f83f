"""Cases taken up for writing: locked by their streams, so that of two who want to move one on, the second waits and sees what the first did."""

from sqlalchemy import bindparam, literal, select

from engine import audit, definitions, instances, reference
from engine.audit import Stream
from engine.commands import Act
from engine.commands.running import Run
from engine.db import Fetch
from engine.exceptions import InstanceClosed, NotFound
from engine.instances import ACTIVE, INCIDENT, Instance, Task
from engine.vault import SubjectKey


def lock_instance(act: Act, instance_id: str) -> Run:
    """Lock a case by its stream and take it up. Raises NotFound."""
    _lock(act, _LOCK_INSTANCE, instance=instance_id)
    row = _OF_INSTANCE(act.unit.connection, instance=instance_id, county=act.actor.county_id)
    if row is None:
        raise NotFound(what="个案", key=instance_id)
    return take_up(act, *row)


def lock_stream(act: Act, instance_id: str) -> str:
    """Lock a case by its stream without taking it up, since it may be broken; answers the stream."""
    _lock(act, _LOCK_INSTANCE, instance=instance_id)
    return instances.stream_of(instance_id)


def lock_task(act: Act, task_id: str) -> tuple[Run, Task]:
    """Lock the case of a task; the case is not restored yet. Raises NotFound."""
    _lock(act, _LOCK_TASK, task=task_id)
    row = _OF_TASK(act.unit.connection, task=task_id, county=act.actor.county_id)
    if row is None:
        raise NotFound(what="任务", key=task_id)
    return take_up(act, *row[1:]), row[0]


_LOCK_INSTANCE = select(Stream.id).where(Stream.id == literal("instance/") + bindparam("instance")).with_for_update()
_LOCK_TASK = (
    select(Stream.id)
    .where(Stream.id == select(literal("instance/") + Task.instance_id).where(Task.id == bindparam("task")).scalar_subquery())
    .with_for_update()
)
_CASE = (SubjectKey.id == Instance.key_id, Stream.id == literal("instance/") + Instance.id)
_OF_INSTANCE = Fetch(
    Instance,
    SubjectKey,
    Stream,
    where=[Instance.id == bindparam("instance"), Instance.county_id == bindparam("county"), *_CASE],
)
_OF_TASK = Fetch(
    Task,
    Instance,
    SubjectKey,
    Stream,
    where=[Task.id == bindparam("task"), Task.county_id == bindparam("county"), Instance.id == Task.instance_id, *_CASE],
)


def require_open(run: Run) -> None:
    """Raises InstanceClosed when the case has ended."""
    if run.instance.status not in (ACTIVE, INCIDENT):
        raise InstanceClosed(status=run.instance.status)


def _lock(act: Act, statement, **parameters) -> None:
    """On PostgreSQL the rows are read in a second statement: what waited for the lock would still see the old versions of the rows
    it did not lock. SQLite's BEGIN IMMEDIATE has locked everything already."""
    if act.system.database.dialect != "sqlite":
        act.unit.connection.execute(statement, parameters)


def take_up(act: Act, instance: Instance, key: SubjectKey, head: Stream) -> Run:
    """Take up a case whose rows were read under its lock; it is not restored yet."""
    audit.adopt(act.unit, head)
    # Both are nearly always known already; only if not is the session worth its making.
    compiled = definitions.known(act.system, instance.version_id) or definitions.compiled(act.system, act.session, instance.version_id)
    current = reference.known(act.system, act.unit.connection) or reference.in_force(act.system, act.session)
    return Run(act, instance, key, compiled, current)
