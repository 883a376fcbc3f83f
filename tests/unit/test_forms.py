"""Forms: what compiles, what is read from a submission, what is shown."""

import json
import re
from datetime import UTC, date, datetime, time, timedelta, timezone
from decimal import Decimal

import pytest

from engine.exceptions import DeployRefused, InvalidForm
from engine.forms import Message, compile_form, examine_form
from tests.support.forms import CLOCK, EVERYTHING, options, schema

CHINA = timezone(timedelta(hours=8))


def read(components, submitted, variables=None):
    """What a form of `components` (one, or a list) makes of `submitted`."""
    components = components if isinstance(components, list) else [components]
    return compile_form(schema(*components)).read(submitted, variables or {}, CLOCK)


def faults(components, submitted, variables=None) -> dict[str, str]:
    """Path → code of each error."""
    with pytest.raises(InvalidForm) as refusal:
        read(components, submitted, variables)
    return {path: getattr(message, "code", str(message)) for path, message in refusal.value.errors.items()}


def codes(*components, **root) -> list[tuple[str | None, str]]:
    """Element and code of each finding."""
    return [(finding.element, finding.code) for finding in examine_form(schema(*components, **root))]


def text(key="a", **more):
    return {"type": "textfield", "key": key, **more}


def number(key="n", **more):
    return {"type": "number", "key": key, **more}


def moment(subtype, key="d", **more):
    return {"type": "datetime", "key": key, "subtype": subtype, **more}


# --- each component ------------------------------------------------------------------------------------------------------


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


def goals(**more):
    return {"type": "dynamiclist", "path": "goals", "components": [text("t", validate={"required": True}), number("w")], **more}


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


# --- who decides -----------------------------------------------------------------------------------------------------------


def test_hidden_fields_are_dropped_and_not_checked():
    form = [text("kind"), text("why", validate={"required": True}, conditional={"hide": '=kind != "其他"'})]
    assert read(form, {"kind": "甲", "why": "x"}) == {"kind": "甲"}
    assert faults(form, {"kind": "其他"}) == {"why": "required"}
    assert read(form, {"kind": "甲", "why": 5}) == {"kind": "甲"}


def test_what_a_hidden_group_holds_is_hidden():
    group = {"type": "group", "conditional": {"hide": "=no"}, "components": [text("a"), goals()]}
    assert read([{"type": "checkbox", "key": "no"}, group], {"no": True, "a": "x", "goals": []}) == {"no": True}


def test_a_hidden_field_counts_with_the_value_it_opened_with():
    """As in form-js: `b` depends on `a`, which is hidden, so what was typed into it must not count."""
    form = [
        {"type": "checkbox", "key": "no"},
        text("a", conditional={"hide": "=no"}),
        text("b", conditional={"hide": '=a != "x"'}),
    ]
    assert read(form, {"no": True, "a": "x", "b": "1"}) == {"no": True}
    assert read(form, {"no": True, "a": "z", "b": "1"}, {"a": "x"}) == {"no": True, "b": "1"}


def test_conditions_are_run_until_nothing_changes():
    chain = [text("f0")] + [text(f"f{n}", conditional={"hide": f'=f{n - 1} != "x"'}) for n in range(1, 6)]
    assert read(chain, {f"f{n}": "x" for n in range(6)} | {"f0": "y"}) == {"f0": "y"}
    assert read(chain, {f"f{n}": "x" for n in range(6)}) == {f"f{n}": "x" for n in range(6)}


def test_conditions_that_contradict_each_other_end():
    form = [text("a", conditional={"hide": '=b = "x"'}), text("b", conditional={"hide": '=a = "x"'})]
    assert isinstance(read(form, {"a": "x", "b": "x"}), dict)


@pytest.mark.parametrize(("condition", "hidden"), [("=n > 5", True), ("=not(n > 5)", False), ('=not("x" = "y")', True), ("=n", True), ("=5", False)])
def test_null_in_a_condition_is_what_it_is_in_form_js(condition, hidden):
    assert read([text("a", conditional={"hide": condition})], {}) == ({} if hidden else {"a": ""})


def test_readonly_and_disabled_fields_come_from_the_server():
    before = {"a": "旧", "b": "旧", "c": "旧"}
    form = [text("a", readonly=True), text("b", disabled=True), text("c", readonly="=lock"), {"type": "checkbox", "key": "lock"}]
    new = {"a": "新", "b": "新", "c": "新"}
    assert read(form, new | {"lock": True}, before) == {"a": "旧", "c": "旧", "lock": True}
    assert read(form, new | {"lock": False}, before) == {"a": "旧", "c": "新", "lock": False}
    assert read(form, {"a": 5, "b": [], "c": {}, "lock": True}, before) == {"a": "旧", "c": "旧", "lock": True}
    # Nobody can fill in a field that is read-only, so its rules do not block.
    assert read(text("a", readonly=True, validate={"required": True}), {}) == {"a": ""}


def test_computed_fields_are_computed_here():
    total = {"type": "expression", "key": "total", "expression": "=sum(goals.w)"}
    twice = {"type": "expression", "key": "twice", "expression": "=total * 2"}
    last = {"type": "expression", "key": "last", "expression": "=twice + 1", "computeOn": "presubmit"}
    found = read([last, twice, total, goals()], {"total": 99, "twice": 1, "goals": [{"t": "a", "w": 2}, {"t": "b", "w": 3}]})
    assert {key: found[key] for key in ("total", "twice", "last")} == {"total": 5, "twice": 10, "last": 11}


def test_required_may_be_an_expression():
    form = [{"type": "checkbox", "key": "c"}, text("a", validate={"required": "=c"})]
    assert faults(form, {"c": True}) == {"a": "required"}
    assert read(form, {"c": False}) == {"c": False, "a": ""}


def test_unknown_names_are_errors():
    form = [{"type": "group", "path": "g", "components": [text("a")]}, goals()]
    submitted = {"g": {"a": "", "x": 1}, "approved": True, "__proto__": {}, "goals": [{"t": "a", "role": "admin"}], "b\x1b\ud800": 1}
    assert faults(form, submitted) == dict.fromkeys(["g.x", "approved", "__proto__", "goals[0].role", "b��"], "unknown")
    assert faults(form, {"g": [], "goals": []}) == {"g": "wrong_group"}
    assert faults(form, []) == {"": "wrong_group", "goals[0].t": "required"}


def test_a_flood_of_unknown_names_gives_a_short_answer():
    assert len(faults(text(), {f"k{n}": n for n in range(10_000)})) <= 100


def test_what_is_missing_is_what_the_form_opened_with():
    form = [text("a"), text("b", defaultValue="缺省"), number("n", defaultValue="3"), {"type": "checklist", "key": "c", "values": options("x")}]
    assert read(form, {}, {"a": "旧"}) == {"a": "旧", "b": "缺省", "n": Decimal(3), "c": []}
    assert read(form, {"a": None, "b": None, "n": None}, {"a": "旧"}) == {"a": "", "b": "", "n": None, "c": []}


def test_variables_of_other_types_open_as_form_js_opens_them():
    form = compile_form(
        schema(
            text("a"),
            number("n"),
            moment("date"),
            {"type": "checkbox", "key": "c"},
            {"type": "select", "key": "s", "values": options("x")},
            {"type": "checklist", "key": "m", "values": options("x", "y")},
            goals(),
        )
    )
    variables = {"a": Decimal("1.50"), "n": "12", "d": "2026-01-02", "c": "yes", "s": "gone", "m": ["y", "gone"], "goals": "none"}
    opened = {"a": "1.5", "n": 12, "d": "2026-01-02", "c": False, "s": None, "m": ["y"], "goals": [{"t": "", "w": None}]}
    assert form.data(variables) == opened
    assert form.data({}) == {"a": "", "n": None, "d": None, "c": False, "s": None, "m": [], "goals": [{"t": "", "w": None}]}


# --- what is shown -----------------------------------------------------------------------------------------------------------


def seen(form, name, *arguments, **more):
    return next(view for top in form.view(*arguments, clock=CLOCK, **more) for view in top.walk() if view.name == name)


def test_views_show_what_was_typed_even_if_it_is_wrong():
    form = compile_form(EVERYTHING)
    submitted = {"score": "十分", "goals": [{"weight": 5}, {"due": "明天"}], "channel": "12345"}
    with pytest.raises(InvalidForm) as refusal:
        form.read(submitted, {}, CLOCK)
    errors = refusal.value.errors
    assert seen(form, "score", {}, submitted, errors).value == "十分"
    assert seen(form, "score", {}, submitted, errors).errors == ("请填写数字，例如 12 或 3.5。",)
    assert seen(form, "goals[1].due", {}, submitted, errors).attributes["local"] == "明天"
    assert [seen(form, f"goals[{n}].why", {}, submitted).hidden for n in (0, 1)] == [False, True]
    assert [seen(form, "externalNo", {}, s).hidden for s in (submitted, {})] == [False, True]
    assert seen(form, "channel", {}, submitted).options[1].selected
    assert seen(form, "goals", {}, submitted).template.children[0].name == "goals[__0__].text"


def test_views_are_plain_json_and_texts_are_filled_in():
    form = compile_form(EVERYTHING)
    views = form.view({"clientName": "<b>*张*</b>", "visits": [{"on": date(2026, 1, 2), "by": None}]}, clock=CLOCK)
    assert json.loads(json.dumps([view.as_dict() for view in views], ensure_ascii=False))
    html = views[0].attributes["html"]
    assert "<strong>&lt;b&gt;*张*&lt;/b&gt;</strong>" in html and "<b>" not in html
    table = next(view for view in views if view.kind == "table")
    assert table.attributes["rows_of_table"] == [["2026-01-02", ""]]


@pytest.mark.parametrize("source", ["<script>alert(1)</script>", "![x](data:image/png;base64,AA)", "[x](javascript:alert(1))", "[x](//e.cn)", "<a href=x>"])
def test_markdown_makes_no_html_of_its_own(source):
    form = compile_form(schema({"type": "text", "text": source}))
    html = form.view({})[0].attributes["html"]
    assert re.findall("<[^>]*>", html) == ["<p>", "</p>"]


def test_templates():
    source = "{{#if n > 1}}多{{/if}}{{#loop items}}{{this.t}}/{{parent.n}};{{/loop}}{{none}}"
    form = compile_form(schema({"type": "text", "text": source}, text("a", label="=n + 1", description="共 {{n}} 条")))
    text_view, field = form.view({"n": Decimal(2), "items": [{"t": "x"}, {"t": "y"}]})
    assert text_view.attributes["text"] == "多x/2;y/2;"
    assert (field.label, field.description) == ("3", "共 2 条")
    assert {"n", "items", "none", "a"} - form.names == {"a"}


def test_what_a_form_says_of_itself():
    form = compile_form(EVERYTHING)
    assert {"contact", "goals", "total"} <= form.keys
    assert form.variables()["goals"] == "list<context<text: string, weight: number, due: date, why: string>>"
    assert form.variables()["contact"] == "context<phone: string>"
    assert form.live_names == {"channel", "risk", "goals"}
    assert form.context({"channel": "走访", "secret": "x", "goals": [{"due": date(2026, 1, 2)}]}) == {
        "channel": "走访",
        "goals": [{"due": {"$d": "2026-01-02"}}],
    }


def test_messages_have_an_english_side():
    message = Message("too_long", count=3)
    assert (message, message.english, message.template) == ("最多填写 3 个字。", "At most 3 characters.", "最多填写 {count} 个字。")


# --- what is refused at deploy ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["html", "iframe", "filepicker", "documentPreview", "captcha", None, 7])
def test_components_that_are_not_supported(kind):
    assert codes({"type": kind, "id": "x", "key": "k"}) == [("x", "form-unsupported")]


@pytest.mark.parametrize("source", ["https://e.cn/a.png", "//e.cn/a.png", "data:image/png;base64,AA", "=photo", "/../a", None])
def test_images_from_elsewhere(source):
    assert codes({"type": "image", "id": "x", "source": source}) == [("x", "form-unsupported")]


def test_images_of_our_own():
    assert codes({"type": "image", "id": "x", "source": "/static/map.png", "alt": "地图"}) == []


@pytest.mark.parametrize("key", ["", None, "__proto__", "a.__proto__", "constructor", "a..b", "1a", "a b", "a-b", "_x", "a[0]", "x" * 99, 5])
def test_bad_keys(key):
    assert codes(text(key, id="x")) == [("x", "form-key")]


def test_keys_are_written_once():
    assert codes(text("a", id="x"), number("a", id="y")) == [("y", "form-key")]
    assert codes(text("a", id="x"), text("a.b", id="y")) == [("y", "form-key")]
    group = {"type": "group", "id": "g", "path": "a", "components": [text("b", id="x")]}
    assert codes(group, text("a.b", id="y")) == [("y", "form-key")]
    assert codes(group, text("a.c", id="y")) == []
    assert codes(text("a", id="x"), text("b", id="x")) == [("x", "form-id")]


def test_feel_is_checked_with_its_place():
    finding = examine_form(schema(text("a", id="x", conditional={"hide": "=b >\n > 1"})))[0]
    assert (finding.element, finding.code, finding.line, finding.column) == ("x", "form-feel", 2, 2)
    finding = examine_form(schema({"type": "text", "id": "t", "text": "一\n二 {{a +}}"}))[0]
    assert (finding.element, finding.code, finding.line, finding.column) == ("t", "form-feel", 2, 3)
    assert codes(text("a", id="x", conditional={"hide": "b = 1"})) == [("x", "form-feel")]
    assert codes({"type": "text", "id": "t", "text": "{{#if a}}x"}) == [("t", "form-feel")]


@pytest.mark.parametrize(
    ("component", "code"),
    [
        (text(validate={"pattern": "("}), "form-pattern"),
        (text(validate={"pattern": "(?=x)"}), "form-pattern"),
        (text(validate={"min": 3}), "form-rule"),
        (text(validate={"required": "yes"}), "form-rule"),
        (number(validate={"min": "few"}), "form-rule"),
        (number(increment=0), "form-rule"),
        (number(defaultValue="many"), "form-default"),
        (text(defaultValue=5), "form-default"),
        ({"type": "select", "key": "c", "values": options("x"), "defaultValue": "y"}, "form-default"),
        ({"type": "select", "key": "c"}, "form-options"),
        ({"type": "select", "key": "c", "values": options("x"), "valuesKey": "k"}, "form-options"),
        ({"type": "select", "key": "c", "values": options("x", "x")}, "form-options"),
        ({"type": "select", "key": "c", "values": [{}]}, "form-options"),
        (moment("week"), "form-schema"),
        (text(onclick="alert(1)"), "form-property"),
        (text(validate={"custom": 1}), "form-property"),
        (goals(components=[]), "form-list"),
        (goals(isRepeating=False), "form-list"),
        (goals(components=[text("t", readonly=True, id="x")]), "form-readonly"),
        (goals(components=[text("t", readonly="=lock", id="x")]), "form-readonly"),
        ({"type": "expression", "key": "e"}, "form-feel"),
        ({"type": "table", "dataSource": "=x"}, "form-schema"),
    ],
)
def test_what_would_not_work_is_refused(component, code):
    assert [found for _, found in codes({"id": "x", **component} if "components" not in component else component)] == [code]


def test_roots():
    assert codes(text(id="x"), schemaVersion=4) == [(None, "form-schema")]
    assert codes(text(id="x"), type="form") == [(None, "form-schema")]
    assert [f.severity for f in examine_form(schema(text(), schemaVersion=99))] == ["warning"]
    for rubbish in (None, [], {}, {"components": {}}, "x"):
        assert examine_form(rubbish)
        with pytest.raises(DeployRefused):
            compile_form(rubbish)


def test_deep_and_wide_schemas_are_refused():
    deep = text(id="x")
    for _ in range(20):
        deep = {"type": "group", "components": [deep]}
    assert (None, "form-schema") in [(None, code) for _, code in codes(deep)]
    assert len(codes(*[text(f"k{n}") for n in range(600)])) == 1


def test_buttons_are_the_pages_own():
    assert compile_form(schema({"type": "button", "label": "提交", "action": "submit"}, text())).view({})[0].kind == "textfield"
