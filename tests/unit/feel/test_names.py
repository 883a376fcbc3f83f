"""Which name a text means, and which variables an expression reads."""

from decimal import Decimal

import pytest

from engine import feel
from engine.feel import FeelFunction

READS = [
    ("age >= 60 and risk", {"age", "risk"}),
    ("date(birth).year", {"birth"}),
    ("for x in xs return x + y", {"xs", "y"}),
    ("some x in xs satisfies x > limit", {"xs", "limit"}),
    ("{a: 1, b: a + c}", {"c"}),
    ("function(x) x + y", {"y"}),
    ("a.b.c", {"a"}),
    ("working days after(start, 3)", {"working days after", "start"}),
    ("count(xs)", {"xs"}),
    ("partial", {"partial"}),
    ("for x in xs return partial", {"xs"}),
    ("1 + 2", set()),
]

DECLARED = ["age", "risk", "birth", "xs", "y", "limit", "c", "a", "start", "working days after", "x y", "x", "item total"]


@pytest.mark.parametrize(("text", "names"), READS)
def test_names_an_expression_reads(text, names):
    """Free variables: no built-ins, no local names."""
    assert feel.compile(text, DECLARED).names == names


def test_in_a_filter_undeclared_names_are_entries_of_the_items():
    """The host said what is in scope; the rest can only be an entry."""
    assert feel.compile("xs[price > limit]", ["xs", "limit"]).names == {"xs", "limit"}
    # Nothing was declared, so nothing can be ruled out.
    assert feel.compile("xs[price > limit]").names == {"xs", "price", "limit"}


def test_longest_name_wins():
    """`x y` is one name when it is in scope, and `x` when it is not."""
    context = {"x": Decimal(1), "x y": Decimal(2), "y": Decimal(4)}
    assert feel.compile("x y + y", context).evaluate(context) == 6
    assert feel.compile("x +y", context).evaluate(context) == 5


@pytest.mark.parametrize("name", ["days in weekend", "in a list", "if only", "a+b", "a-b c", "费用（元）", "2nd", "next of kin's name"])
def test_any_declared_name_can_be_written(name):
    """Names hold keywords, operators and full-width brackets."""
    if name == "2nd":
        text = "`2nd`"
    else:
        text = name
    context = {name: [Decimal(1)]}
    assert feel.compile(f"for i in {text} return i", context).evaluate(context) == [1]


def test_local_names_hide_variables_and_built_ins():
    """The innermost binding wins; a hidden built-in can still be called when the name holds no function."""
    context = {"x": Decimal(1), "date": "2026-01-31"}
    assert feel.compile("for x in [5] return x", context).evaluate(context) == [5]
    assert str(feel.compile("date(date)", context).evaluate(context)) == "2026-01-31"
    assert feel.compile("{count: function(x) 7, r: count([])}.r").evaluate({}) == 7


def test_host_functions():
    """By position, by name, with a name of several words; wrong arguments and Python's complaints are null."""
    context = {
        "working days after": FeelFunction("working days after", ("date", "days"), lambda date, days: date + days * 2),
        "fails": FeelFunction("fails", ("x",), lambda x: 1 // 0),
        "greet": FeelFunction("greet", ("name", "mark"), lambda name, mark="!": name + mark, required=1),
    }

    def value(text):
        return feel.compile(text, context).evaluate(context)

    assert value("working days after(1, 2)") == 5
    assert value("working days after(days: 2, date: 1)") == 5
    assert value("working days after(1)") is None
    assert value("working days after(day: 1)") is None
    assert value("fails(1)") is None
    assert value('greet("a")') == "a!"
    assert value('greet(name: "a", mark: "?")') == "a?"


def test_foreign_values_are_refused_and_plain_ones_mended():
    """No operation ever sees an object that is not a FEEL value."""
    assert feel.compile("x + 1").evaluate({"x": 1}) == 2
    assert feel.compile("x.y + 1").evaluate({"x": {"y": 0.1}}) == Decimal("1.1")
    with pytest.raises(feel.FeelTypeError):
        feel.compile("x").evaluate({"x": object()})
    # Deeper, plain numbers are not mended but reported: null would leave the host guessing.
    with pytest.raises(feel.FeelTypeError):
        feel.compile("sum(x)").evaluate({"x": [1, 2]})
    assert feel.compile("sum(x)").evaluate({"x": feel.from_plain([1, 2])}) == 3
    assert feel.compile("x.__class__").evaluate({"x": "a"}) is None
