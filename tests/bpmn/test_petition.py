"""`petition_mediation` driven through every branch, stored and restored between every two steps, under the regulations."""

import pytest

from engine.exceptions import InvalidForm
from engine.workflow import examine
from engine.workflow.model import Kind
from tests.bpmn.petition import BUNDLE, CALM, FILES, PETITIONER, RESPONDENT, Petition
from tests.bpmn.service import PARAMETERS

STEPS = ("home_visit", "home_visit", "assess", "plan", "approve_plan")
ASKED = (*STEPS, "willingness", "willingness")
MEDIATED = (*ASKED, "mediate", "agreement")
CLOSED = (*MEDIATED, "confirmation", "governance", "companion", "evaluate", "approve_close")
ORGAN = ("hand_over", "acceptance")


def test_the_five_steps():
    case = Petition()
    assert case.waiting == ["hand_over", "home_visit", "home_visit"]  # one visit for each party
    assert case.due("home_visit") == "2026-03-09 23:59"  # 5 working days
    seen = [case.case.visible(wait.token)["party"]["name"] for wait in case.case.waits() if wait.element.id == "home_visit"]
    assert seen == ["张三", "李四"]
    case.through("home_visit", "home_visit")
    assert [visit["partyId"] for visit in case.variables["visits"]] == ["1", "2"]
    case.through("assess", "plan")
    assert case.wait("approve_plan").candidate_groups == ["lead", "supervisor"]
    case.answer("approve_plan")
    assert case.waiting == ["hand_over", "willingness", "willingness"]
    case.through("willingness", "willingness", "mediate", "agreement")
    assert case.waiting == ["companion", "confirmation", "governance", "hand_over"]
    assert case.wait("companion").candidate_groups == ["volunteer"]
    case.through("governance", "companion", "evaluate", "approve_close", "confirmation")
    assert [timer.element.id for timer in case.case.timers()].count("revisit_due") == 2
    case.through(*ORGAN, "disposal", "appeal_request")
    case.fire("revisit_due").answer("revisit").fire("revisit_due").answer("revisit")
    assert case.case.status == "completed"
    assert case.blocked == []


def test_the_first_visits_come_thirty_and_ninety_days_after_closing():
    case = Petition().through(*CLOSED)
    assert [case.due("revisit_due")] == ["2026-04-01 23:59"]
    case.fire("revisit_due").answer("revisit")
    assert case.due("revisit_due") == "2026-06-01 23:59"  # 31 May is a Sunday


def test_a_dispute_that_comes_back_goes_to_the_lead():
    case = Petition().through(*CLOSED).fire("revisit_due").answer("revisit", relapse="yes")
    assert "relapse" in case.waiting and case.wait("relapse").candidate_groups == ["lead"]
    case.answer("relapse").fire("revisit_due").answer("revisit")
    assert "closed" in case.told("element:completed")


# --- which way ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("kind", "organ"), [("accusation", "纪检监察机关或者有权处理的机关"), ("litigation", "有权处理的政法部门")])
def test_accusations_and_matters_of_law_are_referred_and_never_mediated(kind, organ):
    case = Petition(type=kind)
    assert case.waiting == ["refer_out"]
    assert case.due("refer_out") == "2026-03-17 23:59"  # 15 days
    assert case.variables["suggestedOrgan"] == organ
    with pytest.raises(InvalidForm) as refused:
        case.answer("refer_out", petitionerToldOn=None)
    assert set(refused.value.errors) == {"petitionerToldOn"}
    case.answer("refer_out")
    with pytest.raises(InvalidForm) as refused:
        case.answer("receipt", receiptNo=None)
    assert set(refused.value.errors) == {"receiptNo"}
    assert case.answer("receipt").case.status == "completed"


def test_the_organ_may_send_its_receipt_itself():
    case = Petition(type="accusation").answer("refer_out")
    case.message("petition_receipt", "20260302-AAAAAA", receiptNo="网 2026-8")
    assert case.case.status == "completed"
    assert case.variables["receiptNo"] == "网 2026-8"


def test_a_receipt_that_does_not_come_is_urged():
    case = Petition(type="litigation").answer("refer_out").fire("receipt_overdue")
    assert case.waiting == ["receipt", "receipt_reminder"]
    assert case.through("receipt_reminder", "receipt").case.status == "completed"


def test_a_suggestion_goes_to_the_organ_alone():
    case = Petition(type="suggestion")
    assert case.waiting == ["hand_over"]
    assert case.through(*ORGAN, "disposal", "appeal_request").case.status == "completed"


def test_at_most_five_representatives():
    with pytest.raises(InvalidForm) as refused:
        Petition(reps=6)
    assert set(refused.value.errors) == {"reps"}


def test_a_minor_party_has_a_guardian_and_consent_is_signed():
    child = {"role": "related", "name": "小明", "minor": "yes"}
    with pytest.raises(InvalidForm) as refused:
        Petition(parties=[PETITIONER, child], basis="consent", statutoryGround=None)
    assert set(refused.value.errors) == {"parties[1].guardianName", "consentSigned", "sensitiveConsent"}


# --- the organ's clocks ---------------------------------------------------------------------------------------------------


def test_the_organs_deadlines():
    case = Petition(type="suggestion")
    assert case.due("hand_over") == "2026-03-17 23:59"  # 15 days from receipt
    case.answer("hand_over")
    assert case.due("acceptance") == case.due("acceptance_overdue") == "2026-03-18 23:59"  # 15 days from handing over
    case.answer("acceptance")
    assert case.due("disposal") == case.due("disposal_overdue") == "2026-05-09 23:59"  # 60 days from acceptance
    case.answer("disposal")
    assert case.due("appeal_request") == case.due("appeal_expired") == "2026-05-21 23:59"  # 30 days from delivery


def test_a_wrong_referral_is_made_again_within_five_working_days():
    case = Petition(type="suggestion").answer("hand_over")
    with pytest.raises(InvalidForm) as refused:
        case.answer("acceptance", acceptance="objected", acceptanceNo=None)
    assert set(refused.value.errors) == {"objection"}
    case.answer("acceptance", acceptance="objected", acceptanceNo=None, objection="不属本局职责")
    assert (case.waiting, case.due("hand_over")) == (["hand_over"], "2026-03-09 23:59")
    assert case.answer("hand_over").waiting == ["acceptance"]


def test_what_the_organ_does_not_accept_ends_its_work():
    case = Petition(type="suggestion").answer("hand_over")
    case.answer("acceptance", acceptance="not_accepted", objection="已经终结")
    assert case.case.status == "completed"


def test_an_extension_once_by_thirty_days_at_most_approved_and_told():
    case = Petition(type="suggestion").through(*ORGAN).answer("disposal", extend="yes")
    assert case.waiting == ["extension"]
    for wrong in ({"extensionDays": 31}, {"extensionApprovedBy": None}, {"extensionToldOn": None}):
        with pytest.raises(InvalidForm) as refused:
            case.answer("extension", **wrong)
        assert set(refused.value.errors) == set(wrong)
    case.answer("extension")
    assert (case.waiting, case.due("disposal"), case.due("disposal_overdue")) == (["disposal"], "2026-06-08 23:59", "2026-06-08 23:59")
    form, seen = BUNDLE.forms["petition_disposal"], case.case.visible(case.wait("disposal").token)
    assert next(field for field in form.view(seen, clock=case.clock) if field.name == "extend").hidden  # only once
    assert case.answer("disposal", extend="yes").waiting == ["appeal_request"]  # what is hidden is not taken


def test_late_organs_are_urged_by_the_lead():
    case = Petition(type="suggestion").answer("hand_over").fire("acceptance_overdue")
    assert case.waiting == ["acceptance", "acceptance_reminder"]
    case.through("acceptance_reminder", "acceptance").fire("disposal_overdue")
    assert case.waiting == ["disposal", "disposal_reminder"]
    case.through("disposal_reminder").answer("disposal").answer("appeal_request", **APPEAL).fire("appeal_answer_overdue")
    assert case.waiting == ["appeal_answer", "appeal_reminder"]


APPEAL = {"appealRequested": "yes", "appealRequestedOn": "2026-05-01", "appealOrgan": "市自然资源局"}


def test_a_review_and_a_re_examination_and_no_third():
    case = Petition(type="suggestion").through(*ORGAN, "disposal")
    assert level(case) == "复查"
    case.answer("appeal_request", **APPEAL)
    assert case.due("appeal_answer") == "2026-06-01 23:59"  # 30 days after 1 May, a Sunday
    case.answer("appeal_answer")
    assert level(case) == "复核"
    assert case.due("appeal_request") == case.due("appeal_expired") == "2026-06-22 23:59"  # 30 days after 20 May is the Dragon Boat holiday
    case.answer("appeal_request", **(APPEAL | {"appealRequestedOn": "2026-06-01"})).answer("appeal_answer")
    assert case.case.status == "completed"


def test_who_asks_for_no_review_in_thirty_days_has_asked_for_none():
    case = Petition(type="suggestion").through(*ORGAN, "disposal").fire("appeal_expired")
    assert case.case.status == "completed"
    case = Petition(type="suggestion").through(*ORGAN, "disposal").answer("appeal_request", **APPEAL).answer("appeal_answer")
    assert case.fire("appeal_expired").case.status == "completed"


def level(case) -> str:
    return case.case.visible(case.wait("appeal_request").token)["appealLevel"]


# --- mediation ------------------------------------------------------------------------------------------------------------


def test_a_party_that_refuses_is_not_mediated():
    """人民调解法 17."""
    case = Petition().through(*STEPS).answer("willingness", consent={"agree": "no", "signed": None, "refuseReason": "不信任"})
    case.answer("willingness")
    assert case.waiting == ["companion", "governance", "hand_over"]
    assert case.variables["mediationOutcome"] == "有当事人不同意调解，未进行调解"
    assert "mediate" not in case.told("wait:opened")


def test_a_mediation_that_ends_without_agreement_goes_on_to_the_fifth_step():
    case = Petition().through(*ASKED).answer("mediate", result="ended", endReason="一方退出")
    assert case.waiting == ["companion", "governance", "hand_over"]
    assert case.variables["mediationOutcome"] == "调解终止：一方退出"


def test_sessions_are_repeated_until_there_is_a_result():
    case = Petition().through(*ASKED).answer("mediate", result="again").answer("mediate", result="again")
    seen = case.case.visible(case.wait("mediate").token)
    assert (seen["transcript"], seen["bothConsent"], seen["result"]) == (None, None, None)  # a new transcript each time
    assert case.answer("mediate").waiting == ["agreement", "hand_over"]


def test_mediation_needs_the_consent_of_all_on_the_spot():
    case = Petition().through(*ASKED)
    with pytest.raises(InvalidForm) as refused:
        case.answer("mediate", bothConsent=None)
    assert set(refused.value.errors) == {"bothConsent"}


def test_a_long_mediation_is_urged():
    case = Petition().through(*ASKED)
    assert case.due("mediation_overdue") == "2026-04-01 23:59"
    case.fire("mediation_overdue")
    assert "mediation_reminder" in case.waiting and "mediate" in case.waiting
    case.through("mediation_reminder", "mediate", "agreement")


def test_an_oral_agreement_is_not_confirmed_by_a_court():
    case = Petition().through(*ASKED).answer("mediate", result="oral")
    with pytest.raises(InvalidForm):
        case.answer("agreement", agreementText=None)
    case.answer("agreement", partiesSigned=None, mediatorSigned=None)
    assert case.waiting == ["companion", "governance", "hand_over"]
    assert case.variables["mediationOutcome"] == "达成口头协议"


def test_a_court_is_asked_within_thirty_days_or_not_at_all():
    case = Petition().through(*MEDIATED)
    assert case.due("confirmation") == case.due("confirmation_expired") == "2026-04-15 23:59"
    case.answer("confirmation", confirmation="yes", court="梁山县人民法院", appliedOn="2026-03-20", courtResult="confirmed")
    assert "confirmation" not in case.waiting
    case = Petition().through(*MEDIATED).fire("confirmation_expired")
    assert "confirmation" not in case.waiting and "not_confirmed" in case.told("element:completed")


# --- plan, hardship, closing ----------------------------------------------------------------------------------------------


def test_a_plan_or_closing_that_is_returned_is_corrected():
    case = Petition().through(*STEPS[:4]).answer("approve_plan", approved="no", opinion="目标不具体")
    assert case.waiting == ["hand_over", "plan"]
    case.through("plan", "approve_plan", *ASKED[5:], "mediate", "agreement", "confirmation", "governance", "companion", "evaluate")
    case.answer("approve_close", approved="no", opinion="补充")
    assert "evaluate" in case.waiting
    case.through("evaluate", "approve_close")
    assert case.blocked == []


def test_hardship_is_told_to_social_relief_and_stops_nothing():
    """信访工作条例 37."""
    case = Petition().through("home_visit", "home_visit")
    with pytest.raises(InvalidForm) as refused:
        case.answer("assess", hardship="yes")
    assert set(refused.value.errors) == {"hardshipNote"}
    case.answer("assess", hardship="yes", hardshipNote="无收入，欠医疗费")
    assert "plan" in case.waiting
    assert "relief" in case.told("element:completed")
    [sent] = case.asked
    assert (sent.name, sent.key) == ("relief_referral", "20260302-AAAAAA")
    assert set(sent.variables) == {"petitionNumber", "petitionPlace"}  # nothing about the person leaves the case


@pytest.mark.parametrize(
    ("registered", "assessed", "level"),
    [
        ({}, {}, "蓝"),
        ({"repeated": "yes"}, {}, "黄"),
        ({"reps": 5}, {}, "橙"),
        ({}, {"risk": "high", "riskReasons": "扬言"}, "橙"),
        ({"escalation": "yes"}, {}, "红"),
    ],
)
def test_the_level_of_a_dispute(registered, assessed, level):
    case = Petition(**registered).through("home_visit", "home_visit").answer("assess", **assessed)
    assert case.variables["level"] == level


def test_visits_that_are_late_are_urged():
    case = Petition().fire("visit_overdue")
    assert case.waiting.count("home_visit") == 2 and "visit_reminder" in case.waiting
    case.through("visit_reminder", "home_visit", "home_visit")


# --- emergencies ----------------------------------------------------------------------------------------------------------

BY_STEP = [(), ("home_visit",), STEPS[:2], STEPS[:3], ASKED, MEDIATED, (*MEDIATED, "governance")]
NEXT = ["home_visit", "home_visit", "assess", "plan", "mediate", "governance", "companion"]


@pytest.mark.parametrize(("before", "element"), list(zip(BY_STEP, NEXT, strict=True)), ids=NEXT)
def test_danger_at_any_step_is_reported_to_the_police_and_the_steps_go_on(before, element):
    """信访工作条例 25."""
    case = Petition().through(*before).answer(element, escalation="yes")
    assert "police" in case.waiting
    assert case.wait("police").priority > 90
    others = [name for name in case.waiting if name != "police"]
    case.answer("police")
    assert case.waiting == sorted([*others, "police_noted"])
    case.answer("police_noted")
    assert case.waiting == others
    assert case.variables["escalation"] == "handled"
    assert case.variables["twoPersonVisit"] is True  # the regulation 安全管理 asks for two people from now on


def test_danger_is_reported_each_time():
    case = Petition().answer("home_visit", escalation="yes").answer("home_visit", escalation="yes")
    assert case.waiting.count("police") == 2


def test_harm_to_a_minor_is_reported_at_once_whatever_anybody_thinks():
    """未成年人保护法 11: no approval, and the lead only hears of it afterwards."""
    case = Petition().answer("home_visit", minorHarm="yes")
    assert case.due("minor_report") == "2026-03-02 09:30"
    assert case.wait("minor_report").priority == 100
    assert "partner:child" in case.wait("minor_report").candidate_groups
    assert "minor_noted" not in case.waiting
    case.fire("minor_late")
    assert case.wait("minor_alarm").candidate_groups == ["lead", "supervisor"]
    case.answer("minor_report").answer("minor_noted").answer("minor_alarm")
    assert "home_visit" in case.waiting
    assert "approved" not in case.told("element:completed")


def test_whoever_hears_of_something_tells_it_at_any_time():
    case = Petition().through(*STEPS)
    case.message("petition_incident", "20260302-AAAAAA").answer("register_incident", escalation="yes")
    assert "police" in case.waiting
    case.message("petition_incident", "20260302-AAAAAA").answer("register_incident", minorHarm="yes")
    assert "minor_report" in case.waiting
    assert case.variables["escalation"] == "no"  # the second report says so; the first is being dealt with


# --- what the files say ---------------------------------------------------------------------------------------------------


def test_nothing_to_remark():
    [diagram] = [content for name, content in FILES.items() if name.endswith(".bpmn")]
    assert examine(diagram) == []


def test_every_element_has_both_names():
    nameless = [
        element.id
        for element in BUNDLE.processes[0].elements.values()
        if element.kind not in (Kind.EXCLUSIVE, Kind.PARALLEL) and not (element.name and element.properties.get("name_en"))
    ]
    assert nameless == []


def test_each_deadline_of_the_law_is_named_with_its_source():
    law = {key: entry for key, entry in PARAMETERS.items() if key.startswith("petition_") and "站内默认" not in entry["source"]}
    assert {key: entry["default"] for key, entry in law.items()} == {
        "petition_route_days": 15,
        "petition_objection_days": 5,
        "petition_disposal_days": 60,
        "petition_appeal_days": 30,
        "petition_appeal_answer_days": 30,
        "petition_confirmation_days": 30,
    }
    assert all("条" in entry["source"] for entry in law.values())


def test_the_papers_of_the_procedure():
    titles = [element.properties["document"] for element in BUNDLE.processes[0].elements.values() if "document" in element.properties]
    assert {"家访记录", "评估报告", "化解方案", "调解笔录", "调解协议书", "延期告知书", "回访表"} <= set(titles)


def test_two_parties_are_enough_and_so_is_one():
    case = Petition(parties=[PETITIONER])
    assert case.waiting.count("home_visit") == 1
    case = Petition(parties=[PETITIONER, RESPONDENT, RESPONDENT | {"name": "王五"}])
    assert case.waiting.count("home_visit") == 3
    assert CALM["escalation"] == "no"
