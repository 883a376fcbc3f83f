"""Filling an installation from a directory of procedures: `processes/*.bpmn`, `forms/*.form`, `decisions/*.dmn`, `regulations/*.dmn`,
`parameters.yaml`. What has not changed since the last time is left alone."""

from collections.abc import Callable, Iterator
from datetime import datetime, time
from pathlib import Path

import yaml
from sqlalchemy import func, select

from engine import definitions, parameters
from engine.bundle import read_bundle, read_form
from engine.commands.definitions import deploy, publish, set_parameter
from engine.decisions import compile_decisions
from engine.definitions import Version
from engine.exceptions import DeployRefused, NotFound
from engine.findings import Finding
from engine.organisation import Actor, Unit
from engine.system import System
from engine.workflow import compile_process

Progress = Callable[[str, int, int], None]


def deploy_directory(system: System, actor: Actor, directory: Path, now: datetime, progress: Progress = lambda *_: None) -> list[dict]:
    """Deploy and publish every procedure and regulation of a directory that differs from the published one.

    Answers a line for each: {key, number, kind, name, changed}. Raises DeployRefused, having deployed what came before.
    """
    bundles = list(bundles_of(Path(directory)))
    if not bundles:
        raise DeployRefused([Finding("empty", f"“{directory}”里没有流程或制度文件", f"No procedure or regulation in {directory}")])
    lines = []
    for number, (name, files) in enumerate(bundles):
        progress(name, number, len(bundles))
        lines.append(_deploy_one(system, actor, files, now))
    progress("", len(bundles), len(bundles))
    return lines


def load_parameters(system: System, actor: Actor, file: Path, now: datetime) -> int:
    """Set each parameter of a YAML list (key, default, label, unit, source …) that the county does not have yet; answers how many.

    They are in force from the county's first day, so that cases entered later with an earlier date find them.
    """
    with system.database.read() as session:
        known = {row.key for row in parameters.history(session, system.county_id)}
        first_day = session.scalar(select(func.min(Unit.valid_from)).where(Unit.county_id == system.county_id)) or now.date()
    since = min(now, datetime.combine(first_day, time(), system.zone))
    added = 0
    for entry in yaml.safe_load(file.read_text(encoding="utf-8")):
        about = dict(entry)
        key, value = about.pop("key"), about.pop("default")
        if key not in known:
            set_parameter(system, actor, key, value, valid_from=since, about=about, now=now)
            added += 1
    return added


def bundles_of(directory: Path) -> Iterator[tuple[str, dict[str, bytes]]]:
    """(name, files) of each bundle under a directory: regulations first, then each diagram with the forms and tables it names."""
    regulations = sorted(directory.glob("regulations/*.dmn"))
    for path in regulations:
        yield path.stem, {path.name: path.read_bytes()}
    forms, tables = {}, {}
    for path in sorted(directory.rglob("*.form")):
        content = path.read_bytes()
        forms[path.name] = (read_form(path.name, content).id, content)
    for path in sorted(set(directory.rglob("*.dmn")) - set(regulations)):
        content = path.read_bytes()
        tables[path.name] = (compile_decisions(content, path.name).decisions.keys(), content)
    for path in sorted(directory.rglob("*.bpmn")):
        content = path.read_bytes()
        process = compile_process(content)
        # Only what the diagram names: another procedure's form must not make a new version of this one.
        files = {name: form for name, (form_id, form) in forms.items() if form_id in process.form_ids}
        files |= {name: table for name, (ids, table) in tables.items() if ids & process.decision_ids}
        yield path.stem, {path.name: content} | files


def _deploy_one(system: System, actor: Actor, files: dict[str, bytes], now: datetime) -> dict:
    bundle = read_bundle(files)
    current = _published(system, bundle.key)
    if current is not None and current[1] == files:
        return {"key": bundle.key, "number": current[0].number, "kind": bundle.kind, "name": bundle.name, "changed": False}
    answer = deploy(system, actor, files, now=now)
    publish(system, actor, answer["key"], answer["number"], now=now)
    return answer | {"changed": True}


def _published(system: System, key: str) -> tuple[Version, dict[str, bytes]] | None:
    with system.database.read() as session:
        try:
            definition = definitions.find(session, system.county_id, key)
        except NotFound:
            return None
        version_id = definition.published_version_id
        return version_id and (session.get(Version, version_id), definitions.resources(session, version_id))
