"""People served: registering, finding, correcting, moving and erasing them, on both databases."""

from dataclasses import replace
from datetime import date, timedelta

import pytest
from sqlalchemy import event, select, text

from engine import clients, verification
from engine.audit import Event, Kind
from engine.commands import clients as commands, organisation as units
from engine.commands.installation import reindex
from engine.exceptions import Erased, Forbidden, InvalidForm, InvalidRequest, NotFound, StaleVersion, UnitClosed
from engine.organisation import Person, unit_by_key
from tests.support.county import NOW, open_system, person, small_county

ZHANG = {
    "name": "张三",
    "birth_date": "1950-03-08",
    "gender": "male",
    "id_number": "99999919500308123X",
    "phone": "000-1234-5678",
    "address": "甲镇张庄村1号",
    "categories": ["extreme_poverty", "dementia"],
}
ZHANG["id_number"] = ZHANG["id_number"][:17] + clients.check_digit(ZHANG["id_number"])


@pytest.fixture
def system(backend, new_database):
    system = open_system(new_database(backend, small_county))
    yield system
    system.database.dispose()


@pytest.fixture
def zhang(system):
    """张三, registered by the assistant of the first room."""
    return commands.register(system, person(system, "assistant-001"), ZHANG, "room-001", now=NOW)["id"]


def find(system, username, words="", **options):
    with system.database.read() as session:
        records, after = clients.search(session, system.vault, person(system, username), words, **options)
    return [record.name for record in records], after


def read(system, username, client_id, **options):
    with system.database.read() as session:
        return clients.read(session, system.vault, person(system, username), client_id, **options)


def register(system, name, place="room-001", username="supervisor"):
    return commands.register(system, person(system, username), {"name": name}, place, now=NOW)["id"]


def faults(system):
    with system.database.read() as session:
        return [str(fault) for fault in verification.verify(session)]


def test_zhang_san_is_found_by_characters_pinyin_and_numbers_and_by_nothing_else(system, zhang):
    for words in ("张三", "张", "三", "zhangsan", "zhang san", "zs", "zhang", "00012345678", ZHANG["id_number"], ""):
        assert find(system, "ft-01-1", words) == (["张三"], None), words
    for words in ("李四", "三张", "lisi", "%", "_", "' OR 1=1 --", "\x00", "\ud800", "1234"):
        assert find(system, "supervisor", words) == ([], None), words


def test_a_household_is_found_by_its_address(system, zhang):
    """Also who gave none of their own; and never by an address that was corrected or erased."""
    with system.database.read() as session:
        household = clients.read(session, system.vault, person(system, "supervisor"), zhang).household_id
    by = person(system, "assistant-001")
    commands.register(system, by, {"name": "李四"}, "room-001", household, now=NOW)
    register(system, "王五")
    for words in ("甲镇张庄村1号", "张庄村 1号", "张庄村１号"):
        assert sorted(find(system, "supervisor", words)[0]) == ["张三", "李四"], words
    assert find(system, "supervisor", "张庄村11号")[0] == []
    assert find(system, "assistant-004", "张庄村1号")[0] == [], "another station's"
    commands.update(system, by, zhang, {"address": "甲镇王集村7号"}, 1, now=NOW)
    assert find(system, "supervisor", "王集村7号")[0] == ["张三"]
    assert find(system, "supervisor", "张庄村1号")[0] == ["李四"]
    commands.erase(system, person(system, "supervisor"), zhang, "本人要求", now=NOW)
    assert find(system, "supervisor", "王集村7号")[0] == []
    assert faults(system) == []


def test_what_is_registered_is_read_again(system, zhang):
    record = read(system, "assistant-001", zhang)
    assert record.as_dict() | ZHANG == record.as_dict()
    assert (record.unit_key, record.unit_name, record.version) == ("room-001", "张庄村", 1)
    assert record.age(date(2026, 3, 7)) == 75 and record.age(date(2026, 3, 8)) == 76
    assert faults(system) == []


def test_who_sees_whom(system, zhang):
    seen = {"assistant-001", "ft-01-1", "pt-01-1", "lead-01", "supervisor", "auditor"}
    blind = {"assistant-002", "assistant-004", "ft-02-1", "lead-02"}
    assert {username for username in seen | blind if find(system, username, "zs")[0]} == seen
    assert {username for username in seen | blind if find(system, username)[0]} == seen
    for username in blind:
        with pytest.raises(NotFound):
            read(system, username, zhang)
    for username in ("volunteer-01-1", "partner-01-mediator", "resident-1", "admin"):
        with pytest.raises(Forbidden):
            find(system, username, "zs")
        with pytest.raises(Forbidden):
            read(system, username, zhang)


def test_a_held_task_is_a_right_of_its_own(system, zhang):
    """It opens the record to whoever asks for the holder (the task's page); the command that opens the whole record knows no such exception."""
    assert read(system, "volunteer-01-1", zhang, by_task=True).name == "张三"
    with pytest.raises(Forbidden):
        commands.view(system, person(system, "volunteer-01-1"), zhang, now=NOW)


def test_a_look_leaves_a_line(system, zhang):
    worker = person(system, "ft-01-1")
    assert commands.view(system, worker, zhang, now=NOW)["name"] == "张三"
    with system.database.read() as session:
        (line,) = session.scalars(select(Event).where(Event.stream == f"access/{worker.person_id}"))
        assert line.kind == Kind.CLIENT_VIEWED and line.facts["client"] == zhang


def test_registering_needs_a_room_that_ones_unit_covers(system):
    with pytest.raises(Forbidden):
        register(system, "张三", "room-002", "assistant-001")
    with pytest.raises(Forbidden):
        register(system, "张三", "room-004", "ft-01-1")
    with pytest.raises(Forbidden):
        register(system, "张三", "room-001", "volunteer-01-1")
    with pytest.raises(InvalidRequest):
        register(system, "张三", "station-01", "lead-01")
    with pytest.raises(NotFound):
        register(system, "张三", "room-999")
    with pytest.raises(UnitClosed):
        commands.register(system, person(system, "supervisor"), ZHANG, "room-001", now=NOW - timedelta(days=3000))


def test_only_a_name_is_needed(system):
    with pytest.raises(InvalidForm) as refusal:
        commands.register(system, person(system, "supervisor"), ZHANG | {"name": " "}, "room-001", now=NOW)
    assert refusal.value.errors == {"name": "请填写姓名"}
    record = read(system, "lead-01", register(system, "李四"))
    assert (record.birth_date, record.phone, record.categories, record.age(NOW.date())) == (None, None, (), None)


def test_a_correction_changes_the_index_and_is_not_lost_to_a_second_writer(system, zhang):
    lead = person(system, "lead-01")
    answer = commands.update(system, lead, zhang, {"name": "章三丰", "phone": None}, 1, now=NOW)
    assert answer["version"] == 2
    assert find(system, "lead-01", "张三")[0] == [] and find(system, "lead-01", "章三")[0] == ["章三丰"]
    assert read(system, "lead-01", zhang).phone is None and read(system, "lead-01", zhang).gender == "male"
    with pytest.raises(StaleVersion):
        commands.update(system, lead, zhang, {"name": "别人"}, 1, now=NOW)
    with pytest.raises(NotFound):
        commands.update(system, person(system, "lead-02"), zhang, {"name": "别人"}, 2, now=NOW)
    assert commands.update(system, lead, zhang, {"name": "章三丰"}, 2, now=NOW)["version"] == 2  # nothing to change
    assert faults(system) == []


def test_a_household_has_members_of_one_room(system, zhang):
    household = read(system, "lead-01", zhang).household_id
    lead = person(system, "lead-01")
    commands.register(system, lead, {"name": "张小三"}, "room-001", household, now=NOW)
    with pytest.raises(NotFound):
        commands.register(system, lead, {"name": "李四"}, "room-002", household, now=NOW)
    with system.database.read() as session:
        members = clients.household_members(session, system.vault, lead, household)
        assert [member.name for member in members] == ["张三", "张小三"]
        assert clients.household_members(session, system.vault, person(system, "lead-02"), household) == []


def test_pages_hold_everybody_once(system):
    names = sorted(f"王{'一二三四五六七'[at]}" for at in range(7))
    for at, name in enumerate(names):
        register(system, name, f"room-00{at % 5 + 1}")
    for words in ("王", "wang", ""):
        found, cursor, pages = [], None, 0
        while pages == 0 or cursor:
            page, cursor = find(system, "supervisor", words, cursor=cursor, limit=3)
            found, pages = found + page, pages + 1
        assert sorted(found) == names and pages == 3
    with pytest.raises(InvalidRequest):
        find(system, "supervisor", "王", cursor="a' OR 1=1")


def test_a_move_takes_the_index_along(system, zhang):
    commands.move(system, person(system, "lead-01"), zhang, "room-002", now=NOW)
    assert find(system, "assistant-002", "zs")[0] == ["张三"] and find(system, "assistant-001", "zs")[0] == []
    with pytest.raises(Forbidden):
        commands.move(system, person(system, "lead-01"), zhang, "room-004", now=NOW)
    assert faults(system) == []


def test_merged_villages_hand_over_people_and_clients(system, zhang):
    admin = person(system, "admin")
    answer = units.merge_rooms(system, admin, ["room-001"], "room-002", now=NOW)
    assert answer == {"into": "room-002", "people": 1, "clients": 1, "cases": 0}
    assert find(system, "assistant-002", "zhang san")[0] == ["张三"]
    assert person(system, "assistant-001").unit_key == "room-002"
    with system.database.read() as session:
        old = unit_by_key(session, system.county_id, "room-001")
        assert old.valid_to == NOW.astimezone(system.zone).date()
        assert old.successor_id == unit_by_key(session, system.county_id, "room-002").id
        with pytest.raises(UnitClosed):
            unit_by_key(session, system.county_id, "room-001", date(2027, 1, 1))
    with pytest.raises(InvalidRequest):
        units.merge_rooms(system, admin, ["room-001"], "room-003", now=NOW)
    with pytest.raises(Forbidden):
        units.merge_rooms(system, person(system, "lead-01"), ["room-003"], "room-002", now=NOW)
    assert faults(system) == []


def test_units_are_added_and_closed(system, zhang):
    admin = person(system, "admin")
    units.add_unit(system, admin, "room", "room-006", "新村", "station-02", now=NOW)
    for wrong in [
        ("room", "room-006", "重村", "station-02"),
        ("room", "room-007", "错村", "county"),
        ("room", "Room 7", "错村", "station-02"),
        ("station", "station-03", "", "county"),
        ("county", "county-2", "另一县", None),
        ("village", "room-008", "错村", "station-02"),
    ]:
        with pytest.raises(InvalidRequest):
            units.add_unit(system, admin, *wrong, now=NOW)
    for full in ("room-001", "station-01", "room-002"):  # people and clients, rooms, people
        with pytest.raises(InvalidRequest):
            units.close_unit(system, admin, full, now=NOW)
    units.close_unit(system, admin, "room-006", now=NOW)
    assert faults(system) == []


def test_a_person_moves_and_retires(system):
    admin, me = person(system, "admin"), person(system, "pt-01-1")
    units.change_person(system, admin, me.person_id, {"unit": "station-02", "workforce": "full_time"}, now=NOW)
    moved = person(system, "pt-01-1")
    assert (moved.unit_key, moved.workforce) == ("station-02", "full_time")
    with pytest.raises(StaleVersion):
        units.change_person(system, admin, me.person_id, {"active": False}, 1, now=NOW)
    for wrong in ({"workforce": "boss"}, {"partner": "child"}, {"workforce": "partner"}, {"salary": 1}):
        with pytest.raises(InvalidRequest):
            units.change_person(system, admin, me.person_id, wrong, now=NOW)
    assert faults(system) == []


def test_erasing_makes_unreadable_and_unfindable_and_the_proof_stays(system, zhang):
    with pytest.raises(Forbidden):
        commands.erase(system, person(system, "lead-01"), zhang, "本人申请", now=NOW)
    commands.erase(system, person(system, "supervisor"), zhang, "本人申请", now=NOW)
    assert find(system, "supervisor", "zs")[0] == [] and find(system, "supervisor")[0] == []
    with pytest.raises(Erased):
        read(system, "supervisor", zhang)
    with pytest.raises(Erased):
        commands.erase(system, person(system, "supervisor"), zhang, "再来一次", now=NOW)
    with system.database.read() as session:
        assert session.scalars(select(clients.ClientIndex)).all() == []
    assert faults(system) == []


def test_no_plain_column_holds_anything_personal(system, zhang):
    """Every column of every table, as the database stores it."""
    secrets = [ZHANG["name"], ZHANG["phone"], ZHANG["id_number"], ZHANG["address"], "extreme_poverty", "dementia", "林专一", "zhang"]
    with system.database.read() as session:
        for table in verification.Base.metadata.sorted_tables:
            content = repr(session.execute(select(table)).all())
            assert not any(secret in content for secret in secrets), table.name


def test_who_cannot_be_found_any_more_is_told_and_found_again(system, zhang):
    """Search tokens are no guarded rows; deleting one hid a person, and the verification said nothing."""

    def told():
        with system.database.read() as session:
            return [str(fault).split(":")[0] for fault in verification.verify(session, vault=system.vault)]

    assert told() == []
    for change in ("delete from client_index where client_id = :id", "update client_index set station_id = 'x' where client_id = :id"):
        with system.database.writing() as connection:
            connection.execute(text(change), {"id": zhang})
            connection.commit()
        assert told() == [f"client/{zhang}"]
        assert reindex(system, NOW) > 1
        assert told() == []
    with system.database.writing() as connection:
        connection.execute(text("update subject_key set wrapped = :other where subject = :who"), {"other": bytes(61), "who": f"client/{zhang}"})
        connection.commit()
    [fault] = told()
    assert fault.startswith("subject_key/")


def test_a_search_is_one_statement_that_reads_only_the_index(system, zhang):
    """What keeps a search quick over 120,000 people: no scan, and no statement a hit."""
    for number in range(12):
        register(system, f"张三{'甲乙丙丁戊己庚辛壬癸子丑'[number]}")
    for username in ("supervisor", "lead-01", "assistant-001"):
        actor, sent = person(system, username), []
        listener = lambda *call, sent=sent: sent.append(call[2:4])  # noqa: E731
        event.listen(system.database.engine, "before_cursor_execute", listener)
        with system.database.read() as session:
            records, cursor = clients.search(session, system.vault, actor, "zhang san", None, 10)
        event.remove(system.database.engine, "before_cursor_execute", listener)
        assert len(records) == 10 and cursor
        selects = [(sql, values) for sql, values in sent if sql.lstrip().upper().startswith("SELECT")]
        assert len(selects) == 1
        plan = explain(system, *selects[0])
        assert "SCAN client" not in plan and "Seq Scan on client" not in plan, plan


def explain(system, sql, values):
    sqlite = system.database.dialect == "sqlite"
    with system.database.read() as session:
        connection = session.connection()
        if not sqlite:  # a table of a dozen rows is scanned whatever the index
            connection.execute(text("SET LOCAL enable_seqscan = off"))
        rows = connection.exec_driver_sql(("EXPLAIN QUERY PLAN " if sqlite else "EXPLAIN ") + sql, values)
        return "\n".join(str(row) for row in rows)


def test_a_name_that_was_erased_is_no_actor(system):
    """A member of staff whose key is gone is left out of lists of names."""
    from engine.organisation import names_of
    from engine.vault import SubjectKey

    me = person(system, "pt-01-1")
    with system.database.unit(NOW) as unit:
        key = unit.session.get(SubjectKey, unit.session.get(Person, me.person_id).key_id)
        system.vault.destroy(key, NOW)
        unit.commit()
    with system.database.read() as session:
        assert names_of(session, system.vault, [me.person_id]) == {}


def test_another_county_sees_nothing(system, zhang):
    stranger = replace(person(system, "supervisor"), county_id="elsewhere")
    with system.database.read() as session:
        assert clients.search(session, system.vault, stranger, "张三") == ([], None)
        with pytest.raises(NotFound):
            clients.read(session, system.vault, stranger, zhang)
