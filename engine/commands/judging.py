"""Asking the regulations in the middle of a command: what blocks is refused, the rest is recorded, and who must act is alerted.

What the tables were told is kept with the act (`Judgement`), so that the same question can be put again later: to the same table, for an
auditor, or to a changed one, before it is published (engine.reruns).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import select

from engine import feel, organisation, reference, regulations, team
from engine.audit import Kind
from engine.commands import Act
from engine.commands.running import Run, words
from engine.db import FETCHED, new_id
from engine.exceptions import NotFound, RegulationRefused
from engine.facts import Asked, gather, project
from engine.facts.sources import SOURCES
from engine.instances import Task
from engine.organisation import Actor
from engine.parties import Parties
from engine.reference import Reference
from engine.registers import alerts
from engine.registers.alerts import Alert
from engine.regulations import UNSTOPPABLE, Verdict
from engine.vault import SubjectKey


@dataclass(frozen=True)
class Matter:
    """What is judged. `stream`: of its events, and what alerts are about; `place_path`: who watches over it; `key` seals (found by the
    stream if not given); `round`: one rule alerts once a round, so a new deadline is a new round; `told`: plain facts for the event.

    The rest is where further facts are looked for: `person` who acts or is to be assigned, `instance_id`, `client_id`, `unit_id`
    and `station_id` (whose parameters hold), `tags` and `since` of a task and when it was offered, `period` the first and last day of what has ended.
    `parties`: those of the case, where it has any.
    """

    stream: str
    place_path: str
    key: SubjectKey | None = None
    round: str = ""
    told: Mapping[str, Any] | None = None
    person: Actor | None = None
    instance_id: str | None = None
    client_id: str | None = None
    unit_id: str | None = None
    station_id: str | None = None
    tags: frozenset[str] = frozenset()
    since: datetime | None = None
    period: tuple[date, date] | None = None
    parties: Parties | None = None


@dataclass(frozen=True)
class Judgement:
    """What the regulations said at each point, and what they were told: `facts`, encoded, sealed with the event of the act."""

    said: Mapping[str, list[Verdict]]
    points: tuple[str, ...]
    sequence: int
    station_id: str | None
    facts: dict

    @property
    def verdicts(self) -> list[Verdict]:
        """All that was said."""
        return [each for found in self.said.values() for each in found]

    @property
    def blocking(self) -> list[Verdict]:
        """What keeps the act from being done; at UNSTOPPABLE points nothing does."""
        return regulations.blocking(each for point, found in self.said.items() if point not in UNSTOPPABLE for each in found)

    @property
    def plain(self) -> dict:
        """For the plain facts of the act's event: where it was checked, and by the tables and parameters of which moment."""
        return {"checked": {"points": list(self.points), "regulations": self.sequence, "station": self.station_id}}

    @property
    def sealed(self) -> dict:
        """For the sealed payload of the act's event."""
        return {"checked": self.facts}


def judge(act: Act, known: Reference, points: tuple[str, ...], facts: dict, matter: Matter) -> Judgement:
    """Ask every regulation in force at each of the `points` of one act.

    `facts` as in engine.regulations; the act's time, the parameters and whatever else the tables ask for are added. At UNSTOPPABLE points
    nothing blocks: what has happened cannot be refused. Raises RegulationRefused.
    """
    judgement = consider(act, known, points, facts, matter)
    if blocking := judgement.blocking:
        raise RegulationRefused(blocking, evidence=_evidence(judgement, matter, blocking))
    for point, verdicts in judgement.said.items():
        _note(act, matter, point, [each for each in verdicts if not (each.notify and _is_raised(act, matter, each))])
    return judgement


def consider(act: Act, known: Reference, points: tuple[str, ...], facts: dict, matter: Matter) -> Judgement:
    """What the regulations would say, as `judge` asks them; nothing is recorded and nothing refused."""
    now = act.now.astimezone(act.system.zone)
    parameters = known.parameters(act.now, matter.station_id)
    asked = Asked(
        act.system,
        lambda: act.session,
        now,
        parameters,
        *(matter.person, matter.instance_id, matter.client_id, matter.unit_id, matter.tags, matter.since, matter.period),
    )
    question = known.needs.question(points, facts)
    facts = gather(facts | {"now": now, "parameters": parameters}, question.tree, asked, SOURCES)
    said = {point: regulations.check(question.tables[point], point, facts, clock=now) for point in points}
    kept = feel.encode(project(regulations.completed(points[0], facts, now), question.tree))
    return Judgement(said, points, known.sequence, matter.station_id, kept)


def _evidence(judgement: Judgement, matter: Matter, blocking: list[Verdict]) -> dict:
    """What may be kept of a refused act; nothing sealed where the key was to be made by the act itself."""
    plain = {"facts": judgement.plain | {"instance": matter.instance_id, "verdicts": _told(blocking)}}
    if matter.key is None or not hasattr(matter.key, FETCHED):
        return plain
    sealed = matter.parties.protect(judgement.sealed) if matter.parties else judgement.sealed
    return plain | {"sealed": sealed, "key": matter.key}


def _told(verdicts: list[Verdict]) -> list[dict]:
    """Verdicts for the plain facts of an event."""
    told = [{"rule": each.rule, "effect": each.effect, "table": each.table, "version": each.version} for each in verdicts]
    return [one | {"waived": True} if each.waived else one for one, each in zip(told, verdicts, strict=True)]


def _note(act: Act, matter: Matter, point: str, verdicts: list[Verdict]) -> None:
    """One event for what was said at a point, and the alerts it makes."""
    if not verdicts:
        return
    key = matter.key or act.session.scalars(select(SubjectKey).where(SubjectKey.subject == matter.stream)).one()
    plain = {"point": point, "station": matter.station_id, **(matter.told or {}), "verdicts": _told(verdicts)}
    sealed = {"facts": [feel.encode(dict(each.facts)) for each in verdicts]}
    act.record(matter.stream, Kind.REGULATION_CHECKED, facts=plain, sealed=sealed, key=key)
    for verdict in {each.rule: each for each in verdicts if each.effect == "task" and each.notify}.values():
        _alert(act, matter, key, verdict)


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


def person_of(act: Act, person_id: str | None) -> dict:
    """What regulations may ask about somebody by their id; whose account is gone has little left, and nobody has nothing."""
    if person_id is None:
        return {}
    try:
        return person_facts(organisation.actor_of(act.session, act.system.vault, person_id, act.actor.county_id))
    except NotFound:
        return {"id": person_id}


def task_facts(run: Run, task: Task, values: dict) -> dict:
    """What regulations may ask about a task of a case; `values`: what its form was answered with."""
    element, zone = run.compiled.process.elements[task.element], run.act.system.zone
    told = {
        "element": element.id,
        "tags": words(element.properties.get("tags")),
        "stage": element.properties.get("stage"),
        "data": values,
        "offered_at": task.offered_at.astimezone(zone),
        "claimed_at": task.claimed_at and task.claimed_at.astimezone(zone),
        "due_at": task.due_at and task.due_at.astimezone(zone),
    }
    return {"task": told, "case": case_facts(run, task.token)}


def task_matter(run: Run, task: Task, person: Actor | None = None) -> Matter:
    """A task as what is judged; `person` acts or is to be assigned."""
    instance = run.instance
    return Matter(
        run.stream,
        instance.place_path,
        run.key,
        round=task.id,
        told={"task": task.id},
        person=person,
        instance_id=instance.id,
        client_id=instance.client_id,
        unit_id=instance.station_id,
        station_id=instance.station_id,
        tags=frozenset(words(run.compiled.process.elements[task.element].properties.get("tags"))),
        since=task.offered_at,
        parties=run.parties,
    )


def case_facts(run: Run, token: int | None) -> dict:
    """What regulations may ask about a restored case. `token`: the task's, whose variables they see; None for the case's own."""
    return {
        "id": run.instance.id,
        "number": run.instance.number,
        "client": run.instance.client_id,
        "definition": run.instance.definition_key,
        "place": run.instance.place_path,
        "started_at": run.instance.started_at.astimezone(run.act.system.zone),
        "variables": run.case.variables() if token is None else run.case.visible(token),
        "stages_done": list(run.ledger["stages"]),
        "authors": dict(run.ledger["authors"]),
        "lead": team.lead_of(run.ledger),
        "team": list(team.team_of(run.ledger)),
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
