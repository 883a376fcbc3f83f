"""The registers' pages, all made from what engine.registers declares."""

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask_babel import gettext

from engine import organisation, reference
from engine.commands import registers as commands
from engine.db import new_id
from engine.exceptions import EngineError, EntryEnded, InvalidForm, InvalidRequest, StaleVersion
from engine.registers import entries, posts, rights
from engine.registers.catalogue import REGISTERS, REGULATIONS, register_of
from engine.registers.declaring import CLIENT, PERSON, Register
from engine.registers.entries import LAPSING, Counts, Line
from webapp.auth import actor, command, session, system
from webapp.errors import status_of, translated_text
from webapp.i18n import in_chinese, now, translated
from webapp.places import Place, own_places, places
from webapp.registers.showing import STATES, Shown, as_typed, of_subject, submitted, today

pages = Blueprint("registers", __name__, template_folder="templates", url_prefix="/registers")
PAGE = 50
PROPOSED = 200  # people whom a field proposes
TOLD = (InvalidForm, StaleVersion, EntryEnded)  # on the page of the entry itself


@pages.get("/")
def index():
    """Every register that one may read, by the regulation that asks it, with what lapses; and one's own entries."""
    readable = [register for register in rights.readable(actor()) if rights.may_read(actor(), register)]
    found = entries.counts(session(), actor(), today())
    groups = [
        (names[not in_chinese()], [(register, found.get(register.key, Counts())) for register in readable if register.read_by == key])
        for key, names in REGULATIONS.items()
    ]
    return render_template(
        "registers/index.html",
        groups=[group for group in groups if group[1]],
        days=entries.SOON,
        lapsing=[sum(getattr(each, f"within_{days}") for each in found.values()) for days in entries.SOON],
        lapsed=sum(each.lapsed for each in found.values()),
        **_mine(),
    )


@pages.get("/mine")
def mine():
    """One's own entries, and what one declares about oneself."""
    return render_template("registers/mine.html", **_mine())


@pages.get("/entries")
def all_entries():
    """Entries of all registers: those that lapse within some days, have lapsed, or are about one subject."""
    registers = [register for register in rights.readable(actor()) if rights.may_read(actor(), register)]
    wanted = _wanted()
    found, following = _lines(registers, wanted) if registers else ([], None)
    return render_template("registers/entries.html", shown=Shown(found), next=following, **_filters(wanted))


@pages.get("/vacancies")
def vacancies():
    """Posts: how many people each station should have, has, and lacks."""
    known = reference.in_force(system(), session())
    found = posts.by_station(session(), actor(), today(), lambda station: known.parameters(now(), station))
    stations: dict[str, list[posts.Posts]] = {}
    for each in found:
        stations.setdefault(each.name, []).append(each)
    return render_template("registers/vacancies.html", stations=stations, vacant=sum(each.vacant for each in found), posts=REGISTERS["posts"])


@pages.get("/<register>")
def register(register: str):
    """One register's entries at one's place, or one's own."""
    found = register_of(register)
    wanted = _wanted()
    shown, following = _lines([found], wanted)
    return render_template(
        "registers/register.html",
        register=found,
        shown=Shown(shown),
        next=following,
        writes=_writes(found),
        keeps=rights.may_write(actor(), found),
        **_filters(wanted),
    )


@pages.route("/<register>/new", methods=["GET", "POST"])
def new(register: str):
    """A new entry; `subject` in the address says about whom."""
    found = register_of(register)
    rights.require_write(actor(), found)
    if request.method == "GET":
        return _form(found, {}, subject=request.args.get("subject", ""))
    subject = request.form.get("subject", "")
    try:
        answer = command(
            commands.add, register, subject, _given(found), request.form.get("within", ""), key=request.form.get("_once") or None
        )
    except InvalidForm as refusal:
        return _form(found, submitted(found), refusal, subject), status_of(refusal)
    flash(gettext("已登记。"), "ok")
    return redirect(url_for("registers.entry", register=register, entry_id=answer["id"]))


@pages.route("/<register>/<entry_id>", methods=["GET", "POST"])
def entry(register: str, entry_id: str):
    """One entry; whoever may write it corrects it here."""
    found = register_of(register)
    line = entries.read(session(), system().vault, actor(), found, entry_id)
    if request.method == "GET":
        return _entry(line)
    try:
        command(commands.change, register, entry_id, _given(found), request.form.get("version", 0, type=int))
    except TOLD as refusal:
        line = entries.read(session(), system().vault, actor(), found, entry_id)
        return _entry(line, submitted(found), refusal), status_of(refusal)
    flash(gettext("已保存。"), "ok")
    return redirect(url_for("registers.entry", register=register, entry_id=entry_id))


@pages.post("/<register>/<entry_id>/end")
def end(register: str, entry_id: str):
    """An entry made in error, or over."""
    try:
        command(commands.end, register, entry_id, request.form.get("reason", ""))
    except TOLD as refusal:
        line = entries.read(session(), system().vault, actor(), register_of(register), entry_id)
        return _entry(line, refusal=refusal), status_of(refusal)
    flash(gettext("已注销，历史保留。"), "ok")
    return redirect(url_for("registers.register", register=register))


def _given(found: Register) -> dict:
    """What was typed; nothing for a field that only who keeps the register fills in, where it was not shown."""
    return submitted(found)


def _mine() -> dict:
    registers = [register for register in rights.readable(actor()) if register.about == PERSON]
    found, _following = entries.lines(
        session(), system().vault, actor(), registers, today(), subject_id=actor().person_id, limit=entries.PAGE
    )
    return {"own": Shown(found), "declared": [register for register in registers if register.own]}


def _wanted() -> dict:
    """The filters of a list, as its address says them. Raises InvalidRequest."""
    unit, days = places().by_key.get(request.args.get("unit", "")), request.args.get("days", entries.SOON[0], type=int)
    if days not in entries.SOON:
        raise InvalidRequest(field="days", reason="只能是 30、60 或 90")
    subject = request.args.get("subject", "")
    return {
        "state": request.args.get("state") or None,
        "unit": unit.key if unit else None,
        "days": days,
        "subject": subject if subject.isalnum() else None,
    }


def _lines(registers: list[Register], wanted: dict) -> tuple[list[Line], str | None]:
    return entries.lines(
        session(),
        system().vault,
        actor(),
        registers,
        today(),
        state=wanted["state"],
        within=places().by_key[wanted["unit"]].path if wanted["unit"] else None,
        subject_id=wanted["subject"],
        soon=wanted["days"],
        cursor=request.args.get("cursor"),
        limit=PAGE,
    )


def _filters(wanted: dict) -> dict:
    units: list[Place] = own_places(actor())
    given = {name: value for name, value in wanted.items() if value and (name != "days" or wanted["state"] == LAPSING)}
    return {"wanted": given, "states": STATES, "units": units if len(units) > 1 else [], "days": entries.SOON}


def _writes(found: Register) -> bool:
    return rights.may_write(actor(), found) or rights.may_write_own(actor(), found)


def _form(found: Register, values: dict, refusal: EngineError | None = None, subject: str = ""):
    keeps = rights.may_write(actor(), found)
    return render_template(
        "registers/new.html",
        register=found,
        keeps=keeps,
        values=values,
        subject=subject,
        subject_name=_client_name(found, subject),
        units=own_places(actor()),
        once=new_id(),
        **_people(),
        **_errors(refusal),
    )


def _entry(line: Line, values: dict | None = None, refusal: EngineError | None = None):
    found, held = line.register, line.entry
    covers = organisation.covers(actor().unit_path, held.place_path)
    keeps = rights.may_write(actor(), found) and covers
    writes = keeps or (rights.may_write_own(actor(), found) and held.subject_id == actor().person_id)
    return render_template(
        "registers/entry.html",
        line=line,
        register=found,
        shown=Shown([line]),
        keeps=keeps,
        writes=writes and held.ended_at is None,
        values=values if values is not None else as_typed(found, line.values),
        **_people(),
        **_errors(refusal),
    )


def _people() -> dict:
    """Whom fields propose: those at one's station."""
    within = "/".join(actor().unit_path.split("/")[:2])
    found = organisation.actors(session(), system().vault, actor().county_id, within, limit=PROPOSED) if "/" in within else []
    return {"people": found}


def _errors(refusal: EngineError | None) -> dict:
    errors = refusal.errors if isinstance(refusal, InvalidForm) else {}
    told = {name: translated_text(text) for name, text in errors.items()}
    return {"errors": told, "refusal": translated(refusal) if refusal else None}


def _client_name(found: Register, subject: str) -> str:
    """The name of the client that the address names, if the actor may read them."""
    if found.about != CLIENT or not subject.isalnum():
        return ""
    from engine import clients

    return clients.read(session(), system().vault, actor(), subject).name if len(subject) == 32 else ""


__all__ = ["of_subject", "pages"]
