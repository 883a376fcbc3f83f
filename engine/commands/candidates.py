"""Whom a task could go to: gathered in a few statements, ranked by engine.assignment, and asked about like the command that would do it.

`look` does so for pages and programs without writing anything. Commands that choose a receiver themselves (the automatic offer, handovers)
call `ranked` in the middle of their transaction.
"""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta

from sqlalchemy import func, or_, select
from sqlalchemy.engine import Connection
from sqlalchemy.orm import Session

from engine import assignment, handovers, organisation, reference, tasks, team, workload
from engine.assignment import Candidate
from engine.commands import Act
from engine.commands.assigning import objections, offer_now
from engine.commands.running import Run
from engine.instances import CLAIMED, OFFERED, Instance, Task
from engine.organisation import Actor
from engine.registers.entries import RegisterEntry
from engine.regulations import Verdict
from engine.system import System
from engine.team import CaseMember

ASKED = 8  # the best of whom the regulations are asked; the others are ranked and not asked
FAIR_DAYS = 30  # over how long what people were given is compared; 站内默认 station default


@dataclass(frozen=True)
class Choice:
    """Somebody a task could go to. `candidate` carries the reasons; `verdicts`: what the regulations have against it, None if not asked."""

    person: Actor
    candidate: Candidate
    verdicts: list[Verdict] | None = None

    @property
    def blocked(self) -> bool:
        """Whether a regulation would refuse it."""
        return bool(self.verdicts)

    @property
    def away(self) -> bool:
        """Whether they are absent."""
        return self.candidate.absent_until is not None


def look(system: System, session: Session, actor: Actor, task_id: str, now: datetime, elsewhere: bool = False) -> list[Choice]:
    """The candidates for an open task that the actor may know of, best first, blocked ones last, without its holder; nobody for one that is
    done.

    `elsewhere`: those whom the actor could send to it from other places. Raises NotFound, Forbidden.
    """
    run, task = peek(system, session, actor, task_id, now)
    if task.status not in (OFFERED, CLAIMED):
        return []
    people = organisation.serving(session, system.vault, actor.county_id, task.place_path)
    if elsewhere:
        serving = {person.person_id for person in people}
        found = organisation.actors(session, system.vault, actor.county_id, actor.unit_path)
        people = [person for person in found if person.person_id not in serving]
    return ranked(run, task, people, dispatched=elsewhere)


def peek(system: System, session: Session, actor: Actor, task_id: str, now: datetime) -> tuple[Run, Task]:
    """A task and its case as a command would have them in hand, in a session that only reads. Raises NotFound, Forbidden."""
    found = tasks.detail(system, session, actor, task_id)
    act = Act(system, actor, _Reading(session, now))
    return Run(act, found.instance, found.key, found.compiled, reference.in_force(system, session)).restore(), found.task


def ranked(run: Run, task: Task, people: Iterable[Actor], planned: Counter | None = None, dispatched: bool = False) -> list[Choice]:
    """Those of some people who may have a task, best first, its holder left out; whom a regulation would refuse comes last.

    `planned`: tasks by person id that are about to go to them; they count as cases and as tasks given. `dispatched`: they are sent from
    elsewhere.
    """
    by_id = {person.person_id: person for person in people if person.person_id != task.holder_id}
    offer = offer_now(run, task, run.act.actor)
    for person in by_id.values():
        allowed = offer_now(run, task, person, dispatched)
        offer = replace(offer, groups=offer.groups | allowed.groups, dispatched=offer.dispatched | allowed.dispatched)
    able = {
        who: person for who, person in by_id.items() if assignment.may_take(person.groups, person.unit_path, offer, who, person.username)
    }
    found = [Choice(able[one.person_id], one) for one in assignment.rank(_gathered(run, list(able.values()), planned or Counter()), offer)]
    asked = [replace(choice, verdicts=objections(run, task, choice.person)) for choice in found[:ASKED]]
    return sorted(asked + found[ASKED:], key=lambda choice: choice.blocked)


def _gathered(run: Run, people: list[Actor], planned: Counter) -> list[Candidate]:
    """What ranking asks about people; eight statements, however many they are."""
    if not people:
        return []
    act, ids = run.act, [person.person_id for person in people]
    session, today = act.session, act.now.astimezone(act.system.zone).date()
    loads, given = workload.of(session, act.system.vault, ids), _given(session, ids, act.now)
    skills = _skills(session, ids, today)
    absent = away(session, ids, today)
    knows_case, knows_client = team.team_of(run.ledger), _served(session, run.instance, ids)
    numbers = run.environment.names["parameters"]
    return [
        Candidate(
            person.person_id,
            person.groups,
            person.unit_path,
            loads[person.person_id].open_cases + planned[person.person_id],
            person.person_id in knows_case,
            person.username,
            int(cap) if (cap := numbers.get(f"caseload_{person.workforce}")) is not None else None,
            person.person_id in knows_client,
            skills.get(person.person_id, frozenset()),
            given.get(person.person_id, (0, None))[0] + planned[person.person_id],
            given.get(person.person_id, (0, None))[1],
            absent.get(person.person_id),
        )
        for person in people
    ]


def _given(session: Session, ids: list[str], now: datetime) -> dict[str, tuple[int, datetime]]:
    """Person id → how many tasks they took or were given in the last FAIR_DAYS days, and when the latest."""
    query = select(Task.holder_id, func.count(), func.max(Task.claimed_at)).group_by(Task.holder_id)
    found = session.execute(query.where(Task.holder_id.in_(ids), Task.claimed_at >= now - timedelta(days=FAIR_DAYS)))
    return {who: (number, latest) for who, number, latest in found}


def _served(session: Session, case: Instance, ids: list[str]) -> set[str]:
    """Who was in the team of another case of the same person served."""
    if case.client_id is None:
        return set()
    query = select(CaseMember.person_id).join(Instance, Instance.id == CaseMember.instance_id)
    query = query.where(Instance.county_id == case.county_id, Instance.client_id == case.client_id, Instance.id != case.id)
    return set(session.scalars(query.where(CaseMember.person_id.in_(ids))))


def away(session: Session, ids: list[str], day: date) -> dict[str, date]:
    """Person id → last day of their absence, of those who are away on a day, by the register or because they have handed over."""
    found = handovers.away(session, ids, day)
    for who, until, _plain in session.execute(_registered("absences", ids, day)):
        if until is not None:
            found[who] = max(until, found.get(who, until))
    return found


def _skills(session: Session, ids: list[str], day: date) -> dict[str, frozenset[str]]:
    """Person id → keys of engine.assignment.SKILLS, by their profiles."""
    found: dict[str, frozenset[str]] = {}
    for who, _until, plain in session.execute(_registered("profiles", ids, day)):
        found[who] = found.get(who, frozenset()) | frozenset(plain.get("skills") or ())
    return found


def _registered(register: str, ids: list[str], day: date):
    """Whose entries hold on a day: (person id, last day, plain fields)."""
    entry = RegisterEntry
    return select(entry.subject_id, entry.until, entry.plain).where(
        entry.subject_id.in_(ids),
        entry.register == register,
        entry.ended_at.is_(None),
        or_(entry.since.is_(None), entry.since <= day),
        or_(entry.until.is_(None), entry.until >= day),
    )


@dataclass
class _Reading:
    """Stands in for a unit of work where nothing is written: what `Act` and `Run` read from."""

    session: Session
    now: datetime

    @property
    def connection(self) -> Connection:
        """The session's connection."""
        return self.session.connection()
