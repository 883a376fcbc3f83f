"""Reruns that somebody asked for: the worker makes them batch by batch, they can be called off, and survive what happens meanwhile."""

import pytest
from sqlalchemy import func, select, update

from engine import worker
from engine.audit import Event
from engine.commands import reruns as commands
from engine.commands.definitions import deploy, publish, withdraw
from engine.commands.reruns import advance, cancel, start
from engine.definitions import Resource
from engine.exceptions import BasedOnOlder, Forbidden, InvalidRequest, NotFound, RerunEnded
from engine.reruns import RerunRequest, outcome as walking
from engine.reruns.requests import difference_of, in_force, of_version
from engine.vault import SubjectKey
from tests.integration.test_reruns import begun, house_rule
from tests.support.databases import ROOT

WARNS = ['"complete"', '"soon"', "-", "-", '"house.soon"', '"warn"']
BLOCKS = ['"complete"', '"urgent"', "-", "-", '"house.soon"', '"block"']


@pytest.fixture
def drafted(working_county, monkeypatch):
    """A county whose rule of the house warned once in three cases, with a draft that changes it; small batches. (county, cases)"""
    monkeypatch.setattr(walking, "BATCH", 2)
    working_county.deploy(**{"house.dmn": house_rule(WARNS)})
    cases = {each: begun(working_county, each) for each in ("normal", "soon", "urgent")}
    assert draft(working_county, BLOCKS)["number"] == 2
    working_county.pass_time(minutes=1)
    return working_county, cases


def draft(county, *rows, **more) -> dict:
    return deploy(county.system, county.act("supervisor"), {"house.dmn": house_rule(*rows)}, now=county.now, **more)


def asked(county, key: str = "house", number: int = 2, **more) -> str:
    return start(county.system, county.act("supervisor"), key, number, now=county.now, **more)["id"]


def worked(county) -> int:
    """Let the worker make all there is; answers how many batches."""
    batches = 0
    while advance(county.system, county.now):
        batches += 1
    return batches


def row(county, rerun_id: str) -> RerunRequest:
    with county.system.database.read() as session:
        return session.get(RerunRequest, rerun_id)


def told(county, rerun_id: str) -> list[tuple[str, dict]]:
    with county.system.database.read() as session:
        return [(each.kind, each.facts) for each in session.scalars(select(Event).where(Event.stream == f"rerun/{rerun_id}").order_by(Event.seq))]


def test_a_rerun_is_made_batch_by_batch_and_told(drafted):
    county, cases = drafted
    rerun = asked(county)
    assert worked(county) == 4  # six decisions, two at a time, and the look that finds nothing left
    request = row(county, rerun)
    assert (request.status, request.error, request.found.decisions, request.found.changed) == ("done", None, 6, 2)
    assert request.found.cases == {cases["soon"], cases["urgent"]}
    assert [kind for kind, _facts in told(county, rerun)] == ["rerun:started", "rerun:ended"]
    assert told(county, rerun)[1][1] | {"decisions": 6, "changed": 2} == told(county, rerun)[1][1]
    assert county.faults() == []


def test_another_process_goes_on_where_the_first_stopped(drafted):
    county, _cases = drafted
    rerun = asked(county)
    while advance(county.system, county.now):
        county.system.compiled.clear()
    assert (row(county, rerun).status, row(county, rerun).found.decisions) == ("done", 6)


def test_two_workers_count_nothing_twice(drafted, monkeypatch):
    county, _cases = drafted
    rerun = asked(county)
    kept = []

    def late(system, actor, *arguments, **options):
        """Another worker keeps the same batch just before this one."""
        kept.append(commands_keep(system, actor, *arguments, **options)["kept"])
        answer = commands_keep(system, actor, *arguments, **options)
        kept.append(answer["kept"])
        return answer

    commands_keep = commands.keep
    monkeypatch.setattr(commands, "keep", late)
    assert worked(county) == 4
    assert kept == [True, False] * 4
    assert row(county, rerun).found.decisions == 6


def test_called_off_in_the_middle(drafted):
    county, _cases = drafted
    rerun = asked(county)
    advance(county.system, county.now)
    cancel(county.system, county.act("supervisor"), rerun, now=county.now)
    assert worked(county) == 0
    assert (row(county, rerun).status, row(county, rerun).found.seen) == ("cancelled", 2)
    with pytest.raises(RerunEnded):
        cancel(county.system, county.act("supervisor"), rerun, now=county.now)
    assert [kind for kind, _facts in told(county, rerun)] == ["rerun:started", "rerun:cancelled"]
    assert county.faults() == []


def test_called_off_while_a_batch_is_made(drafted, monkeypatch):
    """What the worker brings afterwards is thrown away."""
    county, _cases = drafted
    rerun = asked(county)
    step = walking.Rerun.step

    def interrupted(self, session):
        more = step(self, session)
        session.rollback()
        cancel(county.system, county.act("supervisor"), rerun, now=county.now)
        return more

    monkeypatch.setattr(walking.Rerun, "step", interrupted)
    assert worked(county) == 1
    assert (row(county, rerun).status, row(county, rerun).found.seen) == ("cancelled", 0)


def test_the_same_question_is_asked_once_and_another_waits_its_turn(drafted):
    county, _cases = drafted
    first = asked(county)
    assert asked(county) == first
    other = asked(county, since="2026-03-02")
    assert other != first
    advance(county.system, county.now)
    assert (row(county, first).found.seen, row(county, other).found.seen) == (2, 0)
    worked(county)
    assert {row(county, each).status for each in (first, other)} == {"done"}
    assert asked(county) != first  # once done it is asked anew
    with county.system.database.read() as session:
        assert len(of_version(session, row(county, first).version_id)) == 3


def test_there_is_an_end_to_what_may_wait(drafted):
    county, _cases = drafted
    for day in range(commands.MOST_RUNNING):
        asked(county, since=f"2026-02-{day + 1:02}")
    with pytest.raises(InvalidRequest):
        asked(county, since="2026-01-01")


def test_another_version_is_published_meanwhile(drafted):
    """What was in force when it was asked for is what it is compared with to the end."""
    county, _cases = drafted
    rerun = asked(county)
    advance(county.system, county.now)
    withdraw(county.system, county.act("supervisor"), "house", 1, now=county.now)
    county.deploy(**{"house.dmn": house_rule(['"start"', "-", "-", "-", '"house.other"', '"warn"'])})
    worked(county)
    assert (row(county, rerun).status, row(county, rerun).found.changed) == ("done", 2)


def test_a_version_that_cannot_be_read_stops_itself_and_no_other(drafted):
    county, _cases = drafted
    broken, sound = asked(county), asked(county, "safety", 1)
    with county.system.database.engine.begin() as connection:
        connection.execute(update(Resource).where(Resource.version_id == row(county, broken).version_id).values(content=b"<nonsense/>"))
    worked(county)
    assert (row(county, broken).status, row(county, broken).error) == ("failed", "deploy_refused")
    assert row(county, sound).status == "done"


def test_erased_cases_are_counted_as_what_they_are(drafted):
    county, cases = drafted
    with county.system.database.unit(county.now) as unit:
        key = unit.session.scalar(select(SubjectKey).where(SubjectKey.subject == f"instance/{cases['soon']}"))
        county.system.vault.destroy(key, county.now)
        unit.commit()
    rerun = asked(county)
    worked(county)
    found = row(county, rerun).found
    assert (found.erased, found.decisions, found.cases) == (2, 4, {cases["urgent"]})


def test_the_worker_makes_reruns(drafted, monkeypatch):
    county, _cases = drafted
    rerun = asked(county)

    class Stop:
        """Ends the worker once it would sleep."""

        def is_set(self):
            return getattr(self, "slept", False)

        def wait(self, _seconds):
            self.slept = True

    worker.run(county.system, Stop(), clock=lambda: county.now)
    assert row(county, rerun).status == "done"


def test_bad_requests(drafted):
    county, _cases = drafted
    for wrong in ({"since": "2026-13-01"}, {"since": "3.1"}, {"since": "2026-03-02", "until": "2026-03-01"}, {"since": "2027-01-01"}, {"until": "0001-01-01"}):
        with pytest.raises(InvalidRequest):
            asked(county, **wrong)
    with pytest.raises(InvalidRequest):  # three tables, none named
        asked(county, "petition_mediation", 1)
    for nowhere in ({"number": 9}, {"key": "none"}, {"decision": "none"}):
        with pytest.raises(NotFound):
            asked(county, **nowhere)
    with pytest.raises(Forbidden):
        start(county.system, county.act("lead-01"), "house", 2, now=county.now)
    with county.system.database.read() as session:
        assert session.scalar(select(func.count()).select_from(RerunRequest)) == 0


# --- a procedure's own tables -----------------------------------------------------------------------------------------


def procedure(change: tuple[str, str]) -> dict[str, bytes]:
    """The procedure of service delivery with its files, one text of its table of visits changed."""
    from engine.commands.installation import bundles_of

    files = dict(bundles_of(ROOT / "bpmn"))["service_delivery"]
    old = files["visit_frequency.dmn"].decode()
    assert change[0] in old
    return files | {"visit_frequency.dmn": old.replace(*change).encode()}


@pytest.fixture
def decided(working_county):
    """A county with a case of which the procedure's own table said how often it is visited. (county, case, days)"""
    from tests.browser.pictures import STEPS, case_after

    case = case_after(working_county, [*STEPS])
    [line] = [line for line in working_county.history(case) if line["kind"] == "decision:evaluated"]
    working_county.pass_time(minutes=1)
    return working_county, case, line


def changed_procedure(county, *change: str) -> int:
    return deploy(county.system, county.act("supervisor"), procedure(change), now=county.now)["number"]


def test_a_table_of_a_procedure_is_asked_again(decided):
    county, case, line = decided
    rules, days = line["facts"]["rules"], line["data"]["result"]
    same = asked(county, "service_delivery", changed_procedure(county, 'name="', 'name="改 '))
    number = changed_procedure(county, f">{days}<", f">{days - 1}<")
    other = asked(county, "service_delivery", number, decision="visit_frequency")
    worked(county)
    assert (row(county, same).found.decisions, row(county, same).found.changed) == (1, 0)
    found = row(county, other).found
    assert (found.decisions, found.changed, found.cases, found.unknown) == (1, 1, {case}, {})
    assert found.shown[0]["before"] == found.shown[0]["after"] == dict.fromkeys(rules, "")  # the same rows, another number
    with county.system.database.read() as session:
        from engine.definitions import Version

        version = session.get(Version, row(county, other).version_id)
        told = difference_of(session, version, in_force(session, version), "visit_frequency")
    assert told.counts["cells"] >= 1
    assert county.faults() == []


def test_a_column_that_asks_something_new_cannot_be_known(decided):
    county, _case, _line = decided
    rerun = asked(county, "service_delivery", changed_procedure(county, "<text>age</text>", "<text>age + 1</text>"))
    worked(county)
    found = row(county, rerun).found
    assert (found.decisions, found.unknowable) == (0, 1)
    assert {"age + 1"} in found.unknown.values()


# --- two supervisors editing one table ----------------------------------------------------------------------------------


def test_publishing_over_what_somebody_published_meanwhile_is_refused(drafted):
    county, _cases = drafted
    mine = 2
    theirs = draft(county, WARNS)["number"]
    publish(county.system, county.act("supervisor"), "house", theirs, now=county.now)
    with pytest.raises(BasedOnOlder) as refused:
        publish(county.system, county.act("supervisor"), "house", mine, now=county.now)
    facts = refused.value.facts
    assert (facts["based_on"], facts["current"], facts["number"]) == (1, theirs, mine)
    assert facts["who"] == county.act("supervisor").name
    with pytest.raises(BasedOnOlder):  # they confirm what is not in force any more
        publish(county.system, county.act("supervisor"), "house", mine, based_on=1, now=county.now)
    publish(county.system, county.act("supervisor"), "house", mine, based_on=theirs, now=county.now)
    assert county.faults() == []


def test_a_draft_made_from_what_is_in_force_now_is_published(drafted):
    county, _cases = drafted
    publish(county.system, county.act("supervisor"), "house", 2, now=county.now)
    stale = draft(county, WARNS, based_on=1)["number"]
    with pytest.raises(BasedOnOlder):
        publish(county.system, county.act("supervisor"), "house", stale, now=county.now)
    rebased = draft(county, WARNS, based_on=2)["number"]
    publish(county.system, county.act("supervisor"), "house", rebased, now=county.now)
    with pytest.raises(InvalidRequest):
        draft(county, WARNS, based_on=99)


def test_nothing_is_undone_where_nothing_is_in_force(drafted):
    county, _cases = drafted
    withdraw(county.system, county.act("supervisor"), "house", 1, now=county.now)
    publish(county.system, county.act("supervisor"), "house", 2, now=county.now)
