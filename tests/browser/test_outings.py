"""A way out on a telephone, and the lead's page when somebody does not come back: looked at on both devices."""

import pytest
from playwright.sync_api import expect

from tests.support.journeys import looks_right, sign_in

pytestmark = pytest.mark.browser


def test_a_worker_goes_out_is_late_and_comes_back(served_site, phone, axe, shot):
    site, address = served_site
    sign_in(phone, address, "ft-01-1")
    phone.get_by_role("link", name="报备外出").click()
    looks_right(phone, axe)
    shot(phone, "outing-new")
    phone.get_by_label("去做什么").fill("入户走访，看看老人的身体")
    phone.expected_errors.append("422")
    phone.get_by_role("button", name="现在出发").click()
    expect(phone.get_by_text("请写明去哪里")).to_be_visible()
    looks_right(phone, axe)
    phone.get_by_label("去哪里").fill("张庄村三组 12 号")
    phone.get_by_label("预计返回").fill((site.county.now.replace(hour=10)).strftime("%Y-%m-%dT%H:%M"))
    company = phone.get_by_label("同行人 1")
    company.select_option(label=next(text for text in company.locator("option").all_inner_texts() if "郑志愿" in text))
    phone.get_by_role("button", name="现在出发").click()
    expect(phone.get_by_role("status")).to_contain_text("一路平安")
    looks_right(phone, axe)
    shot(phone, "outing-out")
    phone.get_by_role("button", name="再加半小时").click()
    expect(phone.get_by_role("status")).to_contain_text("已推迟预计返回时间")
    site.county.pass_time(minutes=120)
    phone.goto(f"{address}/tasks/")
    looks_right(phone, axe)
    shot(phone, "outing-inbox-late")
    sign_in(phone, address, "lead-01")
    expect(phone.get_by_role("status")).to_contain_text("有 1 件事要马上处理")
    looks_right(phone, axe)
    shot(phone, "outing-lead-inbox")
    phone.get_by_role("link", name="去处理").click()
    expect(phone.get_by_text("超时未归")).to_be_visible()
    looks_right(phone, axe)
    shot(phone, "outing-lead")
    phone.get_by_label("采取了什么措施").fill("电话联系上了，车坏在路上，已派人去接。")
    phone.get_by_role("button", name="已处理").click()
    expect(phone.get_by_role("status")).to_contain_text("已记下处理情况")
    phone.get_by_role("link", name="English").first.click()
    expect(phone.get_by_role("heading", name="Who is out now")).to_be_visible()
    looks_right(phone, axe)
    shot(phone, "outing-lead-english")
    sign_in(phone, address, "ft-01-1")
    phone.get_by_role("button", name="我已安全返回").click()
    expect(phone.get_by_role("status")).to_contain_text("已报平安")
    looks_right(phone, axe)
    shot(phone, "outing-back")
