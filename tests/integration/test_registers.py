"""The registers on both databases: who writes what about whom, what lapses and who hears of it, files all or nothing, erasing, backups."""

from datetime import UTC, date, datetime
from decimal import Decimal

import pytest
from sqlalchemy import event, select

from engine.audit import events as events_of
from engine.commands import registers as commands
from engine.commands.alerts import acknowledge
from engine.commands.clients import erase, move, register as register_client
from engine.commands.clock import look
from engine.commands.definitions import set_parameter
from engine.commands.organisation import change_person, merge_rooms
from engine.exceptions import EntryEnded, Erased, Forbidden, InvalidForm, NotFound, RegisterFileInvalid, StaleVersion
from engine.organisation import unit_by_key
from engine.registers import alerts, entries, posts
from engine.registers.catalogue import REGISTERS
from engine.registers.entries import RegisterEntry
from engine.vault import SubjectKey
from tests.integration.test_sealing import everything
from tests.support import tables

BADGE = {"number": "GP-001", "issued_on": "2026-01-01", "valid_until": "2026-12-31"}
VALID = {  # a plausible entry of each register
    "profiles": {"gender": "female", "skills": ["minors", "law"], "joined_on": "2020-01-01"},
    "certificates": {"kind": "social_worker", "number": "SW-欧阳", "issued_on": "2024-01-01", "registered_until": "2027-01-01"},
    "trainings": {"topic": "induction", "held_on": "2025-01-10", "hours": 24.5},
    "badges": BADGE,
    "record_checks": {"checked_on": "2025-06-01", "result": "clear", "authority": "县公安局"},
    "shifts": {"day": "2026-03-02", "from": "08:30", "to": "17:00"},
    "absences": {"from": "2026-03-02", "to": "2026-03-04", "kind": "sick", "reason": "感冒"},
    "interests": {"kind": "kinship", "party": "表舅", "declared_on": "2026-01-01"},
    "gifts": {"reported_on": "2026-02-01", "what": "鸡蛋一篮", "from_whom": "张大娘"},
    "posts": {"workforce": "full_time", "number": 3},
    "insurances": {"policy": "P-1", "covers": ["activity"], "insured_from": "2026-01-01", "insured_until": "2026-12-31"},
    "premises": {"kind": "check", "done_on": "2026-02-20", "result": "ok"},
    "hotline": {"channel": "hotline_12345", "received_at": "2026-03-02 08:00", "subject": "路灯不亮"},
    "complaints": {"received_at": "2026-03-01", "subject": "态度不好"},
    "organisations": {"name": "夕阳红服务队", "volunteers": 12, "leader": "老吴"},
    "indicators": {"indicator": "个案数", "period": "2026", "target": 100},
    "visits": {"day": "2026-03-01", "kind": "home"},
    "cohorts": {"cohort": "dementia", "risk": "high", "from": "2026-03-01"},
}
SUBJECTS = {"person": "ft-01-1", "unit": "station-01"}


def add(county, register, subject=None, values=None, who="lead-01", **more) -> str:
    subject = SUBJECTS[REGISTERS[register].about] if subject is None else subject
    given = (VALID[register] if values is None else values) | more
    return commands.add(county.system, county.act(who), register, subject, given, now=county.now)["id"]


def client(county, room="room-001", name="欧阳甲") -> str:
    return register_client(county.system, county.act("ft-01-1"), {"name": name}, room, now=county.now)["id"]


def facts(county, subject_id, *registers) -> dict:
    with county.system.database.read() as session:
        day = county.now.astimezone(county.system.zone).date()
        return entries.of_subject(session.connection(), county.system.vault, registers, subject_id, day, county.system.zone)


def lines(county, register, who="lead-01", **more) -> list[entries.Line]:
    with county.system.database.read() as session:
        day = county.now.astimezone(county.system.zone).date()
        return entries.lines(session, county.system.vault, county.act(who), [REGISTERS[register]], day, **more)[0]


def entry(county, entry_id) -> RegisterEntry:
    with county.system.database.read() as session:
        return session.get(RegisterEntry, entry_id)


def kinds(county, subject_id) -> list[str]:
    with county.system.database.read() as session:
        return [each.kind for each in events_of(session, entries.stream(subject_id))]


def person(county, who) -> str:
    return county.act(who).person_id


def test_every_register_takes_an_entry_shows_it_to_rules_and_keeps_what_is_personal_sealed(county):
    served = client(county)
    for key, register in REGISTERS.items():
        subject = served if register.about == "client" else None
        made = add(county, key, subject, who="lead-01")
        subject_id = entry(county, made).subject_id
        (fact,) = facts(county, subject_id, key)[key]
        assert fact["id"] == made and set(fact) == {"id", "since", "until", "in_force", *(field.key for field in register.judged)}
        assert fact["in_force"] is True, key
        assert not set(entry(county, made).plain) & register.sealed
        (line,) = lines(county, key)
        assert set(VALID[key]) <= set(line.values)
    assert county.faults() == []
    held = everything(county)
    for secret in ("欧阳", "感冒", "表舅", "鸡蛋", "张大娘", "路灯", "态度不好", "老吴", "sick", "dementia", "clear"):
        assert secret.encode() not in held, secret


def test_facts_are_feel_values(county):
    add(county, "trainings")
    add(county, "hotline")
    (training,) = facts(county, person(county, "ft-01-1"), "trainings")["trainings"]
    assert training["hours"] == Decimal("24.5") and training["held_on"] == date(2025, 1, 10) and training["until"] is None
    with county.system.database.read() as session:
        station = unit_by_key(session, "county", "station-01").id
    (ticket,) = facts(county, station, "hotline")["hotline"]
    assert ticket["received_at"] == datetime(2026, 3, 2, 0, 0, tzinfo=UTC) and ticket["satisfied"] is None
    assert ticket["due_at"].isoformat() == "2026-03-09T23:59:59+08:00", "five working days, by the parameter"


def test_one_statement_for_all_registers_of_a_subject(county):
    for key in ("certificates", "badges", "trainings"):
        add(county, key)
    asked = []
    with county.system.database.read() as session:
        event.listen(session.connection(), "before_cursor_execute", lambda *arguments: asked.append(arguments[2]))
        found = entries.of_subject(
            session.connection(), county.system.vault, ["certificates", "badges", "trainings", "profiles"], person(county, "ft-01-1"),
            county.now.date(), county.system.zone,
        )
    assert {key: len(held) for key, held in found.items()} == {"certificates": 1, "badges": 1, "trainings": 1, "profiles": 0}
    assert len(asked) == 1


def test_changing_and_ending(county):
    made, lead = add(county, "certificates"), county.act("lead-01")
    changed = commands.change(county.system, lead, "certificates", made, {"number": "SW-2", "registered_until": None}, 1, now=county.now)
    assert changed == {"id": made, "version": 2}
    assert commands.change(county.system, lead, "certificates", made, {"number": "SW-2"}, now=county.now)["version"] == 2, "nothing new"
    with pytest.raises(StaleVersion):
        commands.change(county.system, lead, "certificates", made, {"number": "SW-3"}, 1, now=county.now)
    with pytest.raises(InvalidForm):
        commands.change(county.system, lead, "certificates", made, {"kind": ""}, now=county.now)
    (line,) = lines(county, "certificates")
    assert line.values["number"] == "SW-2" and line.entry.until is None and line.entry.next_at is None
    with pytest.raises(InvalidForm):
        commands.end(county.system, lead, "certificates", made, "  ", now=county.now)
    commands.end(county.system, lead, "certificates", made, "登记错了人", now=county.now)
    assert facts(county, line.entry.subject_id, "certificates") == {"certificates": []}
    assert lines(county, "certificates") == []
    (gone,) = lines(county, "certificates", state="ended")
    assert (gone.reason, gone.values["number"]) == ("登记错了人", "SW-2")
    for write in (
        lambda: commands.change(county.system, lead, "certificates", made, {"number": "x"}, now=county.now),
        lambda: commands.end(county.system, lead, "certificates", made, "再来", now=county.now),
    ):
        with pytest.raises(EntryEnded):
            write()
    assert kinds(county, line.entry.subject_id) == ["register:added", "register:changed", "register:ended"]
    assert county.faults() == []


WRONG = [
    ("badges", {"valid_until": "2025-12-31"}, {"valid_until"}),
    ("badges", {"number": ""}, {"number"}),
    ("badges", {"colour": "red", "issued_on": "3/1/2026"}, {"colour", "issued_on"}),
    ("trainings", {"hours": "many"}, {"hours"}),
    ("trainings", {"hours": -1}, {"hours"}),
    ("trainings", {"topic": "dancing"}, {"topic"}),
    ("complaints", {"handler": "nobody"}, {"handler"}),
    ("visits", {"case": "20260101-XXXXXX"}, {"case"}),
    ("gifts", {"what": "x" * 201, "from_whom": "a\x01"}, {"what", "from_whom"}),
]


@pytest.mark.parametrize(("register", "more", "fields"), WRONG)
def test_what_is_wrong_is_told_field_by_field_and_nothing_is_written(county, register, more, fields):
    subject = client(county) if REGISTERS[register].about == "client" else None
    with pytest.raises(InvalidForm) as refused:
        add(county, register, subject, **more)
    assert set(refused.value.errors) == fields
    assert all(told.english for told in refused.value.errors.values())
    assert lines(county, register) == [] and county.faults() == []


# --- rights ---------------------------------------------------------------------------------------------------------------


def test_who_may_write_about_whom(county):
    served = client(county)
    cases = [  # who, register, subject, refusal
        ("lead-01", "badges", "ft-01-1", None),
        ("lead-01", "badges", "ft-02-1", InvalidForm),
        ("supervisor", "badges", "ft-02-1", None),
        ("admin", "badges", "ft-02-2", None),
        ("admin", "hotline", "station-01", Forbidden),
        ("admin", "interests", "ft-01-1", NotFound),
        ("lead-01", "hotline", "station-02", InvalidForm),
        ("auditor", "badges", "ft-01-1", Forbidden),
        ("ft-01-1", "badges", "ft-01-1", Forbidden),
        ("ft-01-1", "absences", "", None),
        ("volunteer-01-1", "absences", "volunteer-01-1", None),
        ("ft-01-1", "absences", "ft-01-2", NotFound),
        ("ft-01-1", "visits", served, None),
        ("ft-02-1", "visits", served, InvalidForm),
        ("volunteer-01-1", "visits", served, Forbidden),
        ("resident-1", "absences", "", Forbidden),
    ]
    for who, register, subject, refusal in cases:
        if refusal is None:
            assert add(county, register, subject, who=who), (who, register)
            continue
        with pytest.raises(refusal):
            add(county, register, subject, who=who)
    assert county.faults() == []


def test_people_write_about_themselves_but_do_not_approve_themselves(county):
    worker = county.act("ft-01-1")
    with pytest.raises(InvalidForm) as refused:
        add(county, "interests", "", who="ft-01-1", approved=True)
    assert set(refused.value.errors) == {"approved"}
    made = add(county, "interests", "", who="ft-01-1")
    with pytest.raises(InvalidForm):
        commands.change(county.system, worker, "interests", made, {"approved": True}, now=county.now)
    commands.change(county.system, county.act("lead-01"), "interests", made, {"approved": True}, now=county.now)
    commands.change(county.system, worker, "interests", made, {"description": "同村"}, now=county.now)
    assert lines(county, "interests")[0].values["approved"] is True
    with pytest.raises(NotFound):
        commands.end(county.system, county.act("ft-01-2"), "interests", made, "不是我的", now=county.now)


def test_who_reads_what(county):
    add(county, "badges")
    add(county, "badges", "ft-02-1", who="lead-02")
    add(county, "complaints")
    mine = add(county, "absences", "", who="ft-01-1")
    readers = ("lead-01", "lead-02", "supervisor", "auditor", "admin", "ft-01-1", "ft-01-2")
    seen = {who: len(lines(county, "badges", who)) for who in readers}
    assert seen == {"lead-01": 1, "lead-02": 1, "supervisor": 2, "auditor": 2, "admin": 2, "ft-01-1": 1, "ft-01-2": 0}
    assert [len(lines(county, "absences", who)) for who in ("ft-01-1", "ft-01-2", "admin", "lead-01", "auditor")] == [1, 0, 0, 1, 1]
    for who in ("ft-01-1", "admin", "volunteer-01-1"):
        with pytest.raises(Forbidden):
            lines(county, "complaints", who)
    with county.system.database.read() as session:
        for who in ("ft-01-2", "lead-02", "admin"):
            with pytest.raises(NotFound):
                entries.read(session, county.system.vault, county.act(who), REGISTERS["absences"], mine)
        assert entries.read(session, county.system.vault, county.act("ft-01-1"), REGISTERS["absences"], mine).values["reason"] == "感冒"
        assert set(entries.counts(session, county.act("ft-01-1"), county.now.date())) <= {"visits", "cohorts"}


def test_entries_follow_whom_they_are_about(county):
    add(county, "badges", "assistant-001")
    served = client(county)
    add(county, "visits", served, who="ft-01-1")
    change_person(county.system, county.act("admin"), person(county, "assistant-001"), {"unit": "room-004"}, now=county.now)
    assert lines(county, "badges", "lead-01") == [] and len(lines(county, "badges", "lead-02")) == 1
    move(county.system, county.act("supervisor"), served, "room-005", now=county.now)
    assert lines(county, "visits", "lead-01") == [] and len(lines(county, "visits", "lead-02")) == 1
    merge_rooms(county.system, county.act("admin"), ["room-005"], "room-004", now=county.now)
    (line,) = lines(county, "visits", "lead-02")
    assert line.entry.place_path == "county/station-02/room-004"
    assert kinds(county, served) == ["register:added", "register:moved", "register:moved"]
    assert county.faults() == []


# --- what lapses ------------------------------------------------------------------------------------------------------------

COLUMNS = [(name, "string") for name in ("rule", "effect", "message", "message_en", "notify")]
RULES = [
    ['"clock"', '"entry"', '"badges"', "[0..30]", '"lapse.soon"', '"task"', '"工作证快到期。"', '"A badge lapses soon."', '"lead"'],
    ['"clock"', '"entry"', '"badges"', "< 0", '"lapse.over"', '"task"', '"工作证已过期。"', '"A badge has lapsed."', '"lead"'],
    ['"clock"', '"entry"', '"badges"', "< -14", '"lapse.long"', '"task"', '"工作证过期两周。"', '"Two weeks."', '"supervisor"'],
    ['"clock"', '"entry"', '"hotline"', "<= 3", '"lapse.ticket"', '"task"', '"工单快到期。"', '"A ticket is due."', '"lead"'],
    ['"clock"', '"entry"', '"cohorts"', "< 0", '"lapse.visit"', '"task"', '"该探访了。"', '"A visit is due."', '"lead"'],
]


@pytest.fixture
def ruled(county):
    inputs = [("point", "string"), ("record.kind", "string"), ("record.register", "string"), ("record.days_left", "number")]
    county.deploy(**{"lapse.dmn": tables.file(tables.table(inputs, COLUMNS, RULES, hit="COLLECT", ident="lapse"))})
    return county


def waiting(county, who="lead-01") -> list[str]:
    with county.system.database.read() as session:
        return [line.alert.rule for line in alerts.waiting(session, county.system.vault, county.act(who))]


def at(county, text) -> None:
    """The clock stands at this time of the county."""
    county.now = datetime.fromisoformat(text).replace(tzinfo=county.system.zone)


def test_a_badge_is_spoken_of_30_days_before_and_after_it_lapsed_until_it_is_replaced(ruled):
    county = ruled
    badge = add(county, "badges", valid_until="2026-06-30")
    assert entry(county, badge).next_at.astimezone(county.system.zone).isoformat() == "2026-05-31T08:00:00+08:00"
    at(county, "2026-05-31T07:59")
    assert look(county.system, county.now) == 0 and waiting(county) == []
    at(county, "2026-05-31T08:00")
    assert look(county.system, county.now) == 1 and waiting(county) == ["lapse.soon"]
    assert waiting(county, "lead-02") == waiting(county, "ft-01-1") == []
    while county.now.date() < date(2026, 7, 19):
        county.pass_time(hours=12)
    assert waiting(county) == ["lapse.soon", "lapse.over"] and waiting(county, "supervisor") == ["lapse.long"], "once each"
    with county.system.database.read() as session:
        subject = person(county, "ft-01-1")
        looked = [each.facts["days_left"] for each in events_of(session, entries.stream(subject)) if each.kind == "register:lapses"]
    assert looked == [30, 0, -1, -8, -15]
    new = add(county, "badges", number="GP-002", issued_on="2026-07-19", valid_until="2027-07-19")
    assert entry(county, badge).next_at is None and entry(county, badge).state_on(county.now.date()) == "past"
    commands.end(county.system, county.act("lead-01"), "badges", new, "写错了", now=county.now)
    assert entry(county, badge).next_at is not None, "what replaced it was an error"
    assert county.faults() == []


def test_acknowledged_alerts_and_a_new_period(ruled):
    county = ruled
    badge = add(county, "badges", valid_until="2026-03-20")
    assert look(county.system, county.now) == 1, "one that lapses within the month is looked at at once"
    with county.system.database.read() as session:
        (line,) = alerts.waiting(session, county.system.vault, county.act("lead-01"))
    assert line.alert.subject == f"person/{person(county, 'ft-01-1')}" and line.told["message"] == "工作证快到期。"
    acknowledge(county.system, county.act("lead-01"), line.alert.id, "已通知换证", now=county.now)
    commands.change(county.system, county.act("lead-01"), "badges", badge, {"valid_until": "2026-04-20"}, now=county.now)
    county.pass_time(days=20)
    assert waiting(county) == ["lapse.soon"], "a new last day is a new round"
    assert county.faults() == []


def test_who_left_is_not_spoken_of_and_who_was_erased_not_looked_at(ruled):
    county = ruled
    add(county, "badges", "volunteer-01-1", valid_until="2026-03-01")
    change_person(county.system, county.act("admin"), person(county, "volunteer-01-1"), {"active": False}, now=county.now)
    served = client(county)
    cohort = add(county, "cohorts", served, who="ft-01-1")
    erase(county.system, county.act("supervisor"), served, "本人申请", now=county.now)
    county.pass_time(days=30)
    assert waiting(county) == [] and entry(county, cohort).next_at is None
    assert county.faults() == []


def test_tickets_are_spoken_of_one_working_day_before_until_they_are_answered(ruled):
    county = ruled
    ticket = add(county, "hotline", due_at="2026-03-09 12:00")  # a Monday
    assert entry(county, ticket).next_at.astimezone(county.system.zone).isoformat() == "2026-03-06T08:00:00+08:00"
    at(county, "2026-03-06T08:00")
    assert look(county.system, county.now) == 1 and waiting(county) == ["lapse.ticket"]
    change = lambda **more: commands.change(county.system, county.act("lead-01"), "hotline", ticket, more, now=county.now)  # noqa: E731
    change(extended_days=2)
    assert entry(county, ticket).until == date(2026, 3, 11)
    change(answered_at="2026-03-06 10:00", satisfied="是")
    assert entry(county, ticket).next_at is None
    assert facts(county, entry(county, ticket).subject_id, "hotline")["hotline"][0]["in_force"] is False


def test_a_cohort_is_due_anew_after_each_visit(ruled):
    county = ruled
    served = client(county)
    cohort = add(county, "cohorts", served, who="ft-01-1")
    assert entry(county, cohort).until == date(2026, 3, 8), "high risk: seven days"
    county.pass_time(days=7)
    assert waiting(county) == ["lapse.visit"]
    assert facts(county, served, "cohorts")["cohorts"][0]["in_force"] is True
    visit = add(county, "visits", served, who="ft-01-1", day="2026-03-09")
    assert entry(county, cohort).until == date(2026, 3, 16)
    commands.end(county.system, county.act("ft-01-1"), "visits", visit, "没有去", now=county.now)
    assert entry(county, cohort).until == date(2026, 3, 8)
    assert county.faults() == []


def test_another_command_notes_a_visit(county):
    from engine.commands import command

    served = client(county)
    add(county, "cohorts", served, who="ft-01-1")

    @command("test:visit", "task:complete")
    def visited(act):
        commands.note_visit(act, served, date(2026, 3, 2), act.actor.person_id, "home", "c" * 32, "t" * 32)
        return {}

    visited(county.system, county.act("ft-01-1"), now=county.now)
    (line,) = lines(county, "visits")
    assert line.values == {"day": "2026-03-02", "by": person(county, "ft-01-1"), "kind": "home", "case": "c" * 32, "task": "t" * 32}
    assert lines(county, "cohorts")[0].entry.until == date(2026, 3, 9)
    assert county.faults() == []


def test_a_station_sets_its_own_periods(county):
    set_parameter(county.system, county.act("supervisor"), "record_check_months", 6, "station-01", now=county.now)
    one, other = add(county, "record_checks"), add(county, "record_checks", "ft-02-1", who="lead-02")
    assert (entry(county, one).until, entry(county, other).until) == (date(2025, 12, 1), date(2026, 6, 1))


def test_lists_by_state_and_page(county):
    for number, until in enumerate(("2026-02-01", "2026-03-10", "2026-04-20", "2026-12-31")):
        add(county, "badges", ("ft-01-1", "ft-01-2", "pt-01-1", "assistant-001")[number], valid_until=until)
    day = county.now.date()
    assert [line.entry.until.isoformat() for line in lines(county, "badges", state="lapsing", soon=60)] == ["2026-03-10", "2026-04-20"]
    assert [line.entry.state_on(day) for line in lines(county, "badges")] == ["in_force", "in_force", "lapsing", "lapsed"]
    assert [len(lines(county, "badges", state=state)) for state in ("lapsed", "lapsing", "in_force", "past", "ended")] == [1, 1, 3, 0, 0]
    assert len(lines(county, "badges", within="county/station-01/room-001")) == 1
    assert len(lines(county, "badges", subject_id=person(county, "ft-01-2"))) == 1
    with county.system.database.read() as session:
        lead, vault = county.act("lead-01"), county.system.vault
        for state in (None, "lapsing"):
            seen, cursor, pages = [], None, 0
            while pages == 0 or cursor:
                found, cursor = entries.lines(session, vault, lead, [REGISTERS["badges"]], day, state=state, soon=60, cursor=cursor, limit=1)
                seen += [line.entry.id for line in found]
                pages += 1
            whole = [line.entry.id for line in lines(county, "badges", state=state, soon=60)]
            assert seen == whole and pages == len(whole)
        assert entries.counts(session, lead, day)["badges"] == entries.Counts(4, 1, 2, 2, 1)
        assert entries.lapsing(session, lead, day) == (1, 1) and entries.lapsing(session, county.act("lead-02"), day) == (0, 0)


# --- files --------------------------------------------------------------------------------------------------------------------


def file(county, register, text, who="lead-01", encoding="utf-8", **more) -> dict:
    return commands.import_csv(county.system, county.act(who), register, text.encode(encoding), now=county.now, **more)


def faults(county, register, text, **more) -> list[tuple[int, str]]:
    with pytest.raises(RegisterFileInvalid) as refused:
        file(county, register, text, **more)
    return [(fault.line, fault.column) for fault in refused.value.faults]


GOOD = "人员,证号,发证日期,有效期至\nft-01-1,GP-1,2026-01-01,2026/12/31\n何兼一,GP-2,2026年1月1日,20261231\n"


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gbk", "gb18030", "utf-16"])
def test_a_file_is_imported_once_however_it_was_saved(county, encoding):
    assert file(county, "badges", GOOD, encoding=encoding, preview=True) == {"added": 2, "skipped": 0}
    assert lines(county, "badges") == [], "a preview changes nothing"
    assert file(county, "badges", GOOD, encoding=encoding) == {"added": 2, "skipped": 0}
    assert {line.entry.until for line in lines(county, "badges")} == {date(2026, 12, 31)}
    assert file(county, "badges", GOOD + "assistant-001,GP-3,2026-01-01,2026-12-31\n") == {"added": 1, "skipped": 2}
    assert kinds(county, person(county, "ft-01-1")) == ["register:imported"]
    assert county.faults() == []


def test_of_a_faulty_file_nothing_is_imported_and_every_fault_is_told(county):
    text = (
        "人员,证号,发证日期,有效期至\nft-01-1,GP-1,2026-01-01,2026-12-31\nft-02-1,GP-2,2026-01-01,2026-12-31\n"
        "ft-01-2,,3/1/2026,2026-02-30\nft-01-1,GP-1,20260101,2026/12/31\n"
    )
    assert sorted(faults(county, "badges", text)) == sorted([(3, "人员"), (4, "发证日期"), (4, "有效期至"), (4, "证号"), (5, "")])
    assert lines(county, "badges") == [] and kinds(county, person(county, "ft-01-1")) == []
    assert county.faults() == []


def test_two_people_of_one_name_are_told_apart_by_their_unit(county):
    text = "人员,单位,证号,发证日期,有效期至\n朱助理,{},GP-1,2026-01-01,2026-12-31\n"
    with pytest.raises(RegisterFileInvalid) as refused:
        file(county, "badges", text.format(""))
    assert "assistant-001、assistant-002、assistant-003" in str(refused.value.faults[0].reason)
    assert file(county, "badges", text.format("李楼村"))["added"] == 1
    assert lines(county, "badges")[0].entry.subject_id == person(county, "assistant-002")


def test_units_and_clients_by_name(county):
    assert file(county, "premises", "单位\t类别\t日期\t结果\n甲镇\t检查\t2026-02-20\t正常\n", encoding="utf-16")["added"] == 1
    assert file(county, "premises", "Unit;Kind;Done on;Result\nstation-01;drill;2026-02-20;in order\n")["added"] == 1
    assert faults(county, "premises", "单位,类别,日期,结果\n乙镇,检查,2026-02-20,正常\n") == [(2, "单位")]
    served = client(county)
    client(county, "room-002", "李四")
    client(county, "room-001", "李四")
    assert faults(county, "visits", "服务对象,日期,方式,探访人\n欧阳甲,2026-03-01,上门,林专一\n") == [(2, "探访人")], "two stations have one"
    assert file(county, "visits", "服务对象,日期,方式,探访人\n欧阳甲,2026-03-01,上门,ft-01-1\n")["added"] == 1
    assert lines(county, "visits")[0].entry.subject_id == served
    assert faults(county, "visits", "服务对象,日期,方式\n李四,2026-03-01,上门\n") == [(2, "服务对象")]
    assert file(county, "visits", "服务对象,单位,日期,方式\n李四,李楼村,2026-03-01,上门\n")["added"] == 1


def test_who_may_import(county):
    for who in ("ft-01-1", "auditor", "volunteer-01-1"):
        with pytest.raises(Forbidden):
            file(county, "badges", GOOD, who=who)
    with pytest.raises(Forbidden):
        file(county, "absences", "人员,从,到,类别\nft-01-1,2026-03-01,2026-03-02,病假\n", who="admin")
    assert faults(county, "badges", GOOD, who="lead-02") == [(2, "人员")], "何兼一 is the name of somebody there too"


# --- erasing, backups, posts ------------------------------------------------------------------------------------------------------


def test_erasing_a_client_leaves_dates_and_no_secrets(county):
    served = client(county)
    cohort = add(county, "cohorts", served, who="ft-01-1")
    add(county, "visits", served, who="ft-01-1")
    erase(county.system, county.act("supervisor"), served, "本人申请", now=county.now)
    (fact,) = facts(county, served, "cohorts")["cohorts"]
    assert fact["cohort"] is None and fact["risk"] is None and fact["from"] == date(2026, 3, 1)
    with pytest.raises(Erased):
        commands.change(county.system, county.act("supervisor"), "cohorts", cohort, {"risk": "low"}, now=county.now)
    assert county.faults() == []


def test_a_destroyed_key_of_a_person_destroys_what_is_sealed(county):
    made = add(county, "record_checks")
    with county.system.database.unit(county.now) as unit:
        key = unit.session.scalar(select(SubjectKey).where(SubjectKey.subject == f"person/{person(county, 'ft-01-1')}"))
        county.system.vault.destroy(key, county.now)
        unit.commit()
    (fact,) = facts(county, entry(county, made).subject_id, "record_checks")["record_checks"]
    assert fact["result"] is None and fact["checked_on"] == date(2025, 6, 1)


def test_a_row_changed_behind_the_engines_back_is_found(county):
    made = add(county, "badges")
    with county.system.database.engine.begin() as connection:
        connection.execute(RegisterEntry.__table__.update().values(until=date(2036, 1, 1)))
    assert [fault.split(":")[0] for fault in county.faults()] == [f"register_entry/{made}"]


def test_posts_are_the_registers_or_else_the_parameters(county):
    def vacancies(who="supervisor"):
        with county.system.database.read() as session:
            found = posts.by_station(session, county.act(who), county.now.date(), lambda station: {
                "staff_full_time": Decimal(2), "staff_part_time": Decimal(2), "assistants_per_room": Decimal(1)})
        return {(line.station, line.workforce): (line.required, line.held, line.vacant) for line in found}

    first = vacancies()
    assert first["station-01", "full_time"] == (2, 2, 0) and first["station-01", "part_time"] == (2, 1, 1)
    assert first["station-01", "assistant"] == (3, 3, 0) and first["station-02", "assistant"] == (2, 2, 0)
    add(county, "posts")
    change_person(county.system, county.act("admin"), person(county, "ft-01-2"), {"active": False}, now=county.now)
    assert vacancies("lead-01") == {
        ("station-01", "full_time"): (3, 1, 2), ("station-01", "part_time"): (2, 1, 1), ("station-01", "assistant"): (3, 3, 0)
    }
