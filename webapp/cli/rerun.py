"""`shuibo rerun`: what a changed table would have said of past decisions. Reads only; JSON on standard output with --json, else a table."""

import json
from datetime import datetime, time, timedelta
from pathlib import Path

import click

from engine import definitions
from engine.decisions import Decision, compile_decisions
from engine.decisions.difference import Difference, difference
from engine.exceptions import DeployRefused, NotFound
from engine.regulations import compile_regulation
from engine.reruns import CheckRerun, EvaluationRerun, Rerun
from engine.system import System
from webapp.cli.shared import now, open_system, progress, say

DAY = click.DateTime(["%Y-%m-%d"])


@click.command()
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--decision", help="表的编号，文件里有几张表时 · id of the table, where there are several")
@click.option("--since", type=DAY, help="从这一天起 · from this day on")
@click.option("--until", type=DAY, help="到这一天为止（含）· until the end of this day")
@click.option("--json", "as_json", is_flag=True, help="结果用 JSON · the result as JSON")
def rerun(file: Path, decision: str | None, since: datetime | None, until: datetime | None, as_json: bool):
    """这次改动会带来什么：用改过的表把以往的决定重算一遍 · what would this change have done?

    FILE 是改过的制度，或流程的决策表。与现行的表相比：哪些规则多说或少说了几次，哪些个案的结论会变，表格逐格的差别。不改动任何数据。
    """
    system = open_system()
    when = {
        "since": since and datetime.combine(since.date(), time(), system.zone),
        "until": datetime.combine(until.date() + timedelta(days=1), time(), system.zone) if until else now(),
    }
    again, change = _prepared(system, file.read_bytes(), file.name, decision, when)
    more = True
    while more:
        with system.database.read() as session:
            more = again.step(session)
        if again.outcome.total:
            progress("重算 · deciding again", again.outcome.seen, again.outcome.total)
    if as_json:
        told = again.outcome.as_dict() | {"rules": again.outcome.rules(), "difference": change.as_dict()}
        click.echo(json.dumps({name: value for name, value in told.items() if name not in ("before", "after", "place")}, ensure_ascii=False, indent=2))
    else:
        _tell(again, change)


def _prepared(system: System, content: bytes, name: str, decision: str | None, when: dict) -> tuple[Rerun, Difference]:
    """The rerun, and what the change is. Raises DeployRefused, NotFound."""
    try:
        regulation = compile_regulation(content, name)
    except DeployRefused:
        found = compile_decisions(content, name).find(decision)  # it is no regulation; if it is no table at all, this says why
        if _is_regulation(system, found.id):
            raise
        if not found.hit_policy:
            raise NotFound(what="决策表", key=decision or found.id) from None
        with system.database.read() as session:
            current = _of_procedures(system, session, found.id)
        return EvaluationRerun(system, content, found, **when), difference(current, found)
    with system.database.read() as session:
        in_force = {each.key: each for each in definitions.regulations_in_force(session, system.county_id)}
    current = in_force.get(regulation.key)
    return CheckRerun(system, regulation, current, **when), difference(current and current.decision, regulation.decision)


def _is_regulation(system: System, key: str) -> bool:
    with system.database.read() as session:
        try:
            return definitions.find(session, system.county_id, key).kind == "regulation"
        except NotFound:
            return False


def _of_procedures(system: System, session, ident: str) -> Decision | None:
    """The table of this id that published procedures ask."""
    for definition, _versions in definitions.versions(session, system.county_id, "procedure"):
        if definition.published_version_id:
            found = definitions.compiled(system, session, definition.published_version_id).decisions.get(ident)
            if found is not None:
                return found
    return None


def _tell(again: Rerun, change: Difference) -> None:
    outcome, counts = again.outcome, change.counts
    click.echo(
        f"表格 · table: +{counts['added']} 行 -{counts['removed']} 行，改 {counts['changed']} 行 {counts['cells']} 格，移 {counts['moved']} 行"
        " · rows added, removed, changed (cells), moved"
    )
    for row in change.rows:
        for column, cell in zip(change.columns, row.cells, strict=True):
            if row.state == "changed" and cell.state != "same":
                click.echo(f"  {row.id} · {column.label.after or column.label.before or column.key}: {cell.before or '∅'} → {cell.after or '∅'}")
        if row.state in ("added", "removed"):
            click.echo(f"  {'+' if row.state == 'added' else '-'} {row.id}")
    click.echo(f"\n重算的决定 · decisions made again: {outcome.decisions}，结论改变 · changed: {outcome.changed}")
    for line in outcome.rules():
        if line["before"] != line["after"]:
            click.echo(f"  {line['rule']} {line['effect']}: {line['before']} → {line['after']}")
    more = "+" if outcome.more_cases else ""
    click.echo(f"涉及的个案 · cases: {len(outcome.cases)}{more}")
    for case in sorted(outcome.cases)[:50]:
        click.echo(f"  {case}")
    for count, text in ((outcome.erased, "已按规定清除，无从重算 · erased"), (outcome.failed, "表格没有得出结果 · a table failed")):
        if count:
            click.echo(f"{text}: {count}")
    if outcome.unknowable:
        click.echo(f"要问的当时没有留存 · asks what was not kept: {outcome.unknowable}")
    for row, names in sorted(outcome.unknown.items()):
        say(f"  {row} 要问而当时没有留存的 · asks what nobody kept: {', '.join(sorted(names))}")


COMMANDS = [rerun]
