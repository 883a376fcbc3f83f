"""服务纪律: nothing is made up, nothing is taken, nobody changes the worker unasked or handles a complaint about themselves."""

from datetime import timedelta

import pytest

from tests.support.databases import BACKENDS
from tests.support.regulated import Step, done, filled

rule = pytest.mark.rule


def at(moment) -> str:
    """A moment as forms write it."""
    return f"{moment:%Y-%m-%dT%H:%M}"


@rule("discipline.fabrication")
@pytest.mark.parametrize("late", [timedelta(days=3), timedelta(days=-1)], ids=["back-dated", "ahead"])
def test_a_service_is_recorded_when_it_took_place(work, late):
    case = work.case(work.deploy(Step("record", tags="record", form="record")))
    wrong = filled("record", work.county.now, occurredAt=at(work.county.now - late))
    said = work.refused(work.do(case, "record", "ft-01-1", wrong), "discipline.fabrication")
    assert said["waivable_by"] == "lead"
    right = filled("record", work.county.now, occurredAt=at(work.county.now - timedelta(hours=2)))
    work.passes(work.complete(case, "record", "ft-01-1", right), "discipline.fabrication")


@rule("discipline.fabrication")
@pytest.mark.parametrize(("form", "field"), [("petition_mediation", "mediatedAt"), ("petition_companion", "companionAt")])
def test_the_petition_forms_say_when_as_well(work, form, field):
    case = work.case(work.deploy(Step("record", tags="record", form=form)))
    wrong = filled(form, work.county.now, **{field: at(work.county.now - timedelta(days=3))})
    work.refused(work.do(case, "record", "ft-01-1", wrong), "discipline.fabrication")
    work.passes(work.complete(case, "record", "ft-01-1", filled(form, work.county.now)), "discipline.fabrication")


@rule("discipline.fabrication")
def test_nobody_serves_while_on_leave(work):
    work.keep("absences")
    yesterday = work.county.now - timedelta(days=1)
    work.register("absences", "ft-01-1", **{"from": f"{yesterday:%Y-%m-%d}", "to": f"{yesterday:%Y-%m-%d}", "kind": "leave"})
    case = work.case(work.deploy(Step("record", tags="record", form="record")))
    wrong = filled("record", work.county.now, occurredAt=at(yesterday))
    work.refused(work.do(case, "record", "ft-01-1", wrong), "discipline.fabrication")
    work.passes(work.complete(case, "record", "ft-01-1", filled("record", work.county.now)), "discipline.fabrication")


@rule("discipline.fabrication")
def test_a_visit_that_was_not_reported_is_remarked_on(work):
    work.keep("outings")
    small = work.deploy(Step("call", tags="visit"))
    unreported, reported = work.case(small), work.case(small)
    done(work.do(unreported, "call"))
    work.told(unreported, "discipline.fabrication")
    work.back(work.outing(reported))
    done(work.do(reported, "call"))
    work.untold(reported, "discipline.fabrication")


@rule("discipline.gifts")
def test_a_gift_that_was_offered_is_told_to_the_lead(work):
    small = work.deploy(Step("record", tags="record", form="record"))
    offered, nothing = work.case(small), work.case(small)
    done(work.do(offered, "record", data=filled("record", work.county.now, giftOffered="yes")))
    done(work.do(nothing, "record", data=filled("record", work.county.now, giftOffered="no")))
    work.alerted("lead-01", "discipline.gifts", about=offered)
    work.unalerted("lead-01", "discipline.gifts", about=nothing)


@rule("discipline.gifts")
def test_a_case_is_not_closed_over_a_gift_that_was_not_given_back(work):
    small = work.deploy(Step("close", tags="closing"))
    before, after = work.case(small), work.case(small)
    gift = work.register("gifts", "ft-01-1", reported_on="2026-03-01", what="一篮鸡蛋", from_whom="张三家")
    done(work.do(before, "close"))
    work.alerted("lead-01", "discipline.gifts", about=before)
    done(work.api("lead-01")._send("PATCH", f"/registers/gifts/{gift}", json={"values": {"handled": "returned"}}))
    done(work.do(after, "close"))
    work.unalerted("lead-01", "discipline.gifts", about=after)


@rule("discipline.change_of_worker")
def test_the_worker_changes_only_if_the_client_agrees(work):
    small = work.deploy(
        Step("first", tags="plan", form="plan"), Step("ask", fields={"workerChangeConsent": True}), Step("second", tags="plan")
    )
    unasked, agreed = work.case(small), work.case(small)
    for case, answer in ((unasked, False), (agreed, True)):
        done(work.do(case, "first", "ft-01-1", filled("plan", work.county.now)))
        done(work.do(case, "ask", "ft-01-1", {"workerChangeConsent": answer}))
    said = work.refused(work.claim(unasked, "second", "ft-01-2"), "discipline.change_of_worker")
    assert said["waivable_by"] == "lead"
    work.passes(work.claim(agreed, "second", "ft-01-2"), "discipline.change_of_worker")
    work.passes(work.claim(unasked, "second", "ft-01-1"), "discipline.change_of_worker")


COMPLAINT = {"received_at": "2026-03-02 08:30", "subject": "态度不好", "about": "ft-01-1"}


@rule("discipline.complaint_independence")
def test_nobody_looks_into_a_complaint_about_themselves(work):
    work.register("complaints", "station-01", **COMPLAINT)
    case = work.case(work.deploy(Step("look_into", tags="complaint")))
    work.refused(work.claim(case, "look_into", "ft-01-1"), "discipline.complaint_independence")
    work.passes(work.claim(case, "look_into", "ft-01-2"), "discipline.complaint_independence")


@rule("discipline.complaint_independence")
@pytest.mark.parametrize("backend", BACKENDS)
def test_a_complaint_is_not_entered_with_the_accused_as_who_handles_it(work):
    lead = work.api("lead-01")
    entered = lead.post("/registers/complaints", {"whom": "station-01", "values": COMPLAINT | {"handler": "ft-01-1"}})
    work.refused(entered, "discipline.complaint_independence")
    assert lead.get("/registers/complaints").json["items"] == []
    entered = lead.post("/registers/complaints", {"whom": "station-01", "values": COMPLAINT | {"handler": "ft-01-2"}})
    entry = work.passes(entered, "discipline.complaint_independence")["id"]
    changed = lead._send("PATCH", f"/registers/complaints/{entry}", json={"values": {"handler": "ft-01-1"}})
    work.refused(changed, "discipline.complaint_independence")
    assert lead.get(f"/registers/complaints/{entry}").json["version"] == 1


@rule("discipline.complaint_independence")
def test_a_complaint_that_nobody_answers_is_told_to_the_supervisor(work):
    work.register("complaints", "station-01", **COMPLAINT)
    work.register("complaints", "station-02", **COMPLAINT | {"about": "ft-02-1", "answered_at": "2026-03-02 08:50"})
    work.at("2026-03-10")
    work.alerted("supervisor", "discipline.complaint_independence", about="station-01")
    work.unalerted("supervisor", "discipline.complaint_independence", about="station-02")
