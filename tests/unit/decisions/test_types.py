"""Item definitions: components, collections, allowed values, constraints, functions; and conversions (10.3.2.9)."""

from datetime import date
from decimal import Decimal

import pytest

from engine.decisions import compile_decisions, decide
from engine.exceptions import DecisionFailed
from tests.support.tables import data, file, kind, knowledge, literal, requires

D = Decimal
PERSON = kind("tPerson", components=kind("name", "string") + kind("born on", "date") + kind("hours", "number", collection=True))
LEVEL = kind("tLevel", "string", '"low", "high"')
PIECES = [
    PERSON,
    LEVEL,
    kind("tNumbers", "number", collection=True),
    kind("tLevels", "string", '"low", "high"', collection=True),
    kind("tTen", "number", constraint="[1..10]"),
    kind("tFew", "number", collection=True, constraint="count(?) < 3"),
    kind("tSmall", "tTen", "< 5"),
    kind("tPeople", "tPerson", collection=True),
    kind("tFunction", "").replace("<typeRef></typeRef>", '<functionItem outputTypeRef="number"><parameters name="a"/></functionItem>'),
]


def as_type(name, value):
    """What becomes of a host's value of that declared type."""
    return decide(file(*PIECES, data("x", name), literal("x", "d", before=requires(data=("x",)))), "d", {"x": value})["result"]


def as_result(name, text):
    """What becomes of a FEEL value as the result of that type."""
    return decide(file(*PIECES, literal(text, "d", name)), "d", {})["result"]


MOMENT = "2015-12-24T12:15:00-01:00"


@pytest.mark.parametrize(
    ("name", "given", "got"),
    [
        ("string", "a", "a"), ("string", 1, None), ("number", 1, 1), ("number", "1", None), ("boolean", True, True), ("boolean", 1, None),
        ("date", "2026-02-17", "2026-02-17"), ("dateTime", MOMENT, MOMENT), ("date and time", MOMENT, MOMENT),
        ("date", "-0044-03-15", "-0044-03-15"), ("date", "12026-02-17", "12026-02-17"),
        ("time", "13:20:00-05:00", "13:20:00-05:00"), ("dayTimeDuration", "P1DT2H", "P1DT2H"),
        ("yearMonthDuration", "P14M", "P1Y2M"), ("years and months duration", "P2Y", "P2Y"), ("Any", [1, "a"], [1, "a"]),
        ("tNumbers", [1, 2], [1, 2]), ("tNumbers", 1, [1]), ("tNumbers", [1, "a"], None), ("tNumbers", [], []), ("number", [1], 1),
        ("tLevel", "low", "low"), ("tLevel", "none", None), ("tLevel", None, None), ("tLevels", ["low", "high"], ["low", "high"]),
        ("tLevels", ["low", "none"], None), ("tTen", 10, 10), ("tTen", 11, None), ("tFew", [1, 2], [1, 2]), ("tFew", [1, 2, 3], None),
        ("tSmall", 4, 4), ("tSmall", 6, None), ("tSmall", 0, None),
        ("tPerson", {"name": "a", "born on": "1950-02-03", "hours": [1]}, {"name": "a", "born on": "1950-02-03", "hours": [1]}),
        ("tPerson", {"name": "a"}, {"name": "a", "born on": None, "hours": None}),
        ("tPerson", {"name": 1, "born on": None, "hours": []}, None), ("tPerson", "a", None),
        ("tPeople", [{"name": "a"}], [{"name": "a", "born on": None, "hours": None}]),
    ],
)  # fmt: skip
def test_what_a_host_gives_is_read_as_its_type(name, given, got):
    assert as_type(name, given) == got


@pytest.mark.parametrize(
    ("name", "text", "got"),
    [
        ("number", "[10]", 10), ("tNumbers", "10", [10]), ("string", "10", None), ("tNumbers", '["a"]', None),
        ("dateTime", 'date("2000-01-02")', "2000-01-02T00:00:00Z"), ("date", 'date and time("2000-01-02T10:00:00")', None),
        ("dateTime", 'date("12000-01-02")', "12000-01-02T00:00:00Z"),
        ("tLevel", '"low"', "low"), ("tLevel", '"none"', None), ("tTen", "11", None),
        ("tPerson", '{name: "a", born on: date("1950-02-03"), hours: [], more: 1}', {"name": "a", "born on": "1950-02-03", "hours": [], "more": 1}),
        ("tPerson", '{name: "a"}', None), ("tFunction", "function(a, b) a", None),
    ],
)  # fmt: skip
def test_results_are_converted_to_their_type(name, text, got):
    assert as_result(name, text) == got


def test_a_text_that_is_no_date_is_the_hosts_mistake():
    with pytest.raises(DecisionFailed):
        as_type("date", "yesterday")


def test_dates_inside_contexts_are_dates():
    xml = file(*PIECES, data("P", "tPeople"), literal('P[1].born on + duration("P1D")', "d", "date", before=requires(data=("P",))))
    assert decide(xml, "d", {"P": [{"name": "a", "born on": "1950-02-28"}]})["result"] == "1950-03-01"
    deployed = compile_decisions(xml).find()
    assert deployed.decide({"P": [{"born on": "1950-02-28"}]}).result == date(1950, 3, 1)


def test_a_deployed_decision_says_what_does_not_fit():
    deployed = compile_decisions(file(LEVEL, literal("x", "d", "tLevel"))).find()
    assert deployed.decide({"x": "low"}).result == "low"
    with pytest.raises(DecisionFailed, match="不在允许的范围内") as failed:
        deployed.decide({"x": "none"})
    assert failed.value.facts["fault"] == "not_allowed"


def test_function_types_say_what_a_model_gives():
    model = knowledge("f", "a", "a", "tFunction")
    call = literal('[f(1), f("x")]', "d", before=requires(functions=("f",)))
    assert decide(file(*PIECES, model, call), "d", {})["result"] == [1, None]
