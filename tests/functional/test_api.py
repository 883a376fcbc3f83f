"""The contract of `/api/v1`: a program drives a case; every refusal is a problem document with a stable code."""

import io

from tests.support.county import PASSWORD
from tests.support.databases import ROOT
from webapp.demo.answers import answer


def problem(response, status: int, code: str) -> dict:
    """The problem document of a refusal, checked."""
    assert response.status_code == status, response.text
    assert response.content_type == "application/problem+json"
    body = response.json
    assert body["status"] == status and body["code"] == code and body["detail"] and body["title"] and body["type"].endswith(code)
    return body


def started(site, who: str = "ft-01-1", **more) -> str:
    response = site.api(who).post("/instances", {"definition": "service_delivery", "data": {}, "place": "room-001", **more})
    assert response.status_code == 201, response.text
    return response.json["id"]


def do(site, who: str, task_id: str, **wishes):
    """Claim, read the form, answer it, complete: all a program needs."""
    program = site.api(who)
    assert program.post(f"/tasks/{task_id}/claim").status_code == 200
    task = program.get(f"/tasks/{task_id}").json
    return program.post(f"/tasks/{task_id}/complete", {"data": answer(task["form"], wishes, site.county.now)})


def test_a_program_completes_two_tasks_and_reads_the_history(site):
    case = started(site)
    program = site.api("ft-01-1")
    shown = program.get(f"/instances/{case}").json
    assert shown["status"] == "active" and shown["definition"] == "service_delivery"
    [task] = shown["tasks"]
    assert task["status"] == "offered" and task["element"] == "visit"
    done = do(site, "assistant-001", task["id"], basis="consent", consentSigned=True, crisis=False, urgency="normal")
    assert done.status_code == 200, done.text
    assert done.json["status"] == "completed" and done.json["instance"]["status"] == "active"
    [following] = program.get(f"/instances/{case}").json["tasks"]
    done = do(site, "ft-01-1", following["id"])
    assert done.status_code == 200, done.text

    history = program.get(f"/instances/{case}/history?limit=200").json
    kinds = [line["kind"] for line in history["items"]]
    assert kinds[0] == "instance:started" and kinds.count("task:completed") == 2
    assert [line["seq"] for line in history["items"]] == list(range(1, len(kinds) + 1))
    first = program.get(f"/instances/{case}/history?limit=3").json
    second = program.get(f"/instances/{case}/history?limit=3&cursor={first['next']}").json
    assert [line["seq"] for line in first["items"] + second["items"]] == [1, 2, 3, 4, 5, 6]
    assert site.county.faults() == []


def test_lists_have_items_and_a_cursor(site):
    ids = [started(site) for _ in range(3)]
    program = site.api("ft-01-1")
    first = program.get("/instances?limit=2").json
    assert [each["id"] for each in first["items"]] == ids[:0:-1] and first["next"]
    rest = program.get(f"/instances?limit=2&cursor={first['next']}").json
    assert [each["id"] for each in rest["items"]] == ids[:1] and rest["next"] is None
    offered = site.api("assistant-001").get("/tasks?view=offered").json
    assert len(offered["items"]) == 3 and offered["next"] is None
    assert program.get("/tasks?view=mine").json == {"items": [], "next": None}
    assert {"key": "service_delivery", "published": 1} in [
        {name: each[name] for name in ("key", "published")} for each in program.get("/definitions").json["items"]
    ]


def test_without_a_token_nothing_but_signing_in_and_the_description(site):
    nobody = site.api()
    for address in ("/tasks", "/instances", "/definitions", "/clients", "/incidents", "/me", "/tasks/x"):
        refused = nobody.get(address)
        problem(refused, 401, "not_signed_in")
        assert "Bearer" in refused.headers["WWW-Authenticate"]
    problem(nobody.post("/tokens", {"username": "ft-01-1", "password": "wrong"}), 401, "wrong_credentials")
    problem(nobody.post("/tokens", {"username": "nobody", "password": PASSWORD}), 401, "wrong_credentials")
    described = nobody.get("/openapi.json").json
    assert described["openapi"].startswith("3.")
    for path, method in [
        ("/tokens", "post"),
        ("/definitions", "get"),
        ("/definitions", "post"),
        ("/definitions/{key}/versions/{number}/publish", "post"),
        ("/instances", "get"),
        ("/instances", "post"),
        ("/instances/{instance_id}/history", "get"),
        ("/tasks/{task_id}/complete", "post"),
        ("/messages", "post"),
    ]:
        assert method in described["paths"][f"/api/v1{path}"], path


def test_the_description_tells_errors_keys_and_bundles_as_they_are(site):
    described = site.api().get("/openapi.json").json
    told = described["components"]["responses"]["CONFLICT"]["content"]["application/problem+json"]["schema"]["$ref"]
    properties = described["components"]["schemas"][told.rsplit("/", 1)[-1]]["properties"]
    refused = problem(site.api("ft-01-1").post("/instances", {}), 422, "invalid_request")
    assert refused.keys() <= properties.keys() and properties["code"]["type"] == "string"
    writes = {path.removeprefix("/api/v1"): verbs["post"] for path, verbs in described["paths"].items() if "post" in verbs}
    keyed = {path for path, write in writes.items() if "Idempotency-Key" in [each["name"] for each in write.get("parameters", [])]}
    harmless = {"/handovers/{handover_id}/continue", "/reassignments/preview"}  # the one goes on where it stands, the other writes nothing
    assert writes.keys() - keyed == {"/tokens"} | harmless
    assert list(writes["/definitions"]["requestBody"]["content"]) == ["multipart/form-data"]
    assert writes["/tokens"]["security"] == []


def test_every_answer_is_described_by_its_fields(site):
    described = site.api().get("/openapi.json").json
    schemas = described["components"]["schemas"]
    for path, verbs in described["paths"].items():
        for method, operation in verbs.items():
            for status, told in operation.get("responses", {}).items() if method != "parameters" else ():
                if status.startswith("2") and "content" in told:
                    name = told["content"]["application/json"]["schema"]["$ref"].rsplit("/", 1)[-1]
                    assert schemas[name].get("properties"), f"{method} {path} answers anything"


def test_a_cookie_opens_no_api(site):
    visit = site.visit("ft-01-1")
    assert visit.get("/api/v1/tasks").status_code == 401


def test_an_ended_token_opens_nothing(site):
    program = site.api("ft-01-1")
    assert program.get("/me").json["username"] == "ft-01-1"
    assert program._send("DELETE", "/tokens/current").status_code == 204
    problem(program.get("/me"), 401, "not_signed_in")


def test_one_wins_the_other_is_told_who(site):
    case = started(site)
    [task] = site.api("ft-01-1").get(f"/instances/{case}").json["tasks"]
    first, second = site.api("assistant-001"), site.api("ft-01-1")
    assert first.post(f"/tasks/{task['id']}/claim").json["status"] == "claimed"
    told = problem(second.post(f"/tasks/{task['id']}/claim"), 409, "task_taken")
    assert site.county.act("assistant-001").name in told["detail"]
    problem(second.post(f"/tasks/{task['id']}/complete", {"data": {}}), 409, "task_taken")
    assert first.post(f"/tasks/{task['id']}/release").json["status"] == "offered"
    problem(first.post(f"/tasks/{task['id']}/complete", {"data": {}}), 409, "task_not_yours")


def test_an_idempotency_key_gets_its_first_answer(site):
    program = site.api("ft-01-1")
    body = {"definition": "service_delivery", "data": {}, "place": "room-001"}
    key = {"Idempotency-Key": "a-key"}
    first, again = program.post("/instances", body, headers=key), program.post("/instances", body, headers=key)
    assert first.json == again.json and first.status_code == again.status_code == 201
    problem(program.post("/instances", body | {"place": "room-002"}, headers=key), 422, "idempotency_mismatch")
    other = site.api("ft-01-2").post("/instances", body, headers=key)
    assert other.status_code == 201 and other.json["id"] != first.json["id"]
    problem(program.post("/instances", body, headers={"Idempotency-Key": "x" * 201}), 422, "invalid_request")


def test_a_wrong_form_names_its_fields(site):
    case = started(site)
    [task] = site.api("ft-01-1").get(f"/instances/{case}").json["tasks"]
    program = site.api("assistant-001")
    program.post(f"/tasks/{task['id']}/claim")
    told = problem(program.post(f"/tasks/{task['id']}/complete", {"data": {"clientName": ""}}), 422, "invalid_form")
    assert told["errors"]["clientName"] and "Please" not in told["errors"]["clientName"]
    english = program.post(f"/tasks/{task['id']}/complete", {"data": {}}, headers={"Accept-Language": "en"})
    assert english.json["errors"]["clientName"].startswith("Please")
    told = problem(program.post(f"/tasks/{task['id']}/complete", {"data": {"nobody": 1}}), 422, "invalid_form")
    assert "nobody" in told["errors"]


BAD = [
    ("POST", "/instances", {"data": b"{", "content_type": "application/json"}, 400),
    ("POST", "/instances", {"data": b'{"data": NaN}', "content_type": "application/json"}, 400),
    ("POST", "/instances", {"data": b'{"definition": "\\ud800"}', "content_type": "application/json"}, 400),
    ("POST", "/instances", {"data": b"\xff\xfe", "content_type": "application/json"}, 400),
    ("POST", "/instances", {"data": b'{"data":' + b'{"a":' * 60 + b"1" + b"}" * 61, "content_type": "application/json"}, 422),
    ("POST", "/instances", {"data": b"[" * 100_000, "content_type": "application/json"}, 422),
    ("POST", "/instances", {"data": b"definition=x"}, 415),
    ("POST", "/instances", {"json": []}, 422),
    ("POST", "/instances", {"json": {}}, 422),
    ("POST", "/instances", {"json": {"definition": 5}}, 422),
    ("POST", "/instances", {"json": {"definition": "service_delivery", "unknown": 1}}, 422),
    ("POST", "/instances", {"json": {"definition": "service_delivery", "data": []}}, 422),
    ("POST", "/instances", {"json": {"definition": "no\x00pe"}}, 422),
    ("POST", "/instances", {"json": {"definition": "nope"}}, 404),
    ("POST", "/instances", {"json": {"definition": "service_delivery", "place": "nowhere"}}, 404),
    ("POST", "/instances", {"json": {"definition": "service_delivery", "place": "station-02"}}, 403),
    ("POST", "/instances", {"json": {"definition": "service_delivery", "client": "nobody"}}, 404),
    ("POST", "/instances", {"data": b" " * 3_000_000, "content_type": "application/json"}, 413),
    ("GET", "/instances?limit=0", {}, 422),
    ("GET", "/instances?limit=x", {}, 422),
    ("GET", "/instances?status=asleep", {}, 422),
    ("GET", "/instances?nonsense=1", {}, 422),
    ("GET", "/instances?cursor=%00", {}, 400),
    ("GET", "/instances?cursor=!!!", {}, 422),
    ("GET", "/instances/nope", {}, 404),
    ("GET", "/instances/%00", {}, 404),
    ("GET", "/instances/nope/history", {}, 404),
    ("GET", "/tasks?view=all", {}, 422),
    ("GET", "/tasks/nope", {}, 404),
    ("POST", "/tasks/nope/claim", {}, 404),
    ("POST", "/tasks/nope/complete", {"json": {"data": {}}}, 404),
    ("POST", "/tasks/nope/complete", {"json": {}}, 422),
    ("POST", "/tasks/nope/delegate", {"json": {"to": "ft-01-2"}}, 404),
    ("POST", "/messages", {"json": {"name": "paid"}}, 403),
    ("POST", "/messages", {"json": {"name": ["paid"]}}, 403),
    ("POST", "/signals", {"json": {}}, 403),
    ("POST", "/jobs/activate", {"json": {"type": "x", "worker": "w", "max": "many"}}, 403),
    ("POST", "/definitions", {}, 403),
    ("POST", "/definitions/service_delivery/versions/1/publish", {}, 403),
    ("POST", "/definitions/service_delivery/versions/99999999999999999999/publish", {}, 404),
    ("GET", "/clients?limit=1000", {}, 422),
    ("GET", "/clients?cursor=YWJj", {}, 422),
    ("GET", "/clients/nope", {}, 404),
    ("POST", "/clients", {"json": {"place": "room-001", "data": {"name": "", "age": 3}}}, 422),
    ("PATCH", "/tasks", {}, 405),
    ("GET", "/nothing/here", {}, 404),
    ("POST", "/nothing/here", {"json": {}}, 404),
]


def test_bad_input_is_a_clear_refusal(site):
    program, faults = site.api("ft-01-1"), []
    for method, address, options, status in BAD:
        response = program._send(method, address, **dict(options))
        told = response.json if response.content_type == "application/problem+json" else {}
        if response.status_code != status or not (told.get("code") and told.get("detail") and told.get("reference")):
            faults.append((method, address, str(options)[:80], status, response.status_code, response.text[:200]))
    assert faults == []


def test_deploy_publish_and_start_another_version(site):
    supervisor = site.api("supervisor")
    diagram = (
        b'<definitions xmlns="http://www.omg.org/spec/BPMN/20100524/MODEL" xmlns:zeebe="http://camunda.org/schema/zeebe/1.0" '
        b'id="d" targetNamespace="t"><process id="small" name="\xe5\xb0\x8f\xe6\xb5\x81\xe7\xa8\x8b" isExecutable="true">'
        b'<startEvent id="s"><outgoing>a</outgoing></startEvent><sequenceFlow id="a" sourceRef="s" targetRef="t"/>'
        b'<userTask id="t" name="t"><extensionElements><zeebe:userTask/><zeebe:assignmentDefinition candidateGroups="full_time"/>'
        b"</extensionElements><incoming>a</incoming><outgoing>b</outgoing></userTask>"
        b'<sequenceFlow id="b" sourceRef="t" targetRef="e"/><endEvent id="e"><incoming>b</incoming></endEvent></process></definitions>'
    )
    made = supervisor._send("POST", "/definitions", data={"files": (io.BytesIO(diagram), "small.bpmn")})
    assert made.status_code == 201, made.text
    assert (made.json["key"], made.json["number"]) == ("small", 1)
    body = {"definition": "small", "place": "station-01"}
    problem(site.api("ft-01-1").post("/instances", body), 409, "not_published")
    assert supervisor.post("/definitions/small/versions/1/publish").json["status"] == "published"
    problem(supervisor.post("/definitions/small/versions/1/publish"), 409, "version_closed")
    answer_ = site.api("ft-01-1").post("/instances", body)
    assert answer_.status_code == 201
    broken = diagram.replace(b"userTask", b"receiveTask").replace(b"zeebe:receiveTask", b"zeebe:userTask")
    told = problem(
        supervisor._send("POST", "/definitions", data={"files": (io.BytesIO(broken), "small.bpmn")}), 422, "deploy_refused"
    )
    assert told["findings"][0]["element"] == "t" and told["findings"][0]["message"]
    problem(supervisor._send("POST", "/definitions", data={"x": "y"}), 415, "unsupported_media_type")


def test_a_bundle_sent_twice_with_one_key_is_deployed_once(site):
    supervisor, key = site.api("supervisor"), {"Idempotency-Key": "bundle"}
    content = (ROOT / "bpmn/regulations/duties.dmn").read_bytes()

    def send(more: bytes = b""):
        return supervisor._send("POST", "/definitions", headers=key, data={"files": (io.BytesIO(content + more), "duties.dmn")})

    first, again = send(), send()
    assert first.status_code == again.status_code == 201, first.text
    assert first.json == again.json
    problem(send(b"<!-- changed -->"), 422, "idempotency_mismatch")


def test_clients_are_found_by_characters_and_pinyin(site):
    program = site.api("ft-01-1")
    made = program.post("/clients", {"place": "room-001", "data": {"name": "张三", "birth_date": "1950-03-08"}})
    assert made.status_code == 201, made.text
    for text in ("张三", "张", "zhangsan", "zs", "zhang san"):
        assert [each["name"] for each in program.get("/clients", query_string={"q": text}).json["items"]] == ["张三"], text
    assert program.get(f"/clients/{made.json['id']}").json["birth_date"] == "1950-03-08"
    case = started(site, client=made.json["id"])
    assert program.get(f"/instances/{case}").json["client"] == made.json["id"]
    assert site.api("volunteer-01-1").get("/clients").status_code == 403
    assert site.api("ft-02-1").get(f"/clients/{made.json['id']}").status_code == 404


def test_cancel_needs_the_right_and_a_reason(site):
    case = started(site)
    problem(site.api("ft-01-1").post(f"/instances/{case}/cancel", {"reason": "x"}), 403, "forbidden")
    lead = site.api("lead-01")
    assert lead.post(f"/instances/{case}/cancel", {"reason": ""}).status_code == 422
    assert lead.post(f"/instances/{case}/cancel", {"reason": "迁往外地"}).json["status"] == "cancelled"
    problem(lead.post(f"/instances/{case}/cancel", {"reason": "再来"}), 409, "instance_closed")
    problem(site.api("supervisor").post(f"/instances/{case}/retry"), 409, "no_incident")
    assert site.api("supervisor").get("/incidents").json == {"items": [], "next": None}
    assert site.county.faults() == []


def test_another_station_sees_nothing(site):
    case = started(site)
    [task] = site.api("ft-01-1").get(f"/instances/{case}").json["tasks"]
    stranger = site.api("lead-02")
    problem(stranger.get(f"/instances/{case}"), 404, "not_found")
    problem(stranger.get(f"/instances/{case}/history"), 404, "not_found")
    problem(stranger.get(f"/tasks/{task['id']}"), 404, "not_found")
    problem(stranger.post(f"/tasks/{task['id']}/claim"), 404, "not_found")
    assert site.api("auditor").get(f"/instances/{case}").status_code == 200
    problem(site.api("admin").get(f"/instances/{case}"), 403, "forbidden")
