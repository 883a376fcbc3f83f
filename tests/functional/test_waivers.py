"""Waivers and explanations, through the pages and the API."""

import re

import pytest

from tests.support.gate import BEGIN, VOLUNTEER, open_gate, refused
from tests.support.journeys import likely
from tests.support.web import words_of

REASON = "对象只信任这位志愿者"


@pytest.fixture
def gated(site):
    """(site, case, task): a procedure with a regulation that lets no volunteer take its task."""
    case = open_gate(site.county)
    return site, case, site.county.open_tasks(case)["visit"].id


def asked(site, task: str, who: str = VOLUNTEER, **more) -> dict:
    refused(site.county, case_of(site, task), who)
    answer = site.api(who).post("/waivers", {"rule": "gate.visit", "reason": REASON, "task": task} | more)
    assert answer.status_code == 201, answer.text
    return answer.json


def case_of(site, task: str) -> str:
    return site.api("supervisor").get(f"/tasks/{task}").json["instance"]["id"]


# --- the API ----------------------------------------------------------------------------------------------------------


def test_a_refusal_says_where_to_ask_and_a_waiver_lets_the_act_pass(gated):
    site, case, task = gated
    program = site.api(VOLUNTEER)
    problem = program.post(f"/tasks/{task}/claim")
    assert problem.status_code == 409
    (told,) = problem.json["verdicts"]
    assert (told["rule"], told["waivable_by"], told["waivers_url"]) == ("gate.visit", "supervisor", "/api/v1/waivers")
    assert told["facts"]["input 2"] == "volunteer" and told["hint"] == "请与社工同去。"
    waiver = program.post(told["waivers_url"].removeprefix("/api/v1"), {"rule": told["rule"], "reason": REASON, "task": task})
    assert waiver.status_code == 201 and waiver.json["status"] == "asked"
    decider = site.api("supervisor")
    (line,) = decider.get("/waivers?view=waiting").json["items"]
    assert (line["reason"], line["person"]["name"], line["instance"]["id"], line["task"]) == (REASON, "郑志愿", case, task)
    granted = decider.post(f"/waivers/{line['id']}/grant", {"reason": "同意", "until": "2026-03-05"})
    assert granted.json == {"id": line["id"], "status": "granted", "expires_at": "2026-03-05T23:59:59+08:00"}
    assert program.post(f"/tasks/{task}/claim").json["status"] == "claimed"
    assert decider.get("/waivers/counts").json["items"] == [
        {"rule": "gate.visit", "asked": 0, "granted": 1, "expired": 0, "refused": 0, "withdrawn": 0, "revoked": 0}
    ]
    (mine,) = program.get("/waivers").json["items"]
    assert mine["answer"] == "同意" and mine["decided_by"]["name"] == "周总督"


def test_refused_revoked_withdrawn_and_pages_of_them(gated):
    site, _case, task = gated
    decider, program = site.api("supervisor"), site.api(VOLUNTEER)
    first = asked(site, task)["id"]
    assert decider.post(f"/waivers/{first}/refuse", {"reason": "请与社工同去"}).json["status"] == "refused"
    second = asked(site, task)["id"]
    assert program.post(f"/waivers/{second}/withdraw").json["status"] == "withdrawn"
    third = asked(site, task)["id"]
    decider.post(f"/waivers/{third}/grant", {"reason": "同意"})
    assert decider.post(f"/waivers/{third}/revoke", {"reason": "情况有变"}).json["status"] == "revoked"
    page = decider.get("/waivers?limit=2").json
    rest = decider.get(f"/waivers?limit=2&cursor={page['next']}").json
    assert [line["id"] for line in page["items"] + rest["items"]] == [third, second, first] and rest["next"] is None
    assert [line["id"] for line in decider.get("/waivers?status=refused").json["items"]] == [first]
    assert decider.get("/waivers?rule=none").json["items"] == []
    assert decider.get("/waivers?station=station-02").json["items"] == []
    assert decider.get("/waivers?station=nowhere").status_code == 404
    assert decider.get("/waivers?status=lost").status_code == 422


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        ({}, 422, "invalid_request"),
        ({"rule": "gate.visit", "reason": "", "task": "TASK"}, 422, "invalid_form"),
        ({"rule": "gate.visit", "reason": REASON}, 422, "invalid_request"),
        ({"rule": "gate.plan", "reason": REASON, "task": "TASK"}, 409, "not_refused"),
        ({"rule": "gate.visit", "reason": REASON, "task": "OTHER"}, 409, "not_refused"),
        ({"rule": "gate.visit", "reason": REASON, "task": "nothing"}, 404, "not_found"),
        ({"rule": "gate.visit", "reason": REASON, "instance": "nothing"}, 404, "not_found"),
        ({"rule": "gate.visit", "reason": REASON, "task": "TASK", "person": "nobody"}, 404, "not_found"),
        ({"rule": "gate.visit", "reason": REASON, "task": "TASK", "until": "2026-03-05"}, 422, "invalid_request"),
    ],
)
def test_what_cannot_be_asked(gated, body, status, code):
    site, case, task = gated
    refused(site.county, case)
    other = site.county.start("gated", place="room-001")["id"]
    names = {"TASK": task, "OTHER": site.county.open_tasks(other)["visit"].id}
    answer = site.api(VOLUNTEER).post("/waivers", {name: names.get(value, value) for name, value in body.items()})
    assert (answer.status_code, answer.json["code"]) == (status, code)
    assert site.api("supervisor").get("/waivers").json["items"] == []


def test_what_cannot_be_decided(gated):
    site, _case, task = gated
    waiver = asked(site, task)["id"]
    assert site.api("lead-01").post(f"/waivers/{waiver}/grant", {"reason": "同意"}).status_code == 403
    assert site.api("lead-02").post(f"/waivers/{waiver}/grant", {"reason": "同意"}).status_code == 404
    decider = site.api("supervisor")
    assert decider.post(f"/waivers/{waiver}/grant", {"reason": "同意", "until": "2027-01-01"}).json["errors"].keys() == {"until"}
    assert decider.post(f"/waivers/{'0' * 32}/grant", {"reason": "同意"}).status_code == 404
    assert decider.post(f"/waivers/{waiver}/withdraw").status_code == 404
    decider.post(f"/waivers/{waiver}/refuse", {"reason": "不必"})
    told = decider.post(f"/waivers/{waiver}/grant", {"reason": "同意"})
    assert (told.status_code, told.json["code"]) == (409, "waiver_closed") and "未批准" in told.json["detail"]


def test_a_lead_who_asked_does_not_decide(gated):
    """Neither does whoever gains by it."""
    site, case, _task = gated
    site.county.do("ft-01-1", case, "visit")
    task = refused(site.county, case, element="plan")
    lead = site.api("lead-01")
    waiver = lead.post("/waivers", {"rule": "gate.plan", "reason": REASON, "task": task, "person": VOLUNTEER}).json["id"]
    told = lead.post(f"/waivers/{waiver}/grant", {"reason": "同意"}, headers={"Accept-Language": "en"})
    assert (told.status_code, told.json["code"]) == (403, "own_waiver") and "himself" not in told.json["detail"]
    assert site.api("supervisor").post(f"/waivers/{waiver}/grant", {"reason": "同意"}).status_code == 200


def test_a_refused_start_has_no_case_to_waive_for(site):
    """What a program starts with its first form answered leaves no case behind when it is refused."""
    site.county.deploy(**BEGIN)
    data = likely("visit", site.county.now)
    answer = site.api("ft-01-1").post("/instances", {"definition": "service_delivery", "place": "room-001", "data": data})
    assert answer.status_code == 409
    assert [(each["rule"], each["waivers_url"]) for each in answer.json["verdicts"]] == [("gate.start", None)]


# --- explanations -----------------------------------------------------------------------------------------------------


def test_why_can_i_not_take_this(gated):
    site, case, task = gated
    program = site.api(VOLUNTEER)
    told = program.get(f"/tasks/{task}/explanation").json
    assert (told["possible"], told["held"], told["obstacles"]) == (False, False, [])
    (block,) = told["regulations"]
    assert (block["rule"], block["name"], block["table"], block["effect"]) == ("gate.visit", "走访制度", "gate", "waiver")
    assert (block["message"], block["hint"]) == ("志愿者不能单独走访。", "请与社工同去。")
    assert [each["name"] for each in block["deciders"]] == ["周总督", "吴总督"]
    assert block["waiver"] is None and block["askable"] is False  # nobody was refused yet
    assert [line["kind"] for line in site.county.history(case)].count("task:claimed") == 0
    waiver = asked(site, task)["id"]
    (block,) = program.get(f"/tasks/{task}/explanation").json["regulations"]
    assert block["waiver"] == {"id": waiver, "status": "asked", "expires_at": None} and block["askable"] is False
    site.api("supervisor").post(f"/waivers/{waiver}/grant", {"reason": "同意"})
    assert program.get(f"/tasks/{task}/explanation").json["possible"] is True
    program.post(f"/tasks/{task}/claim")
    told = program.get(f"/tasks/{task}/explanation").json
    assert (told["possible"], told["held"]) == (True, True)
    english = site.api("ft-01-1").get(f"/tasks/{task}/explanation", headers={"Accept-Language": "en"}).json
    assert english["obstacles"] == [{"code": "taken", "message": "郑志愿 has taken it"}]


def test_why_can_somebody_else_not(gated):
    site, _case, task = gated
    lead = site.api("lead-01")
    told = lead.get(f"/tasks/{task}/explanation?person={VOLUNTEER}").json
    assert told["person"]["name"] == "郑志愿" and [each["rule"] for each in told["regulations"]] == ["gate.visit"]
    assert lead.get(f"/tasks/{task}/explanation").json["possible"] is True
    assert lead.get(f"/tasks/{task}/explanation?person=volunteer-02-1").status_code == 404  # of another station
    assert site.api("supervisor").get(f"/tasks/{task}/explanation?person=volunteer-02-1").json["obstacles"][0]["code"] == "place"
    assert site.api("pt-01-1").get(f"/tasks/{task}/explanation?person={VOLUNTEER}").status_code == 403
    assert site.api("lead-02").get(f"/tasks/{task}/explanation").status_code == 404


def test_what_is_no_regulation_is_told_as_well(site):
    """Whoever wrote the plan does not approve it; what is for full-time workers is not the auditor's."""
    county = site.county
    case = county.start("service_delivery")["id"]
    task = county.open_tasks(case)["visit"].id
    found = site.api("auditor").get(f"/tasks/{task}/explanation").json
    assert {each["code"] for each in found["obstacles"]} >= {"right"} and not found["possible"]


# --- the pages --------------------------------------------------------------------------------------------------------


def test_from_the_refusal_to_the_visit(gated):
    site, _case, task = gated
    volunteer, supervisor = site.visit(VOLUNTEER), site.visit("supervisor")
    refusal = volunteer.submit(f"/tasks/{task}/claim", page=f"/tasks/{task}")
    assert refusal.status_code == 409
    address = re.search(r'href="(/waivers/new[^"]*)"', refusal.text)[1].replace("&amp;", "&")
    page = volunteer.get(address)
    assert "由督导决定：周总督、吴总督" in words_of(page.text).replace(" ", "")
    empty = volunteer.submit("/waivers/new", {"reason": " "}, page=address)
    assert empty.status_code == 422 and "请写明理由" in empty.text
    sent = volunteer.submit("/waivers/new", {"reason": REASON}, page=address)
    assert sent.headers["Location"] == f"/tasks/{task}"
    assert "等待答复" in volunteer.get("/tasks/").text
    inbox = supervisor.get("/tasks/").text
    assert "有 1 份豁免申请等您决定" in inbox
    waiting = supervisor.get("/waivers/waiting").text
    for text in (REASON, "郑志愿", "志愿者不能单独走访。", "gate.visit", "volunteer"):
        assert text in waiting
    waiver = re.search(r'action="/waivers/(\w+)/grant"', waiting)[1]
    wrong = supervisor.submit(f"/waivers/{waiver}/grant", {"reason": "", "until": "2030-01-01"}, page="/waivers/waiting")
    assert wrong.status_code == 422
    supervisor.submit(f"/waivers/{waiver}/grant", {"reason": "同意，两小时内返回", "until": "2026-03-05"}, page="/waivers/waiting")
    inbox = volunteer.get("/tasks/").text
    assert "已批准" in inbox and "同意，两小时内返回" in inbox and f"/tasks/{task}" in inbox
    assert volunteer.submit(f"/tasks/{task}/claim", page=f"/tasks/{task}").status_code == 302
    case = case_of(site, task)
    line = words_of(site.visit("auditor").get(f"/cases/{case}").text)
    assert "申请豁免" in line and "批准豁免" in line and "同意，两小时内返回" in line and "gate.visit（已豁免）" in line


def test_the_register_and_its_table(gated):
    site, _case, task = gated
    waiver = asked(site, task, whole_case=True)["id"]
    supervisor, auditor = site.visit("supervisor"), site.visit("auditor")
    supervisor.submit(f"/waivers/{waiver}/refuse", {"reason": "=1+1"}, page="/waivers/waiting")
    for visit in (supervisor, auditor):
        page = words_of(visit.get("/waivers/").text)
        assert REASON in page and "未批准" in page and "整个个案" in page
    table = auditor.get("/waivers/register.csv?status=refused")
    assert table.mimetype == "text/csv" and table.data.startswith(b"\xef\xbb\xbf")
    head, line = table.data.decode("utf-8-sig").splitlines()
    assert head.startswith("申请时间,状态,规则") and "gate.visit" in line and "'=1+1" in line
    assert len(auditor.get("/waivers/register.csv?status=asked").text.splitlines()) == 1
    assert auditor.get("/waivers/?status=lost").status_code == 422
    assert site.visit("admin").get("/waivers/").status_code == 403
    assert REASON not in site.visit("ft-01-1").get("/waivers/").text


def test_a_regulations_page_counts_the_waivers_of_a_month(gated):
    site, _case, task = gated
    waiver = asked(site, task)["id"]
    site.api("supervisor").post(f"/waivers/{waiver}/grant", {"reason": "同意"})
    supervisor = site.visit("supervisor")
    this, last = (words_of(supervisor.get(f"/regulations/gate?month={month}").text) for month in ("2026-03", "2026-02"))
    assert "当月申请的豁免 已批准 1" in this and "已批准 1" not in last
    assert "/waivers/?rule=gate.visit" in supervisor.get("/regulations/gate").text
    assert "已批准 1" not in words_of(site.visit("ft-01-1").get("/regulations/gate?month=2026-03").text)  # one's own only
    assert "当月申请的豁免" not in site.visit("admin").get("/regulations/gate?month=2026-03").text


def test_withdrawn_and_revoked_from_the_register(gated):
    site, _case, task = gated
    first = asked(site, task)["id"]
    volunteer, supervisor = site.visit(VOLUNTEER), site.visit("supervisor")
    volunteer.submit(f"/waivers/{first}/withdraw", page="/waivers/")
    assert "已撤回" in volunteer.get("/waivers/").text
    second = asked(site, task)["id"]
    supervisor.submit(f"/waivers/{second}/grant", {"reason": "同意"}, page="/waivers/waiting")
    supervisor.submit(f"/waivers/{second}/revoke", {"reason": ""}, page="/waivers/")
    assert "请写明理由" in supervisor.get("/waivers/").text
    supervisor.submit(f"/waivers/{second}/revoke", {"reason": "情况有变"}, page="/waivers/")
    assert "已撤销" in volunteer.get("/tasks/").text and "情况有变" in volunteer.get("/tasks/").text
    late = supervisor.submit(f"/waivers/{second}/revoke", {"reason": "再撤"}, page="/waivers/waiting", follow_redirects=True)
    assert "这份豁免现在是" in late.text


def test_the_explanation_on_its_page(gated):
    site, case, task = gated
    page = words_of(site.visit(VOLUNTEER).get(f"/tasks/{task}/explanation").text)
    for text in ("为什么我不能接", "走访制度", "志愿者不能单独走访", "请与社工同去", "周总督", "先照常领取或转派"):
        assert text in page
    refused(site.county, case)
    assert "/waivers/new?rule=gate.visit" in site.visit(VOLUNTEER).get(f"/tasks/{task}/explanation").text
    lead = site.visit("lead-01")
    assert "谁能接？" in lead.get(f"/tasks/{task}").text
    page = words_of(lead.get(f"/tasks/{task}/explanation?person={VOLUNTEER}").text)
    assert "郑志愿能不能接" in page and "志愿者不能单独走访" in page
    assert "现在没有什么拦着" in lead.get(f"/tasks/{task}/explanation").text


def test_a_page_asks_only_about_what_was_refused(gated):
    site, _case, task = gated
    volunteer = site.visit(VOLUNTEER)
    assert volunteer.get(f"/waivers/new?rule=gate.visit&task={task}").status_code == 409
    assert volunteer.get("/waivers/new?rule=gate.visit&task=nothing").status_code == 404
    assert volunteer.get("/waivers/new").status_code == 422
    # Somebody else's task is not there, and asking about it is remembered.
    other = site.county.start("gated", place="room-004", who="ft-02-1")["id"]
    stranger = site.county.open_tasks(other)["visit"].id
    answer = site.api(VOLUNTEER).post("/waivers", {"rule": "gate.visit", "reason": REASON, "task": stranger})
    assert answer.status_code == 404
    page = site.visit("auditor").get(f"/audit/access?who={VOLUNTEER}").text
    assert "waivers-api.ask not_found" in page
