"""Expressions and patterns that run long, deep or wild, and calls that go round: refused at deployment, or an incident of their own case,
while the other cases and the worker go on."""

import json

import pytest

from tests.bpmn.builder import HEAD
from tests.functional.test_bad_bundles import GOOD, TAIL, deploy
from tests.fuzz.harness import Request, Target
from tests.support.forms import schema

CALLS = (
    '<bpmn:process id="{0}" isExecutable="true"><bpmn:startEvent id="s"/><bpmn:sequenceFlow id="a" sourceRef="s" targetRef="c"/>'
    '<bpmn:callActivity id="c"><bpmn:extensionElements><zeebe:calledElement processId="{1}"/></bpmn:extensionElements></bpmn:callActivity>'
    '<bpmn:sequenceFlow id="b" sourceRef="c" targetRef="e"/><bpmn:endEvent id="e"/></bpmn:process>'
)
SCRIPT = (
    '<bpmn:process id="script" isExecutable="true"><bpmn:startEvent id="s"/><bpmn:sequenceFlow id="a" sourceRef="s" targetRef="c"/>'
    '<bpmn:scriptTask id="c"><bpmn:extensionElements><zeebe:script expression="{}" resultVariable="x"/></bpmn:extensionElements>'
    '</bpmn:scriptTask><bpmn:sequenceFlow id="b" sourceRef="c" targetRef="e"/><bpmn:endEvent id="e"/></bpmn:process>'
)
RUNNING = {
    "a loop of ten thousand millions": "=for i in 1..100000, j in 1..100000 return i * j",
    "a function that calls itself": "={f: function(n) f(n), r: f(1)}.r",
    "a text that doubles": "=string join(for i in 1..100000 return \\'xxxxxxxxxxxxxxxxxxxx\\')".replace("\\'", "&quot;"),
    "a power beyond all numbers": "=2 ** 99999999 + 99999999 ** 99999999",
    "a division by zero": "=1 / 0",
    "a pattern that would backtrack": "=matches(string join(for i in 1..3000 return &quot;aa&quot;) + &quot;!&quot;, &quot;^(a+)+$&quot;)",
    "a date beyond all calendars": "=date(&quot;9999-12-31&quot;) + duration(&quot;P9999999Y&quot;)",
    "a name nobody knows": "=nobody.nothing[1].never",
}


def run(fuzzed: Target, key: str, number: int = 1) -> dict:
    """Publish and start; the case as it stands."""
    assert send(fuzzed, f"/definitions/{key}/versions/{number}/publish", None, "supervisor").status == 200
    started = send(fuzzed, "/instances", {"definition": key, "data": {}, "place": "station-01"}, "lead-01")
    assert started.status == 201, started.text
    return fuzzed.send(Request("GET", f"/api/v1/instances/{started.json['id']}"), "lead-01").json


def send(fuzzed: Target, path: str, body, who: str):
    content = b"" if body is None else json.dumps(body).encode()
    return fuzzed.send(Request("POST", f"/api/v1{path}", headers={"Content-Type": "application/json"}, body=content), who)


def test_an_expression_that_runs_long_stops_its_own_case_only(target):
    """Each is deployed, or refused with its place; what runs too long is an incident, and the next case and the worker go on."""
    with target() as fuzzed:
        number = 0
        for name, text in RUNNING.items():
            made = deploy(fuzzed, {"a.bpmn": HEAD + SCRIPT.format(text) + TAIL})
            if made.status == 422:
                assert made.json["findings"][0]["element"] == "c", name
                continue
            number += 1
            case = run(fuzzed, "script", number)
            assert case["status"] in ("incident", "completed"), name
            if case["status"] == "incident":
                assert case["incidents"][0]["element"] == "c" and case["incidents"][0]["message"], name
                assert fuzzed.send(Request("GET", f"/cases/{case['id']}"), "lead-01").status == 200
        assert number >= 4
        assert deploy(fuzzed, {"a.bpmn": GOOD}).status == 201
        assert run(fuzzed, "small")["status"] == "active"
        fuzzed.pass_time(hours=1)


@pytest.mark.parametrize("pattern", ["(a+)+Q", "(a|a)*Q$", "(a*)*Q", "(.*)(.*)(.*)(.*)Q", "^(([a-z])+.)+[A-Z]([a-z])+$", "(x+x+)+Q"])
def test_a_pattern_that_would_backtrack_is_matched_in_one_pass(target, pattern):
    """`re` would take longer than the universe for these; the field's check is linear, and the request bounded by the harness."""
    field = {"type": "textfield", "key": "k", "validate": {"pattern": pattern}}
    form = GOOD.replace("<zeebe:userTask/>", '<zeebe:userTask/><zeebe:formDefinition formId="form"/>')
    with target() as fuzzed:
        assert deploy(fuzzed, {"a.bpmn": form, "a.form": json.dumps(schema(field)).encode()}).status == 201
        [task] = run(fuzzed, "small")["tasks"]
        assert send(fuzzed, f"/tasks/{task['id']}/claim", None, "ft-01-1").status == 200
        for text in "a" * 5_000 + "!", "x" * 5_000, "ab" * 2_000:
            told = send(fuzzed, f"/tasks/{task['id']}/complete", {"data": {"k": text}}, "ft-01-1")
            assert told.status == 422 and "k" in told.json["errors"]


def test_a_procedure_that_calls_itself_or_another_that_calls_it_back(target):
    with target() as fuzzed:
        itself = deploy(fuzzed, {"a.bpmn": HEAD + CALLS.format("one", "one") + TAIL})
        assert itself.status == 422 and itself.json["findings"][0]["code"] == "call_ring"
        assert deploy(fuzzed, {"a.bpmn": HEAD + CALLS.format("one", "two") + TAIL}).status == 201
        assert send(fuzzed, "/definitions/one/versions/1/publish", None, "supervisor").status == 200
        back = deploy(fuzzed, {"b.bpmn": HEAD + CALLS.format("two", "one") + TAIL})
        assert back.status == 422 and back.json["findings"][0]["code"] == "call_ring", "one → two → one"
