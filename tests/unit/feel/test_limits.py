"""Whatever the text, an answer comes, and soon: bounds of time, depth and size."""

import random
import sys
import time
from decimal import Decimal

import pytest
from hypothesis import given, strategies as st

from engine import feel
from engine.feel import Budget
from tests.unit.feel import test_builtins, test_language, test_unary_tests
from tests.unit.feel.tables import CLOCK, CONTEXT, rows

SAMPLE = [row[0] for module in (test_language, test_builtins) for table in module.TABLES.values() for row in rows(table)]
SAMPLE += [row[0] for row in rows(test_unary_tests.CELLS)]

# Sixty lists, each holding the one before twice: little memory, and more items than atoms.
DOUBLING = "for i in 1..60 return if i = 1 then [1] else [partial[-1], partial[-1]]"

HOSTILE = [
    "9**9**9",
    "(" * 10_000,
    "(" * 60 + "1" + ")" * 60,
    "[" * 10_000,
    "-" * 10_000 + "1",
    "{a:" * 5_000,
    "not(" * 5_000,
    "if true then " * 3_000,
    "function() " * 1_000,
    "for x in " * 2_000,
    "a" + ".a" * 9_000,
    "a" + "[1]" * 6_000,
    "a" + "(1)" * 6_000,
    "1" + "+1" * 9_000,
    "1" + "**9" * 6_000,
    "true" + " and true" * 2_000,
    "a" + " instance of number" * 1_000,
    "[" + "1," * 9_000 + "1]",
    "x" * 100_000,
    "1 " * 9_000,
    '"' + "a" * 100_000 + '"',
    "/*" * 9_000,
    "`" * 9_000,
    "1e6144 * 1e6144",
    "decimal(1e6144, 6176)",
    "string(1e6144)",
    "floor(1e6144, -6111)",
    "modulo(1e6144, 3)",
    "odd(1e6144)",
    "exp(1e6144)",
    "1e-6143 ** 1e6144",
    "1.000000001 ** 1e30",
    'substring("abc", 1e6144)',
    "[1][1e6144]",
    "for i in 1..1e6144 return i",
    "for i in 1..10000, j in 1..10000 return i",
    "count(for i in 1..1000000000 return 1)",
    "some i in 1..1e6144 satisfies false",
    "every i in [1..1e6144] satisfies true",
    "{f: function(n) f(n + 1), r: f(1)}.r",
    "{f: function(n) if n = 0 then 0 else f(n - 1) + f(n - 1), r: f(90)}.r",
    "{y: function(f) f(f), r: y(y)}.r",
    "for i in 1..200000 return [partial, partial]",
    "count(string(for i in 1..60 return partial))",
    f"string({DOUBLING})",
    f"({DOUBLING}) = ({DOUBLING})",
    f"distinct values({DOUBLING})",
    f"({DOUBLING})[-1].a",
    "{xs: for i in 1..900 return i, ys: for i in 1..900 return xs, r: (for i in 1..900 return ys) instance of list<list<list<number>>>}.r",
    "for i in 1..100000 return [" + "i, " * 5_000 + "i]",
    "count([1, 2, 3][" + " or ".join(["item > 5"] * 1_500) + "])",
    "for i in 1..100 return for j in 1..1000 return " + " + ".join(["i"] * 190),
    "(for i in 1..5000 return [partial[-1]]) = (for i in 1..5000 return [partial[-1]])",
    "string((for i in 1..5000 return [partial[-1]])[-1])",
    "flatten((for i in 1..5000 return [partial[-1]])[-1])",
    '{s0: "aaaaaaaaaaaaaaaa", r: for i in 1..40 return if i = 1 then s0 else partial[-1] + partial[-1]}.r',
    "for i in 1..40 return if i = 1 then [1] else concatenate(partial[-1], partial[-1])",
    'for i in 1..30 return if i = 1 then "a" else replace(partial[-1], "a", "aa")',
    'matches(string join(for i in 1..20000 return "a"), "(a+)+(a+)+(a*)*b")',
    'matches("' + "a" * 5_000 + '", "' + "a?" * 100 + "a" * 100 + '")',
    'matches("a", "' + "(" * 200 + "a" + ")" * 200 + '")',
    'matches("a", "a{1000000000}")',
    'matches("a", "((a{100}){100}){100}")',
    'matches("a", "[' + "a-z" * 3_000 + ']")',
    'split(string join(for i in 1..50000 return ","), ",")',
    "sort(for i in 1..3000 return 3000 - i, function(a, b) a < b)",
    "distinct values(for i in 1..3000 return [i])",
    "index of(for i in 1..99999 return i, 5)",
    "date and time(99999, 1, 1, 0, 0, 0)",
    '@"9999-12-31" + @"P999999999D"',
    '@"P999999999Y" * 1e6000',
    'duration("P999999999999999999999D")',
]


def outcome(text: str, context=CONTEXT) -> None:
    """Compile and evaluate; only the two verdicts on the text may be raised."""
    try:
        feel.compile(text, context).evaluate(context, CLOCK, Budget(steps=60_000))
    except (feel.FeelSyntaxError, feel.FeelLimit):
        pass


@pytest.mark.parametrize("text", HOSTILE, ids=lambda text: text[:40])
def test_hostile_text(text):
    """Neither hangs nor breaks anything."""
    started = time.process_time()
    outcome(text)
    # No measurement, only the difference between bounded and not.
    assert time.process_time() - started < 20


@pytest.mark.parametrize("text", ["(" * 10_000, "a" + ".a" * 9_000, "1" + "+1" * 9_000, "[" * 65 + "]" * 65])
def test_too_deep_is_a_syntax_error(text):
    """Not a RecursionError, and the same wherever the caller stands."""
    with pytest.raises(feel.FeelSyntaxError):
        feel.compile(text)


def test_deep_enough():
    """What people write fits: sixty brackets, sixty `or`, a long table."""
    assert feel.compile("(" * 60 + "1" + ")" * 60).evaluate({}) == 1
    assert feel.compile(" or ".join(f"x = {i}" for i in range(500))).evaluate({"x": Decimal(499)}) is True
    assert feel.compile("+".join(["1"] * 150)).evaluate({}) == 150


@pytest.mark.parametrize(
    ("text", "budget"),
    [
        ("for i in 1..1000 return i", Budget(steps=500)),
        ("for i in 1..1000 return i", Budget(size=500)),
        ('"aaaaa" + "aaaaa"', Budget(length=9)),
        ("{f: function(n) if n = 0 then 0 else f(n - 1), r: f(20)}.r", Budget(depth=10)),
        ('matches("aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", "(a*)*b")', Budget(steps=20)),
    ],
)
def test_each_bound_is_reported(text, budget):
    """The message says which."""
    with pytest.raises(feel.FeelLimit) as caught:
        feel.compile(text).evaluate({}, budget=budget)
    assert caught.value.facts["limit"]


def test_what_comes_to_too_much_json_is_refused():
    """Before it fills the disk."""
    value = feel.compile(DOUBLING).evaluate({})
    for write in (feel.encode, feel.to_plain):
        with pytest.raises(feel.FeelLimit):
            write(value)


def test_a_purse_is_shared():
    """A decision table can bound all of its cells together."""
    budget, expression = Budget(steps=250), feel.compile("for i in 1..100 return i")
    expression.evaluate({}, budget=budget)
    with pytest.raises(feel.FeelLimit):
        expression.evaluate({}, budget=budget)


def test_recursion_is_bounded_wherever_the_caller_stands():
    """A host deep in its own stack gets a verdict too."""
    expression = feel.compile("{f: function(n) if n = 0 then 0 else f(n - 1), r: f(90)}.r")

    def dive(levels):
        return expression.evaluate({}) if levels == 0 else dive(levels - 1)

    with pytest.raises(feel.FeelLimit):
        dive(sys.getrecursionlimit() - 250)


@given(st.text(max_size=40))
def test_any_text(text):
    """Random characters."""
    outcome(text)


PIECES = ["(", ")", "[", "]", "{", "}", ",", ":", ".", "..", "?", "-", "+", "*", "**", "/", "<", ">=", "=", "!=", "->", "@", "`", '"', "'"]
PIECES += "if then else for in return some every satisfies function between and or not instance of external null true".split()
PIECES += [
    "1",
    "0.5",
    '"a"',
    '@"P1D"',
    "x",
    "age",
    "full name",
    "numbers",
    "date",
    "time offset",
    "list",
    "sum",
    " ",
    "//",
    "/*",
    "*/",
    "\\",
]


@given(st.lists(st.sampled_from(PIECES), max_size=14).map(" ".join))
def test_any_words(text):
    """Random words of the language."""
    outcome(text)


@pytest.mark.soak
def test_mutations_of_good_expressions(campaign):
    """Random deletions, insertions and joints of the tables' expressions; cells too."""
    chance = random.Random(20261124)
    for _ in range(campaign(1_500, 100_000)):
        text = chance.choice(SAMPLE)
        for _ in range(chance.randint(1, 3)):
            place = chance.randrange(len(text) + 1)
            end = place + chance.choice((0, 0, 1, 1, 5))
            text = text[:place] + chance.choice(("", chance.choice(PIECES), chance.choice(SAMPLE))) + text[end:]
        outcome(text)
        try:
            feel.compile_unary_tests(text, CONTEXT).test(Decimal(1), CONTEXT, CLOCK, Budget(steps=60_000))
        except (feel.FeelSyntaxError, feel.FeelLimit):
            pass
