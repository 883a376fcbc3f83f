"""Cases from the command line: what stands, and what an operator does about it. JSON lines on standard output.

Whoever has the server's shell acts as the system, or with `--as` as a person with that person's rights; the history names who it was.
"""

import json

import click
from sqlalchemy import select

from engine import instances, operations
from engine.commands import instances as commands, operations as by_hand
from engine.exceptions import NotFound
from engine.instances import Instance
from engine.organisation import Actor, actor_of
from engine.system import System
from webapp.cli.shared import now, open_system


@click.group()
@click.option("--as", "who", metavar="USERNAME", help="以谁的身份 · as whom (default: the system)")
@click.pass_context
def cases(context, who: str | None):
    """运行中的个案 · running cases."""
    context.obj = _Shell(open_system(), who)


class _Shell:
    """The installation and who acts in it, worked out when first needed."""

    def __init__(self, system: System, who: str | None):
        self.system, self.who = system, who

    def actor(self) -> Actor:
        if self.who is None:
            return Actor.system(self.system.county_id)
        with self.system.database.read() as session:
            return actor_of(session, self.system.vault, self.who, self.system.county_id, active=True)

    def case(self, named: str) -> str:
        """The id of a case that is called by its id or by its number. Raises NotFound."""
        with self.system.database.read() as session:
            query = select(Instance.id).where(Instance.county_id == self.system.county_id)
            found = session.scalar(query.where((Instance.id == named) | (Instance.number == named.upper())))
        if found is None:
            raise NotFound(what="个案", key=named)
        return found

    def run(self, command, named: str, *arguments) -> None:
        _tell(command(self.system, self.actor(), self.case(named), *arguments, now=now()))


@cases.command("list")
@click.option("--status", type=click.Choice(["active", "incident", "completed", "cancelled"]))
@click.option("--definition", help="流程编号 · key of the procedure")
@click.option("--limit", default=50, type=click.IntRange(1, 10_000))
@click.pass_obj
def list_(shell: _Shell, status: str | None, definition: str | None, limit: int):
    """最近的个案 · the latest cases."""
    with shell.system.database.read() as session:
        found, _next = instances.cases(session, shell.actor(), status=status, definition=definition, limit=limit)
    for case in found:
        _tell(_line(case))


@cases.command()
@click.option("--limit", default=50, type=click.IntRange(1, 10_000))
@click.pass_obj
def incidents(shell: _Shell, limit: int):
    """停在故障上的个案和原因 · cases that stand on an incident, and why."""
    with shell.system.database.read() as session:
        found, _next = operations.incidents(shell.system, session, shell.actor(), limit=limit)
    for trouble in found:
        faults = [fault | {"since": fault["since"].isoformat()} for fault in trouble.faults]
        _tell(_line(trouble.instance) | {"incidents": faults, "error": trouble.error})


@cases.command()
@click.argument("case")
@click.pass_obj
def retry(shell: _Shell, case: str):
    """重试失败的环节 · try the failed steps again."""
    shell.run(commands.retry, case)


@cases.command()
@click.argument("case")
@click.argument("token", type=int)
@click.option("--reason", required=True, help="原因，记入经过 · why; it stays in the history")
@click.option("--flow", help="从哪条连线继续 · which way, where there is a choice")
@click.pass_obj
def move(shell: _Shell, case: str, token: int, reason: str, flow: str | None):
    """手工离开一个环节 · leave the element where a token (see `incidents`) waits or is stuck."""
    shell.run(by_hand.move_on, case, token, reason, flow)


@cases.command()
@click.argument("case")
@click.option("--reason", required=True, help="原因，记入经过 · why; it stays in the history")
@click.pass_obj
def cancel(shell: _Shell, case: str, reason: str):
    """提前结束 · end a case early."""
    shell.run(commands.cancel, case, reason)


@cases.command()
@click.argument("case")
@click.argument("name")
@click.argument("expression")
@click.option("--reason", required=True, help="原因，记入经过 · why; it stays in the history")
@click.pass_obj
def correct(shell: _Shell, case: str, name: str, expression: str, reason: str):
    """更正一个变量，值是 FEEL 表达式 · write a variable; its value is a FEEL expression."""
    shell.run(by_hand.correct, case, reason, None, {name: expression})


def _line(case: Instance) -> dict:
    return {
        "id": case.id,
        "number": case.number,
        "definition": case.definition_key,
        "version": case.version_number,
        "status": case.status,
        "place": case.place_path.rsplit("/", 1)[-1],
        "started_at": case.started_at.isoformat(),
    }


def _tell(line: dict) -> None:
    click.echo(json.dumps(line, ensure_ascii=False))


COMMANDS = [cases]
