"""What operators see and do by hand: lists by place, a case moved on, a value corrected; each with its reason in the history."""

import pytest

from engine import operations
from engine.commands.messages import publish_message
from engine.commands.operations import correct, move_on
from engine.exceptions import Forbidden, InstanceClosed, InvalidRequest, NoSuchToken, NotFound
from tests.bpmn.builder import Diagram
from tests.integration.test_cases import ASSIGN, form, number
from tests.integration.test_messages import asking, begun, files, publish, receipt


def broken() -> dict:
    """ask (amount) → a gateway whose conditions read `limit`, which nobody wrote."""
    diagram = Diagram("broken", "出错")
    diagram.add("startEvent", "start"), diagram.user("ask", ASSIGN), diagram.add("exclusiveGateway", "large")
    diagram.user("big", ASSIGN), diagram.user("small", ASSIGN), diagram.add("endEvent", "end")
    diagram.path("start", "ask", "large")
    diagram.flow("large", "big", "limit < amount"), diagram.flow("large", "small", "limit >= amount")
    diagram.path("big", "end"), diagram.path("small", "end")
    forms = {f"{name}.form": form(name, *([number("amount")] if name == "ask" else [])) for name in ("ask", "big", "small")}
    return {"broken.bpmn": diagram.xml()} | forms


@pytest.fixture
def stuck(county):
    county.deploy(**broken())
    return county


def standing(county, who="lead-01"):
    with county.system.database.read() as session:
        return operations.incidents(county.system, session, county.act(who))[0]


def move(county, case, token, reason="改走线下", who="lead-01", **options):
    return move_on(county.system, county.act(who), case, token, reason, now=county.now, **options)


def fix(county, case, reason="登记时写错", who="lead-01", **options):
    return correct(county.system, county.act(who), case, reason, now=county.now, **options)


def test_a_missing_value_is_written_and_the_step_tried_again(stuck):
    from engine.commands.instances import retry

    case = stuck.start("broken", data={"amount": 5})["id"]
    assert stuck.instance(case).status == "incident"
    [trouble] = standing(stuck)
    assert trouble.faults[0]["element"] == "large"
    fix(stuck, case, values={"limit": 3})
    retry(stuck.system, stuck.act("supervisor"), case, now=stuck.now)
    assert list(stuck.open_tasks(case)) == ["big"]
    assert standing(stuck) == []
    told = {line["kind"]: line for line in stuck.history(case)}
    assert told["operation:corrected"]["facts"] == {"names": ["limit"], "token": None}
    assert told["operation:corrected"]["data"] == {"reason": "登记时写错"}
    assert stuck.faults() == []


def test_a_value_by_a_formula(stuck):
    case = stuck.start("broken", data={"amount": 5})["id"]
    assert fix(stuck, case, expressions={"limit": "=amount * 2", "day": 'date("2026-03-02")'})["names"] == ["day", "limit"]
    assert int(stuck.variables(case)["limit"]) == 10
    assert stuck.variables(case)["day"].isoformat() == "2026-03-02"


def test_a_case_is_moved_past_what_it_cannot_do(stuck):
    case = stuck.start("broken", data={"amount": 5})["id"]
    token = standing(stuck)[0].faults[0]["token"]
    with pytest.raises(InvalidRequest) as refusal:
        move(stuck, case, token)
    assert "large_to_big" in refusal.value.message, "the ways are told"
    assert move(stuck, case, token, flow="large_to_small")["status"] == "active"
    assert list(stuck.open_tasks(case)) == ["small"]
    facts = next(line["facts"] for line in stuck.history(case) if line["kind"] == "operation:moved")
    assert facts == {"token": token, "element": "large", "flow": "large_to_small"}
    assert stuck.faults() == []


def test_an_open_task_that_is_moved_past_is_withdrawn(stuck):
    case = stuck.start("broken")["id"]
    task = stuck.open_tasks(case)["ask"]
    move(stuck, case, task.token)
    assert "ask" not in stuck.open_tasks(case)
    assert stuck.faults() == []


def test_who_may_and_what_is_refused(stuck):
    case = stuck.start("broken", data={"amount": 5})["id"]
    token = standing(stuck)[0].faults[0]["token"]
    for stranger, error in (("ft-01-1", Forbidden), ("admin", Forbidden), ("auditor", Forbidden), ("lead-02", NotFound)):
        with pytest.raises(error):
            move(stuck, case, token, who=stranger, flow="large_to_small")
        with pytest.raises(error):
            fix(stuck, case, who=stranger, values={"limit": 1})
    for wrong in ({"reason": " "}, {"flow": "nowhere"}):
        with pytest.raises(InvalidRequest):
            move(stuck, case, token, **wrong)
    with pytest.raises(NoSuchToken):
        move(stuck, case, 999)
    for wrong in ({}, {"values": {"parameters": 1}}, {"values": {"": 1}}, {"expressions": {"x": "1 +"}}, {"reason": "", "values": {"x": 1}}):
        with pytest.raises(InvalidRequest):
            fix(stuck, case, **wrong)
    with pytest.raises(NoSuchToken):
        fix(stuck, case, values={"x": 1}, token=999)
    move(stuck, case, token, flow="large_to_small")
    stuck.do("ft-01-1", case, "small")
    with pytest.raises(InstanceClosed):
        fix(stuck, case, values={"x": 1})


def test_lists_tell_what_waits_at_ones_place_page_by_page(county):
    county.deploy(**receipt())
    diagram = asking("pausing")
    diagram.timer("intermediateCatchEvent", "pause", "Duration", "P1D"), diagram.path("ask", "pause", "end")
    county.deploy(**files(diagram))
    for n in range(5):
        begun(county, "receipt", n), begun(county, "pausing", n)
    publish(county, key="nobody", who="lead-01")
    with county.system.database.read() as session:
        lead, other, worker = county.act("lead-01"), county.act("lead-02"), county.act("ft-01-1")
        for listed in (operations.timers, operations.waits):
            seen, cursor = [], None
            while True:
                page, cursor = listed(session, lead, cursor, 2)
                seen += [(case.id, row) for row, case in page]
                if cursor is None:
                    break
            assert len(seen) == len({case for case, _row in seen}) == 5
            assert listed(session, other)[0] == []
            with pytest.raises(Forbidden):
                listed(session, worker)
        assert [m.name for m in operations.kept_messages(session, lead, county.now)[0]] == ["paid"]
        assert operations.kept_messages(session, other, county.now)[0] == []
        assert operations.waiting_deliveries(session, county.act("supervisor"))[0] == []
        with pytest.raises(InvalidRequest):
            operations.timers(session, lead, "nonsense")


def test_what_an_operator_corrects_wakes_a_condition_and_a_message_may_follow(county):
    diagram = asking("watching")
    diagram.event("intermediateCatchEvent", "ready", "conditional", "ready = true")
    diagram.user("go", ASSIGN), diagram.path("ask", "ready", "go", "end")
    county.deploy(**files(diagram))
    case = begun(county, "watching")
    assert list(county.open_tasks(case)) == []
    fix(county, case, values={"ready": True})
    assert list(county.open_tasks(case)) == ["go"]
    assert publish_message(county.system, county.act("lead-01"), "nothing", now=county.now)["caught"] == 0
    assert county.faults() == []
