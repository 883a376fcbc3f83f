"""安全管理, row by row: an example that each row must stop or remark on, the same example put right, and what is lost without the row."""

from decimal import Decimal
from pathlib import Path

import pytest
import yaml
from lxml import etree

from engine.regulations import NOTIFIED, Tables, blocking, check, compile_regulation
from tests.support.tables import MODEL
from tests.unit.test_regulations import DIRECTORY, NOW, act

PATH = DIRECTORY / "safety.dmn"
TABLES = Tables([compile_regulation(PATH.read_bytes())])
ROWS = [rule.id for rule in TABLES["safety"].decision.rules]
NUMBERS = {one["key"]: Decimal(one["default"]) for one in yaml.safe_load((Path(DIRECTORY).parent / "parameters.yaml").read_text())}
LEAD, STATION = {"roles": ["lead", "worker"]}, {"station": "s1"}


def asked(point="complete", tags="", record=None, people=0, person=None, **more):
    """The facts of an act or a look. `record`: what is opened or looked at; `people`: how many go."""
    facts = act(point, tags=tags, person=STATION | (person or {}), **more)
    return facts | {"record": record or {}, "outing": {"people": Decimal(people)}, "parameters": NUMBERS}


def late(minutes, **person):
    return asked("clock", record={"kind": "outing", "minutes_late": Decimal(minutes)}, person=person)


HIGH = {"risk": "high"}
ALONE = {"clientGender": "female", "clientAlone": True}
TRIP = {"kind": "outing"}
# row: (facts that it stops or remarks on, the same put right)
EXAMPLES = {
    "two_person_visit": (asked("assign", "visit", people=1, variables=HIGH), asked("assign", "visit", people=2, variables=HIGH)),
    "two_person_outing": (asked("open", record=TRIP, people=1, variables=HIGH), asked("open", record=TRIP, people=2, variables=HIGH)),
    "alone_other_sex": (
        asked("open", record=TRIP, people=1, variables=ALONE, person={"gender": "male"}),
        asked("open", record=TRIP, people=1, variables=ALONE, person={"gender": "female"}),
    ),
    "minors_unchecked": (
        asked("assign", variables={"categories": ["orphan"]}, person={"record_check": "expired"}),
        asked("assign", variables={"categories": ["orphan"]}, person={"record_check": "clear"}),
    ),
    "minors_unknown": (asked("assign", variables={"age": Decimal(17)}), asked("assign", variables={"age": Decimal(18)})),
    "insurance_missing": (asked("start", data={"hazard": "water"}), asked("start", data={"hazard": "water", "insurancePolicy": "PICC-7"})),
    "rescue_minor": (
        asked("start", data={"hazard": "rescue", "insurancePolicy": "PICC-7", "youngestAge": Decimal(17)}),
        asked("start", data={"hazard": "rescue", "insurancePolicy": "PICC-7", "youngestAge": Decimal(18)}),
    ),
    "crisis_report": (asked(tags="crisis"), asked(tags="crisis", person={"roles": ["supervisor"]})),
    "crisis_report_overdue": (
        asked("clock", record={"kind": "alert", "rule": "safety.crisis_report", "hours_late": Decimal(0)}),
        asked("clock", record={"kind": "alert", "rule": "safety.overdue", "hours_late": Decimal(0)}),
    ),
    "overdue": (late(30), late(Decimal("29.9"))),
    "overdue_of_lead": (late(30, **LEAD), late(29, **LEAD)),
    "overdue_escalated": (late(60), late(Decimal("59.9"))),
}
TOGETHER = {"overdue_escalated": ["overdue"]}  # who is an hour late is half an hour late too


def rows(facts, tables=TABLES):
    return [verdict.row for verdict in check(tables, facts["point"], facts, NOW)]


def test_every_row_has_an_example():
    assert set(EXAMPLES) == set(ROWS)


@pytest.mark.parametrize("row", ROWS)
def test_each_row_says_its_thing_and_nothing_else_does(row):
    wrong, right = EXAMPLES[row]
    assert rows(wrong) == [*TOGETHER.get(row, []), row]
    assert rows(right) == TOGETHER.get(row, [])


@pytest.mark.parametrize("row", ROWS)
def test_without_the_row_its_example_goes_through(row):
    tree = etree.fromstring(PATH.read_bytes())
    (element,) = tree.xpath("//d:rule[@id=$row]", namespaces={"d": MODEL}, row=row)
    element.getparent().remove(element)
    assert rows(EXAMPLES[row][0], Tables([compile_regulation(etree.tostring(tree))])) == TOGETHER.get(row, [])


@pytest.mark.parametrize("row", ROWS)
def test_each_row_names_its_source_and_speaks_both_languages(row):
    facts = EXAMPLES[row][0]
    verdict = next(each for each in check(TABLES, facts["point"], facts, NOW) if each.row == row)
    assert all((verdict.rule, verdict.message, verdict.message_en, verdict.hint, verdict.hint_en, verdict.source))
    assert verdict.message.endswith("。") and verdict.message_en.endswith(".")
    assert verdict.rule.split(".")[0] == "safety"
    assert TABLES["safety"].decision.rule(row).annotations[0].startswith(verdict.source)


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


def test_only_alarms_and_reports_name_whom_to_notify_and_none_of_them_stops_anything():
    for row in ROWS:
        facts = EXAMPLES[row][0]
        for verdict in check(TABLES, facts["point"], facts, NOW):
            assert (verdict.notify in NOTIFIED) is (verdict.effect == "task")
            assert bool(blocking([verdict])) is (verdict.effect == "block")


def test_numbers_come_from_the_parameters():
    assert NUMBERS["outing_alarm_minutes"] == 30 and NUMBERS["outing_escalation_minutes"] == 60
    (verdict,) = check(TABLES, "complete", EXAMPLES["crisis_report"][0], NOW)
    assert verdict.hours == NUMBERS["crisis_report_hours"] == 24
    facts = late(20) | {"parameters": NUMBERS | {"outing_alarm_minutes": Decimal(15)}}
    assert rows(facts) == ["overdue"]
