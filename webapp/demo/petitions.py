"""The demonstration's petitions: `petition_mediation` standing at several stages, done by the county's own people through the engine's
commands, in the order in which things happened, timers included. All persons and disputes are invented."""

import heapq
import json
import random
from dataclasses import dataclass, field
from datetime import datetime, time, timedelta

from sqlalchemy import func, select

from engine import calendar, definitions, instances, organisation
from engine.commands import instances as cases, tasks
from engine.commands.seed import Progress, silent
from engine.commands.timers import fire_due
from engine.exceptions import NotFound, NotPublished
from engine.instances import Instance
from engine.organisation import Actor
from engine.system import System
from webapp.demo.answers import answer
from webapp.demo.disputes import DISPUTES

DEFINITION = "petition_mediation"
BATCH = 200
PETITION, MEDIATOR = "partner:petition", "partner:mediator"
# Who does a task; everything else is a full-time worker's.
DOERS = dict.fromkeys(
    ("register", "refer_out", "receipt", "hand_over", "acceptance", "disposal", "extension", "appeal_request", "appeal_answer"), PETITION
)
DOERS |= dict.fromkeys(("mediate", "agreement"), MEDIATOR)
DOERS |= dict.fromkeys(("approve_plan", "approve_close", "police_noted"), "lead") | {"companion": "volunteer"}


@dataclass(frozen=True)
class Step:
    """One task: which, how many working days after the one before, what is written differently from the usual."""

    element: str
    days: int = 0
    wishes: dict = field(default_factory=dict)


@dataclass(frozen=True)
class Scenario:
    """A petition's course; `claims`: the task somebody has taken and not finished; `waits`: working days it has been standing there."""

    name: str
    steps: tuple[Step, ...]
    claims: str | None = None
    waits: int = 1


_REGISTERED = (Step("register"),)
_HANDED = (*_REGISTERED, Step("hand_over", 1))
_VISITED = (*_HANDED, Step("home_visit", 1), Step("home_visit", 1))
_ASSESSED = (*_VISITED, Step("acceptance", 2), Step("assess", 1))
_PLANNED = (*_ASSESSED, Step("plan", 2))
_APPROVED = (*_PLANNED, Step("approve_plan", 1))
_ASKED = (*_APPROVED, Step("willingness", 1), Step("willingness"))
_AGREED = (*_ASKED, Step("mediate", 2), Step("agreement", 1))
_SETTLED = (*_AGREED, Step("confirmation", 1), Step("governance", 3), Step("companion", 1), Step("evaluate", 2))

SCENARIOS = (
    Scenario("等信访干部登记", (), waits=0),
    Scenario("刚登记，等家访", _REGISTERED, waits=0),
    Scenario("家访了一方", _VISITED[:3], "home_visit"),
    Scenario("等评估", _VISITED),
    Scenario("方案待审批", _PLANNED),
    Scenario("方案退回修改", (*_PLANNED, Step("approve_plan", 1, {"approved": "no"})), "plan"),
    Scenario("征询调解意愿", _APPROVED, "willingness"),
    Scenario("调解中", (*_ASKED, Step("mediate", 2, {"result": "again"})), "mediate"),
    Scenario("一方拒绝，综合治理中", (*_APPROVED, Step("willingness", 1), Step("willingness", 0, {"agree": "no"})), "governance", 3),
    Scenario("达成协议，等司法确认", _AGREED, waits=4),
    Scenario("机关延期办理", (*_AGREED, Step("disposal", 33, {"extend": "yes"}), Step("extension"))),
    Scenario("情况升级，站长待知悉", (*_HANDED, Step("home_visit", 1, {"escalation": "yes"}), Step("police")), waits=0),
    Scenario("检举控告，等转送回执", (Step("register", 0, {"type": "accusation"}), Step("refer_out", 2)), waits=3),
    Scenario("建议，机关已答复", (Step("register", 0, {"type": "suggestion"}), Step("hand_over", 1), Step("acceptance", 5), Step("disposal", 20))),
    Scenario("结案待回访", (*_SETTLED, Step("approve_close", 1)), waits=6),
    Scenario("结案待审批", _SETTLED),
)


def seed_petitions(system: System, now: datetime, progress: Progress = silent) -> int:
    """Make the demonstration's petitions; answers how many. Makes none where there are petitions already.

    Needs staff with partners. An installation that is older than the procedure gets none. A command's refusal is raised: a demonstration
    that breaks the rules is a fault.
    """
    with system.database.read() as session:
        try:
            version_id = definitions.published(system, session, DEFINITION).version_id
        except (NotFound, NotPublished):
            return 0
        query = select(func.count()).select_from(Instance)
        if session.scalar(query.where(Instance.county_id == system.county_id, Instance.definition_key == DEFINITION)):
            return 0
        courses = _courses(system, session, version_id, now.astimezone(system.zone))
    done, total = 0, sum(len(course.times) for course in courses)
    queue = [(course.times[0], number) for number, course in enumerate(courses)]
    heapq.heapify(queue)
    while queue:
        moment, number = heapq.heappop(queue)
        _let_time_pass(system, moment)
        courses[number].go_on(moment)
        done += 1
        progress("办理示范信访", done, total)
        if courses[number].times:
            heapq.heappush(queue, (courses[number].times[0], number))
    _let_time_pass(system, now)
    return len(courses)


def _let_time_pass(system: System, now: datetime) -> None:
    while fire_due(system, now, BATCH) == BATCH:
        pass


def _courses(system: System, session, version_id: str, now: datetime) -> list["_Course"]:
    """Each scenario at a station of its own, with the people there."""
    process = definitions.compiled(system, session, version_id).process
    files = definitions.resources(session, version_id)
    by_id = {schema["id"]: schema for schema in (json.loads(text) for name, text in files.items() if name.endswith(".form"))}
    forms = {element.id: by_id[element.form_id] for element in process.elements.values() if element.form_id}
    days = calendar.load(session, system.county_id, system.zone)
    staff: dict[str, list[Actor]] = {}
    for person in organisation.actors(session, system.vault, system.county_id, "county", limit=100_000):
        for group in (person.groups | {f"partner:{person.partner}"}) if person.partner else person.groups:
            staff.setdefault(f"{group}@{person.unit_path}", []).append(person)
    units = organisation.units(session, system.county_id, on=now.date())
    rooms = [next(room for room in units if room.parent_id == station.id) for station in units if station.kind == "station"]
    made = []
    for number, scenario in enumerate(SCENARIOS):
        room = rooms[number % len(rooms)]
        people = {who.rpartition("@")[0]: found for who, found in staff.items() if who.endswith("@" + room.path.rpartition("/")[0])}
        made.append(_Course(system, scenario, room.key, people, forms, _times(days, scenario, now, number), number))
    return made


def _times(days, scenario: Scenario, now: datetime, number: int) -> list[datetime]:
    """When the case starts, when each step is done, when the last task is claimed: backwards from now, in office hours."""
    gaps = [0, *(step.days for step in scenario.steps), *([0] if scenario.claims else [])]
    day = now.date()
    left = scenario.waits + sum(gaps)
    while left:
        day -= timedelta(days=1)
        left -= days.is_working_day(day)
    moments: list[datetime] = []
    for position, gap in enumerate(gaps):
        while gap:
            day += timedelta(days=1)
            gap -= days.is_working_day(day)
        moments.append(datetime.combine(day, time(8, 40 + number), now.tzinfo) + timedelta(minutes=23 * position))
    late = max(timedelta(0), moments[-1] - (now - timedelta(minutes=5)))
    return [moment - late for moment in moments]


class _Course:
    """One petition on its way."""

    def __init__(self, system: System, scenario: Scenario, place: str, people: dict, forms: dict, times: list[datetime], number: int):
        self.system, self.scenario, self.place, self.people, self.forms = system, scenario, place, people, forms
        self.times, self.number, self.steps, self.id = times, number, list(scenario.steps), None
        self.draw = random.Random(f"petition {number}")
        self.dispute = DISPUTES[number % len(DISPUTES)]

    def go_on(self, moment: datetime) -> None:
        """Do what is next: start, or complete the next step, or claim the task where the case stands."""
        self.times = self.times[1:]
        if self.id is None:
            key = f"demo-petition-{self.number}"
            self.id = cases.start(self.system, self.who("home_visit"), DEFINITION, {}, self.place, now=moment, key=key)["id"]
        elif self.steps:
            self.complete(self.steps.pop(0), moment)
        else:
            tasks.claim(self.system, self.who(self.scenario.claims), self.task(self.scenario.claims), now=moment)

    def complete(self, step: Step, moment: datetime) -> None:
        """Take a task and fill in its form."""
        actor, task_id, here = self.who(step.element), self.task(step.element), moment.astimezone(self.system.zone)
        tasks.claim(self.system, actor, task_id, now=moment - timedelta(minutes=2))
        wishes = {"receivedOn": here.date().isoformat(), "reps": 0, "revisitOn": here.date().isoformat()} | self.dispute | step.wishes
        if step.wishes.get("agree") == "no":
            wishes["signed"] = None
        data = answer(self.forms[step.element], wishes, here, self.draw)
        tasks.complete(self.system, actor, task_id, data, now=moment)

    def who(self, element: str) -> Actor:
        """Who does a task."""
        people = self.people[DOERS.get(element, "full_time")]
        return people[self.number % len(people)]

    def task(self, element: str) -> str:
        """The open task of this element."""
        with self.system.database.read() as session:
            found = {task.element: task.id for task in instances.tasks_of(session, self.id) if task.status == instances.OFFERED}
        if element not in found:
            raise RuntimeError(f"示范信访“{self.scenario.name}”应在“{element}”，实际在 {sorted(found)}")
        return found[element]
