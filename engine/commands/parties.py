"""Erasing one party of a case while the case and the other parties stay."""

from sqlalchemy import select

from engine.audit import Kind
from engine.commands import Act, command
from engine.commands.locking import lock_instance
from engine.exceptions import Erased, InvalidRequest, NotFound
from engine.organisation import covers
from engine.parties import subject
from engine.vault import SubjectKey


@command("party:erase", "client:erase")
def erase(act: Act, instance_id: str, party: str, reason: str) -> dict:
    """Destroy the key of one party (个人信息保护法 47): what the case's state, tasks and events hold of that person stays unreadable.

    The case goes on; where it shows the party it reads `engine.parties.ERASED`. Answers {id, party}. Raises NotFound, InvalidRequest,
    Forbidden, and Erased when already done.
    """
    if not reason.strip():
        raise InvalidRequest(field="reason", reason="请写明清除的依据")
    run = lock_instance(act, instance_id)
    if not covers(act.actor.unit_path, run.instance.place_path):
        raise NotFound(what="个案", key=instance_id)
    stream = subject(instance_id, party)
    key = act.session.scalar(select(SubjectKey).where(SubjectKey.subject == stream).with_for_update())
    if key is None:
        raise InvalidRequest(field="party", reason="这个个案没有这名当事人")
    if key.destroyed_at is not None:
        raise Erased()
    act.system.vault.destroy(key, act.now)
    act.record(stream, Kind.PARTY_ERASED, facts={"instance": instance_id})
    run.record(Kind.INSTANCE_PARTY_ERASED, {"party": party}, {"reason": reason.strip()})
    return {"id": instance_id, "party": party}
