"""A case's team: who joins, who leads, how heavy it is for them; what it costs, and cases from before there were teams."""

import pytest
from sqlalchemy import event, select

from engine import instances, workload
from engine.commands.tasks import claim, complete, delegate, release
from engine.team import CaseMember, team_of
from tests.bpmn.builder import Diagram
from tests.integration.test_assigned import said
from tests.integration.test_cases import form

EVERYBODY = '<zeebe:assignmentDefinition candidateGroups="full_time,part_time,lead"/>'


@pytest.fixture
def planned(county):
    """look → plan → work → approve → more; `look` asks for the risk."""
    diagram = Diagram("planned", "计划")
    diagram.add("startEvent", "start")
    tags = {"plan": "plan", "again": "plan", "approve": "approval"}
    steps = ("look", "plan", "work", "again", "approve")
    for step in steps:
        diagram.user(step, EVERYBODY + said(tags=tags.get(step, "record")))
    diagram.add("endEvent", "end")
    diagram.path("start", *steps, "end")
    forms = {f"{step}.form": form(step) for step in steps}
    forms["look.form"] = form("look", {"type": "textfield", "key": "risk", "label": "风险"})
    forms["again.form"] = form("again", {"type": "textfield", "key": "risk", "label": "风险"})
    county.deploy(**{"planned.bpmn": diagram.xml(), **forms})
    return county


def team(county, case) -> dict[str, str]:
    """Username → role by the table; the ledger must say the same."""
    names = {county.act(who).person_id: who for who in ("ft-01-1", "ft-01-2", "pt-01-1", "lead-01")}
    with county.system.database.read() as session:
        rows = session.scalars(select(CaseMember).where(CaseMember.instance_id == case["id"], CaseMember.until.is_(None)))
        found = {names[row.person_id]: row.role for row in rows}
        ledger = instances.open_instance(county.system, session, county.act("supervisor"), case["id"]).state["ledger"]
    assert {names[who]: role for who, role in team_of(ledger).items()} == found
    return found


def load(county, *people) -> list[workload.Workload]:
    with county.system.database.read() as session:
        found = workload.of(session, county.system.vault, [county.act(who).person_id for who in people])
    return [found[county.act(who).person_id] for who in people]


def test_who_takes_a_task_joins_who_plans_leads_and_who_approves_does_not(planned):
    case = planned.start("planned")
    assert team(planned, case) == {}
    planned.do("ft-01-1", case["id"], "look")
    assert team(planned, case) == {"ft-01-1": "member"}
    planned.do("ft-01-2", case["id"], "plan")
    planned.do("ft-01-1", case["id"], "work")
    assert team(planned, case) == {"ft-01-1": "member", "ft-01-2": "lead"}
    planned.do("ft-01-1", case["id"], "again")
    assert team(planned, case) == {"ft-01-1": "lead", "ft-01-2": "member"}
    planned.do("lead-01", case["id"], "approve")
    assert team(planned, case) == {"ft-01-1": "lead", "ft-01-2": "member"}
    assert planned.faults() == []


def test_who_is_handed_a_task_joins_and_stays_after_giving_it_back(planned):
    case = planned.start("planned")
    task = planned.open_tasks(case["id"])["look"].id
    delegate(planned.system, planned.act("lead-01"), task, "pt-01-1", now=planned.now)
    release(planned.system, planned.act("pt-01-1"), task, "走不开", now=planned.now)
    assert team(planned, case) == {"pt-01-1": "member", "lead-01": "member"}  # who delegated it has it now


def test_what_people_carry_is_two_statements_for_any_number(planned):
    heavy, light, done = (planned.start("planned") for _ in range(3))
    for case, risk in ((heavy, "urgent"), (light, "low"), (done, "high")):
        planned.do("ft-01-1", case["id"], "look", {"risk": risk})
        planned.do("ft-01-2", case["id"], "plan")
    for step, who in (("work", "ft-01-1"), ("again", "ft-01-2"), ("approve", "lead-01")):
        planned.do(who, done["id"], step, {"risk": "high"} if step == "again" else {})
    claim(planned.system, planned.act("pt-01-1"), planned.open_tasks(light["id"])["work"].id, now=planned.now)
    statements = []
    event.listen(planned.system.database.engine, "before_cursor_execute", lambda c, cursor, sql, *_: statements.append(sql))
    first, second, third, nobody = load(planned, "ft-01-1", "ft-01-2", "pt-01-1", "lead-01")
    assert len([sql for sql in statements if "FROM" in sql and "Account" not in sql]) <= 2
    assert (first.open_cases, first.led_cases, first.open_high_risk, first.open_tasks) == (2, 0, 1, 0)
    assert (second.open_cases, second.led_cases, second.open_high_risk) == (2, 2, 1)
    assert (third.open_cases, third.open_tasks) == (1, 1)
    assert nobody == workload.Workload()


def test_a_risk_assessed_anew_counts_for_who_is_there_already(planned):
    case = planned.start("planned")
    planned.do("ft-01-1", case["id"], "look", {"risk": "low"})
    planned.do("ft-01-1", case["id"], "plan")
    planned.do("ft-01-1", case["id"], "work")
    assert load(planned, "ft-01-1")[0].open_high_risk == 0
    planned.do("ft-01-2", case["id"], "again", {"risk": "high"})
    assert [each.open_high_risk for each in load(planned, "ft-01-1", "ft-01-2")] == [1, 1]
    assert planned.faults() == []


def test_the_first_claim_is_one_row_and_what_follows_has_no_statement_more(planned):
    case = planned.start("planned")
    planned.do("ft-01-1", case["id"], "look")
    planned.do("ft-01-1", case["id"], "plan")
    task = planned.open_tasks(case["id"])["work"].id
    statements = []
    event.listen(planned.system.database.engine, "before_cursor_execute", lambda c, cursor, sql, *_: statements.append(sql))
    claim(planned.system, planned.act("pt-01-1"), task, now=planned.now)
    assert [sql.split()[0] for sql in statements if "case_member" in sql] == ["INSERT"]
    statements.clear()
    complete(planned.system, planned.act("pt-01-1"), task, {}, now=planned.now)
    claim(planned.system, planned.act("ft-01-1"), planned.open_tasks(case["id"])["again"].id, now=planned.now)
    assert not [sql for sql in statements if "case_member" in sql]


def test_a_case_from_before_there_were_teams_has_one_by_its_ledger_and_in_the_table_from_the_next_claim_on(planned, monkeypatch):
    monkeypatch.setattr("engine.commands.teams.join", lambda *_: None)
    case = planned.start("planned")
    planned.do("ft-01-1", case["id"], "look", {"risk": "high"})
    planned.do("ft-01-2", case["id"], "plan")
    monkeypatch.undo()
    forget_team(planned, case)
    with planned.system.database.read() as session:
        ledger = instances.open_instance(planned.system, session, planned.act("supervisor"), case["id"]).state["ledger"]
    assert team_of(ledger) == {planned.act("ft-01-1").person_id: "member", planned.act("ft-01-2").person_id: "lead"}
    planned.do("pt-01-1", case["id"], "work")
    assert team(planned, case) == {"ft-01-1": "member", "ft-01-2": "lead", "pt-01-1": "member"}
    assert [each.open_high_risk for each in load(planned, "ft-01-1", "ft-01-2", "pt-01-1")] == [1, 1, 1]
    assert planned.faults() == []


def forget_team(county, case) -> None:
    """Leave the ledger as versions before this one wrote it."""
    from engine.commands import Act
    from engine.commands.locking import lock_instance

    with county.system.database.unit(county.now) as unit:
        act = Act(county.system, county.act("ft-01-1"), unit)
        run = lock_instance(act, case["id"]).restore()
        del run.ledger["team"]
        run.record("instance:retried", {"tokens": []})
        run.keep_state()
        unit.commit()
