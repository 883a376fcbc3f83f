"""Clients for programs: search and register."""

import marshmallow as ma

from engine import clients
from engine.commands import clients as commands
from webapp.api import answers
from webapp.api.shared import KEYED, Page, Schema, Text, blueprint, from_cursor, idempotency_key, page_of
from webapp.auth import actor, command, require, session, system

routes = blueprint("clients", "服务对象 · people served")


class Search(Page):
    """Whom to find: characters, pinyin, initials, or a whole telephone or identity number; nothing for all of one's place."""

    q = Text(load_default="", validate=ma.validate.Length(max=100))


class NewClient(Schema):
    """A person to register. The engine checks each field and says what is wrong with it."""

    place = Text(required=True, validate=ma.validate.Length(max=32), metadata={"description": "key of a village room"})
    household = Text(load_default=None, allow_none=True, validate=ma.validate.Length(max=32))
    data = ma.fields.Dict(
        keys=ma.fields.Str(), required=True, metadata={"description": ", ".join(clients.FIELDS)}
    )


@routes.route("/clients", methods=["GET"])
@routes.arguments(Search(), location="query")
@routes.response(200, answers.page(answers.ClientBrief, "Clients"))
def index(wanted: dict):
    """Clients that one's unit covers."""
    found, following = clients.search(
        session(), system().vault, actor(), wanted["q"], from_cursor(wanted["cursor"]), min(wanted["limit"], clients.PAGE)
    )
    return page_of([_brief(record) for record in found], following)


@routes.route("/clients", methods=["POST"])
@routes.doc(**KEYED)
@routes.arguments(NewClient())
@routes.response(201, answers.Registered)
def register(body: dict):
    """Register a person, in a new household or an existing one."""
    return command(commands.register, body["data"], body["place"], body["household"], key=idempotency_key())


class Opening(Schema):
    """Why a record is opened; `emergency` for one of another place, which the supervisor reviews."""

    reason = Text(load_default="", validate=ma.validate.Length(max=200))
    emergency = ma.fields.Bool(load_default=False)


@routes.route("/clients/<client_id>", methods=["GET"])
@routes.arguments(Opening(), location="query")
@routes.response(200, answers.ClientRecord)
def detail(opening: dict, client_id: str):
    """One person's record; looking leaves a line in the reader's access stream, with the reason if the regulations want one."""
    require("client:read")
    return command(commands.view, client_id, opening["reason"].strip(), opening["emergency"])


def _brief(record) -> dict:
    return {
        "id": record.id,
        "name": record.name,
        "birth_date": record.birth_date and record.birth_date.isoformat(),
        "categories": list(record.categories),
        "place": record.unit_key,
        "household": record.household_id,
    }
