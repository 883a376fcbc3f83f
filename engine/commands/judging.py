"""Asking the regulations in the middle of a command: what blocks is refused, the rest is recorded, and who must act is alerted.

What the tables were told is kept with the act (`Judgement`), so that the same question can be put again later: to the same table, for an
auditor, or to a changed one, before it is published (engine.reruns).
"""

from datetime import timedelta

from sqlalchemy import select

from engine import feel, organisation, reference, waivers
from engine.audit import Kind
from engine.checking import Judgement, Matter, ask, case_facts, person_facts, task_facts, task_matter
from engine.commands import Act
from engine.db import FETCHED, new_id
from engine.exceptions import NotFound, RegulationRefused
from engine.instances import stream_of
from engine.reference import Reference
from engine.registers import alerts
from engine.registers.alerts import Alert
from engine.regulations import Verdict
from engine.vault import SubjectKey

__all__ = ["Judgement", "Matter", "alert", "case_facts", "in_force", "judge", "person_facts", "person_of", "task_facts", "task_matter"]


def judge(act: Act, known: Reference, points: tuple[str, ...], facts: dict, matter: Matter) -> Judgement:
    """Ask every regulation in force at each of the `points` of one act (engine.checking.ask), refuse what they do not allow, and record what
    they said. Raises RegulationRefused."""
    judgement = ask(act.system, lambda: act.session, act.now, known, points, facts, matter, lambda: act.unit.connection)
    if blocking := judgement.blocking:
        raise RegulationRefused(blocking, evidence=_evidence(judgement, matter, blocking))
    for point, verdicts in judgement.said.items():
        _note(act, matter, point, [each for each in verdicts if not (each.notify and _is_raised(act, matter, each))])
    return judgement


def _evidence(judgement: Judgement, matter: Matter, blocking: list[Verdict]) -> dict:
    """What may be kept of a refused act; nothing sealed where the key was to be made by the act itself.

    It says whom and what the refusal was about: who asks for a waiver refers to it (engine.commands.waivers).
    """
    about = {"instance": matter.instance_id, "task": matter.task_id, "person": matter.person and matter.person.person_id}
    fresh = matter.key is None or not hasattr(matter.key, FETCHED)
    if fresh and matter.instance_id is not None and matter.stream == stream_of(matter.instance_id):
        about |= {"instance": None, "task": None}  # of a case that was to begin, and does not
    plain = {"facts": judgement.plain | about | {"verdicts": _told(blocking)}}
    if fresh:
        return plain
    sealed = judgement.sealed | {"told": [feel.to_plain({name: getattr(each, name) for name in waivers.TOLD}) for each in blocking]}
    return plain | {"sealed": matter.parties.protect(sealed) if matter.parties else sealed, "key": matter.key}


def _told(verdicts: list[Verdict]) -> list[dict]:
    """Verdicts for the plain facts of an event."""
    return [_one(each) | ({"waived": True} if each.waived else {}) for each in verdicts]


def _one(verdict: Verdict) -> dict:
    names = ("rule", "effect", "table", "version", *(("waivable_by",) if verdict.effect == "waiver" else ()))
    return {name: getattr(verdict, name) for name in names}


def _note(act: Act, matter: Matter, point: str, verdicts: list[Verdict]) -> None:
    """One event for what was said at a point, and the alerts it makes."""
    if not verdicts:
        return
    key = matter.key or act.session.scalars(select(SubjectKey).where(SubjectKey.subject == matter.stream)).one()
    plain = {"point": point, "station": matter.station_id, **(matter.told or {}), "verdicts": _told(verdicts)}
    sealed = {"facts": [feel.encode(dict(each.facts)) for each in verdicts]}
    act.record(matter.stream, Kind.REGULATION_CHECKED, facts=plain, sealed=sealed, key=key)
    for verdict in {each.rule: each for each in verdicts if each.effect == "task" and each.notify}.values():
        alert(act, matter, key, verdict)


def in_force(act: Act) -> Reference:
    """The regulations, parameters and calendar in force, for commands that take up no case."""
    return reference.known(act.system, act.unit.connection) or reference.in_force(act.system, act.session)


def person_of(act: Act, person_id: str | None) -> dict:
    """What regulations may ask about somebody by their id; whose account is gone has little left, and nobody has nothing."""
    if person_id is None:
        return {}
    try:
        return person_facts(organisation.actor_of(act.session, act.system.vault, person_id, act.actor.county_id))
    except NotFound:
        return {"id": person_id}


def _is_raised(act: Act, matter: Matter, verdict: Verdict) -> bool:
    """Also by this very act, at another point: that alert is not written yet."""
    one = (matter.stream, verdict.rule, matter.round)
    if any(isinstance(each, Alert) and (each.subject, each.rule, each.round) == one for each in act.session.new):
        return True
    return alerts.is_raised(act.session, matter.stream, verdict.rule, matter.round)


def alert(act: Act, matter: Matter, key: SubjectKey, verdict: Verdict) -> None:
    """Put before those whom a verdict names what they have to act on."""
    due = act.now + timedelta(hours=float(verdict.hours)) if verdict.hours is not None else None
    raised = Alert(
        id=new_id(),
        county_id=act.actor.county_id,
        subject=matter.stream,
        rule=verdict.rule,
        round=matter.round,
        notify=verdict.notify,
        place_path=matter.place_path,
        raised_at=act.now,
        due_at=due,
        next_at=due,
    )
    told = {name: getattr(verdict, name) for name in ("message", "message_en", "hint", "hint_en", "source")}
    raised.sealed = act.system.vault.seal(key, told | {"facts": feel.to_plain(dict(verdict.facts))}, raised.place)
    act.session.add(raised)
    act.record(matter.stream, Kind.ALERT_RAISED, facts={"alert": raised.id, "rule": raised.rule, "notify": raised.notify})
