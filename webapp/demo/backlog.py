"""The demonstration's cases: `service_delivery` standing at every stage, done by the county's own people through the engine's commands,
in the order in which things happened, timers included."""

import heapq
import json
import random
from dataclasses import dataclass, field
from datetime import datetime, time, timedelta

from sqlalchemy import func, select

from engine import calendar, clients, definitions, instances, organisation
from engine.clients import Record
from engine.commands import instances as cases, tasks
from engine.commands.alerts import acknowledge
from engine.commands.seed import Progress, silent
from engine.commands.timers import fire_due
from engine.instances import Instance
from engine.organisation import Actor
from engine.registers import alerts
from engine.system import System
from webapp.demo.answers import answer
from webapp.demo.stories import story_of

DEFINITION = "service_delivery"
BATCH = 200


@dataclass(frozen=True)
class Step:
    """One task of a scenario: which, how many working days after the one before, and what is written differently from the usual."""

    element: str
    days: int = 0
    wishes: dict = field(default_factory=dict)


@dataclass(frozen=True)
class Scenario:
    """A case's course. `claims`: the task that somebody has taken and not finished; `waits`: working days it has been standing there."""

    name: str
    steps: tuple[Step, ...]
    copies: int = 1
    claims: str | None = None
    waits: int = 1


_VISIT = (Step("visit"),)
_ANSWERED = (*_VISIT, Step("first_response", 1))
_ACCEPTED = (*_ANSWERED, Step("intake", 1))
_ASSESSED = (*_ACCEPTED, Step("assessment", 4))
_PLANNED = (*_ASSESSED, Step("plan", 3))
_APPROVED = (*_PLANNED, Step("approve_plan", 1))
_MORE = {"moreNeeded": "yes"}
_SERVED = (*_APPROVED, Step("record", 3, _MORE), Step("record", 5, _MORE), Step("record", 5))
_EVALUATED = (*_SERVED, Step("evaluate", 2))
_CLOSING = (*_EVALUATED, Step("close", 1))
_FOLLOWED = (*_CLOSING, Step("approve_close", 1))
_CRISIS = (
    Step("visit", 0, {"crisis": True, "urgency": "urgent", "basis": "emergency"}),
    Step("crisis_act", 0, {"needs": ["care", "medical"]}),
)
_BACKFILLED = (
    *_CRISIS,
    Step("crisis_approval"),
    Step("county_crisis"),
    Step("backfill", 1, {"risk": "urgent", "needs": ["care", "medical"]}),
)
_MOVED = {"closeReason": "moved", "closeSummary": "对象随子女迁往外县，已与当地社工站衔接，结案。"}
_CONSENTED = (
    Step("visit", 0, {"basis": "consent"}),
    Step("first_response", 1),
    Step("intake", 1, {"basis": "consent", "statutoryGround": None}),
)

SCENARIOS = (
    Scenario("刚发起，等走访登记", (), 3, waits=0),
    Scenario("等首次响应", _VISIT, 3, waits=0),
    Scenario("等接案", _ANSWERED, 3, "intake"),
    Scenario("接案逾期", _ANSWERED, 1, "intake", waits=6),
    Scenario("等签署同意", _CONSENTED, 1),
    Scenario("等预估", _ACCEPTED, 3, "assessment", waits=3),
    Scenario("预估逾期", _ACCEPTED, 1, waits=13),
    Scenario("等制定计划", _ASSESSED, 4, "plan", waits=2),
    Scenario("等审批计划", _PLANNED, 4),
    Scenario("危机处置中", _CRISIS[:1], 1, "crisis_act", waits=0),
    Scenario("危机后待补录", _CRISIS, 1, waits=1),
    Scenario("危机补录完成，等计划", _BACKFILLED, 1, waits=2),
    Scenario("介入服务中", (*_APPROVED, Step("record", 3, _MORE)), 4, "record", waits=2),
    Scenario("长期介入", (*_APPROVED, *(Step("record", 7, _MORE) for _ in range(6))), 1),
    Scenario("等评估", _SERVED, 3, "evaluate"),
    Scenario(
        "评估后重订计划", (*_SERVED, Step("evaluate", 2, {"evaluationResult": "replan", "score": 4}), Step("plan", 3)), 1
    ),
    Scenario("等结案", _EVALUATED, 2),
    Scenario("等审批结案", _CLOSING, 2),
    Scenario("结案后待跟进", _FOLLOWED, 1, waits=10),
    Scenario("一个月跟进到期", _FOLLOWED, 1, waits=24),
    Scenario("跟进中", (*_FOLLOWED, Step("follow_up", 24)), 1, waits=5),
    Scenario("不予受理", (*_ANSWERED, Step("intake", 1, {"inScope": "no"})), 1, waits=8),
    Scenario("迁出结案", (*_EVALUATED, Step("close", 1, _MOVED), Step("approve_close", 1)), 1, waits=12),
    Scenario("全程办结", (*_FOLLOWED, Step("follow_up", 24), Step("follow_up", 44), Step("follow_up", 66)), 1, waits=5),
)


def seed_backlog(system: System, now: datetime, progress: Progress = silent) -> int:
    """Make the demonstration's cases; answers how many. Makes none where there are cases already.

    Needs `service_delivery` published, and a county with clients and staff. A command's refusal is raised: a demonstration that
    breaks the rules is a fault.
    """
    with system.database.read() as session:
        version_id = definitions.published(system, session, DEFINITION).version_id
        cases_there = session.scalar(select(func.count()).select_from(Instance).where(Instance.county_id == system.county_id))
        if cases_there:
            return 0
        plan = _Plan(system, session, version_id, now)
    done, total = 0, sum(len(course.times) for course in plan.courses)
    queue = [(course.times[0], number) for number, course in enumerate(plan.courses)]
    heapq.heapify(queue)
    while queue:
        moment, number = heapq.heappop(queue)
        course = plan.courses[number]
        _let_time_pass(system, moment)
        course.go_on(moment)
        done += 1
        progress("办理示范个案", done, total)
        if course.times:
            heapq.heappush(queue, (course.times[0], number))
    _let_time_pass(system, now)
    return len(plan.courses)


def _let_time_pass(system: System, now: datetime) -> None:
    while fire_due(system, now, BATCH) == BATCH:
        pass


class _Plan:
    """Who is served by whom, and when: read once, so that the commands need nothing but ids."""

    def __init__(self, system: System, session, version_id: str, now: datetime):
        process = definitions.compiled(system, session, version_id).process
        files = definitions.resources(session, version_id)
        schemas = [json.loads(content) for name, content in files.items() if name.endswith(".form")]
        by_id = {schema["id"]: schema for schema in schemas}
        self.forms = {element.id: by_id[element.form_id] for element in process.elements.values() if element.form_id}
        self.calendar = calendar.load(session, system.county_id, system.zone)
        people = organisation.actors(session, system.vault, system.county_id, "county", limit=100_000)
        served = _served(system, session)
        self.staff: dict[str, list[Actor]] = {}
        for person in people:
            for group in {person.workforce, *person.roles} - {None, "worker"}:
                self.staff.setdefault(f"{group}@{person.unit_path}", []).append(person)
        self.courses: list[_Course] = []
        for scenario in [each for each in SCENARIOS for _ in range(each.copies)]:
            record = served[len(self.courses) % len(served)]
            number = len(self.courses)
            times = self.times(scenario, now.astimezone(system.zone), number)
            self.courses.append(_Course(system, self, scenario, record, times, number))

    def times(self, scenario: Scenario, now: datetime, number: int) -> list[datetime]:
        """When the case starts, when each step is done, when the last task is claimed: backwards from now, in office hours."""
        gaps = [0, *(step.days for step in scenario.steps), *([0] if scenario.claims else [])]
        day = self.before(now.date(), scenario.waits + sum(gaps))
        moments = []
        for position, gap in enumerate(gaps):
            day = self.after(day, gap)
            same_day = position - next(at for at in range(position, -1, -1) if at == 0 or gaps[at])
            moment = datetime.combine(day, time(8, 30 + number % 25), now.tzinfo) + timedelta(minutes=40 * same_day + 2 * position)
            moments.append(moment)
        late = max(timedelta(0), moments[-1] - (now - timedelta(minutes=5)))
        return [moment - late for moment in moments]

    def before(self, day, working_days: int):
        """The day that many working days earlier."""
        while working_days:
            day -= timedelta(days=1)
            working_days -= self.calendar.is_working_day(day)
        return day

    def after(self, day, working_days: int):
        """The day that many working days later."""
        while working_days:
            day += timedelta(days=1)
            working_days -= self.calendar.is_working_day(day)
        return day

    def worker(self, element: str, record: Record, number: int) -> Actor:
        """Who does a task: the room's assistant visits, the lead approves, the county hears of a crisis, full-time workers do the rest."""
        station = record.unit_path.rsplit("/", 1)[0]
        group, place = {
            "visit": ("assistant", record.unit_path),
            "approve_plan": ("lead", station),
            "approve_close": ("lead", station),
            "crisis_approval": ("lead", station),
            "county_crisis": ("supervisor", "county"),
        }.get(element, ("full_time", station))
        people = self.staff[f"{group}@{place}"]
        return people[number % len(people)]


class _Course:
    """One case on its way."""

    def __init__(self, system: System, plan: _Plan, scenario: Scenario, record: Record, times: list[datetime], number: int):
        self.system, self.plan, self.record, self.times, self.number = system, plan, record, times, number
        self.scenario, self.steps, self.id = scenario, list(scenario.steps), None
        self.draw = random.Random(number)

    def go_on(self, moment: datetime) -> None:
        """Do what is next: start, or complete the next step, or claim the task where the case stands."""
        self.times = self.times[1:]
        if self.id is None:
            actor = self.plan.worker("visit", self.record, self.number)
            place = self.record.unit_key
            self.id = cases.start(
                self.system, actor, DEFINITION, {}, place, self.record.id, now=moment, key=f"demo-case-{self.number}"
            )["id"]
        elif self.steps:
            self.complete(self.steps.pop(0), moment)
        else:
            actor, task_id, _schema = self.task(self.scenario.claims)
            tasks.claim(self.system, actor, task_id, now=moment)

    def complete(self, step: Step, moment: datetime) -> None:
        actor, task_id, schema = self.task(step.element)
        tasks.claim(self.system, actor, task_id, now=moment - timedelta(minutes=2))
        data = answer(schema, self.about_client(moment) | step.wishes, moment.astimezone(self.system.zone), self.draw)
        tasks.complete(self.system, actor, task_id, data, now=moment)
        if step.element == "crisis_approval":
            self.tell_of_report(actor, moment)

    def tell_of_report(self, lead: Actor, moment: datetime) -> None:
        """The lead notes that the crisis was reported to the county centre."""
        with self.system.database.read() as session:
            waiting = alerts.waiting(session, self.system.vault, lead)
        for line in waiting:
            if line.alert.about("instance") == self.id:
                acknowledge(self.system, lead, line.alert.id, "已电话报告县中心，书面报告存本站个案档案。", now=moment)

    def task(self, element: str) -> tuple[Actor, str, dict]:
        """Who does the open task of this element, its id and its form's schema."""
        with self.system.database.read() as session:
            open_tasks = {task.element: task.id for task in instances.tasks_of(session, self.id)}
        if element not in open_tasks:
            raise RuntimeError(f"示范个案“{self.scenario.name}”应在“{element}”，实际在 {sorted(open_tasks)}")
        return self.plan.worker(element, self.record, self.number), open_tasks[element], self.plan.forms[element]

    def about_client(self, moment: datetime) -> dict:
        """What is written of the person. Categories as registered; somebody without one is entered for their need."""
        record = self.record
        story = story_of(record, moment.date())
        return {key: self.draw.choice(texts) for key, texts in story.items()} | {
            "clientName": record.name,
            "birthDate": record.birth_date.isoformat(),
            "categories": list(record.categories) or ["minimum_living"],
        }


def _served(system: System, session) -> list[Record]:
    """A client of every station in turn, and again, so that the cases spread over the county."""
    everybody, cursor = [], None
    while True:
        page, cursor = clients.search(session, system.vault, Actor.system(system.county_id), "", cursor, clients.PAGE)
        everybody += page
        if cursor is None:
            break
    by_station: dict[str, list[Record]] = {}
    for record in everybody:
        by_station.setdefault(record.unit_path.split("/")[1], []).append(record)
    turns = range(max(len(records) for records in by_station.values()))
    return [records[turn] for turn in turns for records in by_station.values() if turn < len(records)]
