"""Waivers: who was refused asks, whom the rule names decides, and what was granted counts for that person, task and time alone."""

from datetime import datetime, timedelta

import pytest
from sqlalchemy import select

from engine import instances, organisation, waivers
from engine.audit import Kind, events
from engine.commands import waivers as commands
from engine.commands.instances import cancel
from engine.commands.tasks import claim, complete, delegate, release
from engine.exceptions import (
    Erased,
    Forbidden,
    InstanceClosed,
    InvalidForm,
    NotFound,
    NotRefused,
    NotWaivable,
    OwnWaiver,
    RegulationRefused,
    TaskClosed,
    WaiverClosed,
    WaiverKnown,
)
from engine.vault import SubjectKey
from engine.waivers import Waiver
from tests.support.gate import VOLUNTEER, open_gate, refused

REASON = "对象只信任这位志愿者"


def ask(county, task: str, who: str = VOLUNTEER, rule: str = "gate.visit", **options) -> str:
    return commands.ask(county.system, county.act(who), rule, REASON, task, now=county.now, **options)["id"]


def grant(county, waiver: str, who: str = "supervisor", until: str | None = None, **options) -> dict:
    return commands.grant(county.system, county.act(who), waiver, "同意，请与站里保持联系", until, now=county.now, **options)


def take(county, task: str, who: str = VOLUNTEER) -> dict:
    return claim(county.system, county.act(who), task, now=county.now)


def kinds(county, case: str) -> list[str]:
    return [line["kind"] for line in county.history(case)]


def row(county, waiver: str) -> Waiver:
    with county.system.database.read() as session:
        return session.get(Waiver, waiver)


@pytest.fixture
def gated(county):
    """(county, case, task of a visit that the volunteer was refused)."""
    case = open_gate(county)
    return county, case, refused(county, case)


def test_a_granted_waiver_lets_the_act_pass_and_all_of_it_is_told(gated):
    county, case, task = gated
    waiver = ask(county, task)
    with pytest.raises(RegulationRefused):
        take(county, task)
    assert grant(county, waiver)["expires_at"] == "2026-03-09T23:59:59+08:00"  # the parameter's seven days
    assert take(county, task)["status"] == "claimed"
    told = {line["kind"]: line for line in county.history(case)}
    assert told[Kind.WAIVER_ASKED]["data"] == {"reason": REASON}
    assert told[Kind.WAIVER_GRANTED]["facts"]["person"] == county.act(VOLUNTEER).person_id
    verdicts = told[Kind.REGULATION_CHECKED]["facts"]["verdicts"]
    assert [(each["rule"], each["waived"]) for each in verdicts] == [("gate.visit", True)]
    complete(county.system, county.act(VOLUNTEER), task, {}, now=county.now)
    assert county.faults() == []


def test_what_the_decider_sees(gated):
    county, _case, task = gated
    ask(county, task)
    with county.system.database.read() as session:
        (line,) = waivers.waiting(session, county.system.vault, county.act("supervisor"))
        assert waivers.waiting(session, county.system.vault, county.act("lead-01")) == []  # the rule leaves it to the supervisor
        assert waivers.waiting(session, county.system.vault, county.act("ft-01-1")) == []
    assert (line.told["reason"], line.told["message"], line.told["hint_en"]) == (REASON, "志愿者不能单独走访。", "Go with a social worker.")
    assert line.told["facts"] == {"input 1": "assign", "input 2": "volunteer", "input 3": "visit"}
    assert (line.waiver.regulation, line.waiver.task_id) == ("gate", task)


def test_a_waiver_ends_with_its_day(gated):
    county, _case, task = gated
    grant(county, ask(county, task), until="2026-03-03")
    county.now += timedelta(days=1, hours=14)  # 23:00 of that day
    take(county, task)
    release(county.system, county.act(VOLUNTEER), task, now=county.now)
    county.now += timedelta(hours=1)
    with pytest.raises(RegulationRefused):
        take(county, task)
    with county.system.database.read() as session:
        (line,), _next = waivers.register(session, county.system.vault, county.act("supervisor"), county.now, status="expired")
        assert waivers.counts(session, county.act("auditor"), county.now) == {"gate.visit": {"expired": 1}}
    assert line.waiver.status_at(county.now) == "expired"
    ask(county, task)  # anew


@pytest.mark.parametrize("until", ["2026-03-01", "2026-04-02", "tomorrow", "2026-02-30"])
def test_an_expiry_that_cannot_be(gated, until):
    county, _case, task = gated
    waiver = ask(county, task)
    with pytest.raises(InvalidForm) as refusal:
        grant(county, waiver, until=until)
    assert set(refusal.value.errors) == {"until"}
    assert row(county, waiver).status == "asked"


def test_a_waiver_counts_in_no_other_case_for_nobody_else_and_at_no_other_task(gated):
    county, case, task = gated
    grant(county, ask(county, task))
    other = county.start("gated", place="room-001")["id"]
    refused(county, other)
    county.do(VOLUNTEER, case, "visit")
    refused(county, case, element="plan")  # another rule, another task
    # the same rule at the same task again, for somebody else of the same kind
    second = county.start("gated", place="room-001")["id"]
    task = refused(county, second)
    entry = {"id": "x", "rule": "gate.visit", "person": "somebody", "task": task, "until": "2030-01-01T00:00:00+00:00"}
    assert waivers.in_force([entry], county.now, "somebody", task) == ["gate.visit"]
    assert waivers.in_force([entry], county.now, county.act(VOLUNTEER).person_id, task) == []
    assert waivers.in_force([entry], county.now, "somebody", "another task") == []
    assert waivers.in_force([entry | {"task": None}], county.now, "somebody", "another task") == ["gate.visit"]


def test_for_the_whole_case_where_that_was_asked(gated):
    county, case, task = gated
    waiver = ask(county, task, whole_case=True)
    grant(county, waiver)
    assert row(county, waiver).task_id is None
    take(county, task)
    with pytest.raises(WaiverKnown):
        ask(county, task)
    assert case == row(county, waiver).instance_id


def test_who_was_not_refused_has_nothing_to_ask(gated):
    county, _case, task = gated
    other = county.open_tasks(county.start("gated", place="room-001")["id"])["visit"].id
    for who, wanted, rule in ((VOLUNTEER, other, "gate.visit"), (VOLUNTEER, task, "gate.plan"), ("ft-01-1", task, "gate.visit")):
        with pytest.raises(NotRefused):
            ask(county, wanted, who, rule)
    with pytest.raises(NotFound):
        ask(county, task, "volunteer-02-1")  # of another station: they know of no such task
    with pytest.raises(Forbidden):
        ask(county, task, "auditor")


def test_a_lead_asks_for_their_people_and_nobody_else_does(gated):
    county, _case, task = gated
    with pytest.raises(NotRefused):
        ask(county, task, "ft-01-1", person=VOLUNTEER)
    with pytest.raises(NotFound):
        ask(county, task, "lead-02", person=VOLUNTEER)
    waiver = ask(county, task, "lead-01", person=VOLUNTEER)
    assert (row(county, waiver).asked_by, row(county, waiver).person_id) == (county.act("lead-01").person_id, county.act(VOLUNTEER).person_id)
    grant(county, waiver)
    take(county, task)


def test_whoever_could_not_hand_a_task_on_asks_for_the_receiver(county):
    case = open_gate(county)
    task = county.open_tasks(case)["visit"].id
    with pytest.raises(RegulationRefused):
        delegate(county.system, county.act("ft-01-1"), task, VOLUNTEER, now=county.now)
    with pytest.raises(NotRefused):  # it was not they who were stopped
        ask(county, task, "ft-01-1")
    grant(county, ask(county, task, "ft-01-1", person=VOLUNTEER))
    delegate(county.system, county.act("ft-01-1"), task, VOLUNTEER, now=county.now)
    assert county.open_tasks(case)["visit"].holder_id == county.act(VOLUNTEER).person_id


def test_what_cannot_be_waived(county):
    open_gate(county)
    case = county.start("gated", place="room-004", who="ft-02-1")["id"]
    task = refused(county, case, "volunteer-02-1")
    with pytest.raises(NotWaivable):
        ask(county, task, "volunteer-02-1", "gate.closed")


@pytest.mark.parametrize(
    ("who", "error"),
    [("lead-01", Forbidden), ("ft-01-1", Forbidden), ("lead-02", NotFound), ("auditor", Forbidden), (VOLUNTEER, Forbidden), ("admin", Forbidden)],
)
def test_who_may_not_grant(gated, who, error):
    county, case, task = gated
    waiver = ask(county, task)
    for decide in (commands.grant, commands.refuse):
        with pytest.raises(error):
            decide(county.system, county.act(who), waiver, "同意", now=county.now)
    assert row(county, waiver).status == "asked"
    with pytest.raises(RegulationRefused):
        take(county, task)
    assert Kind.WAIVER_GRANTED not in kinds(county, case)
    with county.system.database.read() as session:
        told = events(session, f"access/{county.act(who).person_id}")
    assert error is NotFound or told[-2 if who == VOLUNTEER else -1].kind == Kind.RIGHT_REFUSED


def test_nobody_decides_for_themself(county):
    """Neither who asks nor who gains by it: the supervisor stands in for a lead."""
    case = open_gate(county)
    county.do("ft-01-1", case, "visit")
    task = county.open_tasks(case)["plan"].id
    take(county, task, "lead-01")
    with pytest.raises(RegulationRefused):
        complete(county.system, county.act("lead-01"), task, {}, now=county.now)
    waiver = ask(county, task, "lead-01", "gate.done")
    asked = refused(county, county.start("gated", place="room-001")["id"])
    by_lead = ask(county, asked, "lead-01", person=VOLUNTEER)
    for each in (waiver, by_lead):
        with pytest.raises(OwnWaiver):
            grant(county, each, "lead-01")
    grant(county, waiver)
    complete(county.system, county.act("lead-01"), task, {}, now=county.now)
    assert county.instance(case).status == "completed"


def test_a_supervisor_decides_what_is_left_to_the_lead(county):
    case = open_gate(county)
    county.do("ft-01-1", case, "visit")
    task = refused(county, case, element="plan")
    waiver = ask(county, task, rule="gate.plan")
    with pytest.raises(NotFound):
        grant(county, waiver, "lead-02")
    grant(county, waiver, "lead-01")
    take(county, task)
    other = county.start("gated", place="room-001")["id"]
    county.do("ft-01-1", other, "visit")
    grant(county, ask(county, refused(county, other, element="plan"), rule="gate.plan"))


def test_refused_withdrawn_revoked(gated):
    county, case, task = gated
    first = ask(county, task)
    commands.refuse(county.system, county.act("supervisor"), first, "请与社工同去", now=county.now)
    with pytest.raises(WaiverClosed):
        grant(county, first)
    second = ask(county, task)
    with pytest.raises(NotFound):
        commands.withdraw(county.system, county.act("ft-01-1"), second, now=county.now)
    commands.withdraw(county.system, county.act(VOLUNTEER), second, now=county.now)
    third = ask(county, task)
    with pytest.raises(WaiverClosed):
        commands.revoke(county.system, county.act("supervisor"), third, "还没批", now=county.now)
    grant(county, third)
    with pytest.raises(WaiverClosed):
        commands.withdraw(county.system, county.act(VOLUNTEER), third, now=county.now)
    commands.revoke(county.system, county.act("supervisor-2"), third, "情况有变", now=county.now)
    with pytest.raises(RegulationRefused):
        take(county, task)
    told = [kind for kind in kinds(county, case) if kind.startswith("waiver:")]
    assert told == [f"waiver:{each}" for each in ("asked", "refused", "asked", "withdrawn", "asked", "granted", "revoked")]
    with county.system.database.read() as session:
        counted = waivers.counts(session, county.act("supervisor"), county.now)
    assert counted == {"gate.visit": {"refused": 1, "withdrawn": 1, "revoked": 1}}
    assert county.faults() == []


def test_asked_twice(gated):
    county, case, task = gated
    first = commands.ask(county.system, county.act(VOLUNTEER), "gate.visit", REASON, task, now=county.now, key="k")
    assert commands.ask(county.system, county.act(VOLUNTEER), "gate.visit", REASON, task, now=county.now, key="k") == first
    with pytest.raises(WaiverKnown):
        ask(county, task)
    granted = grant(county, first["id"], key="g")
    assert grant(county, first["id"], key="g") == granted
    with pytest.raises(WaiverKnown):
        ask(county, task)
    assert kinds(county, case).count(Kind.WAIVER_ASKED) == kinds(county, case).count(Kind.WAIVER_GRANTED) == 1


@pytest.mark.parametrize("reason", ["", "  ", "长" * 1001])
def test_a_reason_is_needed(gated, reason):
    county, _case, task = gated
    with pytest.raises(InvalidForm):
        commands.ask(county.system, county.act(VOLUNTEER), "gate.visit", reason, task, now=county.now)
    waiver = ask(county, task)
    for decide in (commands.grant, commands.refuse):
        with pytest.raises(InvalidForm):
            decide(county.system, county.act("supervisor"), waiver, reason, now=county.now)


def test_what_is_over_is_decided_no_more(gated):
    county, case, task = gated
    waiver = ask(county, task)
    county.do("ft-01-1", case, "visit")
    with pytest.raises(TaskClosed):
        grant(county, waiver)
    with pytest.raises(TaskClosed):
        ask(county, task, "lead-01", person=VOLUNTEER)
    cancel(county.system, county.act("lead-01"), case, "迁出", now=county.now)
    with pytest.raises(InstanceClosed):
        grant(county, waiver)
    with county.system.database.read() as session:
        assert waivers.waiting(session, county.system.vault, county.act("supervisor")) == []


def test_an_erased_case(gated):
    county, case, task = gated
    waiver = ask(county, task)
    with county.system.database.unit(county.now) as unit:
        key = unit.session.scalar(select(SubjectKey).where(SubjectKey.subject == f"instance/{case}"))
        county.system.vault.destroy(key, county.now)
        unit.commit()
    with pytest.raises(Erased):
        grant(county, waiver)
    with pytest.raises(Erased):
        commands.refuse(county.system, county.act("supervisor"), waiver, "不必了", now=county.now)
    with county.system.database.read() as session:
        (line,), _next = waivers.register(session, county.system.vault, county.act("auditor"), county.now)
    assert line.told is None and line.waiver.status == "asked"


def test_whose_waivers_one_sees(gated):
    county, case, task = gated
    ask(county, task)
    with county.system.database.read() as session:
        seen = {
            who: [line.instance.id for line in waivers.register(session, county.system.vault, county.act(who), county.now)[0]]
            for who in (VOLUNTEER, "supervisor", "lead-01", "auditor", "lead-02", "ft-01-1", "volunteer-02-1")
        }
        with pytest.raises(Forbidden):
            waivers.register(session, county.system.vault, county.act("admin"), county.now)
    assert {who for who, cases in seen.items() if cases == [case]} == {VOLUNTEER, "supervisor", "lead-01", "auditor"}
    assert all(cases in ([case], []) for cases in seen.values())


def test_the_register_goes_on_page_by_page(gated):
    county, _case, task = gated
    made = []
    for _ in range(3):
        made.append(ask(county, task))
        commands.withdraw(county.system, county.act(VOLUNTEER), made[-1], now=county.now)
    with county.system.database.read() as session:
        supervisor, vault = county.act("supervisor"), county.system.vault
        first, cursor = waivers.register(session, vault, supervisor, county.now, limit=2)
        rest, end = waivers.register(session, vault, supervisor, county.now, limit=2, cursor=cursor)
        other = organisation.unit_by_key(session, "county", "station-02")
        nothing, _next = waivers.register(session, vault, supervisor, county.now, rule="gate.plan")
        elsewhere, _next = waivers.register(session, vault, supervisor, county.now, station_id=other.id)
    assert [line.waiver.id for line in (*first, *rest)] == made[::-1] and end is None
    assert nothing == elsewhere == []


def test_the_ledger_says_what_the_register_says(gated):
    county, case, task = gated
    waiver = ask(county, task)
    grant(county, waiver)
    with county.system.database.read() as session:
        (held,) = instances.open_instance(county.system, session, county.act("supervisor"), case).state["ledger"]["waivers"]
        entry = session.get(Waiver, waiver).entry
    assert held | {"until": None} == entry | {"until": None}
    assert datetime.fromisoformat(held["until"]) == datetime.fromisoformat(entry["until"])
