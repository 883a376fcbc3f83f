"""Filling an installation from a directory of procedures: `processes/*.bpmn`, `forms/*.form`, `decisions/*.dmn`, `regulations/*.dmn`
with `*.examples.yaml` beside them, `parameters.yaml`. What has not changed since the last time is left alone."""

from collections.abc import Callable, Iterator
from datetime import datetime, time
from pathlib import Path

import yaml
from sqlalchemy import func, select

from engine import definitions, parameters, searching
from engine.bundle import read_bundle, read_form
from engine.commands.definitions import deploy, publish, set_parameter
from engine.decisions import compile_decisions
from engine.definitions import Version
from engine.exceptions import DeployRefused, NotFound
from engine.findings import Finding
from engine.organisation import Actor, Unit
from engine.regulation_examples import SUFFIX as EXAMPLES
from engine.system import System
from engine.workflow import compile_processes

Progress = Callable[[str, int, int], None]


def reindex(system: System, now: datetime, progress: Progress = lambda *_: None) -> int:
    """Write everybody's search tokens anew; answers how many people."""
    with system.database.unit(now) as unit:
        done = searching.rewrite(unit.session, system.vault, progress)
        unit.commit()
    return done


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
        lines += _deploy_one(system, actor, files, now)
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
        examples = path.with_name(path.stem + EXAMPLES)
        yield path.stem, {each.name: each.read_bytes() for each in (path, examples) if each.exists()}
    forms, tables = {}, {}
    for path in sorted(directory.rglob("*.form")):
        content = path.read_bytes()
        forms[path.name] = (read_form(path.name, content).id, content)
    for path in sorted(set(directory.rglob("*.dmn")) - set(regulations)):
        content = path.read_bytes()
        tables[path.name] = (compile_decisions(content, path.name).decisions.keys(), content)
    for path in sorted(directory.rglob("*.bpmn")):
        content = path.read_bytes()
        processes = compile_processes(content)
        form_ids = {each for process in processes for each in process.form_ids}
        decision_ids = {each for process in processes for each in process.decision_ids}
        # Only what the diagram names: another procedure's form must not make a new version of this one.
        files = {name: form for name, (form_id, form) in forms.items() if form_id in form_ids}
        files |= {name: table for name, (ids, table) in tables.items() if ids & decision_ids}
        yield path.stem, {path.name: content} | files


def _deploy_one(system: System, actor: Actor, files: dict[str, bytes], now: datetime) -> list[dict]:
    bundle = read_bundle(files)
    names = {process.id: process.name or process.id for process in bundle.processes} or {bundle.key: bundle.name}
    current = {key: _published(system, key) for key in names}
    if all(found is not None and found[1] == files for found in current.values()):
        kind = {"kind": bundle.kind, "changed": False}
        return [{"key": key, "number": current[key][0].number, "name": name} | kind for key, name in names.items()]
    answer = deploy(system, actor, files, now=now)
    for each in answer["definitions"]:
        publish(system, actor, each["key"], each["number"], now=now)
    return [each | {"changed": True} for each in answer["definitions"]]


def _published(system: System, key: str) -> tuple[Version, dict[str, bytes]] | None:
    with system.database.read() as session:
        try:
            definition = definitions.find(session, system.county_id, key)
        except NotFound:
            return None
        version_id = definition.published_version_id
        return version_id and (session.get(Version, version_id), definitions.resources(session, version_id))
