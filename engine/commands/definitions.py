"""Deploying, publishing and withdrawing versions; setting parameters."""

from sqlalchemy import select

from engine import definitions, parameters
from engine.audit import Kind
from engine.bundle import read_bundle
from engine.commands import Act, calling, command
from engine.commands.messages import subscribe_starts
from engine.commands.timers import schedule_starts
from engine.db import new_id
from engine.definitions import DRAFT, PUBLISHED, WITHDRAWN, Definition, Resource, Version
from engine.exceptions import InvalidRequest, NotFound, VersionClosed
from engine.organisation import unit_by_key
from engine.parameters import Parameter


@command("definition:deploy", "definition:deploy")
def deploy(act: Act, files: dict[str, bytes]) -> dict:
    """Store a new draft version of what the files hold; of a diagram with several procedures, one of each, sharing the files.

    Answers {key, number, id, kind, name} of the first, the same of all as `definitions`, and `warnings` (findings as dicts).
    Raises DeployRefused with every finding.
    """
    bundle = read_bundle(files)
    warnings = calling.check(act, bundle.processes)
    named = {process.id: process.name or process.id for process in bundle.processes} or {bundle.key: bundle.name}
    made = [_new_version(act, bundle.kind, key, name, files) for key, name in named.items()]
    return made[0] | {"definitions": made, "warnings": [finding.as_dict() for finding in warnings]}


def _new_version(act: Act, kind: str, key: str, name: str, files: dict[str, bytes]) -> dict:
    definition = _definition(act, kind, key, name)
    definition.latest += 1
    definition.name = name[:200]
    version = Version(
        id=new_id(),
        county_id=act.actor.county_id,
        definition_id=definition.id,
        kind=kind,
        key=key,
        number=definition.latest,
        status=DRAFT,
        deployed_by=act.actor.person_id,
        deployed_at=act.now,
    )
    act.session.add(version)
    act.session.flush()
    for file, content in files.items():
        act.session.add(
            Resource(county_id=act.actor.county_id, version_id=version.id, name=file, kind=kind, key=key, content=content)
        )
    stream = definitions.stream_of(act.actor.county_id, kind, key)
    act.record(stream, Kind.DEFINITION_DEPLOYED, facts={"key": key, "number": version.number, "files": sorted(files)})
    return {"key": key, "number": version.number, "id": version.id, "kind": kind, "name": definition.name}


@command("definition:publish", "definition:publish")
def publish(act: Act, key: str, number: int) -> dict:
    """Make a draft the version that new cases use; a regulation binds every open case from now on.

    Raises VersionClosed, NotFound; DeployRefused where it calls in a ring with what was published since.
    """
    definition, version = _version(act, key, number)
    if version.status != DRAFT:
        raise VersionClosed(definition=key, number=number, status=version.status)
    version.status = PUBLISHED
    version.published_by = act.actor.person_id
    version.published_at = act.now
    definition.published_version_id = version.id
    act.record(version.__stream__(), Kind.DEFINITION_PUBLISHED, facts={"key": key, "number": number})
    if version.kind == "procedure":
        process = definitions.compiled(act.system, act.session, version.id).process
        calling.check(act, (process,))
        schedule_starts(act, definition, version)
        subscribe_starts(act, definition, process)
    return {"key": key, "number": number, "id": version.id, "status": PUBLISHED}


@command("definition:withdraw", "definition:publish")
def withdraw(act: Act, key: str, number: int) -> dict:
    """Let no new case use a version; running cases keep it. Raises VersionClosed, NotFound."""
    definition, version = _version(act, key, number)
    if version.status != PUBLISHED:
        raise VersionClosed(definition=key, number=number, status=version.status)
    version.status = WITHDRAWN
    if definition.published_version_id == version.id:
        definition.published_version_id = None
        schedule_starts(act, definition, None)
        subscribe_starts(act, definition, None)
    act.record(version.__stream__(), Kind.DEFINITION_WITHDRAWN, facts={"key": key, "number": number})
    return {"key": key, "number": number, "id": version.id, "status": WITHDRAWN}


@command("parameter:set", "parameter:write")
def set_parameter(act: Act, name: str, value, unit_key: str | None = None, valid_from=None, about: dict | None = None) -> dict:
    """Give a parameter a new value from `valid_from` (now) on, for the county or one station. Raises InvalidRequest, NotFound."""
    if not isinstance(value, int | float | str | bool):
        raise InvalidRequest(field=name, reason="参数只能是数字、文字或是否")
    unit_row = unit_by_key(act.session, act.actor.county_id, unit_key) if unit_key else None
    known = parameters.history(act.session, act.actor.county_id, name)
    if not known and about is None:
        raise NotFound(what="参数", key=name)
    if known and isinstance(value, str) != isinstance(known[0].value, str):
        raise InvalidRequest(field=name, reason="类型与原来的值不同")
    if fault := parameters.fault_of(value, about or known[0].about):
        raise InvalidRequest(field=name, reason=fault)
    row = Parameter(
        id=new_id(),
        county_id=act.actor.county_id,
        unit_id=unit_row.id if unit_row else None,
        key=name,
        value=value,
        about=about or known[0].about,
        valid_from=valid_from or act.now,
        set_by=act.actor.person_id,
        set_at=act.now,
    )
    act.session.add(row)
    act.record(row.__stream__(), Kind.PARAMETER_SET, facts={"key": name, "value": value, "unit": unit_key})
    return {"key": name, "value": value}


def _definition(act: Act, kind: str, key: str, name: str) -> Definition:
    query = select(Definition).where(Definition.county_id == act.actor.county_id, Definition.key == key).with_for_update()
    definition = act.session.scalar(query)
    if definition is not None and definition.kind != kind:
        raise InvalidRequest(field="key", reason=f"编号“{key}”已用于另一类定义")
    if definition is None:
        definition = Definition(
            id=new_id(),
            county_id=act.actor.county_id,
            kind=kind,
            key=key,
            name=name[:200],
            latest=0,
            published_version_id=None,
        )
        act.session.add(definition)
        act.session.flush()
    return definition


def _version(act: Act, key: str, number: int) -> tuple[Definition, Version]:
    row = act.session.execute(
        select(Definition, Version)
        .join(Version, Version.definition_id == Definition.id)
        .where(Definition.county_id == act.actor.county_id, Definition.key == key, Version.number == number)
        .with_for_update()
    ).one_or_none()
    if row is None:
        raise NotFound(what="流程版本", key=f"{key} / {number}")
    return row[0], row[1]
