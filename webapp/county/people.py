"""People and their accounts: who works where, opening, closing and changing accounts, new passwords."""

import secrets

from flask import flash, redirect, render_template, request, url_for
from flask_babel import gettext

from engine import organisation, permissions, tasks
from engine.commands import accounts as commands, organisation as changes
from engine.db import new_id
from engine.exceptions import InvalidRequest, NotFound
from engine.organisation import PARTNERS, ROLES, WORKFORCE, Staff
from webapp.auth import actor, command, session, system
from webapp.county.views import pages
from webapp.errors import translated_text
from webapp.places import own_places, places

LIMIT = 300


@pages.get("/people")
def people():
    """Search among those who work with the stations. Who manages accounts finds closed ones too, and people without one."""
    text = request.args.get("q", "").strip()
    manages = permissions.may(actor(), "account:manage")
    station = places().by_key.get(request.args.get("unit", ""))
    if station is None and manages and actor().station_id:
        station = places().by_id[actor().station_id]
    within = station.path if station else "county"
    look = organisation.staff if manages and organisation.covers(actor().unit_path, within) else organisation.actors
    found = look(session(), system().vault, system().county_id, within, text, limit=LIMIT) if text or station else []
    return render_template(
        "county/people.html", q=text, unit=station, found=found, stations=places().stations(), limit=LIMIT, manages=manages
    )


@pages.route("/people/new", methods=["GET", "POST"])
def people_new():
    """Somebody new; the account comes next, on their own page."""
    errors = {}
    if request.method == "POST":
        given = {name: request.form.get(name, "").strip() or None for name in ("name", "unit", "workforce", "partner")}
        partner = given["partner"] if given["workforce"] == "partner" else None
        words = given["name"] or "", given["unit"] or "", given["workforce"], partner
        try:
            answer = command(changes.add_person, *words, key=request.form.get("_once") or None)
            flash(gettext("已登记。现在可以开通账号。"), "ok")
            return redirect(url_for("county.people_person", person_id=answer["id"]))
        except InvalidRequest as refusal:
            errors = _told(refusal)
    page = render_template(
        "county/new_person.html",
        errors=errors,
        given=request.form,
        units=own_places(actor()),
        workforce=WORKFORCE,
        partners=PARTNERS,
        once=new_id(),
    )
    return page, 422 if errors else 200


@pages.get("/people/<person_id>")
def people_person(person_id: str):
    """One person and their account."""
    return _page(person_id)


@pages.post("/people/<person_id>/account")
def people_account(person_id: str):
    """Open an account."""
    form = request.form
    return _changed(
        person_id,
        gettext("账号已开通，请当面告知用户名和密码。"),
        commands.create_account,
        person_id,
        form.get("username", "").strip(),
        form.get("password", ""),
        form.getlist("roles"),
    )


@pages.post("/people/<person_id>/password")
def people_password(person_id: str):
    """Give a new password; the person is signed out everywhere."""
    return _changed(
        person_id, gettext("密码已重设，请当面告知。"), commands.reset_password, _username(person_id), request.form.get("password", "")
    )


@pages.post("/people/<person_id>/roles")
def people_roles(person_id: str):
    """Other roles."""
    return _changed(
        person_id, gettext("角色已修改。"), commands.change_account, _username(person_id), roles=request.form.getlist("roles")
    )


@pages.post("/people/<person_id>/closed")
def people_closed(person_id: str):
    """Close the account, or open it again."""
    closed = request.form.get("closed") == "1"
    told = gettext("账号已停用，已登录的设备全部退出。") if closed else gettext("账号已重新启用。")
    return _changed(person_id, told, commands.change_account, _username(person_id), active=not closed)


def _changed(person_id: str, told: str, function, *arguments, **options):
    try:
        command(function, *arguments, **options)
    except InvalidRequest as refusal:
        return _page(person_id, _told(refusal)), 422
    flash(told, "ok")
    return redirect(url_for("county.people_person", person_id=person_id))


def _page(person_id: str, errors: dict | None = None):
    found = find(person_id)
    return render_template(
        "county/person.html",
        person=found,
        manageable=found.person_id != actor().person_id and ("admin" in actor().roles or found.roles <= commands.LEAD_ROLES),
        roles=[role for role in ROLES if "admin" in actor().roles or role in commands.LEAD_ROLES],
        gives_roles="admin" in actor().roles,
        chosen=set(request.form.getlist("roles")) or found.roles or {"worker"},
        given=request.form,
        errors=errors or {},
        held=tasks.held(session(), person_id),
        proposal="-".join("".join(secrets.choice("abcdefghjkmnpqrstuvwxyz23456789") for _ in range(4)) for _ in range(3)),
    )


def find(person_id: str) -> Staff:
    """Somebody whose account the actor may manage, by place. Raises NotFound, Forbidden."""
    found = organisation.staff(session(), system().vault, system().county_id, "county", person_id=person_id)
    if not found:
        raise NotFound(what="人员", key=person_id)
    permissions.require(actor(), "account:manage", found[0].unit_path)
    return found[0]


def _username(person_id: str) -> str:
    username = find(person_id).username
    if username is None:
        raise NotFound(what="账号", key=person_id)
    return username


def _told(refusal: InvalidRequest) -> dict[str, str]:
    return {str(refusal.facts.get("field", "")): translated_text(str(refusal.facts.get("reason", "")))}
