"""The API against its own description: schemathesis makes requests from `/api/v1/openapi.json`, right and wrong ones, and checks that each
answer has a status, a content type and a body that the document promises. Several roles ask; ids that exist are used half the time."""

import json
from collections.abc import Iterator
from random import Random

import pytest
import requests
from hypothesis import HealthCheck, Phase, given, seed, settings
from schemathesis import GenerationMode
from schemathesis.core.transport import Response
from schemathesis.openapi import from_dict
from schemathesis.specs.openapi.checks import content_type_conformance, response_schema_conformance, status_code_conformance

from tests.fuzz.harness import ROLES, Answer, Failure, Request, Target

EXAMPLES = 4  # of each operation and mode in a round
CHECKS = [status_code_conformance, content_type_conformance, response_schema_conformance]
# Signing out would end what the round stands on.
LEFT_OUT = {("DELETE", "/tokens/current"), ("DELETE", "/me/sessions"), ("DELETE", "/me/sessions/{session_id}")}


@pytest.mark.soak
def test_the_api_keeps_to_its_description(campaign, target):
    for number in campaign.rounds(1, 100):
        dice = campaign.dice("schema", number)
        with target() as fuzzed:
            for operation in operations(fuzzed):
                for mode in GenerationMode.POSITIVE, GenerationMode.NEGATIVE:
                    fuzz(dice, fuzzed, operation, mode)
        campaign.note(requests=fuzzed.sent)


def operations(fuzzed: Target) -> Iterator:
    """Every operation of the document that a test can survive."""
    document = fuzzed.send(Request("GET", "/api/v1/openapi.json"), "auditor").json
    for found in from_dict(document).get_all_operations():
        operation = found.ok()
        if (operation.method.upper(), operation.path.removeprefix("/api/v1")) not in LEFT_OUT:
            yield operation


def fuzz(dice: Random, fuzzed: Target, operation, mode: GenerationMode) -> None:
    """Some requests to one operation."""

    @seed(dice.getrandbits(64))
    @settings(max_examples=EXAMPLES, database=None, deadline=None, phases=[Phase.generate], suppress_health_check=list(HealthCheck))
    @given(case=operation.as_strategy(generation_mode=mode))
    def ask(case):
        send(dice, fuzzed, case)

    ask()


def send(dice: Random, fuzzed: Target, case) -> None:
    """Send a case as one of the roles, and hold the answer to the document."""
    known = fuzzed.known
    there = {"task_id": known["tasks"], "instance_id": known["cases"], "client_id": known["clients"], "key": ["service_delivery", "duties"]}
    for name in list(case.path_parameters or ()):
        if name in there and dice.random() < 0.7:
            case.path_parameters[name] = dice.choice(there[name])
    prepared = requests.Request(**_plain(case.as_transport_kwargs(base_url="http://localhost"))).prepare()
    path, _, query = prepared.path_url.partition("?")
    body = prepared.body or b""
    made = Request(
        case.method.upper(),
        path,
        query,
        {name: _text(value) for name, value in prepared.headers.items() if name not in ("Content-Length", "Authorization")},
        body.encode() if isinstance(body, str) else body,
    )
    got = fuzzed.send(made, dice.choice([*ROLES, "ft-01-1", "supervisor", None]))
    if case.method.upper() in ("GET", "POST", "DELETE"):
        check(case, prepared, made, got)


def _plain(options: dict) -> dict:
    return {name: value for name, value in options.items() if name in ("method", "url", "headers", "params", "cookies", "data", "json", "files")}


def _text(value) -> str:
    return value.decode("latin-1") if isinstance(value, bytes) else value


def check(case, prepared, made: Request, got: Answer) -> None:
    """Raises Failure with what the document promises otherwise."""
    answer = Response(
        got.status, {name: [value] for name, value in got.headers.items()}, got.body, prepared, elapsed=0.0, verify=False, http_version="1.1"
    )
    try:
        case.validate_response(answer, checks=CHECKS)
    except BaseExceptionGroup as failures:
        told = "; ".join(f"{type(each).__name__}: {str(each)[:600]}" for each in failures.exceptions)
        raise Failure(f"{got.status}: {told}\n{made}\n{json.dumps(got.body.decode(errors='replace'))[:800]}") from None
