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


def test_a_lead_finds_a_case_that_is_stuck_and_mends_it(served_site, page, axe, shot):
    site, address = served_site
    county = site.county
    for bundle in (broken(), receipt(), texting(), files(inner()), files(caller())):
        county.deploy(**bundle)
    case = county.start("broken", data={"amount": 5})["id"]
    waiting = [begun(county, name, 7) for name in ("receipt", "texting", "outer")]
    publish_message(county.system, county.act("lead-01"), "nobody", "x", now=county.now)
    sign_in(page, address, "lead-01")
    page.goto(f"{address}/operations/")
    expect(page.get_by_role("heading", name="运行")).to_be_visible()
    looks_right(page, axe)
    shot(page, "operations-incidents")
    for kind in ("期限", "消息", "作业", "投递"):
        page.get_by_role("link", name=kind, exact=True).click()
        looks_right(page, axe)
        shot(page, f"operations-{page.url.rsplit('/', 1)[1]}")
    for each in waiting:
        page.goto(f"{address}/cases/{each}")
        assert eventually(lambda: page.locator(".djs-container .case-here").count())
        looks_right(page, axe)
    shot(page, "operations-calling-case")
    page.goto(f"{address}/operations/")
    page.get_by_role("link", name="出错").click()
    page.get_by_text("更正一项数据").click()
    page.get_by_label("变量名").fill("limit")
    page.get_by_label("新的值").fill("amount - 2")
    page.get_by_label("更正的原因").fill("登记时漏填了标准")
    page.get_by_role("button", name="更正", exact=True).click()
    expect(page.get_by_role("status").filter(has_text="数据已更正")).to_be_visible()
    page.get_by_text("推进走不下去的环节").click()
    page.get_by_label("离开哪个环节").select_option(label="large → small")
    page.get_by_label("推进的原因").fill("改走线下")
    looks_right(page, axe)
    shot(page, "operations-by-hand")
    page.get_by_role("button", name="手工推进").click()
    expect(page.get_by_role("status").filter(has_text="已手工推进")).to_be_visible()
    assert list(county.open_tasks(case)) == ["small"]
    history = page.get_by_role("region", name="经过")
    expect(history.get_by_text("手工推进", exact=True)).to_be_visible()
    expect(history.get_by_text("原因：改走线下")).to_be_visible()
    looks_right(page, axe)
    shot(page, "operations-mended")
    assert county.faults() == []
