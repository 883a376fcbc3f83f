"""Values as JSON, exactly and plainly."""

import datetime
import json
from decimal import Decimal

import pytest
from hypothesis import given

from engine import feel
from engine.feel import DayTimeDuration, FeelTypeError, Range, YearMonthDuration
from tests.unit.feel.strategies import same, values


@given(values)
def test_encoding_round_trips(value):
    """Through real JSON text, types and digits included."""
    assert same(feel.decode(json.loads(json.dumps(feel.encode(value)))), value)


@pytest.mark.parametrize(
    ("value", "encoded"),
    [
        (None, None),
        (True, True),
        ("a", "a"),
        (Decimal(5), 5),
        (Decimal("-0"), {"$n": "-0"}),
        (Decimal("1.50"), {"$n": "1.50"}),
        (Decimal(2**53), {"$n": "9007199254740992"}),
        (datetime.date(2026, 1, 31), {"$d": "2026-01-31"}),
        (YearMonthDuration(14), {"$p": "P1Y2M"}),
        (Range(Decimal(1), None, True, False), {"$r": [1, None, True, False]}),
        ({"$n": "1", "$$": 2, "a": []}, {"$$n": "1", "$$$": 2, "a": []}),
    ],
)
def test_encoding_is_compact_and_stable(value, encoded):
    """Stored states and events depend on this very form."""
    assert feel.encode(value) == encoded


def test_the_second_of_two_equal_hours_survives():
    """02:30 comes twice when the clocks go back."""
    text = '@"2026-10-25T02:30:00@Europe/Paris"'
    late = feel.compile(text).evaluate({}).replace(fold=1)
    assert feel.decode(feel.encode(late)).utcoffset() == late.utcoffset()


@pytest.mark.parametrize("value", [feel.FeelFunction("f", (), lambda: 1), Decimal("NaN"), Decimal("Infinity"), object(), {1, 2}])
def test_what_cannot_be_kept_is_refused(value):
    """Functions and foreign objects never reach the database."""
    with pytest.raises(FeelTypeError):
        feel.encode([value])


@pytest.mark.parametrize("json_value", [{"$d": "x"}, {"$n": "1x"}, {"$r": [1]}, {"$dt": 5}, 1.5, {"$p": None}])
def test_damaged_encodings_are_refused(json_value):
    """Never half a value."""
    with pytest.raises(FeelTypeError):
        feel.decode(json_value)


def test_plain_values():
    """What the API shows and takes."""
    value = feel.compile('{n: 5, x: 1.5, d: @"2026-01-31", p: @"PT1H", r: [1..2], l: [null, true]}').evaluate({})
    plain = {"n": 5, "x": 1.5, "d": "2026-01-31", "p": "PT1H", "r": "[1..2]", "l": [None, True]}
    assert feel.to_plain(value) == plain
    assert type(feel.to_plain(value)["n"]) is int
    assert feel.from_plain({"n": 5, "x": 0.1, "l": ["2026-01-31"]}) == {"n": Decimal(5), "x": Decimal("0.1"), "l": ["2026-01-31"]}
    json.dumps(feel.to_plain([Decimal("1e6144"), Decimal("1e-6144")]), allow_nan=False)


@pytest.mark.parametrize(
    ("value", "type_name", "expected"),
    [
        ("2026-01-31", "date", datetime.date(2026, 1, 31)),
        ("10:00:00", "time", datetime.time(10)),
        ("2026-01-31T10:00:00", "dateTime", datetime.datetime(2026, 1, 31, 10)),
        ("2026-01-31T10:00:00Z", "date and time", datetime.datetime(2026, 1, 31, 10, tzinfo=datetime.UTC)),
        ("P1D", "dayTimeDuration", DayTimeDuration(1)),
        ("P1D", "days and time duration", DayTimeDuration(1)),
        ("P1Y", "yearMonthDuration", YearMonthDuration(12)),
        (5, "number", Decimal(5)),
        (0.1, "number", Decimal("0.1")),
        ("5", "string", "5"),
        (True, "boolean", True),
        (None, "date", None),
        ([1], "Any", [Decimal(1)]),
    ],
)
def test_cast(value, type_name, expected):
    """DMN's typeRefs read ISO text."""
    assert same(feel.cast(value, type_name), expected)


@pytest.mark.parametrize(
    ("value", "type_name"),
    [
        ("2026-02-30", "date"),
        ("P1D", "yearMonthDuration"),
        ("5", "number"),
        (5, "string"),
        (1, "boolean"),
        ("true", "boolean"),
        ("x", "nonsense"),
    ],
)
def test_cast_refuses_what_does_not_fit(value, type_name):
    """As a ValueError too, so that forms can catch it plainly."""
    with pytest.raises(FeelTypeError) as caught:
        feel.cast(value, type_name)
    assert isinstance(caught.value, ValueError)
