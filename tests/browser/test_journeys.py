"""Whole journeys in a real browser, on a telephone and on a desktop: a newcomer's first steps, and `service_delivery` from the
visit to the last follow-up, by the right people, with a clock that the test moves. Screenshots stay in var/screenshots."""

import json
import re

import pytest
from playwright.sync_api import Page, expect

from tests.functional.test_pages import flat
from tests.support import tables
from tests.support.browsers import eventually, served, sideways_scroll
from tests.support.counties import County, prepare_with_procedures
from tests.support.county import PASSWORD
from tests.support.web import Site
from webapp.demo.answers import answer

pytestmark = pytest.mark.browser

WHO = {
    "visit": "assistant-001",
    "approve_plan": "lead-01",
    "approve_close": "lead-01",
    "remind": "lead-01",
}
WISHES = {
    "visit": {"clientName": "张三", "basis": "statutory", "crisis": False, "urgency": "normal"},
    "record": {"moreNeeded": "no"},
}
REGULATION = tables.file(
    tables.table(
        inputs=[("point", "string")],
        outputs=[(name, "string") for name in ("rule", "effect", "message", "message_en", "hint", "source", "waivable_by")],
        rules=[['"complete"', '"quiet.day"', '"waiver"', '"今天不走访。"', '"No visits."', '"请改日再来。"', '"站内默认"', '"supervisor"']],
        hit="COLLECT",
        ident="quiet",
    )
)
PAGES = 40  # more tasks than the regular path has: then it goes round in circles


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
    for _round in range(4):
        for name, value in list(left.items()):
            for each in value if isinstance(value, list) else [value]:
                if not _fill_one(page, name, each):
                    break
            else:
                left.pop(name)


def _fill_one(page: Page, name: str, value) -> bool:
    fields = page.locator(f"[name={json.dumps(name)}]:not([type=hidden])")
    if not fields.count():
        return False
    first = fields.first
    kind = first.evaluate("field => field.type")
    if kind in ("radio", "checkbox"):
        first = page.locator(f"[name={json.dumps(name)}][value={json.dumps(str(value))}]").first
        if not first.count() or not first.is_visible() or first.is_disabled():
            return False
        first.check()
        return True
    if not first.is_visible() or not first.is_editable():
        return False
    if kind.startswith("select"):
        first.select_option(str(value))
    elif kind == "datetime-local":
        first.fill(str(value)[:16])
    else:
        first.fill(str(value))
    return True


def looks_right(page: Page, axe) -> None:
    assert sideways_scroll(page) == 0
    assert axe(page) == []


def test_a_newcomer_starts_a_case_completes_two_tasks_and_sees_the_time_line(served_site, page, axe, shot):
    site, address = served_site
    page.goto(address)
    looks_right(page, axe)
    shot(page, "1-login")
    sign_in(page, address, "ft-01-1")
    looks_right(page, axe)
    shot(page, "2-inbox-empty")
    page.get_by_role("link", name="发起个案").click()
    page.get_by_label("在哪里").select_option("room-001")
    looks_right(page, axe)
    shot(page, "3-start")
    page.get_by_role("button", name="发起", exact=True).click()
    expect(page.get_by_role("heading", level=1)).to_have_text("走访登记")
    for number, element in enumerate(("visit", "first_response"), 4):
        page.get_by_role("button", name="领取").click()
        task = page.url.rsplit("/", 1)[1]
        schema = site.api("ft-01-1").get(f"/tasks/{task}").json["form"]
        looks_right(page, axe)
        fill(page, answer(schema, WISHES.get(element, {}), site.county.now))
        looks_right(page, axe)
        shot(page, f"{number}-{element}")
        page.get_by_role("button", name="办结").click()
        expect(page.get_by_role("status").filter(has_text="已办结")).to_be_visible()
    case = site.api("ft-01-1").get("/instances").json["items"][0]["id"]
    page.goto(f"{address}/cases/{case}")
    assert eventually(lambda: page.locator(".djs-container .case-here").count() >= 1)
    assert page.locator(".djs-container .case-done").count() >= 3
    history = page.get_by_role("region", name="经过")
    expect(history.get_by_text("办结任务")).to_have_count(2)
    history.get_by_text("填写的内容").first.click()
    looks_right(page, axe)
    shot(page, "6-case")
    page.get_by_role("link", name="English").first.click()
    expect(page.get_by_role("heading", name="History")).to_be_visible()
    looks_right(page, axe)
    shot(page, "7-case-english")


def test_a_service_case_runs_to_its_end(served_site, page, axe, shot):
    site, address = served_site
    county = site.county
    case = county.start("service_delivery", place="room-001", who="assistant-001")["id"]
    done = []
    while county.instance(case).status == "active":
        assert len(done) < PAGES, done
        tasks = county.open_tasks(case)
        if not tasks:
            assert _to_the_next_timer(county, case), "nothing to wait for"
            continue
        element, task = sorted(tasks.items(), key=lambda pair: pair[1].id)[0]
        who = WHO.get(element, "ft-01-1")
        sign_in(page, address, who)
        page.goto(f"{address}/tasks/{task.id}")
        claim = page.get_by_role("button", name="领取", exact=True)
        assert claim.count(), f"{who} may not claim {element}"
        claim.click()
        schema = site.api(who).get(f"/tasks/{task.id}").json["form"]
        fill(page, answer(schema, WISHES.get(element, {}), county.now))
        if element not in done:
            looks_right(page, axe)
            shot(page, f"case-{len(done) + 1:02}-{element}")
        page.get_by_role("button", name="办结").click()
        expect(page.get_by_role("status").filter(has_text="已办结")).to_be_visible()
        done.append(element)
        county.pass_time(minutes=30)
    assert county.instance(case).status == "completed"
    assert [done.count(each) for each in ("visit", "assessment", "plan", "approve_plan", "evaluate", "close", "follow_up")] == [1] * 6 + [3]
    page.goto(f"{address}/cases/{case}")
    expect(page.get_by_text("已完成").first).to_be_visible()
    eventually(lambda: page.locator(".djs-container .case-done").count() > 20)
    looks_right(page, axe)
    shot(page, "case-99-completed")
    assert county.faults() == []


def test_a_refusal_is_explained_on_the_page(served_site, page, axe, shot):
    """A regulation of this county allows no visit: the page names rule, hint, source and who may grant an exception."""
    site, address = served_site
    site.county.deploy(**{"quiet.dmn": REGULATION})
    case = site.county.start("service_delivery", place="room-001", who="assistant-001")["id"]
    task = site.county.open_tasks(case)["visit"]
    sign_in(page, address, "assistant-001")
    page.goto(f"{address}/tasks/{task.id}")
    page.get_by_role("button", name="领取", exact=True).click()
    schema = site.api("assistant-001").get(f"/tasks/{task.id}").json["form"]
    fill(page, answer(schema, WISHES["visit"], site.county.now))
    page.expected_errors.append("409")
    page.get_by_role("button", name="办结").click()
    told = page.get_by_role("alert")
    for text in ("今天不走访。", "请改日再来。", "quiet.day", "站内默认", "督导"):
        expect(told).to_contain_text(text)
    assert page.locator("#f-clientName").input_value() == "张三", "what was typed is still there"
    looks_right(page, axe)
    shot(page, "refused")


def _to_the_next_timer(county, case: str) -> int:
    """Move the clock to when the case's next timer is due; how many fired."""
    from engine.instances import timers_of

    with county.system.database.read() as session:
        due = [timer.due_at for timer in timers_of(session, case)]
    if not due:
        return 0
    county.now = max(county.now, min(due).astimezone(county.now.tzinfo))
    return county.pass_time(seconds=1)
