"""Signing in as a program."""

import marshmallow as ma
from flask import request

from engine.commands import accounts
from webapp import auth
from webapp.api import answers
from webapp.api.shared import Schema, Text, blueprint, instant
from webapp.i18n import now

routes = blueprint("tokens", "登录 · signing in")


class Credentials(Schema):
    """Who signs in."""

    username = Text(required=True, validate=ma.validate.Length(max=100))
    password = ma.fields.Str(required=True, validate=ma.validate.Length(max=1000))


@routes.route("/tokens", methods=["POST"])
@routes.doc(security=[])
@routes.arguments(Credentials())
@routes.response(201, answers.Token)
def sign_in(credentials: dict):
    """Exchange name and password for a bearer token."""
    opened = accounts.sign_in(
        auth.system(), credentials["username"], credentials["password"], now=now(), address=request.remote_addr or "", kind="api"
    )
    return {"token": opened["token"], "token_type": "Bearer", "expires_at": instant(opened["expires_at"])}


@routes.route("/tokens/current", methods=["DELETE"])
@routes.response(204)
def sign_out():
    """Revoke the token of this request."""
    auth.command(accounts.sign_out, auth.request_token())


@routes.route("/me", methods=["GET"])
@routes.response(200, answers.Me)
def me():
    """Who this token belongs to."""
    who = auth.actor()
    return {
        "id": who.person_id,
        "username": who.username,
        "name": who.name,
        "roles": sorted(who.roles),
        "workforce": who.workforce,
        "partner": who.partner,
        "unit": who.unit_key,
    }
