"""Late tasks and the ends of periods are looked at by the regulations, each once, whatever a diagram does about it."""

from datetime import date, datetime, timedelta

import pytest

from engine.audit import Kind, events
from engine.commands.clock import sweep
from engine.commands.lateness import next_look
from engine.commands.periods import ended
from engine.registers import alerts
from tests.support.county import NOW
from tests.support.journeys import likely
from tests.support.tables import file, table

OUTPUTS = [(name, "string") for name in ("rule", "effect", "message", "message_en", "source", "notify")]
SAID = ['"请处理"', '"See to it"', '"站内默认"']


def regulation(inputs: list[str], *rows: list[str]) -> dict[str, bytes]:
    """A regulation of the tests, as a bundle. Each row: cells of the inputs; rule; effect; whom to notify."""
    rules = [[*row[:-1], *SAID, row[-1]] for row in rows]
    return {"watch.dmn": file(table([(text, "Any") for text in inputs], OUTPUTS, rules, hit="COLLECT", ident="watch"))}


def raised(county, who: str) -> list[str]:
    """The rules of the alerts that somebody has to act on, of those that these tests are about."""
    with county.system.database.read() as session:
        found = [line.alert.rule for line in alerts.waiting(session, county.system.vault, county.act(who))]
    return [rule for rule in found if rule.startswith("watch.")]


def kinds(county, stream: str) -> list[str]:
    with county.system.database.read() as session:
        return [event.kind for event in events(session, stream)]


@pytest.fixture
def watched(working_county):
    """A county whose own regulation looks at late intakes."""
    inputs = ["point", "record.kind", "task.element", "record.hours_late"]
    row = ['"clock"', '"task"', '"intake"', ">= 0", '"watch.intake"', '"task"', '"lead"']
    worse = ['"clock"', '"task"', '"intake"', ">= 24", '"watch.intake_worse"', '"task"', '"supervisor"']
    working_county.deploy(**regulation(inputs, row, worse))
    case = working_county.start("service_delivery")["id"]
    working_county.do("ft-01-1", case, "visit", likely("visit", working_county.now))
    working_county.do("ft-01-1", case, "first_response", likely("first_response", working_county.now))
    return working_county, case


def test_a_late_task_is_told_to_the_lead_once_and_later_to_the_supervisor(watched):
    county, case = watched
    county.now = county.open_tasks(case)["intake"].due_at - timedelta(minutes=1)
    county.pass_time(seconds=1)
    assert raised(county, "lead-01") == []
    county.pass_time(seconds=59)
    assert raised(county, "lead-01") == ["watch.intake"]
    county.pass_time(hours=5)
    assert kinds(county, f"instance/{case}").count(Kind.TASK_LATE) == 1  # the next look is after a day
    county.pass_time(hours=24)
    assert raised(county, "lead-01") == ["watch.intake"]
    assert raised(county, "supervisor") == ["watch.intake_worse"]
    assert kinds(county, f"instance/{case}").count(Kind.TASK_LATE) == 2
    assert county.faults() == []


def test_a_task_that_is_done_is_not_looked_at(watched):
    county, case = watched
    county.do("ft-01-1", case, "intake", likely("intake", county.now))
    county.pass_time(days=4)
    assert raised(county, "lead-01") == []


def test_two_sweeps_look_once(watched):
    county, case = watched
    county.now += timedelta(days=5)
    assert sweep(county.system, county.now) >= 1
    assert sweep(county.system, county.now) == 0
    assert kinds(county, f"instance/{case}").count(Kind.TASK_LATE) == 1


@pytest.mark.parametrize(
    ("due", "now", "expected"),
    [
        ("2026-03-02", "2026-03-02", "2026-03-03"),
        ("2026-03-02", "2026-03-03", "2026-03-05"),
        ("2026-03-02", "2026-03-05", "2026-03-09"),
        ("2026-03-02", "2026-03-20", "2026-03-27"),
    ],
)
def test_when_a_late_task_is_looked_at_again(due, now, expected):
    assert next_look(datetime.fromisoformat(due), datetime.fromisoformat(now)) == datetime.fromisoformat(expected)


@pytest.mark.parametrize(
    ("kind", "today", "name", "first", "last"),
    [
        ("month", "2026-03-02", "2026-02", "2026-02-01", "2026-02-28"),
        ("month", "2026-01-01", "2025-12", "2025-12-01", "2025-12-31"),
        ("quarter", "2026-03-31", "2025-Q4", "2025-10-01", "2025-12-31"),
        ("quarter", "2026-04-01", "2026-Q1", "2026-01-01", "2026-03-31"),
        ("year", "2026-12-31", "2025", "2025-01-01", "2025-12-31"),
    ],
)
def test_the_period_that_ended_last(kind, today, name, first, last):
    found = ended(kind, date.fromisoformat(today))
    assert (found.name, found.first.isoformat(), found.last.isoformat()) == (name, first, last)


def test_the_end_of_a_month_is_judged_once_at_each_station_and_at_the_county(county):
    county.now = NOW  # when this installation was made
    county.deploy(**regulation(["point", "period.name"], ['"month"', '"2026-11"', '"watch.month"', '"task"', '"lead"']))
    county.pass_time(minutes=1)
    assert raised(county, "lead-01") == []  # October was before it
    county.pass_time(days=7)
    assert raised(county, "lead-01") == ["watch.month"]
    assert raised(county, "lead-02") == ["watch.month"]
    county.pass_time(days=40)
    assert raised(county, "lead-01") == ["watch.month"]
    unit = county.act("lead-01").unit_id
    assert kinds(county, f"unit/{unit}").count(Kind.PERIOD_ENDED) == 4  # two months, a quarter, a year
    assert county.faults() == []
