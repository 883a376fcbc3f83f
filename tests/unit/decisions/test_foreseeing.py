"""Remarks on tables before they decide: rows that overlap under UNIQUE, and what no row answers."""

from decimal import Decimal

import pytest
from hypothesis import given, strategies as st

from engine.decisions import compile_decisions
from engine.exceptions import DecisionFailed
from tests.support.tables import file, knowledge, literal, table

AGE, FEE = [("age", "number")], [("fee", "number")]
PLACE = ("place", "string", '"north", "south"')


def remarks(*arguments, **options):
    """(code, element, message) of every finding, all of them warnings."""
    found = compile_decisions(file(table(*arguments, **options))).findings
    assert all(finding.severity == "warning" for finding in found)
    return [(finding.code, finding.element, finding.message_en) for finding in found]


def test_overlapping_rows_are_named_with_an_example():
    [overlap] = remarks(AGE, FEE, [("<= 30", "1"), ("[30..60]", "2"), ("> 60", "3")])
    assert overlap == ("dmn_overlap", "r2", "The hit policy is UNIQUE, but rows 1 and 2 overlap, for example at input 1 = 30")


def test_rows_overlap_only_where_they_do_in_every_column():
    rows = [("<= 30", '"north"', "1"), ("<= 30", '"south"', "2"), ("> 30", "-", "3")]
    assert remarks([*AGE, PLACE], FEE, rows) == []
    assert remarks([*AGE, PLACE], FEE, [*rows, ("> 90", '"south"', "4")])[0][1:] == (
        "r4",
        'The hit policy is UNIQUE, but rows 3 and 4 overlap, for example at input 1 = 91, input 2 = "south"',
    )


@pytest.mark.parametrize(
    ("inputs", "rows", "example"),
    [
        (AGE, [("< 5", "1"), ("> 5", "2")], "input 1 = 5"),
        ([*AGE, PLACE], [("<= 30", "-", "1"), ("> 30", '"north"', "2")], 'input 1 = 31, input 2 = "south"'),
        ([("x", "boolean")], [("true", "1")], "input 1 = false"),
        ([("x", "date")], [('< date("2026-02-01")', "1"), ('> @"2026-02-01"', "2")], 'input 1 = "2026-02-01"'),
        ([("x", "string")], [('"a"', "1")], "input 1 = …"),
        (AGE, [], "–"),
    ],
)
def test_what_no_row_answers_is_said(inputs, rows, example):
    message = f"No row answers {example}: the result is null. Add a row or a default output"
    assert remarks(inputs, FEE, rows) == [("dmn_gap", "decision_table", message)]


@pytest.mark.parametrize(
    ("inputs", "rows", "options"),
    [
        (AGE, [("<= 5", "1"), (">= 6", "2")], {}),  # 5.5 is an age, but nobody means it
        ([("age", "number", "[0..120]")], [("[0..60)", "1"), ("[60..120]", "2")], {}),
        ([PLACE], [('"north"', "1"), ('"south"', "2")], {}),
        (AGE, [("> 5", "1"), ("> 3", "2")], {"hit": "COLLECT"}),
        (AGE, [("? > 5", "1"), ("? > 3", "2")], {}),  # nobody knows what an expression accepts
        ([], [("1",)], {}),
    ],
)
def test_nothing_is_said_of_what_is_right_or_unknown(inputs, rows, options):
    assert remarks(inputs, FEE, rows, **options) == []


def test_tables_in_knowledge_models_are_looked_at_too():
    whole = table(AGE, FEE, [("> 1", "1"), ("> 2", "2"), ("<= 1", "3")])
    inside = whole[whole.index("<decisionTable") : whole.index("</decision>")]
    [finding] = compile_decisions(file(knowledge("f", "age", inside), literal("1", "d"))).findings
    assert (finding.code, finding.element) == ("dmn_overlap", "r2")


CELLS = ["-", "1", "> 1", "< 1", "[1..3]", "(1..3)", "<= 1, > 2", "2, 3", "< 3", ">= 3"]
TEXTS = ["-", '"a"', '"a", "b"', 'not("a")', 'not("b")', '"c"']


@given(st.lists(st.tuples(st.sampled_from(CELLS), st.sampled_from(TEXTS), st.just("1")), max_size=6))
def test_a_table_fails_where_it_was_said_to_and_nowhere_else(rows):
    decision = (found := compile_decisions(file(table([("n", "number"), ("s", "string")], FEE, rows)))).find()
    codes = {finding.code for finding in found.findings}
    seen = set()
    for number in range(-1, 6):
        for text in ("a", "b", "c", "other"):
            try:
                matched = decision.decide({"n": Decimal(number), "s": text}).matched
                seen |= set() if matched else {"dmn_gap"}
            except DecisionFailed:
                seen.add("dmn_overlap")
    assert seen == codes
