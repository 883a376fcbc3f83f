"""业务培训: who begins is inducted, who works with some people has learnt to, registrations and knowledge are kept up, workers are supervised."""

import pytest

from tests.support.databases import BACKENDS
from tests.support.regulated import Step, done

PLAN, ASSESS = Step("make_plan", tags="plan", stage="plan"), Step("assess", stage="assessment")
LAPSED = {"kind": "social_worker", "issued_on": "2020-01-01", "registered_until": "2026-02-01"}
LONG = LAPSED | {"issued_on": "2026-02-01", "registered_until": "2029-02-01"}
rule = pytest.mark.rule


def trained(work, who: str, topic: str, hours: int, held_on: str = "2026-02-20") -> None:
    work.register("trainings", who, topic=topic, hours=hours, held_on=held_on)


@rule("training.continuing_education")
@pytest.mark.parametrize("backend", BACKENDS)
def test_whose_registration_has_lapsed_takes_no_case_work(work):
    work.keep("certificates")
    work.register("certificates", "ft-01-1", **LAPSED)
    case = work.case(work.deploy(ASSESS))
    said = work.refused(work.claim(case, "assess", "ft-01-1"), "training.continuing_education")
    assert said["waivable_by"] == "supervisor"
    work.register("certificates", "ft-01-1", **LONG)
    work.passes(work.claim(case, "assess", "ft-01-1"), "training.continuing_education")


@rule("training.continuing_education")
def test_who_lacks_hours_as_the_registration_runs_out_is_remarked_on(work):
    work.keep("trainings")
    work.register("certificates", "ft-01-1", **LAPSED | {"registered_until": "2026-06-30"})
    trained(work, "ft-01-1", "induction", 24)
    small = work.deploy(PLAN)
    before, after = work.case(small), work.case(small)
    done(work.claim(before, "make_plan", "ft-01-1"))
    work.told(before, "training.continuing_education")
    trained(work, "ft-01-1", "continuing", 66)
    done(work.claim(after, "make_plan", "ft-01-1"))
    work.untold(after, "training.continuing_education")


@rule("training.continuing_education")
def test_a_registration_that_ends_soon_is_told_to_the_lead(work):
    work.register("certificates", "ft-01-1", **LAPSED | {"registered_until": "2026-03-20"})
    work.register("certificates", "ft-02-1", **LONG)
    work.at("2026-03-10")
    work.alerted("lead-01", "training.continuing_education")
    work.unalerted("lead-02", "training.continuing_education")


@rule("training.continuing_education")
def test_stations_whose_people_fell_behind_in_the_year_are_remarked_on(work):
    work.installed()
    work.keep("trainings", "certificates")
    for who, hours in (("ft-01-1", 3), ("ft-02-1", 90)):
        work.register("certificates", who, **LAPSED | {"issued_on": "2024-06-30", "registered_until": "2027-06-30"})
        trained(work, who, "continuing", hours, "2026-11-01")
    work.at("2027-01-01")
    work.told_of("station-01", "training.continuing_education")
    work.untold_of("station-02", "training.continuing_education")


@rule("training.induction")
def test_who_is_not_yet_inducted_takes_no_task(work):
    work.keep("trainings")
    trained(work, "ft-01-1", "induction", 16)
    case = work.case(work.deploy(ASSESS))
    work.refused(work.claim(case, "assess", "ft-01-1"), "training.induction")
    trained(work, "ft-01-1", "induction", 8)
    work.passes(work.claim(case, "assess", "ft-01-1"), "training.induction")


@rule("training.induction")
def test_who_has_no_training_on_file_is_remarked_on(work):
    small = work.deploy(PLAN)
    before, after = work.case(small), work.case(small)
    done(work.claim(before, "make_plan", "ft-01-1"))
    work.untold(before, "training.induction")
    work.keep("trainings")
    done(work.claim(after, "make_plan", "ft-01-1"))
    work.told(after, "training.induction")


@rule("training.specialist")
@pytest.mark.parametrize(
    ("topic", "tags", "fields"),
    [
        ("mediation", "mediation", {}),
        ("minors", "visit", {"age": 9}),
        ("minors", "", {"categories": ["left_behind"]}),
        ("elderly", "visit", {"categories": ["dementia"]}),
        ("mental_health", "", {"needs": ["mental"]}),
        ("mental_health", "", {"dangers": ["psychosis"]}),
    ],
)
def test_who_works_with_some_people_has_learnt_to(work, topic, tags, fields):
    work.keep("trainings")
    for who in ("ft-01-1", "ft-01-2"):
        trained(work, who, "induction", 24)
    trained(work, "ft-01-2", topic, 8)
    steps = [Step("know", fields=fields)] if fields else []
    case = work.case(work.deploy(*steps, Step("help", tags, "assessment")))
    if fields:
        done(work.do(case, "know", "lead-01", fields))
    assert work.refused(work.claim(case, "help", "ft-01-1"), "training.specialist")["waivable_by"] == "supervisor"
    work.passes(work.claim(case, "help", "ft-01-2"), "training.specialist")


@rule("training.specialist")
def test_volunteers_have_learnt_what_volunteers_do(work):
    work.keep("trainings")
    trained(work, "volunteer-01-1", "safety", 2)
    case = work.case(work.deploy(Step("help")))
    assert work.refused(work.claim(case, "help", "volunteer-01-1"), "training.specialist")["waivable_by"] == "lead"
    trained(work, "volunteer-01-1", "volunteer", 8)
    work.passes(work.claim(case, "help", "volunteer-01-1"), "training.specialist")


@rule("training.supervision")
def test_workers_whom_nobody_supervised_in_the_month_are_told_to_the_supervisor(work):
    work.installed()
    work.keep("trainings")
    for who in ("ft-02-1", "ft-02-2", "pt-02-1"):
        trained(work, who, "supervision", 2, "2026-11-20")
    trained(work, "ft-01-1", "supervision", 2, "2026-10-20")
    work.at("2026-12-01")
    work.alerted("supervisor", "training.supervision", about="station-01")
    work.unalerted("supervisor", "training.supervision", about="station-02")


@rule("training.privacy")
def test_who_has_not_learnt_of_privacy_this_year_is_remarked_on(work):
    work.keep("trainings")
    trained(work, "ft-01-1", "induction", 24)
    small = work.deploy(Step("call", tags="visit"))
    before, after = work.case(small), work.case(small)
    trained(work, "ft-01-1", "privacy", 2, "2025-01-10")
    done(work.claim(before, "call", "ft-01-1"))
    work.told(before, "training.privacy")
    trained(work, "ft-01-1", "privacy", 2)
    done(work.claim(after, "call", "ft-01-1"))
    work.untold(after, "training.privacy")


@rule("training.privacy")
def test_privacy_training_that_has_run_out_is_told_to_the_lead(work):
    trained(work, "ft-01-1", "privacy", 2, "2025-03-04"), trained(work, "ft-02-1", "privacy", 2)
    work.at("2026-03-06")
    work.alerted("lead-01", "training.privacy")
    work.unalerted("lead-02", "training.privacy")


@rule("training.privacy")
def test_stations_where_privacy_was_not_taught_in_the_year_are_told(work):
    work.installed()
    work.keep("trainings")
    for who in ("ft-02-1", "ft-02-2", "pt-02-1", "assistant-004", "assistant-005"):
        trained(work, who, "privacy", 2, "2026-11-20")
    work.at("2027-01-01")
    work.alerted("lead-01", "training.privacy")
    work.unalerted("lead-02", "training.privacy")
