"""Messages and signals from programs: to cases that wait, and to procedures that begin by them."""

import marshmallow as ma

from engine import messages
from engine.commands import messages as commands
from webapp.api import answers_working as answers
from webapp.api.shared import KEYED, Schema, Text, blueprint, idempotency_key
from webapp.auth import command

routes = blueprint("messages", "消息与信号 · messages and signals")
PLACE = {"description": "key of the unit where a case begins that it starts (default: one's own)"}


class Message(Schema):
    """A message to whoever waits for this name and correlation key."""

    name = Text(required=True, validate=ma.validate.Length(1, messages.LONGEST_NAME))
    key = ma.fields.Raw(load_default=None, allow_none=True, metadata={"description": "correlation key: text or number"})
    variables = ma.fields.Dict(keys=ma.fields.Str(), load_default=dict)
    ttl = ma.fields.Int(
        load_default=None,
        allow_none=True,
        strict=True,
        metadata={"description": "seconds it is kept for who waits later (default 3600); 0: only for who waits now"},
    )
    messageId = Text(load_default=None, allow_none=True, metadata={"description": "the sender's number; refused again while it is kept"})
    place = Text(load_default=None, allow_none=True, metadata=PLACE)


class Signal(Schema):
    """A signal to everything in the county that waits for this name."""

    name = Text(required=True, validate=ma.validate.Length(1, messages.LONGEST_NAME))
    variables = ma.fields.Dict(keys=ma.fields.Str(), load_default=dict)
    place = Text(load_default=None, allow_none=True, metadata=PLACE)


@routes.route("/messages", methods=["POST"])
@routes.doc(**KEYED)
@routes.arguments(Message())
@routes.response(202, answers.MessageSent)
def publish(body: dict):
    """To the oldest case of each procedure that waits for it; else it begins cases, or is kept. `instances`: those one may see."""
    values = body["name"], body["key"], body["variables"], body["ttl"], body["messageId"], body["place"]
    return command(commands.publish_message, *values, key=idempotency_key())


@routes.route("/signals", methods=["POST"])
@routes.doc(**KEYED)
@routes.arguments(Signal())
@routes.response(202, answers.Broadcast)
def send(body: dict):
    """Every case that waits hears it; `waiting` and `starts` tell how many there are."""
    return command(commands.send_signal, body["name"], body["variables"], body["place"], key=idempotency_key())
