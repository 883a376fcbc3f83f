"""A supervisor sends somebody of another station to a task, and gives several tasks to one person after a look at what would become of them."""

import pytest
from playwright.sync_api import expect

from tests.integration.test_assigned import one
from tests.integration.test_cases import ASSIGN
from tests.support.journeys import looks_right, sign_in

pytestmark = pytest.mark.browser


def test_across_stations_and_in_bulk(served_site, phone, desktop, axe, shot):
    site, address = served_site
    county = site.county
    county.deploy(**one(ASSIGN))
    cases = [county.start("one") for _ in range(3)]

    sign_in(desktop, address, "supervisor")
    desktop.goto(f"{address}/dispatch/")
    desktop.get_by_label("流程").select_option("one")
    desktop.get_by_role("button", name="筛选").click()
    expect(desktop.get_by_role("checkbox", name="选中")).to_have_count(3)
    looks_right(desktop, axe)
    shot(desktop, "dispatch-1-tasks")
    desktop.get_by_role("link", name=cases[0]["number"]).click()
    expect(desktop.get_by_role("meter", name="工作量").first).to_be_visible()
    looks_right(desktop, axe)
    desktop.get_by_role("link", name="外站的人").click()
    sent = county.act("ft-02-1")
    card = desktop.get_by_role("listitem").filter(has=desktop.get_by_role("button", name=f"派给 {sent.name}"))
    expect(card).to_contain_text("来自其他站点")
    looks_right(desktop, axe)
    shot(desktop, "dispatch-2-elsewhere")
    card.get_by_label("为什么从外站派人").fill("本站两人都在外出走访")
    card.get_by_role("button").click()
    expect(desktop.get_by_role("status")).to_contain_text("已派出")
    assert county.open_tasks(cases[0]["id"])["task"].holder_id == sent.person_id

    sign_in(phone, address, "supervisor")
    phone.goto(f"{address}/dispatch/?definition=one&status=offered")
    for box in phone.get_by_role("checkbox", name="选中").all():
        box.check()
    phone.get_by_label("选中的任务改派给").select_option("ft-01-2")
    looks_right(phone, axe)
    phone.get_by_role("button", name="先看结果").click()
    expect(phone.get_by_text("2 项会换人办理")).to_be_visible()
    looks_right(phone, axe)
    shot(phone, "dispatch-3-preview")
    phone.get_by_label("原因").fill("集中办理")
    phone.get_by_role("button", name="确认办理").click()
    expect(phone.get_by_role("heading", level=1)).to_contain_text("移交完毕")
    for case in cases[1:]:
        expect(phone.get_by_role("row").filter(has_text=case["number"])).to_contain_text("已移交")
        assert county.open_tasks(case["id"])["task"].holder_id == county.act("ft-01-2").person_id
    looks_right(phone, axe)
    shot(phone, "dispatch-4-done")
    phone.get_by_role("button", name="交还任务").click()
    expect(phone.get_by_role("heading", level=1)).to_contain_text("交还完毕")
    phone.goto(f"{address}/dispatch/handovers")
    looks_right(phone, axe)


def test_what_was_delegated_comes_back_with_a_reason(served_site, phone, axe):
    site, address = served_site
    county = site.county
    county.deploy(**one(ASSIGN))
    task = county.open_tasks(county.start("one")["id"])["task"].id
    sign_in(phone, address, "ft-01-1")
    phone.goto(f"{address}/tasks/{task}")
    phone.get_by_role("button", name="领取", exact=True).click()
    phone.get_by_label("转派给").select_option("ft-01-2")
    phone.get_by_role("button", name="转派", exact=True).click()
    sign_in(phone, address, "ft-01-2")
    phone.goto(f"{address}/tasks/{task}")
    phone.get_by_label("退回的原因").fill("明天去县里培训")
    looks_right(phone, axe)
    phone.get_by_role("button", name="退还给转派的人").click()
    sign_in(phone, address, "ft-01-1")
    phone.goto(f"{address}/tasks/")
    expect(phone.get_by_text("退还：明天去县里培训")).to_be_visible()
    looks_right(phone, axe)
    phone.goto(f"{address}/tasks/{task}")
    expect(phone.get_by_text("退还：明天去县里培训")).to_be_visible()
    looks_right(phone, axe)
