"""Holds answers of the API to its own description: `tests.support.web.Program` does so with every answer that a test gets."""

import re
from functools import lru_cache

import jsonschema_rs
from flask import Flask

PREFIX = "/api/v1"


def hold(app: Flask, method: str, path: str, answer) -> None:
    """Fails where a 2xx answer in JSON is not what `/openapi.json` says of it. `path`: without query."""
    if not 200 <= answer.status_code < 300 or not answer.data or not answer.is_json or path == f"{PREFIX}/openapi.json":
        return
    rule, _values = app.url_map.bind("localhost").match(path, method, return_rule=True)
    described = re.sub(r"<(?:[^<>]*:)?(\w+)>", r"{\1}", rule.rule)
    faults = [f"{fault.instance_path}: {fault.message}" for fault in _validator(app, described, method.lower(), answer.status_code).iter_errors(answer.json)]
    assert not faults, f"{method} {described} answers otherwise than described: {faults[:5]}"


@lru_cache(maxsize=1)
def description(app: Flask) -> dict:
    """The document, with `nullable` (OpenAPI 3.0) written as JSON Schema has it."""
    return _as_json_schema(app.test_client().get(f"{PREFIX}/openapi.json").json)


@lru_cache(maxsize=200)
def _validator(app: Flask, path: str, method: str, status: int):
    document = description(app)
    schema = document["paths"][path][method]["responses"][str(status)]["content"]["application/json"]["schema"]
    return jsonschema_rs.Draft7Validator({"allOf": [schema], "components": document["components"]}, validate_formats=True)


def _as_json_schema(part):
    if isinstance(part, list):
        return [_as_json_schema(each) for each in part]
    if not isinstance(part, dict):
        return part
    found = {name: _as_json_schema(each) for name, each in part.items() if name != "nullable"}
    if part.get("nullable") is True:
        return {"anyOf": [found, {"type": "null"}]}
    return found
