"""Arbitrary FEEL values and expressions."""

import datetime
from datetime import timedelta
from decimal import Decimal

from hypothesis import strategies as st

from engine.feel import DayTimeDuration, Range, YearMonthDuration, moments
from engine.feel.temporal import ZONES
from engine.feel.values import kind

numbers = st.one_of(
    st.integers(-(10**6), 10**6).map(Decimal),
    st.decimals(allow_nan=False, allow_infinity=False, places=4, min_value=-(10**9), max_value=10**9),
    st.sampled_from([Decimal("1e6144"), Decimal("1e-6143"), Decimal("-0"), Decimal("0.0"), Decimal("9" * 34)]),
)
strings = st.text(st.characters(codec="utf-8"), max_size=8)
zones = st.one_of(
    st.none(),
    st.just(datetime.UTC),
    st.integers(-14 * 60, 14 * 60).filter(bool).map(lambda minutes: datetime.timezone(timedelta(minutes=minutes))),
    st.sampled_from([ZONES["Asia/Shanghai"], ZONES["Europe/Paris"]]),
)
# Mostly what Python has, and what it has not.
cycles, nanos = st.just(0) | st.integers(-2_000_000, 2_000_000), st.just(0) | st.integers(0, 999)
dates = st.builds(moments.whole, st.dates(), cycles)
times = st.builds(lambda time, zone, nanos: moments.whole(time.replace(tzinfo=zone), nanos=nanos), st.times(), zones, nanos)
date_times = st.builds(
    lambda value, zone, cycles, nanos: moments.whole(value.replace(tzinfo=zone), cycles, nanos), st.datetimes(), zones, cycles, nanos
)
day_times = st.timedeltas().map(DayTimeDuration.of)
year_months = st.integers(-120_000, 120_000).map(YearMonthDuration)
scalars = st.one_of(st.none(), st.booleans(), numbers, strings, dates, times, date_times, day_times, year_months)
ranges = st.one_of(
    *(st.builds(Range, ends | st.none(), ends | st.none(), st.booleans(), st.booleans()) for ends in (numbers, strings, dates, day_times))
)
keys = st.text(st.sampled_from("ab$ 张"), min_size=1, max_size=3) | st.sampled_from(["$", "$n", "$$d", "$r"])
values = st.recursive(
    scalars | ranges,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(keys, inner, max_size=4),
    max_leaves=6,
)


def same(left, right) -> bool:
    """Equal in type, digits, zone and order: stricter than FEEL's `=`."""
    if type(left) is not type(right):
        return False
    if isinstance(left, list):
        return len(left) == len(right) and all(map(same, left, right))
    if isinstance(left, dict):
        return list(left) == list(right) and all(same(left[key], right[key]) for key in left)
    if isinstance(left, Decimal):
        return left.as_tuple() == right.as_tuple()
    if isinstance(left, Range):
        return all(same(getattr(left, slot), getattr(right, slot)) for slot in Range.__slots__)
    if kind(left) in ("time", "date and time"):
        return moments.in_zone(left, None) == moments.in_zone(right, None) and left.tzinfo == right.tzinfo
    return left == right
