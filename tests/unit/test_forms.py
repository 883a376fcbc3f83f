"""Forms, component by component: what is read from a submission, and which rule refuses it."""

from datetime import UTC, date, datetime, time
from decimal import Decimal

import pytest

from engine.exceptions import InvalidForm
from engine.forms import compile_form
from tests.support.forms import CHINA, CLOCK, faults, goals, moment, number, options, read, schema, text


def test_text_keeps_what_was_typed_in_normal_form():
    assert read(text(), {"a": " 张\r\n三\t"}) == {"a": " 张 三 "}
    assert read({"type": "textarea", "key": "a"}, {"a": "一\r\n二\r三"}) == {"a": "一\n二\n三"}
    assert read(text(), {"a": "e\u0301"}) == {"a": "\u00e9"}


@pytest.mark.parametrize("bad", ["\ud800", "a\x00b", "\x1b[31m", "\u202egnp.exe", "\ufffe"])
def test_text_that_cannot_be_stored_is_refused(bad):
    assert faults(text(), {"a": bad}) == {"a": "bad_characters"}


@pytest.mark.parametrize("wrong", [1, 1.5, True, [], {}, ["a"]])
def test_text_must_be_text(wrong):
    assert faults(text(), {"a": wrong}) == {"a": "wrong_text"}


def test_ten_megabytes_are_refused_at_once():
    assert faults(text(), {"a": "水" * 10_000_000}) == {"a": "too_long"}
    assert faults(text(), {"a": "x" * 10_001}) == {"a": "too_long"}
    assert faults({"type": "checklist", "key": "c", "values": options("x")}, {"c": ["x"] * 1_000_000}) == {"c": "wrong_choices"}


def test_a_rule_may_allow_more_text_than_the_cap():
    form = {"type": "textarea", "key": "a", "validate": {"maxLength": 20_000}}
    assert len(read(form, {"a": "x" * 20_000})["a"]) == 20_000


@pytest.mark.parametrize(
    ("raw", "value"), [(3, "3"), (0.1, "0.1"), (-2.50, "-2.5"), (0, "0"), (-0.0, "0"), (10**33, str(10**33)), (Decimal("1.20"), "1.20")]
)
def test_numbers_are_exact(raw, value):
    assert read(number(), {"n": raw}) == {"n": Decimal(value)}


def test_numbers_that_a_json_reader_would_round_may_be_text():
    long = "1234567890.12345678901234567"
    assert read(number(), {"n": long}) == {"n": Decimal(long)}
    assert compile_form(schema(number())).data({"n": Decimal(long)}) == {"n": long}


@pytest.mark.parametrize("wrong", ["3", "1e5", True, [3], {"n": 3}, float("nan"), float("inf")])
def test_numbers_must_be_numbers(wrong):
    assert faults(number(), {"n": wrong}) == {"n": "wrong_number"}


@pytest.mark.parametrize("long", [10**34, 1e300, 1e-300, Decimal("1e-40")])
def test_numbers_have_34_digits(long):
    assert faults(number(), {"n": long}) == {"n": "digits"}


def test_numbers_as_text():
    form = number(serializeToString=True)
    assert read(form, {"n": "12345678901234567890.10"}) == {"n": "12345678901234567890.1"}
    assert read(form, {"n": 7}) == {"n": "7"}
    assert faults(form, {"n": "七"}) == {"n": "wrong_number"}


@pytest.mark.parametrize(
    ("rules", "value", "code"),
    [
        ({"decimalDigits": 0}, 1.5, "integer"),
        ({"decimalDigits": 1}, 1.25, "decimals"),
        ({"increment": 0.5}, 1.3, "step"),
        ({"validate": {"min": 0}}, -1, "too_small"),
        ({"validate": {"max": "10"}}, 10.5, "too_large"),
        ({"validate": {"max": "=limit"}}, 6, "too_large"),
        ({"validate": {"required": True}}, None, "required"),
    ],
)
def test_rules_of_numbers(rules, value, code):
    assert faults(number(**rules), {"n": value}, {"limit": Decimal(5)}) == {"n": code}


def test_decimals_and_steps_count_exactly():
    assert read(number(decimalDigits=1, increment=0.1), {"n": 0.3}) == {"n": Decimal("0.3")}
    assert read(number(validate={"max": "=limit"}), {"n": 6}, {"limit": None}) == {"n": Decimal(6)}
    message = "应为 0.5 的整数倍，例如 1 或 1.5。"
    with pytest.raises(InvalidForm) as refusal:
        read(number(increment="0.5"), {"n": 1.3})
    assert refusal.value.errors == {"n": message}


@pytest.mark.parametrize(
    ("form", "raw", "value"),
    [
        (moment("date"), "2026-02-28", date(2026, 2, 28)),
        (moment("time"), "09:30", time(9, 30)),
        (moment("time", timeSerializingFormat="utc_offset"), "09:30", time(9, 30, tzinfo=CHINA)),
        (moment("time", timeSerializingFormat="utc_normalized"), "09:30", time(1, 30, tzinfo=UTC)),
        (moment("datetime"), "2026-02-28T09:30", datetime(2026, 2, 28, 9, 30)),
        (moment("datetime", timeSerializingFormat="utc_offset"), "2026-02-28T09:30", datetime(2026, 2, 28, 9, 30, tzinfo=CHINA)),
        (moment("datetime", timeSerializingFormat="utc_offset"), "2026-02-28T01:30Z", datetime(2026, 2, 28, 9, 30, tzinfo=CHINA)),
        (moment("datetime", timeSerializingFormat="utc_normalized"), "2026-02-28T02:00", datetime(2026, 2, 27, 18, tzinfo=UTC)),
        (moment("datetime"), "2026-02-28T01:30+00:00", datetime(2026, 2, 28, 9, 30)),
        (moment("date"), None, None),
    ],
)
def test_dates_and_times(form, raw, value):
    found = read(form, {"d": raw})["d"]
    assert (found, getattr(found, "tzinfo", None)) == (value, getattr(value, "tzinfo", None))


@pytest.mark.parametrize(
    ("subtype", "wrong"),
    [("date", "2026-02-30"), ("date", "2026-2-3"), ("date", "2026-02-28T09:30"), ("date", 20260228), ("date", ""), ("date", "２０２６-02-28")]
    + [("time", "25:00"), ("time", "9:30"), ("datetime", "2026-02-28"), ("datetime", "2026-02-28T09"), ("date", "0" * 1000)],
)
def test_wrong_dates(subtype, wrong):
    assert faults(moment(subtype), {"d": wrong}) == {"d": f"wrong_{subtype}"}


def test_past_dates_where_they_are_not_allowed():
    form = moment("date", disallowPassedDates=True)
    assert faults(form, {"d": "2026-11-23"}) == {"d": "past_date"}
    assert read(form, {"d": "2026-11-24"}) == {"d": date(2026, 11, 24)}
    # What stood there before may stay.
    assert read(form, {"d": "2020-01-01"}, {"d": date(2020, 1, 1)}) == {"d": date(2020, 1, 1)}


def test_checkbox():
    box = {"type": "checkbox", "key": "c"}
    assert read(box, {"c": True}) == {"c": True}
    assert read(box, {}) == {"c": False}
    assert faults(box, {"c": "true"}) == {"c": "wrong_check"}
    assert faults({**box, "validate": {"required": True}}, {"c": False}) == {"c": "required_check"}


@pytest.mark.parametrize("kind", ["radio", "select"])
def test_one_choice(kind):
    form = {"type": kind, "key": "c", "values": [*options("甲", "乙"), {"label": "三", "value": 3}, {"value": True}]}
    assert read(form, {"c": "甲"}) == {"c": "甲"}
    assert read(form, {"c": 3}) == {"c": Decimal(3)}
    assert read(form, {"c": None}) == {"c": None}
    for wrong in ("丙", 1, "3", ["甲"], {"value": "甲"}, False):
        assert faults(form, {"c": wrong}) == {"c": "wrong_choice"}
    assert faults({**form, "validate": {"required": True}}, {}) == {"c": "required_choice"}


@pytest.mark.parametrize("kind", ["checklist", "taglist"])
def test_many_choices(kind):
    form = {"type": kind, "key": "c", "values": options("甲", "乙")}
    assert read(form, {"c": ["乙", "甲", "乙"]}) == {"c": ["乙", "甲"]}
    assert read(form, {"c": None}) == {"c": []}
    assert faults(form, {"c": ["丙"]}) == {"c": "wrong_choice"}
    assert faults(form, {"c": "甲"}) == {"c": "wrong_choices"}
    assert faults({**form, "validate": {"required": True}}, {"c": []}) == {"c": "required_choices"}


def test_options_from_variables_and_expressions():
    keyed = {"type": "select", "key": "c", "valuesKey": "rooms"}
    rooms = [{"label": "张庄", "value": {"id": Decimal(1)}}, "李楼", None, {"label": "空"}]
    assert read(keyed, {"c": {"id": 1}}, {"rooms": rooms}) == {"c": {"id": Decimal(1)}}
    assert faults(keyed, {"c": "空"}, {"rooms": rooms}) == {"c": "wrong_choice"}
    assert faults(keyed, {"c": "李楼"}, {}) == {"c": "wrong_choice"}
    computed = [text("picked"), {"type": "select", "key": "c", "valuesExpression": "=rooms[town = picked].name"}]
    rooms = [{"town": "甲镇", "name": "张庄"}, {"town": "乙镇", "name": "赵屯"}]
    assert read(computed, {"picked": "乙镇", "c": "赵屯"}, {"rooms": rooms}) == {"picked": "乙镇", "c": "赵屯"}
    assert faults(computed, {"picked": "甲镇", "c": "赵屯"}, {"rooms": rooms}) == {"c": "wrong_choice"}
    # What the variable holds and is no longer offered opens as nothing; it was never chosen by this person.
    assert read(computed, {"picked": "甲镇"}, {"rooms": rooms, "c": "赵屯"}) == {"picked": "甲镇", "c": None}


@pytest.mark.parametrize(
    ("rules", "value", "code"),
    [
        ({"required": True}, "  \u3000", "required"),
        ({"minLength": 3}, " 两字 ", "too_short"),
        ({"maxLength": 2}, "三个字", "too_long"),
        ({"maxLength": "=most"}, "三个字", "too_long"),
        ({"pattern": "^[0-9]+$"}, "１２", "pattern"),
        ({"pattern": r"^\d+$", "patternErrorMessage": "请填数字"}, "a", "请填数字"),
        ({"validationType": "email"}, "a@", "email"),
        ({"validationType": "email"}, "a" * 400 + "@b.cn", "email"),
        ({"validationType": "phone"}, "12", "phone"),
    ],
)
def test_rules_of_text(rules, value, code):
    assert faults(text(validate=rules), {"a": value}, {"most": Decimal(2)}) == {"a": code}


@pytest.mark.parametrize("good", ["13800138000", "+8613800138000", "0530-7321234", "05307321234-12", "400-800-1234", "110", "12345"])
def test_telephone_numbers_as_people_write_them(good):
    assert read(text(validate={"validationType": "phone"}), {"a": good}) == {"a": good}


def test_empty_optional_fields_are_not_held_to_their_rules():
    assert read(text(validate={"minLength": 3, "pattern": "^x$", "validationType": "email"}), {"a": ""}) == {"a": ""}


def test_a_pattern_cannot_run_away():
    form = compile_form(schema(text(validate={"pattern": "^(a+)+$"})))
    with pytest.raises(InvalidForm):
        form.read({"a": "a" * 5_000 + "b"}, {}, CLOCK)


def test_groups_and_dotted_keys_make_contexts():
    form = [{"type": "group", "path": "client", "components": [text("name"), text("address.street")]}, text("client.age")]
    submitted = {"client": {"name": "张三", "address": {"street": "水泊路"}, "age": "71"}}
    assert read(form, submitted) == submitted
    # The variable is written whole, so what the form does not show stays in it.
    before = {"client": {"id": "c1", "name": "李四", "address": {"city": "梁山"}}}
    found = read(form, submitted, before)["client"]
    assert found == {"id": "c1", "name": "张三", "address": {"city": "梁山", "street": "水泊路"}, "age": "71"}
    assert before == {"client": {"id": "c1", "name": "李四", "address": {"city": "梁山"}}}


def test_dynamic_lists():
    assert read(goals(), {"goals": [{"t": "a", "w": 1}, {"t": "b"}]}) == {"goals": [{"t": "a", "w": Decimal(1)}, {"t": "b", "w": None}]}
    assert read(goals(), {"goals": []}) == {"goals": []}
    assert faults(goals(), {"goals": [{"t": "a"}, {"t": "", "w": "x"}]}) == {"goals[1].t": "required", "goals[1].w": "wrong_number"}
    assert faults(goals(), {"goals": {"0": {"t": "a"}}}) == {"goals": "wrong_list", "goals[0].t": "required"}
    assert faults(goals(), {"goals": ["a", None]}) == {"goals[0]": "wrong_group", "goals[0].t": "required", "goals[1].t": "required"}
    assert faults(goals(), {"goals": [{"t": "a"}] * 5000}) == {"goals": "too_many_items"}
    bounded = goals(properties={"minItems": "1", "maxItems": "2"})
    assert faults(bounded, {"goals": []}) == {"goals": "too_few_items"}
    assert faults(bounded, {"goals": [{"t": "a"}] * 3}) == {"goals": "too_many_items"}


def test_lists_of_fixed_entries_keep_what_the_form_does_not_show():
    form = goals(allowAddRemove=False, components=[text("t", readonly=True), number("w")])
    before = {"goals": [{"id": "g1", "t": "吃饭"}, {"id": "g2", "t": "走路"}]}
    found = read(form, {"goals": [{"w": 1}, {"w": 2, "t": "偷改"}]}, before)
    assert found == {"goals": [{"id": "g1", "t": "吃饭", "w": Decimal(1)}, {"id": "g2", "t": "走路", "w": Decimal(2)}]}
    assert faults(form, {"goals": [{"w": 1}]}, before) == {"goals": "fixed_items"}
    assert faults(form, {"goals": [{"w": 1}] * 3}, before) == {"goals": "fixed_items"}


def test_a_readonly_list_comes_from_the_server():
    before = {"goals": [{"t": "吃饭", "w": Decimal(3)}]}
    assert read(goals(readonly=True), {"goals": [{"t": "偷改"}, {"t": "多出"}]}, before) == before


def test_lists_inside_lists():
    form = {
        "type": "dynamiclist",
        "path": "a",
        "components": [{"type": "dynamiclist", "path": "b", "components": [text("c", conditional={"hide": "=parent.hide"})]}]
        + [{"type": "checkbox", "key": "hide"}],
    }
    submitted = {"a": [{"hide": False, "b": [{"c": "x"}]}, {"hide": True, "b": [{"c": "y"}, {"c": "z"}]}]}
    assert read(form, submitted) == {"a": [{"hide": False, "b": [{"c": "x"}]}, {"hide": True, "b": [{}, {}]}]}
