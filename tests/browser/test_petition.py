"""`petition_mediation` in a real browser by worker, petition officer, mediator, volunteer and lead, on telephones and on desktops, with an
extension, a refusal and an escalation; and its papers, looked at and printed. The parties have no accounts: what they say and sign is
entered by the worker. Screenshots stay in var/screenshots as petition-…, its papers as PDF."""

import re

import pytest
from playwright.sync_api import Page, expect

from tests.bpmn.petition import ANSWERS, BUNDLE
from tests.support.browsers import SCREENSHOTS, eventually
from tests.support.journeys import Station, fill, just_now, looks_right
from tests.support.web import flat

pytestmark = pytest.mark.browser
PROCESS = BUNDLE.processes[0]
OFFICER, MEDIATOR, WORKER, LEAD, VOLUNTEER = "partner-01-petition", "partner-01-mediator", "ft-01-1", "lead-01", "volunteer-01-1"


class Petition(Station):
    """The people of a station, the officer and the mediator at one petition."""

    def start(self, who: str, registrar: str, **wishes) -> None:
        """Start the case on its page; somebody registers the petition."""
        page = self.open(who, "/cases/new")
        page.get_by_label("所用流程").select_option("petition_mediation")
        page.get_by_label("在哪里").select_option("room-001")
        page.get_by_role("button", name="发起", exact=True).click()
        expect(page.get_by_role("heading", level=1)).to_have_text("登记")
        self.case = page.get_by_role("main").get_by_role("link", name=re.compile(r"^\d{8}-")).first.get_attribute("href").rpartition("/")[2]
        page = self.open(registrar, "/tasks/?view=offered")
        page.get_by_role("button", name="领取 登记", exact=True).click()
        page.get_by_role("button", name="添加一条 当事人").click()
        self.complete(page, "register", wishes)

    def do(self, who: str, element: str, **wishes) -> Page:
        """Take the task from the list of what is offered, fill in its form, send it."""
        page = self.open(who, "/tasks/?view=offered")
        page.get_by_role("button", name=f"领取 {PROCESS.elements[element].name}").first.click()
        self.complete(page, element, wishes)
        return page

    def complete(self, page: Page, element: str, wishes: dict) -> None:
        task = PROCESS.elements[element]
        expect(page.get_by_role("heading", level=1)).to_have_text(task.name)
        answers = {key: value for key, value in flat(_merged(just_now(ANSWERS[task.form_id], self.county.now), wishes)).items() if not key.endswith("]")}
        assert eventually(lambda: _filled(page, answers))
        self.keep(page, task.form_id, element)
        page.get_by_role("button", name="办结").click()
        expect(page.get_by_role("status").filter(has_text="已办结")).to_be_visible()

    def paper(self, who: str, title: str, name: str) -> Page:
        """A paper of the case: it fits the window; printed, it is kept as PDF."""
        page = self.open(who, f"/cases/{self.case}/documents")
        page.get_by_role("link", name=re.compile(f"^{title}")).first.click()
        expect(page.get_by_role("heading", level=1)).to_have_text(title)
        self.keep(page, "paper", f"paper-{name}")
        page.emulate_media(media="print")
        page.pdf(path=SCREENSHOTS / f"petition-paper-{name}-{page.viewport_size['width']}.pdf", prefer_css_page_size=True)
        page.emulate_media(media="screen")
        return page


def _filled(page: Page, answers: dict) -> bool:
    """Fill in what is there to be seen; whether nothing required is left."""
    fill(page, answers)
    wanted = page.locator("[aria-required=true]:visible")
    return wanted.evaluate_all("all => all.every(one => one.value === undefined ? one.querySelector(':checked') : one.value !== '')")


def _merged(answers: dict, wishes: dict) -> dict:
    merged = dict(answers)
    for key, value in wishes.items():
        merged[key] = merged[key] | value if isinstance(value, dict) else value
    return merged


@pytest.mark.parametrize("device", ["desktop"])
def test_from_registration_to_agreement(served_site, device, visit, axe, shot):
    petition = Petition(served_site, device, visit, axe, shot, "petition")
    petition.start(WORKER, OFFICER)
    assert petition.open_tasks == {"hand_over", "home_visit"}
    petition.do(OFFICER, "hand_over")
    petition.morning_after()
    petition.do(WORKER, "home_visit")
    page = petition.open(WORKER, f"/cases/{petition.case}")
    petition.keep(page, "case with a button", "case")
    petition.do(WORKER, "home_visit")
    petition.do(OFFICER, "acceptance")
    petition.do(WORKER, "assess", risk="medium")
    petition.do(WORKER, "plan")
    petition.do(LEAD, "approve_plan")
    petition.morning_after()
    petition.do(WORKER, "willingness")
    petition.do(WORKER, "willingness")
    petition.do(MEDIATOR, "mediate")
    petition.do(MEDIATOR, "agreement")
    assert petition.open_tasks == {"disposal", "confirmation", "governance", "companion"}
    petition.do(MEDIATOR, "confirmation", confirmation="yes", court="梁山县人民法院", appliedOn="2026-03-20", courtResult="confirmed")
    petition.do(WORKER, "governance")
    petition.do(VOLUNTEER, "companion")
    petition.do(WORKER, "evaluate")
    petition.do(LEAD, "approve_close")

    decision = ("disposalOn", "disposalNo", "disposalResult", "disposalText", "deliveredOn")
    petition.do(OFFICER, "disposal", extend="yes", **dict.fromkeys(decision))
    page = petition.do(OFFICER, "extension")
    page.get_by_role("link", name="打印“延期告知书”").click()
    expect(page.get_by_role("main")).to_contain_text("办理期限延长30日")
    petition.paper(WORKER, "延期告知书", "notice")
    page = petition.paper(WORKER, "家访记录", "visit")
    page.evaluate("window.print = () => window.dispatchEvent(new Event('beforeprint'))")
    with page.expect_response(re.compile(r"/documents/\w+/printed$")) as answered:  # whichever way it is printed, it is recorded
        page.get_by_role("button", name="打印").click()
    assert answered.value.status == 204
    petition.paper(WORKER, "调解协议书", "agreement")
    petition.paper(WORKER, "化解方案", "plan")
    petition.do(OFFICER, "disposal")
    petition.until("revisit_due")
    petition.do("assistant-001", "revisit")
    petition.paper(LEAD, "回访表", "revisit")
    page = petition.see_case(LEAD, "case-late")
    page = petition.open(WORKER, f"/cases/{petition.case}/documents")
    petition.keep(page, "papers", "papers")
    assert petition.county.faults() == []


@pytest.mark.parametrize("device", ["phone"])
def test_a_refusal_and_an_escalation(served_site, device, visit, axe, shot):
    petition = Petition(served_site, device, visit, axe, shot, "refusal")
    petition.start(WORKER, OFFICER)
    petition.do(WORKER, "home_visit", escalation="yes")
    assert {"police", "home_visit"} <= petition.open_tasks
    petition.do(OFFICER, "police", stepsGoOn="yes")
    petition.do(LEAD, "police_noted")
    petition.do(WORKER, "home_visit")
    petition.do(WORKER, "assess")
    petition.do(WORKER, "plan")
    petition.do(LEAD, "approve_plan")
    petition.do(WORKER, "willingness")
    petition.do(WORKER, "willingness", consent={"agree": "no", "signed": None, "refuseReason": "不信任"})
    assert petition.open_tasks == {"hand_over", "governance", "companion"}  # and no mediation

    page = petition.open(VOLUNTEER, "/tasks/?view=offered")
    page.get_by_role("link", name="邻里陪伴").click()
    page.get_by_role("button", name="报告突发情况").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("登记突发情况")
    page.get_by_role("button", name="领取", exact=True).click()
    petition.complete(page, "register_incident", {"minorHarm": "yes"})
    assert "minor_report" in petition.open_tasks
    petition.do(MEDIATOR, "minor_report")
    petition.do(LEAD, "minor_noted")
    petition.see_case(LEAD, "case")


@pytest.mark.parametrize("device", ["phone"])
def test_one_party_is_erased_and_the_case_goes_on(served_site, device, visit, axe, shot):
    petition = Petition(served_site, device, visit, axe, shot, "erased")
    petition.start(WORKER, OFFICER)
    page = petition.open("supervisor", f"/cases/{petition.case}/documents")
    section = page.get_by_role("region", name="当事人")
    section.get_by_text("按规定删除资料 李四").click()
    petition.keep(page, "erase", "before")
    section.get_by_label("依据").locator("visible=true").fill("本人申请")
    section.get_by_role("button", name="删除这名当事人的资料").locator("visible=true").click()
    expect(section).to_contain_text("已按规定删除")
    expect(section).to_contain_text("张三")
    petition.keep(page, "erased", "after")
    page = petition.open(WORKER, "/tasks/?view=offered")
    petition.do(WORKER, "home_visit")
    petition.do(WORKER, "home_visit")
    page = petition.open(WORKER, "/tasks/?view=offered")
    page.get_by_role("link", name="②评估情况").click()
    looks_right(page, axe)
    assert "李四" not in page.content()
    assert petition.county.faults() == []
