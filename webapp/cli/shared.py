"""What the commands share: the installation they work on, and how they tell progress."""

import sys
from datetime import UTC, datetime

import click

from engine import schema
from engine.commands.installation import reindex
from engine.db import Database
from engine.system import System
from engine.vault import Vault
from webapp.config import Settings


def open_system(settings: Settings | None = None, create: bool = False) -> System:
    """The installation of this environment; `create` makes the master key of a new one."""
    settings = settings or Settings.read()
    vault = Vault.from_file(settings.master_key_file, create=create)
    if settings.database_url.startswith("sqlite:///"):
        from pathlib import Path

        Path(settings.database_url.removeprefix("sqlite:///")).parent.mkdir(parents=True, exist_ok=True)
    return System(Database(settings.database_url), vault, settings.county_id, settings.zone)


def upgrade_tables(system: System) -> None:
    """Bring the database to this version; one that was older is from then on searched by what this version searches by."""
    before = schema.current(system.database)
    schema.upgrade(system.database)
    if before not in (None, schema.current(system.database)):
        reindex(system, now(), progress)


def now() -> datetime:
    """The present."""
    return datetime.now(UTC)


def say(text: str) -> None:
    """A line of progress."""
    click.echo(text, err=True)


def progress(text: str, done: int, total: int) -> None:
    """Progress of something long: one line that is written over on a terminal, a few lines elsewhere."""
    text = text or "流程与制度 · procedures"
    if sys.stderr.isatty():
        click.echo(f"\r\033[K  {text} {done}/{total}", nl=done >= total, err=True)
    elif done >= total or done % max(1, total // 4) == 0:
        click.echo(f"  {text} {done}/{total}", err=True)
