"""The form page in a real browser: on a telephone and on a desktop, with JavaScript and without."""

import re
from datetime import date
from decimal import Decimal

import pytest
from playwright.sync_api import expect

from tests.support.browsers import ROOT, eventually, served, sideways_scroll
from tests.support.forms import EVERYTHING, form_app, schema

pytestmark = pytest.mark.browser

ADD = re.compile("添加一条.*目标")
VARIABLES = {
    "clientName": "张三",
    "visits": [{"on": date(2026, 10, 1), "by": "林专一"}, {"on": date(2026, 9, 1), "by": "何兼一"}],
    "people": ["朱助理", "郑志愿"],
}


@pytest.fixture(scope="module")
def address():
    with served(form_app(EVERYTHING, VARIABLES)) as url:
        yield url


def fill(page):
    """Fill in what is required."""
    page.get_by_label("联系电话").fill("13800138000")
    page.get_by_label("出生日期").fill("1950-02-03")
    page.get_by_label("失能").check()
    page.get_by_label("来源渠道").select_option("走访")
    page.get_by_label("低", exact=True).check()
    page.get_by_label("自理评分").fill("７．５")
    page.get_by_label("目标内容").first.fill("每日有人送餐")
    page.get_by_label("本人已签知情同意书").check()


def refused(page):
    """A refusal is answered with 422, which the browser notes as an error."""
    page.expected_errors.append("422")


def test_it_is_accessible_and_fits(page, address, axe, shot):
    page.goto(address)
    assert sideways_scroll(page) == 0
    assert axe(page) == []
    shot(page, "form-empty")
    refused(page)
    page.get_by_role("button", name="提交").click()
    expect(page.get_by_role("alert")).to_contain_text("有 8 处需要更正")
    assert eventually(lambda: page.evaluate("document.activeElement.matches('[data-summary]')"))
    page.get_by_label("来源渠道").select_option("12345")
    page.get_by_label("高", exact=True).press("Space")  # not a click: a field that appears above may move its place meanwhile
    expect(page.get_by_label("判断理由")).to_be_visible()
    assert axe(page) == []
    assert sideways_scroll(page) == 0
    shot(page, "form-errors")


def test_everything_can_be_hit_and_read(phone, address):
    phone.goto(address)
    small = phone.evaluate(
        """() => [...document.querySelectorAll('[data-form] :is(input:not([type=hidden]), select, textarea, button)')]
            .filter(e => e.checkVisibility() && !e.matches('.form-enter'))
            .map(e => e.closest('.form-choice') ?? e)
            .filter(e => e.getBoundingClientRect().height < 44 || parseFloat(getComputedStyle(e).fontSize) < 16)
            .map(e => e.outerHTML.slice(0, 80))"""
    )
    assert small == []


def test_conditions_are_live(page, address):
    page.goto(address)
    number = page.get_by_label("工单号")
    expect(number).to_be_hidden()
    page.get_by_label("来源渠道").select_option("12345")
    expect(number).to_be_visible()
    page.get_by_label("来源渠道").select_option("走访")
    expect(number).to_be_hidden()
    reason = page.get_by_label("判断理由")
    expect(reason).to_be_hidden()
    page.get_by_label("紧急").check()
    expect(reason).to_be_visible()


def test_entries_and_sums_are_live(page, address):
    page.goto(address)
    page.get_by_role("button", name=ADD).click()
    page.get_by_role("button", name=ADD).click()
    expect(page.locator("[data-entry]")).to_have_count(3)
    assert page.evaluate("document.activeElement.name") == "goals[2].text"
    expect(page.get_by_role("status").last).to_have_text("已添加第 3 条")
    weights = page.get_by_label("权重", exact=True)
    for index, weight in enumerate(("1", "２", "5")):
        weights.nth(index).fill(weight)
    expect(page.locator("#f-total")).to_have_text("8")
    expect(page.get_by_label("为什么最重要")).to_have_count(3)
    assert [box.is_visible() for box in page.get_by_label("为什么最重要").all()] == [False, False, True]
    page.get_by_role("button", name=re.compile("删除.*第 2 条")).click()
    expect(page.locator("#f-total")).to_have_text("6")
    expect(page.locator("[data-entry] > legend")).to_have_text(["第 1 条", "第 2 条"])
    for _ in range(3):
        page.get_by_role("button", name=ADD).click()
    expect(page.get_by_role("button", name=ADD)).to_be_disabled()
    assert page.evaluate("new Set([...document.querySelectorAll('[id]')].map(e => e.id)).size == document.querySelectorAll('[id]').length")


def test_what_was_filled_in_arrives(page, address):
    page.goto(address)
    fill(page)
    page.get_by_role("button", name=ADD).click()
    page.get_by_label("目标内容").nth(1).fill("每周探访")
    page.get_by_role("button", name=re.compile("删除.*第 1 条")).click()
    page.get_by_role("button", name="提交").click()
    found = page.evaluate("JSON.parse(document.body.innerText)")
    assert found["goals"] == [{"text": "每周探访", "weight": None, "due": None}]
    assert (found["score"], found["risk"], found["birthDate"]) == (7.5, "低", "1950-02-03")
    assert "externalNo" not in found and "reason" not in found


def test_without_javascript(visit, address, axe, shot):
    page = visit("phone", java_script_enabled=False)
    page.goto(address)
    expect(page.get_by_label("判断理由")).to_be_hidden()
    fill(page)
    page.get_by_role("button", name=ADD).click()
    expect(page.locator("[data-entry]")).to_have_count(2)
    expect(page.get_by_label("目标内容").first).to_have_value("每日有人送餐")
    page.get_by_label("目标内容").nth(1).fill("每周探访")
    page.get_by_role("button", name=re.compile("删除.*第 1 条")).click()
    expect(page.locator("[data-entry]")).to_have_count(1)
    page.get_by_label("高", exact=True).check()
    page.get_by_label("联系电话").press("Enter")
    expect(page.get_by_text("出现了以下栏目")).to_be_visible()
    shot(page, "form-without-javascript")
    page.get_by_label("判断理由").fill("夜间无人照料")
    page.get_by_role("button", name="提交").click()
    assert '"reason":"夜间无人照料"' in page.content() and '"text":"每周探访"' in page.content()


def test_a_field_that_appears_is_asked_for_without_javascript(visit, address):
    page = visit("desktop", java_script_enabled=False)
    page.goto(address)
    fill(page)
    page.get_by_label("来源渠道").select_option("12345")
    page.get_by_role("button", name="提交").click()
    expect(page.get_by_text("出现了以下栏目")).to_be_visible()
    expect(page.get_by_label("工单号")).to_be_visible()
    expect(page.get_by_label("目标内容")).to_have_value("每日有人送餐")


def test_leaving_with_unsent_text_warns(desktop, address):
    desktop.goto(address)
    asked = []
    desktop.on("dialog", lambda dialog: (asked.append(dialog.type), dialog.accept()))
    desktop.reload()
    assert asked == []
    desktop.get_by_label("联系电话").click()
    desktop.keyboard.type("1")
    desktop.reload()
    assert asked == ["beforeunload"]
    assert desktop.evaluate("localStorage.length + sessionStorage.length") == 0


def test_enter_in_a_field_sends_nothing(desktop, address):
    desktop.goto(address)
    desktop.get_by_label("联系电话").press("Enter")
    assert "_check" not in desktop.content().split("<button")[0]
    expect(desktop.get_by_label("联系电话")).to_be_focused()


def test_long_texts_are_counted(page, address):
    page.goto(address)
    page.get_by_label("紧急").check()
    page.get_by_label("判断理由").fill("很" * 201)
    expect(page.locator(".form-over")).to_have_text("201 / 200 字")


def test_variables_keep_their_types_in_the_browser(desktop):
    source = schema(
        {"type": "textfield", "key": "a", "label": "甲", "conditional": {"hide": '=born < date("2000-01-01")'}},
        {"type": "textfield", "key": "b", "label": "乙", "conditional": {"hide": "=income > 100.5"}},
        {"type": "datetime", "key": "d", "subtype": "date", "dateLabel": "日期"},
        {"type": "textfield", "key": "c", "label": "丙", "conditional": {"hide": '=d = null or d < date("2026-01-01")'}},
        {"type": "textfield", "key": "e", "label": "丁", "readonly": "=d != null"},
    )
    with served(form_app(source, {"born": date(2001, 1, 1), "income": Decimal("100.4"), "secret": "x"})) as url:
        desktop.goto(url)
        expect(desktop.get_by_label("甲")).to_be_visible()
        expect(desktop.get_by_label("乙")).to_be_visible()
        expect(desktop.get_by_label("丙")).to_be_hidden()
        desktop.get_by_label("日期").fill("2026-05-01")
        expect(desktop.get_by_label("丙")).to_be_visible()
        expect(desktop.get_by_label("丁")).to_have_attribute("readonly", "")
        assert "secret" not in desktop.content()


def test_it_prints(desktop, address, shot):
    desktop.goto(address)
    fill(desktop)
    desktop.emulate_media(media="print")
    expect(desktop.get_by_role("button", name=ADD)).to_be_hidden()
    shot(desktop, "form-print")


def test_our_own_script_is_small():
    assert (ROOT / "webapp/static/form.js").stat().st_size < 10_240
