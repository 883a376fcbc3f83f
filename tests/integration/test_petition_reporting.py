"""Reporting an incident to a petition by its button: who may, and what comes of it."""

from datetime import timedelta

import pytest

from engine.commands.reporting import report, report_at_task
from engine.exceptions import Forbidden, InstanceClosed, InvalidRequest, NotFound, RegulationRefused
from tests.bpmn.petition import ANSWERS

EVENT = "incident_reported"


@pytest.fixture
def petition(working_county):
    county = working_county
    return county, county.start("petition_mediation", data=ANSWERS["petition_register"])["id"]


def test_staff_report_at_any_time_and_as_often_as_needed(petition):
    county, case = petition
    answer = report(county.system, county.act("assistant-001"), case, EVENT, now=county.now)
    assert [task["element"] for task in answer["tasks"]] == ["register_incident"]
    county.do("assistant-001", case, "register_incident", ANSWERS["petition_incident"] | {"escalation": "yes"})
    report(county.system, county.act("ft-01-1"), case, EVENT, now=county.now)
    assert {"police", "register_incident", "home_visit"} <= set(county.open_tasks(case))
    assert county.faults() == []


def test_whoever_works_at_a_task_reports_from_there(petition):
    county, case = petition
    task = county.open_tasks(case)["hand_over"].id
    report_at_task(county.system, county.act("partner-01-petition"), task, EVENT, now=county.now)
    assert "register_incident" in county.open_tasks(case)
    with pytest.raises(NotFound):
        report_at_task(county.system, county.act("volunteer-01-1"), task, EVENT, now=county.now)


def test_nobody_reports_to_what_is_not_theirs_or_does_not_listen(petition):
    county, case = petition
    with pytest.raises(NotFound):
        report(county.system, county.act("ft-02-1"), case, EVENT, now=county.now)
    with pytest.raises(Forbidden):
        report(county.system, county.act("volunteer-01-1"), case, EVENT, now=county.now)
    for element in ("receipt_arrives", "nothing"):
        with pytest.raises(InvalidRequest):
            report(county.system, county.act("ft-01-1"), case, element, now=county.now)


def test_a_case_that_is_over_hears_nothing(working_county):
    county = working_county
    case = county.start("petition_mediation", data=ANSWERS["petition_register"] | {"type": "accusation"})["id"]
    county.do("partner-01-petition", case, "refer_out", ANSWERS["petition_refer"])
    county.do("partner-01-petition", case, "receipt", ANSWERS["petition_receipt"])
    assert county.instance(case).status == "completed"
    with pytest.raises(InstanceClosed):
        report(county.system, county.act("ft-01-1"), case, EVENT, now=county.now)


def test_after_a_danger_nobody_visits_alone(petition):
    """What the police report says (两人同行) binds the visits that are left (安全管理)."""
    county, case = petition
    county.now += timedelta(days=2)  # the answers say when the visit was
    county.do("ft-01-1", case, "home_visit", ANSWERS["petition_visit"] | {"escalation": "yes"})
    county.do("ft-01-1", case, "police", ANSWERS["petition_police"])
    with pytest.raises(RegulationRefused) as refused:
        county.do("ft-01-1", case, "home_visit", ANSWERS["petition_visit"])
    assert [verdict.rule for verdict in refused.value.verdicts] == ["safety.two_person"]
