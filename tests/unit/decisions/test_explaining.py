"""`decide` for the command line: every version read, plain JSON in and out, and why it came out so."""

from datetime import UTC, datetime
from decimal import Decimal

import pytest

from engine.decisions import compile_decisions, decide
from engine.exceptions import DecisionFailed, DeployRefused
from tests.support.tables import MODEL, data, file, knowledge, literal, requires, table
from webapp.cli.explained import told

AGE, FEE = [("age", "number")], [("fee", "number")]
TABLE = table(
    [("age", "number"), ("place", "string")], FEE, [("> 60", '"north"', "1"), ("-", '"south"', "2")], before=requires(data=("age",))
)


@pytest.mark.parametrize(
    ("model", "feel", "prefix"),
    [
        ("http://www.omg.org/spec/DMN/20151101/dmn.xsd", "http://www.omg.org/spec/FEEL/20140401", "feel:"),
        ("http://www.omg.org/spec/DMN/20180521/MODEL/", "http://www.omg.org/spec/DMN/20180521/FEEL/", ""),
        ("https://www.omg.org/spec/DMN/20191111/MODEL/", "https://www.omg.org/spec/DMN/20191111/FEEL/", ""),
        ("https://www.omg.org/spec/DMN/20211108/MODEL/", "https://www.omg.org/spec/DMN/20211108/FEEL/", ""),
        ("https://www.omg.org/spec/DMN/20230324/MODEL/", "https://www.omg.org/spec/DMN/20230324/FEEL/", ""),
    ],
)
def test_every_version_is_read(model, feel, prefix):
    attributes = f'expressionLanguage="{feel}" typeLanguage="{feel}" xmlns:feel="{feel}"'
    whole = file(data("age", f"{prefix}number"), TABLE.replace('typeRef="', f'typeRef="{prefix}'), attributes=attributes)
    assert decide(whole.replace(MODEL.encode(), model.encode()), "decision", {"age": 70, "place": "north"})["result"] == 1


def test_plain_json_comes_and_goes():
    born = requires(data=("born",))
    outputs = [("day", "date"), ("text", "string"), ("n", "number")]
    rules = [("> 0.3", "born", 'if born < date("2020-01-01") then "old" else "young"', "sum * 2")]
    xml = file(data("born", "date"), table([("sum", "number")], outputs, rules, before=born))
    answer = decide(xml, "decision", {"sum": Decimal("0.5"), "born": "1950-02-03"})
    assert answer == {"result": {"day": "1950-02-03", "text": "old", "n": 1}, "notes": []}
    with pytest.raises(DecisionFailed):
        decide(xml, None, {"sum": 1, "born": "yesterday"})


def test_the_clock_is_handed_in():
    noon = datetime(2026, 2, 17, 12, tzinfo=UTC)
    assert decide(file(literal("string(today())")), None, {}, noon)["result"] == "2026-02-17"


@pytest.mark.parametrize(
    ("hit", "aggregation", "cells", "given", "answer", "code"),
    [
        ("UNIQUE", None, [("> 1", "1"), ("> 2", "2")], 3, None, "several_rules"),
        ("UNIQUE", None, [("> 1", "1"), ("> 2", "2")], 0, None, "no_rule"),
        ("ANY", None, [("> 1", "1"), ("> 2", "2")], 3, None, "rules_differ"),
        ("UNIQUE", None, [("-", '"x"')], 3, None, "wrong_type"),
        ("UNIQUE", None, [("-", "age")], 3, None, "not_allowed"),
        ("COLLECT", None, [("> 1", "1")], 0, [], None),
        ("COLLECT", "COUNT", [("> 1", "1")], 0, 0, None),
        ("COLLECT", "SUM", [("> 1", "1")], 0, None, None),
    ],
)
def test_null_has_a_reason(hit, aggregation, cells, given, answer, code):
    xml = file(
        data("age", "number"),
        table(AGE, [("fee", "number", "1, 2")], cells, hit=hit, aggregation=aggregation, before=requires(data=("age",))),
    )
    found = decide(xml, "decision", {"age": given})
    assert (found["result"], [note["code"] for note in found["notes"]]) == (answer, [code] if code else [])


def test_what_is_wrong_elsewhere_in_the_file_stops_nobody():
    java = knowledge("f", "x", "1").replace("Logic>", 'Logic kind="Java">', 1)
    xml = file(java, literal("1", "good"), literal("f(1)", "bad", before=requires(functions=("f",))), literal("if", "worse"))
    assert decide(xml, "good", {})["result"] == 1
    for name, code in (("bad", "dmn_function"), ("f", "dmn_function"), ("worse", "feel_syntax_error")):
        with pytest.raises(DeployRefused) as error:
            decide(xml, name, {})
        assert error.value.findings[0].code == code
    with pytest.raises(DeployRefused):
        compile_decisions(xml)


def test_an_explanation_shows_which_rows_matched_and_why_the_others_did_not():
    top = literal("decision * 2", "top", before=requires("decision"))
    explained = decide(file(data("age", "number"), TABLE, top), "top", {"age": 50, "place": "south"}, explain=True)
    first, second = explained["decisions"]
    assert (explained["result"], first["requires"], second["requires"]) == (4, {"age": 50}, {"decision": 2})
    [shown] = first["tables"]
    assert shown["inputs"][1] == {"label": "input 2", "expression": "place", "value": "south"}
    assert shown["rules"] == [
        {"rule": "r1", "row": 1, "matched": False, "note": "note 1", "failed": [
            {"input": "input 1", "cell": "> 60", "value": 50}, {"input": "input 2", "cell": '"north"', "value": "south"},
        ]},
        {"rule": "r2", "row": 2, "matched": True, "note": "note 2"},
    ]  # fmt: skip
    assert "\n".join(told(explained)) == (
        """\
决策 · decision: decision
  age = 50
  表 · table: 命中策略 · hit policy U
    input 1 (age) = 50
    input 2 (place) = "south"
    ✗ 第 1 行 · row 1 (r1) — note 1
        input 1: 50 不满足 · does not satisfy  > 60
        input 2: "south" 不满足 · does not satisfy  "north"
    ✓ 第 2 行 · row 2 (r2) — note 2
  → 2

决策 · decision: top
  decision = 2
  → 4

结果 · result: 4"""
    )


def test_tables_inside_functions_are_explained_where_they_are_called():
    inside = TABLE[TABLE.index("<decisionTable") : TABLE.index("</decision>")]
    model = knowledge("rate", "age, place", inside)
    calls = literal('[rate(70, "north"), rate(1, "west")]', "top", before=requires(functions=("rate",)))
    explained = decide(file(model, calls), "top", {}, explain=True)
    [top] = explained["decisions"]
    assert [(one["in"], one["matched"]) for one in top["tables"]] == [("rate", ["r1"]), ("rate", [])]
    assert explained["notes"] == [{"decision": "rate", "code": "no_rule", "reason": "没有一行命中，也没有默认结果"}]
    assert "注意 · note: rate" in "\n".join(told(explained))


def test_a_deployed_decision_explains_what_stops_it():
    decision = compile_decisions(file(table(AGE, FEE, [("> 1", "1"), ("> 2", "2")]))).find()
    explained = decision.explain({"age": Decimal(3)})
    assert (explained["result"], explained["notes"][0]["matched"]) == (None, ["r1", "r2"])
    with pytest.raises(DecisionFailed):
        decision.decide({"age": Decimal(3)})


def test_a_table_in_a_loop_is_explained_a_bounded_number_of_times():
    inside = TABLE[TABLE.index("<decisionTable") : TABLE.index("</decision>")]
    calls = literal('for n in 1..500 return rate(n, "north")', "top", before=requires(functions=("rate",)))
    explained = decide(file(knowledge("rate", "age, place", inside), calls), "top", {}, explain=True)
    assert (len(explained["result"]), len(explained["decisions"][0]["tables"])) == (500, 100)
