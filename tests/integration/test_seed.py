"""The county's seed: whole, idempotent, and files that are wrong say where."""

from collections import Counter

import pytest
from sqlalchemy import func, select

from engine import clients, verification
from engine.accounts import password_fits
from engine.commands.county_file import read_county
from engine.commands.seed import seed_county
from engine.exceptions import CountyFileInvalid
from engine.instances import Instance, Task
from engine.organisation import Account, Actor, Unit, actor_of
from tests.support.county import NOW, SMALL, open_system, person
from tests.support.databases import ROOT
from webapp import demo

LIANGSHAN = ROOT / "webapp" / "seeds" / "liangshan.yaml"
STATIONS = (
    "水泊街道、梁山街道、小路口镇、韩岗镇、黑虎庙镇、拳铺镇、杨营镇、韩垓镇、馆驿镇、小安山镇、寿张集镇、马营镇、大路口乡、赵堌堆乡"
).split("、")
CSV = """kind,key,name,parent,roles,workforce,partner
county,county,某县,,,,
station,station-01,甲镇,county,,,
room,room-001,张庄村,station-01,,,
person,zhang.san,张三,station-01,worker lead,full_time,
person,tiao.jie,马调解,station-01,,partner,mediator
"""


@pytest.fixture
def system(migrated_url):
    system = open_system(migrated_url)
    yield system
    system.database.dispose()


def written(tmp_path, text, name="county.yaml"):
    file = tmp_path / name
    file.write_text(text, encoding="utf-8")
    return file


def content(system):
    """Every row of every table: what a second seed must leave alone."""
    with system.database.read() as session:
        return {
            table.name: session.execute(select(table).order_by(*table.primary_key)).all()
            for table in verification.Base.metadata.sorted_tables
        }


def test_liangshan_is_whole_and_a_second_seed_changes_nothing(system):
    seen = []
    added = seed_county(system, LIANGSHAN, "demo", NOW, lambda *step: seen.append(step))
    assert added == {"units": 438, "people": 586}
    assert [step[1:] for step in seen] == [(done, 15) for done in range(16)]
    with system.database.read() as session:
        stations = session.scalars(select(Unit).where(Unit.kind == "station").order_by(Unit.key)).all()
        assert [station.name for station in stations] == STATIONS
        assert [station.key for station in stations] == [f"station-{number:02d}" for number in range(1, 15)]
        rooms = session.scalars(select(Unit).where(Unit.kind == "room").order_by(Unit.key)).all()
        assert [room.key for room in rooms] == [f"room-{number:03d}" for number in range(1, 424)]
        assert min(Counter(room.parent_id for room in rooms).values()) >= 20
        assert len({(room.parent_id, room.name) for room in rooms}) == 423
        usernames = set(session.scalars(select(Account.username)))
        hashes = set(session.scalars(select(Account.password_hash)))
    assert usernames == expected_usernames()
    assert len(hashes) == 1 and password_fits(hashes.pop(), "demo")
    assert person(system, "assistant-423").unit_path == "county/station-14/room-423"
    assert person(system, "partner-03-care").groups == {"worker", "partner", "partner:care"}
    before = content(system)
    assert seed_county(system, LIANGSHAN, "another", NOW) == {"units": 0, "people": 0}
    assert content(system) == before


def expected_usernames():
    stations = [f"{number:02d}" for number in range(1, 15)]
    posts = ["lead-{}", "ft-{}-1", "ft-{}-2", "pt-{}-1", "pt-{}-2", "volunteer-{}-1", "volunteer-{}-2"]
    posts += [f"partner-{{}}-{kind}" for kind in ("petition", "mediator", "child", "care")]
    return (
        {"supervisor", "supervisor-2", "auditor", "admin", *(f"resident-{number}" for number in range(1, 6))}
        | {post.format(station) for post in posts for station in stations}
        | {f"assistant-{number:03d}" for number in range(1, 424)}
    )


def test_what_is_new_in_a_file_is_added_and_what_exists_is_left(system, tmp_path):
    seed_county(system, written(tmp_path, SMALL), "demo", NOW)
    with system.database.read() as session:
        before = actor_of(session, system.vault, "ft-01-1")
    more = SMALL.replace("刘堂村]", "刘堂村, 新村]").replace("name: 林专一", "name: 改名").replace("乙镇", "改名镇")
    assert seed_county(system, written(tmp_path, more), "demo", NOW) == {"units": 1, "people": 1}
    with system.database.read() as session:
        assert actor_of(session, system.vault, "ft-01-1") == before
        assert session.scalar(select(Unit.name).where(Unit.key == "station-02")) == "乙镇"
        assert [str(fault) for fault in verification.verify(session)] == []
    assert person(system, "assistant-006").unit_key == "room-006"


def test_a_csv_says_the_same(system, tmp_path):
    assert seed_county(system, written(tmp_path, CSV, "county.csv"), "demo", NOW) == {"units": 3, "people": 2}
    zhang = person(system, "zhang.san")
    assert (zhang.name, zhang.roles, zhang.workforce) == ("张三", frozenset({"worker", "lead"}), "full_time")
    assert person(system, "tiao.jie").roles == {"worker"}


@pytest.mark.parametrize(
    ("old", "new", "where", "reason"),
    [
        ("county: {name: 小县", "county: {name: ''", "county", "名称不能为空"),
        ("county: {", "shire: {", "文件", "不认识的栏目“shire”"),
        ("2022-01-01", "someday", "county.valid_from", "应是日期"),
        ("rooms: [张庄村", "rooms: [李楼村", "stations[1].rooms[2]", "名称“李楼村”在同一单位下重复"),
        ("rooms: [张庄村", "rooms: [{name: 张庄村, key: 'A 1'}", "stations[1].rooms[1]", "编号“A 1”"),
        ("rooms: [张庄村", "rooms: [{name: 张庄村, key: station-01}", "stations[1].rooms[1]", "重复"),
        ("rooms: [赵屯村, 刘堂村]", "rooms: 赵屯村", "stations[2].rooms", "应是列表"),
        ("each: room", "each: house", "posts[9]", "each 应是"),
        ("roles: [auditor]", "roles: [king]", "posts[2]", "角色应是"),
        ("workforce: part_time", "workforce: sometimes", "posts[6]", "人员类型“sometimes”"),
        (", partner: mediator", "", "posts[8]", "联动伙伴应注明类别"),
        ("pt-{number}-1", "ft-{number}-1", "posts[6]", "重复"),
        ("pt-{number}-1", "Pt {number}", "posts[6]", "用户名“Pt 01”"),
        ("name: 何兼一, ", "", "posts[6]", "没有 name"),
        ("stations:\n", "stations: [\n", "第", "不是正确的 YAML"),
        ("county: {", "county: !!python/object/apply:os.system {", "第", "不是正确的 YAML"),
    ],
)
def test_faults_of_a_yaml_file(tmp_path, old, new, where, reason):
    assert old in SMALL
    with pytest.raises(CountyFileInvalid) as refusal:
        read_county(written(tmp_path, SMALL.replace(old, new, 1)))
    assert any(fault.startswith(where) and reason in fault for fault in refusal.value.faults), refusal.value.faults
    assert "county.yaml" in refusal.value.message


@pytest.mark.parametrize(
    ("old", "new", "where", "reason"),
    [
        ("kind,key", "sort,key", "第 1 行", "标题行应为"),
        ("county,county,某县,,,,\n", "", "文件", "应有且只有一个县"),
        ("room,room-001", "hut,room-001", "第 4 行", "kind“hut”"),
        ("张庄村,station-01,,,", "张庄村,station-01", "第 4 行", "应有 7 列"),
        ("张庄村,station-01", "张庄村,station-09", "第 4 行", "上级“station-09”不存在"),
        ("张庄村,station-01", "张庄村,county", "第 4 行", "不是站"),
        ("甲镇,county", "甲镇,", "第 3 行", "不是县"),
        ("张三,station-01", "张三,station-02", "第 5 行", "没有单位“station-02”"),
        ("worker lead,", "worker boss,", "第 5 行", "角色应是"),
        ("partner,mediator", "partner,", "第 6 行", "联动伙伴应注明类别"),
        ("tiao.jie,马调解", "zhang.san,马调解", "第 6 行", "重复"),
    ],
)
def test_faults_of_a_csv_file(tmp_path, old, new, where, reason):
    assert old in CSV
    with pytest.raises(CountyFileInvalid) as refusal:
        read_county(written(tmp_path, CSV.replace(old, new, 1), "county.csv"))
    assert any(fault.startswith(where) and reason in fault for fault in refusal.value.faults), refusal.value.faults


def test_files_that_are_no_county(tmp_path):
    for name, text in [("empty.yaml", ""), ("list.yaml", "- 1\n"), ("text.yaml", "hello"), ("empty.csv", "")]:
        with pytest.raises(CountyFileInvalid):
            read_county(written(tmp_path, text, name))
    (tmp_path / "latin.yaml").write_bytes("梁山".encode("gbk"))
    for name in ("latin.yaml", "missing.yaml"):
        with pytest.raises(CountyFileInvalid):
            read_county(tmp_path / name)


def test_the_demonstration_stands_at_every_stage(working_county):
    """On a small county with the product's procedures: every scenario runs by commands alone, and the history verifies."""
    system, now = working_county.system, NOW
    assert demo.seed_clients(system, now, households=12) >= 12
    assert demo.seed_clients(system, now, households=12) == 0
    seen = []
    made = demo.seed_backlog(system, now, lambda *step: seen.append(step))
    assert made == sum(scenario.copies for scenario in demo.backlog.SCENARIOS) and seen[-1][1] == seen[-1][2]
    with system.database.read() as session:
        assert session.scalar(select(func.count()).select_from(Instance)) == made
        statuses = Counter(session.scalars(select(Instance.status)))
        open_tasks = session.scalars(select(Task).where(Task.status.in_(("offered", "claimed")))).all()
        assert statuses == {"active": made - 3, "completed": 3}
        assert {task.element for task in open_tasks} >= STAGES
        assert any(task.due_at and task.due_at < now and task.element == "intake" for task in open_tasks)
        assert all(task.offered_at <= now for task in open_tasks)
        assert {task.status for task in open_tasks} == {"offered", "claimed"}
        assert [str(fault) for fault in verification.verify(session)] == []
    assert demo.seed_backlog(system, now) == 0


STAGES = {
    "visit",
    "first_response",
    "intake",
    "intake_reminder",
    "consent",
    "assessment",
    "plan",
    "approve_plan",
    "crisis_act",
    "crisis_approval",
    "county_crisis",
    "backfill",
    "record",
    "evaluate",
    "close",
    "approve_close",
    "follow_up",
}


def test_the_demonstrations_people_are_many_mixed_and_nobody(system):
    """Every station has people served, all categories occur, and no identity number can be a real one."""
    seed_county(system, LIANGSHAN, "demo", NOW)
    made = demo.seed_clients(system, NOW)
    assert 280 <= made <= 420
    records, cursor = [], None
    with system.database.read() as session:
        while not records or cursor:
            page, cursor = clients.search(session, system.vault, Actor.system(system.county_id), "", cursor, clients.PAGE)
            records += page
    assert len(records) == made and len({record.household_id for record in records}) == demo.people.HOUSEHOLDS
    assert {category for record in records for category in record.categories} == set(clients.CATEGORIES)
    assert len({record.station_id for record in records}) == 14
    assert all(record.id_number.startswith("999999") for record in records)
    assert [record.unit_key for record in records if record.name == "张三"] == ["room-001"]


def test_an_answer_fills_every_form_of_the_product():
    import json
    from datetime import timedelta
    from zoneinfo import ZoneInfo

    from engine.forms import compile_form

    now = NOW.astimezone(ZoneInfo("Asia/Shanghai"))
    for file in sorted((ROOT / "bpmn" / "forms").glob("*.form")):
        schema = json.loads(file.read_text(encoding="utf-8"))
        data = demo.answer(schema, {"birthDate": "1950-03-08"}, now)
        form = compile_form(schema)
        assert form.read(data, {}, clock=now + timedelta(hours=1)) or not form.keys, file.name
