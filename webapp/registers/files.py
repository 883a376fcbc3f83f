"""Registers in and out of spreadsheets."""

import base64
import binascii

from flask import Response, flash, redirect, render_template, request, url_for
from flask_babel import gettext

from engine.commands import registers as commands
from engine.exceptions import InvalidRequest, RegisterFileInvalid
from engine.registers import csv_files, entries, rights, subjects
from engine.registers.catalogue import register_of
from engine.registers.csv_files import SUBJECT, SUBJECTS, WITHIN
from engine.registers.declaring import DATETIME, PERSON, UNIT, Register
from engine.registers.entries import Line
from webapp.auth import actor, command, session, system
from webapp.errors import status_of
from webapp.i18n import in_chinese
from webapp.places import places
from webapp.registers.showing import Shown, local_text, today
from webapp.registers.views import pages

SHOWN = 10  # lines of a preview
MOST_FAULTS = 200  # that a page shows


@pages.route("/<register>/import", methods=["GET", "POST"])
def import_file(register: str):
    """Look at a file, then import it: every line or none."""
    found = register_of(register)
    rights.require_keeper(actor(), found)
    if request.method == "GET":
        return _page(found)
    data = _content()
    sure = request.form.get("step") == "import"
    try:
        answer = command(commands.import_csv, register, data, not sure)
    except RegisterFileInvalid as refusal:
        return _page(found, faults=refusal.faults), status_of(refusal)
    if not sure:
        return _page(found, data=data, answer=answer)
    flash(gettext("已导入 %(added)d 条，跳过已有的 %(skipped)d 条。", **answer), "ok")
    return redirect(url_for("registers.register", register=register))


@pages.get("/<register>/export")
def export(register: str):
    """A register's entries that have not ended, as a file that `import_file` reads; with `empty` only its header."""
    found = register_of(register)
    rights.require_open(actor(), found)
    lines = [] if request.args.get("empty") else _all(found)
    data = csv_files.write(found, _rows(found, lines), english=not in_chinese())
    name = f"{found.key}-{today():%Y%m%d}.csv"
    return Response(data, mimetype="text/csv", headers={"Content-Disposition": f'attachment; filename="{name}"'})


def _content() -> bytes:
    """The file that was chosen, text that was pasted, or what the page before has shown. Raises InvalidRequest."""
    if held := request.form.get("content"):
        try:
            return base64.b64decode(held, validate=True)
        except (binascii.Error, ValueError):
            raise InvalidRequest(field="content", reason="请重新选择文件") from None
    upload = request.files.get("file")
    if upload is not None and upload.filename:
        return upload.read()
    return request.form.get("text", "").encode("utf-8", "replace")


def _page(found: Register, data: bytes | None = None, answer: dict | None = None, faults=()):
    file = csv_files.read(found, data) if data is not None else None
    return render_template(
        "registers/import.html",
        register=found,
        subject_column=SUBJECTS[found.about][not in_chinese()],
        narrows=found.about != UNIT,
        content=base64.b64encode(data).decode() if data is not None else "",
        answer=answer,
        file=file,
        lines=file.lines[:SHOWN] if file else [],
        faults=[fault.as_dict(english=not in_chinese()) for fault in faults[:MOST_FAULTS]],
        count=len(faults),
        text=request.form.get("text", "") if faults else "",
        largest=csv_files.LARGEST // 1024,
        most=csv_files.MOST_LINES,
    )


def _all(found: Register) -> list[Line]:
    lines, cursor = [], None
    while True:
        page, cursor = entries.lines(
            session(), system().vault, actor(), [found], today(), cursor=cursor, limit=entries.PAGE
        )
        lines += page
        if cursor is None:
            return lines


def _rows(found: Register, lines: list[Line]):
    shown = Shown(lines)
    people = {line.values.get(field.key) for line in lines for field in found.fields if field.type == PERSON}
    usernames = subjects.usernames(session(), people | {line.entry.subject_id for line in lines})
    for line in lines:
        held = line.entry
        subject = usernames.get(held.subject_id) or (held.place_path.rsplit("/", 1)[-1] if found.about == UNIT else shown.subject(line))
        row = {**line.values, SUBJECT: subject, WITHIN: places().by_path[held.place_path].key}
        for field in found.fields:
            if field.type == PERSON and row.get(field.key):
                row[field.key] = usernames.get(row[field.key], row[field.key])
            elif field.type == DATETIME and row.get(field.key):
                row[field.key] = local_text(row[field.key])
        yield row
