"""What the routes share: strict schemas, cursors, idempotency keys, and the guard around JSON bodies."""

import base64
import binascii
from datetime import UTC, datetime
from http import HTTPStatus
from typing import ClassVar

import marshmallow as ma
from flask import request
from flask_babel import gettext
from flask_smorest import Blueprint
from webargs.flaskparser import FlaskParser
from werkzeug.exceptions import BadRequest, RequestEntityTooLarge, UnsupportedMediaType

from engine import untrusted
from engine.commands import LONGEST_KEY
from engine.exceptions import InvalidRequest
from webapp.i18n import in_chinese

DEPTH = 40  # levels of nesting in a body
# For `routes.doc`: a write that can be repeated.
KEYED = {
    "parameters": [
        {
            "in": "header",
            "name": "Idempotency-Key",
            "schema": {"type": "string", "minLength": 1, "maxLength": LONGEST_KEY},
            "description": "one effect however often it is sent; the first answer again",
        }
    ]
}
PAGE = 50
LARGEST_PAGE = 200


class Schema(ma.Schema):
    """Strict: a field nobody knows is refused."""

    class Meta:
        """What an answer or a body may hold is written down; the rest is an error."""

        unknown = ma.RAISE


class Anything(ma.Schema):
    """A documented answer that is not filtered: the functions below build exactly what they mean."""

    class Meta:
        """Let everything through."""

        unknown = ma.INCLUDE

    def dump(self, obj, *, many=None):
        """The answer as it is."""
        return obj


class Page(Schema):
    """How a list is paged."""

    cursor = ma.fields.Str(load_default=None, validate=ma.validate.Length(max=400), metadata={"description": "`next` of the page before"})
    limit = ma.fields.Int(load_default=PAGE, validate=ma.validate.Range(1, LARGEST_PAGE), strict=False)


class Text(ma.fields.Str):
    """Text without characters that no database stores."""

    def _deserialize(self, value, attr, data, **kwargs):
        text = super()._deserialize(value, attr, data, **kwargs)
        if any(ord(letter) < 9 for letter in text):
            raise ma.ValidationError("含有无法保存的字符。")
        try:
            text.encode()
        except UnicodeEncodeError:
            raise ma.ValidationError("含有无法保存的字符。") from None
        return text


REFUSALS = [400, 401, 403, 404, 413, 415, 422, 429, 500, 503, 507]  # what any request may be told
OF_WRITES = [409, 410]


class Routes(Blueprint):
    """flask-smorest's blueprint with the strict parser; the document tells every refusal by its status."""

    def __init__(self, *arguments, **options):
        """As flask-smorest's."""
        super().__init__(*arguments, **options)
        self._prepare_doc_cbks.append(self._prepare_refusals_doc)

    @staticmethod
    def _prepare_refusals_doc(doc, _info, *, method, **_more):
        responses = doc.setdefault("responses", {})
        responses.pop("default", None)  # all are named
        for status in REFUSALS + (OF_WRITES if method != "get" else [410]):
            responses[str(status)] = HTTPStatus(status).name
        return doc


def blueprint(name: str, about: str) -> Routes:
    """A group of routes. Who may call them is said in webapp/rights/table.py."""
    return Routes(f"{name}-api", f"{name}-api", description=about)  # pages have the plain names


class StrictParser(FlaskParser):
    """JSON as `engine.untrusted` takes it, not nested without end, and declared as what it is."""

    DEFAULT_UNKNOWN_BY_LOCATION: ClassVar = {"json": None, "query": None}  # the schemas say it: refuse

    def get_default_request(self):
        """The request itself: the proxy would look it up at each attribute."""
        return request._get_current_object()

    def load_json(self, req, schema):
        """The body; nothing at all counts as an empty object."""
        body = req.get_data(cache=True)
        if not body:
            return {}
        if req.content_length is None and len(body) >= (req.max_content_length or len(body) + 1):
            raise RequestEntityTooLarge()  # sent in pieces: werkzeug stops at the limit and says nothing
        if not req.is_json:
            raise UnsupportedMediaType()
        try:
            return untrusted.read_json(body, DEPTH)
        except untrusted.Refused as refused:
            if refused.code == "too_deep":
                raise InvalidRequest(field="body", reason=f"嵌套过深，最多 {DEPTH} 层") from None
            told = BadRequest()
            reason = refused.reason[0 if in_chinese() else 1]
            told.data = {"code": "malformed_json", "message": gettext("请求的内容不是合格的 JSON：%(reason)s", reason=reason)}
            raise told from None


Routes.ARGUMENTS_PARSER = StrictParser()


def idempotency_key() -> str | None:
    """The request's key, if it has one. Raises InvalidRequest for an empty one, as the command does for one that cannot be stored."""
    key = request.headers.get("Idempotency-Key")
    if key == "":
        raise InvalidRequest(field="Idempotency-Key", reason=f"应为 1 到 {LONGEST_KEY} 个可见的 ASCII 字符")
    return key


def page_of(items: list, following) -> dict:
    """A list's answer. The cursor is opaque: nobody may count on what is in it."""
    return {"items": items, "next": to_cursor(following)}


def to_cursor(following) -> str | None:
    """What the engine calls the next page, wrapped."""
    return None if following is None else base64.urlsafe_b64encode(str(following).encode()).decode().rstrip("=")


def from_cursor(cursor: str | None) -> str | None:
    """Unwrap a cursor. Raises InvalidRequest when it is none of ours."""
    if not cursor:
        return None
    try:
        text = base64.urlsafe_b64decode(cursor.encode() + b"=" * (-len(cursor) % 4)).decode()
    except (binascii.Error, UnicodeError, ValueError):
        text = ""
    if not text or not text.isascii() or not text.isprintable():
        raise InvalidRequest(field="cursor", reason="不是上一页给出的游标")
    return text


def instant(value: datetime | None) -> str | None:
    """A time for programs: RFC 3339, UTC."""
    return None if value is None else value.astimezone(UTC).isoformat().replace("+00:00", "Z")

