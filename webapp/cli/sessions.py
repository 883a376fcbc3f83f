"""Sessions from the command line, for whoever keeps the machine: a lost telephone at night, an account that behaves oddly."""

import json

import click

from engine.commands import accounts
from engine.organisation import Actor
from webapp.cli.shared import now, open_system, say


@click.group()
def sessions():
    """登录的设备 · where accounts are signed in."""


@sessions.command("list")
@click.argument("username")
def list_(username: str):
    """列出一个账号的登录 · an account's open sessions, a JSON object a line."""
    system = open_system()
    with system.database.read() as session:
        for each in accounts.sessions_of(session, Actor.system(system.county_id), username, now()):
            line = {"id": each.id, "kind": each.kind, "device": each.device, "created_at": each.created_at.isoformat()}
            click.echo(json.dumps(line | {"used_at": (each.used_at or each.created_at).isoformat()}, ensure_ascii=False))


@sessions.command("end")
@click.argument("username")
@click.option("--session", "session_id", help="只结束这一处（编号见 list）· only this one")
def end(username: str, session_id: str | None):
    """结束一个账号的全部登录，立即生效 · end all of an account's sessions at once."""
    system = open_system()
    answer = accounts.end_sessions(system, Actor.system(system.county_id), username, session_id, now=now())
    say(f"已结束 · ended: {answer['ended']}")


COMMANDS = [sessions]
