"""Decision tables: hit policies, aggregators, unary tests, types, requirements, and everything that is refused at deployment."""

import time
from datetime import UTC, date, datetime
from decimal import Decimal
from functools import cache

import pytest
from hypothesis import given, strategies as st

from engine import feel
from engine.decisions import compile_decisions, decide
from engine.exceptions import DecisionFailed, DeployRefused, NotFound
from tests.support.tables import file, literal, requires, table

D = Decimal


def compiled(*arguments, **options):
    return compile_decisions(file(table(*arguments, **options))).find()


def refused(xml: bytes):
    with pytest.raises(DeployRefused) as error:
        compile_decisions(xml, "rules.dmn")
    return [(finding.code, finding.element) for finding in error.value.findings]


# --- hit policies ------------------------------------------------------------------------------------------------------------

AGE = [("age", "number")]
FEE = [("fee", "number")]
# 10: one row; 30: two rows that differ; 70: two rows that agree; 100: none
ROWS = [("<= 30", "1"), ("[30..60]", "2"), ("(60..90]", "3"), ("[70..80]", "3")]


def by(hit, aggregation=None, outputs=FEE, rules=ROWS):
    return compiled(AGE, outputs, rules, hit=hit, aggregation=aggregation)


@pytest.mark.parametrize(
    ("hit", "aggregation", "age", "result", "matched"),
    [
        ("UNIQUE", None, 10, D(1), ["r1"]),
        ("UNIQUE", None, 100, None, []),
        ("ANY", None, 10, D(1), ["r1"]),
        ("ANY", None, 70, D(3), ["r3", "r4"]),
        ("ANY", None, 100, None, []),
        ("FIRST", None, 30, D(1), ["r1", "r2"]),
        ("FIRST", None, 65, D(3), ["r3"]),
        ("FIRST", None, 100, None, []),
        ("RULE ORDER", None, 30, [D(1), D(2)], ["r1", "r2"]),
        ("RULE ORDER", None, 10, [D(1)], ["r1"]),
        ("RULE ORDER", None, 100, None, []),
        ("COLLECT", None, 70, [D(3), D(3)], ["r3", "r4"]),
        ("COLLECT", None, 100, None, []),
        ("COLLECT", "SUM", 30, D(3), ["r1", "r2"]),
        ("COLLECT", "SUM", 100, None, []),
        ("COLLECT", "MIN", 30, D(1), ["r1", "r2"]),
        ("COLLECT", "MAX", 30, D(2), ["r1", "r2"]),
        ("COLLECT", "COUNT", 70, D(2), ["r3", "r4"]),
    ],
)
def test_hit_policy(hit, aggregation, age, result, matched):
    outcome = by(hit, aggregation).decide({"age": D(age)})
    assert (outcome.result, outcome.matched, outcome.inputs) == (result, matched, [D(age)])


def test_unique_with_two_matches_fails_and_names_them():
    with pytest.raises(DecisionFailed, match="r1、r2") as failed:
        by("UNIQUE").decide({"age": D(30)})
    assert failed.value.facts["matched"] == ["r1", "r2"]


def test_any_with_different_results_fails():
    with pytest.raises(DecisionFailed, match="ANY"):
        by("ANY").decide({"age": D(30)})


def test_any_compares_as_feel_does():
    """Python says that True == 1."""
    table_ = compiled(AGE, [("fee", "")], [("-", "1"), ("-", "true")], hit="ANY")
    with pytest.raises(DecisionFailed):
        table_.decide({"age": D(1)})


def test_several_outputs_make_a_context():
    outputs = [("level", "string"), ("days", "number")]
    rules = [("< 60", '"low"', "90"), (">= 60", '"high"', "")]
    assert compiled(AGE, outputs, rules).decide({"age": D(5)}).result == {"level": "low", "days": D(90)}
    assert compiled(AGE, outputs, rules).decide({"age": D(60)}).result == {"level": "high", "days": None}
    rows = compiled(AGE, outputs, [("-", '"low"', "1"), ("-", '"high"', "2")], hit="COLLECT").decide({"age": D(5)}).result
    assert rows == [{"level": "low", "days": D(1)}, {"level": "high", "days": D(2)}]


def test_sum_of_what_is_no_number_fails():
    with pytest.raises(DecisionFailed, match="SUM"):
        by("COLLECT", "SUM", [("fee", "")], [("-", '"a"'), ("-", "1")]).decide({"age": D(1)})


def test_sums_are_exact():
    rules = [("-", "0.1"), ("-", "0.2")]
    assert by("COLLECT", "SUM", rules=rules).decide({"age": D(1)}).result == D("0.3")


def test_a_table_without_inputs_always_matches():
    assert compiled([], FEE, [("7",)]).decide({}).result == D(7)


def test_output_cells_are_expressions():
    table_ = compiled(AGE, [("fee", "number")], [("> 0", "age * rate + 1")])
    assert table_.decide({"age": D(10), "rate": D("0.5")}).result == D(6)
    assert table_.names == {"age", "rate"}


# --- cells ---------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("cell", "kind", "passing", "failing"),
    [
        ("-", "", [None, D(1), "x", True], []),
        ("", "", [None, D(1)], []),
        ('"低","中"', "string", ["低", "中"], ["高", None, ""]),
        ('not("低","中")', "string", ["高"], ["低"]),
        ("5", "number", [D(5), D("5.0")], [D(4), None]),
        ("-5, 7.50", "number", [D(-5), D("7.5")], [D(5)]),
        ("> 5", "number", [D(6)], [D(5), None]),
        ("< 0, > 5", "number", [D(-1), D(6)], [D(3)]),
        ("[1..5]", "number", [D(1), D(5)], [D(0), D(6)]),
        ("]1..5[", "number", [D(2)], [D(1), D(5)]),
        ("true", "boolean", [True], [False, None]),
        ("false", "boolean", [False], [True, None]),
        ("null", "", [None], [D(1), "x"]),
        ('"a", null', "", ["a", None], ["b"]),
        ("? > limit", "number", [D(11)], [D(10)]),
        ("limit", "number", [D(10)], [D(11)]),
        ('starts with(?, "张")', "string", ["张三"], ["李四", None]),
        ('list contains(?, "plan")', "", [["plan", "x"]], [["x"], [], None]),
        ('date("2026-02-17")', "date", [date(2026, 2, 17), "2026-02-17"], [date(2026, 2, 18), None]),
        ('< date("2026-02-17")', "date", [date(2026, 2, 16)], [date(2026, 2, 17)]),
        ('"multi\nline"', "string", ["multi\nline"], ["multi"]),
        (r'"a\"b"', "string", ['a"b'], ["a"]),
        ("1 < ? and ? <= 5", "number", [D(2)], [D(1), D(6)]),
    ],
)
def test_cells(cell, kind, passing, failing):
    one = compiled([("x", kind)], FEE, [(cell, "1")])
    for value, matched in [*((value, ["r1"]) for value in passing), *((value, []) for value in failing)]:
        assert one.decide({"x": value, "limit": D(10)}).matched == matched, value


def test_the_clock_is_handed_in():
    one = compiled([("day", "date")], FEE, [("< today()", "1")])
    noon = datetime(2026, 2, 17, 12, tzinfo=UTC)
    assert one.decide({"day": date(2026, 2, 16)}, noon).matched == ["r1"]
    assert one.decide({"day": date(2026, 2, 17)}, noon).matched == []


# --- types and allowed values --------------------------------------------------------------------------------------------------


def test_inputs_are_converted_to_their_type():
    one = compiled([("day", "date")], [("due", "date")], [('>= date("2026-01-01")', '"2026-03-01"')])
    outcome = one.decide({"day": "2026-02-17"})
    assert (outcome.inputs, outcome.result) == ([date(2026, 2, 17)], date(2026, 3, 1))


@pytest.mark.parametrize(
    ("inputs", "outputs", "rule", "context", "reason"),
    [
        ([("x", "number")], FEE, ("-", "1"), {"x": "many"}, "输入“input 1”的值不能转换"),
        ([("x", "string", '"a","b"')], FEE, ("-", "1"), {"x": "c"}, "输入“input 1”的值不在允许的范围内"),
        ([("x", "")], [("y", "number", "[1..5]")], ("-", "x"), {"x": D(6)}, "结果“y”的值不在允许的范围内"),
        ([("x", "")], [("y", "number")], ("-", "x"), {"x": "many"}, "结果“y”的值不能转换"),
    ],
)
def test_wrong_values_fail_and_say_where(inputs, outputs, rule, context, reason):
    with pytest.raises(DecisionFailed, match=reason) as failed:
        compiled(inputs, outputs, [rule]).decide(context)
    assert "many" not in failed.value.message


def test_a_lazy_decision_leaves_out_what_does_not_matter():
    one = compiled([("x", "number"), ("y", "number")], FEE, [("1", "-", "1"), ("2", "> 0", "2")])
    assert one.decide({"x": D(1), "y": "wrong"}, lazy=True).inputs == [D(1), None]
    assert one.decide({"x": D(2), "y": D(5)}, lazy=True).inputs == [D(2), D(5)]
    with pytest.raises(DecisionFailed):
        one.decide({"x": D(1), "y": "wrong"})


def test_null_is_no_wrong_value():
    one = compiled([("x", "string", '"a"')], [("y", "string", '"b"')], [("-", "null")])
    assert one.decide({}).result is None and one.decide({}).matched == ["r1"]


def test_a_constant_result_of_the_wrong_type_is_found_at_deployment():
    assert refused(file(table(AGE, FEE, [("-", '"many"')]))) == [("decision_failed", "r1c2")]
    assert refused(file(table(AGE, [("y", "string", '"a"')], [("-", '"b"')]))) == [("decision_failed", "r1c2")]


# --- against a naive interpreter -------------------------------------------------------------------------------------------------

CELLS = [
    "-", "", '"a"', '"a","b"', 'not("a")', "1", "1,2", "> 1", "[1..3]", "(1..3)", "not(2)", "true", "false", "null", "? = y", "y",
    '"b",null', 'list contains(?, "a")', "? != null", "-1.0", '"a", 2', "<= 1, >2", "]0..2[", "[2..1]", "[1..1]", "(1..1]",
    "< 2, [2 .. 3], 1", ">=-1.0", '"", "b"', "[null..2]",
]  # fmt: skip
RESULTS = ["1", "2", "2.0", "x", "y", '"a"', "true", "null", "[1]", ""]
values = st.sampled_from([None, True, False, D(0), D(1), D("1.0"), D(2), D(3), D(-1), "a", "b", "", ["a"], [], [D(1)], {"a": D(1)}])
compiled_tests = cache(feel.compile_unary_tests)
value_of = cache(feel.compile)


def naive(hit, aggregation, width, rules, context):
    """Reading the table row by row, cell by cell, with FEEL alone."""
    inputs = [context["xyz"[column]] for column in range(width)]
    hits = [
        (f"r{row}", value_of(rule[-1]).evaluate(context) if rule[-1] else None)
        for row, rule in enumerate(rules, 1)
        if all(not cell or compiled_tests(cell).test(value, context) for cell, value in zip(rule, inputs, strict=False))
    ]
    rows = [value for _, value in hits]
    same = [feel.is_true(value_of("a = b").evaluate({"a": rows[0], "b": row})) for row in rows]
    if not rows:
        result = None
    elif hit == "UNIQUE":
        result = rows[0] if len(rows) == 1 else "fails"
    elif hit == "ANY":
        result = rows[0] if all(same) else "fails"
    elif hit == "FIRST":
        result = rows[0]
    elif aggregation:
        result = value_of(f"{aggregation.lower()}(v)").evaluate({"v": rows})
        result = "fails" if result is None else result
    else:
        result = rows
    return result, [ident for ident, _ in hits]


@given(st.data())
def test_tables_answer_what_reading_them_row_by_row_answers(data):
    hit, aggregation = data.draw(
        st.sampled_from(
            [("UNIQUE", None), ("ANY", None), ("FIRST", None), ("RULE ORDER", None), ("COLLECT", None)]
            + [("COLLECT", one) for one in ("SUM", "MIN", "MAX", "COUNT")]
        )
    )
    width = data.draw(st.integers(0, 3))
    cell, result = st.sampled_from(CELLS), st.sampled_from(RESULTS)
    rules = data.draw(st.lists(st.tuples(*[cell] * width, result), max_size=6))
    table_ = compiled([(name, "") for name in "xyz"[:width]], [("o", "")], rules, hit=hit, aggregation=aggregation)
    for _ in range(4):
        context = {name: data.draw(values) for name in "xyz"}
        expected, matched = naive(hit, aggregation, width, rules, context)
        try:
            outcome = table_.decide(context)
            assert (repr(outcome.result), outcome.matched) == (repr(expected), matched)
            lazy = table_.decide(context, lazy=True)
            assert (repr(lazy.result), lazy.matched) == (repr(expected), matched)
        except DecisionFailed as failed:
            assert expected == "fails" and failed.facts["matched"] == matched
        explained = table_.explain(context)["rules"]
        assert [line["rule"] for line in explained if line["matched"]] == matched


def test_explain_shows_every_cell():
    one = compiled([("x", "number"), ("y", "string")], FEE, [("> 1", '"a"', "1"), ("-", '"b"', "2")])
    assert one.explain({"x": D(2), "y": "b"}) == {
        "inputs": [{"label": "input 1", "value": D(2)}, {"label": "input 2", "value": "b"}],
        "rules": [
            {"rule": "r1", "matched": False, "cells": [True, False]},
            {"rule": "r2", "matched": True, "cells": [True, True]},
        ],
    }


# --- requirements ----------------------------------------------------------------------------------------------------------------


def test_decisions_require_decisions():
    score = literal("age * 2", "score", "number", variable="points")
    level = table([("points", "number")], [("level", "string")], [("< 100", '"low"'), (">= 100", '"high"')], ident="level",
                  before=requires("score", data=("person",)))  # fmt: skip
    top = table([("level", "string"), ("score", "number")], FEE, [('"high"', "> 110", "9"), ("-", "<= 110", "1")], ident="top",
                before=requires("level", "score"))  # fmt: skip
    decisions = compile_decisions(file(top, '<inputData id="person" name="age"/>', level, score))
    decision = decisions.find()
    assert (decision.id, decision.names, list(decisions.decisions)) == ("top", {"age"}, ["top", "level", "score"])
    outcome = decision.decide({"age": D(60)})
    assert (outcome.result, outcome.required["level"].result, outcome.required["level"].matched) == (D(9), "high", ["level_r2"])
    assert decision.explain({"age": D(60)})["rules"][0]["matched"]


def test_a_literal_expression_has_a_type():
    assert compile_decisions(file(literal('"2026-02-17"', kind="date"))).find().decide({}).result == date(2026, 2, 17)
    with pytest.raises(DecisionFailed):
        compile_decisions(file(literal('"soon"', kind="date"))).find().decide({})


def test_find_by_id_or_name():
    decisions = compile_decisions(file(literal("1", "a"), literal("2", "b")))
    assert decisions.find("b").decide({}).result == D(2)
    for name in ("c", None):
        with pytest.raises(NotFound):
            decisions.find(name)


def test_annotations_are_kept():
    assert by("UNIQUE").rule("r2").annotations == ("note 2",)


# --- what is refused ----------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("hit", ["PRIORITY", "OUTPUT ORDER", "BEST"])
def test_other_hit_policies_are_refused(hit):
    assert refused(file(table(AGE, FEE, ROWS, hit=hit))) == [("dmn_hit_policy", "decision_table")]


ONE = table(AGE, FEE, [("-", "1")])


@pytest.mark.parametrize(
    ("xml", "findings"),
    [
        (b"<definitions", [("xml", None)]),
        (b"<x/>", [("dmn_root", None)]),
        (b"", [("xml", None)]),
        (file(ONE).replace(b"20191111", b"20180521"), [("dmn_version", "file")]),
        (file(ONE).replace(b"?>", b'?><!DOCTYPE definitions [<!ENTITY x SYSTEM "file:///etc/passwd">]>', 1), [("doctype", None)]),
        (b"<a>" * 100_000, [("xml", None)]),
        (file(ONE, '<i:include xmlns:i="http://www.w3.org/2001/XInclude" href="/etc/passwd"/>'), [("dmn_unsupported", "file")]),
        (file(), [("dmn_empty", "file")]),
        (file('<decision id="d" name="d"/>'), [("dmn_no_logic", "d")]),
        (file('<decision name="d"/>'), [("dmn_id", "file")]),
        (file(ONE, '<businessKnowledgeModel id="bkm" name="b"/>'), [("dmn_unsupported", "bkm")]),
        (file(ONE, '<decisionService id="s" name="s"/>'), [("dmn_unsupported", "s")]),
        (file(ONE, '<itemDefinition id="t" name="t"/>'), [("dmn_unsupported", "t")]),
        (file(ONE, '<import id="im" namespace="x" locationURI="y" importType="z"/>'), [("dmn_unsupported", "im")]),
        (file('<decision id="d" name="d"><context id="c"/></decision>'), [("dmn_unsupported", "c")]),
        (file('<decision id="d" name="d"><invocation id="c"/></decision>'), [("dmn_unsupported", "c")]),
        (file(literal("1", before='<knowledgeRequirement id="k"/>')), [("dmn_unsupported", "k")]),
        (file(literal("1", before=requires("nobody"))), [("dmn_requirement", "decision")]),
        (file(literal("1", before=requires("x").replace("#x", "other.dmn#x"))), [("dmn_requirement", "decision")]),
        (file(literal("1", "a", before=requires("b")), literal("1", "b", before=requires("a"))), [("dmn_cycle", "a")]),
        (file(literal("1", "a", before=requires("a"))), [("dmn_cycle", "a")]),
        (file(literal("1"), literal("2")), [("duplicate_id", i) for i in ("decision", "decision_v", "decision_l")]),
        (file(table(AGE, FEE, ROWS, aggregation="SUM")), [("dmn_aggregation", "decision_table")]),
        (file(table(AGE, FEE, ROWS, hit="COLLECT", aggregation="MEDIAN")), [("dmn_aggregation", "decision_table")]),
        (
            file(table(AGE, [("a", ""), ("b", "")], [], hit="COLLECT", aggregation="SUM")),
            [("dmn_aggregation", "decision_table")],
        ),
        (file(table(AGE, [("a", ""), ("a", "")], [])), [("dmn_output_name", "decision_table")]),
        (file(table(AGE, [("", ""), ("a", "")], [])), [("dmn_output_name", "decision_table")]),
        (file(table(AGE, [], [])), [("dmn_shape", "decision_table")]),
        (file(table(AGE, FEE, [("-",)])), [("dmn_shape", "r1")]),
        (file(table([("", "")], FEE, [("-", "1")])), [("dmn_no_input", "decision_i1")]),
        (file(table([("x", "tEmployee")], FEE, [])), [("dmn_type", "decision_ie1")]),
        (file(table(AGE, FEE, [("-", "1" * 2001)])), [("dmn_cell_too_long", "r1c2")]),
        (file(ONE.replace("<text>-", "<text>a<b/>", 1)), [("dmn_unsupported", "r1c1")]),
        (file(ONE.replace('"r1c1"', '"r1c1" expressionLanguage="javascript"')), [("dmn_language", "r1c1")]),
        (file(ONE, attributes='expressionLanguage="groovy"'), [("dmn_language", "file")]),
        (file(ONE.replace("hitPolicy", 'magic="1" hitPolicy')), [("dmn_unsupported", "decision_table")]),
        (
            file(ONE.replace("<input ", '<input c:inputVariable="y" '), attributes='xmlns:c="http://camunda.org/schema/1.0/dmn"'),
            [("dmn_unsupported", "decision_i1")],
        ),
        (file(ONE, '<x:magic xmlns:x="y" id="m"/>'), [("dmn_unsupported", "m")]),
        (file(ONE.replace("</output>", "<defaultOutputEntry><text>1</text></defaultOutputEntry></output>")),
         [("dmn_default", "decision_o1")]),
    ],
)  # fmt: skip
def test_what_is_not_supported_is_refused(xml, findings):
    assert refused(xml) == findings


def test_what_only_documents_is_accepted():
    drawing = '<dmndi:DMNDI xmlns:dmndi="https://www.omg.org/spec/DMN/20191111/DMNDI/"><dmndi:DMNDiagram id="x"/></dmndi:DMNDI>'
    more = '<extensionElements><z:versionTag xmlns:z="http://camunda.org/schema/zeebe/1.0" value="1"/></extensionElements>'
    source = '<knowledgeSource id="law" name="民法典"/><textAnnotation id="n"><text>hello</text></textAnnotation>'
    law = '<authorityRequirement id="ar"><requiredAuthority href="#law"/></authorityRequirement>'
    width = ONE.replace("<decisionTable", f"{law}<decisionTable").replace("<input ", '<input b:width="200" ')
    xml = file(more, source, width, drawing, attributes='xmlns:b="http://bpmn.io/schema/dmn/biodi/2.0" exporter="Camunda Modeler"')
    assert compile_decisions(xml).find().decide({"age": D(1)}).result == D(1)


def test_feel_errors_have_file_element_line_and_column():
    with pytest.raises(DeployRefused) as error:
        compile_decisions(file(table(AGE, FEE, [("> 1", "1"), ("> 1 +\n   )", "1"), ("-", "if age")])), "rules.dmn")
    first, second = error.value.findings
    assert (first.code, first.file, first.element, first.line, first.column) == ("feel_syntax_error", "rules.dmn", "r2c1", 2, 4)
    assert second.element == "r3c2" and second.message and second.message_en


@given(st.binary(max_size=300))
def test_any_bytes_are_refused_not_a_crash(xml):
    with pytest.raises(DeployRefused):
        compile_decisions(xml)


# --- the command line, and speed ------------------------------------------------------------------------------------------------------


def test_decide_takes_and_gives_plain_json():
    xml = file(
        '<inputData id="b" name="born"><variable id="bv" name="born" typeRef="date"/></inputData>',
        table([("sum", "number")], [("day", "date"), ("text", "string"), ("n", "number")],
              [('> 0.3', "born", 'if born < date("2020-01-01") then "old" else "young"', "sum * 2")],
              before=requires(data=("b",))),
    )  # fmt: skip
    assert decide(xml, "decision", {"sum": 0.5, "born": "1950-02-03"}) == {"day": "1950-02-03", "text": "old", "n": 1}
    assert decide(xml, None, {"sum": 0.1}) is None
    with pytest.raises(DecisionFailed):
        decide(xml, None, {"sum": 1, "born": "yesterday"})


def big_table():
    kinds = [
        lambda row: f'"k{row % 10}"', lambda row: f"[{row}..{row + 5}]", lambda row: "-",
        lambda row: f"> {row}", lambda row: "true" if row % 2 else "false", lambda row: f'not("z{row % 7}")',
    ]  # fmt: skip
    names = ["a", "b", "c", "d", "e", "f"]
    rules = [(*(cell(row) for cell in kinds), f'"out {row}"') for row in range(50)]
    return compiled([(name, "") for name in names], [("o", "string")], rules, hit="FIRST")


def test_a_large_table_is_fast():
    """50 × 6 in less than 100 µs on an idle machine; the bound here leaves room for a busy one."""
    table_ = big_table()
    context = {"a": "k7", "b": D(28), "c": "x", "d": D(40), "e": True, "f": "q"}
    assert table_.decide(context).matched == ["r28"]
    best = min(_timed(lambda: table_.decide(context)) for _ in range(20))
    assert best < 400e-6


def _timed(work, rounds=50):
    start = time.perf_counter()
    for _ in range(rounds):
        work()
    return (time.perf_counter() - start) / rounds
