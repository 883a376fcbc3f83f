"""Ending sessions: one's own, and everybody's of a person who leaves or gets another password."""

from engine import accounts, audit
from engine.audit import Kind
from engine.commands import SIGNED_IN, Act, command
from engine.exceptions import NotFound


@command("session:end", SIGNED_IN)
def end(act: Act, session_id: str) -> dict:
    """End one of one's own sessions. Answers {ended: 1}; raises NotFound, also for somebody else's."""
    return end_one(act, act.actor.person_id, session_id)


@command("session:end-others", SIGNED_IN)
def end_others(act: Act, keep: str) -> dict:
    """End all of one's own sessions but the one of the token `keep`. Answers {ended}."""
    return {"ended": end_all(act, act.actor.person_id, keep)}


def end_one(act: Act, person_id: str, session_id: str) -> dict:
    """What one's own and an administrator's command share."""
    if not accounts.revoke(act.session, act.now, person_id=person_id, session_id=session_id):
        raise NotFound(what="登录", key=session_id[:8])
    _note(act, person_id, 1)
    return {"ended": 1}


def end_all(act: Act, person_id: str, keep: str | None = None) -> int:
    """End all of a person's sessions but the one of the token `keep`; how many there were."""
    ended = accounts.revoke(act.session, act.now, person_id=person_id, keep=keep)
    if ended:
        _note(act, person_id, ended)
    return ended


def _note(act: Act, person_id: str, ended: int) -> None:
    act.record(audit.stream("access", person_id), Kind.SESSION_REVOKED, facts={"ended": ended})
