"""The history holds: whatever is changed behind the system's back is found, and the report names the place."""

import json
import random
import re

import pytest
from sqlalchemy import Boolean, text

from engine import tables, verification
from engine.audit import Event, event_hash
from engine.commands.clients import erase, register
from engine.db import Base
from engine.verification import verify
from tests.bpmn.harness import DIAGRAMS
from tests.integration.test_cases import deadline_process, two_steps

GUARDED = sorted(mapper.local_table.name for mapper in Base.registry.mappers if hasattr(mapper.class_, "__stream__"))


@pytest.fixture
def filled(county):
    """A county with cases that run, wait for timers, are done and are cancelled."""
    county.deploy(**two_steps())
    county.deploy(**deadline_process())
    done = county.start("two_steps")["id"]
    county.do("ft-01-1", done, "ask", {"amount": 1})
    county.do("ft-01-1", done, "check")
    county.start("two_steps")
    county.start("deadline")
    assert county.faults() == []
    return county


def behind(county, statement: str, **values) -> int:
    """What somebody with the database's password can do."""
    with county.system.database.engine.begin() as connection:
        if connection.dialect.name == "sqlite":
            connection.exec_driver_sql("PRAGMA foreign_keys=OFF")
        else:
            connection.exec_driver_sql("SET session_replication_role = replica")
        return connection.execute(text(statement), values).rowcount


def rows(county, statement: str):
    with county.system.database.read() as session:
        return session.execute(text(statement)).all()


def test_what_is_guarded():
    """A new table that holds what people rely on belongs in this list."""
    assert {"task", "instance", "timer", "definition", "definition_version", "definition_resource", "parameter"} <= set(GUARDED)
    assert {"unit", "person", "account", "client", "calendar_year"} <= set(GUARDED)
    unguarded = set(Base.metadata.tables) - set(GUARDED)
    assert unguarded == {
        "event", "stream",  # the history itself
        "subject_key",  # destroyed by erasure
        "idempotency_key", "access_token", "sign_in_failure",  # pass away
        "rerun",  # its start and end are events, its progress is none; what it found can be found again
        "client_index", "person_index",  # made from sealed data, deleted by erasure
    }  # fmt: skip


@pytest.mark.parametrize(
    ("statement", "place"),
    [
        ("UPDATE task SET holder_id = NULL WHERE status = 'completed'", "task/"),
        ("UPDATE task SET due_at = '2030-01-01 00:00:00+00:00'", "task/"),
        ("UPDATE instance SET status = 'completed' WHERE status = 'active'", "instance/"),
        ("UPDATE instance SET sealed_state = (SELECT max(sealed_name) FROM person)", "instance/"),
        ("UPDATE timer SET next_at = '2030-01-01 00:00:00+00:00'", "timer/"),
        ("DELETE FROM timer", "timer/"),
        ("DELETE FROM task WHERE status = 'offered'", "task/"),
        ("DELETE FROM parameter WHERE key = 'intake_days'", "parameter/"),
        ("UPDATE parameter SET value = '999' WHERE key = 'intake_days'", "parameter/"),
        ("UPDATE definition_resource SET content = (SELECT max(sealed_name) FROM person)", "definition_resource/"),
        ("UPDATE definition_version SET status = 'draft'", "definition_version/"),
        ("UPDATE account SET roles = '[\"supervisor\"]' WHERE username = 'volunteer-01-1'", "account/"),
        ("UPDATE unit SET name = '别的村' WHERE key = 'room-001'", "unit/"),
        ("UPDATE calendar_year SET holidays = '{}'", "calendar_year/"),
        ("DELETE FROM event WHERE kind = 'task:claimed'", "#|case_member/"),  # the row that the event wrote has no event now
        ("UPDATE event SET facts = '{}' WHERE kind = 'task:completed'", "#"),
        ("UPDATE event SET actor_id = NULL WHERE kind = 'task:claimed'", "#"),
        ("UPDATE event SET sealed = (SELECT max(sealed_name) FROM person) WHERE sealed IS NOT NULL", "#"),
        ("UPDATE stream SET seq = seq - 1", "#"),
    ],
)
def test_a_change_by_hand_is_found_and_its_place_named(filled, statement, place):
    assert behind(filled, statement) > 0
    faults = filled.faults()
    assert faults
    assert all(re.search(place, fault) for fault in faults), faults


def test_a_forged_row_is_found(filled):
    columns = "county_id, instance_id, token, element, status, groups, workforce, users, excluded, place_path, station_id, holder_id, "
    columns += "offered_at, claimed_at, ended_at, due_at, due_provisional, priority, revision"
    behind(filled, f"INSERT INTO task (id, {columns}) SELECT 'forged', {columns} FROM task WHERE status = 'completed' AND element = 'ask'")
    assert [fault.split(":")[0] for fault in filled.faults()] == ["task/forged"]


def test_a_table_that_cannot_be_compared_is_a_fault(filled, monkeypatch):
    """A caller that had not imported every table was told "clean", though nothing had been compared."""
    known = verification._guarded()
    monkeypatch.setattr(verification, "_guarded", lambda: {name: model for name, model in known.items() if name != "task"})
    assert "table_unknown" in "".join(filled.faults())


@pytest.mark.parametrize(
    ("statement", "code"),
    [
        ("UPDATE subject_key SET wrapped = :empty WHERE subject LIKE 'instance/%'", "key_destroyed"),
        ("UPDATE subject_key SET destroyed_at = created_at WHERE subject LIKE 'person/%'", "key_destroyed"),
        ("UPDATE subject_key SET subject = 'instance/x' WHERE subject LIKE 'instance/%'", "key_missing"),
        ("DELETE FROM subject_key WHERE subject LIKE 'instance/%'", "key_missing"),
    ],
)
def test_content_cannot_be_destroyed_by_its_key_unnoticed(filled, statement, code):
    behind(filled, statement, **({"empty": b""} if ":empty" in statement else {}))
    assert {fault.rsplit("[", 1)[1] for fault in filled.faults()} == {f"{code}]"}


def test_an_erasure_cannot_be_undone_unnoticed(filled):
    client = register(filled.system, filled.act("ft-01-1"), {"name": "张三"}, "room-001", now=filled.now)["id"]
    [kept] = rows(filled, f"SELECT wrapped FROM subject_key WHERE subject = 'client/{client}'")
    erase(filled.system, filled.act("supervisor"), client, "本人要求", now=filled.now)
    assert filled.faults() == []
    behind(filled, "UPDATE subject_key SET wrapped = :kept WHERE subject = :s", kept=kept.wrapped, s=f"client/{client}")
    assert ["[key_restored]" in fault for fault in filled.faults()] == [True]


def test_the_last_events_cannot_be_cut_off(filled):
    instance = rows(filled, "SELECT id FROM instance WHERE status = 'completed'")[0].id
    behind(filled, "DELETE FROM event WHERE stream = :s AND seq > 5", s=f"instance/{instance}")
    faults = filled.faults()
    assert any(f"instance/{instance}#6" in fault for fault in faults)


def test_two_events_cannot_change_places(filled):
    instance = rows(filled, "SELECT id FROM instance WHERE status = 'completed'")[0].id
    for old, new in ((3, 1003), (4, 3), (1003, 4)):
        behind(filled, "UPDATE event SET seq = :new WHERE stream = :s AND seq = :old", s=f"instance/{instance}", old=old, new=new)
    assert any("#3" in fault for fault in filled.faults())


def test_an_event_with_a_hash_made_right_again_breaks_the_chain_after_it(filled):
    """Recomputing one hash is not enough; recomputing all to the end is what signed checkpoints are for."""
    with filled.system.database.read() as session:
        event = session.query(Event).filter(Event.kind == "task:claimed").first()
        values = {column.name: getattr(event, column.name) for column in Event.__table__.c}
    values["actor_id"] = filled.act("lead-01").person_id
    behind(
        filled,
        "UPDATE event SET actor_id = :a, hash = :h WHERE stream = :s AND seq = :n",
        a=values["actor_id"], h=event_hash(values), s=values["stream"], n=values["seq"],
    )  # fmt: skip
    assert any(f"{values['stream']}#{values['seq'] + 1}" in fault and "chain_broken" in fault for fault in filled.faults())


@pytest.mark.soak
def test_random_tampering_is_found(filled, campaign):
    """Any column of any guarded row or event, changed to another value of its kind, is found; nothing else is reported."""
    dice = random.Random(20261124)
    for _ in range(campaign(15, 1000)):
        table = dice.choice([name for name in [*GUARDED, "event", "event"] if rows(filled, f"SELECT 1 FROM {name} LIMIT 1")])
        columns = Base.metadata.tables[table].c
        key = [column.name for column in columns if column.primary_key]
        victim = dice.choice(rows(filled, f"SELECT * FROM {table}"))._mapping
        column = dice.choice([column.name for column in columns if column.name not in key])
        where = " AND ".join(f"{name} = :k_{name}" for name in key)
        keys = {f"k_{name}": victim[name] for name in key}
        boolean = isinstance(columns[column].type, Boolean)
        other = not victim[column] if boolean else _other(victim[column], column, dice)
        behind(filled, f"UPDATE {table} SET {column} = :v WHERE {where}", v=other, **keys)
        assert filled.faults(), (table, column)
        behind(filled, f"UPDATE {table} SET {column} = :v WHERE {where}", v=victim[column], **keys)
    assert filled.faults() == []


def test_verify_reads_in_bounded_steps_and_tells_its_progress(filled):
    seen = []
    with filled.system.database.read() as session:
        assert list(verify(session, lambda done, total: seen.append((done, total)))) == []
    assert seen[-1][0] == seen[-1][1] > 0
    assert tables.Base


def _other(value, column: str, dice: random.Random):
    """Another value of the same kind."""
    if isinstance(value, int):
        return value + dice.randint(1, 9)
    if isinstance(value, bytes | memoryview):
        content = bytearray(value)
        content[dice.randrange(len(content))] ^= 1 << dice.randrange(8)
        return bytes(content)
    if value is None:
        return {"valid_to": "2030-01-01"}.get(column, "2030-01-01 00:00:00+00:00" if column.endswith("_at") or column == "until" else "x")
    if not isinstance(value, str):  # a date or time of PostgreSQL
        return value.replace(year=2031)
    try:
        json.loads(value)
        return '{"x": 1}' if value != '{"x": 1}' else "{}"
    except ValueError:
        pass
    if column.endswith("_at") or column in ("valid_from", "valid_to"):
        return value.replace(value[:4], "2031", 1)
    return value[:-1] + ("x" if value[-1:] != "x" else "y") if value else "x"


def test_the_next_version_of_a_procedure_that_starts_on_schedule_leaves_no_fault(county):
    """A row that came in the place of one removed in the same transaction was said to be gone: the verification found it restored."""
    diagram = (DIAGRAMS / "timer_start.bpmn").read_bytes()
    to_whom = b'<zeebe:assignmentDefinition candidateGroups="full_time"/>'
    diagram = re.sub(rb"<zeebe:formDefinition[^>]*>", to_whom, diagram)
    for _version in range(3):
        county.deploy(**{"timer_start.bpmn": diagram})
        assert county.faults() == []
    assert rows(county, "SELECT count(*) FROM start_timer") == [(2,)]
