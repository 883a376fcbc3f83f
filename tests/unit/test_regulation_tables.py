"""The eight regulations: each row is shown by an example that fails without it, names its source and speaks both languages."""

from pathlib import Path

import pytest
import yaml
from lxml import etree

from engine import regulation_examples
from engine.regulations import NOTIFIED, POINTS, Regulation, Tables, check, compile_regulation
from tests.support.tables import MODEL

DIRECTORY = Path(__file__).parents[2] / "bpmn" / "regulations"
PARAMETERS = {one["key"]: one["default"] for one in yaml.safe_load((DIRECTORY.parent / "parameters.yaml").read_text())}
TABLES = Tables.load(DIRECTORY)
EXAMPLES = {
    table.key: regulation_examples.read((DIRECTORY / f"{table.key}{regulation_examples.SUFFIX}").read_bytes()) for table in TABLES
}
RESULTS = {table.key: regulation_examples.run(table, EXAMPLES[table.key]) for table in TABLES}
ROWS = [(table.key, row.id) for table in TABLES for row in table.decision.rules]

# domain.md, part B, regulation by regulation: the rules that stand for each of its lines.
PART_B = {
    "duties": {
        "one named lead": {"duties.named_lead", "duties.lead_full_time"},
        "author ≠ approver": {"duties.self_approval"},
        "caseload cap": {"duties.caseload"},
        "certified lead": {"duties.lead_certified"},
        "staffing complete": {"duties.staffing"},
        "allowance for active posts": {"duties.allowance"},
    },
    "indicators": {
        "first response": {"indicators.first_response"},
        "hotline deadline": {
            "indicators.hotline", "indicators.hotline_late", "indicators.hotline_return", "indicators.hotline_extension"
        },
        "monthly visit": {"indicators.elder_visit"},
        "by risk": {"indicators.child_visit", "indicators.cohort_visit"},
        "incubation pace": {"indicators.incubation"},
        "satisfaction": {"indicators.satisfaction"},
    },
    "service_process": {
        "stages": {
            "process.stage_order", "process.crisis_backfill_due", "process.crisis_backfill_late", "process.crisis_backfill_missing"
        },
        "basis first": {"process.basis_missing", "process.consent_unsigned", "process.sensitive_consent", "process.emergency_notice"},
        "stage deadlines": {"process.deadline"},
        "measurable, signed": {
            "process.plan_goals", "process.plan_measurable", "process.plan_signed", "process.plan_approved", "process.evaluation_score"
        },
        "referral receipt": {"process.referral_receipt", "process.referral_consent"},
        "follow-up": {
            "process.close_reason", "process.close_score", "process.close_followup", "process.close_approved", "process.followup_due"
        },
    },
    "discipline": {
        "no fabrication": {"discipline.fabrication"},
        "no gifts, pay, loans": {"discipline.gifts"},
        "agreed change of worker": {"discipline.change_of_worker"},
        "complaint independence": {"discipline.complaint_independence"},
    },
    "image": {
        "valid badge": {"image.badge"},
        "badge, dress": {"image.appearance"},
        "sampling": {"image.sampling"},
        "publishing images": {"image.publishing"},
    },
    "ethics": {
        "recusal": {"ethics.recusal"},
        "dual relations": {"ethics.dual_relations"},
        "need to know": {"ethics.need_to_know"},
        "refusal review": {"ethics.refusal_review"},
        "duty overrides secrecy": {"ethics.secrecy_exception"},
    },
    "training": {
        "continuing education": {"training.continuing_education"},
        "induction": {"training.induction"},
        "specialist": {"training.specialist"},
        "supervision": {"training.supervision"},
        "privacy training": {"training.privacy"},
    },
    "safety": {
        "two-person visit": {"safety.two_person", "safety.alone_other_sex"},
        "expected return": {"safety.overdue", "safety.overdue_escalated"},
        "crisis report": {"safety.crisis_report", "safety.crisis_report_late"},
        "record check": {"safety.record_check"},
        "insurance": {"safety.insurance", "safety.rescue_minor"},
        "premises": {"safety.premises"},
    },
}
# What is checked when, with which effects, where part B says more than one thing about it.
EFFECTS = {
    "duties.self_approval": {("assign", "block"), ("complete", "block"), ("complete", "warn")},
    "duties.caseload": {("assign", "warn"), ("assign", "waiver")},
    "duties.lead_certified": {("assign", "waiver")},
    "duties.staffing": {("month", "task")},
    "duties.allowance": {("month", "task")},
    "indicators.first_response": {("clock", "task")},
    "indicators.elder_visit": {("clock", "task"), ("month", "warn")},
    "indicators.incubation": {("quarter", "warn"), ("year", "task")},
    "indicators.satisfaction": {("month", "warn")},
    "process.stage_order": {("complete", "block"), ("complete", "waiver")},
    "process.consent_unsigned": {("start", "block")},
    "process.deadline": {("clock", "task")},
    "process.referral_receipt": {("complete", "block"), ("clock", "task")},
    "discipline.gifts": {("complete", "task")},
    "discipline.change_of_worker": {("assign", "waiver")},
    "discipline.complaint_independence": {("assign", "block"), ("open", "block"), ("clock", "task")},
    "image.appearance": {("complete", "warn")},
    "image.sampling": {("month", "task")},
    "ethics.recusal": {("assign", "block")},
    "ethics.dual_relations": {("assign", "waiver"), ("clock", "task"), ("year", "task")},
    "ethics.need_to_know": {("open", "block"), ("open", "task")},
    "training.continuing_education": {("assign", "waiver"), ("assign", "warn"), ("clock", "task"), ("year", "warn")},
    "training.induction": {("assign", "block"), ("assign", "warn")},
    "training.specialist": {("assign", "waiver")},
    "training.supervision": {("month", "task")},
    "training.privacy": {("assign", "warn"), ("clock", "task"), ("year", "task")},
    "safety.record_check": {("assign", "block"), ("assign", "warn"), ("clock", "task"), ("year", "task")},
    "safety.insurance": {("start", "block"), ("clock", "task")},
    "safety.premises": {("month", "task"), ("year", "task"), ("clock", "task")},
}


def without(key: str, row: str) -> Regulation:
    """A regulation without one of its rows."""
    tree = etree.fromstring((DIRECTORY / f"{key}.dmn").read_bytes())
    (element,) = tree.xpath("//d:rule[@id=$row]", namespaces={"d": MODEL}, row=row)
    element.getparent().remove(element)
    return compile_regulation(etree.tostring(tree))


def test_part_b_is_complete():
    assert {table.key: set(table.rules) for table in TABLES} == {key: set().union(*lines.values()) for key, lines in PART_B.items()}
    assert [len(lines) for lines in PART_B.values()] == [6, 6, 6, 4, 4, 5, 5, 6]


@pytest.mark.parametrize("rule", EFFECTS)
def test_a_rule_is_checked_where_it_should_be(rule):
    results = [result for found in RESULTS.values() for result in found if result.example.rule == rule and result.got]
    assert {(result.example.point, result.verdict.effect) for result in results} == EFFECTS[rule]


@pytest.mark.parametrize("key", EXAMPLES)
def test_every_example_holds_and_every_row_has_one(key):
    assert [finding.message for finding in regulation_examples.failures(RESULTS[key])] == []
    assert not regulation_examples.uncovered(TABLES[key], RESULTS[key])


@pytest.mark.parametrize(("key", "row"), ROWS, ids=[row for _, row in ROWS])
def test_without_a_row_an_example_fails(key, row):
    results = regulation_examples.run(without(key, row), EXAMPLES[key])
    failed = regulation_examples.failures(results, f"{key}.examples.yaml")
    assert failed and {finding.element for finding in failed} == {TABLES[key].rule_of(row)}
    assert all(finding.code == "example_failed" and finding.line and finding.file for finding in failed)


@pytest.mark.parametrize(("key", "row"), ROWS, ids=[row for _, row in ROWS])
def test_each_row_names_its_source_and_speaks_both_languages(key, row):
    result = next(result for result in RESULTS[key] if result.rows == (row,))
    verdict = result.verdict
    assert all((verdict.message, verdict.message_en, verdict.hint, verdict.hint_en, verdict.source))
    assert verdict.message.endswith("。") and verdict.message_en.endswith(".")
    assert TABLES[key].decision.rule(row).annotations[0].startswith(verdict.source)
    assert (verdict.effect == "waiver") == bool(verdict.waivable_by)
    assert verdict.notify in ((None, *NOTIFIED) if verdict.effect == "task" else (None,))


def test_examples_count_by_parameters_that_exist():
    for key, examples in EXAMPLES.items():
        for example in examples:
            assert example.name_en, example.name
            assert example.facts.get("parameters", {}).keys() <= PARAMETERS.keys(), key


def test_names_of_examples_are_told_apart():
    for examples in EXAMPLES.values():
        assert len({example.name for example in examples}) == len({example.name_en for example in examples}) == len(examples)


def test_no_facts_no_verdict():
    """A procedure without stages and tags, at a county that keeps no register, is none of the regulations' business."""
    for point in POINTS:
        assert check(TABLES, point, {}, regulation_examples.NOW) == []
        assert check(TABLES, point, {"parameters": PARAMETERS}, regulation_examples.NOW) == []
