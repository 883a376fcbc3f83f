"""What a verdict is, what stops and what does not, and which tables are no regulations. The rules: test_regulation_tables.py."""

import time
from copy import deepcopy
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from engine import feel
from engine.exceptions import DeployRefused, RegulationRefused
from engine.regulations import POINTS, Tables, Verdict, blocking, check, compile_regulation
from tests.support.tables import file, table

DIRECTORY = Path(__file__).parents[2] / "bpmn" / "regulations"
TABLES = Tables(one for one in Tables.load(DIRECTORY) if one.key in ("service_process", "duties"))
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

UNSIGNED = act("start", "intake", data={"basis": "consent"})
OUT_OF_ORDER = act(stage="plan", done="intake intervention", variables={"crisis": True})
BACKFILLED_LATE = act(stage="assessment", tags="crisis backfill", variables={"actedAt": NOW - timedelta(hours=73)})


# --- verdicts ------------------------------------------------------------------------------------------------------------------


def test_a_verdict_carries_what_it_looked_at():
    (verdict,) = check(TABLES, "start", UNSIGNED, NOW)
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
    late = BACKFILLED_LATE | {"parameters": {"crisis_backfill_hours": Decimal(72)}}
    for facts, effect, stops in ((UNSIGNED, "block", True), (OUT_OF_ORDER, "waiver", True), (late, "warn", False)):
        (verdict,) = check(TABLES, facts["point"], facts, NOW)
        assert (verdict.effect, bool(blocking([verdict]))) == (effect, stops)
    with pytest.raises(RegulationRefused, match="知情同意书"):
        raise RegulationRefused(blocking(check(TABLES, "start", UNSIGNED, NOW)))


def test_a_waiver_stops_until_it_is_given():
    facts = OUT_OF_ORDER
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
            expected = ["followup_due"] if (element, point) == ("approve_close", "complete") else []
            assert [verdict.row for verdict in check(TABLES, point, facts, NOW)] == expected, (element, point)
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
    facts = act(tags="plan", data=PLAN)
    start = time.perf_counter()
    for _ in range(100):
        check(TABLES, "complete", facts, NOW)
    assert (time.perf_counter() - start) / 100 < 2e-3
