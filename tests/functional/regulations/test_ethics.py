"""道德准则: no case of one's own, ties are declared, records are opened for a reason, nobody is turned away for what they are, danger is told."""

import pytest

from tests.support.databases import BACKENDS
from tests.support.journeys import likely
from tests.support.regulated import Step, done

TASK = Step("help")
rule = pytest.mark.rule


def tie(work, client: str, **values) -> str:
    return work.register("interests", "ft-01-1", **{"party": "张三", "party_id": client, "declared_on": "2026-03-01"} | values)


@rule("ethics.recusal")
@pytest.mark.parametrize("kind", ["kinship", "economic"])
def test_nobody_works_for_their_family_or_their_debtors(work, kind):
    work.keep("interests")
    client = work.client()
    tie(work, client, kind=kind)
    small = work.deploy(TASK)
    case = work.case(small, client=client)
    work.refused(work.claim(case, "help", "ft-01-1"), "ethics.recusal")
    work.passes(work.claim(case, "help", "ft-01-2"), "ethics.recusal")
    work.passes(work.claim(work.case(small, client=work.client("李四")), "help", "ft-01-1"), "ethics.recusal")


@rule("ethics.dual_relations")
def test_another_tie_is_approved_before_the_task_is_taken(work):
    work.keep("interests")
    client = work.client()
    entry = tie(work, client, kind="other_role")
    case = work.case(work.deploy(TASK), client=client)
    assert work.refused(work.claim(case, "help", "ft-01-1"), "ethics.dual_relations")["waivable_by"] == "supervisor"
    done(work.api("lead-01")._send("PATCH", f"/registers/interests/{entry}", json={"values": {"approved": True}}))
    work.passes(work.claim(case, "help", "ft-01-1"), "ethics.dual_relations")


@rule("ethics.dual_relations")
def test_a_declaration_that_has_run_out_is_told_to_the_lead(work):
    tie(work, work.client(), kind="other_role", declared_on="2025-02-20")
    work.at("2026-03-03")
    work.alerted("lead-01", "ethics.dual_relations", about="station-01")
    work.unalerted("lead-02", "ethics.dual_relations")


@rule("ethics.dual_relations")
def test_everybody_declares_anew_at_the_end_of_the_year(work):
    work.installed()
    work.at("2026-12-31")
    work.unalerted("lead-01", "ethics.dual_relations")
    work.at("2027-01-01")
    work.alerted("lead-01", "ethics.dual_relations")


@rule("ethics.need_to_know")
@pytest.mark.parametrize("backend", BACKENDS)
def test_a_minors_record_is_opened_for_a_reason(work):
    child = work.client("小明", born="2015-06-01")
    work.refused(work.api("ft-01-1").get(f"/clients/{child}"), "ethics.need_to_know")
    work.passes(work.api("ft-01-1").get(f"/clients/{child}?reason=评估监护情况"), "ethics.need_to_know")
    work.passes(work.api("ft-01-1").get(f"/clients/{work.client('老张')}"), "ethics.need_to_know")


@rule("ethics.need_to_know")
def test_the_glass_is_broken_for_a_reason_and_the_supervisor_hears_of_it(work):
    client = work.client()
    stranger = work.api("ft-02-1")
    assert stranger.get(f"/clients/{client}").status_code == 404
    work.refused(stranger.get(f"/clients/{client}?emergency=true"), "ethics.need_to_know")
    work.unalerted("supervisor", "ethics.need_to_know")
    done(stranger.get(f"/clients/{client}?emergency=true&reason=走失，正在找"))
    work.alerted("supervisor", "ethics.need_to_know")


@rule("ethics.refusal_review")
def test_nobody_is_turned_away_for_what_they_are(work):
    case = work.through(work.case(), "visit", "first_response", basis="statutory", crisis=False)
    done(work.claim(case, "intake", "ft-01-1"))
    refusing = likely("intake", work.county.now, inScope="no")
    for ground in ("illness", "disability", "religion", "gender", "origin", "poverty", "criminal_record"):
        said = work.refused(work.complete(case, "intake", "ft-01-1", refusing | {"refusalGround": ground}), "ethics.refusal_review")
        assert said["waivable_by"] == "supervisor"
    work.passes(work.complete(case, "intake", "ft-01-1", refusing | {"refusalGround": "other_duty"}), "ethics.refusal_review")


INTAKE = {"inScope": "no", "outOfScopeReason": "不在本县居住", "basis": "statutory"}


@rule("ethics.refusal_review")
def test_nobody_is_turned_away_without_a_word(work):
    case = work.case(work.deploy(Step("intake", stage="intake", fields=INTAKE)))
    work.refused(work.do(case, "intake", "ft-01-1", INTAKE | {"outOfScopeReason": " "}), "ethics.refusal_review")
    work.passes(work.complete(case, "intake", "ft-01-1", INTAKE), "ethics.refusal_review")


SIGNS = {"minorHarm": "no", "escalation": "no", "crisisType": "other", "dangers": ["drugs", "violence", "self_harm"]}


@rule("ethics.secrecy_exception")
@pytest.mark.parametrize(
    "sign", [{"minorHarm": "yes"}, {"escalation": "yes"}, {"crisisType": "self_harm"}, {"dangers": ["violence"]}, {"dangers": ["self_harm"]}]
)
def test_danger_is_told_to_the_supervisor_whatever_was_promised(work, sign):
    small = work.deploy(Step("talk", fields=SIGNS))
    danger, peace = work.case(small), work.case(small)
    nothing = SIGNS | {"dangers": []}
    done(work.do(danger, "talk", data=nothing | sign))
    done(work.do(peace, "talk", data=nothing))
    work.alerted("supervisor", "ethics.secrecy_exception", about=danger)
    work.unalerted("supervisor", "ethics.secrecy_exception", about=peace)


@rule("ethics.secrecy_exception")
def test_nobody_may_veto_a_report_that_the_law_demands(work):
    case = work.case(work.deploy(Step("note", tags="report,approval", fields={"approved": "yes"})))
    work.refused(work.do(case, "note", "lead-01", {"approved": "no"}), "ethics.secrecy_exception")
    work.passes(work.complete(case, "note", "lead-01", {"approved": "yes"}), "ethics.secrecy_exception")
