"""The operators' pages in a real browser, on a telephone and on a desktop: what stands, why, and what is done about it."""

import pytest
from playwright.sync_api import expect

from engine.commands.messages import publish_message
from tests.integration.test_calls import caller, inner
from tests.integration.test_jobs import texting
from tests.integration.test_messages import begun, files, receipt
from tests.integration.test_operations import broken
from tests.support.browsers import eventually
from tests.support.journeys import looks_right, sign_in

pytestmark = pytest.mark.browser


def test_a_lead_finds_a_case_that_is_stuck_and_mends_it(served_site, phone, axe, shot):
    site, address = served_site
    county = site.county
    for bundle in (broken(), receipt(), texting(), files(inner()), files(caller())):
        county.deploy(**bundle)
    case = county.start("broken", data={"amount": 5})["id"]
    waiting = [begun(county, name, 7) for name in ("receipt", "texting", "outer")]
    publish_message(county.system, county.act("lead-01"), "nobody", "x", now=county.now)
    sign_in(phone, address, "lead-01")
    phone.goto(f"{address}/operations/")
    expect(phone.get_by_role("heading", name="运行")).to_be_visible()
    looks_right(phone, axe)
    shot(phone, "operations-incidents")
    for kind in ("期限", "消息", "作业", "投递"):
        phone.get_by_role("link", name=kind, exact=True).click()
        looks_right(phone, axe)
        shot(phone, f"operations-{phone.url.rsplit('/', 1)[1]}")
    for each in waiting:
        phone.goto(f"{address}/cases/{each}")
        assert eventually(lambda: phone.locator(".djs-container .case-here").count())
        looks_right(phone, axe)
    shot(phone, "operations-calling-case")
    phone.goto(f"{address}/operations/")
    phone.get_by_role("link", name="出错").click()
    phone.get_by_text("更正一项数据").click()
    phone.get_by_label("变量名").fill("limit")
    phone.get_by_label("新的值").fill("amount - 2")
    phone.get_by_label("更正的原因").fill("登记时漏填了标准")
    phone.get_by_role("button", name="更正", exact=True).click()
    expect(phone.get_by_role("status").filter(has_text="数据已更正")).to_be_visible()
    phone.get_by_text("推进走不下去的环节").click()
    phone.get_by_label("离开哪个环节").select_option(label="large → small")
    phone.get_by_label("推进的原因").fill("改走线下")
    looks_right(phone, axe)
    shot(phone, "operations-by-hand")
    phone.get_by_role("button", name="手工推进").click()
    expect(phone.get_by_role("status").filter(has_text="已手工推进")).to_be_visible()
    assert list(county.open_tasks(case)) == ["small"]
    history = phone.get_by_role("region", name="经过")
    expect(history.get_by_text("手工推进", exact=True)).to_be_visible()
    expect(history.get_by_text("原因：改走线下")).to_be_visible()
    looks_right(phone, axe)
    shot(phone, "operations-mended")
    assert county.faults() == []
