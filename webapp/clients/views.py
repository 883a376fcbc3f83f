"""Finding, opening, registering and correcting clients. Opening one leaves a line in the viewer's access stream."""

from collections import defaultdict

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask_babel import gettext, lazy_gettext as _l

from engine import clients, instances
from engine.commands import clients as commands
from engine.db import new_id
from engine.exceptions import EngineError, InvalidForm, InvalidRequest, NotFound, RegulationRefused, StaleVersion
from webapp.auth import actor, command, require, session, system
from webapp.cases.views import procedure_names
from webapp.errors import status_of, translated_text, verdict
from webapp.i18n import now, translated
from webapp.places import own_places

pages = Blueprint("clients", __name__, template_folder="templates", url_prefix="/clients")
PAGE = 30
CATEGORIES = {
    "extreme_poverty": _l("特困"),
    "minimum_living": _l("低保"),
    "orphan": _l("孤困"),
    "left_behind": _l("留守"),
    "disabled_elder": _l("失能"),
    "dementia": _l("失智"),
    "veteran": _l("复员军人"),
    "disability": _l("残疾"),
    "petition": _l("信访"),
}
GENDERS = {"male": _l("男"), "female": _l("女")}
PLAIN = ("name", "birth_date", "gender", "id_number", "phone", "address")


@pages.app_template_filter("category")
def category(code: str) -> str:
    """A kind of client in the reader's language."""
    return str(CATEGORIES.get(code, code))


@pages.get("/")
def index():
    """Search by characters, pinyin, initials or a whole number, with whom the found live together; without text all of one's place."""
    text = request.args.get("q", "").strip()
    found, following = clients.search(session(), system().vault, actor(), text, request.args.get("cursor"), PAGE)
    together = defaultdict(list)
    households = {record.household_id for record in found} - {None}
    for member in clients.household_members(session(), system().vault, actor(), *households) if text and households else ():
        together[member.household_id].append(member)
    return render_template("clients/index.html", q=text, found=found, together=together, next=following, today=_today())


@pages.get("/<client_id>")
def client(client_id: str):
    """One person, with household and cases. Where the regulations want to know why, a form asks."""
    try:
        command(commands.view, client_id)
    except RegulationRefused as refusal:
        return _reason_wanted(client_id, refusal)
    return _client(client_id)


@pages.post("/<client_id>/open")
def open_with_reason(client_id: str):
    """The same for a reason, which goes into the viewer's access stream."""
    try:
        command(commands.view, client_id, request.form.get("reason", "").strip())
    except RegulationRefused as refusal:
        return _reason_wanted(client_id, refusal)
    return _client(client_id)


@pages.route("/emergency", methods=["GET", "POST"])
def emergency():
    """Break-glass: a client of another place, by whole name or number and for a reason; the supervisor reviews it."""
    require("client:read")
    if request.method == "GET":
        return _emergency()
    try:
        found = clients.find_anywhere(session(), system().vault, actor(), request.form.get("who", ""))
        command(commands.view, found, request.form.get("reason", "").strip(), True)
    except (RegulationRefused, InvalidRequest, NotFound) as refusal:
        return _emergency(refusal)
    return _client(found, emergency=True)


def _reason_wanted(client_id: str, refusal: RegulationRefused):
    shown = [verdict(each) for each in refusal.verdicts]
    return render_template("clients/reason.html", client_id=client_id, verdicts=shown), status_of(refusal)


def _emergency(refusal: EngineError | None = None):
    shown = [verdict(each) for each in getattr(refusal, "verdicts", ())]
    return render_template("clients/emergency.html", refusal=refusal, verdicts=shown), status_of(refusal) if refusal else 200


def _client(client_id: str, emergency: bool = False):
    record = clients.read(session(), system().vault, actor(), client_id, emergency=emergency)
    household = clients.household_members(session(), system().vault, actor(), record.household_id) if record.household_id else []
    found, _following = instances.cases(session(), actor(), client_id=client_id, limit=50)
    return render_template(
        "clients/client.html",
        record=record,
        age=record.age(_today()),
        household=[member for member in household if member.id != client_id],
        cases=found,
        procedures=procedure_names(),
        genders=GENDERS,
        today=_today(),
    )


@pages.route("/new", methods=["GET", "POST"])
def register():
    """A new client; with `household` a member of one that exists."""
    household = request.values.get("household") or None
    if request.method == "POST":
        try:
            answer = command(
                commands.register, _submitted(), request.form.get("place", ""), household, key=request.form.get("_once") or None
            )
            flash(gettext("已登记。"), "ok")
            return redirect(url_for("clients.client", client_id=answer["id"]))
        except EngineError as refusal:
            return _form(None, _submitted(), refusal, household), status_of(refusal)
    return _form(None, {}, None, household)


@pages.route("/<client_id>/edit", methods=["GET", "POST"])
def edit(client_id: str):
    """Correct what is known of a client."""
    record = clients.read(session(), system().vault, actor(), client_id)
    if request.method == "POST":
        given = _submitted()
        changes = {name: given.get(name) for name in (*PLAIN, "categories")}
        try:
            command(commands.update, client_id, changes, request.form.get("version", 0, type=int))
            flash(gettext("已保存。"), "ok")
            return redirect(url_for("clients.client", client_id=client_id))
        except (InvalidForm, StaleVersion) as refusal:
            return _form(record, given, refusal), status_of(refusal)
    return _form(record, record.as_dict(), None)


def _form(record, values: dict, refusal: EngineError | None, household: str | None = None):
    errors = {name: translated_text(text) for name, text in refusal.errors.items()} if isinstance(refusal, InvalidForm) else {}
    return render_template(
        "clients/form.html",
        record=record,
        values=values,
        errors=errors,
        refusal=translated(refusal) if refusal else None,
        rooms=[place for place in own_places(actor()) if place.kind == "room"],
        household=household,
        place=request.values.get("place") or actor().unit_key,
        categories=CATEGORIES,
        genders=GENDERS,
        once=new_id(),
    )


def _submitted() -> dict:
    """What the form says, empty fields left out."""
    found = {name: request.form.get(name, "").strip() for name in PLAIN}
    found = {name: text for name, text in found.items() if text}
    if kinds := request.form.getlist("categories"):
        found["categories"] = kinds
    return found


def _today():
    return now().astimezone(system().zone).date()
