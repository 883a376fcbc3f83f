"""外出报备 on both databases: who may go, who is looked for and when, and that each alarm is raised once."""

import threading
from datetime import timedelta

import pytest

from engine.audit import events as events_of
from engine.commands import outings as commands
from engine.commands.alerts import acknowledge
from engine.commands.clients import register, view
from engine.commands.clock import look
from engine.commands.definitions import set_parameter, withdraw
from engine.commands.tasks import claim, complete
from engine.exceptions import (
    AlertClosed,
    AlreadyOut,
    Forbidden,
    InvalidForm,
    NotFound,
    OutingClosed,
    RegulationRefused,
)
from engine.registers import alerts, outings
from tests.bpmn.builder import Diagram
from tests.integration.test_sealing import everything
from tests.support import tables
from tests.support.county import open_system
from tests.support.journeys import likely

SECRET = "去欧阳测甲家,其子扬言放火"
COLUMNS = [(name, "string") for name in ("rule", "effect", "message", "message_en", "notify")]


def trip(county, minutes=60, **more) -> dict:
    expected = county.now + timedelta(minutes=minutes)
    return {"destination": "张庄村三组", "reason": "入户走访", "expected_return": expected.isoformat(), **more}


def go(county, who="ft-01-1", minutes=60, **more) -> str:
    return commands.report(county.system, county.act(who), trip(county, minutes, **more), now=county.now)["id"]


def waiting(county, who) -> list[str]:
    with county.system.database.read() as session:
        return [line.alert.rule for line in alerts.waiting(session, county.system.vault, county.act(who))]


def alert_of(county, who):
    with county.system.database.read() as session:
        return alerts.waiting(session, county.system.vault, county.act(who))[0]


def out(county, who) -> list[outings.Line]:
    with county.system.database.read() as session:
        return outings.at_place(session, county.system.vault, county.act(who))


def events(county, outing_id) -> list[str]:
    with county.system.database.read() as session:
        return [event.kind for event in events_of(session, outings.stream(outing_id))]


def test_a_way_out_and_back(working_county):
    county = working_county
    outing = go(county, companions=["volunteer-01-1"])
    (line,) = out(county, "lead-01")
    assert (line.destination, line.reporter, line.companions, line.outing.status) == ("张庄村三组", "林专一", ["郑志愿"], "out")
    assert out(county, "lead-02") == [] and len(out(county, "supervisor")) == 1
    with county.system.database.read() as session:
        assert [each.outing.id for each in outings.mine(session, county.system.vault, county.act("volunteer-01-1"))] == [outing]
        with pytest.raises(Forbidden):
            outings.at_place(session, county.system.vault, county.act("ft-01-2"))
        with pytest.raises(NotFound):
            outings.read(session, county.system.vault, county.act("ft-01-2"), outing)
    county.pass_time(minutes=50)
    commands.come_back(county.system, county.act("volunteer-01-1"), outing, now=county.now)
    assert out(county, "lead-01") == []
    assert county.pass_time(hours=5) == 0 and waiting(county, "lead-01") == []
    assert events(county, outing) == ["outing:reported", "outing:returned"]
    with pytest.raises(OutingClosed):
        commands.extend(county.system, county.act("ft-01-1"), outing, trip(county)["expected_return"], now=county.now)
    assert county.faults() == []


def test_the_lead_is_alarmed_after_30_minutes_and_the_county_after_60(working_county):
    county = working_county
    outing = go(county)
    assert county.pass_time(minutes=89) == 0 and waiting(county, "lead-01") == []
    assert county.pass_time(minutes=1) == 1
    assert waiting(county, "lead-01") == ["safety.overdue"]
    assert [waiting(county, who) for who in ("lead-02", "supervisor", "ft-01-1", "auditor")] == [[], [], [], []]
    assert county.pass_time(minutes=29) == 0 and waiting(county, "supervisor") == []
    assert county.pass_time(minutes=1) == 1
    assert waiting(county, "supervisor") == ["safety.overdue_escalated"] and waiting(county, "lead-01") == ["safety.overdue"]
    assert county.pass_time(days=2) == 0
    alert = alert_of(county, "lead-01")
    assert "没有报平安" in alert.told["message"] and alert.told["facts"]["超过预计返回（分钟）"] == 30
    assert events(county, outing)[-1] == "alert:raised" and events(county, outing).count("outing:overdue") == 2
    assert county.faults() == []


def test_a_worker_that_was_away_raises_both_alarms_at_once(working_county):
    county = working_county
    go(county)
    assert county.pass_time(hours=9) == 1
    assert (waiting(county, "lead-01"), waiting(county, "supervisor")) == (["safety.overdue"], ["safety.overdue_escalated"])


def test_extending_moves_the_alarm_and_a_new_delay_alarms_anew(working_county):
    county = working_county
    outing, worker = go(county), county.act("ft-01-1")
    county.pass_time(minutes=80)
    commands.extend(county.system, worker, outing, (county.now + timedelta(minutes=60)).isoformat(), now=county.now)
    assert county.pass_time(minutes=89) == 0
    assert county.pass_time(minutes=1) == 1 and waiting(county, "lead-01") == ["safety.overdue"]
    commands.extend(county.system, worker, outing, (county.now + timedelta(minutes=10)).isoformat(), now=county.now)
    assert county.pass_time(minutes=40) == 1
    assert waiting(county, "lead-01") == ["safety.overdue", "safety.overdue"], "a second delay is a second alarm"
    with pytest.raises(InvalidForm):
        commands.extend(county.system, worker, outing, county.now.isoformat(), now=county.now)


def test_returning_after_the_alarm_leaves_it_until_somebody_says_what_was_done(working_county):
    county = working_county
    outing = go(county)
    county.pass_time(minutes=95)
    commands.come_back(county.system, county.act("lead-01"), outing, now=county.now)
    assert county.pass_time(hours=3) == 0, "the clock has stopped"
    alert = alert_of(county, "lead-01").alert.id
    with pytest.raises(InvalidForm):
        acknowledge(county.system, county.act("lead-01"), alert, "  ", now=county.now)
    for stranger, refused in (("lead-02", NotFound), ("ft-01-1", Forbidden), ("auditor", Forbidden)):
        with pytest.raises(refused):
            acknowledge(county.system, county.act(stranger), alert, "x", now=county.now)
    acknowledge(county.system, county.act("lead-01"), alert, "电话联系上,车坏在路上", now=county.now)
    assert waiting(county, "lead-01") == []
    with pytest.raises(AlertClosed):
        acknowledge(county.system, county.act("lead-01"), alert, "x", now=county.now)
    assert events(county, outing)[-1] == "alert:acknowledged"
    assert county.faults() == []


def test_a_lead_who_is_out_is_looked_for_by_the_county(working_county):
    county = working_county
    go(county, "lead-01")
    county.pass_time(minutes=90)
    assert (waiting(county, "lead-01"), waiting(county, "supervisor")) == ([], ["safety.overdue"])


def test_a_station_sets_its_own_minutes(working_county):
    county = working_county
    set_parameter(county.system, county.act("supervisor"), "outing_alarm_minutes", 10, "station-01", now=county.now)
    go(county)
    go(county, "ft-02-1")
    county.pass_time(minutes=70)
    assert waiting(county, "lead-01") == ["safety.overdue"] and waiting(county, "lead-02") == []


def test_a_plan_is_watched_too_and_may_be_called_off(working_county):
    county = working_county
    outing, other = go(county, leaves=False), go(county, leaves=False, minutes=90)
    commands.cancel(county.system, county.act("ft-01-1"), other, now=county.now)
    assert county.pass_time(minutes=90) == 1, "who forgot to say that they left is looked for all the same"
    commands.leave(county.system, county.act("ft-01-1"), outing, now=county.now)
    for change in (commands.leave, commands.cancel):
        with pytest.raises(OutingClosed):
            change(county.system, county.act("ft-01-1"), outing, now=county.now)


def test_nobody_is_out_twice(working_county):
    county = working_county
    go(county)
    plan = go(county, leaves=False)
    with pytest.raises(AlreadyOut):
        go(county)
    with pytest.raises(AlreadyOut):
        commands.leave(county.system, county.act("ft-01-1"), plan, now=county.now)


def test_a_report_that_is_wrong_says_where(working_county):
    county = working_county
    wrong = {"destination": " ", "reason": "x" * 501, "expected_return": "soon", "companions": ["x"] * 11, "colour": 1}
    with pytest.raises(InvalidForm) as refused:
        commands.report(county.system, county.act("ft-01-1"), wrong, now=county.now)
    assert set(refused.value.errors) == set(wrong)
    for minutes in (0, -5, 60 * 24 * 31):
        with pytest.raises(InvalidForm):
            go(county, minutes=minutes)
    with pytest.raises(NotFound):
        go(county, companions=["nobody"])
    with pytest.raises(Forbidden):
        go(county, "auditor")
    for case in ("task", "instance"):
        with pytest.raises(NotFound):
            go(county, **{case: "0" * 32})


# --- exactly once --------------------------------------------------------------------------------------------------------


def test_of_two_workers_one_raises_the_alarm(working_county):
    county = working_county
    ids = [go(county, who) for who in ("ft-01-1", "ft-01-2", "pt-01-1", "lead-02")]
    later = county.now + timedelta(minutes=95)
    systems = [open_system(county.url) for _ in range(2)]
    looks, ready = [], threading.Barrier(2)

    def work(system):
        ready.wait()
        looks.append(look(system, later))

    workers = [threading.Thread(target=work, args=(system,)) for system in systems]
    for each in workers:
        each.start()
    for each in workers:
        each.join()
    assert sum(looks) == len(ids)
    assert waiting(county, "lead-01") == ["safety.overdue"] * 3 and waiting(county, "supervisor") == ["safety.overdue"]
    assert all(events(county, outing).count("alert:raised") == 1 for outing in ids)
    for system in systems:
        system.database.dispose()
    assert county.faults() == []


def test_a_table_that_cannot_answer_is_asked_again_and_stops_nobody_else(working_county):
    county = working_county
    rows = [['? != null', '"r"', '"task"', '"请处理。"', '"Do it."', '"lead"']]
    broken = tables.table([("record.minutes_late", "number", "[0..10]")], COLUMNS, rows, hit="COLLECT", ident="broken")
    outing = go(county)
    county.deploy(**{"broken.dmn": tables.file(broken)})
    county.now += timedelta(minutes=90)
    assert look(county.system, county.now) == 0
    assert events(county, outing)[-1] == "timer:failed" and waiting(county, "lead-01") == []
    assert look(county.system, county.now) == 0, "not at once again"
    withdraw(county.system, county.act("supervisor"), "broken", 1, now=county.now)
    assert county.pass_time(minutes=1) == 1 and waiting(county, "lead-01") == ["safety.overdue"]
    assert county.faults() == []


# --- the check points -------------------------------------------------------------------------------------------------------


def dangerous(county) -> str:
    """A case whose assessment says high risk; its next task is a visit."""
    diagram = Diagram("watch", "高风险回访")
    assign = '<zeebe:assignmentDefinition candidateGroups="full_time,volunteer"/>'
    diagram.user("assess", assign)
    diagram.user("visit", assign + '<zeebe:properties><zeebe:property name="tags" value="visit"/></zeebe:properties>')
    diagram.add("startEvent", "start")
    diagram.add("endEvent", "end")
    diagram.path("start", "assess", "visit", "end")
    risk = '{"id": "assess", "type": "default", "schemaVersion": 19, "components": [{"type": "textfield", "id": "f", "key": "risk", "label": "r"}]}'
    empty = '{"id": "visit", "type": "default", "schemaVersion": 19, "components": []}'
    county.deploy(**{"watch.bpmn": diagram.xml(), "assess.form": risk, "visit.form": empty})
    return county.start("watch", data={"risk": "high"})["id"]


def test_nobody_visits_danger_alone(working_county):
    county = working_county
    case = dangerous(county)
    task, worker = county.open_tasks(case)["visit"].id, county.act("ft-01-1")
    with pytest.raises(RegulationRefused) as refused:
        claim(county.system, worker, task, now=county.now)
    (verdict,) = refused.value.verdicts
    assert (verdict.rule, verdict.row) == ("safety.two_person", "two_person_visit")
    assert verdict.facts["走访有危险"] is True and verdict.facts["同行人数"] == 0
    with pytest.raises(RegulationRefused) as refused:
        go(county, task=task)
    assert refused.value.verdicts[0].row == "two_person_outing" and refused.value.verdicts[0].facts["同行人数"] == 1
    assert out(county, "lead-01") == [], "what is refused leaves nothing"
    outing = go(county, task=task, companions=["volunteer-01-1"])
    claim(county.system, worker, task, now=county.now)
    county.pass_time(minutes=30)
    commands.come_back(county.system, worker, outing, now=county.now)
    complete(county.system, worker, task, {}, now=county.now)
    assert county.instance(case).status == "completed"
    assert county.faults() == []


def test_somebody_elses_company_does_not_count(working_county):
    county = working_county
    case = dangerous(county)
    task = county.open_tasks(case)["visit"].id
    go(county, "ft-01-2", instance=case, companions=["volunteer-01-1"])
    with pytest.raises(RegulationRefused):
        claim(county.system, county.act("ft-01-1"), task, now=county.now)
    claim(county.system, county.act("volunteer-01-1"), task, now=county.now)


def test_a_crisis_is_reported_to_the_lead_and_goes_to_the_county_when_nothing_is_written(working_county):
    county = working_county
    case = county.start("service_delivery", who="assistant-001")["id"]
    danger = {"clientName": "张三", "crisis": True, "basis": "emergency", "urgency": "urgent"}
    county.do("assistant-001", case, "visit", likely("visit", county.now, **danger))
    county.do("ft-01-1", case, "crisis_act", likely("crisis_act", county.now))
    alert = alert_of(county, "lead-01")
    assert alert.alert.rule == "safety.crisis_report" and alert.alert.about("instance") == case
    assert alert.alert.due_at == county.now + timedelta(hours=24)
    county.pass_time(hours=24)
    def told(who: str) -> list[str]:
        return [rule for rule in waiting(county, who) if rule.startswith("safety.")]

    assert told("supervisor") == ["safety.crisis_report_late"] and told("lead-01") == ["safety.crisis_report"]
    county.pass_time(days=3)
    assert told("supervisor") == ["safety.crisis_report_late"]
    assert county.faults() == []


def test_a_crisis_written_down_in_time_goes_no_further(working_county):
    county = working_county
    outing = go(county)  # any subject will do: the alert's own clock stops when it is acknowledged
    county.deploy(**{"told.dmn": tables.file(tables.table(
        [("point", "string"), ("record.kind", "string")], [*COLUMNS, ("hours", "number")],
        [['"clock"', '"outing"', '"told.soon"', '"task"', '"请处理。"', '"Do it."', '"lead"', "2"],
         ['"clock"', '"alert"', '"told.late"', '"task"', '"没有处理。"', '"Not done."', '"supervisor"', ""]],
        hit="COLLECT", ident="told"))})  # fmt: skip
    county.pass_time(minutes=90)
    assert sorted(waiting(county, "lead-01")) == ["safety.overdue", "told.soon"]
    with county.system.database.read() as session:
        lines = alerts.waiting(session, county.system.vault, county.act("lead-01"))
    soon = next(line.alert for line in lines if line.alert.rule == "told.soon")
    acknowledge(county.system, county.act("lead-01"), soon.id, "已办", now=county.now)
    commands.come_back(county.system, county.act("ft-01-1"), outing, now=county.now)
    county.pass_time(hours=5)
    assert "told.late" not in waiting(county, "supervisor")


def test_opening_a_record_asks_the_regulations(working_county):
    county = working_county
    worker = county.act("ft-01-1")
    data = {"name": "欧阳测甲", "categories": ["minimum_living"]}
    client = register(county.system, worker, data, "room-001", now=county.now)["id"]
    view(county.system, worker, client, now=county.now)
    closed = tables.table(
        [("point", "string"), ("record.kind", "string"), ("person.workforce", "string")], COLUMNS[:4],
        [['"open"', '"client"', '"part_time"', '"closed.today"', '"block"', '"今天不看档案。"', '"No records today."']],
        hit="COLLECT", ident="closed")  # fmt: skip
    county.deploy(**{"closed.dmn": tables.file(closed)})
    view(county.system, worker, client, now=county.now)
    with pytest.raises(RegulationRefused, match="今天不看档案"):
        view(county.system, county.act("pt-01-1"), client, now=county.now)
    assert county.faults() == []


def test_where_to_and_why_is_sealed(working_county):
    county = working_county
    go(county, reason=SECRET)
    county.pass_time(minutes=95)
    acknowledge(county.system, county.act("lead-01"), alert_of(county, "lead-01").alert.id, SECRET, now=county.now)
    assert out(county, "lead-01")[0].reason == SECRET
    assert SECRET.encode() not in everything(county)
