"""Jobs: work that programs do. Nobody gets a job that another has; what fails is tried again, then somebody must look at it."""

from datetime import timedelta

import pytest
from sqlalchemy import func, select, text

from engine.commands import StoredAnswer, jobs as commands
from engine.commands.accounts import create_account
from engine.commands.instances import cancel, retry
from engine.commands.organisation import add_person, change_person
from engine.commands.parties import erase
from engine.exceptions import Forbidden, InvalidRequest, JobNotYours, NotFound
from engine.jobs import Job
from engine.operations import incidents, job_error
from tests.bpmn.builder import Diagram
from tests.integration.test_cases import ASSIGN
from tests.integration.test_messages import asking, begun, files, rows
from tests.integration.test_parties import PARTY_LIST, PETITIONER, form as party_form
from tests.support.county import PASSWORD

WORKER = "sms-gateway"


def texting(**more) -> dict:
    """ask (n) → a program sends a text message (errors: `refused`) → check."""
    diagram = asking("texting")
    diagram.service("send", "send-sms", headers={"template": "appointment"}, **more)
    diagram.user("check", ASSIGN)
    diagram.boundary("refused", "send", "error", "REFUSED"), diagram.user("call", ASSIGN), diagram.add("endEvent", "called")
    diagram.path("ask", "send", "check", "end"), diagram.path("refused", "call", "called")
    return files(diagram)


def account(county, username: str, unit: str) -> None:
    """A program's account."""
    admin = county.act("admin")
    person = add_person(county.system, admin, "短信平台", unit, now=county.now)
    create_account(county.system, admin, person["id"], username, PASSWORD, ["program"], now=county.now)


@pytest.fixture
def working(county):
    """`program` works for the county, `program-02` for station-02 only."""
    county.deploy(**texting())
    account(county, "program", "county"), account(county, "program-02", "station-02")
    return county


def activate(county, who="program", kind="send-sms", worker=WORKER, **options):
    return commands.activate(county.system, county.act(who), kind, worker, now=county.now, **options)["jobs"]


def report(county, command, job, *arguments, who="program", worker=WORKER, **options):
    return command(county.system, county.act(who), job["id"], worker, *arguments, now=county.now, **options)


def test_a_program_fetches_a_job_and_the_case_goes_on_with_its_result(working):
    case = begun(working, "texting", 7)
    [job] = activate(working)
    assert (job["type"], job["element"], job["headers"], job["retries"]) == ("send-sms", "send", {"template": "appointment"}, 3)
    assert job["variables"] == {"n": 7, "placeName": "张庄村"} and job["instance"]["id"] == case
    answer = report(working, commands.complete, job, {"receipt": "OK-1"})
    assert answer["instance"] == {"id": case, "status": "active"}
    assert list(working.open_tasks(case)) == ["check"] and working.variables(case)["receipt"] == "OK-1"
    assert rows(working, Job) == 0
    told = [line for line in working.history(case) if line["kind"] in ("job:activated", "job:completed")]
    assert {line["actor_id"] for line in told} == {working.act("program").person_id} and len(told) == 2
    with pytest.raises(NotFound):
        report(working, commands.complete, job)
    assert working.faults() == []


def test_only_what_is_asked_for_leaves_the_house(working):
    begun(working, "texting", 7)
    [job] = activate(working, fetch=["n"])
    assert job["variables"] == {"n": 7}


def test_a_job_is_leased_to_one_and_given_back_when_the_lease_is_over(working):
    begun(working, "texting")
    [job] = activate(working, lease=60)
    assert activate(working) == []
    with pytest.raises(JobNotYours):
        report(working, commands.complete, job, worker="another")
    working.pass_time(seconds=61)
    [again] = activate(working, worker="another")
    assert again["id"] == job["id"]
    with pytest.raises(JobNotYours):
        report(working, commands.complete, job)
    report(working, commands.complete, again, worker="another")
    assert working.faults() == []


def test_who_is_late_may_still_report_while_nobody_else_has_the_job(working):
    case = begun(working, "texting")
    [job] = activate(working, lease=60)
    working.pass_time(minutes=5)
    report(working, commands.complete, job)
    assert list(working.open_tasks(case)) == ["check"]


def test_a_job_that_fails_rests_longer_each_time_and_is_then_an_incident(working):
    case = begun(working, "texting")
    for attempt, pause in enumerate((10, 20)):
        [job] = activate(working)
        assert job["retries"] == 3 - attempt
        report(working, commands.fail, job, f"线路忙 {attempt}")
        assert activate(working) == []
        with working.system.database.read() as session:
            row = session.scalars(select(Job)).one()
            assert row.next_at - working.now == timedelta(seconds=pause)
            assert job_error(working.system, session, row) == f"线路忙 {attempt}"
        working.pass_time(seconds=pause)
    [job] = activate(working)
    assert report(working, commands.fail, job, "线路断了")["instance"]["status"] == "incident"
    assert rows(working, Job) == 0 and activate(working) == []
    with working.system.database.read() as session:
        [trouble], _next = incidents(working.system, session, working.act("lead-01"))
        assert [fault["code"] for fault in trouble.faults] == ["job_failed"] and trouble.error == "线路断了"
        assert incidents(working.system, session, working.act("lead-02"))[0] == []
        assert incidents(working.system, session, working.act("admin"))[0][0].error is None, "an admin is told nothing of the case"
    retry(working.system, working.act("supervisor"), case, now=working.now)
    [job] = activate(working)
    assert job["retries"] == 1
    report(working, commands.complete, job)
    assert list(working.open_tasks(case)) == ["check"]
    assert working.faults() == []


def test_a_program_says_itself_how_often_and_when(working):
    begun(working, "texting")
    [job] = activate(working)
    report(working, commands.fail, job, "限流", retries=50, pause=3600)
    working.pass_time(seconds=3599)
    assert activate(working) == []
    working.pass_time(seconds=1)
    assert [job["retries"] for job in activate(working)] == [50]


def test_an_outcome_that_the_diagram_provides_for(working):
    case = begun(working, "texting")
    [job] = activate(working)
    report(working, commands.throw_error, job, "REFUSED", {"why": "停机"})
    assert list(working.open_tasks(case)) == ["call"] and working.variables(case)["why"] == "停机"
    other = begun(working, "texting")
    [job] = activate(working)
    assert report(working, commands.throw_error, job, "UNKNOWN")["instance"]["status"] == "incident"
    retry(working.system, working.act("supervisor"), other, now=working.now)
    assert len(activate(working)) == 1
    assert working.faults() == []


def test_a_cancelled_case_takes_its_jobs_with_it(working):
    case = begun(working, "texting")
    [job] = activate(working)
    cancel(working.system, working.act("lead-01"), case, "撤销", now=working.now)
    assert rows(working, Job) == 0
    with pytest.raises(NotFound):
        report(working, commands.complete, job)
    assert working.faults() == []


def test_who_may_work_and_where(working):
    begun(working, "texting")
    for stranger in ("supervisor", "lead-01", "ft-01-1", "auditor", "admin"):
        with pytest.raises(Forbidden):
            activate(working, stranger)
    assert activate(working, "program-02") == [], "another station's"
    [job] = activate(working)
    with pytest.raises(NotFound):
        report(working, commands.complete, job, who="program-02")


def test_several_at_once_the_oldest_first(working):
    cases = [begun(working, "texting", n) for n in range(4)]
    first = activate(working, most=3)
    assert [job["instance"]["id"] for job in first] == sorted(cases)[:3]
    assert len(activate(working, most=3)) == 1
    assert working.faults() == []


@pytest.mark.parametrize("wrong", [{"lease": 0}, {"lease": 10**6}, {"most": 0}, {"most": 101}, {"worker": ""}, {"worker": "x" * 101}])
def test_what_cannot_be_asked(working, wrong):
    with pytest.raises(InvalidRequest):
        activate(working, **wrong)


@pytest.mark.parametrize("ident", ["", "x", "0" * 32, "0" * 32 + "-x", "0" * 32 + "-99999999999", "0" * 32 + "-1"])
def test_a_job_that_never_was(working, ident):
    with pytest.raises(NotFound):
        report(working, commands.complete, {"id": ident})


def test_a_job_of_the_engines_own_is_done_on_the_spot(county):
    diagram = asking("referring")
    diagram.service("number", "shuibo:reference-number", headers={"prefix": "ZJ", "variable": "referral"})
    diagram.user("check", ASSIGN)
    diagram.path("ask", "number", "check", "end")
    county.deploy(**files(diagram))
    case = begun(county, "referring")
    assert list(county.open_tasks(case)) == ["check"]
    assert county.variables(case)["referral"].startswith("ZJ20260302-")
    assert rows(county, Job) == 0
    assert county.faults() == []


def test_a_throwing_event_may_be_a_programs_work(county):
    diagram = Diagram("notice")
    diagram.add("startEvent", "start"), diagram.user("ask", ASSIGN), diagram.add("endEvent", "end")
    diagram.service("tell", "send-sms", tag="sendTask")
    diagram.path("start", "ask", "tell", "end")
    county.deploy(**files(diagram))
    account(county, "program", "county")
    case = begun(county, "notice")
    [job] = activate(county)
    report(county, commands.complete, job)
    assert county.instance(case).status == "completed"


@pytest.mark.parametrize("change", ["UPDATE job SET retries = 99", "UPDATE job SET lease_until = NULL", "DELETE FROM job"])
def test_tampering_is_found(working, change):
    begun(working, "texting")
    activate(working)
    assert working.faults() == []
    with working.system.database.engine.begin() as connection:
        assert connection.execute(text(change)).rowcount == 1
    assert len(working.faults()) == 1


def test_a_job_whose_case_somebody_holds_is_left_for_the_next_time(new_database):
    """On PostgreSQL: nobody waits for a case that is being worked on."""
    from sqlalchemy import create_engine

    from tests.support.counties import County, prepare

    county = County(new_database("postgresql", prepare))
    county.deploy(**texting())
    account(county, "program", "county")
    held, free = begun(county, "texting"), begun(county, "texting")
    with create_engine(county.url).begin() as other:
        other.execute(text("SELECT id FROM stream WHERE id = :id FOR UPDATE"), {"id": f"instance/{held}"})
        assert [job["instance"]["id"] for job in activate(county, most=5)] == [free]
    assert [job["instance"]["id"] for job in activate(county, most=5)] == [held]
    with county.system.database.read() as session:
        assert session.scalar(select(func.count()).select_from(Job)) == 2
    county.system.database.dispose()


def test_a_repeated_key_gets_the_jobs_again_but_nothing_that_was_erased(county):
    """The first answer was kept with the variables in it, where no erasure found them, for a week and in every backup."""
    county.deploy(**telling())
    account(county, "program", "county")
    case = county.start("telling", data={"parties": [PETITIONER]})["id"]
    first = activate(county, kind="tell", key="K")
    assert first[0]["variables"]["parties"][0]["name"] == "欧阳甲"
    assert activate(county, kind="tell", key="K") == first, "the same jobs, the same values, no other lease"
    with county.system.database.read() as session:
        kept = session.scalars(select(StoredAnswer).where(StoredAnswer.route == "job:activate")).one()
        told = county.system.vault.open_own(kept.answer, f"answer:{kept.actor_id}:job:activate:K")
    assert told["jobs"][0]["variables"] == sorted(first[0]["variables"]), "names only"
    erase(county.system, county.act("supervisor"), case, "1", "本人要求", now=county.now)
    assert "欧阳甲" not in str(activate(county, kind="tell", key="K"))
    assert county.faults() == []


def test_a_repeated_key_gives_a_program_that_was_moved_nothing_of_its_former_place(working):
    """The first answer was made again without a look at where the program works now."""
    account(working, "program-01", "station-01")
    begun(working, "texting", 7)
    [job] = activate(working, who="program-01", key="K")
    assert job["variables"]["n"] == 7
    moved = working.act("program-01").person_id
    change_person(working.system, working.act("admin"), moved, {"unit": "station-02"}, now=working.now)
    working._actors.pop("program-01")  # who acts is read anew
    [again] = activate(working, who="program-01", key="K")
    assert again["variables"] == {}
    with pytest.raises(NotFound):
        report(working, commands.complete, job, who="program-01")


def telling() -> dict:
    """ask who the parties are → a program tells them."""
    diagram = Diagram("telling")
    diagram.add("startEvent", "start"), diagram.user("ask", ASSIGN), diagram.service("send", "tell"), diagram.add("endEvent", "end")
    diagram.path("start", "ask", "send", "end")
    return {"telling.bpmn": diagram.xml(), "ask.form": party_form("ask", PARTY_LIST)}
