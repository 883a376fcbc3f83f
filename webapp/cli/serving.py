"""Running: `run` (everything, for one machine) and `worker` (timers and jobs)."""

import os
import shutil
import signal
import socket
import sys
import threading
from pathlib import Path

import click

from engine.system import settle
from engine.worker import run as work
from webapp import logs
from webapp.cli.installation import fill, told
from webapp.cli.shared import open_system, say, upgrade_tables
from webapp.config import Settings
from webapp.supervisor import follow_parent, serve


@click.command()
@click.option("--backlog/--no-backlog", default=True, help="首次启动时是否生成演示个案")
def run(backlog: bool):
    """建库、启动网页与后台 · migrate, seed an empty database, serve."""
    follow_parent(os.environ)
    settings = Settings.read()
    host = os.environ.get("SHUIBO_HOST", "127.0.0.1")
    if not _free(host, settings.port):
        raise click.ClickException(
            f"端口 {settings.port} 已被占用，可用 SHUIBO_PORT 换一个 · port {settings.port} is in use; set SHUIBO_PORT"
        )
    system = open_system(settings, create=True)
    say("  数据库 · database …")
    upgrade_tables(system)
    password = fill(system, settings, backlog=backlog)
    settings.secret_key()
    system.database.dispose()
    _tell(settings, host, password)
    told(settings)
    web = [sys.executable, "-m", "gunicorn", "-c", "python:webapp.gunicorn_conf"]
    # Threads with a heap each would keep what password hashing frees: a third more memory for nothing.
    env = {"MALLOC_ARENA_MAX": "2", "PROMETHEUS_MULTIPROC_DIR": str(_counting_folder(settings)), **os.environ}
    sys.exit(serve([web, [sys.executable, "-m", "webapp.cli", "worker"]], env))


@click.command()
def worker():
    """到期的期限与任务 · fire due timers until stopped."""
    follow_parent(os.environ)
    settings = Settings.read()
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    logs.configure()
    system = open_system(settings)
    settle()
    work(system, stop, settings.clock)


def _counting_folder(settings: Settings) -> Path:
    """An empty folder in which the web processes count together what /metrics tells."""
    folder = settings.secret_key_file.parent / "metrics"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    return folder


def _tell(settings: Settings, host: str, password: str | None) -> None:
    """The address, the accounts and how to stop, on standard output."""
    shown = "127.0.0.1" if host in ("0.0.0.0", "::") else host
    lines = [
        "",
        f"  水泊已启动 · Shuibo is running:  http://{shown}:{settings.port}/",
        "",
        "  账号 · accounts:",
        "    supervisor  supervisor-2  auditor  admin",
        "    lead-01 … lead-14   ft-01-1  ft-01-2  pt-01-1  pt-01-2  volunteer-01-1 …",
        "    assistant-001 … assistant-423   partner-01-petition  -mediator  -child  -care   resident-1 …",
        f"  密码 · password:  {password}（只显示这一次 · shown only once）"
        if password
        else "  密码 · password:  与首次启动时相同 · as printed at the first start",
        "",
        "  停止 · stop:  Ctrl-C",
        "",
    ]
    click.echo("\n".join(lines))
    sys.stdout.flush()


def _free(host: str, port: int) -> bool:
    with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError:
            return False
    return True


COMMANDS = [run, worker]
