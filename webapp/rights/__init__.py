"""Which right each route needs (`webapp/rights/table.py`), checked before every view; what the table does not name is denied.

A right is a permission of `engine.organisation` and how far it reaches. The permission is checked here; how far it reaches is the engine's
business, which reads and locks the object, and `tests/functional/test_rights.py` calls every route as everybody to see that both keep what
the table says. Whoever is refused leaves a line in their access stream, whatever way the refusal came about.
`python -m webapp.rights` writes docs/rights.md from the table and the engine's commands.
"""

import re

import structlog
from flask import redirect, request, url_for

from engine import commands
from engine.accounts import AccessToken
from engine.clients import Client
from engine.exceptions import Forbidden, NotFound, NotOffered
from engine.handovers import Handover
from engine.instances import Instance, Task
from engine.organisation import Person, Unit
from engine.registers.alerts import Alert
from engine.registers.entries import RegisterEntry
from engine.registers.outings import Outing
from engine.reruns import RerunRequest
from engine.waivers import Waiver
from webapp import auth
from webapp.errors import show_engine_error
from webapp.rights.table import RIGHTS, Reach

log = structlog.get_logger("shuibo.web")
# Parameters of addresses that name an object of the county, for telling somebody else's from what is not there.
OBJECTS = {
    "task_id": (Task,),
    "instance_id": (Instance,),
    "client_id": (Client,),
    "person_id": (Person,),
    "session_id": (AccessToken,),
    "outing_id": (Outing,),
    "alert_id": (Alert,),
    "waiver_id": (Waiver,),
    "handover_id": (Handover,),
    "entry_id": (RegisterEntry,),
    "subject_id": (Person, Unit, Client),
    "rerun_id": (RerunRequest,),
}
ID = re.compile(r"[0-9a-f]{32}|[0-9a-f]{64}")


def register(app) -> None:
    """Check the right before every view; record who is refused. Comes after the form tokens (webapp.security)."""
    app.before_request(check)
    for refusal in (Forbidden, NotOffered, NotFound):
        app.register_error_handler(refusal, refuse)


def check():
    """Let the request through, send a browser to sign in, or refuse. Raises NotSignedIn, TooManyAttempts, Forbidden."""
    if request.endpoint is None:  # no such address, which the router says next
        return None
    right = RIGHTS.get(request.endpoint)
    if right is None:
        log.error("right_undeclared", endpoint=request.endpoint)
        raise Forbidden(permission="这个地址没有登记所需的权限", unit="webapp/rights/table.py")
    if right.reach is Reach.PUBLIC:
        return None
    if auth.known_actor() is None:
        if request.method in ("GET", "HEAD") and not request.path.startswith("/api/"):
            return redirect(url_for("account.enter", next=request.full_path.rstrip("?")))
        auth.refuse()
    if right.permission is not None:
        auth.require(right.permission)
    return None


def refuse(error: Forbidden | NotOffered | NotFound):
    """Show a refusal, having recorded it, unless a command did so already. What is not there at all is no refusal."""
    actor = auth.known_actor()
    if actor is not None and not getattr(error, "recorded", False):
        object_id = _object() if isinstance(error, NotFound) else None
        if object_id or not isinstance(error, NotFound):
            facts = {"code": error.code, "method": request.method}
            facts |= {"object": object_id} if object_id else {"permission": error.facts.get("permission", "")}
            auth.command(commands.note_refusal, request.endpoint, facts)
    return show_engine_error(error)


def _sent() -> dict:
    """The JSON object of a request to the API; nothing of what cannot be read."""
    try:
        body = request.get_json(silent=True) if request.path.startswith("/api/") else None
    except RecursionError:
        return {}
    return body if isinstance(body, dict) else {}


def _object() -> str | None:
    """The id of the county's object that the address names, or what was sent (`task`, `instance`), and that this person was told nothing of."""
    named = {**request.values, **_sent()}
    for name, models in OBJECTS.items():
        wanted = str((request.view_args or {}).get(name) or named.get(name.removesuffix("_id"), ""))
        for model in models if ID.fullmatch(wanted) else ():
            found = auth.session().get(model, wanted)
            if found is not None and found.county_id == auth.system().county_id:
                return wanted
    return None
