"""Who is asking, and the way from a request to the engine: one read session a request, commands outside it.

People carry a cookie, programs a bearer token; both are tokens that the server keeps and can revoke (engine.accounts).
Pages never look at `Authorization`, the API never at cookies, so that no other site can make a browser use the API.
"""

from contextlib import ExitStack
from urllib.parse import urlsplit

import structlog
from flask import current_app, g, request
from sqlalchemy.orm import Session

from engine import permissions
from engine.accounts import session_use
from engine.commands import accounts
from engine.exceptions import EngineError, NotSignedIn
from engine.organisation import Actor
from engine.system import System
from webapp.i18n import now
from webapp.security import cookie_name

log = structlog.get_logger("shuibo.web")
COOKIE = "session"
HOURS = 12


def register(app) -> None:
    """Templates know the actor; a request's session ends with it."""
    app.teardown_request(lambda _error: close_session())
    app.context_processor(lambda: {"actor": known_actor()})
    app.jinja_env.globals["may"] = lambda permission: bool(known_actor() and permissions.may(known_actor(), permission))


def system() -> System:
    """What this process has once."""
    return current_app.extensions["system"]


def session() -> Session:
    """This request's read session: one consistent view of the database, opened when first asked for."""
    if "session" not in g:
        g.session_stack = ExitStack()
        g.session = g.session_stack.enter_context(system().database.read())
    return g.session


def close_session() -> None:
    """End the request's view; the next question opens a new one, which sees what was written meanwhile."""
    stack = g.pop("session_stack", None)
    g.pop("session", None)
    if stack is not None:
        stack.close()


def command(function, *arguments, **options):
    """Carry out a command of the engine as this request's actor, now. The read session is closed first."""
    who = actor()
    close_session()
    return function(system(), who, *arguments, now=now(), **options)


def actor() -> Actor:
    """Who asks. Raises NotSignedIn."""
    found = known_actor()
    if found is None:
        raise NotSignedIn()
    return found


def known_actor() -> Actor | None:
    """Who asks, or nobody. Asked of the database once a request."""
    held = g._get_current_object()  # the proxy would look it up at each attribute
    if "actor" not in held:
        held.actor = None  # should the question fail, the page that says so asks it again
        held.actor = _signed_in(request_token())
    return held.actor


def _signed_in(token: str | None) -> Actor | None:
    if not token:
        return None
    installation, moment = system(), now()
    try:
        with installation.database.glance() as connection:
            found, stale = session_use(connection, installation.vault, token, moment)
    except NotSignedIn:
        return None
    if stale:
        try:
            accounts.note_use(installation, token, now=moment)
        except EngineError as error:  # a full disk stops nobody from reading
            log.warning("use_not_noted", code=error.code)
    return found


def request_token() -> str | None:
    """The token this request carries: a bearer token under /api, else the cookie."""
    asked = request._get_current_object()
    if asked.path.startswith("/api/"):
        # Read here: werkzeug's parser fails on a header of another scheme that is not even ASCII.
        scheme, _, token = asked.headers.get("Authorization", "").partition(" ")
        return token.strip() or None if scheme.lower() == "bearer" else None
    return asked.cookies.get(cookie_name(COOKIE))


def refuse() -> None:
    """Nobody known asks for what needs somebody. Raises NotSignedIn; TooManyAttempts where tokens are being tried."""
    token = request_token()
    if token and request.path.startswith("/api/"):
        accounts.refuse_token(system(), token, now=now(), address=request.remote_addr or "")
    raise NotSignedIn()


DEVICES = {  # part of a User-Agent → kind of device; the first that fits
    "iPad": "ipad",
    "iPhone": "iphone",
    "HarmonyOS": "harmony",
    "Android": "android",
    "Windows": "windows",
    "Macintosh": "mac",
    "Linux": "linux",
}


def device() -> str:
    """The kind of device this request comes from, so that people know their sessions apart; nothing more of it is kept."""
    agent = request.headers.get("User-Agent", "")
    return next((kind for part, kind in DEVICES.items() if part in agent), "other")


def require(permission: str) -> None:
    """Raises Forbidden unless the actor has this permission."""
    permissions.require(actor(), permission)


def set_cookie(response, token: str) -> None:
    """Sign this browser in."""
    response.set_cookie(
        cookie_name(COOKIE), token, max_age=HOURS * 3600, httponly=True, samesite="Lax", secure=request.is_secure, path="/"
    )


def drop_cookie(response) -> None:
    """Sign this browser out."""
    response.delete_cookie(cookie_name(COOKIE), httponly=True, samesite="Lax", secure=request.is_secure, path="/")


def local_address(address: str | None) -> str | None:
    """The address if it lies on this site, else nothing: a sign-in page must not send people elsewhere."""
    if not address or not address.startswith("/") or address.startswith("//") or "\\" in address:
        return None
    parts = urlsplit(address)
    return address if not parts.netloc and not parts.scheme and all(ord(letter) >= 32 for letter in address) else None
