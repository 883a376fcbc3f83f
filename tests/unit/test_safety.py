"""安全管理: which visits are dangerous, what is done at the desk, whom an alarm tells. Its rows: test_regulation_tables.py."""

from decimal import Decimal
from pathlib import Path

import pytest
import yaml

from engine.regulations import Tables, check, compile_regulation
from tests.unit.test_regulations import DIRECTORY, NOW, act

PATH = DIRECTORY / "safety.dmn"
TABLES = Tables([compile_regulation(PATH.read_bytes())])
NUMBERS = {one["key"]: Decimal(one["default"]) for one in yaml.safe_load((Path(DIRECTORY).parent / "parameters.yaml").read_text())}
STATION = {"station": "s1"}


def asked(point="complete", tags="", record=None, people=0, person=None, **more):
    """The facts of an act or a look. `record`: what is opened or looked at; `people`: how many go."""
    facts = act(point, tags=tags, person=STATION | (person or {}), **more)
    return facts | {"record": record or {}, "outing": {"people": Decimal(people)}, "parameters": NUMBERS}


def late(minutes, **person):
    return asked("clock", record={"kind": "outing", "minutes_late": Decimal(minutes)}, person=person)


HIGH = {"risk": "high"}


def rows(facts, tables=TABLES):
    return [verdict.row for verdict in check(tables, facts["point"], facts, NOW)]


@pytest.mark.parametrize(
    "variables",
    [{"risk": "urgent"}, {"twoPersonVisit": True}, {"crisisType": "self_harm"}]
    + [{"dangers": [danger]} for danger in ("self_harm", "violence", "drugs", "psychosis", "arson")],
)
def test_what_makes_a_visit_dangerous(variables):
    for tag in ("visit", "home_visit", "visit followup"):
        assert rows(asked("complete", tag, people=1, variables=variables)) == ["two_person_visit"]


@pytest.mark.parametrize("variables", [{}, {"risk": "medium", "dangers": [], "twoPersonVisit": False, "crisisType": "illness"}])
def test_an_ordinary_visit_may_be_made_alone(variables):
    assert rows(asked("complete", "visit", variables=variables)) == []


def test_a_risk_found_on_the_visit_itself_does_not_stop_its_record():
    assert rows(asked("complete", "home_visit", data={"risk": "high"})) == []


def test_a_telephone_call_is_no_visit():
    assert rows(asked("complete", "visit followup", data={"followUpMethod": "phone"}, variables=HIGH)) == []
    assert rows(asked("assign", "visit", variables=HIGH | {"followUpMethod": "phone"})) == ["two_person_visit"], "that was the last one"


def test_approving_and_reminding_is_done_at_the_desk():
    for tags in ("approval visit", "reminder visit", "approval crisis", "crisis backfill"):
        assert rows(asked(tags=tags, variables=HIGH)) == []


def test_numbers_come_from_the_parameters():
    assert NUMBERS["outing_alarm_minutes"] == 30 and NUMBERS["outing_escalation_minutes"] == 60
    (verdict,) = check(TABLES, "complete", asked(tags="crisis"), NOW)
    assert verdict.hours == NUMBERS["crisis_report_hours"] == 24
    facts = late(20) | {"parameters": NUMBERS | {"outing_alarm_minutes": Decimal(15)}}
    assert rows(facts) == ["overdue"]
