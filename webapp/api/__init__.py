"""`/api/v1`: everything a program can do, described at `/api/v1/openapi.json`. Bearer tokens only; errors are RFC 9457 problem documents."""

import marshmallow as ma
from flask_smorest import Api

PREFIX = "/api/v1"


class Finding(ma.Schema):
    """What is wrong with a bundle, and where."""

    code = ma.fields.Str(required=True)
    message = ma.fields.Str(required=True, metadata={"description": "Chinese"})
    message_en = ma.fields.Str(required=True)
    element = ma.fields.Str(metadata={"description": "id in the diagram, table or form"})
    file = ma.fields.Str()
    line = ma.fields.Int()
    column = ma.fields.Int()
    severity = ma.fields.Str(required=True, validate=ma.validate.OneOf(["error", "warning"]))


class Verdict(ma.Schema):
    """What a regulation says, and by which version of which table."""

    rule = ma.fields.Str(required=True)
    effect = ma.fields.Str(required=True)
    message = ma.fields.Str(required=True)
    hint = ma.fields.Str(required=True)
    source = ma.fields.Str(required=True, allow_none=True)
    waivable_by = ma.fields.Str(required=True, allow_none=True)
    table = ma.fields.Str(required=True)
    version = ma.fields.Str(required=True)
    facts = ma.fields.Dict(required=True)
    waivers_url = ma.fields.Str(required=True, allow_none=True, metadata={"description": "where to ask for a waiver; null where there is none"})


class FaultyLine(ma.Schema):
    """What keeps a line of a file from being imported."""

    line = ma.fields.Int(required=True, metadata={"description": "as an editor counts; 0: the file as a whole"})
    column = ma.fields.Str(required=True, metadata={"description": "as the file calls it; empty: the whole line"})
    reason = ma.fields.Str(required=True)


class Problem(ma.Schema):
    """RFC 9457, as webapp/errors.py writes it."""

    type = ma.fields.Str(required=True)
    title = ma.fields.Str(required=True)
    status = ma.fields.Int(required=True)
    code = ma.fields.Str(required=True, metadata={"description": "stable name of the error"})
    detail = ma.fields.Str(required=True, metadata={"description": "for people, in their language"})
    hint = ma.fields.Str(required=True, metadata={"description": "what to do next"})
    instance = ma.fields.Str()
    reference = ma.fields.Str(metadata={"description": "to be read out to an administrator"})
    errors = ma.fields.Dict(keys=ma.fields.Str(), values=ma.fields.Str(), metadata={"description": "field: what is wrong with it"})
    verdicts = ma.fields.List(ma.fields.Nested(Verdict), metadata={"description": "of the regulations that refuse"})
    lines = ma.fields.List(ma.fields.Nested(FaultyLine), metadata={"description": "of a file that is not imported"})
    findings = ma.fields.List(ma.fields.Nested(Finding), metadata={"description": "what keeps a bundle from being deployed"})


class ProblemApi(Api):
    """flask-smorest, with the application's own errors (webapp/errors.py) instead of its."""

    ERROR_SCHEMA = Problem

    def _register_error_handlers(self):
        pass

    def _register_responses(self):
        """Only errors are registered here; they have a content type of their own."""
        plain, self.DEFAULT_RESPONSE_CONTENT_TYPE = self.DEFAULT_RESPONSE_CONTENT_TYPE, "application/problem+json"
        super()._register_responses()
        self.DEFAULT_RESPONSE_CONTENT_TYPE = plain


def register(app) -> None:
    """Mount the API; cookies and form tokens have no meaning there."""
    from webapp.api import (
        cases,
        clients,
        definitions,
        dispatch,
        jobs,
        messages,
        operations,
        outings,
        registers,
        reruns,
        sessions,
        tasks,
        tokens,
        waivers,
    )

    app.config.update(
        API_TITLE="Shuibo 水泊",
        API_VERSION="1",
        OPENAPI_VERSION="3.0.3",
        OPENAPI_URL_PREFIX=PREFIX,
        OPENAPI_JSON_PATH="openapi.json",
    )
    api = ProblemApi(
        app,
        spec_kwargs={
            "info": {
                "description": "Errors are application/problem+json (RFC 9457) with a stable `code`. Lists answer `{items, next}`; pass `next` "
                "as `cursor`. Writes accept `Idempotency-Key`: a repeated key gets the first answer, with another body it is a 422."
            },
            "security": [{"bearer": []}],
        },
    )
    api.spec.components.security_scheme("bearer", {"type": "http", "scheme": "bearer"})
    people = (tokens, sessions, clients, outings, registers)
    for module in (*people, definitions, cases, tasks, dispatch, messages, jobs, operations, waivers, reruns):
        api.register_blueprint(module.routes, url_prefix=PREFIX)
