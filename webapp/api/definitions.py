"""Procedures and regulations for programs."""

import marshmallow as ma

from engine import definitions
from engine.commands import definitions as commands
from webapp.api import answers
from webapp.api.shared import KEYED, Page, Schema, blueprint, from_cursor, idempotency_key, instant, page_of
from webapp.auth import command, require, session, system
from webapp.definitions import uploads

routes = blueprint("definitions", "流程与制度 · procedures and regulations")

BUNDLE = {
    "required": True,
    "content": {
        "multipart/form-data": {
            "schema": {
                "type": "object",
                "required": ["files"],
                "properties": {"files": {"type": "array", "items": {"type": "string", "format": "binary"}}},
            }
        }
    },
}


class Kinds(Page):
    """Which definitions."""

    kind = ma.fields.Str(load_default=None, validate=ma.validate.OneOf(["procedure", "regulation"]))


class Base(Schema):
    """What a regulation's draft was made from: deploying says it, publishing confirms it."""

    based_on = ma.fields.Int(
        load_default=None,
        allow_none=True,
        validate=ma.validate.Range(0, 1_000_000),
        metadata={"description": "number of the published version, 0 for none; to publish over it, the one in force"},
    )


@routes.route("/definitions", methods=["GET"])
@routes.arguments(Kinds(), location="query")
@routes.response(200, answers.page(answers.Definition, "Definitions"))
def index(wanted: dict):
    """Every definition with its versions, newest first; `published` is the number that new cases use."""
    require("definition:read")
    found = definitions.versions(session(), system().county_id, wanted["kind"])
    after = from_cursor(wanted["cursor"])
    keys = [definition.key for definition, _versions in found]
    start = keys.index(after) + 1 if after in keys else 0
    page = found[start : start + wanted["limit"]]
    following = page[-1][0].key if start + wanted["limit"] < len(found) else None
    return page_of([_definition(definition, versions) for definition, versions in page], following)


@routes.route("/definitions", methods=["POST"])
@routes.doc(requestBody=BUNDLE, **KEYED)
@routes.arguments(Base(), location="query")
@routes.response(201, answers.Deployed)
def deploy(wanted: dict):
    """Deploy a bundle (multipart/form-data: .bpmn, .dmn and .form files) as a new draft version. A refusal lists every finding."""
    require("definition:deploy")
    return command(commands.deploy, uploads.bundle(), based_on=wanted["based_on"], key=idempotency_key())


@routes.route("/definitions/<key>/versions/<int(max=1000000):number>/publish", methods=["POST"])
@routes.doc(**KEYED)
@routes.arguments(Base())
@routes.response(200, answers.Published)
def publish(body: dict, key: str, number: int):
    """Make a draft the version that new cases use. A regulation's draft that would undo what was published meanwhile is a 409, `based_on_older`."""
    # `command` has a parameter called key, and so has the engine's function: both are passed by position or by name as each wants.
    return command(commands.publish, key, number, based_on=body["based_on"], key=idempotency_key())


@routes.route("/definitions/<key>/versions/<int(max=1000000):number>/withdraw", methods=["POST"])
@routes.doc(**KEYED)
@routes.response(200, answers.Published)
def withdraw(key: str, number: int):
    """Let no new case use a version; running cases keep it."""
    return command(commands.withdraw, key, number, key=idempotency_key())


def _definition(definition, versions) -> dict:
    published = next((each.number for each in versions if each.id == definition.published_version_id), None)
    return {
        "key": definition.key,
        "kind": definition.kind,
        "name": definition.name,
        "published": published,
        "versions": [
            {
                "number": each.number,
                "status": each.status,
                "deployed_at": instant(each.deployed_at),
                "published_at": instant(each.published_at),
            }
            for each in versions
        ],
    }
