"""Deploying, publishing and withdrawing versions; setting parameters."""

from collections.abc import Iterable
from dataclasses import replace

from sqlalchemy import select

from engine import definitions, instances, organisation, parameters, reference
from engine.audit import Kind
from engine.bundle import read_bundle
from engine.commands import Act, calling, command
from engine.commands.messages import subscribe_starts
from engine.commands.timers import schedule_starts
from engine.db import new_id
from engine.definitions import DRAFT, PUBLISHED, WITHDRAWN, Definition, Resource, Version
from engine.exceptions import BasedOnOlder, DeployRefused, InvalidRequest, NotFound, VersionClosed
from engine.findings import errors
from engine.guards import guarded
from engine.organisation import unit_by_key
from engine.parameters import Parameter
from engine.workflow import Process


@command("definition:deploy", "definition:deploy")
def deploy(act: Act, files: dict[str, bytes], based_on: int | None = None) -> dict:
    """Store a new draft version of what the files hold; of a diagram with several procedures, one of each, sharing the files.

    `based_on`: the number of the published version that was changed into these files, 0 for none; without it the one in force now.
    Answers {key, number, id, kind, name} of the first, the same of all as `definitions`, `warnings` (findings as dicts) and `guards`: for each
    task of a procedure the rules in force that could speak about it (engine.guards). Raises DeployRefused with every finding;
    InvalidRequest where there is no version `based_on`.
    """
    bundle = read_bundle(files)
    warnings = [*calling.check(act, bundle.processes), *(replace(finding, severity="warning") for finding in bundle.remarks)]
    named = {process.id: process.name or process.id for process in bundle.processes} or {bundle.key: bundle.name}
    made = [_new_version(act, bundle.kind, key, name, files, based_on) for key, name in named.items()]
    remarks = {"warnings": [finding.as_dict() for finding in warnings], "guards": _guards(act, bundle.processes)}
    return made[0] | {"definitions": made} | remarks


def _guards(act: Act, processes: Iterable[Process]) -> list[dict]:
    tables = reference.in_force(act.system, act.session).tables
    return [task.as_dict() for process in processes for task in guarded(process, tables)]


def _new_version(act: Act, kind: str, key: str, name: str, files: dict[str, bytes], based_on: int | None) -> dict:
    definition = _definition(act, kind, key, name)
    if based_on is None:
        based_on = _number_in_force(act, definition)
    elif not 0 <= based_on <= definition.latest:
        raise InvalidRequest(field="based_on", reason="没有这个编号的版本")
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
    act.record(stream, Kind.DEFINITION_DEPLOYED, facts={"key": key, "number": version.number, "files": sorted(files), "based_on": based_on})
    return {"key": key, "number": version.number, "id": version.id, "kind": kind, "name": definition.name}


@command("definition:publish", "definition:publish")
def publish(act: Act, key: str, number: int, based_on: int | None = None) -> dict:
    """Make a draft the version that new cases use; a regulation binds every open case from now on.

    A regulation's draft that was made from another version than the one in force would undo what somebody else published meanwhile. It is
    refused unless `based_on` names the version in force: so it is known, and to be replaced.
    Answers {key, number, id, status, guards}, the last as `deploy` does, by the rules of this moment. Raises VersionClosed, NotFound,
    BasedOnOlder; DeployRefused where a procedure calls in a ring with what was published since, where a regulation stops everybody or an
    example of it fails.
    """
    definition, version = _version(act, key, number)
    if version.status != DRAFT:
        raise VersionClosed(definition=key, number=number, status=version.status)
    if version.kind == "regulation":
        _check_base(act, definition, version, based_on)
        faults = errors(read_bundle(definitions.resources(act.session, version.id)).remarks)
        if faults:
            raise DeployRefused(faults)
    version.status = PUBLISHED
    version.published_by = act.actor.person_id
    version.published_at = act.now
    definition.published_version_id = version.id
    act.record(version.__stream__(), Kind.DEFINITION_PUBLISHED, facts={"key": key, "number": number})
    guards: list[dict] = []
    if version.kind == "procedure":
        process = definitions.compiled(act.system, act.session, version.id).process
        calling.check(act, (process,))
        schedule_starts(act, definition, version)
        subscribe_starts(act, definition, process)
        guards = _guards(act, (process,))
    return {"key": key, "number": number, "id": version.id, "status": PUBLISHED, "guards": guards}


@command("definition:withdraw", "definition:publish")
def withdraw(act: Act, key: str, number: int) -> dict:
    """Let no new case use a version; running cases keep it. A withdrawn regulation guards nothing from now on, open cases included: how many
    those are is answered and recorded as `open_cases`. Raises VersionClosed, NotFound.
    """
    definition, version = _version(act, key, number)
    if version.status != PUBLISHED:
        raise VersionClosed(definition=key, number=number, status=version.status)
    version.status = WITHDRAWN
    if definition.published_version_id == version.id:
        definition.published_version_id = None
        schedule_starts(act, definition, None)
        subscribe_starts(act, definition, None)
    affected = instances.count_open(act.session, act.actor.county_id, None if version.kind == "regulation" else version.id)
    act.record(version.__stream__(), Kind.DEFINITION_WITHDRAWN, facts={"key": key, "number": number, "open_cases": affected})
    return {"key": key, "number": number, "id": version.id, "status": WITHDRAWN, "open_cases": affected}


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


def _number_in_force(act: Act, definition: Definition) -> int:
    """The number of the published version; 0 for none."""
    return act.session.get(Version, definition.published_version_id).number if definition.published_version_id else 0


def _check_base(act: Act, definition: Definition, version: Version, confirmed: int | None) -> None:
    """Raises BasedOnOlder. Drafts of former releases do not tell what they were made from, and are taken as they are."""
    current = _number_in_force(act, definition)
    known = confirmed if confirmed is not None else definitions.based_on(act.session, version)
    if known is None or known == current or not current:
        return
    theirs = act.session.get(Version, definition.published_version_id)
    names = organisation.names_of(act.session, act.system.vault, {theirs.published_by} - {None})
    at = theirs.published_at.astimezone(act.system.zone)
    raise BasedOnOlder(
        definition=definition.name,
        number=version.number,
        based_on=known,
        current=current,
        who=names.get(theirs.published_by, "系统"),
        at=f"{at:%Y-%m-%d %H:%M}",
    )


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
