"""Dealing with alerts: whoever has to act writes down what was done."""

from engine.audit import Kind
from engine.commands import Act, command
from engine.exceptions import AlertClosed, InvalidForm
from engine.registers import alerts

LONGEST_NOTE = 1000


@command("alert:acknowledge", "alert:acknowledge")
def acknowledge(act: Act, alert_id: str, note: str) -> dict:
    """Take an alert off the page, with what was done about it. Answers {id}.

    Raises NotFound, AlertClosed when somebody else was first, InvalidForm without a note, Forbidden.
    """
    alert, key = alerts.locked(act.session, act.actor, alert_id)
    note = note.strip()
    if not 1 <= len(note) <= LONGEST_NOTE:
        raise InvalidForm({"note": "请写明采取了什么措施，不超过 1000 个字"})
    if alert.acknowledged_at is not None:
        raise AlertClosed()
    alert.acknowledged_at, alert.acknowledged_by, alert.next_at = act.now, act.actor.person_id, None
    facts = {"alert": alert.id, "rule": alert.rule}
    act.record(alert.subject, Kind.ALERT_ACKNOWLEDGED, facts=facts, sealed={"note": note}, key=key)
    return {"id": alert.id}
