"""Forms as HTML: what a browser posts becomes what the form reads, and everything works without JavaScript."""

import json
import re
from datetime import date
from decimal import Decimal

import pytest
from werkzeug.datastructures import MultiDict

from engine.forms import compile_form
from tests.support.forms import CLOCK, EVERYTHING, form_app, options, schema
from webapp.inbox.form_html import moment_of, number_of, parse

VARIABLES = {
    "clientName": "<script>张三</script>",
    "visits": [{"on": date(2026, 10, 1), "by": "林专一"}],
    "people": ["朱助理", "郑志愿"],
}
COMPLETE = [
    ("contact.phone", "13800138000"),
    ("birthDate", "1950-02-03"),
    ("categories", "特困"),
    ("categories", "失能"),
    ("channel", "12345"),
    ("externalNo", "123456"),
    ("risk", "高"),
    ("reason", "夜间无人照料"),
    ("score", "７．５"),
    ("visitAt", "2026-11-23T15:30"),
    ("goals[]", ""),
    ("goals[0]", ""),
    ("goals[0].text", "每日有人送餐"),
    ("goals[0].weight", "5"),
    ("goals[0].due", "2026-12-31"),
    ("goals[0].why", "能吃上热饭"),
    ("goals[3]", ""),
    ("goals[3].text", "每周探访"),
    ("goals[3].weight", "2"),
    ("goals[3].due", ""),
    ("helpers", "郑志愿"),
    ("consent", "true"),
    ("csrf_token", "…"),
    ("_hidden", ""),
]


@pytest.fixture(scope="module")
def app():
    return form_app(EVERYTHING, VARIABLES)


@pytest.fixture
def client(app):
    return app.test_client()


def post(client, items, **more):
    return client.post("/", data=MultiDict([*items, *more.items()]))


def without(*names):
    return [(name, value) for name, value in COMPLETE if name not in names]


def test_a_complete_form_is_read(client):
    found = post(client, COMPLETE).json
    assert found == {
        "clientName": "<script>张三</script>",
        "contact": {"phone": "13800138000"},
        "birthDate": "1950-02-03",
        "categories": ["特困", "失能"],
        "channel": "12345",
        "externalNo": "123456",
        "risk": "高",
        "reason": "夜间无人照料",
        "score": 7.5,
        "visitAt": "2026-11-23T15:30:00+08:00",
        "goals": [
            {"text": "每日有人送餐", "weight": 5, "due": "2026-12-31", "why": "能吃上热饭"},
            {"text": "每周探访", "weight": 2, "due": None},
        ],
        "total": 7,
        "helpers": ["郑志愿"],
        "consent": True,
    }


def test_the_page_is_bound_together(client):
    html = client.get("/").text
    ids = re.findall(r'\bid="([^"]+)"', html.replace("__0__", "9"))
    assert len(ids) == len(set(ids))
    for attribute in ("for", "aria-describedby", "aria-labelledby"):
        for targets in re.findall(rf'\b{attribute}="([^"]+)"', html.replace("__0__", "9")):
            assert set(targets.split()) <= set(ids), attribute
    assert "<script>张三" not in html and "&lt;script&gt;张三" in html
    assert not re.search(r"\bstyle=|\bon\w+=|<style|<script>", html)


def test_errors_show_beside_the_fields_and_in_the_summary(client):
    answer = post(client, without("categories", "consent", "goals[3].text"), score="十分")
    assert answer.status_code == 422
    html = answer.text
    summary = re.search(r"data-summary.*?</ul>", html, re.DOTALL).group()
    assert re.findall(r'href="#([^"]+)"', summary) == ["f-categories-0", "f-goals-1-text", "f-consent"]
    assert "目标 第 2 条 目标内容" in summary
    for target in re.findall(r'href="#([^"]+)"', summary):
        assert re.search(rf'<(input|select|textarea)[^>]*id="{target}"[^>]*aria-invalid="true"', html), target
    assert 'value="每周探访"' not in html and 'value="每日有人送餐"' in html


def test_what_cannot_be_converted_comes_back_as_it_was_typed(client):
    answer = post(client, without("score", "goals[0].weight"), **{"score": "十分", "goals[0].weight": "<5>"})
    assert answer.status_code == 422
    assert 'value="十分"' in answer.text and 'value="&lt;5&gt;"' in answer.text


def test_entries_are_added_and_removed_without_javascript(client):
    html = post(client, COMPLETE, _add="goals").text
    assert re.findall(r'data-entry="([^"]+)"', html) == ["goals[0]", "goals[1]", "goals[2]", "goals[__0__]"]
    assert re.search(r'id="f-goals-2-text"[^>]*autofocus', html)
    assert 'value="每周探访"' in html and "data-summary" not in html
    html = post(client, COMPLETE, _remove="goals[0]").text
    assert re.findall(r'data-entry="([^"]+)"', html) == ["goals[0]", "goals[__0__]"]
    assert 'value="每周探访"' in html and "每日有人送餐" not in html
    five = [(f"goals[{n}].text", "x") for n in range(5)]
    assert post(client, five, _add="goals").text.count("data-entry=") == 6, "the form allows five"


@pytest.mark.parametrize("target", ["", "goals[", "goals[9]", "goals[0].x[0]", "nothing", "goals[0]x", "goals[-1]", "categories"])
def test_buttons_that_are_not_on_the_page_do_nothing(client, target):
    for button in ("_add", "_remove"):
        answer = post(client, COMPLETE, **{button: target})
        assert answer.status_code == 200
        assert answer.text.count("data-entry=") == 3


def test_enter_in_a_field_sends_nothing(client):
    answer = post(client, COMPLETE, _check="1")
    assert answer.status_code == 200 and "还没有提交" in answer.text
    assert re.search(r"<button[^>]*>", client.get("/").text).group().startswith('<button class="form-enter" name="_check"')


def test_fields_that_appear_are_asked_for_before_anything_is_sent(app):
    client = app.test_client()
    items = without("_hidden", "reason")
    answer = post(client, items, _hidden="reason goals[0].why", reason="")
    assert answer.status_code == 200 and "出现了以下栏目" in answer.text
    assert re.findall(r'href="#(f-[^"]+)"', answer.text) == ["f-reason", "f-goals-0-why"]
    assert post(client, items, _hidden="", reason="夜间无人照料").json["reason"] == "夜间无人照料"


def test_names_that_the_form_does_not_have_are_refused(client):
    answer = post(client, COMPLETE, approved="yes", **{"goals[0].role": "admin"})
    assert answer.status_code == 422
    assert re.findall(r"<strong>([^<]+)</strong>：未知的栏目。", answer.text) == ["approved", "goals[0].role"]


def test_readonly_values_cannot_be_posted(client):
    assert post(client, COMPLETE, clientName="李四", total="99").json["clientName"] == VARIABLES["clientName"]


def test_choices_of_every_type_come_back_as_they_were():
    values = [{"label": "甲", "value": "甲"}, {"label": "三", "value": 3}, {"label": "半", "value": 0.5}, {"label": "是", "value": True}]
    values += [{"label": "等", "value": "=3"}, {"label": "物", "value": {"b": 1, "a": ["x"]}}]
    form = compile_form(schema({"type": "checklist", "key": "c", "values": values}, {"type": "select", "key": "s", "values": values}))
    tokens = [option.token for option in form.view({})[0].options]
    submitted, _ = parse(form, MultiDict([("c", token) for token in tokens] + [("s", tokens[1])]))
    found = form.read(submitted, {}, CLOCK)
    assert found["c"] == ["甲", Decimal(3), Decimal("0.5"), True, "=3", {"b": Decimal(1), "a": ["x"]}]
    assert found["s"] == Decimal(3)
    assert parse(form, MultiDict([("s", "={")]))[0]["s"] == "={"


def test_what_is_absent_from_the_page_is_absent_from_the_data():
    boxes = [{"type": "checkbox", "key": "c"}, {"type": "checklist", "key": "m", "values": options("x")}]
    form = compile_form(schema(*boxes, {"type": "radio", "key": "r", "values": options("x")}, {"type": "textfield", "key": "t"}))
    assert parse(form, MultiDict()) == ({"c": False, "m": [], "r": None}, False)


def test_a_list_emptied_by_javascript_is_empty():
    form = compile_form(schema({"type": "dynamiclist", "path": "a", "components": [{"type": "checkbox", "key": "b"}]}))
    assert parse(form, MultiDict()) == ({}, False)
    assert parse(form, MultiDict({"a[]": ""})) == ({"a": []}, False)
    assert parse(form, MultiDict([("a[]", ""), ("a[7]", ""), ("a[2]", ""), ("a[7].b", "true")])) == ({"a": [{"b": False}, {"b": True}]}, False)
    flood = MultiDict([(f"a[{n}]", "") for n in range(3000)])
    assert len(parse(form, flood)[0]["a"]) == 201


@pytest.mark.parametrize(
    ("typed", "number"),
    [("12", "12"), ("１２．５", "12.5"), ("12。5", "12.5"), ("－3", "-3"), ("−3", "-3"), ("1,200.5", "1200.5"), ("１，２００", "1200")]
    + [(" 7 ", "7"), (".5", "0.5"), ("+3", "3")],
)
def test_numbers_as_people_type_them(typed, number):
    assert number_of(typed) == float(number) and not isinstance(number_of(typed), str)


def test_numbers_stay_exact_and_plain_json():
    form = compile_form(schema({"type": "number", "key": "n"}))
    for typed in ("0.1", "1234567890.12345678901234567", "12345678901234567890"):
        submitted, _ = parse(form, MultiDict({"n": typed}))
        assert form.read(json.loads(json.dumps(submitted)), {}, CLOCK) == {"n": Decimal(typed)}


@pytest.mark.parametrize("typed", ["十二", "1,2", "1.2.3", "12岁", "1e5", "0x10", "--1", "9" * 101, "٣"])
def test_what_is_no_number_stays_text(typed):
    assert number_of(typed) == typed


def test_nothing_typed_is_nothing():
    assert number_of("　 ") is None and moment_of(" ", "date") is None


@pytest.mark.parametrize(
    ("typed", "subtype", "iso"),
    [
        ("2026-01-31", "date", "2026-01-31"),
        ("2026年1月31日", "date", "2026-01-31"),
        ("２０２６／１／３１", "date", "2026-01-31"),
        ("2026.1.31", "date", "2026-01-31"),
        ("20260131", "date", "2026-01-31"),
        ("9:05", "time", "09:05"),
        ("９：０５", "time", "09:05"),
        ("9点", "time", "09:00"),
        ("9时30分", "time", "09:30"),
        ("2026-01-31T09:30", "datetime", "2026-01-31T09:30"),
        ("2026-01-31T09:30:15", "datetime", "2026-01-31T09:30:15"),
        ("2026年1月31日 9点30分", "datetime", "2026-01-31T09:30"),
    ],
)
def test_dates_as_people_type_them(typed, subtype, iso):
    assert moment_of(typed, subtype) == iso


@pytest.mark.parametrize(("typed", "subtype"), [("明天", "date"), ("2026-01", "date"), ("2026-01-31", "datetime"), ("午后", "time"), ("2026-01-31 x", "date")])
def test_what_is_no_date_stays_text(typed, subtype):
    assert moment_of(typed, subtype) == typed


def test_the_page_in_english(app):
    html = app.test_client().post("/?lang=en", data={}).text
    assert "Please fill this in." in html and '<html lang="en">' in html


def test_readonly_by_condition_keeps_the_servers_choice():
    lock = {"type": "checkbox", "key": "lock"}
    choice = {"type": "radio", "id": "r", "key": "r", "label": "选择", "values": options("甲", "乙"), "readonly": "=lock"}
    app = form_app(schema(lock, choice), {"lock": True, "r": "甲"})
    html = app.test_client().get("/").text
    assert html.count(" disabled") == 2 and re.search(r'<input type="hidden" name="r" value="甲" data-kept>', html)
    assert app.test_client().post("/", data={"lock": "true", "r": "乙"}).json == {"lock": True, "r": "甲"}
    assert app.test_client().post("/", data={"r": "乙"}).json == {"lock": False, "r": "乙"}
