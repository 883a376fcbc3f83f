"""安全管理: nobody goes alone into danger, who is out comes back, crises are reported, who works with minors is checked, activities are insured."""

import pytest

from tests.support.databases import BACKENDS
from tests.support.regulated import Step, done, filled

VISIT = Step("call", tags="home_visit", groups="worker,lead,supervisor")
rule = pytest.mark.rule


@rule("safety.two_person")
@pytest.mark.parametrize("danger", [{"risk": "high"}, {"twoPersonVisit": True}, {"crisisType": "self_harm"}, {"dangers": ["drugs"]}])
def test_nobody_goes_alone_into_danger(work, danger):
    case = work.case(work.deploy(Step("know", fields=danger), VISIT))
    done(work.do(case, "know", "ft-01-2", danger))
    work.refused(work.claim(case, "call", "ft-01-1"), "safety.two_person")
    work.refused(work.outing(case), "safety.two_person")
    work.passes(work.outing(case, "ft-01-1", "ft-01-2"), "safety.two_person")
    work.passes(work.do(case, "call", "ft-01-1"), "safety.two_person")


@rule("safety.two_person")
def test_danger_that_is_found_on_the_way_stops_the_record_of_a_visit_made_alone(work):
    case = work.case(work.deploy(VISIT, key="peaceful"))
    work.passes(work.do(case, "call", "ft-01-1"), "safety.two_person")
    case = work.case(work.deploy(Step("know", fields={"risk": "low"}), Step("call", tags="visit", fields={"followUpMethod": "phone"})))
    done(work.do(case, "know", "ft-01-2", {"risk": "low"}))
    done(work.claim(case, "call", "ft-01-1"))
    changed = work.api("lead-01")._send("PATCH", f"/instances/{case}/variables", json={"variables": {"risk": "high"}, "reason": "又有新情况"})
    done(changed)
    work.refused(work.complete(case, "call", "ft-01-1", {"followUpMethod": "visit"}), "safety.two_person")
    work.passes(work.complete(case, "call", "ft-01-1", {"followUpMethod": "phone"}), "safety.two_person")


@rule("safety.alone_other_sex")
def test_who_visits_somebody_of_the_other_sex_alone_is_remarked_on(work):
    work.register("profiles", "ft-01-1", gender="male")
    known = filled("visit", work.county.now, clientGender="female", clientAlone=True)
    small = work.deploy(Step("know", form="visit"), VISIT)
    alone, together = work.case(small), work.case(small)
    for case in (alone, together):
        done(work.do(case, "know", "ft-01-2", known))
    done(work.claim(alone, "call", "ft-01-1"))
    work.told(alone, "safety.alone_other_sex")
    done(work.outing(together, "ft-01-1", "ft-01-2"))
    done(work.claim(together, "call", "ft-01-1"))
    work.untold(together, "safety.alone_other_sex")


@rule("safety.record_check")
@pytest.mark.parametrize("wrong", [None, {"checked_on": "2024-02-01", "result": "clear"}, {"checked_on": "2026-02-01", "result": "record"}])
def test_who_works_with_minors_has_no_record(work, wrong):
    work.keep("record_checks")
    if wrong:
        work.register("record_checks", "ft-01-1", **wrong)
    work.register("record_checks", "ft-01-2", checked_on="2026-02-01", result="clear")
    case = work.case(work.deploy(Step("know", tags="approval", fields={"age": 9}), VISIT))
    done(work.do(case, "know", "lead-01", {"age": 9}))
    work.refused(work.claim(case, "call", "ft-01-1"), "safety.record_check")
    work.passes(work.claim(case, "call", "ft-01-2"), "safety.record_check")


@rule("safety.record_check")
def test_work_with_minors_is_remarked_on_where_checks_are_not_kept_yet(work):
    small = work.deploy(Step("know", fields={"age": 9}), VISIT)
    child, grown = work.case(small), work.case(small)
    for case, age in ((child, 9), (grown, 30)):
        done(work.do(case, "know", "ft-01-2", {"age": age}))
        done(work.claim(case, "call", "ft-01-1"))
    work.told(child, "safety.record_check")
    work.untold(grown, "safety.record_check")


@rule("safety.record_check")
def test_a_check_that_lapses_soon_is_told_to_the_lead(work):
    work.register("record_checks", "ft-01-1", checked_on="2025-03-20", result="clear")
    work.register("record_checks", "ft-02-1", checked_on="2026-03-01", result="clear")
    work.at("2026-03-10")
    work.alerted("lead-01", "safety.record_check")
    work.unalerted("lead-02", "safety.record_check")


@rule("safety.record_check")
def test_stations_whose_people_were_not_checked_in_the_year_are_told(work):
    work.installed()
    work.keep("record_checks")
    for who in ("ft-02-1", "ft-02-2", "pt-02-1", "assistant-004", "assistant-005"):
        work.register("record_checks", who, checked_on="2026-11-20", result="clear")
    work.at("2027-01-01")
    work.alerted("supervisor", "safety.record_check", about="station-01")
    work.unalerted("supervisor", "safety.record_check", about="station-02")


ACTIVITY = {"hazard": "water", "insurancePolicy": "PICC-1", "youngestAge": 20}


@rule("safety.insurance")
@pytest.mark.parametrize("backend", BACKENDS)
def test_no_dangerous_activity_begins_uninsured(work):
    small = work.deploy(Step("announce", fields=ACTIVITY))
    work.refused(work.start(small, **ACTIVITY | {"insurancePolicy": ""}), "safety.insurance")
    work.passes(work.start(small, **ACTIVITY), "safety.insurance")
    cover = {"policy": "PICC-2", "covers": ["activity"], "insured_from": "2026-01-01", "insured_until": "2026-12-31"}
    work.register("insurances", "station-01", **cover)
    work.passes(work.start(small, **ACTIVITY | {"insurancePolicy": ""}), "safety.insurance")


@rule("safety.insurance")
def test_insurance_that_runs_out_is_told_to_the_lead(work):
    cover = {"policy": "PICC-2", "covers": ["activity"], "insured_from": "2026-01-01"}
    work.register("insurances", "station-01", **cover, insured_until="2026-03-20")
    work.register("insurances", "station-02", **cover, insured_until="2026-12-31")
    work.at("2026-03-10")
    work.alerted("lead-01", "safety.insurance")
    work.unalerted("lead-02", "safety.insurance")


@rule("safety.rescue_minor")
def test_no_minor_takes_part_in_a_rescue(work):
    small = work.deploy(Step("announce", fields=ACTIVITY))
    work.refused(work.start(small, **ACTIVITY | {"hazard": "rescue", "youngestAge": 17}), "safety.rescue_minor")
    work.passes(work.start(small, **ACTIVITY | {"hazard": "rescue", "youngestAge": 18}), "safety.rescue_minor")


@rule("safety.crisis_report", "safety.crisis_report_late")
def test_a_crisis_is_reported_to_the_lead_and_to_the_supervisor_if_nobody_reacts(work):
    small = work.deploy(Step("act", tags="crisis"))
    ignored, heeded, known = (work.case(small) for _ in range(3))
    for case, who in ((ignored, "ft-01-1"), (heeded, "ft-01-1"), (known, "supervisor")):
        done(work.do(case, "act", who))
    work.unalerted("lead-01", "safety.crisis_report", about=known)
    work.alerted("lead-01", "safety.crisis_report", about=ignored)
    alert = work.alerted("lead-01", "safety.crisis_report", about=heeded)
    done(work.api("lead-01").post(f"/alerts/{alert['id']}/acknowledge", {"note": "已到场"}))
    work.county.pass_time(hours=25)
    work.alerted("supervisor", "safety.crisis_report_late", about=ignored)
    work.unalerted("supervisor", "safety.crisis_report_late", about=heeded)


@rule("safety.overdue", "safety.overdue_escalated")
@pytest.mark.parametrize(("who", "first"), [("ft-01-1", "lead-01"), ("lead-01", "supervisor")])
def test_who_does_not_come_back_is_looked_for(work, who, first):
    small = work.deploy(VISIT)
    lost = done(work.outing(work.case(small), who))["id"]
    back = done(work.outing(work.case(small), "ft-01-2"))["id"]
    work.county.pass_time(hours=2)
    done(work.api("ft-01-2").post(f"/outings/{back}/return"))
    work.county.pass_time(minutes=29)
    work.unalerted(first, "safety.overdue")
    work.county.pass_time(minutes=1)
    assert work.alerted(first, "safety.overdue")["outing"] == lost
    work.unalerted("supervisor", "safety.overdue_escalated")
    work.county.pass_time(minutes=30)
    assert work.alerted("supervisor", "safety.overdue_escalated")["outing"] == lost
    assert back not in {line["outing"] for line in work.alerts("supervisor")}


def premises(work, station: str, **values) -> None:
    work.register("premises", station, **{"done_on": "2026-11-20", "result": "ok"} | values)


@rule("safety.premises")
def test_premises_are_checked_every_month(work):
    work.installed()
    work.keep("premises")
    premises(work, "station-02", kind="check")
    work.at("2026-12-01")
    work.alerted("lead-01", "safety.premises")
    work.unalerted("lead-02", "safety.premises")


@rule("safety.premises")
def test_what_a_check_found_is_mended(work):
    work.installed()
    work.keep("premises")
    found = {"kind": "check", "result": "faults", "faults": "灭火器过期"}
    premises(work, "station-01", **found)
    premises(work, "station-02", **found, mended_on="2026-11-23")
    work.at("2026-12-01")
    work.alerted("lead-01", "safety.premises")
    work.unalerted("lead-02", "safety.premises")


@rule("safety.premises")
def test_an_emergency_is_drilled_every_year(work):
    work.installed()
    work.keep("premises")
    premises(work, "station-02", kind="drill")
    work.county.now = work.county.now.replace(month=12, day=20)
    for station in ("station-01", "station-02"):
        premises(work, station, kind="check", done_on="2026-12-20")
    work.at("2027-01-01")
    work.alerted("lead-01", "safety.premises")
    work.unalerted("lead-02", "safety.premises")


@rule("safety.premises")
def test_a_check_that_is_overdue_is_told_to_the_lead_by_the_day(work):
    premises(work, "station-01", kind="check", done_on="2026-02-01"), premises(work, "station-02", kind="check", done_on="2026-03-01")
    work.at("2026-03-05")
    work.alerted("lead-01", "safety.premises")
    work.unalerted("lead-02", "safety.premises")
