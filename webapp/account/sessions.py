"""Where one is signed in, and ending that: one's own sessions, and those of whom one manages."""

from flask import flash, redirect, render_template, request, url_for
from flask_babel import gettext, lazy_gettext as _l

from engine import accounts as sessions_kept
from engine.commands import accounts, sessions
from engine.exceptions import NotFound
from webapp import auth
from webapp.account.views import pages
from webapp.auth import actor, command, session
from webapp.county.people import find
from webapp.i18n import now

DEVICES = {
    "android": _l("安卓手机或平板"),
    "harmony": _l("鸿蒙手机或平板"),
    "iphone": "iPhone",
    "ipad": "iPad",
    "windows": _l("Windows 电脑"),
    "mac": _l("苹果电脑"),
    "linux": _l("Linux 电脑"),
    "program": _l("程序"),
    "other": _l("其他设备"),
}


@pages.app_template_filter("device")
def device_name(kept) -> str:
    """What a session was opened with."""
    return str(DEVICES.get("program" if kept.kind == "api" else kept.device or "other", DEVICES["other"]))


@pages.get("/account/sessions")
def sessions_own():
    """Where I am signed in."""
    found = sessions_kept.open_sessions(session(), actor().person_id, now())
    this = sessions_kept.digest(auth.request_token() or "")
    return render_template("account/sessions.html", found=found, this=this, person=None, end=url_for("account.sessions_end"))


@pages.post("/account/sessions")
def sessions_end():
    """End one of my sessions, or all but this one."""
    which = request.form.get("session", "")
    answer = command(sessions.end, which) if which else command(sessions.end_others, auth.request_token())
    _tell(answer["ended"])
    return redirect(url_for("account.sessions_own"))


@pages.get("/people/<person_id>/sessions")
def sessions_theirs(person_id: str):
    """Where somebody else is signed in."""
    person = find(person_id)
    found = accounts.sessions_of(session(), actor(), _username(person), now())
    end = url_for("account.sessions_end_theirs", person_id=person_id)
    return render_template("account/sessions.html", found=found, this=None, person=person, end=end)


@pages.post("/people/<person_id>/sessions")
def sessions_end_theirs(person_id: str):
    """End somebody's session, or all of them."""
    answer = command(accounts.end_sessions, _username(find(person_id)), request.form.get("session") or None)
    _tell(answer["ended"])
    return redirect(url_for("account.sessions_theirs", person_id=person_id))


def _username(person) -> str:
    if person.username is None:
        raise NotFound(what="账号", key=person.person_id)
    return person.username


def _tell(ended: int) -> None:
    flash(gettext("已结束 %(ended)d 处登录，立即生效。", ended=ended), "ok")
