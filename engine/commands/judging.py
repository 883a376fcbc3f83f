"""Asking the regulations in the middle of a command: what blocks is refused, the rest is recorded, and who must act is alerted."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from sqlalchemy import select

from engine import feel, reference, regulations
from engine.audit import Kind
from engine.commands import Act
from engine.commands.running import Run
from engine.db import new_id
from engine.exceptions import RegulationRefused
from engine.organisation import Actor
from engine.reference import Reference
from engine.registers import alerts
from engine.registers.alerts import Alert
from engine.regulations import Verdict
from engine.vault import SubjectKey


@dataclass(frozen=True)
class Matter:
    """What is judged. `stream`: of its events, and what alerts are about; `place_path`: who watches over it; `key` seals (found by the
    stream if not given); `round`: one rule alerts once a round, so a new deadline is a new round; `told`: plain facts for the event."""

    stream: str
    place_path: str
    key: SubjectKey | None = None
    round: str = ""
    told: Mapping[str, Any] | None = None


def judge(act: Act, known: Reference, point: str, facts: dict, matter: Matter) -> list[Verdict]:
    """Ask every regulation in force; answers the verdicts that are new.

    `facts` as in engine.regulations; the act's time is added. At the point `clock` nothing blocks: time cannot be refused. Raises
    RegulationRefused.
    """
    now = act.now.astimezone(act.system.zone)
    verdicts = regulations.check(known.tables, point, facts | {"now": now}, clock=now)
    blocking = regulations.blocking(verdicts) if point != "clock" else []
    if blocking:
        raise RegulationRefused(blocking)
    verdicts = [each for each in verdicts if not (each.notify and _is_raised(act, matter, each))]
    if verdicts:
        key = matter.key or act.session.scalars(select(SubjectKey).where(SubjectKey.subject == matter.stream)).one()
        told = [{"rule": each.rule, "effect": each.effect, "table": each.table, "version": each.version} for each in verdicts]
        plain = {"point": point, **(matter.told or {}), "verdicts": told}
        sealed = {"facts": [feel.encode(dict(each.facts)) for each in verdicts]}
        act.record(matter.stream, Kind.REGULATION_CHECKED, facts=plain, sealed=sealed, key=key)
        for verdict in {each.rule: each for each in verdicts if each.effect == "task" and each.notify}.values():
            _alert(act, matter, key, verdict)
    return verdicts


def in_force(act: Act) -> Reference:
    """The regulations, parameters and calendar in force, for commands that take up no case."""
    return reference.known(act.system, act.unit.connection) or reference.in_force(act.system, act.session)


def person_facts(person: Actor) -> dict:
    """What regulations may ask about a person."""
    return {
        "id": person.person_id,
        "roles": sorted(person.roles),
        "workforce": person.workforce,
        "partner": person.partner,
        "unit": person.unit_key,
        "station": person.station_id,
    }


def case_facts(run: Run, token: int | None) -> dict:
    """What regulations may ask about a restored case. `token`: the task's, whose variables they see; None for the case's own."""
    return {
        "id": run.instance.id,
        "definition": run.instance.definition_key,
        "place": run.instance.place_path,
        "started_at": run.instance.started_at.astimezone(run.act.system.zone),
        "variables": run.case.variables() if token is None else run.case.visible(token),
        "stages_done": list(run.ledger["stages"]),
        "authors": dict(run.ledger["authors"]),
    }


def _is_raised(act: Act, matter: Matter, verdict: Verdict) -> bool:
    return alerts.is_raised(act.session, matter.stream, verdict.rule, matter.round)


def _alert(act: Act, matter: Matter, key: SubjectKey, verdict: Verdict) -> None:
    due = act.now + timedelta(hours=float(verdict.hours)) if verdict.hours is not None else None
    alert = Alert(
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
    alert.sealed = act.system.vault.seal(key, told | {"facts": feel.to_plain(dict(verdict.facts))}, alert.place)
    act.session.add(alert)
    act.record(matter.stream, Kind.ALERT_RAISED, facts={"alert": alert.id, "rule": alert.rule, "notify": alert.notify})
