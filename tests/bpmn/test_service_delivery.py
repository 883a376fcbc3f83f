"""`service_delivery` driven through every branch, stored and restored between every two steps, under the regulations."""

import json
import re

import pytest

from engine.bundle import read_bundle, read_form
from engine.exceptions import InvalidForm
from engine.workflow import examine
from engine.workflow.model import Kind
from tests.bpmn.harness import NOW, Driver
from tests.bpmn.service import ANSWERS, BUNDLE, CALENDAR, FILES, GOAL, PARAMETERS, SOURCES, Service, decide_at, host_names
from tests.support.databases import ROOT
from webapp.words import UNITS

BENCH = ROOT / "tests" / "bpmn" / "bench"
TEN_FIELDS = {
    "name": "张三",
    "born": "1980-05-01",
    "channel": "visit",
    "needs": ["care"],
    "risk": "low",
    "score": 8,
    "signed": True,
    "phone": "13800138000",
    "note": "无",
}

TO_PLAN = ("first_response", "intake", "consent", "assessment")
TO_EVALUATION = (*TO_PLAN, "plan", "approve_plan", "record")
TO_CLOSING = (*TO_EVALUATION, "evaluate")
FOLLOWUPS = ("followup_first", "followup_second", "followup_third")


def test_the_regular_path():
    case = Service()
    assert case.waiting == ["first_response"]
    assert case.due("first_response") == "2026-03-05 23:59"  # 3 working days after Monday the 2nd
    case.answer("first_response")
    assert (case.waiting, case.due("intake")) == (["intake"], "2026-03-05 23:59")
    case.answer("intake")
    assert case.waiting == ["consent"]
    case.answer("consent")
    assert (case.waiting, case.due("assessment")) == (["assessment"], "2026-03-16 23:59")  # 10 working days
    case.answer("assessment")
    assert (case.waiting, case.due("plan")) == (["plan"], "2026-03-23 23:59")  # 15 working days
    case.answer("plan")
    assert case.waiting == ["approve_plan"]
    assert case.wait("approve_plan").candidate_groups == ["lead", "supervisor"]
    case.answer("approve_plan")
    assert case.waiting == ["record"]
    case.answer("record", moreNeeded="yes").answer("record", moreNeeded="yes").answer("record")
    assert case.waiting == ["evaluate"]
    case.through("evaluate", "close")
    assert case.waiting == ["approve_close"]
    case.answer("approve_close")
    assert case.waiting == []
    assert [timer.element.id for timer in case.case.timers()] == list(FOLLOWUPS)
    assert [case.due(name) for name in FOLLOWUPS] == ["2026-04-02 23:59", "2026-06-02 23:59", "2026-09-02 23:59"]
    for name in FOLLOWUPS:
        case.fire(name)
        assert case.waiting == ["follow_up"]
        case.answer("follow_up")
    assert case.case.status == "completed"
    assert case.blocked == []


def test_a_holiday_puts_deadlines_off():
    """Counted over Spring Festival 2026 (15 to 23 February) with its working Saturdays, the 14th and the 28th."""
    case = Service().at("2026-02-12 15:00").answer("first_response")
    assert case.due("intake") == "2026-02-24 23:59"  # Fri 13, Sat 14 (worked), Tue 24
    assert case.due("intake_overdue") == "2026-02-24 23:59"


def test_statutory_duty_needs_no_consent():
    case = Service(basis="statutory", statutoryGround="未成年人保护法第十一条", consentSigned=None)
    case.through("first_response", "intake")
    assert case.waiting == ["assessment"]


def test_consent_is_signed_before_anything_else():
    with pytest.raises(InvalidForm) as refused:
        Service(consentSigned=None)
    assert set(refused.value.errors) == {"consentSigned"}


def test_a_child_needs_its_guardian():
    with pytest.raises(InvalidForm) as refused:
        Service(birthDate="2015-09-01")
    assert set(refused.value.errors) == {"guardianName"}
    case = Service(birthDate="2015-09-01", guardianName="李四").through("first_response", "intake")
    with pytest.raises(InvalidForm) as refused:
        case.answer("consent")
    assert set(refused.value.errors) == {"guardianSigned"}
    assert case.answer("consent", guardianSigned=True).waiting == ["assessment"]


def test_out_of_scope_ends_with_an_explanation():
    case = Service().answer("first_response")
    with pytest.raises(InvalidForm) as refused:
        case.answer("intake", inScope="no", needs=None, intakeSummary=None, basis=None, consentSigned=None)
    assert set(refused.value.errors) == {"refusalGround", "outOfScopeReason"}
    told = {"refusalGround": "other_duty", "outOfScopeReason": "属医疗救助,转县医保局"}
    case.answer("intake", inScope="no", **told, needs=None, intakeSummary=None, basis=None, consentSigned=None)
    assert case.case.status == "completed"
    assert case.told("element:completed")[-1] == "not_accepted"


# --- first response -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("urgency", "due"), [("urgent", "2026-03-02 11:00"), ("soon", "2026-03-03 09:00"), ("normal", "2026-03-05 23:59")])
def test_the_first_response_is_due_by_urgency(urgency, due):
    case = Service(urgency=urgency)
    assert case.due("first_response") == due
    assert case.due("response_late") == due


def test_no_response_in_time_goes_to_the_lead_who_dispatches():
    case = Service(urgency="urgent").fire("response_late")
    assert case.waiting == ["dispatch"]
    assert case.wait("dispatch").candidate_groups == ["lead"]
    case.later(minutes=10).answer("dispatch")
    assert (case.waiting, case.due("first_response")) == (["first_response"], "2026-03-02 13:10")
    case.fire("response_late")
    assert case.case.visible(case.wait("dispatch").token)["dispatchTo"] is None  # asked anew
    assert case.through("dispatch", "first_response").waiting == ["intake"]


# --- deadlines ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("before", "element", "due"),
    [
        (TO_PLAN[:1], "intake", "2026-03-05 23:59"),
        (TO_PLAN[:3], "assessment", "2026-03-16 23:59"),
        (TO_PLAN, "plan", "2026-03-23 23:59"),
        ((*TO_PLAN, "plan", "approve_plan"), "record", "2026-06-03 23:59"),  # next visit in 90 days, a Sunday, so Monday; then 48 hours
    ],
)
def test_a_deadline_that_passes_tells_the_lead_and_leaves_the_task(before, element, due):
    case = Service().through(*before)
    assert case.due(f"{element}_overdue") == case.due(element) == due
    case.fire(f"{element}_overdue")
    assert case.waiting == sorted([element, f"{element}_reminder"])
    assert case.wait(f"{element}_reminder").candidate_groups == ["lead"]
    case.through(f"{element}_reminder", element)
    assert case.blocked == []
    assert not any(timer.element.id == f"{element}_overdue" for timer in case.case.timers())


def test_work_done_in_time_calls_off_its_reminder():
    case = Service().through("first_response", "intake")
    assert "intake_overdue" in case.told("timer:cancelled")


def test_every_ninety_days_the_lead_reviews_a_long_intervention():
    case = Service().through(*TO_PLAN, "plan", "approve_plan")
    for months in ("2026-05-31", "2026-08-29"):
        assert case.due("review_due").startswith(months)
        case.fire("review_due")
        assert case.waiting == ["record", "review"]
        case.answer("review").answer("record", moreNeeded="yes")
    assert case.through("record").waiting == ["evaluate"]
    assert "review_due" not in [timer.element.id for timer in case.case.timers()]


# --- crisis ---------------------------------------------------------------------------------------------------------------


def test_a_crisis_is_acted_on_at_once_and_recorded_within_72_hours():
    case = Service(crisis=True)
    assert case.waiting == ["county_crisis", "crisis_act", "crisis_approval"]
    assert case.due("crisis_act") == "2026-03-02 11:00"  # 2 hours
    assert case.wait("crisis_act").candidate_groups == ["full_time"]
    assert case.wait("county_crisis").candidate_groups == ["supervisor"]
    assert case.wait("crisis_act").priority > 50
    case.answer("crisis_act")
    assert (case.due("backfill"), case.due("backfill_overdue")) == ("2026-03-05 09:00", "2026-03-05 09:00")  # 72 hours
    case.through("crisis_approval", "backfill")
    assert case.waiting == ["county_crisis", "plan"]
    case.through("plan", "approve_plan", "county_crisis", "record", "evaluate", "close", "approve_close")
    assert [timer.element.id for timer in case.case.timers()] == list(FOLLOWUPS)
    assert case.blocked == []


def test_the_plan_waits_for_the_back_fill_and_the_lead_hears_when_it_is_late():
    case = Service(crisis=True).through("crisis_act", "crisis_approval", "county_crisis")
    assert case.waiting == ["backfill"]
    case.fire("backfill_overdue")
    assert case.waiting == ["backfill", "backfill_reminder"]
    assert case.through("backfill_reminder", "backfill").waiting == ["plan"]


def test_an_emergency_found_at_the_visit_at_intake_or_by_the_assessment():
    crisis = ["county_crisis", "crisis_act", "crisis_approval"]
    assert Service(basis="emergency", consentSigned=None).waiting == crisis
    assert Service().answer("first_response").answer("intake", basis="emergency", consentSigned=None).waiting == crisis
    case = Service().through("first_response", "intake", "consent")
    assert case.answer("assessment", risk="urgent", riskReasons="有自伤倾向").waiting == crisis


# --- plan, evaluation, closing --------------------------------------------------------------------------------------------


def test_a_plan_that_is_returned_is_made_again():
    case = Service().through(*TO_PLAN, "plan")
    with pytest.raises(InvalidForm) as refused:
        case.answer("approve_plan", approved="no")
    assert set(refused.value.errors) == {"opinion"}
    case.answer("approve_plan", approved="no", opinion="目标不可衡量")
    assert case.waiting == ["plan"]
    assert case.variables["opinion"] == "目标不可衡量"  # the author can read why
    case.answer("plan")
    seen = case.case.visible(case.wait("approve_plan").token)
    assert (seen["approved"], seen["opinion"]) == (None, None)  # nothing is ticked from the last time
    assert case.answer("approve_plan").waiting == ["record"]


def test_the_approver_sees_the_goals_and_cannot_change_them():
    case = Service().through(*TO_PLAN, "plan")
    form = BUNDLE.forms["approval"]
    seen = case.case.visible(case.wait("approve_plan").token)
    assert form.data(seen, case.clock)["goals"][0]["goal"] == GOAL["goal"]
    case.answer("approve_plan", goals=[GOAL | {"goal": "换掉"}])
    assert case.variables["goals"][0]["goal"] == GOAL["goal"]


def test_a_plan_has_goals_and_both_signatures():
    case = Service().through(*TO_PLAN)
    with pytest.raises(InvalidForm) as refused:
        case.answer("plan", goals=[], clientSigned=None, workerSigned=None)
    assert set(refused.value.errors) == {"goals", "clientSigned", "workerSigned"}


def test_goals_that_are_not_met_are_planned_again():
    case = Service().through(*TO_EVALUATION)
    case.answer("evaluate", score=3, evaluationResult="replan")
    assert case.waiting == ["plan"]
    case.through("plan", "approve_plan", "record")
    assert case.case.visible(case.wait("evaluate").token)["score"] is None
    assert case.answer("evaluate").waiting == ["close"]


@pytest.mark.parametrize("score", [-1, 11, 7.5, None])
def test_the_score_is_a_whole_number_from_0_to_10(score):
    case = Service().through(*TO_EVALUATION)
    with pytest.raises(InvalidForm) as refused:
        case.answer("evaluate", score=score)
    assert set(refused.value.errors) == {"score"}


def test_a_closing_that_is_returned_is_corrected():
    case = Service().through(*TO_CLOSING, "close")
    assert case.answer("approve_close", approved="no", opinion="补充摘要").waiting == ["close"]
    assert case.through("close", "approve_close").waiting == []
    assert "closedAt" in case.variables


def test_a_referral_needs_its_receipt():
    case = Service().through(*TO_CLOSING)
    with pytest.raises(InvalidForm) as refused:
        case.answer("close", closeReason="referral", referralConsent=True, referralTo="县残联")
    assert set(refused.value.errors) == {"referralReceipt"}
    case.answer("close", closeReason="referral", referralConsent=True, referralTo="县残联", referralReceipt="残联 2026-17 号")
    case.answer("approve_close")
    assert len(case.case.timers()) == 3
    assert case.blocked == []


@pytest.mark.parametrize("reason", ["deceased", "moved", "refused"])
def test_no_follow_up_where_it_makes_no_sense(reason):
    case = Service().through(*TO_CLOSING).answer("close", closeReason=reason).answer("approve_close")
    assert case.case.status == "completed"
    assert case.blocked == []


def test_follow_ups_stop_when_there_is_nobody_to_follow_up():
    case = Service().through(*TO_CLOSING, "close", "approve_close").fire("followup_first")
    case.answer("follow_up", followUpStop="yes")
    assert case.case.status == "completed"
    assert sorted(case.told("timer:cancelled")[-2:]) == ["followup_second", "followup_third"]


def test_a_late_follow_up_does_not_put_off_the_next():
    case = Service().through(*TO_CLOSING, "close", "approve_close").fire("followup_first").fire("followup_second")
    assert case.waiting == ["follow_up", "follow_up"]
    case.through("follow_up", "follow_up").fire("followup_third").answer("follow_up")
    assert case.case.status == "completed"


def test_long_cases_stay_small():
    case = Service().through(*TO_PLAN, "plan", "approve_plan")
    for _ in range(3):
        case.answer("record", moreNeeded="yes")
    size = case.sizes[-1]
    for _ in range(30):
        case.answer("record", moreNeeded="yes")
    assert case.sizes[-1] <= size + 60  # only numbers grow


# --- how often a person is visited ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("risk", "born", "categories", "days"),
    [
        ("low", "1980-05-01", ["minimum_living"], 90),
        ("medium", "1980-05-01", ["minimum_living"], 30),
        ("high", "2015-09-01", ["left_behind"], 7),
        ("low", "1950-01-01", ["extreme_poverty"], 30),  # monthly, whatever the risk
        ("low", "1950-01-01", ["veteran"], 90),
        ("high", "1950-01-01", ["dementia", "veteran"], 7),  # the most frequent of both
    ],
)
def test_the_visit_interval(risk, born, categories, days):
    guardian = {"guardianName": "李四"} if born > "2008" else {}
    case = Service(birthDate=born, categories=categories, **guardian).through("first_response", "intake")
    case.answer("consent", **({"guardianSigned": True} if guardian else {}))
    case.answer("assessment", risk=risk, riskReasons="无人照看" if risk == "high" else None).through("plan", "approve_plan")
    assert case.variables["visitDays"] == days


# --- a program ------------------------------------------------------------------------------------------------------------


def test_a_program_that_takes_each_first_option_reaches_the_end():
    """By our convention the first option of every choice is the regular path, so that anybody can drive a case without knowing it."""
    case = Driver(BUNDLE.processes[0], names=host_names(), decide=decide_at(NOW), zone=CALENDAR.zone)
    for _ in range(40):
        if case.case.waits():
            wait = case.case.waits()[0]
            form = BUNDLE.forms[wait.element.form_id]
            seen = case.case.visible(wait.token)
            data = form.read(_first_options(form.fields, form.data(seen, NOW)), seen, NOW)
            case.case.complete(wait.token, data, case.env)
            case._store()
        elif case.case.timers():
            case.fire()
    assert case.case.status == "completed"
    done = case.told("wait:completed")
    assert [done.count(element) for element in (*TO_CLOSING, "close", "approve_close", "follow_up")] == [1] * 10 + [3]


def _first_options(components, known: dict) -> dict:
    """Something for every required field that is empty: the first option, a tick, a number, a day, a word."""
    data = dict(known)
    for component in components:
        if component.kind == "group":
            data |= _first_options(component.children, data)
        elif component.kind == "dynamiclist":
            data[component.path[0]] = [_first_options(component.children, {})]
        elif component.path and component.rules.required and not component.readonly and not data.get(component.path[0]):
            data[component.path[0]] = _something(component)
    return {key: value for key, value in data.items() if value not in (None, "", [])}


def _something(component):
    if component.choices:
        first = component.choices.static[0].value
        return [first] if component.kind == "checklist" else first
    if component.kind == "datetime":
        return "1990-01-01" if component.attributes["subtype"] == "date" else "2026-03-02T09:00+08:00"
    return {"checkbox": True, "number": 8}.get(component.kind, "某某")


@pytest.mark.parametrize("name", ["three_tasks", "loop"])
def test_the_bundles_of_the_bench_run(name):
    files = {path.name: path.read_bytes() for path in (BENCH / f"{name}.bpmn", *BENCH.glob("*.form"))}
    bundle = read_bundle(files)
    case = Driver(bundle.processes[0])
    answers = {"ten_fields": TEN_FIELDS, "again": {"done": False, "count": 1}}
    for _ in range(5):
        for wait in case.case.waits():
            form = bundle.forms[wait.element.form_id]
            case.case.complete(wait.token, form.read(answers[form.id], case.case.visible(wait.token), NOW), case.env)
            case._store()
    if name == "loop":
        assert case.told("wait:completed") == ["work"] * 5
        case.complete("work", done=True)
    else:
        assert case.told("wait:completed") == ["register", "check", "settle"]
    assert case.case.status == "completed"


def test_the_form_of_the_bench_has_ten_fields():
    assert len(read_form("ten_fields.form", (BENCH / "ten_fields.form").read_bytes()).fields) == 10


# --- the files ------------------------------------------------------------------------------------------------------------


def test_nothing_to_remark():
    assert examine(FILES["service_delivery.bpmn"]) == []
    assert [form.id for form in BUNDLE.forms.values() if form.findings] == []
    assert BUNDLE.processes[0].form_ids == set(BUNDLE.forms) == set(ANSWERS)
    assert BUNDLE.processes[0].decision_ids == set(BUNDLE.decisions)


def test_every_parameter_is_used_and_explained():
    """By a procedure or a regulation, or by the product itself (who is out, and until when)."""
    drawn = [*(SOURCES / "processes").glob("*.bpmn"), *SOURCES.rglob("*.dmn")]
    used = set(re.findall(r"parameters\.(\w+)", "".join(path.read_text(encoding="utf-8") for path in drawn)))
    engine = "".join(path.read_text(encoding="utf-8") for path in (ROOT / "engine").rglob("*.py"))
    assert used <= set(PARAMETERS)
    by_risk = {f"cohort_visit_{risk}_days" for risk in ("low", "medium", "high", "urgent")}  # engine.registers.served spells them with the risk
    assert [key for key in set(PARAMETERS) - used - by_risk if f'"{key}"' not in engine] == []
    for entry in PARAMETERS.values():
        assert set(entry) == {"key", "default", "unit", "label", "label_en", "meaning", "meaning_en", "source", "source_en"}
        assert entry["unit"] in UNITS


def test_every_user_task_says_who_when_and_which_stage():
    stages = {"intake", "assessment", "plan", "intervention", "evaluation", "closing", "followup"}
    for element in BUNDLE.processes[0].elements.values():
        if element.kind is Kind.USER_TASK:
            assert element.form_id, element.id
            assert element.assignment.candidate_groups, element.id
            assert element.properties["stage"] in stages, element.id
            assert element.due or element.id == "visit", element.id


def test_everything_has_its_english():
    for element in BUNDLE.processes[0].elements.values():
        assert not element.name or element.properties.get("name_en"), element.id
    for path in sorted((SOURCES / "forms").glob("*.form")):
        for component in _components(json.loads(path.read_text(encoding="utf-8"))):
            english = component.get("properties", {})
            if component["type"] not in ("expression", "separator"):
                assert english.get("label_en"), component["id"]
            assert ("description" in component) == ("description_en" in english), component["id"]
            assert all(option.get("label_en") for option in component.get("values", [])), component["id"]


def _components(node: dict):
    for component in node.get("components", []):
        yield component
        yield from _components(component)
