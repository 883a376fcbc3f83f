"""One check: what is judged, what the regulations are told of it, and what they say. It reads and decides; it writes nothing.

Commands refuse or record what comes out of it (engine.commands.judging); explanations only show it (engine.explaining).
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime, tzinfo
from typing import Any, Protocol

from sqlalchemy.engine import Connection
from sqlalchemy.orm import Session

from engine import feel, regulations, team, waivers
from engine.assignment import Offer
from engine.bundle import GROUPS
from engine.definitions import Compiled
from engine.facts import Asked, gather, project
from engine.facts.sources import SOURCES
from engine.instances import Instance, Task, offer_of
from engine.organisation import Actor
from engine.parties import Parties
from engine.reference import Reference
from engine.regulations import UNSTOPPABLE, Verdict
from engine.system import System
from engine.vault import SubjectKey
from engine.workflow import Case, words

STAND_INS = "|lead|supervisor|"  # to whom a task is offered that nobody could take (engine.commands.stranded)


class Standing(Protocol):
    """A case as it stands, restored: in a command's hands (engine.commands.running.Run), or read."""

    instance: Instance
    key: SubjectKey
    compiled: Compiled
    case: Case | None
    ledger: dict
    parties: Parties | None

    @property
    def zone(self) -> tzinfo:
        """The county's."""


@dataclass(frozen=True)
class Matter:
    """What is judged. `stream`: of its events, and what alerts are about; `place_path`: who watches over it; `key` seals (found by the
    stream if not given); `round`: one rule alerts once a round, so a new deadline is a new round; `told`: plain facts for the event.

    The rest is where further facts are looked for: `person` who acts or is to be assigned, `instance_id`, `client_id`, `unit_id`
    and `station_id` (whose parameters hold), `task_id`, `tags` and `since` of a task and when it was offered, `period` the first and last
    day of what has ended. `parties`: those of the case, where it has any. `waivers`: what the case's ledger knows of them.
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
    task_id: str | None = None
    waivers: tuple[dict, ...] = ()


@dataclass(frozen=True)
class Judgement:
    """What the regulations said at each point, and what they were told: `facts`, encoded, sealed with the event of the act."""

    said: dict[str, list[Verdict]]
    sequence: int
    station_id: str | None
    facts: dict

    @property
    def points(self) -> tuple[str, ...]:
        """Where it was checked."""
        return tuple(self.said)

    @property
    def verdicts(self) -> list[Verdict]:
        """All that was said."""
        return [verdict for found in self.said.values() for verdict in found]

    @property
    def blocking(self) -> list[Verdict]:
        """What stops the act. At UNSTOPPABLE points nothing does: what has happened cannot be refused."""
        return regulations.blocking(verdict for point, found in self.said.items() if point not in UNSTOPPABLE for verdict in found)

    @property
    def plain(self) -> dict:
        """For the plain facts of the act's event: where it was checked, and by the tables and parameters of which moment."""
        return {"checked": {"points": list(self.points), "regulations": self.sequence, "station": self.station_id}}

    @property
    def sealed(self) -> dict:
        """For the sealed payload of the act's event."""
        return {"checked": self.facts}


def ask(
    system: System,
    open_session: Callable[[], Session],
    at: datetime,
    known: Reference,
    points: tuple[str, ...],
    facts: dict,
    matter: Matter,
    open_connection: Callable[[], Connection] | None = None,
) -> Judgement:
    """What every regulation in force says at each of the `points` of one act that happens `at` this moment. `open_connection`: that of the
    command's transaction, for which no session need be opened.

    `facts` as in engine.regulations; the time, the parameters, the waivers and whatever else the tables ask for are added.
    Raises DecisionFailed.
    """
    now = at.astimezone(system.zone)
    parameters = known.parameters(at, matter.station_id)
    if matter.waivers:
        granted = waivers.in_force(matter.waivers, at, matter.person and matter.person.person_id, matter.task_id)
        facts = facts | {"case": (facts.get("case") or {}) | {"waivers": granted}}
    asked = Asked(
        system,
        open_session,
        now,
        parameters,
        *(matter.person, matter.instance_id, matter.client_id, matter.unit_id, matter.tags, matter.since, matter.period),
        open_connection,
    )
    facts = known.needs.marked(facts)
    question = known.needs.question(points, facts, parameters)
    facts = gather(facts | {"now": now, "parameters": parameters}, question.tree, asked, SOURCES)
    complete = regulations.completed(points[0], facts, now)
    said = {point: regulations.said(question.tables[point], complete | {"point": point}, now) for point in points}
    kept = feel.encode(project(complete, question.tree))
    return Judgement(said, known.sequence, matter.station_id, kept)


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


def task_facts(run: Standing, task: Task, values: dict) -> dict:
    """What regulations may ask about a task of a case; `values`: what its form was answered with."""
    element, zone = run.compiled.process.elements[task.element], run.zone
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


def task_matter(run: Standing, task: Task, person: Actor | None = None) -> Matter:
    """A task as what is judged; `person` acts or is to be assigned."""
    instance = run.instance
    return Matter(
        instance.__stream__(),
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
        task_id=task.id,
        waivers=waivers.of_ledger(run.ledger),
    )


def case_facts(run: Standing, token: int | None) -> dict:
    """What regulations may ask about a restored case. `token`: the task's, whose variables they see; None for the case's own."""
    return {
        "id": run.instance.id,
        "number": run.instance.number,
        "client": run.instance.client_id,
        "definition": run.instance.definition_key,
        "place": run.instance.place_path,
        "started_at": run.instance.started_at.astimezone(run.zone),
        "variables": run.case.variables() if token is None else run.case.visible(token),
        "stages_done": list(run.ledger["stages"]),
        "authors": dict(run.ledger["authors"]),
        "lead": team.lead_of(run.ledger),
        "team": list(team.team_of(run.ledger)),
    }


def offer_for(run: Standing, task: Task, to: Actor, asker: Actor, dispatched: bool = False) -> Offer:
    """To whom a task is offered at this moment, as it counts for one person whom the asker (themself, or who hands tasks on) would have take it.

    Who wrote what is approved may have done so only since the task was opened, beside it: the ledger knows. What nobody could take was
    offered anew, so that the lead may hand it to anybody who serves its place. `dispatched`: as if they were sent from elsewhere.
    """
    offer, skills = offer_of(task), words(run.compiled.process.elements[task.element].properties.get("skills"))
    offer = replace(offer, excluded=offer.excluded | excluded(run, task.element), skills=frozenset(skills))
    if dispatched:
        offer = replace(offer, dispatched=offer.dispatched | {to.username})
    if to.person_id != asker.person_id and asker.groups & (offer.groups | {"system"}) and is_handed_out(run, task):
        offer = replace(offer, groups=offer.groups | to.groups)
    return offer


def is_handed_out(run: Standing, task: Task) -> bool:
    """Whether nobody could take a task, so that it was offered anew and the lead may hand it to anybody who serves its place."""
    named = next((wait.candidate_groups for wait in run.case.waits() if wait.token == task.token), [])
    return task.groups == STAND_INS and GROUPS.isdisjoint(named)


def excluded(run: Standing, element_id: str) -> frozenset[str]:
    """Who may not do a task of this element, because of what they did in the case so far."""
    tags = words(run.compiled.process.elements[element_id].properties.get("exclude"))
    return frozenset(who for tag in tags for who in run.ledger["authors"].get(tag, []))
