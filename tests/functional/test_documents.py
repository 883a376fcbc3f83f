"""Papers of a case on pages: what they show, who may read them, what stays recorded; and erasing a party."""

import re

import pytest
from sqlalchemy import select

from engine import instances, tasks
from engine.audit import Event
from engine.commands import tasks as commands
from engine.parties import ERASED
from tests.bpmn.petition import ANSWERS
from tests.bpmn.service import ANSWERS as SERVICE_ANSWERS
from tests.support.journeys import just_now
from tests.support.web import words_of
from webapp.documents.layout import blocks


@pytest.fixture
def petition(site):
    """(site, case id): both parties visited, the organ has extended."""
    county = site.county
    case = county.start("petition_mediation", data=ANSWERS["petition_register"])["id"]
    visit_of(county, case, "李四")
    county.do("partner-01-petition", case, "hand_over", ANSWERS["petition_hand_over"])
    county.do("partner-01-petition", case, "acceptance", ANSWERS["petition_acceptance"])
    county.do("partner-01-petition", case, "disposal", {"extend": "yes"})
    county.do("partner-01-petition", case, "extension", ANSWERS["petition_extension"])
    return site, case


def visit_of(county, case: str, name: str) -> None:
    """The social worker does the visit of one party."""
    worker = county.act("ft-01-1")
    with county.system.database.read() as session:
        open_visits = [task for task in instances.tasks_of(session, case) if task.element == "home_visit"]
        found = [tasks.detail(county.system, session, worker, task.id) for task in open_visits]
    [wanted] = [detail.task.id for detail in found if detail.variables["party"]["name"] == name]
    commands.claim(county.system, worker, wanted, now=county.now)
    commands.complete(county.system, worker, wanted, just_now(ANSWERS["petition_visit"], county.now), now=county.now)


def papers(visit, case) -> dict[str, str]:
    """Address of each paper in a case's list by its text."""
    page = visit.get(f"/cases/{case}/documents").text
    found = re.findall(r'<a href="(/documents/[^"]+)">(.*?)</a>', page, re.DOTALL)
    return {words_of(text).strip(): address for address, text in found}


def recorded(site, username: str) -> list[str]:
    """What an access stream says of papers."""
    stream = f"access/{site.county.act(username).person_id}"
    with site.county.system.database.read() as session:
        query = select(Event.kind).where(Event.stream == stream, Event.kind.startswith("document:")).order_by(Event.seq)
        return list(session.scalars(query))


def test_each_time_a_task_was_done_makes_a_paper_and_open_ones_are_blanks(petition):
    site, case = petition
    visit = site.visit("ft-01-1")
    found = papers(visit, case)
    done = found["家访记录 · 李四"]
    blank = found["家访记录 · 张三"]
    page = words_of(visit.get(done).text)
    for expected in ("小县", "甲镇社工站", "家访记录", "两家共用院墙", "李四", "宅基地边界争议", "受访人（签字）：", "林专一"):
        assert expected in page, expected
    assert "未成年人受侵害" not in page and "暴力威胁" not in page  # whoever signs must not be warned
    page = words_of(visit.get(blank).text)
    assert "☐ 平稳 ☐ 激动 ☐ 低落" in page
    assert "两家共用院墙" not in page
    assert "耐心听" not in page  # what only tells how to fill in the form


def test_the_notice_of_an_extension_is_a_letter(petition):
    site, case = petition
    visit = site.visit("partner-01-petition")
    page = words_of(visit.get(papers(visit, case)["延期告知书"]).text)
    for expected in ("张三", "县自然资源局", "需要重新测绘", "王局长", "办理期限延长30日", "至2026年6月8日止", "第三十四条"):
        assert expected in page, expected


def test_every_look_and_every_print_is_recorded(petition):
    site, case = petition
    visit = site.visit("lead-01")
    address = papers(visit, case)["家访记录 · 李四"]
    assert visit.get(address).status_code == 200
    assert visit.submit(f"{address}/printed", {}, page=address).status_code == 302
    assert recorded(site, "lead-01") == ["document:viewed", "document:viewed", "document:printed"]
    told = words_of(site.visit("auditor").get(f"/audit/access?person={site.county.act('lead-01').person_id}").text)
    assert told  # the page of accesses opens; what it lists is its own test's business


def test_partners_read_their_own_papers_only(petition):
    site, case = petition
    theirs = papers(site.visit("partner-01-petition"), case)
    assert {"转送交办告知单", "处理意见登记表", "延期告知书"} <= set(theirs)
    assert not any(title.startswith(("家访记录", "信访事项登记表")) for title in theirs)
    staff = papers(site.visit("ft-01-1"), case)
    partner = site.visit("partner-01-petition")
    assert partner.get(staff["家访记录 · 李四"]).status_code == 404
    assert partner.get(theirs["延期告知书"]).status_code == 200


@pytest.mark.parametrize(("username", "status"), [("ft-02-1", 404), ("volunteer-01-1", 404), ("admin", 403), ("resident-1", 403)])
def test_who_has_no_business_with_a_case_reads_none_of_its_papers(petition, username, status):
    site, case = petition
    address = papers(site.visit("ft-01-1"), case)["家访记录 · 李四"]
    visit = site.visit(username)
    assert visit.get(address).status_code == status
    assert visit.get(f"/cases/{case}/documents").status_code in (403, 404)
    assert recorded(site, username) == []


def test_erasing_a_party_empties_its_papers_and_no_others(petition):
    site, case = petition
    staff, supervisor = site.visit("ft-01-1"), site.visit("supervisor")
    assert "按规定删除资料" not in staff.get(f"/cases/{case}/documents").text
    answer = supervisor.submit(f"/cases/{case}/parties/2/erase", {"reason": "本人申请"}, page=f"/cases/{case}/documents")
    assert answer.status_code == 302
    found = papers(staff, case)
    assert f"家访记录 · {ERASED}" in found
    page = words_of(staff.get(found[f"家访记录 · {ERASED}"]).text)
    assert "两家共用院墙" not in page and "李四" not in page and ERASED in page
    registered = words_of(staff.get(found["信访事项登记表"]).text)
    assert "张三" in registered and "13800000001" in registered
    assert "李四" not in registered and "13800000002" not in registered
    assert site.county.faults() == []


def test_papers_of_the_first_procedure_too(site):
    from tests.bpmn.service import ANSWERS as SERVICE

    case = site.county.start("service_delivery", data=SERVICE["visit"])["id"]
    found = papers(site.visit("ft-01-1"), case)
    assert "走访登记表" in found
    page = words_of(site.visit("ft-01-1").get(found["走访登记表"]).text)
    assert "张三" in page and "独居，生活困难" in page.replace(",", "，")


def test_a_paper_of_nothing_is_empty():
    assert blocks((), filled=True, notice=False) == []


def test_a_part_timer_gets_no_paper_and_no_link_of_what_only_a_full_time_worker_may_do(site):
    """The blank of an open task tells what is known so far, and used to open for everybody at the station."""
    case = site.county.start("service_delivery", data=SERVICE_ANSWERS["visit"])["id"]
    for element in ("first_response", "intake", "consent"):
        site.county.do("ft-01-1", case, element, SERVICE_ANSWERS[element])
    task = site.county.open_tasks(case)["assessment"].id
    full_time, part_time = site.visit("ft-01-1"), site.visit("pt-01-1")
    assert full_time.get(f"/documents/{task}").status_code == 200
    assert part_time.get(f"/documents/{task}").status_code == part_time.get(f"/tasks/{task}").status_code == 404
    assert f"/tasks/{task}" in full_time.get(f"/cases/{case}").text
    assert f"/tasks/{task}" not in part_time.get(f"/cases/{case}").text
