"""`service_delivery` from the visit to its end in a real browser, by the right people, once on telephones and once on desktops.

Everybody has a browser of their own and works from their inbox; the clock is the test's, and after each move the worker does what is due.
Screenshots of every stage stay in var/screenshots as whole-… and crisis-….
"""

import json
import re
import sqlite3
from datetime import timedelta

import pytest
from playwright.sync_api import Page, expect
from sqlalchemy import make_url

from engine.commands.accounts import change_account
from engine.instances import timers_of
from tests.bpmn.service import BUNDLE, SOURCES
from tests.support.browsers import DEVICES, eventually
from tests.support.county import PASSWORD
from tests.support.journeys import fill, looks_right
from webapp.demo.answers import answer

pytestmark = pytest.mark.browser

WISHES = {
    "visit": {"clientName": "张三", "birthDate": "1950-05-01", "guardianName": None, "categories": ["minimum_living", "disabled_elder"]},
}


class Station:
    """The people of a station on one kind of device, and the case they work at."""

    def __init__(self, served_site, device: str, visit, axe, shot, prefix: str):
        self.site, self.address = served_site
        self.county = self.site.county
        self.device, self.visit, self.axe, self.shot, self.prefix = device, visit, axe, shot, prefix
        self.pages: dict[str, Page] = {}
        self.audited: set[str] = set()
        self.taken = 0
        self.case = ""

    def open(self, who: str, address: str) -> Page:
        """Somebody's browser at an address; whoever was away too long signs in again and arrives there all the same."""
        if who not in self.pages:
            self.pages[who] = self.visit(self.device)
        page = self.pages[who]
        page.goto(self.address + address)
        if "/login" in page.url:
            page.get_by_label("用户名").fill(who)
            page.get_by_label("密码").fill(PASSWORD)
            page.get_by_role("button", name="登录").click()
            page.wait_for_url(re.compile(re.escape(address) + "$"))
        return page

    def keep(self, page: Page, kind: str, name: str) -> None:
        """A screenshot; it fits the window, and the first page of its kind is audited."""
        self.taken += 1
        if kind not in self.audited:
            self.audited.add(kind)
            looks_right(page, self.axe)
        self.shot(page, f"{self.prefix}-{self.taken:02}-{name}")

    def start(self, who: str, **wishes) -> None:
        """Start the case by its page and do its first task."""
        page = self.open(who, "/cases/new")
        self.keep(page, "start", "start")
        page.get_by_label("所用流程").select_option("service_delivery")
        page.get_by_label("在哪里").select_option("room-001")
        page.get_by_role("button", name="发起", exact=True).click()
        expect(page.get_by_role("heading", level=1)).to_have_text("走访登记")
        self.case = page.get_by_role("main").get_by_role("link", name=re.compile(r"^\d{8}-")).first.get_attribute("href").rpartition("/")[2]
        page.get_by_role("button", name="领取", exact=True).click()
        self.complete(page, "visit", wishes)

    def do(self, who: str, element: str, **wishes) -> None:
        """Take the task from the list of what is offered, fill in its form, send it."""
        page = self.open(who, "/tasks/?view=offered")
        page.get_by_role("button", name=f"领取 {BUNDLE.process.elements[element].name}").first.click()
        self.complete(page, element, wishes)

    def complete(self, page: Page, element: str, wishes: dict) -> None:
        task = BUNDLE.process.elements[element]
        expect(page.get_by_role("heading", level=1)).to_have_text(task.name)
        schema = json.loads((SOURCES / "forms" / f"{task.form_id}.form").read_text(encoding="utf-8"))
        fill(page, answer(schema, WISHES.get(element, {}) | wishes, self.county.now))
        self.keep(page, task.form_id, element)
        page.get_by_role("button", name="办结").click()
        expect(page.get_by_role("status").filter(has_text="已办结")).to_be_visible()

    def see_case(self, who: str, name: str, marks: str = "case-here") -> Page:
        """The case's page, its diagram drawn."""
        page = self.open(who, f"/cases/{self.case}")
        assert eventually(lambda: page.locator(f".djs-container .{marks}").count())
        self.keep(page, f"case {marks}", name)
        return page

    def until(self, element: str) -> None:
        """Move the clock to when a timer of the case is due; the worker does the rest."""
        with self.county.system.database.read() as session:
            due = min(timer.due_at for timer in timers_of(session, self.case) if timer.element == element)
        self.county.now = due.astimezone(self.county.now.tzinfo) + timedelta(minutes=1)
        assert self.county.pass_time() >= 1

    def morning_after(self) -> None:
        """People work by day."""
        self.county.now = (self.county.now + timedelta(days=1)).replace(hour=9, minute=0)
        self.county.pass_time()

    @property
    def open_tasks(self) -> set[str]:
        return set(self.county.open_tasks(self.case))

    @property
    def status(self) -> str:
        return self.county.instance(self.case).status


@pytest.fixture(params=list(DEVICES))
def device(request) -> str:
    return request.param


def test_the_whole_procedure_by_the_right_people(served_site, device, visit, axe, shot):
    station = Station(served_site, device, visit, axe, shot, "whole")
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
    expect(inbox.get_by_role("link", name="督办:接案逾期")).to_be_visible()
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
    page.get_by_role("link", name="审批计划").click()
    expect(page.get_by_text("您不能领取:您参与了前面的环节，按规定须回避")).to_be_visible()
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
    """On desktops only: what is drawn there, the other test has measured on telephones."""
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
