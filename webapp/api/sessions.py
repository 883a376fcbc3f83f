"""Sessions for programs: where an account is signed in, and ending that. A revoked token opens nothing from the next request on."""

from engine import accounts as kept
from engine.commands import accounts, sessions
from webapp import auth
from webapp.api import answers, answers_working
from webapp.api.shared import KEYED, blueprint, idempotency_key, instant, page_of
from webapp.auth import actor, command, session
from webapp.i18n import now

routes = blueprint("sessions", "登录的设备 · sessions")


@routes.route("/me/sessions", methods=["GET"])
@routes.response(200, answers.page(answers_working.Session, "OwnSessions"))
def own():
    """One's own open sessions, the newest first; `current` is the one of this request."""
    return page_of([_session(each) for each in kept.open_sessions(session(), actor().person_id, now())], None)


@routes.route("/me/sessions", methods=["DELETE"])
@routes.doc(**KEYED)
@routes.response(200, answers_working.Ended)
def end_others():
    """End all of one's own sessions but this one."""
    return command(sessions.end_others, auth.request_token(), key=idempotency_key())


@routes.route("/me/sessions/<session_id>", methods=["DELETE"])
@routes.doc(**KEYED)
@routes.response(200, answers_working.Ended)
def end(session_id: str):
    """End one of one's own sessions."""
    return command(sessions.end, session_id, key=idempotency_key())


@routes.route("/accounts/<username>/sessions", methods=["GET"])
@routes.response(200, answers.page(answers_working.Session, "TheirSessions"))
def theirs(username: str):
    """Somebody's open sessions, for whoever manages their account."""
    return page_of([_session(each) for each in accounts.sessions_of(session(), actor(), username, now())], None)


@routes.route("/accounts/<username>/sessions", methods=["DELETE"])
@routes.doc(**KEYED)
@routes.response(200, answers_working.Ended)
def end_all_theirs(username: str):
    """End all of somebody's sessions."""
    return command(accounts.end_sessions, username, key=idempotency_key())


@routes.route("/accounts/<username>/sessions/<session_id>", methods=["DELETE"])
@routes.doc(**KEYED)
@routes.response(200, answers_working.Ended)
def end_theirs(username: str, session_id: str):
    """End one of somebody's sessions."""
    return command(accounts.end_sessions, username, session_id, key=idempotency_key())


def _session(each) -> dict:
    return {
        "id": each.id,
        "kind": each.kind,
        "device": each.device,
        "created_at": instant(each.created_at),
        "used_at": instant(each.used_at or each.created_at),
        "expires_at": instant(each.expires_at),
        "current": each.id == kept.digest(auth.request_token() or ""),
    }
