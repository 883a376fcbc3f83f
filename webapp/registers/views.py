"""The registers' pages, all made from what engine.registers declares."""

from collections import defaultdict

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask_babel import gettext

from engine import organisation, reference
from engine.commands import registers as commands
from engine.db import new_id
from engine.exceptions import EngineError, EntryEnded, InvalidForm, InvalidRequest, NotFound, StaleVersion
from engine.registers import entries, posts, rights, subjects
from engine.registers.catalogue import REGISTERS, REGULATIONS, register_of
from engine.registers.declaring import PERSON, Register
from engine.registers.entries import LAPSING, Counts, Line
from engine.registers.told import Wrong
from webapp.auth import actor, command, session, system
from webapp.errors import status_of, translated_text
from webapp.i18n import in_chinese, now, translated
from webapp.places import own_places, places
from webapp.registers.showing import STATES, Shown, as_typed, submitted, today

pages = Blueprint("registers", __name__, template_folder="templates", url_prefix="/registers")
PAGE = 50
PROPOSED = 200  # people whom a field proposes
TOLD = (InvalidForm, StaleVersion, EntryEnded)  # on the page of the entry itself


@pages.get("/")
def index():
    """Every register that one may read, by the regulation that asks it, with what lapses; and one's own entries."""
    found = entries.counts(session(), actor(), today())
    groups = [
        (names[not in_chinese()], [(register, found.get(register.key, Counts())) for register in _readable() if register.read_by == key])
        for key, names in REGULATIONS.items()
    ]
    return render_template(
        "registers/index.html",
        groups=[group for group in groups if group[1]],
        lapsing=[(days, sum(getattr(each, f"within_{days}") for each in found.values())) for days in entries.SOON],
        lapsed=sum(each.lapsed for each in found.values()),
        **_mine(),
    )


@pages.get("/mine")
def mine():
    """One's own entries, and what one declares about oneself."""
    return render_template("registers/mine.html", **_mine())


@pages.get("/entries")
def all_entries():
    """What lapses within some days or has lapsed, of all registers."""
    wanted, registers = _wanted({"state": LAPSING}), _readable()
    found, following = _lines(registers, wanted) if registers else ([], None)
    return render_template("registers/entries.html", shown=Shown(found), next=following, **_filters(wanted))


@pages.get("/of/<any(person, unit, client):about>/<subject_id>")
def subject(about: str, subject_id: str):
    """All that is kept about one person, unit or client."""
    place = subjects.place_of(session(), subject_id)
    own = about == PERSON and subject_id == actor().person_id
    registers = [each for each in REGISTERS.values() if each.about == about and (own or rights.may_read(actor(), each))]
    if place is None or not registers or not (own or organisation.covers(actor().unit_path, place)):
        raise NotFound(what="登记", key=subject_id)
    found, following = _lines(registers, _wanted({}) | {"subject": subject_id})
    by_register = defaultdict(list)
    for line in found:
        by_register[line.register.key].append(line)
    return render_template(
        "registers/subject.html",
        about=about,
        subject_id=subject_id,
        name=subjects.names(session(), system().vault, [subject_id]).get(subject_id) or gettext("资料已清除"),
        place=place,
        groups=[(each, Shown(by_register[each.key])) for each in registers],
        writes={each.key for each in registers if rights.may_write(actor(), each) or (own and rights.may_write_own(actor(), each))},
        next=following,
    )


@pages.get("/vacancies")
def vacancies():
    """Posts: how many people each station should have, has, and lacks."""
    known = reference.in_force(system(), session())
    found = posts.by_station(session(), actor(), today(), lambda station: known.parameters(now(), station))
    stations: dict[str, list[posts.Posts]] = defaultdict(list)
    for each in found:
        stations[each.name].append(each)
    return render_template(
        "registers/vacancies.html",
        stations=stations,
        totals=posts.totals(found),
        vacant=sum(each.vacant for each in found),
        writes=rights.may_write(actor(), REGISTERS["posts"]),
    )


@pages.get("/<register>")
def register(register: str):
    """One register's entries at one's place, or one's own."""
    found = register_of(register)
    wanted, problem = _searched(found, _wanted({}))
    shown, following = _lines([found], wanted) if problem is None else ([], None)
    return render_template(
        "registers/register.html",
        register=found,
        shown=Shown(shown),
        next=following,
        problem=problem,
        writes=rights.may_write(actor(), found) or rights.may_write_own(actor(), found),
        keeps=rights.may_write(actor(), found),
        reads=rights.may_read(actor(), found),
        **_filters(wanted),
    )


@pages.route("/<register>/new", methods=["GET", "POST"])
def new(register: str):
    """A new entry; `whom` in the address says about whom."""
    found = register_of(register)
    rights.require_write(actor(), found)
    if request.method == "GET":
        return _form(found, {}, whom=request.args.get("whom", ""))
    whom, within = request.form.get("whom", ""), request.form.get("within", "")
    try:
        answer = command(commands.add, register, whom, submitted(found), within, key=request.form.get("_once") or None)
    except InvalidForm as refusal:
        return _form(found, submitted(found), refusal, whom), status_of(refusal)
    flash(gettext("已登记。"), "ok")
    return redirect(url_for("registers.entry", register=register, entry_id=answer["id"]))


@pages.get("/<register>/<entry_id>")
def entry(register: str, entry_id: str):
    """One entry, with the form that corrects it for whoever may write it."""
    return _entry(_read(register, entry_id))


@pages.post("/<register>/<entry_id>")
def change(register: str, entry_id: str):
    """Correct an entry."""
    found = register_of(register)
    try:
        command(commands.change, register, entry_id, submitted(found), request.form.get("version", 0, type=int))
    except TOLD as refusal:
        return _entry(_read(register, entry_id), submitted(found), refusal), status_of(refusal)
    flash(gettext("已保存。"), "ok")
    return redirect(url_for("registers.entry", register=register, entry_id=entry_id))


@pages.post("/<register>/<entry_id>/end")
def end(register: str, entry_id: str):
    """An entry made in error, or over."""
    try:
        command(commands.end, register, entry_id, request.form.get("reason", ""))
    except TOLD as refusal:
        return _entry(_read(register, entry_id), refusal=refusal, ending=True), status_of(refusal)
    flash(gettext("已注销，历史保留。"), "ok")
    return redirect(url_for("registers.register", register=register))


def _read(register: str, entry_id: str) -> Line:
    return entries.read(session(), system().vault, actor(), register_of(register), entry_id)


def _readable() -> list[Register]:
    return [register for register in rights.readable(actor()) if rights.may_read(actor(), register)]


def _mine() -> dict:
    """One's own entries, and the registers in which one writes about oneself."""
    registers = [register for register in rights.readable(actor()) if register.about == PERSON]
    found, _following = entries.lines(
        session(), system().vault, actor(), registers, today(), subject_id=actor().person_id, limit=entries.PAGE
    )
    return {"own": Shown(found), "declared": [register for register in registers if register.own]}


def _wanted(default: dict) -> dict:
    """The filters of a list, as its address says them. Raises InvalidRequest."""
    unit, days = places().by_key.get(request.args.get("unit", "")), request.args.get("days", entries.SOON[0], type=int)
    if days not in entries.SOON:
        raise InvalidRequest(field="days", reason="只能是 30、60 或 90")
    return {
        "state": request.args.get("state") or default.get("state"),
        "unit": unit.key if unit else None,
        "days": days,
        "q": request.args.get("q", "").strip()[:100],
        "subject": None,
    }


def _searched(found: Register, wanted: dict) -> tuple[dict, str | None]:
    """The filters with the one whom the search names, or what is wrong with it."""
    if not wanted["q"]:
        return wanted, None
    try:
        named = subjects.Finder(session(), system().vault, actor(), today()).subject(found, wanted["q"], wanted["unit"] or "")
    except Wrong as wrong:
        return wanted, wrong.told if in_chinese() else wrong.told.english
    return wanted | {"subject": named.id}, None


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
    units = [place for place in own_places(actor()) if place.kind != "room"]
    kept = {name: value for name, value in wanted.items() if value and name != "subject" and (name != "days" or wanted["state"] == LAPSING)}
    return {"wanted": kept, "states": STATES, "units": units if len(units) > 1 else [], "days": entries.SOON}


def _form(found: Register, values: dict, refusal: EngineError | None = None, whom: str = ""):
    keeps = rights.may_write(actor(), found)
    return render_template(
        "registers/new.html",
        register=found,
        keeps=keeps,
        values=values,
        whom=whom,
        whom_name=subjects.names(session(), system().vault, [whom]).get(whom) if _is_mine(found, whom) else None,
        units=own_places(actor()),
        within=request.form.get("within", ""),
        once=new_id(),
        **_people(found),
        **_errors(refusal),
    )


def _is_mine(found: Register, subject_id: str) -> bool:
    """Whether an address names one, by id, whom the actor looks after."""
    place = subjects.place_of(session(), subject_id) if len(subject_id) == 32 else None
    return place is not None and rights.may_write(actor(), found) and organisation.covers(actor().unit_path, place)


def _entry(line: Line, values: dict | None = None, refusal: EngineError | None = None, ending: bool = False):
    """`ending`: what was refused was the end of the entry, not a correction."""
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
        ending=ending,
        values=values if values is not None else as_typed(found, line.values),
        **_people(found),
        **_errors(refusal),
    )


def _people(found: Register) -> dict:
    """Whom fields propose: those at one's station."""
    asked = found.about == PERSON or any(field.type == PERSON for field in found.fields)
    within = "/".join(actor().unit_path.split("/")[:2])
    known = organisation.actors(session(), system().vault, actor().county_id, within, limit=PROPOSED) if asked and "/" in within else []
    return {"people": known}


def _errors(refusal: EngineError | None) -> dict:
    errors = refusal.errors if isinstance(refusal, InvalidForm) else {}
    return {"errors": {name: translated_text(text) for name, text in errors.items()}, "refusal": translated(refusal) if refusal else None}


