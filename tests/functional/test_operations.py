"""Running cases for programs and operators: messages, signals and jobs over the API; the pages of who looks after what does not go on."""

import html
import re

import pytest

from tests.functional.test_api import problem
from tests.integration.test_calls import caller, inner
from tests.integration.test_jobs import account, texting
from tests.integration.test_messages import begun, files, listener, receipt
from tests.integration.test_operations import broken
from tests.support.web import words_of


@pytest.fixture
def station(site):
    """With procedures that wait for a message, a signal, a program, another case; and one that breaks."""
    county = site.county
    for bundle in (receipt(), listener(), texting(), files(inner()), files(caller()), broken()):
        county.deploy(**bundle)
    account(county, "program", "county")
    return site


def test_a_program_sends_messages_and_signals(station):
    program, case = station.api("program"), begun(station.county, n=7)
    sent = program.post("/messages", {"name": "paid", "key": 7, "variables": {"amount": 12.5}})
    assert sent.status_code == 202 and sent.json["caught"] == 1 and sent.json["instances"] == [], "a program reads no cases"
    assert list(station.county.open_tasks(case)) == ["thank"]
    kept = program.post("/messages", {"name": "paid", "key": "8", "ttl": 60, "messageId": "A1"})
    assert kept.json["kept"] is True
    problem(program.post("/messages", {"name": "paid", "key": "8", "messageId": "A1"}), 409, "message_known")
    problem(program.post("/messages", {"name": "paid", "key": "8", "ttl": -1}), 422, "invalid_request")
    problem(program.post("/messages", {"name": "paid", "key": {}}), 422, "invalid_request")
    problem(program.post("/messages", {"key": "8"}), 422, "invalid_request")
    problem(station.api("ft-01-1").post("/messages", {"name": "paid"}), 403, "forbidden")
    waiting = begun(station.county, "listener")
    heard = program.post("/signals", {"name": "alarm"})
    assert heard.status_code == 202 and heard.json == {"waiting": 1, "starts": 0}
    assert list(station.county.open_tasks(waiting)) == ["act"]
    assert station.county.faults() == []


def test_a_lead_is_told_which_cases_a_message_reached(station):
    case = begun(station.county, n=7)
    told = station.api("lead-01").post("/messages", {"name": "paid", "key": 7}).json
    assert [each["id"] for each in told["instances"]] == [case]


def test_a_program_does_jobs(station):
    program, case = station.api("program"), begun(station.county, "texting", 7)
    fetched = program.post("/jobs/activate", {"type": "send-sms", "worker": "w", "variables": ["n"]})
    assert fetched.status_code == 200
    [job] = fetched.json["jobs"]
    assert job["variables"] == {"n": 7}
    problem(program.post(f"/jobs/{job['id']}/complete", {"worker": "x"}), 409, "job_not_yours")
    failed = program.post(f"/jobs/{job['id']}/fail", {"worker": "w", "message": "线路忙", "backoff": 0})
    assert failed.json["instance"]["status"] == "active"
    [job] = program.post("/jobs/activate", {"type": "send-sms", "worker": "w"}).json["jobs"]
    done = program.post(f"/jobs/{job['id']}/complete", {"worker": "w", "variables": {"receipt": 1}})
    assert done.status_code == 200 and list(station.county.open_tasks(case)) == ["check"]
    problem(program.post(f"/jobs/{job['id']}/complete", {"worker": "w"}), 404, "not_found")
    other = begun(station.county, "texting", 8)
    [job] = program.post("/jobs/activate", {"type": "send-sms", "worker": "w"}).json["jobs"]
    program.post(f"/jobs/{job['id']}/error", {"worker": "w", "code": "REFUSED"})
    assert list(station.county.open_tasks(other)) == ["call"]
    problem(station.api("lead-01").post("/jobs/activate", {"type": "send-sms", "worker": "w"}), 403, "forbidden")
    assert station.county.faults() == []


def test_an_operator_sees_and_repairs_over_the_api(station):
    lead, case = station.api("lead-01"), station.county.start("broken", data={"amount": 5})["id"]
    begun(station.county, n=7), begun(station.county, "texting", 8)
    [trouble] = lead.get("/operations/incidents").json["items"]
    assert trouble["id"] == case and trouble["incident"]["element"] == "large"
    assert lead.get("/incidents").json["items"] == [trouble]
    assert [each["name"] for each in lead.get("/operations/messages").json["items"]] == ["paid"]
    assert [each["type"] for each in lead.get("/operations/jobs").json["items"]] == ["send-sms"]
    assert lead.get("/operations/timers").json["items"] == lead.get("/operations/deliveries").json["items"] == []
    token = trouble["incident"]["token"]
    problem(lead.post(f"/instances/{case}/tokens/{token}/move", {"reason": "改线下"}), 422, "invalid_request")
    fixed = lead._send("PATCH", f"/instances/{case}/variables", json={"reason": "漏填", "variables": {"limit": 3}})
    assert fixed.status_code == 200 and fixed.json["names"] == ["limit"]
    moved = lead.post(f"/instances/{case}/tokens/{token}/move", {"reason": "改线下", "flow": "large_to_small"})
    assert moved.status_code == 200 and moved.json["status"] == "active"
    problem(lead.post("/operations/deliveries/0/retry"), 404, "not_found")
    problem(station.api("ft-01-1").get("/operations/jobs"), 403, "forbidden")
    shown = lead.get(f"/instances/{case}").json
    assert shown["waits"] == shown["jobs"] == shown["calls"] == [] and shown["caller"] is None
    assert station.county.faults() == []


def test_the_operators_page_lists_what_stands_and_what_waits(station):
    county = station.county
    case = county.start("broken", data={"amount": 5})["id"]
    begun(county, n=7), begun(county, "texting", 8)
    station.api("lead-01").post("/messages", {"name": "nobody", "key": "x"})
    lead = station.visit("lead-01")
    page = lead.get("/operations/")
    text = words_of(page.text)
    assert page.status_code == 200 and text.index("条件没有得出") < text.index("出错 2026")
    assert "paid" in lead.get("/operations/messages").text and "nobody" in lead.get("/operations/messages").text
    assert "send-sms" in lead.get("/operations/jobs").text
    for empty in ("timers", "deliveries"):
        assert "这里没有等待的内容" in lead.get(f"/operations/{empty}").text
    assert lead.get("/operations/nothing").status_code == 404
    assert "没有停住的个案" in station.visit("lead-02").get("/operations/").text
    assert station.visit("ft-01-1").get("/operations/").status_code == 403
    supervisor = station.visit("supervisor")
    assert supervisor.submit(f"/operations/incidents/{case}/retry", page="/operations/").status_code == 302
    assert "重试后仍有故障" in supervisor.get("/operations/").text


def test_a_case_page_shows_what_it_waits_for_and_who_called_it(station):
    county, lead = station.county, station.visit("lead-01")
    assert "等待消息 paid" in words_of(lead.get(f"/cases/{begun(county, n=7)}").text)
    assert "send-sms" in words_of(lead.get(f"/cases/{begun(county, 'texting')}").text)
    case = begun(county, "outer")
    page = lead.get(f"/cases/{case}").text
    child = re.search(r'href="/cases/([0-9a-f]{32})"', page)[1]
    assert "发起下级个案" in page
    below = lead.get(f"/cases/{child}").text
    assert "上级个案" in below and f'href="/cases/{case}"' in below
    for told in (page, below, lead.get(f"/cases/{case}?all=1").text):
        assert not re.search(r">(?:case|call|message|job|operation):\w+<", told), "every kind of event has words"


def test_a_case_is_moved_on_and_corrected_on_its_page(station):
    case = station.county.start("broken", data={"amount": 5})["id"]
    lead, address = station.visit("lead-01"), f"/cases/{case}"
    page = html.unescape(lead.get(address).text)
    [way] = [value for value in re.findall(r'<option value="([^"]+)"', page) if value.endswith("/large_to_small")]
    wrong = lead.submit(f"{address}/correct", {"name": "limit", "value": "1 +", "reason": "漏填"}, page=address)
    assert wrong.status_code == 422
    right = lead.submit(f"{address}/correct", {"name": "limit", "value": "amount - 2", "reason": "漏填"}, page=address)
    assert right.status_code == 302 and int(station.county.variables(case)["limit"]) == 3
    moved = lead.submit(f"{address}/move", {"where": way, "reason": "改线下"}, page=address)
    assert moved.status_code == 302 and list(station.county.open_tasks(case)) == ["small"]
    text = words_of(lead.get(address).text)
    assert "手工推进" in text and "手工更正数据" in text
    assert "手工处理" not in words_of(station.visit("ft-01-1").get(address).text)
    assert station.county.faults() == []
