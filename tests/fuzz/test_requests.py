"""Mutated requests to the API: valid ones, changed in one to three places. Every promise of tests/fuzz/harness.py holds for each answer."""

import re
from random import Random

import pytest

from tests.fuzz.harness import ROLES, Request, Target
from tests.fuzz.mutate import changed, damaged, encoded, header, query, segment, written

PER_ROUND = 500
METHODS = ["GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS", "TRACE", "PROPFIND", "X" * 50]
BOUNDARY = "xxBOUNDARYxx"


@pytest.mark.soak
def test_mutated_requests_to_the_api(campaign, target):
    for number in campaign.rounds(1, 2000):
        dice = campaign.dice("requests", number)
        with target() as fuzzed:
            valid = requests(fuzzed)
            for _ in range(PER_ROUND):
                mutated_request(dice, fuzzed, valid)
        campaign.note(requests=fuzzed.sent)


@pytest.mark.soak
def test_mutated_requests_to_the_api_on_postgresql(campaign, target):
    """What is different there: no null characters, columns that have a length."""
    for number in campaign.rounds(1, 100):
        dice = campaign.dice("postgresql", number)
        with target("postgresql") as fuzzed:
            valid = requests(fuzzed)
            for _ in range(PER_ROUND // 5):
                mutated_request(dice, fuzzed, valid)
        campaign.note(requests=fuzzed.sent)


def requests(fuzzed: Target) -> list[tuple[str, str, object]]:
    """(method, path, JSON body or None) of requests that are valid for somebody. Paths are those of the API, with ids that exist."""
    known = fuzzed.known
    found: list[tuple[str, str, object]] = [
        ("POST", "/tokens", {"username": "ft-01-1", "password": "wrong"}),
        ("GET", "/me", None),
        ("GET", "/openapi.json", None),
        ("GET", "/definitions", None),
        ("POST", "/definitions/service_delivery/versions/1/publish", None),
        ("POST", "/definitions/duties/versions/1/withdraw", None),
        ("POST", "/instances", {"definition": "service_delivery", "data": {}, "place": "room-001", "client": known["clients"][0]}),
        ("POST", "/instances", {"definition": "service_delivery", "data": known["visit"], "place": "room-001"}),
        ("GET", "/instances", None),
        ("GET", "/incidents", None),
        ("POST", "/messages", {"name": "paid", "key": "7", "data": {"amount": 3}}),
        ("GET", "/tasks", None),
        ("GET", "/clients", None),
        ("POST", "/clients", {"place": "room-001", "household": None, "data": {"name": "王五", "gender": "male", "categories": ["orphan"]}}),
    ]
    for case in known["cases"]:
        found += [("GET", f"/instances/{case}", None), ("GET", f"/instances/{case}/history", None), ("POST", f"/instances/{case}/retry", None)]
    found.append(("POST", f"/instances/{known['cases'][2]}/cancel", {"reason": "迁出"}))
    for task in known["tasks"]:
        found += [("GET", f"/tasks/{task}", None), ("POST", f"/tasks/{task}/claim", None), ("POST", f"/tasks/{task}/release", None)]
        found += [("POST", f"/tasks/{task}/delegate", {"to": "assistant-001"}), ("POST", f"/tasks/{task}/complete", {"data": known["visit"]})]
    found += [("POST", f"/tasks/{known['claimed']}/complete", {"data": known["visit"]})] * 5
    listed = {path for _method, path, _body in found}
    found += [route for route in others(fuzzed) if route[1] not in listed]
    found += [("GET", f"/clients/{client}", None) for client in known["clients"]]
    return found


# Bodies of the routes that are not written out above, by the last word of the path.
BODIES = {
    "outings": {"destination": "张庄村", "reason": "走访", "expected_return": "2026-03-02T12:00", "companions": ["pt-01-1"]},
    "extend": {"expected_return": "2026-03-02T15:00"},
    "messages": {"name": "paid", "key": "7", "data": {"amount": 3}},
    "signals": {"name": "alarm", "data": {"level": 3}},
    "move": {"reason": "误操作", "flow": None},
    "variables": {"reason": "更正", "variables": {"x": 1}, "expressions": {"y": "1 + 1"}},
    "activate": {"type": "mail", "worker": "w", "limit": 3},
    "complete": {"data": {"x": 1}, "worker": "w"},
    "fail": {"message": "no", "retries": 1, "worker": "w"},
    "acknowledge": {"note": "已处理"},
}


def others(fuzzed: Target) -> list[tuple[str, str, object]]:
    """Whatever else the API has now: each route of the application, with ids that may exist."""
    known = fuzzed.known
    ids = {"instance_id": known["cases"][0], "task_id": known["claimed"], "client_id": known["clients"][0], "username": "ft-01-1", "token": "1"}
    found: list[tuple[str, str, object]] = []
    for rule in fuzzed.app.url_map.iter_rules():
        if not rule.rule.startswith("/api/v1") or rule.endpoint.endswith((".sign_out", ".end_others")):
            continue
        path = re.sub(r"<(?:[^:>]+:)?([a-z_]+)>", lambda match: ids.get(match.group(1), "1"), rule.rule.removeprefix("/api/v1"))
        for method in sorted(rule.methods & {"GET", "POST", "PATCH", "PUT", "DELETE"}):
            found.append((method, path, BODIES.get(path.rsplit("/", 1)[-1], {}) if method in ("POST", "PATCH", "PUT") else None))
    return found


def mutated_request(dice: Random, fuzzed: Target, valid: list) -> None:
    """Send one."""
    method, path, body = dice.choice(valid)
    made = Request(method, f"/api/v1{path}")
    who = dice.choice([*ROLES, "ft-01-1", "assistant-001", "assistant-001", "supervisor", None])
    content = None
    if body is not None:
        for _ in range(dice.randrange(3)):
            body = changed(dice, body)
        content = written(dice, body)
        made.headers["Content-Type"] = "application/json"
    for _ in range(dice.randrange(3)):
        match dice.randrange(8):
            case 0:
                made.method = dice.choice(METHODS)
            case 1:
                parts = made.path.split("/")
                parts[dice.randrange(1, len(parts))] = segment(dice)
                made.path = "/".join(parts) if parts[1] == "api" else f"/api/{'/'.join(parts[2:])}"
            case 2:
                made.query = query(dice, made.query)
            case 3 | 4:
                name, text = header(dice)
                made.headers[name] = text
            case 5 if content is not None:
                content = damaged(dice, content)
            case 6 if content is not None:
                content, told = encoded(dice, content)
                made.headers |= told
            case 7 if content is None:
                content = dice.choice([b"{}", b"null", b"[]", b"{", b"\x00", b'{"data": {}}', b" " * 10_000])
    made.body = content or b""
    fuzzed.send(made, who)
