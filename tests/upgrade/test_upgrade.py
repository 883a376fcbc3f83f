"""A county takes a new version over a database that an old one filled: nothing is lost, and what was under way goes on to its end."""

import json

import pytest
from click.testing import CliRunner
from sqlalchemy import func, select

from engine import accounts, definitions, schema
from engine.commands.clients import erase, view
from engine.commands.instances import retry, start
from engine.commands.jobs import complete as complete_job
from engine.commands.outings import come_back
from engine.commands.tasks import claim, complete
from engine.exceptions import Erased, Forbidden, NotFound, NotOffered, RegulationRefused
from engine.instances import ACTIVE, INCIDENT, Instance, Task, Timer
from engine.messages import Subscription
from engine.organisation import Account
from engine.registers.outings import Outing
from tests.bpmn.service import ANSWERS
from tests.integration.test_jobs import activate, report
from tests.integration.test_messages import publish
from tests.integration.test_outings import go, waiting
from tests.support.counties import County
from tests.support.databases import ROOT
from tests.support.journeys import just_now
from tests.upgrade.sample import NAMES, Sample
from webapp.cli import main
from webapp.demo import answer

REFUSALS = (NotFound, NotOffered, Forbidden, RegulationRefused)
BROKEN = "broken"  # the sample's procedure that can only fail


@pytest.fixture(params=NAMES)
def sample(request) -> Sample:
    """Every former version's database."""
    return Sample(request.param)


@pytest.fixture
def shuibo(sample, database_url, tmp_path):
    """Runs `shuibo …` on the sample's database; the test runs once on each kind of database."""
    sample.load(database_url, tmp_path)
    (tmp_path / "master.key").write_text(sample.about["master_key"])
    env = {
        "SHUIBO_VAR": str(tmp_path),
        "SHUIBO_DATABASE_URL": database_url,
        "SHUIBO_MASTER_KEY_FILE": str(tmp_path / "master.key"),
        "SHUIBO_COUNTY": sample.about["county"],
    }

    def run(*arguments):
        return CliRunner().invoke(main, [str(each) for each in arguments], env=env)

    return run


@pytest.fixture
def upgraded(sample, shuibo, database_url):
    """The sample after `shuibo db upgrade`."""
    done = shuibo("db", "upgrade")
    assert done.exit_code == 0, done.output
    county = sample.county(database_url)
    assert schema.is_current(county.system.database)
    yield county
    county.system.database.dispose()


def test_the_history_still_verifies(shuibo, upgraded):
    verified = shuibo("audit", "verify")
    assert (verified.exit_code, verified.stdout) == (0, ""), verified.output
    again = shuibo("db", "upgrade")
    assert again.exit_code == 0, again.output


def test_there_is_no_way_back_but_a_backup(shuibo):
    assert "downgrade" not in shuibo("db", "--help").output


def test_every_case_goes_on_to_its_end(upgraded):
    with upgraded.system.database.read() as session:
        before = dict(session.execute(select(Instance.id, Instance.status)).all())
        running = [ident for ident, status in before.items() if status == ACTIVE]
        kinds = set(session.scalars(select(Instance.definition_key).where(Instance.status == ACTIVE)))
        assert session.scalar(select(func.count()).select_from(Timer))
        assert {"offered", "claimed"} <= set(session.scalars(select(Task.status)))
        (broken,) = session.scalars(select(Instance.id).where(Instance.status == INCIDENT))
    assert "service_delivery" in kinds and len(running) > 20
    assert retry(upgraded.system, upgraded.act("supervisor"), broken, now=upgraded.now)["status"] == INCIDENT
    People(upgraded).finish(set(running))
    with upgraded.system.database.read() as session:
        after = dict(session.execute(select(Instance.id, Instance.status)).all())
    assert {after[ident] for ident in running} == {"completed"}
    assert {ident: after[ident] for ident in before if ident not in running} == {
        ident: status for ident, status in before.items() if ident not in running
    }
    assert upgraded.faults() == []


def test_new_cases_start_by_the_versions_there_and_by_the_new_ones(shuibo, upgraded):
    people = People(upgraded)
    old = [upgraded.start(key)["id"] for key in ("service_delivery", "two_steps", "parallel")]
    deployed = shuibo("deploy", ROOT / "bpmn")
    assert deployed.exit_code == 0, deployed.output
    new = upgraded.start("service_delivery")["id"]
    people.finish({*old, new})
    assert {upgraded.instance(ident).status for ident in (*old, new)} == {"completed"}
    assert upgraded.faults() == []


def test_promises_are_kept(sample, upgraded):
    """The same key gets the same answer, whoever is signed in stays so, the erased stay erased."""
    promised = sample.about["started_with_key"]
    who = upgraded.act(promised["who"])
    again = start(upgraded.system, who, "two_steps", place="room-001", now=upgraded.now, key=promised["key"])
    assert again == promised["answer"]
    with upgraded.system.database.engine.connect() as connection:
        actor = accounts.session_actor(connection, upgraded.system.vault, sample.about["session"], upgraded.now)
    assert actor.person_id == who.person_id
    supervisor = upgraded.act("supervisor")
    for act, arguments in ((view, {}), (erase, {"reason": "再次"})):
        with pytest.raises(Erased):
            act(upgraded.system, supervisor, sample.about["erased"], now=upgraded.now, **arguments)


def test_what_was_promised_to_programs_and_who_is_looked_for(sample, upgraded):
    """A lease, a message that nobody waited for yet, an alarm."""
    if "leased" not in sample.about:
        pytest.skip("the sample is older than jobs, messages and outings")
    answer = report(upgraded, complete_job, {"id": sample.about["leased"]}, {"receipt": "OK"})
    assert answer["instance"] == {"id": sample.about["waiting"]["texting"], "status": "active"}
    late = upgraded.start("receipt", data={"n": sample.about["kept"]})["id"]
    assert list(upgraded.open_tasks(late)) == ["thank"]
    assert waiting(upgraded, "lead-02") != []
    assert upgraded.faults() == []


class People:
    """Everybody of the county, doing whatever there is to do."""

    def __init__(self, county: County):
        self.county = county
        with county.system.database.read() as session:
            self.names = dict(session.execute(select(Account.person_id, Account.username)).all())
            left = session.execute(select(Outing.id, Outing.reporter_id).where(Outing.left_at.is_not(None), Outing.returned_at.is_(None))).all()
        for outing, person in left:  # who was out comes home
            come_back(county.system, county.act(self.names[person]), outing, now=county.now)

    def finish(self, cases: set[str]) -> None:
        """Do every open task, and let time pass when there is none, until all of these cases have ended."""
        for _round in range(200):
            open_tasks = self.open_tasks(cases)
            for task in open_tasks:
                self.do(task)
            if not open_tasks and not self.report() and not self.wait(cases):
                return
        raise AssertionError(f"still open: {[(task.instance_id, task.element) for task in self.open_tasks(cases)]}")

    def report(self) -> bool:
        """Do what programs do: their jobs, and the messages that cases wait for; whether there was anything."""
        if "program" not in self.names.values():  # the sample is older than programs
            return False
        jobs = activate(self.county)
        for job in jobs:
            report(self.county, complete_job, job, {"receipt": "OK"})
        with self.county.system.database.read() as session:
            waits = session.scalar(select(func.count()).select_from(Subscription).where(Subscription.name == "paid"))
        if waits:
            publish(self.county, key=7)
        return bool(jobs or waits)

    def open_tasks(self, cases: set[str]) -> list[Task]:
        """What there is to do."""
        query = select(Task).where(Task.status.in_(("offered", "claimed")), Task.instance_id.in_(cases))
        with self.county.system.database.read() as session:
            return list(session.scalars(query))

    def wait(self, cases: set[str]) -> bool:
        """Let time pass until the next timer of these cases; whether there was one."""
        with self.county.system.database.read() as session:
            due = session.scalar(select(func.min(Timer.next_at)).where(Timer.instance_id.in_(cases)))
        if due is None:
            return False
        self.county.pass_time(seconds=max(0, (due - self.county.now).total_seconds()) + 60)
        return True

    def do(self, task: Task) -> None:
        """Claim and complete a task; it may have been taken away by another one's completion."""
        if task.id not in {each.id for each in self.open_tasks({task.instance_id})}:
            return
        data, refusals = self.answer(task), []
        for name in [self.names[task.holder_id]] if task.holder_id else self.names.values():
            try:
                return self.take(name, task, data)
            except REFUSALS as refusal:
                refusals.append(f"{name}: {refusal}")
                if name.startswith("ft-") and [each.rule for each in getattr(refusal, "verdicts", ())] == ["safety.two_person"]:
                    return self.take(name, task, data, company=f"volunteer-{name.split('-')[1]}-1")
        raise AssertionError(f"nobody may do {task.element}: {refusals}")

    def take(self, name: str, task: Task, data: dict, company: str = "") -> None:
        """Claim and complete a task, on a way out in company where the regulation wants it."""
        system, who = self.county.system, self.county.act(name)
        outing = go(self.county, name, task=task.id, companions=[company]) if company else None
        if task.holder_id is None:
            claim(system, who, task.id, now=self.county.now)
        complete(system, who, task.id, data, now=self.county.now)
        if outing:
            come_back(system, who, outing, now=self.county.now)

    def answer(self, task: Task) -> dict:
        """A form filled in plausibly."""
        with self.county.system.database.read() as session:
            instance = session.get(Instance, task.instance_id)
            process = definitions.compiled(self.county.system, session, instance.version_id).process
            files = definitions.resources(session, instance.version_id)
        schemas = {schema["id"]: schema for schema in (json.loads(files[name]) for name in files if name.endswith(".form"))}
        form = process.elements[task.element].form_id
        return answer(schemas[form], just_now(ANSWERS.get(form) or {}, self.county.now), self.county.now)
