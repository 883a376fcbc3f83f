"""Signing in and out, the password, the language; and what was typed when the session, or the page's form token, had ended meanwhile."""

import json
from urllib.parse import urlsplit

from flask import Blueprint, flash, make_response, redirect, render_template, request, session as kept_by_browser, url_for
from flask_babel import gettext
from flask_wtf.csrf import CSRFError

from engine import untrusted
from engine.commands import accounts
from engine.exceptions import InvalidRequest, NotSignedIn, TooManyAttempts, WrongCredentials
from webapp import auth, i18n
from webapp.errors import show_engine_error, show_http_error, status_of, translated_text
from webapp.i18n import now, translated

pages = Blueprint("account", __name__, template_folder="templates")
YEAR = 365 * 24 * 3600
SECRET = {"old", "new", "password"}  # fields that are typed anew rather than carried along


@pages.get("/login")
def enter():
    """The sign-in page."""
    if auth.known_actor() is not None:
        return redirect(auth.local_address(request.args.get("next")) or url_for("county.home"))
    return _door()


@pages.post("/login")
def check():
    """Sign in; a wrong password shows the page again with the reason."""
    try:
        opened = _sign_in()
    except (WrongCredentials, TooManyAttempts) as refusal:
        message, hint = translated(refusal)
        return _door(_username(), message, hint), status_of(refusal)
    response = make_response(redirect(auth.local_address(request.form.get("next")) or url_for("county.start")))
    return _signed_in(response, opened["token"])


@pages.app_errorhandler(NotSignedIn)
def signed_out(error: NotSignedIn):
    """A form that came after the session had ended: sign in on the spot, and nothing that was typed is lost."""
    if not _can_be_kept():
        return show_engine_error(error)
    return _again(request.full_path.rstrip("?"), _packed()), 401


@pages.app_errorhandler(CSRFError)
def token_expired(error: CSRFError):
    """A form whose token has run out, as of a page left open overnight: nothing that was typed is lost either.

    Only for a page of ours: another site's form must not be made to look like one's own.
    """
    told = gettext("页面打开得太久，请再提交一次。")
    if request.endpoint == "account.check":
        return _door(_username(), gettext("页面打开得太久，请再登录一次。")), 400
    if request.endpoint == "account.check_again":
        return _again(auth.local_address(request.form.get("address")) or "/", request.form.get("carried", ""), told), 400
    if not _can_be_kept() or not _from_here():
        return show_http_error(error)
    address = request.full_path.rstrip("?")
    if auth.known_actor() is None:
        return _again(address, _packed()), 401
    return _resume(address, _packed(), told), 400


@pages.post("/login/again")
def check_again():
    """Sign in with a form in hand; then it can be sent."""
    address = auth.local_address(request.form.get("address"))
    carried = request.form.get("carried", "")
    if address is None or _unpacked(carried) is None:
        return redirect(url_for("account.enter"))
    try:
        opened = _sign_in()
    except (WrongCredentials, TooManyAttempts) as refusal:
        return _again(address, carried, *translated(refusal)), status_of(refusal)
    response = make_response(_resume(address, carried))
    return _signed_in(response, opened["token"])


@pages.post("/logout")
def leave():
    """Sign out: the server forgets the session, the browser the cookie."""
    token = auth.request_token()
    if token and auth.known_actor() is not None:
        auth.command(accounts.sign_out, token)
    response = make_response(redirect(url_for("account.enter")))
    auth.drop_cookie(response)
    kept_by_browser.clear()  # whoever uses this browser next has form tokens of their own
    return response


@pages.route("/account", methods=["GET", "POST"])
def password():
    """Change one's own password; all other sessions end."""
    errors = {}
    if request.method == "POST":
        try:
            old, new = request.form.get("old", ""), request.form.get("new", "")
            auth.command(
                accounts.change_password, old, new, address=request.remote_addr or "", keep=auth.request_token()
            )
            flash(gettext("密码已修改，其他设备上的登录已全部退出。"), "ok")
            return redirect(url_for("account.password"))
        except WrongCredentials:
            errors["old"] = gettext("现在的密码不正确。")
        except InvalidRequest as refusal:
            errors["new"] = translated_text(str(refusal.facts.get("reason", "")))
    return render_template("account/password.html", errors=errors), 422 if errors else 200


@pages.get("/language/<any(zh, en):code>")
def language(code: str):
    """Choose the language and go back to where one was."""
    response = make_response(redirect(auth.local_address(request.args.get("next")) or "/"))
    response.set_cookie(i18n.COOKIE, code, max_age=YEAR, samesite="Lax", secure=request.is_secure, httponly=True)
    return response


def _username() -> str:
    return request.form.get("username", "").strip()


def _sign_in() -> dict:
    password = request.form.get("password", "")
    return accounts.sign_in(auth.system(), _username(), password, address=request.remote_addr or "", now=now(), device=auth.device())


def _signed_in(response, token: str):
    """Give the browser its new session; the one it came with ends."""
    old = auth.request_token()
    if old and auth.known_actor() is not None:
        auth.command(accounts.sign_out, old)
    auth.set_cookie(response, token)
    return response


def _can_be_kept() -> bool:
    return not request.path.startswith("/api/") and request.method == "POST" and not SECRET & request.form.keys()


def _from_here() -> bool:
    """Whether a page of ours sent this form: browsers say so themselves."""
    said = request.headers.get("Origin") or request.headers.get("Referer") or ""
    return urlsplit(said).netloc == request.host


def _packed() -> str:
    """What the form holds, as text. Files are named only: no page can put them back into a form, the person chooses them again."""
    fields = [(name, value) for name, value in request.form.items(multi=True) if name != "csrf_token"]
    files = [(name, [each.filename for each in request.files.getlist(name) if each.filename]) for name in request.files]
    return json.dumps({"fields": fields, "files": files})


def _unpacked(carried: str) -> tuple[list[tuple[str, str]], list[tuple[str, str]]] | None:
    """(fields, files) of what `_packed` made, each with its name; None for what it did not make."""
    try:
        held = untrusted.read_json(carried.encode(), deepest=5)
        fields = [(str(name), str(value)) for name, value in held["fields"]]
        return fields, [(str(name), "、".join(map(str, chosen))) for name, chosen in held["files"]]
    except (untrusted.Refused, ValueError, TypeError, KeyError):
        return None


def _resume(address: str, carried: str, message: str = "") -> str:
    fields, files = _unpacked(carried)
    return render_template("account/resume.html", address=address, fields=fields, files=files, message=message)


def _again(address: str, carried: str, message: str = "", hint: str = ""):
    return render_template(
        "account/again.html", address=address, carried=carried, username=_username() if message else "", message=message, hint=hint
    )


def _door(username: str = "", message: str = "", hint: str = ""):
    where = request.values.get("next", "")
    return render_template(
        "account/login.html", username=username, message=message, hint=hint, next=auth.local_address(where) or ""
    )
