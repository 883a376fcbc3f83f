"""形象要求: visits are made with a valid badge and properly dressed, some are looked at, pictures are published by consent only."""

import pytest

from tests.support.databases import BACKENDS
from tests.support.regulated import Step, done, filled

VISIT = Step("call", tags="visit")
rule = pytest.mark.rule


def badge(work, who: str, until: str) -> str:
    return work.register("badges", who, number="SW-1", issued_on="2025-03-01", valid_until=until)


@rule("image.badge")
@pytest.mark.parametrize("backend", BACKENDS)
def test_nobody_visits_with_an_expired_badge(work):
    work.keep("badges")
    badge(work, "ft-01-1", "2026-03-01"), badge(work, "ft-01-2", "2026-03-02")
    case = work.case(work.deploy(VISIT))
    work.refused(work.claim(case, "call", "ft-01-1"), "image.badge")
    work.passes(work.claim(case, "call", "ft-01-2"), "image.badge")
    work.untold(case, "image.badge")


@rule("image.badge")
def test_who_has_no_badge_yet_is_remarked_on(work):
    small = work.deploy(VISIT)
    before, after = work.case(small), work.case(small)
    done(work.claim(before, "call", "ft-01-1"))
    work.untold(before, "image.badge")
    work.keep("badges")
    done(work.claim(after, "call", "ft-01-1"))
    work.told(after, "image.badge")


@rule("image.badge")
def test_a_badge_that_lapses_soon_is_told_to_the_lead(work):
    badge(work, "ft-01-1", "2026-03-20"), badge(work, "ft-02-1", "2026-12-31")
    work.at("2026-03-10")
    work.alerted("lead-01", "image.badge", about="station-01")
    work.unalerted("lead-02", "image.badge")


@rule("image.appearance")
@pytest.mark.parametrize("missing", ["badgeShown", "dressed"])
@pytest.mark.parametrize("form", ["", "visit", "followup"], ids=["own form", "first visit", "follow-up"])
def test_who_went_without_badge_or_dress_is_remarked_on(work, missing, form):
    yes, no = ("yes", "no") if form else (True, False)
    proper = {"badgeShown": yes, "dressed": yes}
    answers = filled(form, work.county.now, **proper, followUpMethod="home") if form else proper
    small = work.deploy(Step("call", tags="home_visit", form=form, fields={} if form else proper))
    careless, careful = work.case(small), work.case(small)
    done(work.do(careless, "call", data=answers | {missing: no}))
    done(work.do(careful, "call", data=answers))
    work.told(careless, "image.appearance")
    work.untold(careful, "image.appearance")


@rule("image.sampling")
def test_the_supervisor_looks_at_some_of_the_months_visits(work):
    work.installed()
    work.register("visits", work.client(), day="2026-11-23", kind="home")
    work.at("2026-12-01")
    work.alerted("supervisor", "image.sampling", about="station-01")
    work.unalerted("supervisor", "image.sampling", about="station-02")


PICTURES = {"publishImages": "yes", "imageConsent": True, "minorHarm": "no"}


@rule("image.publishing")
@pytest.mark.parametrize("wrong", [{"imageConsent": False}, {"minorHarm": "yes"}], ids=["no consent", "a harmed minor"])
def test_pictures_are_published_by_consent_and_never_of_a_harmed_minor(work, wrong):
    case = work.case(work.deploy(Step("publish", tags="publish", fields=PICTURES)))
    work.refused(work.do(case, "publish", "ft-01-1", PICTURES | wrong), "image.publishing")
    work.passes(work.complete(case, "publish", "ft-01-1", PICTURES), "image.publishing")


@rule("image.publishing")
def test_who_would_publish_pictures_does_not_approve_it(work):
    case = work.case(work.deploy(Step("publish", tags="publish", fields=PICTURES), Step("approve", tags="approval")))
    done(work.do(case, "publish", "ft-01-1", PICTURES))
    work.refused(work.claim(case, "approve", "ft-01-1"), "image.publishing")
    work.passes(work.claim(case, "approve", "lead-01"), "image.publishing")
