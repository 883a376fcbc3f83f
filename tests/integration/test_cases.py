"""A case from start to end through the commands, on both databases: who may do what, and what is left behind."""

import json
from datetime import timedelta

import pytest
from sqlalchemy import event

from engine import instances
from engine.bundle import GIVEN
from engine.commands.clients import register
from engine.commands.instances import cancel, retry, start
from engine.commands.organisation import merge_rooms
from engine.commands.tasks import claim, complete, delegate, release
from engine.exceptions import (
    Forbidden,
    IdempotencyMismatch,
    InvalidForm,
    InvalidRequest,
    NotFound,
    NotOffered,
    ReceiverUnfit,
    TaskClosed,
    TaskNotYours,
    TaskTaken,
)
from tests.bpmn.builder import Diagram
from tests.support.counties import County, prepare
from webapp.county.figures import by_station

ASSIGN = '<zeebe:assignmentDefinition candidateGroups="full_time,part_time"/>'


def form(ident: str, *components: dict) -> str:
    return json.dumps({"id": ident, "type": "default", "schemaVersion": 19, "components": list(components)})


def number(key: str, **more) -> dict:
    return {"type": "number", "id": f"field_{key}", "key": key, "label": key, "validate": {"required": True}} | more


def two_steps() -> dict:
    """ask (amount) → check; anybody of full_time or part_time."""
    diagram = Diagram("two_steps", "两步")
    diagram.add("startEvent", "start")
    diagram.user("ask", ASSIGN)
    diagram.user("check", ASSIGN)
    diagram.add("endEvent", "end")
    diagram.path("start", "ask", "check", "end")
    return {"two_steps.bpmn": diagram.xml(), "ask.form": form("ask", number("amount")), "check.form": form("check")}


@pytest.fixture
def steps(county):
    county.deploy(**two_steps())
    return county


def test_a_case_begins_with_what_is_known_of_its_client(steps):
    """engine.bundle.GIVEN promises these names to the check for misspelt variables."""
    data = {"name": "张三", "birth_date": "1950-05-01", "categories": ["orphan"]}
    client = register(steps.system, steps.act("ft-01-1"), data, "room-001", now=steps.now)
    case = start(steps.system, steps.act("ft-01-1"), "two_steps", {}, "room-001", client["id"], now=steps.now)
    assert steps.variables(case["id"]).keys() == GIVEN


def test_a_case_runs_to_its_end_and_its_history_verifies(steps):
    case = steps.start("two_steps")
    assert [task["element"] for task in case["tasks"]] == ["ask"]
    answer = steps.do("ft-01-1", case["id"], "ask", {"amount": 5})
    assert answer["status"] == "completed"
    assert [task["element"] for task in answer["tasks"]] == ["check"]
    answer = steps.do("pt-01-1", case["id"], "check")
    assert answer["instance"]["status"] == "completed"
    assert steps.variables(case["id"]) == {"placeName": "张庄村", "amount": 5}
    kinds = [line["kind"] for line in steps.history(case["id"])]
    assert kinds[0] == "instance:started"
    assert kinds.count("task:completed") == 2
    assert kinds[-1] == "case:completed"
    assert steps.faults() == []


def test_starting_with_data_answers_the_first_form_as_if_typed(steps):
    case = steps.start("two_steps", data={"amount": 7})
    assert list(steps.open_tasks(case["id"])) == ["check"]
    with pytest.raises(InvalidForm):
        steps.start("two_steps", data={"amount": "seven"})
    with pytest.raises(InvalidForm):
        steps.start("two_steps", data={"amount": 7, "approved": True})


def test_who_sees_and_may_claim_a_task(steps):
    case = steps.start("two_steps")
    assert steps.inbox("ft-01-1") == steps.inbox("pt-01-1") == ["ask"]
    for stranger in ("volunteer-01-1", "assistant-001", "partner-01-child", "ft-02-1", "supervisor", "lead-01"):
        assert steps.inbox(stranger) == [], stranger
    assert steps.inbox("lead-01", "station") == ["ask"]
    assert steps.inbox("lead-02", "station") == []
    task = steps.open_tasks(case["id"])["ask"]
    for stranger, error in (("volunteer-01-1", NotFound), ("ft-02-1", NotFound), ("lead-01", NotOffered), ("auditor", Forbidden)):
        with pytest.raises(error):
            claim(steps.system, steps.act(stranger), task.id, now=steps.now)
    assert steps.open_tasks(case["id"])["ask"].status == "offered"


def test_a_claimed_task_is_its_holders(steps):
    case = steps.start("two_steps")
    task = steps.open_tasks(case["id"])["ask"]
    one, other = steps.act("ft-01-1"), steps.act("ft-01-2")
    claim(steps.system, one, task.id, now=steps.now)
    with pytest.raises(TaskTaken) as refusal:
        claim(steps.system, other, task.id, now=steps.now)
    assert one.name in refusal.value.message
    with pytest.raises(TaskTaken):
        complete(steps.system, other, task.id, {"amount": 1}, now=steps.now)
    assert steps.inbox("ft-01-1", "mine") == ["ask"]
    release(steps.system, one, task.id, now=steps.now)
    with pytest.raises(TaskNotYours):
        complete(steps.system, one, task.id, {"amount": 1}, now=steps.now)
    claim(steps.system, other, task.id, now=steps.now)
    complete(steps.system, other, task.id, {"amount": 1}, now=steps.now)
    with pytest.raises(TaskClosed):
        complete(steps.system, other, task.id, {"amount": 1}, now=steps.now)


def test_a_lead_hands_a_task_to_somebody_it_is_for(steps):
    case = steps.start("two_steps")
    task = steps.open_tasks(case["id"])["ask"]
    lead = steps.act("lead-01")
    delegate(steps.system, lead, task.id, "ft-01-2", now=steps.now)
    assert steps.inbox("ft-01-2", "mine") == ["ask"]
    with pytest.raises(ReceiverUnfit, match="^不能转派给这位同事") as refused:  # it spoke to the lead: "您不能办理"
        delegate(steps.system, lead, task.id, "volunteer-01-1", now=steps.now)
    assert "您" not in refused.value.message
    with pytest.raises(NotFound):
        delegate(steps.system, steps.act("lead-02"), task.id, "ft-02-1", now=steps.now)
    assert steps.faults() == []


def test_a_wrong_form_changes_nothing(steps):
    case = steps.start("two_steps")
    task = steps.open_tasks(case["id"])["ask"]
    worker = steps.act("ft-01-1")
    claim(steps.system, worker, task.id, now=steps.now)
    before = len(steps.history(case["id"]))
    for data in ({}, {"amount": "x"}, {"amount": None}, {"amount": 1, "other": 2}, {"amount": [1]}):
        with pytest.raises(InvalidForm):
            complete(steps.system, worker, task.id, data, now=steps.now)
    assert len(steps.history(case["id"])) == before
    assert steps.open_tasks(case["id"])["ask"].status == "claimed"


def test_an_idempotency_key_answers_what_it_answered_first(steps):
    case = steps.start("two_steps")
    task = steps.open_tasks(case["id"])["ask"]
    worker = steps.act("ft-01-1")
    claim(steps.system, worker, task.id, now=steps.now, key="k1")
    first = complete(steps.system, worker, task.id, {"amount": 3}, now=steps.now, key="k1")
    assert complete(steps.system, worker, task.id, {"amount": 3}, now=steps.now, key="k1") == first
    with pytest.raises(IdempotencyMismatch):
        complete(steps.system, worker, task.id, {"amount": 4}, now=steps.now, key="k1")
    assert start(steps.system, worker, "two_steps", place="room-001", now=steps.now, key="s")["id"] == (
        start(steps.system, worker, "two_steps", place="room-001", now=steps.now, key="s")["id"]
    )


def test_a_refusal_is_not_remembered_under_its_key(steps):
    case = steps.start("two_steps")
    task = steps.open_tasks(case["id"])["ask"]
    worker = steps.act("ft-01-1")
    claim(steps.system, worker, task.id, now=steps.now)
    with pytest.raises(InvalidForm):
        complete(steps.system, worker, task.id, {"amount": "x"}, now=steps.now, key="k")
    assert complete(steps.system, worker, task.id, {"amount": 3}, now=steps.now, key="k")["status"] == "completed"


def test_where_a_case_may_be_started(steps):
    with pytest.raises(Forbidden) as refusal:
        steps.start("two_steps", place="room-004", who="ft-01-1")
    assert "发起个案" in refusal.value.message and "instance" not in refusal.value.message + refusal.value.hint
    with pytest.raises(NotFound):
        steps.start("two_steps", place="room-999")
    with pytest.raises(NotFound):
        steps.start("no_such_procedure")
    with pytest.raises(Forbidden):
        steps.start("two_steps", who="volunteer-01-1", place="station-01")


def test_a_refused_right_leaves_one_event_in_the_actors_stream(steps):
    from engine import audit

    with pytest.raises(Forbidden):
        steps.start("two_steps", who="volunteer-01-1", place="station-01")
    with steps.system.database.read() as session:
        [line] = audit.events(session, audit.stream("access", steps.act("volunteer-01-1").person_id))
    assert (line.kind, line.facts["route"]) == ("right:refused", "instance:start")


def test_a_cancelled_case_takes_its_tasks_and_timers_with_it(steps):
    case = steps.start("two_steps")
    with pytest.raises(Forbidden):
        cancel(steps.system, steps.act("ft-01-1"), case["id"], "不想做", now=steps.now)
    with pytest.raises(NotFound):
        cancel(steps.system, steps.act("lead-02"), case["id"], "不是本站", now=steps.now)
    assert cancel(steps.system, steps.act("lead-01"), case["id"], "重复登记", now=steps.now)["status"] == "cancelled"
    assert steps.open_tasks(case["id"]) == {}
    assert steps.faults() == []


def test_open_cases_go_with_their_village(steps):
    """Pins: after villages merged, the new room's assistant did not see the cases of the old one."""
    moving, ended = steps.start("two_steps", data={"amount": 1}), steps.start("two_steps", data={"amount": 1})
    steps.do("ft-01-1", ended["id"], "check")
    assert merge_rooms(steps.system, steps.act("admin"), ["room-001"], "room-002", now=steps.now)["cases"] == 1
    assert steps.instance(moving["id"]).place_path == "county/station-01/room-002"
    assert steps.open_tasks(moving["id"])["check"].place_path == "county/station-01/room-002"
    assert steps.instance(ended["id"]).place_path == "county/station-01/room-001"
    steps.do("ft-01-1", moving["id"], "check")
    assert steps.faults() == []


def deadline_process() -> dict:
    """slow, with a non-interrupting reminder each day (three times) and an interrupting end after a week."""
    diagram = Diagram("deadline", "限期")
    diagram.add("startEvent", "start")
    diagram.user("slow", ASSIGN)
    diagram.timer("boundaryEvent", "daily", "Cycle", "R3/P1D", attachedToRef="slow", cancelActivity="false")
    diagram.user("remind", '<zeebe:assignmentDefinition candidateGroups="lead"/>')
    diagram.timer("boundaryEvent", "week", "Duration", "P7D", attachedToRef="slow")
    diagram.add("endEvent", "end")
    diagram.add("endEvent", "reminded")
    diagram.add("endEvent", "late")
    diagram.path("start", "slow", "end")
    diagram.path("daily", "remind", "reminded")
    diagram.path("week", "late")
    return {"deadline.bpmn": diagram.xml(), "slow.form": form("slow"), "remind.form": form("remind")}


def test_timers_fire_when_they_are_due_and_once(county):
    county.deploy(**deadline_process())
    case = county.start("deadline")
    assert county.pass_time(hours=23) == 0
    assert county.pass_time(hours=1) == 1
    assert county.pass_time() == 0
    assert county.inbox("lead-01") == ["remind"]
    assert county.pass_time(days=1) + county.pass_time(days=1) == 2
    assert county.inbox("lead-01") == ["remind"] * 3
    assert county.faults() == []
    county.pass_time(days=4)
    assert set(county.open_tasks(case["id"])) == {"remind"}
    for _ in range(3):
        county.do("lead-01", case["id"], "remind")
    assert county.instance(case["id"]).status == "completed"
    assert county.faults() == []


def test_a_broken_step_is_an_incident_that_can_be_retried_and_stops_nobody_else(county):
    diagram = Diagram("broken", "出错")
    diagram.add("startEvent", "start")
    diagram.user("ask", ASSIGN)
    diagram.add("exclusiveGateway", "large")
    diagram.add("endEvent", "yes")
    diagram.add("endEvent", "no")
    diagram.path("start", "ask", "large")
    diagram.flow("large", "yes", "limit < amount")
    diagram.flow("large", "no", "limit >= amount")
    county.deploy(**{"broken.bpmn": diagram.xml(), "ask.form": form("ask", number("amount"))})
    case = county.start("broken")
    answer = county.do("ft-01-1", case["id"], "ask", {"amount": 5})
    assert answer["instance"]["status"] == "incident"
    with pytest.raises(Forbidden):
        retry(county.system, county.act("ft-01-1"), case["id"], now=county.now)
    assert retry(county.system, county.act("supervisor"), case["id"], now=county.now)["status"] == "incident"
    kinds = [line["kind"] for line in county.history(case["id"])]
    assert kinds.count("incident:raised") == 2
    assert county.faults() == []


def test_a_procedure_starts_on_schedule(county):
    diagram = Diagram("yearly", "大走访")
    diagram.timer("startEvent", "each_year", "Cycle", "R2/P1D")
    diagram.user("visit", '<zeebe:assignmentDefinition candidateGroups="supervisor"/>')
    diagram.add("endEvent", "end")
    diagram.path("each_year", "visit", "end")
    county.deploy(**{"yearly.bpmn": diagram.xml(), "visit.form": form("visit")})
    assert county.pass_time(hours=23) == 0
    assert county.pass_time(hours=2) == 1
    assert county.inbox("supervisor") == ["visit"]
    assert county.pass_time(days=5) == 1
    assert county.inbox("supervisor") == ["visit", "visit"]
    assert county.faults() == []


def test_a_night_without_a_worker_is_made_up_for_by_one_start(county):
    """Nine cases were begun at once, one for each hour of the night."""
    diagram = Diagram("hourly", "巡查")
    diagram.timer("startEvent", "each_hour", "Cycle", "R/PT1H")
    diagram.user("look", '<zeebe:assignmentDefinition candidateGroups="supervisor"/>')
    diagram.add("endEvent", "end")
    diagram.path("each_hour", "look", "end")
    county.deploy(**{"hourly.bpmn": diagram.xml(), "look.form": form("look")})
    assert county.pass_time(hours=9, minutes=20) == 1
    assert county.inbox("supervisor") == ["look"]
    assert county.pass_time(minutes=39) == 0 and county.pass_time(minutes=1) == 1
    assert county.faults() == []


def test_a_schedule_that_gives_no_time_cannot_be_published(county):
    diagram = Diagram("never", "从不")
    diagram.timer("startEvent", "each_year", "Cycle", "=parameters.nothing")
    diagram.user("visit", ASSIGN)
    diagram.add("endEvent", "end")
    diagram.path("each_year", "visit", "end")
    with pytest.raises(InvalidRequest):
        county.deploy(**{"never.bpmn": diagram.xml(), "visit.form": form("visit")})


def test_one_broken_timer_does_not_stop_the_others(county, monkeypatch):
    from engine.workflow import Case

    county.deploy(**deadline_process())
    bad, good = county.start("deadline"), county.start("deadline")
    fire = Case.fire

    def faulty(case, timer, env):
        if env.names["case"]["id"] == bad["id"]:
            raise RuntimeError("out of memory")
        fire(case, timer, env)

    monkeypatch.setattr(Case, "fire", faulty)
    assert county.pass_time(days=1) == 1
    assert "remind" in county.open_tasks(good["id"])
    assert county.history(bad["id"])[-1]["kind"] == "timer:failed"
    monkeypatch.undo()
    county.now += timedelta(minutes=10)
    assert county.pass_time() == 1
    assert "remind" in county.open_tasks(bad["id"])
    assert county.faults() == []


def test_a_completion_is_at_most_15_statements_and_one_commit_whatever_its_history(county):
    diagram = Diagram("again", "重复")
    diagram.add("startEvent", "start")
    diagram.user("work", ASSIGN)
    diagram.add("exclusiveGateway", "more")
    diagram.add("endEvent", "end")
    diagram.path("start", "work", "more")
    diagram.flow("more", "end", "amount = 0")
    diagram.flow("more", "work", default=True)
    county.deploy(**{"again.bpmn": diagram.xml(), "work.form": form("work", number("amount"))})
    case = county.start("again")
    counts, sizes = [], []
    statements, commits = [], []
    engine = county.system.database.engine
    event.listen(engine, "before_cursor_execute", lambda c, cursor, sql, *_: statements.append(sql))
    event.listen(engine, "commit", lambda c: commits.append(1))
    for _ in range(30):
        task = county.open_tasks(case["id"])["work"]
        claim(county.system, county.act("ft-01-1"), task.id, now=county.now)
        statements.clear(), commits.clear()
        complete(county.system, county.act("ft-01-1"), task.id, {"amount": 1}, now=county.now, key=task.id)
        counts.append(len(statements))
        assert len(commits) == 1
        sizes.append(len(county.instance(case["id"]).sealed_state))
    assert max(counts) <= 15
    assert counts[-1] == counts[5]
    assert sizes[-1] <= sizes[5] + 8  # the digits of a counter


def test_lists_of_cases_read_no_more_than_a_page(new_database):
    """With 100,000 cases each of these took 0.4 s: every case of the county was read and sorted. (PostgreSQL plans by its statistics.)"""
    county = County(new_database("sqlite", prepare=prepare))
    statements = []

    def note(_connection, _cursor, statement, parameters, _context, _many):
        if "FROM instance" in statement:
            statements.append((statement, parameters))

    event.listen(county.system.database.engine, "before_cursor_execute", note)
    with county.system.database.read() as session:
        for who in ("supervisor", "lead-01", "assistant-001"):
            instances.cases(session, county.act(who))
            instances.cases(session, county.act(who), status="incident", cursor="f")
            instances.search(session, county.act(who), "张三", ["nobody"], limit=30)
        by_station(session, county.system.county_id, county.now)
        event.remove(county.system.database.engine, "before_cursor_execute", note)
        for statement, parameters in statements:
            plan = [row[3] for row in session.connection().exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", parameters)]
            assert not [step for step in plan if step.startswith("SCAN instance")], plan
            if "GROUP BY" in statement:
                assert any("COVERING INDEX instance_by_status" in step for step in plan), plan
    county.system.database.dispose()


def test_no_two_cases_share_a_number(county, monkeypatch):
    """Of 27,000 cases of one day two drew the same six letters, and the second start was refused as if somebody had been quicker."""
    county.deploy(**two_steps())
    first = county.start("two_steps")["number"]
    drawn = iter([first, first, f"{first[:-6]}222222"])
    monkeypatch.setattr(instances, "new_number", lambda _now: next(drawn))
    assert county.start("two_steps")["number"] == f"{first[:-6]}222222"
