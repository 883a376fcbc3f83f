"""服务流程: no stage is skipped, consent comes first, plans can be measured, closings are followed up, deadlines are kept."""



import pytest

from tests.support.counties import MORNING
from tests.support.databases import BACKENDS
from tests.support.regulated import Step, done

GOAL = {"goal": "按时吃上热饭", "indicator": "每日热饭次数", "target": "2 次"}
# A case from its first stage to its last, and answers that no rule of this table remarks on.
GOOD = {
    "intake": {"basis": "consent", "consentSigned": True},
    "assess": {"sensitiveConsent": True},
    "plan": {"goals": [GOAL], "clientSigned": True, "workerSigned": True},
    "approve": {"approved": "yes"},
    "serve": {},
    "evaluate": {"score": 8},
    "close": {"closeReason": "achieved", "referralReceipt": "回执一号", "referralConsent": True, "followUpAgreed": False},
    "approve_close": {"approved": "yes"},
    "follow": {},
}
KINDS = {  # step: stage, tags
    "intake": ("intake", ""),
    "assess": ("assessment", ""),
    "plan": ("plan", "plan"),
    "approve": ("plan", "approval"),
    "serve": ("intervention", ""),
    "evaluate": ("evaluation", ""),
    "close": ("closing", "closing"),
    "approve_close": ("closing", "approval"),
    "follow": ("followup", ""),
}
STEPS = [Step(name, tags, stage, GOOD[name]) for name, (stage, tags) in KINDS.items()]
rule = pytest.mark.rule


def person(step: str) -> str:
    return "lead-01" if step.startswith("approve") else "ft-01-1"


def reach(work, until: str, changes: dict) -> str:
    """A case whose tasks before `until` are done, with good answers but for the changes; the task there is claimed."""
    case = work.case("small")
    for step, answers in GOOD.items():
        if step == until:
            done(work.claim(case, step, person(step)))
            return case
        done(work.do(case, step, person(step), {**answers, **changes.get(step, {})}))
    return case


def of(rule_id: str, *values):
    return pytest.param(rule_id, *values, marks=rule(rule_id), id=rule_id)


@pytest.mark.parametrize(
    ("rule_id", "step", "wrong"),
    [
        of("process.basis_missing", "intake", {"basis": None}),
        of("process.consent_unsigned", "intake", {"consentSigned": False}),
        of("process.sensitive_consent", "assess", {"sensitiveConsent": False}),
        of("process.plan_goals", "plan", {"goals": []}),
        of("process.plan_measurable", "plan", {"goals": [GOAL, GOAL | {"indicator": ""}]}),
        of("process.plan_signed", "plan", {"clientSigned": False}),
        of("process.evaluation_score", "evaluate", {"score": 11}),
        of("process.close_reason", "close", {"closeReason": None}),
        of("process.referral_receipt", "close", {"closeReason": "referral", "referralReceipt": " "}),
        of("process.referral_consent", "close", {"closeReason": "referral", "referralConsent": False}),
    ],
)
def test_what_is_missing_stops_the_step_until_it_is_there(work, rule_id, step, wrong):
    work.deploy(*STEPS)
    case = reach(work, step, {})
    work.refused(work.complete(case, step, person(step), GOOD[step] | wrong), rule_id)
    right = GOOD[step] | ({"closeReason": "referral"} if wrong.get("closeReason") == "referral" else {})
    work.passes(work.complete(case, step, person(step), right), rule_id)


@pytest.mark.parametrize(
    ("rule_id", "refusing", "step"),
    [of("process.plan_approved", "approve", "serve"), of("process.close_approved", "approve_close", "follow")],
)
def test_what_was_not_approved_does_not_go_on(work, rule_id, refusing, step):
    work.deploy(*STEPS)
    case = reach(work, step, {refusing: {"approved": "no"}})
    work.refused(work.complete(case, step, person(step), GOOD[step]), rule_id)
    work.passes(work.complete(reach(work, step, {}), step, person(step), GOOD[step]), rule_id)


@pytest.mark.parametrize(
    ("rule_id", "until", "told", "untold"),
    [
        of("process.emergency_notice", "assess", {"intake": {"basis": "emergency"}}, {"intake": {"basis": "statutory"}}),
        of("process.close_score", "approve_close", {"evaluate": {"score": 3}}, {}),
        of("process.close_followup", "approve_close", {}, {"close": {"followUpAgreed": True}}),
        of("process.followup_due", "follow", {"close": {"followUpAgreed": True}}, {}),
    ],
)
def test_what_is_remarked_on_and_goes_on(work, rule_id, until, told, untold):
    work.deploy(*STEPS)
    work.told(reach(work, until, told), rule_id)
    work.untold(reach(work, until, untold), rule_id)


@rule("process.stage_order")
def test_no_stage_is_skipped(work):
    for stage in ("assessment", "plan", "intervention", "evaluation", "closing", "followup"):
        leap = work.deploy(Step("leap", stage=stage), key=f"leap_{stage}")
        work.refused(work.do(work.case(leap), "leap"), "process.stage_order")
    work.deploy(*STEPS)
    case = reach(work, "follow", {})
    work.passes(work.complete(case, "follow", "ft-01-1"), "process.stage_order")
    assert done(work.api("ft-01-1").get(f"/instances/{case}"))["status"] == "completed"


@rule("process.stage_order")
def test_in_a_crisis_the_supervisor_lets_a_stage_wait(work):
    small = work.deploy(Step("leap", stage="assessment", fields={"crisis": True, "sensitiveConsent": True}))
    case = work.case(small)
    said = work.refused(work.do(case, "leap", "ft-01-1", {"crisis": True}), "process.stage_order")
    assert said["waivable_by"] == "supervisor"
    body = {"rule": "process.stage_order", "reason": "先救人", "task": work.task(case, "leap")}
    waiver = done(work.api("ft-01-1").post("/waivers", body))["id"]
    done(work.api("supervisor").post(f"/waivers/{waiver}/grant", {"reason": "同意"}))
    work.passes(work.complete(case, "leap", "ft-01-1", {"crisis": True}), "process.stage_order")


CRISIS = [
    Step("act", tags="crisis", stage="intervention", fields={"actedAt": MORNING}),
    Step("backfill", tags="crisis,backfill", stage="assessment", fields={"basis": "statutory"}),
    Step("evaluate", stage="evaluation", fields={"score": 8}),
]


@rule("process.crisis_backfill_due", "process.crisis_backfill_late", "process.crisis_backfill_missing")
def test_what_a_crisis_left_unwritten_is_written_in_time(work):
    whole, hasty = work.deploy(*CRISIS, key="whole"), work.deploy(CRISIS[0], CRISIS[2], key="hasty")
    late, kept, missing = work.case(whole), work.case(whole), work.case(hasty)
    for case in (late, kept, missing):
        work.untold(case, "process.crisis_backfill_due")
        done(work.do(case, "act", data={"actedAt": f"{work.county.now:%Y-%m-%dT%H:%M}"}))
        work.told(case, "process.crisis_backfill_due")
    work.refused(work.do(missing, "evaluate", data={"score": 8}), "process.crisis_backfill_missing")
    done(work.do(kept, "backfill", data={"basis": "statutory"}))
    work.untold(kept, "process.crisis_backfill_late")
    work.passes(work.do(kept, "evaluate", data={"score": 8}), "process.crisis_backfill_missing")
    work.county.pass_time(hours=73)
    done(work.do(late, "backfill", data={"basis": "statutory"}))
    work.told(late, "process.crisis_backfill_late")


@rule("process.deadline")
@pytest.mark.parametrize("backend", BACKENDS)
def test_a_late_intake_of_the_products_own_procedure_is_told_to_the_lead(work):
    late, kept = (work.through(work.case(), "visit", "first_response", crisis=False) for _ in range(2))
    work.through(kept, "intake", inScope="yes")
    work.county.pass_time(days=4)
    work.alerted("lead-01", "process.deadline", about=late)
    work.unalerted("lead-01", "process.deadline", about=kept)


@pytest.mark.parametrize(
    ("tags", "stage", "who", "rule_id"),
    [
        ("", "assessment", "lead-01", "process.deadline"),
        ("plan", "plan", "lead-01", "process.deadline"),
        ("record", "intervention", "lead-01", "process.deadline"),
        ("", "evaluation", "lead-01", "process.deadline"),
        ("closing", "closing", "lead-01", "process.deadline"),
        ("approval", "plan", "supervisor", "process.deadline"),
        ("crisis,backfill", "assessment", "lead-01", "process.deadline"),
        ("reminder", "plan", "supervisor", "process.deadline"),
        ("referral", "closing", "lead-01", "process.referral_receipt"),
    ],
)
def test_late_tasks_of_every_kind_are_told(work, tags, stage, who, rule_id):
    late = work.case(work.deploy(Step("wait", tags, stage, due="PT2H"), key="late"))
    early = work.case(work.deploy(Step("wait", tags, stage, due="P9D"), key="early"))
    work.county.pass_time(hours=3)
    assert work.alerted(who, rule_id, about=late)["notify"] == ("supervisor" if who == "supervisor" else "lead")
    work.unalerted(who, rule_id, about=early)
