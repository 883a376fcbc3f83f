"""For authors and auditors: lint, FEEL, decisions, verification. JSON in, JSON out."""

import json
import sys
from decimal import Decimal
from pathlib import Path

import click

from engine import decisions, feel
from engine.bundle import examine_files
from engine.exceptions import EngineError
from engine.feel import FeelError
from engine.regulation_examples import SUFFIX as EXAMPLES
from webapp.cli.explained import told
from webapp.cli.shared import now, open_system, progress, say


@click.command()
@click.argument("files", nargs=-1, required=True, type=click.Path(exists=True, dir_okay=False, path_type=Path))
def lint(files: tuple[Path, ...]):
    """检查流程、决策表和表单 · a JSON list of findings; exit 1 if any is an error."""
    beside = [path.with_name(path.stem + EXAMPLES) for path in files if path.suffix == ".dmn"]  # a regulation is judged by its examples
    found = examine_files({str(path): path.read_bytes() for path in (*files, *(path for path in beside if path.is_file()))})
    click.echo(json.dumps([finding.as_dict() for finding in found], ensure_ascii=False, indent=2))
    sys.exit(any(finding.severity == "error" for finding in found))


@click.command("feel", context_settings={"ignore_unknown_options": True})  # an expression may begin with a minus
@click.argument("expression")
@click.option("--context", type=click.File("r", encoding="utf-8"), help="JSON 文件，- 为标准输入 · variables as JSON")
def feel_(expression: str, context):
    """计算一个 FEEL 表达式 · evaluate, the value as JSON."""
    variables = feel.from_plain(_plain(context))
    zone = open_zone()
    try:
        value = feel.compile(expression, names=variables).evaluate(variables, clock=now().astimezone(zone))
    except FeelError as error:
        _fail(
            {
                "code": type(error).__name__,
                "message": str(error),
                "line": getattr(error, "line", None),
                "column": getattr(error, "column", None),
            }
        )
    click.echo(json.dumps(feel.to_plain(value), ensure_ascii=False))


@click.command()
@click.argument("file", type=click.File("rb"))
@click.option("--decision", required=True, help="决策的编号或名称 · id or name")
@click.option("--input", "context", type=click.File("r", encoding="utf-8"), help="JSON 文件 · the inputs as JSON")
@click.option(
    "--explain", is_flag=True, help="说明每张表：输入、命中的行、其余各行为什么不命中 · which rows matched, why the others did not"
)
@click.option("--json", "as_json", is_flag=True, help="说明也用 JSON · the explanation as JSON")
def decide(file, decision: str, context, explain: bool, as_json: bool):
    """算一个决策或决策服务 · decide; the result as JSON.

    Inputs are converted to the types the file declares, dates from ISO text. Where the DMN specification's answer is null, the answer is
    null, and why is said on stderr, a JSON object a line; exit 1 and the reason as JSON on stderr only where the file itself is wrong.
    """
    try:
        result = decisions.decide(file.read(), decision, _plain(context), now().astimezone(open_zone()), explain=explain)
    except EngineError as error:
        _fail({"code": error.code, "message": error.message, "findings": [f.as_dict() for f in getattr(error, "findings", ())]})
    if explain and not as_json:
        click.echo("\n".join(told(result)))
        return
    if explain:
        click.echo(json.dumps(result, ensure_ascii=False, indent=2))
        return
    click.echo(json.dumps(result["result"], ensure_ascii=False))
    for note in result["notes"]:
        click.echo(json.dumps(note, ensure_ascii=False), err=True)


@click.group()
def audit():
    """历史的核验 · the event chain."""


@audit.command("verify")
def verify():
    """核验全部历史与当前数据；有问题时退出码为 1 并指出位置 · exit 1 and the place on a fault."""
    from engine.verification import verify as faults_of

    faults = 0
    system = open_system()
    with system.database.read() as session:
        for fault in faults_of(session, lambda done, total: progress("核验 · verifying", done, total), system.vault):
            click.echo(str(fault))
            faults += 1
    say(f"发现问题 · faults: {faults}" if faults else "没有发现问题 · clean")
    sys.exit(1 if faults else 0)


def open_zone():
    """The county's zone, for the clock of expressions."""
    from webapp.config import Settings

    return Settings.read().zone


def _plain(context) -> dict:
    if context is None:
        return {}
    try:
        plain = json.load(context, parse_float=Decimal)
    except ValueError as error:
        _fail({"code": "not_json", "message": str(error)})
    if not isinstance(plain, dict):
        _fail({"code": "not_json", "message": "应为一个 JSON 对象 · an object is expected"})
    return plain


def _fail(problem: dict):
    click.echo(json.dumps({name: value for name, value in problem.items() if value is not None}, ensure_ascii=False), err=True)
    sys.exit(1)


COMMANDS = [lint, feel_, decide, audit]
