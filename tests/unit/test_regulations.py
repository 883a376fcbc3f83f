"""服务流程 and 工作职责, row by row: an example that each row must stop, the same example put right, and what is lost without the row."""

import time
from copy import deepcopy
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pytest
from lxml import etree

from engine import feel
from engine.exceptions import DeployRefused, RegulationRefused
from engine.regulations import POINTS, Tables, Verdict, blocking, check, compile_regulation
from tests.support.tables import MODEL, file, table

DIRECTORY = Path(__file__).parents[2] / "bpmn" / "regulations"
TABLES = Tables(one for one in Tables.load(DIRECTORY) if one.key in ("service_process", "duties"))  # each other has a file of its own
ROWS = {rule.id: regulation.key for regulation in TABLES for rule in regulation.decision.rules}
NOW = datetime(2026, 3, 2, 9, 30, tzinfo=UTC)
GOAL = {"goal": "规律就医", "indicator": "每月复诊次数", "target": "1"}


def act(point="complete", stage=None, tags="", data=None, done="", person=None, authors=None, variables=None, **case):
    """The facts of an act. `tags`, `done`: words; `case`: more of the case's facts."""
    return {
        "point": point,
        "person": {"id": "p1", "roles": ["worker"], "workforce": "full_time", "unit": "station-01", **(person or {})},
        "task": {"element": "x", "stage": stage, "tags": tags.split(), "data": data or {}},
        "case": {
            "id": "c1",
            "definition": "service_delivery",
            "place": "county/station-01/room-001",
            "started_at": NOW - timedelta(hours=5),
            "variables": variables or {},
            "stages_done": done.split(),
            "authors": authors or {},
            **case,
        },
        "now": NOW,
    }


PLAN = {"goals": [GOAL], "clientSigned": True, "workerSigned": True}
CLOSING = {"closeReason": "achieved", "followUpAgreed": True}
CRISIS = {"crisis": ["p1"]}
FILLED = {"crisis": ["p1"], "backfill": ["p1"]}

# row: (facts that it stops or remarks on, the same put right)
EXAMPLES = {
    "stage_assessment": (act(stage="assessment"), act(stage="assessment", done="intake")),
    "stage_plan": (act(stage="plan", done="intake"), act(stage="plan", done="intake assessment")),
    "stage_intervention": (
        act(stage="intervention", done="intake assessment", data={"approved": "yes"}),
        act(stage="intervention", done="intake assessment plan", data={"approved": True}),
    ),
    "stage_evaluation": (
        act(stage="evaluation", done="intake assessment plan", data={"score": Decimal(7)}),
        act(stage="evaluation", done="intake assessment plan intervention", data={"score": Decimal(7)}),
    ),
    "stage_closing": (act(stage="closing", done="intervention", data=CLOSING), act(stage="closing", done="evaluation", data=CLOSING)),
    "stage_followup": (
        act(stage="followup", done="evaluation", variables={"approved": "yes"}),
        act(stage="followup", done="evaluation closing", variables={"approved": "yes"}),
    ),
    "stage_crisis": (
        act(stage="plan", done="intake intervention", variables={"crisis": True}),
        act(stage="assessment", tags="crisis backfill", done="intake intervention", variables={"crisis": True}),
    ),
    "crisis_backfill_due": (
        act(stage="intervention", tags="crisis", variables={"crisis": True}),
        act(stage="intervention", tags="crisis approval", variables={"crisis": True}),
    ),
    "crisis_backfill_late": (
        act(stage="assessment", tags="crisis backfill", variables={"actedAt": NOW - timedelta(hours=73)}),
        act(stage="assessment", tags="crisis backfill", variables={"actedAt": NOW - timedelta(hours=72)}),
    ),
    "crisis_backfill_missing": (
        act(stage="evaluation", done="intervention", data={"score": Decimal(5)}, authors=CRISIS),
        act(stage="evaluation", done="intervention", data={"score": Decimal(5)}, authors=FILLED),
    ),
    "basis_missing": (act("start", "intake"), act("start", "intake", data={"basis": "statutory"})),
    "consent_unsigned": (
        act("start", "intake", data={"basis": "consent"}),
        act("start", "intake", data={"basis": "consent", "consentSigned": True}),
    ),
    "sensitive_consent": (
        act(stage="assessment", done="intake", variables={"basis": "consent"}),
        act(stage="assessment", done="intake", variables={"basis": "consent", "sensitiveConsent": True}),
    ),
    "emergency_notice": (act(stage="intake", data={"basis": "emergency"}), act(stage="intake", data={"basis": "statutory"})),
    "plan_goals": (act(tags="plan", data=PLAN | {"goals": []}), act(tags="plan", data=PLAN)),
    "plan_measurable": (act(tags="plan", data=PLAN | {"goals": [GOAL, GOAL | {"target": " "}]}), act(tags="plan", data=PLAN)),
    "plan_signed": (act(tags="plan", data=PLAN | {"clientSigned": False}), act(tags="plan", data=PLAN)),
    "plan_approved": (
        act(stage="intervention", tags="record", done="plan", variables={"approved": "no"}),
        act(stage="intervention", tags="record", done="plan", variables={"approved": "yes"}),
    ),
    "evaluation_score": (
        act(stage="evaluation", done="intervention"),
        act(stage="evaluation", done="intervention", data={"score": Decimal(0)}),
    ),
    "close_reason": (act(stage="closing", done="evaluation"), act(stage="closing", done="evaluation", data=CLOSING)),
    "close_score": (
        act(stage="closing", done="evaluation", data=CLOSING, variables={"score": Decimal(5)}),
        act(stage="closing", done="evaluation", data=CLOSING, variables={"score": Decimal(6)}),
    ),
    "referral_receipt": (
        act(stage="closing", done="evaluation", data=CLOSING | {"closeReason": "referral", "referralReceipt": "  "}),
        act(stage="closing", done="evaluation", data=CLOSING | {"closeReason": "referral", "referralReceipt": "HZ-2026-7"}),
    ),
    "close_followup": (
        act(stage="closing", done="evaluation", data=CLOSING | {"followUpAgreed": False}),
        act(stage="closing", done="evaluation", data={"closeReason": "moved"}),
    ),
    "close_approved": (
        act(stage="followup", tags="followup visit", done="closing", variables={"approved": "no"}),
        act(stage="followup", tags="followup visit", done="closing", variables={"approved": "yes"}),
    ),
    "self_approval_plan": (
        act("assign", "plan", "approval", authors={"plan": ["p0", "p1"]}),
        act("assign", "plan", "approval", authors={"plan": ["p0"]}),
    ),
    "self_approval_closing": (
        act("assign", "closing", "approval closing", authors={"closing": ["p1"]}),
        act("assign", "closing", "approval closing", authors={"closing": ["p0"], "plan": ["p1"]}),
    ),
    "self_approval_crisis": (
        act(stage="intervention", tags="crisis approval", authors=CRISIS),
        act(stage="intervention", tags="crisis approval", authors={"crisis": ["p0"]}),
    ),
    "lead_full_time": (
        act("assign", "plan", "plan", person={"workforce": "part_time"}),
        act("assign", "plan", "plan", person={"workforce": "full_time"}),
    ),
    "lead_certified": (
        act("assign", "plan", "plan", person={"certified": False}, variables={"risk": "high"}),
        act("assign", "plan", "plan", person={"certified": True}, variables={"risk": "high"}),
    ),
    "caseload_full_time": (
        act("assign", "plan", "plan", person={"open_cases": Decimal(25)}),
        act("assign", "plan", "plan", person={"open_cases": Decimal(24)}),
    ),
    "caseload_part_time": (
        act("assign", "intervention", "record", person={"workforce": "part_time", "open_cases": Decimal(10)}),
        act("assign", "intervention", "record", person={"workforce": "part_time", "open_cases": Decimal(9)}),
    ),
    "caseload_high_risk": (
        act("assign", "plan", "plan", person={"open_high_risk": Decimal(8)}, variables={"risk": "urgent"}),
        act("assign", "plan", "plan", person={"open_high_risk": Decimal(8)}, variables={"risk": "low"}),
    ),
}


def rows(facts, tables=TABLES):
    return [verdict.row for verdict in check(tables, facts["point"], facts, NOW)]


def test_every_row_has_an_example():
    assert set(EXAMPLES) == set(ROWS)


@pytest.mark.parametrize("row", ROWS)
def test_each_row_says_its_thing_and_nothing_else_does(row):
    wrong, right = EXAMPLES[row]
    assert rows(wrong) == [row]
    assert rows(right) == []


@pytest.mark.parametrize("row", ROWS)
def test_without_the_row_its_example_goes_through(row):
    path = DIRECTORY / f"{ROWS[row]}.dmn"
    tree = etree.fromstring(path.read_bytes())
    (element,) = tree.xpath("//d:rule[@id=$row]", namespaces={"d": MODEL}, row=row)
    element.getparent().remove(element)
    without = Tables([compile_regulation(etree.tostring(tree)), *(one for one in TABLES if one.key != ROWS[row])])
    assert rows(EXAMPLES[row][0], without) == []


@pytest.mark.parametrize("row", ROWS)
def test_each_row_names_its_source_and_speaks_both_languages(row):
    (verdict,) = check(TABLES, EXAMPLES[row][0]["point"], EXAMPLES[row][0], NOW)
    assert all((verdict.rule, verdict.message, verdict.message_en, verdict.hint, verdict.hint_en, verdict.source))
    assert verdict.message.endswith("。") and verdict.message_en.endswith(".")
    assert verdict.table == ROWS[row] and verdict.rule.split(".")[0] in ("process", "duties")
    annotation = TABLES[verdict.table].decision.rule(row).annotations[0]
    assert annotation.startswith(verdict.source)


# --- verdicts ------------------------------------------------------------------------------------------------------------------


def test_a_verdict_carries_what_it_looked_at():
    (verdict,) = check(TABLES, "start", EXAMPLES["consent_unsigned"][0], NOW)
    assert verdict == Verdict(
        rule="process.consent_unsigned",
        effect="block",
        message="以同意为依据的，须先签知情同意书。",
        message_en="Where consent is the basis, the consent form must be signed first.",
        source="《个人信息保护法》第13条第1项、第14条",
        waivable_by=None,
        table="service_process",
        version=TABLES["service_process"].version,
        facts={"检查点": "start", "阶段": "intake", "任务类别": "ordinary", "处理个人信息的依据": "consent", "知情同意已签": False},
        hint=verdict.hint,
        hint_en=verdict.hint_en,
        row="consent_unsigned",
    )
    assert feel.encode(verdict.facts)


def test_block_stops_and_warn_does_not():
    for row, (wrong, _) in EXAMPLES.items():
        (verdict,) = check(TABLES, wrong["point"], wrong, NOW)
        assert bool(blocking([verdict])) is (verdict.effect in ("block", "waiver")), row
    with pytest.raises(RegulationRefused, match="知情同意书"):
        raise RegulationRefused(blocking(check(TABLES, "start", EXAMPLES["consent_unsigned"][0], NOW)))


def test_a_waiver_stops_until_it_is_given():
    facts = EXAMPLES["stage_crisis"][0]
    (verdict,) = blocking(check(TABLES, "complete", facts, NOW))
    assert (verdict.effect, verdict.waivable_by) == ("waiver", "supervisor")
    waived = deepcopy(facts)
    waived["case"]["waivers"] = ["process.stage_order"]
    (verdict,) = check(TABLES, "complete", waived, NOW)
    assert verdict.waived and not blocking([verdict])


def test_facts_may_be_missing():
    """A procedure without stages and tags is none of these tables' business."""
    for point in POINTS:
        assert check(Tables.load(DIRECTORY), point, {}, NOW) == []
    assert check(TABLES, "complete", {"person": {"roles": frozenset({"worker"})}, "task": {"tags": ("visit",)}, "case": None}, NOW) == []


def test_a_point_is_one_of_those_there_are():
    with pytest.raises(ValueError):
        check(TABLES, "begin", {}, NOW)


def test_long_texts_are_not_shown():
    xml = file(
        table(
            [("values.text", "string"), ("values.list", ""), ("values.map", "")],
            [(name, "string") for name in ("rule", "effect", "message", "message_en")],
            [("? != null", "? != null", "? != null", '"r"', '"warn"', '"m"', '"m"')],
            hit="COLLECT",
        )
    )
    facts = act(data={"text": "张三" * 30, "list": [Decimal("1.5"), NOW.date(), {"a": 1}], "map": {"name": "张三"}})
    (verdict,) = check(Tables([compile_regulation(xml)]), "complete", facts, NOW)
    assert verdict.facts == {"input 1": "（60 字）", "input 2": [1.5, "2026-03-02", "（…）"], "input 3": "（…）"}


def test_service_delivery_is_led_through_without_a_block():
    """The stages and tags of bpmn/processes/service_delivery.bpmn, in order, as an ordinary case goes."""
    variables = {"basis": "consent", "consentSigned": True, "crisis": False}
    steps = [
        ("visit", "intake", "visit", {}),
        ("first_response", "intake", "", {}),
        ("intake", "intake", "", {"inScope": "yes"}),
        ("consent", "intake", "", {"sensitiveConsent": True}),
        ("assessment", "assessment", "home_visit", {"risk": "high"}),
        ("plan", "plan", "plan", PLAN),
        ("approve_plan", "plan", "approval", {"approved": "yes"}),
        ("record", "intervention", "record", {}),
        ("review", "intervention", "reminder", {"reviewResult": "continue"}),
        ("evaluate", "evaluation", "", {"score": Decimal(8)}),
        ("close", "closing", "closing referral", CLOSING),
        ("approve_close", "closing", "approval closing", {"approved": "yes"}),
        ("follow_up", "followup", "followup visit", {}),
    ]
    done, authors = [], {}
    for number, (element, stage, tags, data) in enumerate(steps):
        person = {"id": "lead" if "approval" in tags else "p1"}
        for point in ("start", "assign", "complete") if number == 0 else ("assign", "complete"):
            given = {} if point == "assign" else data
            facts = act(point, stage, tags, given, " ".join(done), person, authors, variables)
            assert check(TABLES, point, facts, NOW) == [], (element, point)
        done += [] if "reminder" in tags or stage in done else [stage]
        for tag in ["approval"] if "approval" in tags else tags.split():
            authors.setdefault(tag, []).append(person["id"])
        variables = variables | data


# --- what is no regulation -----------------------------------------------------------------------------------------------------------

COLUMNS = [(name, "string") for name in ("rule", "effect", "message", "message_en")]


@pytest.mark.parametrize(
    ("outputs", "row", "options", "code"),
    [
        (COLUMNS, ('"r"', '"block"', '"m"', '"m"'), {"hit": "UNIQUE"}, "regulation_hit_policy"),
        (COLUMNS[:3], ('"r"', '"block"', '"m"'), {}, "regulation_output"),
        ([*COLUMNS, ("extra", "string")], ('"r"', '"block"', '"m"', '"m"', '"x"'), {}, "regulation_output"),
        (COLUMNS, ('"r"', '"stop"', '"m"', '"m"'), {}, "regulation_effect"),
        (COLUMNS, ('"r"', "case.effect", '"m"', '"m"'), {}, "regulation_cell"),
        (COLUMNS, ("", '"block"', '"m"', '"m"'), {}, "regulation_cell"),
        (COLUMNS, ('"r"', '"block"', "", '"m"'), {}, "regulation_cell"),
        (COLUMNS, ('"r"', '"block"', '"m"', '" "'), {}, "regulation_cell"),
        ([*COLUMNS, ("notify", "string")], ('"r"', '"task"', '"m"', '"m"', '"worker"'), {}, "regulation_notify"),
        ([*COLUMNS, ("notify", "string")], ('"r"', '"task"', '"m"', '"m"', "person.roles[1]"), {}, "regulation_notify"),
    ],
)
def test_a_table_that_is_no_regulation_is_refused(outputs, row, options, code):
    xml = file(table([("point", "string")], outputs, [("-", *row)], **({"hit": "COLLECT"} | options)))
    with pytest.raises(DeployRefused) as refused:
        compile_regulation(xml, "x.dmn")
    assert {(finding.code, finding.file) for finding in refused.value.findings} == {(code, "x.dmn")}


def test_a_regulation_has_one_main_table():
    with pytest.raises(DeployRefused):
        compile_regulation(file(table([], COLUMNS, [], ident="a"), table([], COLUMNS, [], ident="b")))


def test_checking_is_cheap():

    facts = EXAMPLES["plan_signed"][1]
    start = time.perf_counter()
    for _ in range(100):
        check(TABLES, "complete", facts, NOW)
    assert (time.perf_counter() - start) / 100 < 2e-3
