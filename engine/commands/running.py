"""A case taken up under its lock: restored, moved on, and written back with its tasks, timers, waits, jobs and events."""

import functools
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, tzinfo

from sqlalchemy import bindparam, delete, select

from engine import audit, calls, checking, instances, reference
from engine.assignment import may_take
from engine.audit import Kind
from engine.calls import CalledCase
from engine.commands import Act, offering, outside, stranded, teams
from engine.db import Base, new_id
from engine.definitions import Compiled
from engine.exceptions import NotFound
from engine.forms import Form
from engine.instances import ACTIVE, CLAIMED, INCIDENT, OFFERED, Instance, Task, Timer
from engine.jobs import HANDLERS
from engine.messages import StartedCase
from engine.organisation import Unit, actor_of
from engine.parties import Parties, stamp, subject
from engine.prepared import Prepared
from engine.reference import Reference
from engine.team import CaseMember
from engine.vault import SubjectKey
from engine.workflow import Case, Environment, Outgoing, Step, Wait, words

MOST_EXCLUDED = 12  # fit into the column that lists are filtered by; the ledger knows all
PLACES = {"county": 1, "station": 2, "room": 3}  # how many parts of a place's path a task's place keeps


@dataclass
class Run:
    """One case in a command's hands.

    `ledger` remembers who did what: `authors` by tag, `stages` passed, `completed` tasks; the `team` and the `risk` that its members' rows
    were sealed with (engine.team); `returned`, who gave back a task that is offered to one after the other, by token; `waivers` that were
    granted (engine.waivers); and `begun_by`, the hash of the message key that began it. `subscriptions` (ids) and `jobs` (tokens) are those in
    the tables; `called`: cases begun by this command, by token.
    """

    act: Act
    instance: Instance
    key: SubjectKey
    compiled: Compiled
    reference: Reference
    case: Case | None = None
    ledger: dict = field(default_factory=lambda: {"authors": {}, "stages": [], "completed": 0, "team": {}})
    _waits: set[int] = field(default_factory=set)
    _timers: dict[int, datetime] = field(default_factory=dict)
    new_tasks: list[Task] = field(default_factory=list)
    subscriptions: set[int] = field(default_factory=set)
    jobs: set[int] = field(default_factory=set)
    called: dict[int, str] = field(default_factory=dict)
    _link: CalledCase | None = None
    _fresh: dict[str, Base] = field(default_factory=dict)  # rows of this command by name: not in the tables before it commits
    parties: Parties | None = None  # where the case has any: the ledger counts them
    members: dict[str, CaseMember] = field(default_factory=dict)  # rows of the team that this command has in hand

    @functools.cached_property
    def environment(self) -> Environment:
        """What expressions of this case may see at this moment."""
        act, place = self.act, self.instance
        names = dict(self.reference.functions)
        names["parameters"] = self.reference.parameters(act.now, place.station_id)
        names["case"] = {"id": place.id, "number": place.number, "place": place.place_path.rsplit("/", 1)[-1]}
        now = act.now.astimezone(act.system.zone)
        return Environment(now, names, self._decide, act.system.zone, HANDLERS)

    def _decide(self, decision: str, context: dict):
        return self.compiled.decisions[decision].decide(context, clock=self.act.now.astimezone(self.act.system.zone))

    @property
    def zone(self) -> tzinfo:
        """The county's time zone."""
        return self.act.system.zone

    @property
    def stream(self) -> str:
        """The case's event stream."""
        return instances.stream_of(self.instance.id)

    def restore(self) -> "Run":
        """Take the case up where it stands."""
        state, self.parties = instances.open_state(self.act.system, lambda: self.act.session, self.instance, self.key)
        self.case = Case.restore(self.compiled.process, state["case"])
        self.ledger = state["ledger"]
        self._waits = {wait.token for wait in self.case.waits()}
        self._timers = {timer.id: timer.due for timer in self.case.timers()}
        self.subscriptions = {wait.id for wait in self.case.subscriptions()}
        self.jobs = {job.token for job in self.case.jobs()}
        return self

    def record(self, kind: str, facts: dict | None = None, sealed: dict | None = None) -> None:
        """Add an event to the case's stream, its payload sealed under the case's key, what is about a party under the party's."""
        if self.parties and sealed:
            sealed = self.parties.protect(sealed)
        self.act.record(self.stream, kind, facts=facts, sealed=sealed, key=self.key)

    def save(self, done: int | None = None) -> None:
        """Write the steps taken, the new state, and what opened or closed. `done`: the token just completed."""
        outside.settle(self)
        for kind, facts, data in _lines(self.case.drain_steps()):
            self.record(kind, facts, data)
        self._save_tasks(done)
        self._save_timers()
        outside.save(self)
        self.instance.status = str(self.case.status)
        if self.instance.status not in (ACTIVE, INCIDENT):
            self.instance.ended_at = self.act.now
        teams.weigh(self)
        self.keep_state()

    def keep_state(self) -> None:
        """Write down where the case stands, and its ledger. Whoever takes no step, but changes the ledger, calls this alone."""
        self.act.unit.write(self.instance)
        state = self.case.state()
        if self.parties:
            state = self.parties.protect(state)
        instances.seal_state(self.act.system, self.instance, self.key, {"case": state, "ledger": self.ledger})

    def _save_tasks(self, done: int | None) -> None:
        waits = {wait.token: wait for wait in self.case.waits()}
        closed = self._waits - waits.keys() - {done}
        if closed:
            for task in self.act.session.scalars(self._open_tasks(closed)):
                task.status, task.ended_at = "cancelled", self.act.now
        for token in closed | {done}:
            for about_tasks in ("returned", "delegated"):
                self.ledger.get(about_tasks, {}).pop(str(token), None)
        for token in sorted(waits.keys() - self._waits):
            task = self._task(waits[token])
            self.act.unit.write(task)
            self.new_tasks.append(task)
            offering.give_to_first(self, task)
        self._waits = set(waits)

    def about_parties(self, form: Form, answers: dict, known: Mapping) -> dict:
        """A form's answers with the ids of the parties they are about; new parties get a key and a stream of their own."""
        return stamp(form, answers, known, self._new_party)

    def _new_party(self) -> str:
        act = self.act
        self.parties = self.parties or Parties(act.system.vault, self.instance.id)
        party = self.parties.add(act.session, act.actor.county_id, act.now)
        self.ledger["parties"] = self.parties.count
        act.record(subject(self.instance.id, party), Kind.PARTY_REGISTERED, facts={"instance": self.instance.id})
        return party

    def move(self, into: Unit) -> None:
        """Let the case go on at another unit, its open tasks too."""
        self.record(Kind.INSTANCE_MOVED, {"from": self.instance.place_path, "to": into.path})
        self.instance.unit_id, self.instance.place_path, self.instance.station_id = into.id, into.path, into.station_id
        self.act.unit.write(self.instance)
        open_tasks = select(Task).where(Task.instance_id == self.instance.id, Task.status.in_((OFFERED, CLAIMED)))
        for task in self.act.session.scalars(open_tasks):
            task.place_path, task.station_id = self._place_of(task.element), into.station_id
            if task.status == OFFERED:
                stranded.settle(self, task)

    def redate_tasks(self) -> None:
        """Work out the due times of open tasks anew, after a change of the calendar."""
        for task in self.act.session.scalars(self._open_tasks(self._waits)):
            self.case.redate(task.token, self.environment)
            wait = next(wait for wait in self.case.waits() if wait.token == task.token)
            task.due_at, task.due_provisional = wait.due, self._provisional(wait)

    def _open_tasks(self, tokens):
        return select(Task).where(
            Task.instance_id == self.instance.id, Task.token.in_(tokens), Task.status.in_((OFFERED, CLAIMED))
        )

    def _task(self, wait: Wait) -> Task:
        element, act = wait.element, self.act
        lane = element.lane.properties if element.lane else {}
        task = Task.row(
            id=new_id(),
            county_id=act.actor.county_id,
            instance_id=self.instance.id,
            token=wait.token,
            element=element.id,
            status=OFFERED,
            groups=barred(wait.candidate_groups),
            workforce=barred(words(lane.get("workforce"))),
            users=barred([*wait.candidate_users, *filter(None, [wait.assignee])]),
            excluded=barred(sorted(self.excluded(element.id))[:MOST_EXCLUDED]),
            place_path=self._place_of(element.id),
            station_id=self.instance.station_id,
            holder_id=None,
            offered_at=act.now,
            claimed_at=None,
            ended_at=None,
            due_at=wait.due,
            due_provisional=self._provisional(wait),
            priority=wait.priority,
        )
        if wait.assignee and (holder := self._holder(wait.assignee, task)):
            task.status, task.holder_id, task.claimed_at = CLAIMED, holder, act.now
        else:
            stranded.settle(self, task)
        return task

    def excluded(self, element_id: str) -> frozenset[str]:
        """Who may not do a task of this element, because of what they did in the case so far."""
        return checking.excluded(self, element_id)

    def _place_of(self, element_id: str) -> str:
        """Where a task belongs: at the case's place, or as high above it as the element's property `place` says."""
        parts = self.instance.place_path.split("/")
        level = self.compiled.process.elements[element_id].properties.get("place")
        return "/".join(parts[: PLACES.get(level, len(parts))])

    def _holder(self, username: str, task: Task) -> str | None:
        """The person a diagram names as assignee, if the task may be theirs; else it stays open to them and the other candidates."""
        try:
            actor = actor_of(self.act.session, self.act.system.vault, username, self.act.actor.county_id, active=True)
        except NotFound:
            return None
        offer = instances.offer_of(task)
        return actor.person_id if may_take(actor.groups, actor.unit_path, offer, actor.person_id, actor.username) else None

    def _provisional(self, wait: Wait) -> bool:
        """A deadline counted in a year whose calendar is not imported yet may still move."""
        rule = wait.element.due
        return bool(wait.due and rule and rule.is_calendar_based) and self._in_unknown_year(wait.since, wait.due)

    def _in_unknown_year(self, since: datetime, due: datetime) -> bool:
        zone = self.act.system.zone
        years = range(since.astimezone(zone).year, due.astimezone(zone).year + 1)
        return not all(self.reference.calendar.known(year) for year in years)

    def _save_timers(self) -> None:
        timers = {timer.id: timer for timer in self.case.timers()}
        moved = {number for number, due in self._timers.items() if number in timers and timers[number].due != due}
        self.drop(Timer.timer, self._timers.keys() - timers.keys() | moved)
        for number in sorted((timers.keys() - self._timers.keys()) | moved):
            timer = timers[number]
            self.keep(
                Timer.row(
                    instance_id=self.instance.id,
                    county_id=self.instance.county_id,
                    timer=number,
                    element=timer.element.id,
                    due_at=timer.due,
                    provisional=timer.calendar_based and self._in_unknown_year(timer.since, timer.due),
                    calendar_based=timer.calendar_based,
                    next_at=timer.due,
                    attempts=0,
                )
            )
        self._timers = {number: timer.due for number, timer in timers.items()}

    def keep(self, row: Base) -> None:
        """Add a row of this case: a timer, a wait, a job."""
        self._fresh[audit.row_name(row)] = row
        self.act.unit.write(row)

    def drop(self, column, numbers) -> None:
        """Remove rows of this case by the second part of their key. One that this command itself added is not written at all."""
        stale, model = [], column.class_
        for number in numbers:
            name = f"{model.__tablename__}/{self.instance.id}/{number}"
            row = self._fresh.pop(name, None)
            if row is not None:
                self.act.unit.forget(row)
            else:
                stale.append(number)
                audit.mark_removed(self.act.unit, self.stream, name)
        if stale:
            statement = delete(model.__table__).where(model.instance_id == self.instance.id, column.in_(stale))
            self.act.unit.connection.execute(statement)

    # --- calling and being called ---------------------------------------------------------------------------------------------

    def caller(self) -> CalledCase | None:
        """By whom this case was called."""
        if self._link is None and self.case.called:
            self._link = calls.caller_of(self.act.session, self.instance.id)
        return self._link

    def depth(self) -> int:
        """How many cases above this one called one another."""
        link = self.caller()
        return link.depth if link else 0

    def begin_called(self, compiled: Compiled, wish: Outgoing, depth: int) -> str:
        """Begin the case that an element of this one calls, at the same place and for the same person; answers its id."""
        self.act.calls += 1
        child = open_case(self.act, compiled, self.instance, self.instance.client_id, {"parent": self.instance.id})
        link = CalledCase.row(
            instance_id=child.instance.id,
            county_id=child.instance.county_id,
            parent_id=self.instance.id,
            parent_token=wish.token,
            depth=depth,
        )
        self.act.unit.write(link)
        child._link = link
        told = {"token": wish.token, "element": self.element_of(wish.token), "instance": child.instance.id, "number": child.instance.number}
        self.record(Kind.CASE_CALLED, told | {"definition": compiled.key})
        child.case = Case.start(compiled.process, wish.variables, child.environment, called=True)
        child.save()
        return child.instance.id

    def element_of(self, token: int) -> str | None:
        """The element a token is in."""
        return self.case.tokens[token].element if token in self.case.tokens else None


def open_case(act: Act, compiled: Compiled, place, client_id: str | None, facts: dict, begun_by: str | None = None) -> Run:
    """A new case of a version, not begun yet: its row, key and stream. `place` has unit_id, place_path and station_id, as a case has.

    `begun_by`: the hash of the message key that begins it; while it is open, no other of its procedure begins by the same.
    """
    instance_id = new_id()
    key = act.system.vault.new_key(act.session, act.actor.county_id, f"instance/{instance_id}", act.now)
    audit.open_stream(act.unit, instances.stream_of(instance_id), act.actor.county_id)
    instance = Instance.row(
        id=instance_id,
        county_id=act.actor.county_id,
        number=_new_number(act),
        definition_key=compiled.key,
        version_id=compiled.version_id,
        version_number=compiled.number,
        client_id=client_id,
        unit_id=place.unit_id,
        place_path=place.place_path,
        station_id=place.station_id,
        status=ACTIVE,
        started_by=act.actor.person_id,
        started_at=act.now,
        ended_at=None,
        key_id=key.id,
        sealed_state=b"",
    )
    run = Run(act, instance, key, compiled, reference.in_force(act.system, act.session))
    told = {"definition": compiled.key, "version": compiled.number, "place": place.place_path, "client": client_id}
    run.record(Kind.INSTANCE_STARTED, told | facts)
    if begun_by:
        run.ledger["begun_by"] = begun_by
        started = {"instance_id": instance_id, "county_id": instance.county_id}
        act.unit.write(StartedCase.row(**started, definition_key=compiled.key, key_hash=begun_by))
    return run


def _new_number(act: Act) -> str:
    """One that no case has: of ten thousand cases a day, two would share one every twenty days."""
    while True:
        number = instances.new_number(act.now.astimezone(act.system.zone))
        if not _NUMBERED.rows(act.unit.connection, {"county": act.actor.county_id, "number": number}):
            return number


_cases = Instance.__table__.c
_NUMBERED = Prepared(select(_cases.id).where(_cases.county_id == bindparam("county"), _cases.number == bindparam("number")))


def _lines(steps: list[Step]) -> list[tuple[str, dict, dict | None]]:
    """(kind, facts, data) of each event for the steps a case took.

    One event tells that an element was completed and which flows were taken from it. That a wait was completed is told by the command's
    own event.
    """
    kept: list[tuple[str, dict, dict | None]] = []
    for step in steps:
        last_kind, last_facts, _ = kept[-1] if kept else (None, {}, None)
        if step.kind == "flow:taken" and last_kind == "element:completed" and last_facts["element"] == step.element:
            last_facts.setdefault("flows", []).append(step.facts["flow"])
        elif step.kind != "wait:completed":
            kept.append((step.kind, {"element": step.element, "token": step.token} | step.facts, step.data or None))
    return kept


def barred(values) -> str:
    """`|a|b|`: a list that a LIKE can search; empty for none."""
    kept = sorted({str(value).replace("|", "") for value in values or ()})
    return f"|{'|'.join(kept)}|" if kept else ""
