"""Laws that hold for all values."""

import datetime
import itertools
from decimal import Decimal

import pytest
from hypothesis import assume, given, strategies as st

from engine import feel
from tests.unit.feel.strategies import dates, day_times, numbers, same, scalars, strings, values, year_months

TRUTH = (True, False, None)


def value(text, **context):
    return feel.compile(text, context).evaluate(context)


@pytest.mark.parametrize(("a", "b"), list(itertools.product(TRUTH, TRUTH)))
def test_de_morgan_and_the_truth_tables(a, b):
    """False beats null beats true in `and`; `or` is its mirror."""
    assert value("a and b", a=a, b=b) is (False if False in (a, b) else None if None in (a, b) else True)
    assert value("not(a and b)", a=a, b=b) is value("not(a) or not(b)", a=a, b=b)
    assert value("a or b", a=a, b=b) is value("b or a", a=a, b=b)
    # The chain of three takes another way through the compiler than two do.
    assert value("a and b and true", a=a, b=b) is value("a and b", a=a, b=b)


@given(st.lists(values, max_size=6))
def test_lists(xs):
    """Reversing twice, cutting and joining, counting."""
    assert same(value("reverse(reverse(xs))", xs=xs), xs)
    assert value("count(xs)", xs=xs) == len(xs)
    assert same(value("for x in xs return x", xs=xs), xs)
    assert same(value("concatenate(xs, xs)", xs=xs), xs + xs)
    assert value("all(for i in 1..count(xs) return is(xs[i], xs[i - 1 - count(xs)]))", xs=xs or [None]) is True
    assert same(value("distinct values(distinct values(xs))", xs=xs), value("distinct values(xs)", xs=xs))


@given(st.lists(numbers, max_size=8))
def test_sorting(xs):
    """Sorted, a permutation, and the same with and without a function."""
    ordered = value("sort(xs)", xs=xs)
    assert ordered == sorted(xs)
    assert ordered == value("sort(xs, function(a, b) a < b)", xs=xs)
    if xs:
        assert value("[min(xs), max(xs)]", xs=xs) == [ordered[0], ordered[-1]]


@given(st.lists(strings, min_size=1, max_size=5))
def test_split_undoes_join(parts):
    """For any delimiter that is in no part."""
    assume(not any("|" in part for part in parts))
    assert value('split(string join(parts, "|"), "\\|")', parts=parts) == parts


@given(strings, strings)
def test_strings(a, b):
    """Before and after the first match make the whole again."""
    if b and b in a:
        assert value("substring before(a, b) + b + substring after(a, b)", a=a, b=b) == a
    assert value("string length(a + b) = string length(a) + string length(b)", a=a, b=b) is True
    assert value("contains(a + b, b) and starts with(a + b, a) and ends with(a + b, b)", a=a, b=b) is True


@given(values, values)
def test_equality(a, b):
    """Reflexive, symmetric, and the opposite of `!=`."""
    assert value("a = a", a=a) is True
    assert value("a = b", a=a, b=b) is value("b = a", a=a, b=b)
    assert value("not(a = b)", a=a, b=b) is value("a != b", a=a, b=b)


@given(scalars, scalars)
def test_order(a, b):
    """Antisymmetric; one of three or null; null together for both directions."""
    less, greater, equal = (value(f"a {operator} b", a=a, b=b) for operator in ("<", ">", "="))
    assert less is value("b > a", a=a, b=b)
    if less is None:
        assert greater is None
    else:
        assert [less, greater, equal].count(True) == 1
        assert value("a <= b", a=a, b=b) is (less or equal)
        assert value("b between a and a", a=a, b=b) is equal
        assert value("b in [a..a]", a=a, b=b) is equal


@given(numbers, numbers)
def test_numbers(a, b):
    """Exact where 34 digits suffice."""
    assume(all(abs(n) < 10**12 and n.as_tuple().exponent >= -4 for n in (a, b)))
    assert value("a + b - b", a=a, b=b) == value("a + 0", a=a)
    assert value("a * b = b * a", a=a, b=b) is True
    assert value("-(-a) = a", a=a) is True
    if b:
        assert value("modulo(a, b) = a - b * floor(a / b) or abs(a / b) > 1e20", a=a, b=b) is True


@given(dates, day_times)
def test_date_and_duration(day, length):
    """Going there and back by whole days; the difference is the way."""
    length = feel.DayTimeDuration(length.days)
    there = value("day + length", day=day, length=length)
    if type(day) is datetime.date and type(there) is datetime.date:
        assert there == day + datetime.timedelta(length.days)
    if there is not None:
        assert value("there - length = day and there - day = length", there=there, day=day, length=length) is True
        assert value("(there < day) = (length < @\"P0D\")", there=there, day=day, length=length) is True
        weekdays = value("modulo(there.weekday - day.weekday - length.days, 7)", there=there, day=day, length=length)
        assert weekdays == 0


@given(dates, year_months)
def test_date_and_months(day, months):
    """The month moves by that much; the day only to fit it."""
    there = value("day + months", day=day, months=months)
    if there is not None:
        way = value("(there.year - day.year) * 12 + there.month - day.month", there=there, day=day)
        assert way == months.months
        fits = 'there.day = day.day or (there.day < day.day and (there + @"P1D").day = 1)'
        assert value(fits, there=there, day=day) is True


@given(dates, dates)
def test_months_between_dates_never_overshoot(start, end):
    """`from + duration` stays on this side of `to`."""
    reached = value("start + years and months duration(start, end)", start=start, end=end)
    assert value("reached between start and end or reached between end and start", reached=reached, start=start, end=end) is True


@given(scalars)
def test_text_of_values_reads_back(scalar):
    """`string` and `@"…"` are inverse for everything that has a literal."""
    if isinstance(scalar, datetime.date | datetime.time | datetime.timedelta | feel.YearMonthDuration):
        text = value("string(x)", x=scalar)
        assert same(feel.compile(f'@"{text}"').evaluate({}), scalar) or getattr(scalar, "fold", 0)
    if isinstance(scalar, Decimal):
        assert value("number(string(x)) = x", x=scalar) is True


@given(st.dictionaries(st.sampled_from(["a", "b c", "张", "x+y"]), values, max_size=4))
def test_contexts(context):
    """Taken apart and put together again."""
    assert same(value("context(get entries(m))", m=context), context)
    assert same(value("context merge([m, m])", m=context), context)
