"""A new year's calendar moves the open deadlines; regulations stop what they should, on both databases."""

from datetime import UTC, date, datetime

import pytest
from sqlalchemy import select

from engine import audit, calendar, verification
from engine.audit import Kind
from engine.calendar import chinese_year, parse_csv
from engine.commands import calendars, definitions as commands, instances, tasks
from engine.exceptions import Forbidden, RegulationRefused
from engine.instances import Task, Timer
from tests.bpmn.builder import Diagram
from tests.support.county import open_system, person, small_county
from tests.support.databases import ROOT

# The Spring Festival of 2027 is not known to the library: the case below starts in a year without a calendar.
NOW = datetime(2027, 2, 3, 2, 0, tzinfo=UTC)
YEAR = "date,type,name\n2027-02-05,holiday,春节\n2027-02-08,holiday,春节\n2027-02-06,workday,春节调休上班\n"


@pytest.fixture
def system(backend, new_database):
    system = open_system(new_database(backend, small_county))
    yield system
    system.database.dispose()


def deploy(system, **files):
    names = {name.replace("_dot_", "."): content for name, content in files.items()}
    supervisor = person(system, "supervisor")
    version = commands.deploy(system, supervisor, names, now=NOW)
    commands.publish(system, supervisor, version["key"], version["number"], now=NOW)


def waiting(properties=""):
    """One task for a full-time worker, due in three working days, with a reminder after two."""
    diagram = Diagram("waiting")
    diagram.add("startEvent", "start")
    diagram.add("endEvent", "end")
    lines = '<zeebe:assignmentDefinition candidateGroups="full_time"/><zeebe:taskSchedule dueDate="=working days after(now(), 3)"/>'
    diagram.add("userTask", "ask", f"<zeebe:userTask/>{lines}{properties}")
    diagram.timer("boundaryEvent", "late", "Date", "=working days after(now(), 2)", attachedToRef="ask", cancelActivity="false")
    diagram.add("endEvent", "told")
    diagram.path("start", "ask", "end")
    diagram.path("late", "told")
    return diagram.xml()


def due(system):
    with system.database.read() as session:
        task, timer = session.scalars(select(Task)).one(), session.scalars(select(Timer)).one()
        return [(day.astimezone(system.zone).date(), provisional) for day, provisional in
                ((task.due_at, task.due_provisional), (timer.due_at, timer.provisional))]  # fmt: skip


def test_a_new_calendar_moves_open_deadlines(system):
    deploy(system, waiting_dot_bpmn=waiting())
    instances.start(system, person(system, "ft-01-1"), "waiting", {}, "station-01", now=NOW)
    # Wednesday the 3rd: Thursday, Friday, Monday by the week alone
    assert due(system) == [(date(2027, 2, 8), True), (date(2027, 2, 5), True)]
    answer = calendars.import_year(system, person(system, "admin"), parse_csv(YEAR, 2027, "2027.csv"), NOW)
    assert (answer["number"], answer["holidays"], answer["workdays"], answer["cases"]) == (1, 2, 1, 1)
    # Thursday, the worked Saturday, Tuesday
    assert due(system) == [(date(2027, 2, 9), False), (date(2027, 2, 6), False)]
    with system.database.read() as session:
        assert list(verification.verify(session)) == []
        assert calendar.load(session, system.county_id).known(2027)


def test_an_import_replaces_the_year_and_is_recorded(system):
    admin = person(system, "admin")
    for number in (1, 2):
        assert calendars.import_year(system, admin, chinese_year(2026), NOW)["number"] == number
    with pytest.raises(Forbidden):
        calendars.import_year(system, person(system, "lead-01"), chinese_year(2026), NOW)
    with system.database.read() as session:
        kinds = [event.kind for event in audit.events(session, audit.stream("calendar", system.county_id))]
        assert kinds.count(Kind.CALENDAR_IMPORTED) == 2
        assert not calendar.load(session, system.county_id).is_working_day(date(2026, 2, 17))
        assert list(verification.verify(session)) == []


def test_a_regulation_stops_a_completion_and_leaves_one_event(system):
    """A stage is skipped: the completion is refused, names the rule, and nothing but the refusal is written."""
    properties = '<zeebe:properties><zeebe:property name="stage" value="plan"/></zeebe:properties>'
    deploy(system, service_process_dot_dmn=(ROOT / "bpmn" / "regulations" / "service_process.dmn").read_bytes())
    deploy(system, waiting_dot_bpmn=waiting(properties=properties))
    worker = person(system, "ft-01-1")
    instances.start(system, worker, "waiting", {}, "station-01", now=NOW)
    with system.database.read() as session:
        task = session.scalars(select(Task)).one()
    tasks.claim(system, worker, task.id, now=NOW)
    with pytest.raises(RegulationRefused) as refused:
        tasks.complete(system, worker, task.id, {}, now=NOW)
    (verdict,) = refused.value.verdicts
    assert (verdict.rule, verdict.table, verdict.version) == ("process.stage_order", "service_process", "1")
    assert verdict.facts["已完成阶段"] == [] and "预估" in verdict.hint
    with system.database.read() as session:
        assert session.scalars(select(Task)).one().status == "claimed"
        last = audit.events(session, audit.stream("access", worker.person_id))[-1]
        assert (last.kind, last.facts["rules"]) == (Kind.REGULATION_REFUSED, ["process.stage_order"])
        assert list(verification.verify(session)) == []


def test_an_import_that_was_interrupted_is_finished_by_the_worker(system, monkeypatch):
    """Pins: a process killed between the import and the recount left every open deadline on the old calendar."""
    deploy(system, waiting_dot_bpmn=waiting())
    instances.start(system, person(system, "ft-01-1"), "waiting", {}, "station-01", now=NOW)
    before = due(system)
    monkeypatch.setattr(calendars, "reschedule_open_timers", lambda *_: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        calendars.import_year(system, person(system, "admin"), parse_csv(YEAR, 2027), now=NOW)
    monkeypatch.undo()
    assert due(system) == before
    calendars.finish_recount(system, NOW)
    moved = due(system)
    assert moved != before
    calendars.finish_recount(system, NOW)
    with system.database.read() as session:
        kinds = [event.kind for event in audit.events(session, audit.stream("calendar", system.county_id))]
        assert kinds == [Kind.CALENDAR_IMPORTED, Kind.CALENDAR_RECOUNTED]
        assert list(verification.verify(session)) == []
