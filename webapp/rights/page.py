"""docs/rights.md: every route and every command against everybody, made from the table, the application's routes and the commands."""

import importlib
import inspect
import pkgutil
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from flask import Flask
from werkzeug.routing import Rule

from engine import commands, organisation, permissions
from engine.organisation import Actor
from engine.permissions import PERMISSION_NAMES
from webapp.config import ROOT
from webapp.rights.table import RIGHTS, Reach, Right

FILE = ROOT / "docs" / "rights.md"
SIGNS = {"all": "●", "county": "●", "unit": "◐", "held": "◔", None: "·"}
ABOUT = """# 谁可以做什么 · who may do what

由 `python -m webapp.rights` 从代码写成，请勿手改；`tests/functional/test_rights.py` 以每一种人、对本站和外站的对象逐条真实调用，与本页核对，
并核对被拒绝时数据没有变化、拒绝已记入本人的访问记录。没有登记权限的地址一律拒绝。
*Written from the code by `python -m webapp.rights`. A test calls each line as everybody, on their own station's objects and another's,
and compares. An address without a line is denied.*

● 全县或不涉及地域 · the county, or no place involved　◐ 限本人单位及下级 · own unit and below
◔ 限自己持有任务的个案、本人的登记 · by a task one holds, one's own entries　· 不可以 · no
"""
REACHES = {
    Reach.PUBLIC: "公开",
    Reach.SIGNED_IN: "本人",
    Reach.COUNTY: "全县",
    Reach.LIST: "清单",
    Reach.PLACE: "单位",
    Reach.CASE: "个案",
    Reach.OUTING: "外出",
    Reach.WAIVER: "豁免",
    Reach.OWN: "登记",
    Reach.TASK: "任务",
}


@dataclass(frozen=True)
class Somebody:
    """A column: a kind of person, as they stand in a county. `actor` is None for who is not signed in."""

    key: str
    name: str
    actor: Actor | None


def _somebody(key: str, name: str, unit_path: str, role: str = "worker") -> Somebody:
    workforce = key if key in organisation.WORKFORCE else None
    partner = "mediator" if key == "partner" else None
    station = None if unit_path == "county" else "station"
    actor = replace(
        Actor.system("county"), roles=frozenset({role}), workforce=workforce, partner=partner, unit_path=unit_path, station_id=station
    )
    return Somebody(key, name, actor)


PEOPLE = [
    _somebody("supervisor", "督导", "county", "supervisor"),
    _somebody("lead", "站长", "county/station-01", "lead"),
    _somebody("full_time", "专职", "county/station-01"),
    _somebody("part_time", "兼职", "county/station-01"),
    _somebody("assistant", "助理员", "county/station-01/room-001"),
    _somebody("volunteer", "志愿者", "county/station-01"),
    _somebody("partner", "伙伴", "county/station-01"),
    _somebody("auditor", "审计", "county", "auditor"),
    _somebody("admin", "管理员", "county", "admin"),
    _somebody("resident", "居民", "county", "resident"),
    _somebody("program", "程序", "county", "program"),
    Somebody("nobody", "未登录", None),
]


def reach_of(actor: Actor | None, right: Right) -> str | None:
    """How far a right reaches for somebody: `all`, `county`, `unit`, `held` (what they hold: a task, an entry about them), or None: not at
    all."""
    if right.reach is Reach.PUBLIC:
        return "all"
    if actor is None or (right.permission and not permissions.may(actor, right.permission)):
        return None
    if right.beyond and not permissions.may(actor, right.beyond):
        return "held"
    if right.reach in (Reach.SIGNED_IN, Reach.COUNTY) or actor.station_id is None:
        return "county"
    if right.reach is Reach.CASE and actor.workforce in ("volunteer", "partner"):
        return "held"
    return "unit"


def routes(app: Flask) -> Iterator[tuple[str, Rule]]:
    """(method, rule) of every route, by address."""
    for rule in sorted(app.url_map.iter_rules(), key=lambda rule: rule.rule):
        for method in sorted(rule.methods - {"HEAD", "OPTIONS"}):
            yield method, rule


def command_list() -> list[tuple[str, str, Callable]]:
    """(route, permission, function) of every command of the engine, by route."""
    found = {}
    for module in pkgutil.iter_modules(commands.__path__, f"{commands.__name__}."):
        for each in vars(importlib.import_module(module.name)).values():
            if inspect.isfunction(each) and hasattr(each, "route") and hasattr(each, "permission"):
                found[each.__module__, each.__name__] = (each.route, each.permission, each)
    return sorted(found.values(), key=lambda line: line[0])


def text() -> str:
    """The whole page."""
    with tempfile.TemporaryDirectory() as folder:
        app = _application(Path(folder))
    parts = [ABOUT, "## 地址 · routes\n", "范围 · reach: " + "；".join(f"**{REACHES[each]}** {each}" for each in Reach) + "\n"]
    lines = []
    for method, rule in routes(app):
        right = RIGHTS.get(rule.endpoint)
        needs = [" ".join(f"`{each}`" for each in (right.permission, right.beyond) if each), REACHES[right.reach]] if right else ["**未登记**", ""]
        signs = [SIGNS[reach_of(each.actor, right)] if right else "·" for each in PEOPLE]
        lines.append([f"`{method} {rule.rule}`", *needs, *signs])
    parts.append(_table(["地址", "权限", "范围", *(each.name for each in PEOPLE)], lines))
    parts.append("\n## 命令 · commands\n\n每一次写入都是一个命令，网页、接口、命令行都经过它。范围由命令自己在锁内核对。\n")
    lines = []
    for route, permission, _function in command_list():
        right = Right(None, Reach.SIGNED_IN) if permission == commands.SIGNED_IN else Right(permission)
        signs = [SIGNS[reach_of(each.actor, right)] for each in PEOPLE]
        lines.append([f"`{route}`", "" if permission == commands.SIGNED_IN else f"`{permission}`", *signs])
    parts.append(_table(["命令", "权限", *(each.name for each in PEOPLE)], lines))
    parts.append("\n## 权限 · permissions\n")
    known = [each for each in PEOPLE if each.actor]
    lines = [[f"`{key}`", name, *(SIGNS["all" if permissions.may(each.actor, key) else None] for each in known)] for key, name in PERMISSION_NAMES.items()]
    parts.append(_table(["权限", "名称", *(each.name for each in known)], lines))
    return "\n".join(parts)


def _application(folder: Path) -> Flask:
    """An application without a county: only its routes are asked for."""
    from webapp import create_app

    (folder / "master.key").write_text("00" * 32)
    settings = {"master_key_file": folder / "master.key", "secret_key_file": folder / "secret.key"}
    return create_app(settings | {"database_url": f"sqlite:///{folder}/none.db"})


def _table(head: list[str], lines: list[list[str]]) -> str:
    rows = [head, ["---"] * len(head), *lines]
    return "\n".join("| " + " | ".join(cells) + " |" for cells in rows) + "\n"
