"""`service_delivery` from the visit to its end in a real browser, by the right people: the regular case on telephones, a crisis on desktops.

Everybody has a browser of their own and works from their inbox; the clock is the test's, and after each move the worker does what is due.
Screenshots of every stage, at both widths, stay in var/screenshots as whole-… and crisis-….
"""

import re
import sqlite3

import pytest
from playwright.sync_api import expect
from sqlalchemy import make_url

from engine.commands.accounts import change_account
from tests.support.browsers import eventually
from tests.support.journeys import Station

pytestmark = pytest.mark.browser


def test_the_whole_procedure_by_the_right_people(served_site, visit, axe, shot):
    station = Station(served_site, "phone", visit, axe, shot, "whole")
    county = station.county
    # In a small station a social worker stands in for the lead: the plan's author could approve plans, but not this one.
    change_account(county.system, county.act("admin"), "ft-01-1", roles=["worker", "lead"], now=county.now)

    station.start("assistant-001", crisis=False, basis="statutory", urgency="normal")
    county.pass_time(minutes=30)
    station.keep(station.open("ft-01-1", "/tasks/?view=offered"), "inbox", "offered")
    station.do("ft-01-1", "first_response")

    station.until("intake_overdue")
    station.morning_after()
    assert station.open_tasks == {"intake", "intake_reminder"}
    inbox = station.open("lead-01", "/tasks/?view=offered")
    expect(inbox.get_by_role("link", name="督办：接案逾期")).to_be_visible()
    station.keep(inbox, "inbox late", "deadline-passed")
    station.do("lead-01", "intake_reminder")
    inbox = station.open("ft-01-1", "/tasks/?view=offered")
    expect(inbox.get_by_role("listitem").filter(has_text="接案").filter(has_text="超期")).to_be_visible()
    station.do("ft-01-1", "intake")

    station.morning_after()
    station.do("ft-01-1", "assessment", risk="medium")
    station.morning_after()
    station.do("ft-01-1", "plan")

    page = station.open("ft-01-1", "/tasks/?view=station")
    page.get_by_role("link", name="审批计划", exact=True).click()
    expect(page.get_by_text("您不能领取：参与了前面的环节，按规定须回避")).to_be_visible()
    assert page.get_by_role("button", name="领取").count() == 0
    station.keep(page, "refused", "author-may-not-approve")
    station.do("lead-01", "approve_plan")

    station.morning_after()
    station.do("ft-01-1", "record", moreNeeded="yes")
    station.see_case("ft-01-1", "case-half-way")
    station.morning_after()
    station.do("ft-01-1", "record", moreNeeded="no")
    station.do("ft-01-1", "evaluate")
    station.do("ft-01-1", "close")
    station.do("supervisor", "approve_close")

    for timer, who in (("followup_first", "assistant-001"), ("followup_second", "ft-01-1"), ("followup_third", "ft-01-1")):
        assert station.open_tasks == set() and station.status == "active"
        station.until(timer)
        station.do(who, "follow_up")
    assert station.status == "completed"

    page = station.see_case("lead-01", "case-completed", "case-done")
    expect(page.get_by_role("main").get_by_text("已完成").first).to_be_visible()
    page.get_by_role("link", name="English").locator("visible=true").click()
    expect(page.get_by_role("heading", name="History")).to_be_visible()
    assert eventually(lambda: page.locator(".djs-container .case-done").count())
    station.keep(page, "case in English", "case-completed-english")
    history = page.get_by_role("region", name="History", exact=True).inner_text()
    assert not re.search("是否|走向|[:;]否", history)

    page = station.open("auditor", "/audit/")
    page.get_by_role("button", name="开始核验").click()
    expect(page.get_by_role("status").filter(has_text="历史完整")).to_be_visible()
    station.keep(page, "history holds", "audit-clean")
    with sqlite3.connect(make_url(county.url).database) as database:
        database.execute("UPDATE task SET holder_id = NULL WHERE instance_id = ? AND element = 'approve_plan'", [station.case])
    page.get_by_role("button", name="开始核验").click()
    told = page.get_by_role("alert")
    expect(told).to_contain_text("发现 1 处问题")
    expect(told).to_contain_text("task")
    station.keep(page, "history broken", "audit-changed-by-hand")


def test_a_crisis_is_acted_on_at_once(served_site, visit, axe, shot):
    station = Station(served_site, "desktop", visit, axe, shot, "crisis")
    station.start("assistant-001", crisis=True, basis="emergency", urgency="urgent")
    assert station.open_tasks == {"crisis_act", "crisis_approval", "county_crisis"}
    station.see_case("lead-01", "case")
    station.county.pass_time(minutes=10)
    station.do("ft-01-1", "crisis_act")
    station.do("lead-01", "crisis_approval")
    station.do("supervisor", "county_crisis")
    station.until("backfill_overdue")
    assert station.open_tasks == {"backfill", "backfill_reminder"}
    station.do("lead-01", "backfill_reminder")
    station.do("ft-01-1", "backfill")
    assert station.open_tasks == {"plan"}
    station.see_case("ft-01-1", "case-goes-on-with-the-plan")
    assert station.county.faults() == []
