"""The small parts: scopes of variables, joins, names, findings."""

from decimal import Decimal
from types import SimpleNamespace

import pytest

from engine import feel
from engine.findings import MOST
from engine.workflow import compile_process, unknown_names
from engine.workflow.faults import FAULTS, FIELDS
from engine.workflow.formula import CYCLE, Environment, Formula
from engine.workflow.report import Report
from engine.workflow.variables import Sight, Variables, nested, propagate, visible
from tests.bpmn.builder import Diagram
from tests.bpmn.harness import NOW


def scopes(**own: dict):
    """Tokens 1 (the case) ← 2 ← 3 …, each with its variables."""
    tokens = {}
    for number, given in enumerate(own.values(), 1):
        made = SimpleNamespace(id=number, parent=number - 1 or None, is_loop=False, variables=Variables())
        for name, value in given.items():
            made.variables[name] = value
        tokens[number] = made
    return tokens


def test_inner_variables_hide_outer_ones():
    tokens = scopes(case={"a": "outer", "b": "b"}, inner={"a": "inner"})
    assert visible(tokens, tokens[2]) == {"a": "inner", "b": "b"}
    assert visible(tokens, tokens[1]) == {"a": "outer", "b": "b"}


def test_writes_go_to_the_nearest_that_has_the_name():
    tokens = scopes(case={"a": 0 == 1, "c": None}, middle={"a": None}, inner={"b": None})
    propagate(tokens, tokens[3], {"a": "x", "b": "y", "c": "z", "new": "n"})
    assert [token.variables.as_dict() for token in tokens.values()] == [
        {"a": False, "c": "z", "new": "n"},
        {"a": "x"},
        {"b": "y"},
    ]


def test_values_are_kept_exactly():
    kept = Variables()
    kept["n"] = Decimal("0.10")
    again = Variables(kept.stored())
    assert again["n"] == Decimal("0.10")
    assert list(again) == ["n"] and "n" in again


def test_sight_remembers_what_was_read():
    sight = Sight([Variables({"a": 1}), Variables({"a": 2, "b": 3})], {"parameters": {}})
    assert (sight["a"], sight["parameters"], sight.get("missing")) == (1, {}, None)
    assert sight.read == {"a": 1}
    assert sorted(sight) == ["a", "b", "parameters"] and len(sight) == 3


@pytest.mark.parametrize(
    ("old", "path", "made"),
    [(None, (), 1), ({"x": 0}, ("y",), {"x": 0, "y": 1}), ("text", ("a", "b"), {"a": {"b": 1}}), ({"a": {"c": 2}}, ("a", "b"), {"a": {"c": 2, "b": 1}})],
)
def test_paths(old, path, made):
    kept = repr(old)
    assert nested(old, path, 1) == made
    assert repr(old) == kept


def test_text_is_text_and_equals_is_feel():
    env = Environment(now=NOW)
    assert Formula.read(" plain ").evaluate({}, env) == "plain"
    assert Formula.read("= 1 + 1").evaluate({}, env) == 2
    assert Formula.read("=now()").evaluate({}, env) == NOW
    assert Formula.read("=working days after(now(), 3)", {"working days after"}).is_calendar_based
    assert not Formula.read("=now()").is_calendar_based


@pytest.mark.parametrize(
    ("call", "text"),
    [('cycle(3, duration("PT1H"))', "R3/PT1H"), ('cycle(duration("P1M"))', "R/P1M"), ('cycle(interval: duration("PT1H"), repetitions: 2)', "R2/PT1H")],
)
def test_camundas_cycle(call, text):
    assert feel.compile(call, names=["cycle"]).evaluate({"cycle": CYCLE}) == text


def test_every_fault_speaks_two_languages():
    for code, (chinese, english) in FAULTS.items():
        assert chinese and english.isascii(), code
    assert all(chinese and english.isascii() for chinese, english in FIELDS.values())


def test_findings_are_bounded_and_told_once():
    report = Report()
    for number in range(2 * MOST):
        report.add("no_form", f"u{number % 300}")
        report.add("no_start", f"s{number}")
    assert len(report.findings) == 2 * MOST  # so many faults, so many remarks
    assert report.refused


def test_text_of_an_author_is_no_template():
    report = Report()
    report.add("dangling_reference", "{x}", name="{0} {name.__class__} %s")
    assert "{0} {name.__class__} %s" in report.findings[0].message


def test_names_nobody_writes():
    made = Diagram("names")
    made.add("startEvent", "start")
    made.user("ask", '<zeebe:assignmentDefinition candidateGroups="=groups_for(place)"/>')
    made.script("sum", "total", "amount + fee")
    made.add("endEvent", "end")
    made.path("start", "ask", "sum", "end")
    found = unknown_names(compile_process(made.xml()), {"amount", "place"})
    assert [(f.element, f.severity) for f in found] == [("ask", "warning"), ("sum", "warning")]
    assert ["groups_for" in found[0].message, "fee" in found[1].message] == [True, True]
