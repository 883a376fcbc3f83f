"""Who could do a task, offering it to one after the other, giving back with a reason, and sending somebody from another station."""

from datetime import timedelta

import pytest
from sqlalchemy import event

from engine import instances, tasks
from engine.commands.candidates import look
from engine.commands.tasks import claim, complete, delegate, dispatch, release
from engine.exceptions import DeployRefused, Forbidden, InvalidRequest, NotFound, ReceiverUnfit, RegulationRefused
from engine.instances import CLAIMED, OFFERED
from tests.bpmn.builder import Diagram
from tests.integration.test_assigned import one, said
from tests.integration.test_cases import ASSIGN, form
from tests.support import tables

FIRST = ASSIGN + said(offer="first")


def ranking(county, task, who="lead-01", **options) -> list[str]:
    with county.system.database.read() as session:
        return [choice.person.username for choice in look(county.system, session, county.act(who), task.id, county.now, **options)]


def events(county, case, kind) -> list[dict]:
    return [line for line in county.history(case["id"]) if line["kind"] == kind]


def the_task(county, case, element="task") -> instances.Task:
    return county.open_tasks(case["id"])[element]


def three_in_a_row(**last: str) -> dict:
    diagram = Diagram("row", "三步")
    diagram.add("startEvent", "start")
    for step in ("a", "b"):
        diagram.user(step, ASSIGN)
    diagram.user("c", ASSIGN + said(**last))
    diagram.add("endEvent", "end")
    diagram.path("start", "a", "b", "c", "end")
    return {"row.bpmn": diagram.xml(), **{f"{step}.form": form(step) for step in "abc"}}


# --- ranked ---------------------------------------------------------------------------------------------------------------


def test_candidates_are_those_who_serve_the_place_whoever_knows_the_case_in_front_and_nothing_is_written(county):
    county.deploy(**three_in_a_row())
    case = county.start("row")
    county.do("pt-01-1", case["id"], "a")
    statements = []
    event.listen(county.system.database.engine, "before_cursor_execute", lambda c, cursor, sql, *_: statements.append(sql))
    task = the_task(county, case, "b")
    statements.clear()
    assert ranking(county, task)[0] == "pt-01-1" and sorted(ranking(county, task)) == ["ft-01-1", "ft-01-2", "pt-01-1"]
    statements.clear(), ranking(county, task)
    assert len(statements) <= 12 and not [sql for sql in statements if sql.split()[0] in ("INSERT", "UPDATE")]
    assert sorted(ranking(county, task, "supervisor", elsewhere=True)) == ["ft-02-1", "ft-02-2", "pt-02-1"]
    with pytest.raises(NotFound):
        ranking(county, task, "lead-02")


def test_the_holder_is_no_candidate_and_whoever_was_given_most_comes_later(county):
    county.deploy(**one(ASSIGN))
    for _ in range(3):
        delegate(county.system, county.act("lead-01"), the_task(county, county.start("one")).id, "ft-01-1", now=county.now)
    county.now += timedelta(hours=1)
    delegate(county.system, county.act("lead-01"), the_task(county, county.start("one")).id, "ft-01-2", now=county.now)
    task = the_task(county, county.start("one"))
    assert ranking(county, task)[-1] == "ft-01-1"
    delegate(county.system, county.act("lead-01"), task.id, "ft-01-2", now=county.now)
    assert "ft-01-2" not in ranking(county, task)


STRICT = tables.file(
    tables.table(
        [("point", "string"), ("person.workforce", "string"), ("list contains(task.tags, \"record\")", "boolean")],
        [("rule", "string"), ("effect", "string"), ("message", "string"), ("message_en", "string")],
        [('"assign"', '"part_time"', "true", '"strict.full_time"', '"block"', '"记录由专职社工写。"', '"Records are for full-time workers."')],
        hit="COLLECT",
        ident="strict",
    )
)


def test_whom_a_regulation_would_refuse_comes_last_and_is_passed_over(county):
    county.deploy(**{"strict.dmn": STRICT})
    county.deploy(**three_in_a_row(tags="record", offer="first"))
    case = county.start("row")
    county.do("pt-01-1", case["id"], "a")
    county.do("pt-01-1", case["id"], "b")
    task = the_task(county, case, "c")
    assert task.holder_id in {county.act("ft-01-1").person_id, county.act("ft-01-2").person_id}
    assert events(county, case, "task:assigned")[0]["facts"]["blocked"] == {county.act("pt-01-1").person_id: ["strict.full_time"]}
    with county.system.database.read() as session:
        found = look(county.system, session, county.act("lead-01"), task.id, county.now)
    assert found[-1].person.username == "pt-01-1" and [each.message for each in found[-1].verdicts] == ["记录由专职社工写。"]
    assert not any(choice.blocked for choice in found[:-1])
    with pytest.raises(RegulationRefused):
        delegate(county.system, county.act("lead-01"), task.id, "pt-01-1", now=county.now)


@pytest.mark.parametrize("wrong", [{"offer": "last"}, {"skills": "minors,flying"}])
def test_a_misspelt_property_is_refused_at_deployment(county, wrong):
    with pytest.raises(DeployRefused) as refusal:
        county.deploy(**one(ASSIGN + said(**wrong)))
    assert [(finding.code, finding.element) for finding in refusal.value.findings] == [("unknown_word", "task")]


# --- to one after the other -------------------------------------------------------------------------------------------------


def test_the_best_ranked_gets_it_when_it_opens_and_the_history_says_why(county):
    county.deploy(**three_in_a_row(offer="first"))
    case = county.start("row")
    county.do("ft-01-2", case["id"], "a")
    county.do("ft-01-2", case["id"], "b")
    task = the_task(county, case, "c")
    assert (task.status, task.holder_id) == (CLAIMED, county.act("ft-01-2").person_id)
    (told,) = events(county, case, "task:assigned")
    assert told["facts"]["to"] == county.act("ft-01-2").person_id and "了解该个案" in told["facts"]["why"]
    assert [each["person"] for each in told["facts"]["ranking"]][0] == told["facts"]["to"]
    assert county.do("ft-01-2", case["id"], "c")["instance"]["status"] == "completed"
    assert county.faults() == []


def test_who_gives_it_back_passes_it_on_and_when_nobody_is_left_it_is_offered_to_all(county):
    county.deploy(**one(FIRST))
    case = county.start("one")
    holders = []
    for _ in range(3):
        task = the_task(county, case)
        assert task.status == CLAIMED
        (name,) = [who for who in ("ft-01-1", "ft-01-2", "pt-01-1") if county.act(who).person_id == task.holder_id]
        holders.append(name)
        release(county.system, county.act(name), task.id, f"{name} 下乡去了", now=county.now)
    assert sorted(holders) == ["ft-01-1", "ft-01-2", "pt-01-1"]
    assert the_task(county, case).status == OFFERED
    assert [line["data"]["reason"] for line in events(county, case, "task:released")] == [f"{name} 下乡去了" for name in holders]
    claim(county.system, county.act(holders[0]), the_task(county, case).id, now=county.now)
    complete(county.system, county.act(holders[0]), the_task(county, case).id, {}, now=county.now)
    assert county.faults() == []


def test_a_reason_is_sealed_and_not_without_end(county):
    county.deploy(**one(ASSIGN))
    case = county.start("one")
    task = the_task(county, case)
    claim(county.system, county.act("ft-01-1"), task.id, now=county.now)
    with pytest.raises(InvalidRequest):
        release(county.system, county.act("ft-01-1"), task.id, "长" * 501, now=county.now)
    release(county.system, county.act("ft-01-1"), task.id, "和对象是亲戚", now=county.now)
    (told,) = events(county, case, "task:released")
    assert told["data"] == {"reason": "和对象是亲戚"} and "亲戚" not in str(told["facts"])


def test_what_nobody_named_can_take_is_still_the_leads_to_hand_out(county):
    county.deploy(**one('<zeebe:assignmentDefinition candidateUsers="nobody-99-1"/>' + said(offer="first")))
    case = county.start("one")
    assert the_task(county, case).status == OFFERED and county.inbox("lead-01") == ["task"]
    assert "ft-01-1" in ranking(county, the_task(county, case))


# --- from another station ---------------------------------------------------------------------------------------------------


def test_somebody_is_sent_from_another_station_reads_the_case_does_the_task_and_sees_it_no_more(county):
    county.deploy(**three_in_a_row())
    case = county.start("row")
    task, guest = the_task(county, case, "a"), county.act("ft-02-1")
    with pytest.raises(ReceiverUnfit):
        delegate(county.system, county.act("supervisor"), task.id, "ft-02-1", now=county.now)
    dispatch(county.system, county.act("supervisor"), task.id, "ft-02-1", "本站无人", now=county.now)
    assert county.inbox("ft-02-1", "mine") == ["a"]
    with county.system.database.read() as session:
        assert instances.open_instance(county.system, session, guest, case["id"]).instance.id == case["id"]
        assert tasks.detail(county.system, session, guest, task.id).task.holder_id == guest.person_id
    (told,) = events(county, case, "task:dispatched")
    assert told["facts"]["dispatched"] is True and told["data"]["reason"] == "本站无人"
    complete(county.system, guest, task.id, {}, now=county.now)
    with county.system.database.read() as session, pytest.raises(NotFound):
        instances.open_instance(county.system, session, guest, case["id"])
    assert the_task(county, case, "b").status == OFFERED and county.inbox("ft-02-1") == []
    assert county.faults() == []


def test_who_was_sent_gives_back_and_it_is_the_places_own_again(county):
    county.deploy(**one(ASSIGN))
    case = county.start("one")
    task = the_task(county, case)
    dispatch(county.system, county.act("supervisor"), task.id, "ft-02-1", "本站无人", now=county.now)
    release(county.system, county.act("ft-02-1"), task.id, "路太远", now=county.now)
    assert county.inbox("ft-02-1", "mine") == county.inbox("ft-02-1") == [] and county.inbox("ft-01-1") == ["task"]
    with pytest.raises(NotFound):
        claim(county.system, county.act("ft-02-1"), task.id, now=county.now)
    claim(county.system, county.act("ft-01-1"), task.id, now=county.now)
    assert county.faults() == []


@pytest.mark.parametrize(
    ("who", "to", "reason", "refused"),
    [
        ("lead-01", "ft-02-1", "本站无人", Forbidden),  # a lead does not oversee another station's people
        ("lead-02", "ft-02-1", "去帮忙", NotFound),  # nor another station's tasks
        ("ft-01-1", "ft-01-2", "忙", Forbidden),
        ("supervisor", "ft-02-1", " ", InvalidRequest),
        ("supervisor", "volunteer-02-1", "本站无人", ReceiverUnfit),  # workforce and groups hold everywhere
        ("supervisor", "nobody-9", "本站无人", NotFound),
    ],
)
def test_who_may_not_be_sent_or_send(county, who, to, reason, refused):
    county.deploy(**one(ASSIGN))
    case = county.start("one")
    with pytest.raises(refused):
        dispatch(county.system, county.act(who), the_task(county, case).id, to, reason, now=county.now)
    assert the_task(county, case).status == OFFERED


def test_others_may_still_take_a_lanes_task_after_a_guest_gave_it_back(county):
    """A mark among the users must not make the task one of named persons only."""
    diagram = Diagram("laned", "泳道")
    diagram.add("startEvent", "start"), diagram.user("task"), diagram.add("endEvent", "end")
    diagram.path("start", "task", "end")
    diagram.extra = (
        f'<bpmn:laneSet id="lanes"><bpmn:lane id="lane"><bpmn:extensionElements>{said(workforce="part_time")}'
        "</bpmn:extensionElements><bpmn:flowNodeRef>task</bpmn:flowNodeRef></bpmn:lane></bpmn:laneSet>"
    )
    county.deploy(**{"laned.bpmn": diagram.xml(), "task.form": form("task")})
    case = county.start("laned")
    task = the_task(county, case)
    dispatch(county.system, county.act("supervisor"), task.id, "pt-02-1", "本站无人", now=county.now)
    delegate(county.system, county.act("lead-01"), task.id, "pt-01-1", now=county.now)
    with pytest.raises(NotFound):
        complete(county.system, county.act("pt-02-1"), task.id, {}, now=county.now)
    assert county.do("pt-01-1", case["id"], "task")["instance"]["status"] == "completed"
