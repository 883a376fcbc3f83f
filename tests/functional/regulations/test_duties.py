"""工作职责: a named lead who carries no more than they can, nobody approves their own work, stations are staffed."""

import pytest

from tests.support.databases import BACKENDS
from tests.support.regulated import Step, filled

QUALIFIED = {"kind": "social_worker", "issued_on": "2024-01-01", "registered_until": "2030-01-01"}
PLAN = Step("make_plan", tags="plan")  # a plan that the diagram offers to everybody
PLAN_IN_FULL = Step("plan_in_full", tags="plan", form="plan")
RISK = Step("risk", fields={"risk": "high"})
rule = pytest.mark.rule


@rule("duties.self_approval")
@pytest.mark.parametrize("backend", BACKENDS)
def test_who_made_a_plan_does_not_approve_it_whatever_the_diagram_says(work):
    case = work.case(work.deploy(Step("draft", tags="plan", form="plan"), Step("approve", tags="approval", stage="plan")))
    work.passes(work.do(case, "draft", "ft-01-1", filled("plan", work.county.now)))
    work.refused(work.claim(case, "approve", "ft-01-1"), "duties.self_approval")
    work.passes(work.claim(case, "approve", "lead-01"), "duties.self_approval")


@rule("duties.self_approval")
def test_who_asks_to_close_a_case_does_not_approve_it(work):
    case = work.case(work.deploy(Step("ask", tags="closing"), Step("approve", tags="approval", stage="closing")))
    work.passes(work.do(case, "ask", "ft-01-1"))
    work.refused(work.claim(case, "approve", "ft-01-1"), "duties.self_approval")
    work.passes(work.claim(case, "approve", "ft-01-2"), "duties.self_approval")


@rule("duties.self_approval")
def test_who_acts_in_a_crisis_and_confirms_it_alone_is_remarked_on(work):
    small = work.deploy(Step("act", tags="crisis"), Step("confirm", tags="crisis,approval"))
    alone, together = work.case(small), work.case(small)
    for case, who in ((alone, "ft-01-1"), (together, "lead-01")):
        work.passes(work.do(case, "act", "ft-01-1"))
        work.passes(work.do(case, "confirm", who))
    work.told(alone, "duties.self_approval")
    work.untold(together, "duties.self_approval")


@rule("duties.named_lead")
def test_no_case_begins_at_a_station_that_has_nobody_to_lead_it(work):
    small = work.deploy(Step("register"))
    work.leaves("ft-02-1", "ft-02-2")
    case = work.case(small, who="assistant-004", place="room-004")
    work.passes(work.claim(case, "register", "assistant-004"))
    work.refused(work.complete(case, "register", "assistant-004"), "duties.named_lead")
    work.passes(work.do(work.case(small), "register", "assistant-001"), "duties.named_lead")


@rule("duties.named_lead")
def test_a_service_without_a_lead_is_remarked_on(work):
    stages = [
        Step("intake", stage="intake", fields={"basis": "statutory"}),
        Step("assess", stage="assessment"),
        Step("agree", stage="plan", fields={"approved": "yes"}),
    ]
    serve = Step("serve", stage="intervention")
    led, alone = work.deploy(*stages, PLAN_IN_FULL, serve, key="led"), work.deploy(*stages, serve, key="alone")
    cases = {small: work.case(small) for small in (led, alone)}
    for small, case in cases.items():
        for step, data in (("intake", {"basis": "statutory"}), ("assess", {}), ("agree", {"approved": "yes"})):
            work.passes(work.do(case, step, "ft-01-1", data))
        if small == led:
            work.passes(work.do(case, "plan_in_full", "ft-01-1", filled("plan", work.county.now)))
        work.passes(work.do(case, "serve", "ft-01-1"))
    work.told(cases[alone], "duties.named_lead")
    work.untold(cases[led], "duties.named_lead")


@rule("duties.lead_full_time")
@pytest.mark.parametrize("who", ["pt-01-1", "assistant-001", "volunteer-01-1", "partner-01-child"])
def test_only_full_time_social_workers_plan(work, who):
    case = work.case(work.deploy(PLAN))
    work.refused(work.claim(case, "make_plan", who), "duties.lead_full_time")
    work.passes(work.claim(case, "make_plan", "ft-01-1"), "duties.lead_full_time")


@rule("duties.lead_certified")
def test_who_leads_a_case_of_high_risk_is_certified(work):
    work.keep("certificates")
    small = work.deploy(RISK, PLAN)
    high, low = work.case(small), work.case(small)
    work.passes(work.do(high, "risk", "ft-01-2", {"risk": "high"}))
    work.passes(work.do(low, "risk", "ft-01-2", {"risk": "low"}))
    said = work.refused(work.claim(high, "make_plan", "ft-01-1"), "duties.lead_certified")
    assert said["waivable_by"] == "supervisor"
    work.passes(work.claim(low, "make_plan", "ft-01-1"), "duties.lead_certified")
    work.register("certificates", "ft-01-1", **QUALIFIED)
    work.passes(work.claim(high, "make_plan", "ft-01-1"), "duties.lead_certified")


@rule("duties.caseload")
@pytest.mark.parametrize(
    ("number", "who", "step", "risk"),
    [
        ("caseload_full_time", "ft-01-1", PLAN, "low"),
        ("caseload_part_time", "pt-01-1", Step("serve", stage="intervention"), "low"),
        ("caseload_high_risk", "ft-01-1", PLAN, "high"),
    ],
)
def test_nobody_carries_more_cases_than_the_county_allows(work, number, who, step, risk):
    work.number(**{number: 2, "caseload_notice": 1})
    small = work.deploy(RISK, step)
    first, second, third = cases = [work.case(small) for _ in range(3)]
    for case in cases:
        work.passes(work.do(case, "risk", "ft-01-2", {"risk": risk}))
    work.passes(work.claim(first, step.id, who))
    work.untold(first, "duties.caseload")
    work.passes(work.claim(second, step.id, who))
    work.told(second, "duties.caseload")
    assert work.refused(work.claim(third, step.id, who), "duties.caseload")["waivable_by"] == "supervisor"


@rule("duties.staffing")
@pytest.mark.parametrize("workforce", ["full_time", "part_time", "assistant"])
def test_vacant_posts_are_told_to_the_supervisor_at_the_end_of_the_month(work, workforce):
    work.installed()
    work.keep("posts")
    for station, number in (("station-01", 9), ("station-02", 0)):
        for each in ("full_time", "part_time", "assistant"):
            work.register("posts", station, workforce=each, number=number if each == workforce else 0)
    work.at("2026-12-01")
    work.alerted("supervisor", "duties.staffing", about="station-01")
    work.unalerted("supervisor", "duties.staffing", about="station-02")


@rule("duties.allowance")
def test_the_roll_of_allowances_is_made_where_there_are_assistants(work):
    work.installed()
    work.leaves("assistant-004", "assistant-005")
    work.at("2026-12-01")
    work.alerted("lead-01", "duties.allowance")
    work.unalerted("lead-02", "duties.allowance")
