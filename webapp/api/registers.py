"""Registers for programs: what they are made of, lists, one entry; add, change, end, import; posts and vacancies."""

from typing import Any

import marshmallow as ma
from flask import request

from engine import reference
from engine.commands import registers as commands
from engine.exceptions import InvalidRequest
from engine.registers import entries, posts, rights, subjects
from engine.registers.catalogue import register_of
from engine.registers.declaring import Register
from engine.registers.entries import Counts, Line
from webapp.api import answers_registers as answers
from webapp.api.answers_working import Id
from webapp.api.shared import KEYED, Page, Schema, Text, blueprint, from_cursor, idempotency_key, instant, page_of
from webapp.auth import actor, command, session, system
from webapp.i18n import named, now
from webapp.places import places
from webapp.registers.showing import today

routes = blueprint("registers", "登记 · registers that the regulations read")
FILE = {
    "requestBody": {
        "required": True,
        "content": {
            "multipart/form-data": {
                "schema": {
                    "type": "object",
                    "required": ["file"],
                    "properties": {
                        "file": {"type": "string", "format": "binary", "description": "CSV in UTF-8, GBK (GB 18030) or UTF-16"},
                        "preview": {"type": "string", "enum": ["yes", "no"], "description": "yes: say what it would do and do nothing"},
                    },
                }
            }
        },
    }
}


class WantedEntries(Page):
    """Which entries."""

    state = ma.fields.Str(load_default=None, validate=ma.validate.OneOf(entries.STATES), metadata={"description": "without: those not ended"})
    days = ma.fields.Int(load_default=entries.SOON[0], validate=ma.validate.OneOf(entries.SOON), strict=False)
    unit = Text(load_default=None, validate=ma.validate.Length(max=32), metadata={"description": "key of a unit"})
    subject = Text(load_default=None, validate=ma.validate.Length(max=32), metadata={"description": "id of a person, unit or client"})


class NewEntry(Schema):
    """An entry to add. The engine says what is wrong with it, field by field."""

    whom = Text(
        load_default="",
        validate=ma.validate.Length(max=200),
        metadata={"description": "username, key, name or id of whom it is about; nothing for oneself"},
    )
    within = Text(load_default="", validate=ma.validate.Length(max=60), metadata={"description": "a unit that tells two of one name apart"})
    values = ma.fields.Dict(keys=ma.fields.Str(), required=True, metadata={"description": "by the register's fields"})


class EntryChanges(Schema):
    """What to correct."""

    values = ma.fields.Dict(keys=ma.fields.Str(), required=True, metadata={"description": "only what changes; null takes a value away"})
    version = ma.fields.Int(load_default=None, allow_none=True, metadata={"description": "the one that was read; refused if it is another now"})


class EndOfEntry(Schema):
    """Why an entry ends."""

    reason = Text(required=True)


@routes.route("/registers", methods=["GET"])
@routes.response(200, answers.Registers)
def index():
    """The registers that one may open, their fields, and how many entries are open, lapse within 30 days, and have lapsed."""
    found = entries.counts(session(), actor(), today())
    return {"items": [_declared(each, found.get(each.key, Counts())) for each in rights.readable(actor())]}


@routes.route("/registers/vacancies", methods=["GET"])
@routes.response(200, answers.Vacancies)
def vacancies():
    """How many people each station should have, has, and lacks."""
    known = reference.in_force(system(), session())
    found = posts.by_station(session(), actor(), today(), lambda station: known.parameters(now(), station))
    items = [{name: getattr(each, name) for name in ("station", "name", "workforce", "required", "held", "vacant", "entered")} for each in found]
    return {"items": items}


@routes.route("/registers/<register>", methods=["GET"])
@routes.arguments(WantedEntries(), location="query")
@routes.response(200, answers.EntryPage)
def entries_of(wanted: dict, register: str):
    """Entries at one's place, or one's own; the newest first, those that lapse by their last day."""
    unit = places().by_key.get(wanted["unit"]) if wanted["unit"] else None
    if wanted["unit"] and unit is None:
        raise InvalidRequest(field="unit", reason="没有这个单位")
    found, following = entries.lines(
        session(),
        system().vault,
        actor(),
        [register_of(register)],
        today(),
        state=wanted["state"],
        within=unit and unit.path,
        subject_id=wanted["subject"],
        soon=wanted["days"],
        cursor=from_cursor(wanted["cursor"]),
        limit=wanted["limit"],
    )
    return page_of(_entries(found), following)


@routes.route("/registers/<register>", methods=["POST"])
@routes.doc(**KEYED)
@routes.arguments(NewEntry())
@routes.response(201, answers.EntryChanged)
def add(body: dict, register: str):
    """Add an entry."""
    return command(commands.add, register, body["whom"], body["values"], body["within"], key=idempotency_key())


@routes.route("/registers/<register>/import", methods=["POST"])
@routes.doc(**KEYED, **FILE)
@routes.response(200, answers.Imported)
def import_csv(register: str):
    """Add every line of a CSV file, or none: a refusal lists every faulty line. Lines that are there already are skipped."""
    upload = request.files.get("file")
    if upload is None:
        raise InvalidRequest(field="file", reason="请附上 CSV 文件（multipart/form-data，字段名 file）")
    return command(commands.import_csv, register, upload.read(), request.form.get("preview") == "yes", key=idempotency_key())


@routes.route("/registers/<register>/<entry_id>", methods=["GET"])
@routes.response(200, answers.Entry)
def entry(register: str, entry_id: str):
    """One entry."""
    return _entries([entries.read(session(), system().vault, actor(), register_of(register), entry_id)])[0]


@routes.route("/registers/<register>/<entry_id>", methods=["PATCH"])
@routes.doc(**KEYED)
@routes.arguments(EntryChanges())
@routes.response(200, answers.EntryChanged)
def change(body: dict, register: str, entry_id: str):
    """Correct an entry."""
    return command(commands.change, register, entry_id, body["values"], body["version"], key=idempotency_key())


@routes.route("/registers/<register>/<entry_id>/end", methods=["POST"])
@routes.doc(**KEYED)
@routes.arguments(EndOfEntry())
@routes.response(200, Id)
def end(body: dict, register: str, entry_id: str):
    """End an entry; it stays and counts no more."""
    return command(commands.end, register, entry_id, body["reason"], key=idempotency_key())


def _declared(register: Register, count: Counts) -> dict:
    columns = [
        {
            "key": field.key,
            "name": named(field),
            "type": field.type,
            "required": field.required,
            "choices": [{"key": choice.key, "name": named(choice)} for choice in field.choices],
        }
        for field in register.fields
    ]
    return {
        "key": register.key,
        "name": named(register),
        "about": register.about,
        "columns": columns,
        "writable": rights.may_write(actor(), register) or rights.may_write_own(actor(), register),
        "open": count.open,
        "lapsing": count.within_30,
        "lapsed": count.lapsed,
    }


def _entries(lines: list[Line]) -> list[dict[str, Any]]:
    names = subjects.names(session(), system().vault, {line.entry.subject_id for line in lines})
    return [_entry(line, names) for line in lines]


def _entry(line: Line, names: dict[str, str]) -> dict[str, Any]:
    held = line.entry
    return {
        "id": held.id,
        "register": held.register,
        "subject": {"id": held.subject_id, "name": names.get(held.subject_id)},
        "place": held.place_path.rsplit("/", 1)[-1],
        "values": line.values,
        "since": held.since and held.since.isoformat(),
        "until": held.until and held.until.isoformat(),
        "state": held.state_on(today()),
        "added_at": instant(held.added_at),
        "ended_at": instant(held.ended_at),
        "ended_because": line.reason,
        "version": held.version,
    }
