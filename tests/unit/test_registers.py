"""What registers declare holds together; values and files are read however people write them."""

import csv
import io
import re
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, strategies as st

from engine import feel
from engine.calendar import Calendar, chinese_years
from engine.exceptions import InvalidForm
from engine.permissions import PERMISSION_NAMES
from engine.registers import csv_files, declaring, validity
from engine.registers.catalogue import REGISTERS, REGULATIONS
from engine.registers.csv_files import SUBJECT, SUBJECTS, WITHIN
from engine.registers.declaring import CLIENT, DATE, DATETIME, Field, Register
from engine.registers.told import MESSAGES, Told, Wrong
from engine.registers.values import clean, of_field, read_date, to_feel
from tests.support.databases import ROOT

ZONE = ZoneInfo("Asia/Shanghai")
TYPES = {getattr(declaring, name) for name in "TEXT NUMBER DATE TIME DATETIME CHOICE CHOICES BOOLEAN INSTANCE PERSON".split()}


# --- the catalogue -----------------------------------------------------------------------------------------------------------


ASKED = {key: register for key, register in REGISTERS.items() if key not in ("shifts", "indicators")}  # which no rule asks yet


@pytest.mark.parametrize("key", ASKED)
def test_the_regulation_that_a_register_stands_under_asks_it(key):
    text = (ROOT / "bpmn" / "regulations" / f"{ASKED[key].read_by}.dmn").read_text("utf-8")
    assert re.search(rf'\b(person|unit|client)\.{key}\b|"{key}"', text)


@pytest.mark.parametrize("register", REGISTERS.values(), ids=REGISTERS)
def test_a_declaration_holds_together(register: Register):
    fields = register.by_key
    assert len(fields) == len(register.fields) and {field.type for field in register.fields} <= TYPES
    for named in (register, *register.fields):
        assert named.name and named.name_en and bool(named.help) == bool(named.help_en)
    for field in register.fields:
        assert bool(field.choices) == (field.type in (declaring.CHOICE, declaring.CHOICES))
        assert len({choice.key for choice in field.choices}) == len(field.choices)
        assert all(choice.name and choice.name_en for choice in field.choices)
        assert not any(letter in choice.name + choice.name_en for choice in field.choices for letter in "、,，;；|"), "they part a cell's choices"
    for day in filter(None, (register.since, register.until)):
        assert fields[day].type in (DATE, DATETIME)
    assert register.read_by in REGULATIONS and {register.reading, register.writing} <= set(PERMISSION_NAMES)
    assert not (register.until and register.lapses)
    titles = [field.name for field in register.fields]
    assert len(set(titles)) == len(titles) and not set(titles) & {*SUBJECTS[register.about][:2], "单位"}


@pytest.mark.parametrize("register", [each for each in REGISTERS.values() if each.lapses], ids=lambda register: register.key)
def test_what_a_lapse_names_is_there(register: Register, parameters):
    lapse, fields = register.lapses, register.by_key
    named = [lapse.field, *(lapse.same or ()), lapse.longer_by, lapse.settled_by]
    chosen = [each for each in (lapse.periods, lapse.at_most) if each]
    named += [field for field, _by_value in chosen]
    named += [lapse.default[0]] if lapse.default else []
    assert set(filter(None, named)) <= set(fields)
    assert fields[lapse.field].type in (DATE, DATETIME)
    counted = [lapse.period, *(name for _field, by_value in chosen for _value, name in by_value)]
    counted += [lapse.default[1]] if lapse.default else []
    for name in filter(None, counted):
        assert name in parameters and parameters[name]["unit"] == ("months" if name.endswith("_months") else parameters[name]["unit"])
    for field, by_value in chosen:
        assert {value for value, _name in by_value} <= {choice.key for choice in fields[field].choices}
    assert lapse.renewed_by is None or lapse.renewed_by in REGISTERS


@pytest.fixture(scope="module")
def parameters() -> dict:
    import yaml

    from tests.support.databases import ROOT

    return {each["key"]: each for each in yaml.safe_load((ROOT / "bpmn" / "parameters.yaml").read_text("utf-8"))}


def test_what_is_known_of_people_served_is_sealed():
    plain = {(key, field.key) for key, each in REGISTERS.items() if each.about == CLIENT for field in each.fields if not field.sealed}
    assert plain == {("visits", name) for name in ("day", "by", "kind", "case", "task")} | {("cohorts", "worker"), ("cohorts", "from")}


# --- when something lapses ------------------------------------------------------------------------------------------------------

PARAMETERS = {"record_check_months": Decimal(12), "privacy_training_months": Decimal(12), "premises_check_months": Decimal(1),
              "premises_drill_months": Decimal(12), "cohort_visit_high_days": Decimal(7)}  # fmt: skip
LAST_DAYS = [
    ("badges", {"valid_until": "2026-12-31"}, None, date(2026, 12, 31)),
    ("certificates", {}, None, None),
    ("record_checks", {"checked_on": "2024-02-29"}, None, date(2025, 2, 28)),
    ("trainings", {"topic": "privacy", "held_on": "2026-01-31"}, None, date(2027, 1, 31)),
    ("trainings", {"topic": "induction", "held_on": "2026-01-31"}, None, None),
    ("premises", {"kind": "check", "done_on": "2026-01-31"}, None, date(2026, 2, 28)),
    ("premises", {"kind": "drill", "done_on": "2026-01-31"}, None, date(2027, 1, 31)),
    ("hotline", {"due_at": "2026-03-09", "extended_days": "5"}, None, date(2026, 3, 14)),
    ("cohorts", {"risk": "high", "from": "2026-03-01"}, None, date(2026, 3, 8)),
    ("cohorts", {"risk": "high", "from": "2026-03-01"}, date(2026, 3, 5), date(2026, 3, 12)),
    ("cohorts", {"risk": "high", "from": "2026-03-01"}, date(2026, 2, 1), date(2026, 3, 8)),
    ("cohorts", {"from": "2026-03-01"}, None, None),  # erased: nobody knows the risk
]


@pytest.mark.parametrize(("register", "values", "renewed", "last"), LAST_DAYS)
def test_the_last_good_day(register, values, renewed, last):
    assert REGISTERS[register].lapses.last_day(values, PARAMETERS, renewed) == last


def test_a_parameter_that_is_not_set_lets_nothing_lapse():
    assert REGISTERS["record_checks"].lapses.last_day({"checked_on": "2024-02-29"}, {}) is None


@given(
    until=st.dates(date(2025, 1, 1), date(2027, 1, 1)),
    start=st.datetimes(datetime(2025, 1, 1), datetime(2027, 1, 1)),
    before=st.integers(0, 90),
)
def test_looks_go_on_and_never_more_often_than_said(until, start, before):
    now, days = start.replace(tzinfo=UTC), []
    reminded = until - timedelta(days=before)
    at = validity.first_look(until, reminded, now, ZONE)
    assert at >= now
    for _ in range(6):
        following = validity.next_look(until, reminded, at, ZONE)
        longest = timedelta(days=max(before, 7) + 1) + max(timedelta(), reminded - at.astimezone(ZONE).date())
        assert following > at and following.hour == 8 and following - at <= longest
        days.append(following.date())
        at = following
    after = [day for day in days if day > until + timedelta(days=1)]
    assert all(later - earlier == timedelta(days=7) for earlier, later in zip(after, after[1:], strict=False))


def test_tickets_are_spoken_of_on_the_working_day_before():
    calendar = Calendar(ZONE, chinese_years())
    assert validity.reminded_on(date(2026, 3, 9), calendar, None) == date(2026, 3, 6)
    assert validity.reminded_on(date(2025, 10, 9), calendar, None) == date(2025, 9, 30), "the holidays of October"


# --- values -----------------------------------------------------------------------------------------------------------------------

FORMS = ("{:%Y-%m-%d}", "{:%Y/%m/%d}", "{0.year}/{0.month}/{0.day}", "{0.year}年{0.month}月{0.day}日", "{:%Y%m%d}", "{:%Y.%m.%d}", "{:%Y/%m/%d} 0:00")


@given(day=st.dates(date(1950, 1, 1), date(2100, 12, 31)), form=st.sampled_from(FORMS))
def test_dates_however_they_are_written(day, form):
    assert read_date(f" {form.format(day)} ") == day


@pytest.mark.parametrize(
    ("text", "code"),
    [("3/1/2026", "ambiguous"), ("01-03-2026", "ambiguous"), ("1.3.26", "ambiguous"), ("2026-02-30", "no_such_day"), ("soon", "date"),
     ("1066-10-14", "far"), ("46082", "date"), ("2026-3", "date"), ("２０２６年", "date"), ("2026-03-01x", "date")],
)  # fmt: skip
def test_what_is_no_date(text, code):
    with pytest.raises(Wrong) as refused:
        read_date(text)
    assert refused.value.told == Told(code)


READ = [  # register, field, what is written, what is kept (None: refused)
    ("trainings", "hours", "24", "24"),
    ("trainings", "hours", "1,000", "1000"),
    ("trainings", "hours", 7.5, "7.5"),
    ("trainings", "hours", "1001", None),
    ("trainings", "hours", True, None),
    ("trainings", "hours", "NaN", None),
    ("trainings", "hours", "1e400", None),
    ("shifts", "from", "8:30", "08:30:00"),
    ("shifts", "from", "25:00", None),
    ("shifts", "from", "830", None),
    ("profiles", "gender", "女", "female"),
    ("profiles", "gender", "Female", "female"),
    ("profiles", "gender", "f", None),
    ("profiles", "skills", "调解、法律", ["mediation", "law"]),
    ("profiles", "skills", "law; mediation", ["mediation", "law"]),
    ("profiles", "skills", ["law", "law"], ["law"]),
    ("profiles", "skills", "law; dancing", None),
    ("profiles", "skills", {"law": 1}, None),
    ("hotline", "satisfied", "是", True),
    ("hotline", "satisfied", False, False),
    ("hotline", "satisfied", "perhaps", None),
    ("hotline", "received_at", "2026-03-01 9:05", "2026-03-01T01:05:00+00:00"),
    ("hotline", "received_at", "2026-03-01T09:05:00+09:00", "2026-03-01T00:05:00+00:00"),
    ("hotline", "received_at", "2026年3月1日", "2026-02-28T16:00:00+00:00"),
    ("hotline", "due_at", "2026-03-01", "2026-03-01T15:59:59+00:00"),
    ("hotline", "due_at", "3/1/2026 9:00", None),
    ("hotline", "due_at", "2026-03-01 99:00", None),
    ("hotline", "subject", "x" * 1001, None),
    ("hotline", "subject", 12, None),
    ("hotline", "subject", "a\ud800", None),
]


@pytest.mark.parametrize(("register", "field", "written", "kept"), READ)
def test_values(register, field, written, kept):
    if kept is None:
        with pytest.raises(Wrong) as refused:
            of_field(REGISTERS[register].by_key[field], written, ZONE)
        assert refused.value.told.english
    else:
        assert of_field(REGISTERS[register].by_key[field], written, ZONE) == kept


PLAIN = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=30)
ANY = st.recursive(PLAIN, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=2))


@given(value=ANY)
def test_whatever_is_sent_is_kept_or_refused(value):
    """What is kept reads as the same again, and rules can look at it."""
    for register in REGISTERS.values():
        for field in register.fields:
            try:
                kept = of_field(field, value, ZONE)
            except Wrong:
                continue
            if kept is not None:
                assert of_field(field, kept, ZONE) == kept
                feel.encode(to_feel(register.fields, {field.key: kept}, ZONE))


def test_ends_come_after_beginnings():
    with pytest.raises(InvalidForm) as refused:
        clean(REGISTERS["absences"], {"from": "2026-03-02", "to": "2026-03-01", "kind": "leave"}, ZONE)
    assert refused.value.errors["to"].english == "It must not be before “From”"


PARTS = re.compile(r"\{\w+\}")


def test_every_message_is_in_both_languages():
    for chinese, english in MESSAGES.values():
        assert chinese and english and set(PARTS.findall(chinese)) == set(PARTS.findall(english))


# --- files ------------------------------------------------------------------------------------------------------------------------

BADGES = REGISTERS["badges"]
ENCODINGS = ["utf-8", "utf-8-sig", "gbk", "gb18030", "utf-16", "utf-16-le-mark"]


LINES = st.tuples(
    st.text("林专一何兼abc-", min_size=1, max_size=6), st.text('GP工作证0123456789,;"', min_size=1, max_size=8), st.dates(date(1950, 1, 1), date(2100, 1, 1))
)


def encoded(text: str, encoding: str) -> bytes:
    return b"\xff\xfe" + text.encode("utf-16-le") if encoding == "utf-16-le-mark" else text.encode(encoding)


@given(
    encoding=st.sampled_from(ENCODINGS),
    separator=st.sampled_from(",;\t"),
    form=st.sampled_from(FORMS[:6]),
    titles=st.lists(st.integers(0, 2), min_size=3, max_size=3),
    end=st.sampled_from(["\n", "\r\n"]),
    people=st.lists(LINES, min_size=1, max_size=4),
)
def test_files_however_they_were_saved(encoding, separator, form, titles, end, people):
    fields = BADGES.fields
    head = ["人员", *((field.name, field.name_en, field.key)[title] for field, title in zip(fields, titles, strict=True))]
    out = io.StringIO()
    writer = csv.writer(out, delimiter=separator, lineterminator=end)
    writer.writerow(head)
    for who, number, day in people:
        writer.writerow([who, number, form.format(day), form.format(day)])
    found = csv_files.read(BADGES, encoded(out.getvalue(), encoding))
    assert found.faults == []
    assert [line.subject for line in found.lines] == [who for who, _number, _day in people]
    assert [read_date(line.cells["issued_on"]) for line in found.lines] == [day for _who, _number, day in people]


HEAD = "人员,证号,发证日期,有效期至\n"
BAD_FILES = [
    (b"", [(0, "")]),
    (b"\n\n", [(0, "")]),
    (HEAD.encode(), [(0, "")]),
    (b"\xff\xfe\x00", [(0, "")]),
    (HEAD.encode("utf-16-be"), [(0, "")]),
    (b"PK\x03\x04\x14\x00\x06\x00" + bytes(range(256)), [(0, "")]),
    ("证号,发证日期,有效期至\nx,2026-01-01,2026-01-02\n".encode(), [(1, "人员")]),
    ("人员,证号,证号,发证日期,有效期至\n".encode(), [(1, "证号")]),
    ("人员,颜色,证号,发证日期,有效期至\n".encode(), [(1, "颜色")]),
    ((HEAD + "a,b,2026-01-01,2026-01-02,,x\n").encode(), [(2, "")]),
    ((HEAD + 'a,"b,2026-01-01\n').encode(), [(0, "")]),
    ((HEAD + "a,b,2026-01-01,2026-01-02\n" * 5001).encode(), [(0, "")]),
    ((HEAD + "a" * 600_000).encode(), [(0, "")]),
]


@pytest.mark.parametrize(("data", "faults"), BAD_FILES, ids=range(len(BAD_FILES)))
def test_files_that_are_none(data, faults):
    found = csv_files.read(BADGES, data)
    assert [(fault.line, fault.column) for fault in found.faults][: len(faults)] == faults
    assert all(fault.as_dict(english=True)["reason"] for fault in found.faults)


def test_lines_are_counted_as_an_editor_does():
    found = csv_files.read(REGISTERS["gifts"], '人员,何物,何人所送,报告日期\n\na,"一篮\n鸡蛋",b,2026-01-01\n\nc,x,y,z\n'.encode())
    assert [line.number for line in found.lines] == [3, 6]


@given(text=st.text("=+-@'ab\t", max_size=6))
def test_what_is_exported_is_no_formula_and_reads_as_it_was(text):
    register = Register("x", "x", "x", "unit", "", "", (Field("note", declaring.TEXT, "备注", "Note"),), "duties")
    data = csv_files.write(register, [{SUBJECT: "station-01", "note": text.strip()}])
    cell = list(csv.reader(io.StringIO(data.decode("utf-8-sig"))))[1][1]
    assert not cell.startswith(("=", "+", "-", "@", "\t", "\r"))
    (line,) = csv_files.read(register, data).lines
    assert line.cells.get("note", "") == text.strip()


@pytest.mark.parametrize("english", [False, True])
def test_what_is_exported_can_be_imported(english):
    row = {SUBJECT: "ft-01-1", WITHIN: "station-01", "gender": "female", "skills": ["minors", "law"], "joined_on": "2020-01-01"}
    (line,) = csv_files.read(REGISTERS["profiles"], csv_files.write(REGISTERS["profiles"], [row], english)).lines
    assert (line.subject, line.within) == ("ft-01-1", "station-01")
    assert clean(REGISTERS["profiles"], line.cells, ZONE) == {"gender": "female", "skills": ["minors", "law"], "joined_on": "2020-01-01"}
