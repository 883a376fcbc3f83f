"""Procedures that call procedures: begun with their caller, answered exactly once, cancelled with it, refused where they would go on for ever."""

import pytest
from sqlalchemy import select, text

from engine import calls
from engine.commands.deliveries import carry_out, retry_delivery
from engine.commands.instances import cancel, retry
from engine.commands.operations import move_on
from engine.deliveries import ATTEMPTS, Delivery
from engine.exceptions import CalledByCase, StateUnreadable
from tests.bpmn.builder import Diagram
from tests.integration.test_cases import ASSIGN
from tests.integration.test_messages import asking, begun, files, rows


def caller(process: str = "inner", ident: str = "outer", zeebe: str = "", **called) -> Diagram:
    """ask (n) → call `process` → check."""
    diagram = asking(ident)
    diagram.call("visit", process, zeebe, **called)
    diagram.user("check", ASSIGN)
    diagram.path("ask", "visit", "check", "end")
    return diagram


def inner(ident: str = "inner") -> Diagram:
    """work → end."""
    diagram = Diagram(ident)
    diagram.add("startEvent", "start"), diagram.user("work", ASSIGN), diagram.add("endEvent", "end")
    diagram.path("start", "work", "end")
    return diagram


def children(county, parent: str) -> list[str]:
    with county.system.database.read() as session:
        return [child.id for _link, child in calls.called_by(session, parent)]


def kinds(county, case: str) -> list[str]:
    return [line["kind"] for line in county.history(case)]


@pytest.fixture
def calling(county):
    county.deploy(**files(inner()))
    county.deploy(**files(caller()))
    return county


def test_a_case_calls_another_and_goes_on_when_it_has_ended(calling):
    case = begun(calling, "outer", 7)
    [child] = children(calling, case)
    assert list(calling.open_tasks(case)) == [] and list(calling.open_tasks(child)) == ["work"]
    assert int(calling.variables(child)["n"]) == 7
    assert calling.instance(child).place_path == calling.instance(case).place_path
    calling.do("ft-01-1", child, "work")
    assert list(calling.open_tasks(case)) == ["check"], "nobody waits for the worker"
    assert kinds(calling, case).count("call:completed") == 1
    calling.do("ft-01-1", case, "check")
    assert calling.instance(case).status == "completed"
    assert rows(calling, Delivery) == 0
    assert calling.faults() == []


def test_a_called_case_without_a_wait_ends_in_the_same_breath(county):
    diagram = Diagram("inner")
    diagram.add("startEvent", "start"), diagram.script("sum", "total", "n + 1"), diagram.add("endEvent", "end")
    diagram.path("start", "sum", "end")
    county.deploy(**files(diagram))
    county.deploy(**files(caller()))
    case = begun(county, "outer", 7)
    assert list(county.open_tasks(case)) == ["check"]
    assert int(county.variables(case)["total"]) == 8
    assert county.faults() == []


def test_only_mapped_variables_go_in_and_out_where_the_diagram_says_so(county):
    county.deploy(**files(inner()))
    mapping = '<zeebe:ioMapping><zeebe:input source="=n * 2" target="given"/><zeebe:output source="=given" target="back"/></zeebe:ioMapping>'
    county.deploy(**files(caller(zeebe=mapping, propagateAllParentVariables="false", propagateAllChildVariables="false")))
    case = begun(county, "outer", 7)
    [child] = children(county, case)
    assert {name: int(value) for name, value in county.variables(child).items()} == {"given": 14}
    county.do("ft-01-1", child, "work")
    assert int(county.variables(case)["back"]) == 14
    assert "given" not in county.variables(case)


def test_a_call_of_nothing_is_an_incident_and_called_again_when_there_is_something(county):
    county.deploy(**files(caller("nothing_yet")))
    case = begun(county, "outer")
    assert county.instance(case).status == "incident"
    told = [line["facts"] for line in county.history(case) if line["kind"] == "incident:raised"]
    assert [facts["code"] for facts in told] == ["call_unknown"]
    county.deploy(**files(inner("nothing_yet")))
    assert retry(county.system, county.act("supervisor"), case, now=county.now)["status"] == "active"
    [child] = children(county, case)
    county.do("ft-01-1", child, "work")
    assert list(county.open_tasks(case)) == ["check"]
    assert county.faults() == []


def test_calls_go_no_deeper_than_twenty(county):
    """A process that is named by an expression may call itself; it stops at an incident, and nothing else is lost."""
    diagram = asking("deep")
    diagram.call("again", '="deeper"')
    diagram.path("ask", "again", "end")
    county.deploy(**files(diagram))
    deeper = Diagram("deeper")
    deeper.add("startEvent", "start"), deeper.call("again", '="deeper"'), deeper.add("endEvent", "end")
    deeper.path("start", "again", "end")
    county.deploy(**files(deeper))
    case = begun(county, "deep")
    depth, at = 0, case
    while found := children(county, at):
        [at] = found
        depth += 1
    assert depth == calls.DEEPEST
    assert county.instance(case).status == "active" and county.instance(at).status == "incident"
    assert [line["facts"]["code"] for line in county.history(at) if line["kind"] == "incident:raised"] == ["call_too_deep"]
    cancel(county.system, county.act("supervisor"), case, "无尽", now=county.now)
    assert county.instance(at).status == "cancelled"
    assert county.faults() == []


def test_calls_that_go_round_without_a_wait_come_to_a_stop(county, monkeypatch):
    monkeypatch.setattr(calls, "MOST", 30)
    quick = Diagram("quick")
    quick.add("startEvent", "start"), quick.add("endEvent", "end"), quick.path("start", "end")
    county.deploy(**files(quick))
    diagram = asking("round")
    diagram.add("exclusiveGateway", "merge"), diagram.call("again", "quick"), diagram.add("exclusiveGateway", "enough")
    diagram.path("ask", "merge", "again", "enough")
    diagram.flow("enough", "end", "n < 0"), diagram.flow("enough", "merge", default=True)
    county.deploy(**files(diagram))
    case = begun(county, "round")
    county.pass_time(seconds=1)
    assert county.instance(case).status == "incident" and len(children(county, case)) == 30
    assert [line["facts"]["code"] for line in county.history(case) if line["kind"] == "incident:raised"] == ["runs_in_circle"]
    assert county.faults() == []


def test_a_caller_that_is_cancelled_takes_its_called_cases_with_it(calling):
    case = begun(calling, "outer")
    [child] = children(calling, case)
    with pytest.raises(CalledByCase):
        cancel(calling.system, calling.act("supervisor"), child, "只终止下级", now=calling.now)
    cancel(calling.system, calling.act("supervisor"), case, "重复", now=calling.now)
    assert calling.instance(child).status == "cancelled"
    assert calling.open_tasks(child) == {}
    assert calling.faults() == []


def test_a_deadline_on_the_call_cancels_what_was_called(county):
    county.deploy(**files(inner()))
    diagram = caller()
    diagram.boundary("late", "visit", "timer", "P1D"), diagram.add("endEvent", "expired"), diagram.path("late", "expired")
    county.deploy(**files(diagram))
    case = begun(county, "outer")
    [child] = children(county, case)
    county.pass_time(days=1)
    assert [county.instance(each).status for each in (case, child)] == ["completed", "cancelled"]
    assert county.faults() == []


def test_what_is_called_and_called_off_in_one_command_leaves_nothing(county):
    county.deploy(**files(inner()))
    diagram = asking("outer")
    diagram.add("parallelGateway", "split"), diagram.call("visit", "inner")
    diagram.add("endEvent", "kill", inner="<bpmn:terminateEventDefinition/>")
    diagram.path("ask", "split", "visit", "end"), diagram.path("split", "kill")
    county.deploy(**files(diagram))
    case = begun(county, "outer")
    assert county.instance(case).status == "completed"
    assert all(county.instance(child).status == "cancelled" for child in children(county, case))
    assert rows(county, Delivery) == 0
    assert county.faults() == []


def test_an_error_of_the_called_case_is_caught_by_its_caller(county):
    diagram = Diagram("inner")
    diagram.add("startEvent", "start"), diagram.user("work", ASSIGN), diagram.event("endEvent", "failed", "error", "E1")
    diagram.path("start", "work", "failed")
    county.deploy(**files(diagram))
    outer = caller()
    outer.boundary("wrong", "visit", "error", "E1"), outer.user("repair", ASSIGN), outer.add("endEvent", "repaired")
    outer.path("wrong", "repair", "repaired")
    county.deploy(**files(outer))
    case = begun(county, "outer")
    [child] = children(county, case)
    county.do("ft-01-1", child, "work")
    assert list(county.open_tasks(case)) == ["repair"]
    assert county.instance(child).status == "cancelled"
    assert county.faults() == []


def test_an_error_that_nobody_catches_is_an_incident_of_the_caller(county):
    diagram = Diagram("inner")
    diagram.add("startEvent", "start"), diagram.user("work", ASSIGN), diagram.event("endEvent", "failed", "error", "E1")
    diagram.path("start", "work", "failed")
    county.deploy(**files(diagram)), county.deploy(**files(caller()))
    case = begun(county, "outer")
    [child] = children(county, case)
    county.do("ft-01-1", child, "work")
    assert county.instance(case).status == "incident"
    retry(county.system, county.act("supervisor"), case, now=county.now)
    assert len(children(county, case)) == 2, "called anew"
    assert county.faults() == []


def test_an_escalation_reaches_the_caller_before_the_end_does(county):
    diagram = Diagram("inner")
    diagram.add("startEvent", "start"), diagram.user("work", ASSIGN)
    diagram.event("intermediateThrowEvent", "tell", "escalation", "ESC"), diagram.add("endEvent", "end")
    diagram.path("start", "work", "tell", "end")
    county.deploy(**files(diagram))
    outer = caller()
    outer.boundary("told", "visit", "escalation", "ESC", interrupting=False), outer.user("look", ASSIGN), outer.add("endEvent", "seen")
    outer.path("told", "look", "seen")
    county.deploy(**files(outer))
    case = begun(county, "outer")
    [child] = children(county, case)
    county.do("ft-01-1", child, "work")
    assert set(county.open_tasks(case)) == {"look", "check"}
    assert county.faults() == []


def test_many_cases_for_a_list_and_one_answer(county):
    county.deploy(**files(inner()))
    outer = asking("outer")
    outer.call("visit", "inner"), outer.user("check", ASSIGN)
    outer.many("visit", "[1, 2, 3]", "each", output=("done", "each * 10"))
    outer.path("ask", "visit", "check", "end")
    county.deploy(**files(outer))
    case = begun(county, "outer")
    found = children(county, case)
    assert sorted(int(county.variables(child)["each"]) for child in found) == [1, 2, 3]
    for child in found:
        assert list(county.open_tasks(case)) == []
        county.do("ft-01-1", child, "work")
    assert list(county.open_tasks(case)) == ["check"]
    assert [int(each) for each in county.variables(case)["done"]] == [10, 20, 30]
    assert county.faults() == []


def test_an_operator_goes_past_a_call(calling):
    case = begun(calling, "outer")
    [child] = children(calling, case)
    token = next(line["facts"]["token"] for line in calling.history(case) if line["kind"] == "case:called")
    move_on(calling.system, calling.act("lead-01"), case, token, "下级个案改线下办", now=calling.now)
    assert list(calling.open_tasks(case)) == ["check"]
    assert calling.instance(child).status == "cancelled"
    assert calling.faults() == []


# --- deliveries ---------------------------------------------------------------------------------------------------------------


def lost(monkeypatch):
    """As if the process died between its commit and the delivery."""
    monkeypatch.setattr("engine.commands.deliveries.settle", lambda *_: None)


def test_what_the_process_does_not_carry_out_the_worker_does(calling, monkeypatch):
    case = begun(calling, "outer")
    [child] = children(calling, case)
    with monkeypatch.context() as patch:
        lost(patch)
        calling.do("ft-01-1", child, "work")
    assert rows(calling, Delivery) == 1 and list(calling.open_tasks(case)) == []
    assert calling.faults() == []
    assert carry_out(calling.system, calling.now) == 1
    assert list(calling.open_tasks(case)) == ["check"]
    assert carry_out(calling.system, calling.now) == 0
    assert calling.faults() == []


def test_a_delivery_that_fails_is_tried_again_and_then_shown(calling, monkeypatch):
    from engine.workflow import Case

    case = begun(calling, "outer")
    [child] = children(calling, case)

    def broken(*_arguments):
        raise StateUnreadable(reason="test")

    with monkeypatch.context() as patch:
        patch.setattr(Case, "finish_call", broken)
        calling.do("ft-01-1", child, "work")
        for _ in range(ATTEMPTS):
            calling.pass_time(hours=2)
    with calling.system.database.read() as session:
        delivery = session.scalars(select(Delivery)).one()
    assert (delivery.attempts, delivery.next_at, delivery.error) == (ATTEMPTS, None, "state_unreadable")
    assert calling.pass_time(days=1) == 0 and list(calling.open_tasks(case)) == []
    retry_delivery(calling.system, calling.act("lead-01"), delivery.id, now=calling.now)
    assert list(calling.open_tasks(case)) == ["check"]
    assert calling.faults() == []


def test_an_answer_for_a_case_that_is_over_is_dropped(calling, monkeypatch):
    case = begun(calling, "outer")
    [child] = children(calling, case)
    with monkeypatch.context() as patch:
        lost(patch)
        calling.do("ft-01-1", child, "work")
        cancel(calling.system, calling.act("supervisor"), case, "不再需要", now=calling.now)
    calling.pass_time(seconds=1)
    assert rows(calling, Delivery) == 0
    assert calling.instance(case).status == "cancelled"
    assert calling.faults() == []


def test_what_one_case_has_for_another_arrives_in_its_order(county, monkeypatch):
    """The end of a called case waits until its escalation, which came before, has been carried out."""
    from engine.workflow import Case

    diagram = Diagram("inner")
    diagram.add("startEvent", "start"), diagram.user("work", ASSIGN)
    diagram.event("intermediateThrowEvent", "tell", "escalation", "ESC"), diagram.add("endEvent", "end")
    diagram.path("start", "work", "tell", "end")
    outer = caller()
    outer.boundary("told", "visit", "escalation", "ESC", interrupting=False), outer.user("look", ASSIGN), outer.add("endEvent", "seen")
    outer.path("told", "look", "seen")
    county.deploy(**files(diagram)), county.deploy(**files(outer))
    case = begun(county, "outer")
    [child] = children(county, case)
    with monkeypatch.context() as patch:
        patch.setattr(Case, "throw_escalation", lambda *_: 1 / 0)
        county.do("ft-01-1", child, "work")
    assert rows(county, Delivery) == 2 and county.open_tasks(case) == {}
    county.pass_time(minutes=1)
    assert set(county.open_tasks(case)) == {"look", "check"}
    assert [kind for kind in kinds(county, case) if kind in ("escalation:caught", "call:completed")] == ["escalation:caught", "call:completed"]
    assert county.faults() == []


@pytest.mark.parametrize(
    "change",
    ["UPDATE delivery SET target_id = NULL", "DELETE FROM delivery", "UPDATE called_case SET parent_token = 99", "DELETE FROM called_case"],
)
def test_tampering_is_found(calling, monkeypatch, change):
    case = begun(calling, "outer")
    [child] = children(calling, case)
    with monkeypatch.context() as patch:
        lost(patch)
        calling.do("ft-01-1", child, "work")
    assert calling.faults() == []
    with calling.system.database.engine.begin() as connection:
        assert connection.execute(text(change)).rowcount == 1
    assert len(calling.faults()) == 1


def test_a_case_without_any_of_it_asks_the_database_no_more_than_before(calling):
    """Nothing of calls, messages and jobs is looked for where a diagram has none."""
    from sqlalchemy import event

    calling.deploy(**files(inner("plain")))
    case = calling.start("plain")["id"]
    statements = []
    event.listen(calling.system.database.engine, "before_cursor_execute", lambda c, cursor, sql, *_: statements.append(sql))
    calling.do("ft-01-1", case, "work")
    assert not [sql for sql in statements if any(word in sql for word in ("subscription", "job", "delivery", "called_case", "message"))]



def test_no_more_cases_are_begun_at_once_than_others_can_wait_for(county, monkeypatch):
    """A thousand calls by one click held the database for half a minute. What is too many is an incident; a retry calls the next."""
    monkeypatch.setattr(calls, "MOST_AT_ONCE", 2)
    county.deploy(**files(inner()))
    diagram = asking("outer")
    diagram.call("visit", "inner"), diagram.many("visit", "[1, 2, 3, 4, 5]", "item")
    diagram.path("ask", "visit", "end")
    county.deploy(**files(diagram))
    case = begun(county, "outer")
    assert len(children(county, case)) == 2 and county.instance(case).status == "incident"
    assert {line["facts"]["code"] for line in county.history(case) if line["kind"] == "incident:raised"} == {"call_too_many"}
    for called in (4, 5):
        retry(county.system, county.act("supervisor"), case, now=county.now)
        assert len(children(county, case)) == called
    assert county.instance(case).status == "active"
    for child in children(county, case):
        county.do("ft-01-1", child, "work")
    assert county.instance(case).status == "completed"
    assert county.faults() == []
