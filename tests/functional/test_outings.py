"""外出报备 as people and programs meet it: report, stay longer, come back, who is out, alarms and what was done about them."""

import re
from datetime import timedelta

from tests.support.web import words_of


def trip(site, hours=1, **more) -> dict:
    expected = site.county.now + timedelta(hours=hours)
    return {"destination": "张庄村三组", "reason": "入户走访", "expected_return": expected.strftime("%Y-%m-%dT%H:%M"), **more}


def report(site, who="ft-01-1", **more):
    visit = site.visit(who)
    answer = visit.submit("/outings/new", trip(site, **more) | {"leaves": more.get("leaves", "yes")})
    assert answer.status_code == 302, words_of(answer.text)
    return visit


def button(html: str, action: str) -> str:
    return re.search(rf'action="(/outings/[0-9a-z/]+{action})"', html)[1]


def test_a_way_out_and_back_by_pages(site):
    worker = report(site, companions="volunteer-01-1")
    inbox = worker.get("/tasks/").text
    assert "我已安全返回" in inbox and "张庄村三组" in inbox
    assert "林专一 和 郑志愿" in words_of(site.visit("volunteer-01-1").get("/outings/").text)
    page = worker.get("/outings/").text
    later = worker.submit(button(page, "extend"), {"minutes": "60"}, page="/outings/")
    assert later.status_code == 302 and "11:00" in worker.get("/outings/").text
    assert "林专一 和 郑志愿" in words_of(site.visit("lead-01").get("/outings/").text)
    assert "张庄村三组" not in site.visit("lead-02").get("/outings/").text
    assert worker.submit(button(page, "return"), page="/outings/").status_code == 302
    assert "我已安全返回" not in worker.get("/tasks/").text
    again = worker.client.post(button(page, "return"), data={"csrf_token": re.search(r'name="csrf_token" value="([^"]+)"', page)[1]})
    assert again.status_code == 302 and "现在是“已安全返回”" in worker.get("/outings/").text
    assert site.county.faults() == []


def test_a_plan_by_pages(site):
    worker = report(site, leaves="no")
    page = worker.get("/outings/").text
    assert "准备外出" in page and "我已安全返回" not in page
    worker.submit(button(page, "leave"), page="/outings/")
    assert "我已安全返回" in worker.get("/outings/").text
    refused = worker.submit("/outings/new", trip(site))
    assert refused.status_code == 409 and "还有一次外出没有报告返回" in refused.text


def test_the_form_says_what_is_wrong_and_keeps_what_was_typed(site):
    worker = site.visit("ft-01-1")
    answer = worker.submit("/outings/new", {"destination": "张庄", "reason": "", "expected_return": "2020-01-01T10:00"})
    assert answer.status_code == 422
    assert "请写明去做什么" in answer.text and "预计返回时间应在现在之后" in answer.text and 'value="张庄"' in answer.text
    worker.client.set_cookie("lang", "en")
    answer = worker.submit("/outings/new", {"destination": "", "reason": "x", "expected_return": ""})
    assert "Say where to" in answer.text and "Enter the date and time" in answer.text


def test_an_alarm_on_the_page_of_who_has_to_act(site):
    report(site)
    site.county.pass_time(minutes=90)
    lead = site.visit("lead-01")
    inbox, page = lead.get("/tasks/").text, lead.get("/outings/").text
    assert "有 1 件事要马上处理" in inbox
    told = words_of(page)
    assert "还没有报平安" in told and "超时未归" in told and "林专一" in told and "safety.overdue" in told and "站内默认" in told
    assert "要马上处理" not in site.visit("ft-01-2").get("/tasks/").text
    empty = lead.submit(button(page, "acknowledge"), {"note": ""}, page="/outings/")
    assert empty.status_code == 422 and "请写明采取了什么措施" in empty.text
    done = lead.submit(button(page, "acknowledge"), {"note": "已联系上，车坏了"}, page="/outings/")
    assert done.status_code == 302
    assert "已记下处理情况" in lead.get("/outings/").text and "要马上处理" not in lead.get("/tasks/").text
    lead.client.set_cookie("lang", "en")
    assert "Overdue" in lead.get("/outings/").text


def test_the_supervisor_sees_what_the_leads_have_to_do_but_is_not_called_before_the_hour(site):
    report(site)
    site.county.pass_time(minutes=90)
    supervisor = site.visit("supervisor")
    assert "由站长处理" in supervisor.get("/outings/").text and "要马上处理" not in supervisor.get("/tasks/").text
    site.county.pass_time(minutes=30)
    assert "有 1 件事要马上处理" in supervisor.get("/tasks/").text
    assert words_of(supervisor.get("/outings/").text).index("由督导处理") < words_of(supervisor.get("/outings/").text).index("由站长处理")


def test_only_known_steps_of_time(site):
    worker = report(site)
    answer = worker.submit(button(worker.get("/outings/").text, "extend"), {"minutes": "100000"}, page="/outings/")
    assert answer.status_code == 422


# --- programs ---------------------------------------------------------------------------------------------------------------


def test_a_way_out_and_back_by_programs(site):
    program = site.api("ft-01-1")
    body = trip(site, companions=["volunteer-01-1"])
    first = program.post("/outings", json=body, headers={"Idempotency-Key": "out-1"})
    assert first.status_code == 201 and first.json["status"] == "out"
    assert program.post("/outings", json=body, headers={"Idempotency-Key": "out-1"}).json == first.json
    (mine,) = program.get("/outings").json["items"]
    assert mine["destination"] == "张庄村三组" and [person["name"] for person in mine["people"]] == ["林专一", "郑志愿"]
    assert mine["expected_return"] == "2026-03-02T02:00:00Z"
    assert program.get("/outings?view=place").status_code == 403
    later = (site.county.now + timedelta(hours=3)).isoformat()
    assert program.post(f"/outings/{mine['id']}/extend", json={"expected_return": later}).status_code == 200
    (seen,) = site.api("lead-01").get("/outings?view=place").json["items"]
    assert seen["expected_return"] == "2026-03-02T04:00:00Z"
    assert site.api("ft-01-2").post(f"/outings/{mine['id']}/return").status_code == 404
    assert program.post(f"/outings/{mine['id']}/return").json["status"] == "returned"
    closed = program.post(f"/outings/{mine['id']}/return")
    assert closed.status_code == 409 and closed.json["code"] == "outing_closed"


def test_plans_by_programs(site):
    program = site.api("ft-01-1")
    one, other = (program.post("/outings", json=trip(site, leaves=False)).json["id"] for _ in range(2))
    assert program.post(f"/outings/{one}/leave").json["status"] == "out"
    assert program.post(f"/outings/{other}/cancel").json["status"] == "cancelled"
    assert program.post("/outings", json=trip(site)).json["code"] == "already_out"


def test_alerts_by_programs(site):
    outing = site.api("ft-01-1").post("/outings", json=trip(site)).json["id"]
    site.county.pass_time(hours=2)
    lead = site.api("lead-01")
    (alert,) = lead.get("/alerts").json["items"]
    assert (alert["rule"], alert["notify"], alert["outing"]) == ("safety.overdue", "lead", outing)
    assert "报平安" in alert["message"]
    assert sorted(each["notify"] for each in site.api("supervisor").get("/alerts").json["items"]) == ["lead", "supervisor"]
    assert site.api("ft-01-1").get("/alerts").status_code == 403
    assert lead.post(f"/alerts/{alert['id']}/acknowledge", json={"note": " "}).json["errors"]["note"]
    assert lead.post(f"/alerts/{alert['id']}/acknowledge", json={"note": "已联系上"}).status_code == 200
    assert lead.post(f"/alerts/{alert['id']}/acknowledge", json={"note": "已联系上"}).json["code"] == "alert_closed"
    assert lead.get("/alerts").json["items"] == []


def test_wrong_reports_by_programs(site):
    program = site.api("ft-01-1")
    wrong = program.post("/outings", json=trip(site) | {"expected_return": "soon"})
    assert wrong.status_code == 422 and set(wrong.json["errors"]) == {"expected_return"}
    assert program.post("/outings", json=trip(site) | {"colour": "red"}).status_code == 422
    assert program.post("/outings", json=trip(site, companions=["nobody"])).status_code == 404
    assert {"/api/v1/outings", "/api/v1/alerts"} <= set(program.get("/openapi.json").json["paths"])
