"""A volunteer is refused a high-risk visit, asks for a waiver from the refusal, the supervisor answers from the inbox, the visit goes on, and
the auditor sees it all."""

import pytest
from playwright.sync_api import expect

from tests.support.gate import VOLUNTEER, open_gate
from tests.support.journeys import looks_right, sign_in

pytestmark = pytest.mark.browser


def test_from_the_refusal_to_the_visit_and_what_the_auditor_sees(served_site, phone, desktop, axe, shot):
    site, address = served_site
    case = open_gate(site.county)
    task = site.county.open_tasks(case)["visit"].id
    sign_in(phone, address, VOLUNTEER)
    phone.goto(f"{address}/tasks/?view=offered")
    phone.expected_errors.append("409")
    phone.get_by_role("button", name="领取 高风险走访").click()
    told = phone.get_by_role("alert")
    for text in ("志愿者不能单独走访。", "请与社工同去。", "gate.visit", "督导"):
        expect(told).to_contain_text(text)
    looks_right(phone, axe)
    shot(phone, "waiver-1-refused")
    phone.get_by_role("link", name="为什么我不能接？").click()
    expect(phone.get_by_role("heading", level=1)).to_have_text("为什么我不能接？")
    expect(phone.get_by_text("周总督、吴总督")).to_be_visible()
    looks_right(phone, axe)
    shot(phone, "waiver-2-why")
    phone.get_by_role("link", name="申请豁免").click()
    phone.expected_errors.append("422")
    phone.get_by_role("button", name="送出申请").click()
    expect(phone.get_by_text("请写明理由")).to_be_visible()
    looks_right(phone, axe)
    phone.get_by_label("为什么要例外").fill("老人只肯给这位志愿者开门，社工今天在楼下等候。")
    shot(phone, "waiver-3-ask")
    phone.get_by_role("button", name="送出申请").click()
    expect(phone.get_by_role("status").filter(has_text="申请已送出")).to_be_visible()
    phone.goto(f"{address}/tasks/")
    expect(phone.get_by_text("等待答复")).to_be_visible()
    looks_right(phone, axe)
    shot(phone, "waiver-4-asked")

    sign_in(desktop, address, "supervisor")
    desktop.goto(f"{address}/tasks/")
    expect(desktop.get_by_role("status")).to_contain_text("有 1 份豁免申请等您决定")
    looks_right(desktop, axe)
    desktop.get_by_role("link", name="去决定").click()
    request = desktop.get_by_role("article", name="郑志愿")
    for text in ("志愿者不能单独走访。", "老人只肯给这位志愿者开门", "高风险走访", "只这一项任务", "volunteer"):
        expect(request).to_contain_text(text)
    looks_right(desktop, axe)
    shot(desktop, "waiver-5-waiting")
    desktop.expected_errors.append("422")
    desktop.get_by_role("button", name="不批准").click()
    expect(desktop.get_by_text("请写明理由")).to_be_visible()
    looks_right(desktop, axe)
    desktop.get_by_label("答复的理由").fill("同意。社工须在楼下，一小时内报平安。")
    desktop.get_by_role("button", name="批准", exact=False).first.click()
    expect(desktop.get_by_role("status")).to_contain_text("已批准")

    phone.goto(f"{address}/tasks/")
    expect(phone.get_by_text("同意。社工须在楼下")).to_be_visible()
    looks_right(phone, axe)
    shot(phone, "waiver-6-granted")
    phone.get_by_role("link", name="去办理").click()
    phone.wait_for_url(f"{address}/tasks/{task}")
    phone.get_by_role("button", name="领取", exact=True).click()
    phone.get_by_role("button", name="办结").click()
    expect(phone.get_by_role("status").filter(has_text="已办结")).to_be_visible()

    sign_in(desktop, address, "auditor")
    desktop.goto(f"{address}/waivers/")
    expect(desktop.get_by_role("row", name="gate.visit")).to_contain_text("1")
    expect(desktop.get_by_text("老人只肯给这位志愿者开门")).to_be_visible()
    looks_right(desktop, axe)
    shot(desktop, "waiver-7-register")
    desktop.goto(f"{address}/cases/{case}")
    history = desktop.get_by_role("region", name="经过")
    for text in ("申请豁免", "批准豁免", "老人只肯给这位志愿者开门", "同意。社工须在楼下", "gate.visit", "办结任务"):
        expect(history).to_contain_text(text)
    looks_right(desktop, axe)
    shot(desktop, "waiver-8-case")
    desktop.goto(f"{address}/audit/access?who={VOLUNTEER}")
    expect(desktop.get_by_text("制度不允许").first).to_be_visible()
    desktop.get_by_role("link", name="English").first.click()
    desktop.goto(f"{address}/waivers/")
    expect(desktop.get_by_role("heading", name="Waivers", level=1)).to_be_visible()
    looks_right(desktop, axe)
    shot(desktop, "waiver-9-english")


def test_a_lead_sees_who_can_take_a_task_and_takes_a_waiver_back(served_site, phone, axe, shot):
    site, address = served_site
    case = open_gate(site.county)
    site.county.do("ft-01-1", case, "visit")
    task = site.county.open_tasks(case)["plan"].id
    sign_in(phone, address, "lead-01")
    phone.goto(f"{address}/tasks/{task}")
    phone.get_by_role("link", name="谁能接？").click()
    phone.get_by_label("换一位同事看看").select_option(VOLUNTEER)
    phone.get_by_role("button", name="看看").click()
    expect(phone.get_by_role("heading", level=1)).to_have_text("郑志愿能不能接？")
    looks_right(phone, axe)
    shot(phone, "waiver-who-can")
    phone.goto(f"{address}/tasks/{task}")
    phone.get_by_label("转派给").select_option(VOLUNTEER)
    phone.expected_errors.append("409")
    phone.get_by_role("button", name="转派").click()
    phone.get_by_role("alert").get_by_role("link", name="申请豁免").click()
    expect(phone.get_by_text("为郑志愿申请")).to_be_visible()
    phone.get_by_label("为什么要例外").fill("他懂方言")
    phone.get_by_role("button", name="送出申请").click()
    sign_in(phone, address, "supervisor")
    phone.goto(f"{address}/tasks/")
    phone.get_by_role("link", name="去决定").click()
    phone.get_by_label("答复的理由").fill("同意")
    phone.get_by_role("button", name="批准").first.click()
    phone.goto(f"{address}/waivers/")
    phone.locator("summary", has_text="撤销").click()
    phone.get_by_label("撤销的理由").fill("情况有变")
    looks_right(phone, axe)
    shot(phone, "waiver-revoke")
    phone.get_by_role("button", name="撤销").click()
    expect(phone.get_by_role("status")).to_contain_text("已撤销")
    looks_right(phone, axe)
