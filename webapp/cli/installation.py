"""Making and filling an installation: migrations, the county, procedures, parameters, calendars, a demonstration backlog."""

import json
import os
import secrets
from pathlib import Path

import click
from sqlalchemy import func, select

from engine import definitions
from engine.calendar import CalendarYear, chinese_years, parse_csv
from engine.commands import calendars
from engine.commands.county_file import read_county
from engine.commands.installation import deploy_directory, load_parameters, reindex
from engine.commands.seed import seed_county
from engine.organisation import Account, Actor, Unit
from engine.system import System
from webapp.cli.shared import now, open_system, progress, say, upgrade_tables
from webapp.config import ROOT, Settings

COUNTY = ROOT / "webapp/seeds/liangshan.yaml"


@click.group()
def db():
    """数据库 · the database."""


@db.command("upgrade")
def upgrade():
    """建表或升级 · make or migrate the tables."""
    settings = Settings.read()
    upgrade_tables(open_system(settings, create=True))
    say("数据库已是最新 · the database is up to date")


@db.command("reindex")
def reindex_():
    """重建检索用的索引 · write everybody's search tokens anew."""
    say(f"重建了 {reindex(open_system(), now(), progress)} 人的索引 · people whose search tokens were written anew")


@click.command()
@click.option(
    "--county", type=click.Path(exists=True, dir_okay=False, path_type=Path), help="县资料 CSV 或 YAML；缺省为示范县 · default: the demonstration"
)
@click.option("--backlog/--no-backlog", default=None, help="是否生成演示个案（只为示范县）· cases, for the demonstration only")
def seed(county: Path | None, backlog: bool | None):
    """建库并填入资料（已有的不动）· migrate and fill in what is missing."""
    if backlog and county and not county.samefile(COUNTY):
        raise click.ClickException("演示个案只为示范县准备，真实的县请不要 --backlog · demonstration cases are for the demonstration county only")
    settings = Settings.read()
    system = open_system(settings, create=True)
    upgrade_tables(system)
    password = fill(system, settings, county, backlog is not False)
    say(f"完成 · done。密码 · password: {password}" if password else "已有账号的密码不变 · done; existing passwords stay")
    told(settings)


@click.command()
@click.argument("directory", type=click.Path(exists=True, file_okay=False, path_type=Path))
def deploy(directory: Path):
    """部署并发布一个目录里的流程、表格和制度 · deploy and publish what changed in a directory."""
    system = open_system()
    actor = Actor.system(system.county_id)
    for line in deploy_directory(system, actor, directory, now(), progress):
        click.echo(json.dumps(line, ensure_ascii=False))
    parameters = directory / "parameters.yaml"
    if parameters.exists():
        say(f"新参数 · new parameters: {load_parameters(system, actor, parameters, now())}")


@click.group()
def calendar():
    """工作日历 · calendars."""


@calendar.command("import")
@click.argument("year", type=int)
@click.option("--file", "path", type=click.Path(exists=True, dir_okay=False, path_type=Path), help="CSV，三列：日期、类型、名称；不给则用随附的国务院安排")
def import_calendar(year: int, path: Path | None):
    """导入一年的节假日 · import a year's holidays and make-up workdays."""
    system = open_system()
    found = parse_csv(path.read_text("utf-8-sig"), year, path.name) if path else chinese_years().get(year)
    if found is None:
        raise click.ClickException(f"随附的日历里没有 {year} 年 · the library does not know {year}")
    answer = calendars.import_year(system, Actor.system(system.county_id), found, now=now())
    say(f"{year}: {answer}")


def fill(system: System, settings: Settings, county: Path | None = None, backlog: bool = True) -> str | None:
    """Put in what is missing of the county, its calendars, parameters, procedures and backlog. Answers the password to tell, if any.

    `county` is a file; without one the demonstration county fills an empty database, and a database with another county keeps to itself.
    Only the demonstration county gets a backlog. Every step looks first, so one that was interrupted goes on where it stopped, with the
    password it began with: it waits in a file until the caller has shown it and says so with `told`.
    """
    actor = Actor.system(system.county_id)
    begun = _begun(settings)
    first = json.loads(begun.read_text("utf-8")) if begun.exists() else None
    county = county or (Path(first["county"]) if first else COUNTY if _is_empty(system) else None)
    if county:
        if first is None and _is_empty(system):
            first = {"county": str(county.resolve()), "password": os.environ.get("SHUIBO_DEMO_PASSWORD") or secrets.token_urlsafe(9)}
            begun.parent.mkdir(parents=True, exist_ok=True)
            begun.touch(mode=0o600)
            begun.write_text(json.dumps(first), "utf-8")
        password = first["password"] if first else os.environ.get("SHUIBO_DEMO_PASSWORD") or secrets.token_urlsafe(9)
        if seed_county(system, county, password, now(), progress)["people"] and first is None:
            first = {"password": password}
    _calendars(system, actor)
    parameters = settings.bundle / "parameters.yaml"
    if parameters.exists() and (added := load_parameters(system, actor, parameters, now())):
        progress("参数 · parameters", added, added)
    if not _has_procedures(system):
        deploy_directory(system, actor, settings.bundle, now(), progress)
    if backlog and _is_demonstration(system):
        from webapp import demo

        demo.seed_clients(system, now(), progress)
        demo.seed_registers(system, now(), progress)
        demo.seed_backlog(system, now(), progress)
        demo.seed_petitions(system, now(), progress)
    return first["password"] if first else None


def told(settings: Settings) -> None:
    """The password of the first accounts has been shown, so nothing needs to remember it any more."""
    _begun(settings).unlink(missing_ok=True)


def _begun(settings: Settings) -> Path:
    """Which county a first start fills in and with what password, for as long as it has not ended."""
    return settings.secret_key_file.with_name("first-start.json")


def _is_empty(system: System) -> bool:
    with system.database.read() as session:
        return not session.scalar(select(func.count()).select_from(Unit).where(Unit.county_id == system.county_id))


def _is_demonstration(system: System) -> bool:
    """Whether everybody of the demonstration county is there: nobody else's county gets invented cases."""
    with system.database.read() as session:
        there = set(session.scalars(select(Account.username).where(Account.county_id == system.county_id)))
    return there.issuperset(person.username for person in read_county(COUNTY).people)


def _calendars(system: System, actor: Actor) -> None:
    with system.database.read() as session:
        known = set(session.scalars(select(CalendarYear.year).where(CalendarYear.county_id == system.county_id)))
    missing = {year: found for year, found in chinese_years().items() if year not in known}
    for done, found in enumerate(missing.values(), 1):
        calendars.import_year(system, actor, found, now=now())
        progress("工作日历 · calendars", done, len(missing))


def _has_procedures(system: System) -> bool:
    with system.database.read() as session:
        return bool(definitions.versions(session, system.county_id))


COMMANDS = [db, seed, deploy, calendar]
