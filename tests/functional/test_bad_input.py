"""Bad requests, over the real API and over the pages that take the same: each is a refusal with a stable code and a hint of what to do.

Every request goes through `Target.send`, which also finds a changed database, a 5xx, a problem document without its parts, and a request
that computes for seconds.
"""

import gzip
import json
from datetime import timedelta
from urllib.parse import urlencode

import pytest

from tests.functional.test_bad_bundles import GOOD, deploy
from tests.fuzz.harness import KNOWN, Answer, Request, Target, seed

JSON = {"Content-Type": "application/json"}
START = {"definition": "service_delivery", "data": {}, "place": "room-001"}


@pytest.fixture(scope="module")
def fuzzed(new_module_database, tmp_path_factory):
    """The application on SQLite, one for all tests here; `Target.send` checks every answer, and the history is verified at the end."""
    made = Target(new_module_database("sqlite", seed), tmp_path_factory.mktemp("fuzzed"), KNOWN["sqlite"])
    yield made
    made.close()


def post(fuzzed: Target, path: str, body, who: str | None = "ft-01-1", **headers: str) -> Answer:
    """A POST to the API; `body` is JSON-able or bytes."""
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    return fuzzed.send(Request("POST", f"/api/v1{path}", headers=JSON | {key.replace("_", "-"): value for key, value in headers.items()}, body=content), who)


def get(fuzzed: Target, path: str, query: str = "", who: str | None = "ft-01-1", **headers: str) -> Answer:
    return fuzzed.send(Request("GET", f"/api/v1{path}", query, {key.replace("_", "-"): value for key, value in headers.items()}), who)


def told(answer: Answer) -> tuple[int, str]:
    """Status and code."""
    return answer.status, answer.json["code"]


BODIES = {
    "cut off": (b'{"definition": "service', 400, "malformed_json"),
    "no JSON": (b"definition=x", 400, "malformed_json"),
    "not UTF-8": (b'{"definition": "\xff\xfe"}', 400, "malformed_json"),
    "UTF-16": (json.dumps(START).encode("utf-16"), 400, "malformed_json"),
    "overlong": (b'{"definition": "\xc0\xaf"}', 400, "malformed_json"),
    "half a character": (b'{"definition": "\\ud800"}', 400, "malformed_json"),
    "half a character, not escaped": (b'{"definition": "\xed\xa0\x80"}', 400, "malformed_json"),
    "a name twice": (b'{"definition": "a", "definition": "service_delivery"}', 400, "malformed_json"),
    "a name twice within": (b'{"definition": "a", "data": {"x": 1, "x": 2}}', 400, "malformed_json"),
    "NaN": (b'{"definition": "a", "data": {"x": NaN}}', 400, "malformed_json"),
    "Infinity": (b'{"definition": "a", "data": {"x": -Infinity}}', 400, "malformed_json"),
    "1e999": (b'{"definition": "a", "data": {"x": 1e999}}', 400, "malformed_json"),
    "100,000 digits": (b'{"definition": "a", "data": {"x": ' + b"9" * 100_000 + b"}}", 400, "malformed_json"),
    "two values": (b"{} {}", 400, "malformed_json"),
    "41 levels": (b'{"data":' + b'{"a":' * 41 + b"1" + b"}" * 42, 422, "invalid_request"),
    "a million brackets": (b"[" * 1_000_000, 422, "invalid_request"),
    "a list": (b"[]", 422, "invalid_request"),
    "null": (b"null", 422, "invalid_request"),
    "nothing": (b"", 422, "invalid_request"),
    "a field nobody knows": (b'{"definition": "service_delivery", "admin": true}', 422, "invalid_request"),
    "a number for a text": (b'{"definition": 5}', 422, "invalid_request"),
    "a null character": (b'{"definition": "a\\u0000"}', 422, "invalid_request"),
    "a long name": (json.dumps({"definition": "x" * 101}).encode(), 422, "invalid_request"),
    "3 MB": (b" " * 3_000_000, 413, "too_large"),
    "10 MB": (b'{"definition": "' + b"x" * 10_000_000 + b'"}', 413, "too_large"),
}


@pytest.mark.parametrize("name", BODIES)
def test_a_bad_body_of_json(fuzzed, name):
    body, status, code = BODIES[name]
    assert told(post(fuzzed, "/instances", body)) == (status, code)


def test_a_refusal_of_json_says_where_it_is_wrong(fuzzed):
    assert "第 1 行第 16 列" in post(fuzzed, "/instances", b'{"definition": nil}').json["detail"]
    assert "line 1, column 16" in post(fuzzed, "/instances", b'{"definition": nil}', Accept_Language="en").json["detail"]


CONTENT = {
    "no type": ({"Content-Type": ""}, 415, "unsupported_media_type"),
    "plain text": ({"Content-Type": "text/plain"}, 415, "unsupported_media_type"),
    "a form": ({"Content-Type": "application/x-www-form-urlencoded"}, 415, "unsupported_media_type"),
    "XML": ({"Content-Type": "application/xml"}, 415, "unsupported_media_type"),
    "gzip": ({"Content-Encoding": "gzip"}, 415, "content_encoding_unsupported"),
    "brotli": ({"Content-Encoding": "br"}, 415, "content_encoding_unsupported"),
}


@pytest.mark.parametrize("name", CONTENT)
def test_a_wrong_content_type_or_a_compressed_body(fuzzed, name):
    headers, status, code = CONTENT[name]
    body = gzip.compress(b" " * 100_000_000) if name == "gzip" else json.dumps(START).encode()
    answer = fuzzed.send(Request("POST", "/api/v1/instances", headers=JSON | headers, body=body), "ft-01-1")
    assert told(answer) == (status, code)


TOKENS = {
    "none": "",
    "another scheme": "Basic ZnQtMDEtMTp4",
    "another scheme that is no base64": "Basic \xff",
    "no token": "Bearer",
    "forged": "Bearer " + "A" * 43,
    "a token of another form": "Bearer eyJhbGciOiJub25lIn0.eyJzdWIiOiJhZG1pbiJ9.",
    "not ASCII": "Bearer \xff\xfe",
    "8,000 characters": "Bearer " + "A" * 8_000,
}


@pytest.mark.parametrize("name", TOKENS)
def test_a_forged_token(fuzzed, name):
    refused = get(fuzzed, "/tasks", Authorization=TOKENS[name])
    assert told(refused) == (401, "not_signed_in") and refused.headers["www-authenticate"].startswith("Bearer")


def test_a_truncated_and_an_expired_token(fuzzed):
    token = fuzzed.known["tokens"]["ft-01-1"]
    assert get(fuzzed, "/tasks", Authorization=f"Bearer {token}").status == 200
    for wrong in token[:-1], token + "A", token.swapcase():
        assert told(get(fuzzed, "/tasks", Authorization=f"Bearer {wrong}")) == (401, "not_signed_in")
    fuzzed.county.now += timedelta(hours=25)
    assert told(get(fuzzed, "/tasks", Authorization=f"Bearer {token}")) == (401, "not_signed_in")
    fuzzed.county.now -= timedelta(hours=25)


def test_an_idempotency_key_belongs_to_one_body_one_route_one_person(fuzzed):
    first = post(fuzzed, "/instances", START, Idempotency_Key="k")
    assert first.status == 201
    assert post(fuzzed, "/instances", START, Idempotency_Key="k").json == first.json
    assert told(post(fuzzed, "/instances", START | {"place": "room-002"}, Idempotency_Key="k")) == (422, "idempotency_mismatch")
    other = post(fuzzed, "/instances", START, "lead-01", Idempotency_Key="k")
    assert other.status == 201 and other.json["id"] != first.json["id"], "another person's key"
    person = {"place": "room-001", "data": {"name": "钱七"}}
    assert post(fuzzed, "/clients", person, Idempotency_Key="k").status == 201, "another route's key"


@pytest.mark.parametrize("key", ["", "x" * 201, "\xff", "a\tb", "\x7f"])
def test_an_idempotency_key_that_cannot_be_kept(fuzzed, key):
    assert told(post(fuzzed, "/instances", START, Idempotency_Key=key)) == (422, "invalid_request")


@pytest.mark.parametrize("backend", ["sqlite", "postgresql"])
def test_a_page_s_own_key_that_cannot_be_kept(target, backend):
    """It is a hidden field, and was stored as it came: PostgreSQL refused one of 300 characters with a 500."""
    with target(backend) as fuzzed:
        for once in "x" * 300, "一" * 3, "\u202e":
            fields = {"definition": "service_delivery", "place": "room-001", "_once": once}
            assert submit(fuzzed, "/cases/new", fields, "ft-01-1").status == 422


CURSORS = ["!!!", "YWJj", "%FF", "_" * 500, "MQ%3D%3D%3D", "null", "-1", "OTk5OTk5OTk5OTk5OTk5OTk5", "Li4vLi4v", "JyBPUiAxPTE"]


@pytest.mark.parametrize("path", ["/instances", "/tasks", "/clients", "/definitions", "/incidents", "history"])
def test_a_bad_cursor_is_refused_or_finds_nothing_wrong(fuzzed, path):
    if path == "history":
        path = f"/instances/{fuzzed.known['cases'][0]}/history"
    who = "supervisor" if path in ("/incidents", "/definitions") else "ft-01-1"
    for cursor in CURSORS:
        answer = get(fuzzed, path, f"cursor={cursor}", who)
        assert answer.status == 200 or told(answer) == (422, "invalid_request"), (cursor, answer.text)
    assert told(get(fuzzed, path, "cursor=%00", who)) == (400, "bad_request")
    assert told(get(fuzzed, path, "cursor=!!!", who)) == (422, "invalid_request")
    for limit in "0", "-1", "201", "1e3", "x", "9" * 5000:
        assert told(get(fuzzed, path, f"limit={limit}", who)) == (422, "invalid_request")


def test_what_is_done_gone_or_elsewhere(fuzzed):
    known = fuzzed.known
    done, claimed, elsewhere = known["tasks"][3], known["claimed"], known["tasks"][2]
    complete = {"data": known["visit"]}
    assert told(post(fuzzed, f"/tasks/{done}/complete", complete, "assistant-001")) == (409, "task_closed")
    assert told(post(fuzzed, f"/tasks/{done}/claim", b"", "assistant-001")) == (409, "task_closed")
    assert told(post(fuzzed, f"/tasks/{claimed}/claim", b"", "lead-01"))[0] in (403, 409)
    for path in f"/tasks/{elsewhere}/claim", f"/tasks/{elsewhere}/release", f"/instances/{known['cases'][2]}/retry":
        assert post(fuzzed, path, b"", "lead-01").status in (403, 404)
    assert told(post(fuzzed, f"/tasks/{elsewhere}/complete", complete)) == (404, "not_found")
    assert told(get(fuzzed, f"/tasks/{elsewhere}")) == told(get(fuzzed, f"/instances/{known['cases'][2]}")) == (404, "not_found")
    assert told(get(fuzzed, f"/clients/{known['clients'][0]}", who="lead-02")) == (404, "not_found")
    assert told(post(fuzzed, "/instances", START | {"place": "room-004"})) == (403, "forbidden")


def test_a_client_somebody_else_has_corrected_meanwhile(fuzzed):
    client = fuzzed.known["clients"][0]
    fields = {"name": "张三", "phone": "13800000001", "version": "1"}
    assert submit(fuzzed, f"/clients/{client}/edit", fields, "ft-01-1").status == 302
    again = submit(fuzzed, f"/clients/{client}/edit", fields | {"phone": "13800000002"}, "lead-01")
    assert again.status == 409 and "刚刚被别人改过" in again.text
    for version in "", "x", "9" * 5000, "-1":
        assert submit(fuzzed, f"/clients/{client}/edit", fields | {"version": version}, "lead-01").status == 409


ANSWERS = {
    "missing": {"situation": None},
    "of a wrong type": {"situation": 5},
    "a list for a text": {"situation": ["张三"]},
    "an object for a text": {"situation": {"x": 1}},
    "a field nobody asked for": {"approved": True},
    "a null character": {"situation": "张\x00三"},
    "written backwards": {"situation": "\u202e张三"},
    "a control character": {"situation": "张\x1b[31m三"},
    "too long": {"situation": "张" * 20_000},
    "true for a text": {"situation": True},
}


@pytest.mark.parametrize("name", ANSWERS)
def test_bad_answers_to_a_form(fuzzed, name):
    """Over the API, and over the page where a page can send it; the page shows the form again."""
    task, visit = fuzzed.known["claimed"], fuzzed.known["visit"]
    changed = {key: value for key, value in (visit | ANSWERS[name]).items() if value is not None}
    [field] = ANSWERS[name]
    refused = post(fuzzed, f"/tasks/{task}/complete", {"data": changed}, "assistant-001")
    assert told(refused) == (422, "invalid_form") and field in refused.json["errors"]
    shown = submit(fuzzed, f"/tasks/{task}/complete", {field: str(changed.get(field, ""))}, "assistant-001")
    assert shown.status in (200, 400, 422), "400 is for a null character, which no form can hold"


def test_answers_of_10_mb(fuzzed):
    task = fuzzed.known["claimed"]
    assert told(post(fuzzed, f"/tasks/{task}/complete", {"data": {"situation": "x" * 10_000_000}}, "assistant-001")) == (413, "too_large")
    assert submit(fuzzed, f"/tasks/{task}/complete", {"situation": "x" * 10_000_000}, "assistant-001").status == 413
    assert submit(fuzzed, f"/tasks/{task}/complete", {f"x{number}": "" for number in range(6_000)}, "assistant-001").status in (413, 422)


PART = b'--b\r\nContent-Disposition: form-data; name="files"; filename="a"\r\n\r\nx\r\n'
MULTIPART = {
    "no boundary": (b"--b\r\n\r\n--b--", "multipart/form-data", 422),
    "an empty boundary": (b"--\r\n\r\n----", "multipart/form-data; boundary=", 422),
    "another boundary": (b"--x\r\n\r\n--x--", "multipart/form-data; boundary=b", 422),
    "never ended": (b'--b\r\nContent-Disposition: form-data; name="files"; filename="a.bpmn"\r\n\r\nx', "multipart/form-data; boundary=b", 422),
    "nothing": (b"", "multipart/form-data; boundary=b", 422),
    "no name": (b"--b\r\nContent-Disposition: form-data\r\n\r\nx\r\n--b--", "multipart/form-data; boundary=b", 422),
    "a long boundary": (b"x", "multipart/form-data; boundary=" + "b" * 7_000, 422),
    "thousands of parts": (PART * 6_000 + b"--b--", "multipart/form-data; boundary=b", 413),
    "a header of a megabyte": (b"--b\r\nX: " + b"x" * 1_000_000 + b"\r\n\r\nx\r\n--b--", "multipart/form-data; boundary=b", 422),
    "JSON": (b"{}", "application/json", 422),
}


@pytest.mark.parametrize("name", MULTIPART)
def test_a_bad_multipart_body(fuzzed, name):
    body, kind, status = MULTIPART[name]
    refused = fuzzed.send(Request("POST", "/api/v1/definitions", headers={"Content-Type": kind}, body=body), "supervisor")
    assert refused.status in (status, 400, 413, 422), refused.text
    token, cookie = fuzzed.form_token("supervisor")
    page = Request("POST", "/definitions/", headers={"Content-Type": kind, "Cookie": cookie, "X-CSRFToken": token}, body=body)
    assert 400 <= fuzzed.send(page, "supervisor").status < 500


def test_a_file_s_name_is_only_a_name(fuzzed):
    assert deploy(fuzzed, {"../../../etc/passwd.bpmn": GOOD}).status == 201
    shown = fuzzed.send(Request("GET", "/definitions/small/1"), "supervisor").text
    assert "passwd.bpmn" in shown and ".." not in shown.split("passwd.bpmn")[0][-40:]
    assert deploy(fuzzed, {"..\\..\\x.bpmn": GOOD}).status == 201
    for name in "a\x00.bpmn", "\u202enpmb.bpmn", "x" * 300 + ".bpmn", ".bpmn/", "a\x7f.bpmn":
        assert deploy(fuzzed, {name: GOOD}).status == 422, name


@pytest.mark.parametrize("carried", ["[" * 100_000, '{"fields": [["a", "\\ud800"]], "files": []}', '{"fields": 1}', "", "NaN"])
def test_a_form_carried_over_a_sign_in_that_was_tampered_with(fuzzed, carried):
    """A hundred thousand brackets were a RecursionError, and half a character could not be shown: both were a 500."""
    sent = submit(fuzzed, "/login/again", {"address": "/tasks/", "carried": carried, "username": "x", "password": "y"}, None)
    assert sent.status in (302, 401, 422)


def submit(fuzzed: Target, path: str, fields: dict[str, str], who: str | None) -> Answer:
    """Send a page's form, with its token."""
    token, cookie = fuzzed.form_token(who)
    body = urlencode({"csrf_token": token, **fields}).encode()
    headers = {"Content-Type": "application/x-www-form-urlencoded", "Cookie": cookie}
    return fuzzed.send(Request("POST", path, headers=headers, body=body), who)
