"""Dispatching by page and by program."""

from tests.integration.test_assigned import one
from tests.integration.test_cases import ASSIGN
from tests.support.web import words_of

BUNDLE = one(ASSIGN)


def begin(site) -> str:
    site.county.deploy(**BUNDLE)
    return site.county.start("one")["tasks"][0]["id"]


def test_a_program_sees_candidates_sends_one_and_reassigns(site):
    task, lead, supervisor = begin(site), site.api("lead-01"), site.api("supervisor")
    found = lead.get(f"/tasks/{task}/candidates").json["items"]
    assert {each["username"] for each in found} == {"ft-01-1", "ft-01-2", "pt-01-1"} and all(each["reasons"] for each in found)
    assert site.api("lead-02").get(f"/tasks/{task}/candidates").status_code == 404
    assert site.api("ft-01-1").get(f"/tasks/{task}/candidates").status_code == 403
    assert task in {each["id"] for each in lead.get("/dispatch?place=station-01&status=offered").json["items"]}
    assert task not in {each["id"] for each in site.api("lead-02").get("/dispatch").json["items"]}
    assert lead.post(f"/tasks/{task}/dispatch", {"to": "ft-02-1", "reason": "缺人"}).status_code == 403
    assert supervisor.post(f"/tasks/{task}/dispatch", {"to": "ft-02-1", "reason": "缺人"}).json["status"] == "claimed"
    plan = supervisor.post("/reassignments/preview", {"tasks": [task], "to": "ft-01-1"}).json["items"]
    assert plan[0]["to"] == "ft-01-1"
    done = supervisor.post("/reassignments", {"tasks": [task], "to": "ft-01-1", "reason": "回站"})
    assert [line["outcome"] for line in done.json["lines"]] == ["went"]
    assert site.county.open_tasks(supervisor.get(f"/tasks/{task}").json["instance"]["id"])["task"].holder_id == site.county.act("ft-01-1").person_id


def test_a_program_hands_over_and_back_once_for_a_key(site):
    task, lead = begin(site), site.api("lead-01")
    site.api("ft-01-1").post(f"/tasks/{task}/claim")
    assert lead.get("/handovers/preview?person=ft-01-1&substitute=ft-01-2").json["items"][0]["to"] == "ft-01-2"
    body = {"person": "ft-01-1", "substitute": "ft-01-2", "until": "2026-03-20", "reason": "休假"}
    first, again = (lead.post("/handovers", body, headers={"Idempotency-Key": "leave"}) for _ in range(2))
    assert first.json == again.json and first.json["status"] == "moved" and first.json["until"] == "2026-03-20"
    assert lead.post("/handovers", body).status_code == 422
    assert site.api("lead-02").get(f"/handovers/{first.json['id']}").status_code == 404
    assert lead.post(f"/handovers/{first.json['id']}/take-back").json["lines"][0]["outcome"] == "back"
    assert len(lead.get("/handovers").json["items"]) == 1


def test_the_pages_show_who_and_why_and_what_would_become_of_it(site):
    task, visit = begin(site), site.visit("lead-01")
    assert f"/dispatch/tasks/{task}" in visit.get("/dispatch/?station=station-01").text
    page = words_of(visit.get(f"/dispatch/tasks/{task}").text)
    assert "工作量" in page and "派给" in page
    assert visit.submit(f"/dispatch/tasks/{task}", {"to": "ft-01-1"}).status_code == 302
    preview = visit.submit("/dispatch/preview", {"tasks": task, "to": "ft-01-2"}, page="/dispatch/")
    assert preview.status_code == 200 and "还没有改动" in preview.text
    person, other = (site.county.act(who).person_id for who in ("ft-01-1", "ft-01-2"))
    address = f"/dispatch/handovers/preview?person={person}&substitute={other}"
    seen = visit.get(address).text
    line = next(part.split('"')[0] for part in seen.split('name="lines" value="')[1:])
    answer = visit.submit("/dispatch/handovers", {"person": person, "to": other, "lines": line, "reason": "病假"}, page=address)
    assert answer.status_code == 302
    assert "移交完毕" in visit.get(answer.location).text
    visit.submit(f"{answer.location}/take-back", page=answer.location)
    assert "交还完毕" in visit.get(answer.location).text
    assert site.visit("ft-01-1").get("/dispatch/").status_code == 403
