"""A county as a file: YAML or CSV in, one checked list of units and people out. The formats are described at the head of
`webapp/seeds/liangshan.yaml`."""

import csv
import hashlib
import random
import re
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import yaml

from engine import names
from engine.exceptions import CountyFileInvalid
from engine.organisation import PARTNERS, ROLES, WORKFORCE

COLUMNS = ("kind", "key", "name", "parent", "roles", "workforce", "partner")
PARENT = {"county": None, "station": "county", "room": "station"}
CALLED = {"county": "县", "station": "站", "room": "室"}
USERNAME = re.compile(r"[a-z][a-z0-9._-]{1,39}")
LARGEST = 5_000_000  # bytes


@dataclass(frozen=True)
class UnitLine:
    """One unit of the file. `where` names its place in the file for messages."""

    kind: str
    key: str
    name: str
    parent: str | None
    where: str


@dataclass(frozen=True)
class PersonLine:
    """One person with an account. `unit` is a unit's key."""

    username: str
    name: str
    unit: str
    roles: tuple[str, ...]
    workforce: str | None
    partner: str | None
    where: str


@dataclass(frozen=True)
class CountyFile:
    """Units from the top down, and people. `digest` is the file's SHA-256; `valid_from` None means the day of the import."""

    name: str
    valid_from: date | None
    units: tuple[UnitLine, ...]
    people: tuple[PersonLine, ...]
    digest: str


def read_county(path: Path) -> CountyFile:
    """Read and check a county file. Raises CountyFileInvalid with every fault and its place."""
    path = Path(path)
    try:
        content = path.read_bytes()
        text = content.decode("utf-8-sig")
    except OSError as error:
        raise CountyFileInvalid(path.name, [f"打不开文件（{error.strerror}）"]) from error
    except UnicodeDecodeError as error:
        raise CountyFileInvalid(path.name, ["文件应为 UTF-8 编码"]) from error
    if len(content) > LARGEST:
        raise CountyFileInvalid(path.name, ["文件太大"])
    reader = _Reader(path.name)
    (reader.read_csv if path.suffix.lower() == ".csv" else reader.read_yaml)(text)
    reader.check()
    return CountyFile(
        reader.units[0].name, reader.valid_from, tuple(reader.units), tuple(reader.people), hashlib.sha256(content).hexdigest()
    )


class _Reader:
    """Gathers units, people and faults; `check` raises them all at once."""

    def __init__(self, file: str):
        self.file = file
        self.units: list[UnitLine] = []
        self.people: list[PersonLine] = []
        self.valid_from: date | None = None
        self.faults: list[str] = []

    def fault(self, where: str, reason: str) -> None:
        self.faults.append(f"{where}:{reason}")

    # --- CSV --------------------------------------------------------------------------------------------------------

    def read_csv(self, text: str) -> None:
        lines = csv.reader(text.splitlines())
        header = tuple(cell.strip() for cell in next(lines, ()))
        if header != COLUMNS:
            raise CountyFileInvalid(self.file, [f"第 1 行：标题行应为 {','.join(COLUMNS)}"])
        for cells in lines:
            where = f"第 {lines.line_num} 行"
            if not any(cell.strip() for cell in cells):
                continue
            if len(cells) != len(COLUMNS):
                self.fault(where, f"应有 {len(COLUMNS)} 列，实有 {len(cells)} 列")
                continue
            kind, key, name, parent, roles, workforce, partner = (cell.strip() for cell in cells)
            if kind == "person":
                split = tuple(roles.split()) or ("worker",)
                self.people.append(PersonLine(key, name, parent, split, workforce or None, partner or None, where))
            elif kind in PARENT:
                self.units.append(UnitLine(kind, key, name, parent or None, where))
            else:
                self.fault(where, f"kind“{kind}”应是 county、station、room 或 person")

    # --- YAML -------------------------------------------------------------------------------------------------------

    def read_yaml(self, text: str) -> None:
        try:
            whole = yaml.load(text, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))
        except yaml.YAMLError as error:
            mark = getattr(error, "problem_mark", None)
            where = f"第 {mark.line + 1} 行第 {mark.column + 1} 列" if mark else "文件"
            raise CountyFileInvalid(self.file, [f"{where}：不是正确的 YAML({getattr(error, 'problem', '') or error})"]) from error
        whole = self.mapping(whole, "文件", {"county", "stations", "people", "posts", "names"})
        county = self.mapping(whole.get("county"), "county", {"key", "name", "valid_from"})
        self.valid_from = county.get("valid_from")
        if self.valid_from is not None and type(self.valid_from) is not date:
            self.fault("county.valid_from", "应是日期，例如 2022-01-01")
        top = self.unit("county", county, None, "county", "county")
        rooms = 0
        for at, item in enumerate(self.sequence(whole.get("stations"), "stations"), 1):
            where = f"stations[{at}]"
            station = self.mapping(item, where, {"key", "name", "rooms"})
            station_key = self.unit("station", station, top, f"station-{at:02d}", where)
            for index, room in enumerate(self.sequence(station.get("rooms", []), f"{where}.rooms"), 1):
                rooms += 1
                place = f"{where}.rooms[{index}]"
                room = {"name": room} if isinstance(room, str) else self.mapping(room, place, {"key", "name"})
                self.unit("room", room, station_key, f"room-{rooms:03d}", place)
        for at, item in enumerate(self.sequence(whole.get("people", []), "people"), 1):
            self.person(item, f"people[{at}]")
        self.read_posts(whole)

    def read_posts(self, whole: dict) -> None:
        """People by pattern, unit by unit; names are drawn by a generator that always draws the same."""
        pool = self.mapping(whole.get("names", {}), "names", {"surnames", "given"})
        surnames, given = str(pool.get("surnames", "")), [str(name) for name in self.sequence(pool.get("given", []), "names.given")]
        draw = random.Random(self.units[0].name if self.units else "")
        for at, item in enumerate(self.sequence(whole.get("posts", []), "posts"), 1):
            where = f"posts[{at}]"
            post = self.mapping(item, where, {"each", "username", "name", "roles", "workforce", "partner"})
            if post.get("each") not in PARENT:
                self.fault(where, "each 应是 county、station 或 room")
                continue
            if "name" not in post and not (surnames and given):
                self.fault(where, "没有 name，也没有 names.surnames 和 names.given 可取名")
                continue
            for unit in self.units:
                if unit.kind == post["each"]:
                    number = re.search(r"[0-9]*$", unit.key).group()
                    username = str(post.get("username", "")).replace("{number}", number)
                    name = post.get("name") or draw.choice(surnames) + draw.choice(given)
                    rest = {key: post[key] for key in ("roles", "workforce", "partner") if key in post}
                    self.person({"username": username, "name": name, "unit": unit.key, **rest}, where)

    def unit(self, kind: str, item: dict, parent: str | None, key: str, where: str) -> str:
        key = str(item.get("key", key))
        self.units.append(UnitLine(kind, key, str(item.get("name") or "").strip(), parent, where))
        return key

    def person(self, item, where: str) -> None:
        item = self.mapping(item, where, {"username", "name", "unit", "roles", "workforce", "partner"})
        roles = tuple(str(role) for role in self.sequence(item.get("roles", ["worker"]), f"{where}.roles"))
        text = {key: str(item.get(key) or "").strip() for key in ("username", "name", "unit", "workforce", "partner")}
        line = PersonLine(
            text["username"], text["name"], text["unit"], roles, text["workforce"] or None, text["partner"] or None, where
        )
        self.people.append(line)

    def mapping(self, value, where: str, known: set[str]) -> dict:
        if not isinstance(value, dict):
            self.fault(where, f"应有栏目 {'、'.join(sorted(known))}")
            return {}
        for key in value:
            if key not in known:
                self.fault(where, f"不认识的栏目“{key}”，可用 {'、'.join(sorted(known))}")
        return value

    def sequence(self, value, where: str) -> list:
        if not isinstance(value, list):
            self.fault(where, "应是列表")
            return []
        return value

    # --- checks -----------------------------------------------------------------------------------------------------

    def check(self) -> None:
        known: dict[str, UnitLine] = {}
        siblings: set[tuple] = set()
        for unit in self.units:
            self.check_unit(unit, known, siblings)
            known.setdefault(unit.key, unit)
        if sum(unit.kind == "county" for unit in self.units) != 1 or self.units[0].kind != "county":
            self.fault("文件", "应有且只有一个县，并且写在最前")
        usernames: set[str] = set()
        for person in self.people:
            self.check_person(person, known, usernames)
            usernames.add(person.username)
        if self.faults:
            raise CountyFileInvalid(self.file, self.faults)

    def check_unit(self, unit: UnitLine, known: dict[str, UnitLine], siblings: set[tuple]) -> None:
        if not names.fits_key(unit.key):
            self.fault(unit.where, f"编号“{unit.key}”只能用小写字母、数字和短横，不超过 32 个字符")
        elif unit.key in known:
            self.fault(unit.where, f"编号“{unit.key}”重复（{known[unit.key].where} 已用）")
        if not unit.name or len(unit.name) > 60:
            self.fault(unit.where, "名称不能为空，也不能超过 60 个字")
        elif (unit.parent, unit.name) in siblings:
            self.fault(unit.where, f"名称“{unit.name}”在同一单位下重复")
        siblings.add((unit.parent, unit.name))
        above = PARENT[unit.kind]
        if above is None and unit.parent:
            self.fault(unit.where, "县没有上级")
        elif above and (unit.parent not in known or known[unit.parent].kind != above):
            self.fault(unit.where, f"上级“{unit.parent or ''}”不存在，或者不是{CALLED[above]}；上级要写在前面")

    def check_person(self, person: PersonLine, known: dict[str, UnitLine], usernames: set[str]) -> None:
        if not USERNAME.fullmatch(person.username):
            self.fault(person.where, f"用户名“{person.username}”应以小写字母开头，只含小写字母、数字、点和短横，2 到 40 个字符")
        elif person.username in usernames:
            self.fault(person.where, f"用户名“{person.username}”重复")
        if not names.tokens(person.name) or len(person.name) > names.LONGEST:
            self.fault(person.where, "姓名不能为空，也不能太长")
        if person.unit not in known:
            self.fault(person.where, f"没有单位“{person.unit}”")
        if not person.roles or not set(person.roles) <= set(ROLES):
            self.fault(person.where, f"角色应是 {'、'.join(ROLES)} 中的一个或几个")
        if person.workforce is not None and person.workforce not in WORKFORCE:
            self.fault(person.where, f"人员类型“{person.workforce}”应是 {'、'.join(WORKFORCE)} 之一")
        if (person.workforce == "partner") != (person.partner in PARTNERS):
            self.fault(person.where, f"联动伙伴应注明类别：{'、'.join(PARTNERS)}；其他人员不注明")
