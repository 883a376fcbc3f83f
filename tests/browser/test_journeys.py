"""Short journeys in a real browser, on a telephone and on a desktop: a newcomer's first steps, and a refusal that is explained."""

import pytest
from playwright.sync_api import expect

from tests.support import tables
from tests.support.browsers import eventually
from tests.support.county import PASSWORD
from tests.support.journeys import fill, likely, looks_right, sign_in
from webapp.demo.answers import answer

pytestmark = pytest.mark.browser

WISHES = {
    "visit": {"clientName": "张三", "basis": "statutory", "crisis": False, "urgency": "normal"},
}
REGULATION = tables.file(
    tables.table(
        inputs=[("point", "string"), ("case.definition", "string")],
        outputs=[(name, "string") for name in ("rule", "effect", "message", "message_en", "hint", "source", "waivable_by")],
        rules=[
            ['"complete"', '"service_delivery"', '"quiet.day"', '"waiver"', '"今天不走访。"', '"No visits."', '"请改日再来。"', '"站内默认"', '"supervisor"']
        ],
        hit="COLLECT",
        ident="quiet",
    )
)


def test_a_newcomer_starts_a_case_completes_two_tasks_and_sees_the_time_line(served_site, phone, axe, shot):
    site, address = served_site
    phone.goto(address)
    looks_right(phone, axe)
    shot(phone, "1-login")
    sign_in(phone, address, "ft-01-1")
    looks_right(phone, axe)
    shot(phone, "2-inbox-empty")
    phone.get_by_role("link", name="发起个案").click()
    phone.get_by_label("所用流程").select_option("service_delivery")
    phone.get_by_label("在哪里").select_option("room-001")
    looks_right(phone, axe)
    shot(phone, "3-start")
    phone.get_by_role("button", name="发起", exact=True).click()
    expect(phone.get_by_role("heading", level=1)).to_have_text("走访登记")
    for number, element in enumerate(("visit", "first_response"), 4):
        phone.get_by_role("button", name="领取").click()
        task = phone.url.rsplit("/", 1)[1]
        schema = site.api("ft-01-1").get(f"/tasks/{task}").json["form"]
        looks_right(phone, axe)
        fill(phone, answer(schema, WISHES.get(element, {}), site.county.now))
        looks_right(phone, axe)
        shot(phone, f"{number}-{element}")
        phone.get_by_role("button", name="办结").click()
        expect(phone.get_by_role("status").filter(has_text="已办结")).to_be_visible()
    case = site.api("ft-01-1").get("/instances").json["items"][0]["id"]
    phone.goto(f"{address}/cases/{case}")
    assert eventually(lambda: phone.locator(".djs-container .case-here").count() >= 1)
    assert phone.locator(".djs-container .case-done").count() >= 3
    history = phone.get_by_role("region", name="经过")
    expect(history.get_by_text("办结任务")).to_have_count(2)
    history.get_by_text("填写的内容").first.click()
    looks_right(phone, axe)
    shot(phone, "6-case")
    phone.get_by_role("link", name="English").first.click()
    expect(phone.get_by_role("heading", name="History")).to_be_visible()
    looks_right(phone, axe)
    shot(phone, "7-case-english")


def test_a_refusal_is_explained_on_the_page(served_site, phone, axe, shot):
    """A regulation of this county allows no visit: the phone names rule, hint, source and who may grant an exception."""
    site, address = served_site
    site.county.deploy(**{"quiet.dmn": REGULATION})
    case = site.county.start("service_delivery", place="room-001", who="assistant-001")["id"]
    task = site.county.open_tasks(case)["visit"]
    sign_in(phone, address, "assistant-001")
    phone.goto(f"{address}/tasks/{task.id}")
    phone.get_by_role("button", name="领取", exact=True).click()
    schema = site.api("assistant-001").get(f"/tasks/{task.id}").json["form"]
    fill(phone, answer(schema, WISHES["visit"], site.county.now))
    phone.expected_errors.append("409")
    phone.get_by_role("button", name="办结").click()
    told = phone.get_by_role("alert")
    for text in ("今天不走访。", "请改日再来。", "quiet.day", "站内默认", "督导"):
        expect(told).to_contain_text(text)
    assert phone.locator("#f-clientName").input_value() == "张三", "what was typed is still there"
    looks_right(phone, axe)
    shot(phone, "refused")


def test_a_lead_resets_a_password_and_an_admin_adds_somebody(served_site, phone, axe, shot):
    site, address = served_site
    sign_in(phone, address, "lead-01")
    phone.goto(f"{address}/people")
    looks_right(phone, axe)
    shot(phone, "people")
    phone.get_by_role("link", name="林专一").click()
    looks_right(phone, axe)
    shot(phone, "person")
    phone.get_by_label("新密码").fill("another horse")
    phone.get_by_role("button", name="重设密码").click()
    expect(phone.get_by_role("status")).to_contain_text("密码已重设")
    sign_in(phone, address, "admin")
    phone.goto(f"{address}/people/new")
    looks_right(phone, axe)
    phone.get_by_label("姓名").fill("秦新来")
    phone.get_by_label("单位").select_option("station-01")
    phone.get_by_label("人员类型").select_option("full_time")
    phone.get_by_role("button", name="登记", exact=True).click()
    phone.get_by_label("用户名").fill("Qin")
    phone.expected_errors.append("422")
    phone.get_by_role("button", name="为他开通账号").click()
    expect(phone.get_by_text("用户名用小写字母开头")).to_be_visible()
    looks_right(phone, axe)
    shot(phone, "person-account-refused")
    phone.get_by_label("用户名").fill("qin")
    phone.get_by_role("button", name="为他开通账号").click()
    expect(phone.get_by_role("status")).to_contain_text("账号已开通")
    looks_right(phone, axe)
    shot(phone, "person-account")


def test_a_form_sent_after_the_session_ended_is_not_lost(served_site, phone, axe, shot):
    site, address = served_site
    case = site.county.start("service_delivery", place="room-001", who="assistant-001")["id"]
    task = site.county.open_tasks(case)["visit"]
    sign_in(phone, address, "assistant-001")
    phone.goto(f"{address}/tasks/{task.id}")
    phone.get_by_role("button", name="领取", exact=True).click()
    fill(phone, likely("visit", site.county.now, crisis=False, basis="statutory"))
    site.county.pass_time(hours=13)
    phone.expected_errors.append("401")
    phone.get_by_role("button", name="办结").click()
    expect(phone.get_by_role("heading", level=1)).to_have_text("请重新登录")
    looks_right(phone, axe)
    shot(phone, "session-ended")
    phone.get_by_label("用户名").fill("assistant-001")
    phone.get_by_label("密码").fill(PASSWORD)
    phone.get_by_role("button", name="登录").click()
    looks_right(phone, axe)
    phone.get_by_role("button", name="继续提交").click()
    expect(phone.get_by_role("status").filter(has_text="已办结")).to_be_visible()
