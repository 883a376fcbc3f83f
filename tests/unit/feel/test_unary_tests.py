"""Input cells of decision tables (10.3.2.8 and 8.3.3)."""

from decimal import Decimal

import pytest

from engine import feel
from tests.unit.feel.tables import rows

CELLS = """
- 1 => true
- null => true
> 5 6 => true
> 5 5 => false
>= 5 5 => true
< 5 4 => true
< 5 "a" => false
= 5 5 => true
!= 5 5 => false
5 5.0 => true
"high" "high" => true
"high", "middle" "middle" => true
"high", "middle" "low" => false
not("high", "middle") "low" => true
not("high", "middle") "high" => false
not(> 5) 5 => true
not(> 5) null => false
[1..5] 5 => true
[1..5) 5 => false
]1..5[ 1 => false
[1..3], > 9 10 => true
null null => true
null 1 => false
true true => true
false false => true
true false => false
["a", "b"] "b" => true
? > 3 and ? < 9 4 => true
? in [1..5] 3 => true
contains(?, "木") "杉木" => true
not(contains(?, "木")) "杉木" => false
not(?) false => true
limit 10 => true
> limit 11 => true
[1..limit] 10 => true
levels "b" => true
limit > 5 "anything" => true
@"2026-01-01" @"2026-01-01" => true
< @"2026-01-01" @"2025-12-31" => true
date("2026-01-01") @"2026-01-01" => true
some x in levels satisfies x = ? "b" => true
"""

CONTEXT = {"limit": Decimal(10), "levels": ["a", "b"]}


@pytest.mark.parametrize(("cell", "passes"), rows(CELLS))
def test_cell(cell, passes):
    """The cell, then the input, then whether it passes."""
    cell, value = cell.rsplit(" ", 1)
    tests = feel.compile_unary_tests(cell, CONTEXT)
    assert tests.test(feel.compile(value).evaluate({}), CONTEXT) is (passes == "true")


def test_empty_cell_is_a_dash():
    """The stock editor leaves `-` out."""
    assert feel.compile_unary_tests("").test(None, {}) is True


def test_names_are_those_of_variables():
    """`?` is not a variable."""
    assert feel.compile_unary_tests("> limit, ? in levels", CONTEXT).names == {"limit", "levels"}


@pytest.mark.parametrize("cell", [">", '"a",', "not(1", "1 2", "-, 1", "not(", "[1..", "1 = "])
def test_malformed_cell_is_refused(cell):
    """With a place, never silently."""
    with pytest.raises(feel.FeelSyntaxError):
        feel.compile_unary_tests(cell)
