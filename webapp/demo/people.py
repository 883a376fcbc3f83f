"""Invented people served: about 300 in 200 households, in the proportions of the county's cohorts."""

import random
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from sqlalchemy import func, select

from engine import organisation
from engine.clients import Client, check_digit
from engine.commands.clients import register_household
from engine.commands.seed import Progress, silent
from engine.organisation import Actor, Unit
from engine.system import System

HOUSEHOLDS = 200
REGISTERED = timedelta(days=255)  # before now: older than the oldest case of the backlog
REGION = "999999"  # no such administrative division: an invented identity number must not be anybody's
SURNAMES = "张王李刘陈杨赵孙周吴徐马朱胡郭何高林郑梁谢宋唐许韩冯曹曾田董袁潘于蒋蔡杜程苏魏吕丁任姚卢姜崔孟秦尹薛闫段侯史贺郝邵单解"
OLD_MEN = "德福 传喜 庆祥 兆坤 广才 守义 长河 振东 保国 学文 仁义 明德 士勇 玉山 登科 继先 洪恩 凤山 有才 成林".split()
OLD_WOMEN = "秀英 桂兰 玉兰 淑珍 凤英 桂香 秀芝 翠花 素贞 金凤 春兰 巧云 玉芬 爱莲 月娥 云霞 雪梅 喜梅 存英 庆兰".split()
MEN = "建国 志强 永刚 卫东 国强 立新 海涛 军 磊 超 鹏 洪波 新民 同心 水生 保平 现军 传宝 继民 兴旺".split()
WOMEN = "丽娟 春梅 晓燕 红梅 海霞 敏 静 娟 慧敏 爱华 瑞芹 玉玲 艳丽 小红 翠平 新荣 桂芹 慧 芳 素云".split()
BOYS = "浩然 梓轩 子涵 俊杰 明轩 宇航 思远 家豪 天佑 一鸣 晨阳 博文 嘉琪 文博 子豪".split()
GIRLS = "雨桐 欣怡 佳琪 一诺 梦瑶 子萱 思涵 雅婷 若曦 语嫣 可欣 诗涵 静怡 梓涵 欣妍".split()


@dataclass(frozen=True)
class Kind:
    """One sort of household: how often, and its members as (age from, to, categories)."""

    weight: int
    members: tuple[tuple[int, int, tuple[str, ...]], ...]


# Weights follow the county's figures: 1078 orphans and children in hardship, 970 left behind, 310 elders in extreme poverty, 218 with
# dementia, 132 veterans; the other categories are ours.
KINDS = (
    Kind(30, ((7, 15, ("orphan",)), (62, 74, ("minimum_living",)))),
    Kind(18, ((6, 15, ("left_behind",)), (60, 72, ()))),
    Kind(14, ((9, 15, ("left_behind",)), (6, 8, ("left_behind",)), (63, 75, ("minimum_living",)))),
    Kind(12, ((68, 84, ("extreme_poverty",)),)),
    Kind(6, ((70, 86, ("extreme_poverty", "disabled_elder")),)),
    Kind(9, ((72, 88, ("dementia",)), (66, 80, ()))),
    Kind(6, ((76, 92, ("veteran",)),)),
    Kind(7, ((30, 58, ("disability", "minimum_living")),)),
    Kind(5, ((40, 66, ("petition",)),)),
)


def seed_clients(system: System, now: datetime, progress: Progress = silent, households: int = HOUSEHOLDS) -> int:
    """Register invented households at every station, a command each; answers how many. Adds none when there already are that many."""
    with system.database.read() as session:
        have = session.scalar(select(func.count()).select_from(Client).where(Client.county_id == system.county_id))
        rooms = _rooms(organisation.units(session, system.county_id, on=now.astimezone(system.zone).date()))
    if have >= households or not rooms:
        return 0
    draw, actor, made = random.Random("households"), Actor.system(system.county_id), 0
    for number in range(households):
        station, room, room_key, since = rooms[number % len(rooms)]
        progress("登记服务对象", number, households)
        members = _household(draw, station, room, number, now.astimezone(system.zone).date())
        then = now - REGISTERED
        then = then if then.astimezone(system.zone).date() > since else now
        answer = register_household(system, actor, members, room_key, now=then, key=f"demo-household-{number}")
        made += len(answer["clients"])
    progress("登记服务对象", households, households)
    return made


def _rooms(units: list[Unit]) -> list[tuple[str, str, str, date]]:
    """(station's name, room's name, its key, its first day): the first rooms of every station in turn, so that every station has people."""
    stations = [[unit for unit in units if unit.parent_id == station.id] for station in units if station.kind == "station"]
    names = {unit.id: unit.name for unit in units}
    depth = max((len(rooms) for rooms in stations), default=0)
    turns = [rooms[turn] for turn in range(min(depth, 7)) for rooms in stations if turn < len(rooms)]
    return [(names[room.parent_id], room.name, room.key, room.valid_from) for room in turns]


def _household(draw: random.Random, station: str, room: str, number: int, today: date) -> list[dict]:
    kind = draw.choices(KINDS, [kind.weight for kind in KINDS])[0]
    surname = draw.choice(SURNAMES)
    address = f"{station}{room}{draw.randint(1, 180)}号"
    members = [_person(draw, surname, low, high, categories, today) for low, high, categories in kind.members]
    if number == 0:  # the one whom every manual looks for
        members[0]["name"] = "张三"
    return [member | {"address": address} for member in members]


def _person(draw: random.Random, surname: str, low: int, high: int, categories: tuple[str, ...], today: date) -> dict:
    born = today - timedelta(days=draw.randint(low * 365 + 60, high * 365 + 300))
    male = draw.random() < 0.5
    pools = (BOYS, GIRLS) if high < 18 else (MEN, WOMEN) if high < 60 else (OLD_MEN, OLD_WOMEN)
    digits = f"{REGION}{born:%Y%m%d}{draw.randint(0, 49) * 20 + draw.randint(0, 9) * 2 + male:03d}"
    return {
        "name": surname + draw.choice(pools[not male]),
        "birth_date": born.isoformat(),
        "gender": "male" if male else "female",
        "id_number": digits + check_digit(digits),
        "phone": None if high < 18 else f"000-{draw.randint(0, 9999):04d}-{draw.randint(0, 9999):04d}",
        "categories": list(categories),
    }
