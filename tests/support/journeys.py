"""What journeys through the application in a real browser share: `served_site`, signing in, filling in forms, looking at a page."""

import json
import re
from datetime import timedelta

import pytest
from playwright.sync_api import Page, expect

from engine.instances import timers_of
from tests.bpmn.service import BUNDLE, CALENDAR, SOURCES
from tests.support.browsers import eventually, served, sideways_scroll
from tests.support.counties import County, prepare_with_procedures
from tests.support.county import PASSWORD
from tests.support.web import Site, flat
from webapp.demo.answers import answer

LIKELY = {
    "visit": {"clientName": "张三", "birthDate": "1950-05-01", "guardianName": None, "categories": ["minimum_living", "disabled_elder"]},
}


@pytest.fixture
def served_site(new_database, tmp_path):
    """(site, address): the application on SQLite, in threads of this process."""
    county = County(new_database("sqlite", prepare=prepare_with_procedures))
    site = Site(county, tmp_path)
    with served(site.app) as address:
        yield site, address
    site.close()
    county.system.database.dispose()


def sign_in(page: Page, address: str, username: str) -> None:
    page.context.clear_cookies()
    page.goto(f"{address}/login")
    page.get_by_label("用户名").fill(username)
    page.get_by_label("密码").fill(PASSWORD)
    page.get_by_role("button", name="登录").click()
    page.wait_for_url(re.compile(r"/(tasks/)?$"))


def fill(page: Page, data: dict) -> None:
    """Type answers into whatever fields of the form are there to be seen; again for those that appear because of them."""
    left = flat(data)
    for _round in range(5):
        there = {name: kind for name, kind in page.evaluate(OPEN_FIELDS).items() if name in left}
        for name, kind in there.items():
            value = left.pop(name)
            for each in value if isinstance(value, list) else [value]:
                _fill_one(page, name, kind, each)
        if not left:
            break
        # The page settles 80 ms after a change: a later timer of its own comes after that.
        page.evaluate("new Promise(settled => setTimeout(settled, 100))")


# One question to the browser for all fields instead of several for each.
OPEN_FIELDS = """() => Object.fromEntries([...document.querySelectorAll('[name]:not([type=hidden])')]
    .filter(field => field.checkVisibility() && !field.disabled && !field.readOnly).map(field => [field.name, field.type]))"""


def _fill_one(page: Page, name: str, kind: str, value) -> None:
    field = page.locator(f"[name={json.dumps(name)}]:not([type=hidden])").first
    if kind in ("radio", "checkbox"):
        # By the keyboard: what unfolds at that moment could move it away from under the mouse.
        option = page.locator(f"[name={json.dumps(name)}][value={json.dumps(str(value))}]").first
        if not option.is_checked():
            option.press("Space")
            assert option.is_checked()
    elif kind.startswith("select"):
        field.select_option(str(value))
    else:
        field.fill(str(value)[:16] if kind == "datetime-local" else str(value))


def looks_right(page: Page, axe, only: str = "html") -> None:
    """It fits its window, and axe has nothing to say of it, or of the part that is asked for."""
    assert sideways_scroll(page) == 0
    assert axe(page, only=only) == []


def likely(element: str, now, **wishes) -> dict:
    """What somebody may well answer to the form of a task of service_delivery."""
    form = BUNDLE.processes[0].elements[element].form_id
    schema = json.loads((SOURCES / "forms" / f"{form}.form").read_text(encoding="utf-8"))
    return answer(schema, LIKELY.get(element, {}) | wishes, now)


TIMES = ("occurredAt", "visitedAt", "mediatedAt", "companionAt")  # of a service, in the forms


def just_now(answers: dict, now) -> dict:
    """Answers whose service has happened at this moment: a regulation asks how late a record is, and whether it is ahead."""
    moment = now.astimezone(CALENDAR.zone).isoformat(timespec="minutes")
    return {
        key: just_now(value, now) if isinstance(value, dict) else moment if key in TIMES else value
        for key, value in answers.items()
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
        """A screenshot at both widths; the first page of its kind is audited."""
        self.taken += 1
        if kind not in self.audited:
            looks_right(page, self.axe, "main" if self.audited else "html")  # what is around it is the same everywhere
            self.audited.add(kind)
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
        page.get_by_role("button", name=f"领取 {BUNDLE.processes[0].elements[element].name}").first.click()
        self.complete(page, element, wishes)

    def complete(self, page: Page, element: str, wishes: dict) -> None:
        """Fill in the form of the task that is open in this browser, and send it."""
        task = BUNDLE.processes[0].elements[element]
        expect(page.get_by_role("heading", level=1)).to_have_text(task.name)
        fill(page, likely(element, self.county.now, **wishes))
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
