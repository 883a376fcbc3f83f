"""Canonical JSON: hashes of years are taken of it, so whatever writes it writes what Python's own `json` does, byte for byte."""

import json
from collections import OrderedDict
from datetime import datetime
from decimal import Decimal
from enum import IntEnum, StrEnum
from uuid import UUID

import pytest
from hypothesis import example, given, strategies as st

from engine.db import canonical


class Word(StrEnum):
    """A text that is an enumeration's, as the kinds of events are."""

    ONE = "eins\n"


class Number(IntEnum):
    """A whole number that is one."""

    TWO = 2


def by_json(value) -> str:
    """The standard."""
    return json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":"))


TEXTS = st.text(st.characters())  # halves of surrogate pairs too, which st.text() leaves out
NUMBERS = st.integers() | st.integers(-(2**70), 2**70) | st.floats()
ATOMS = st.none() | st.booleans() | NUMBERS | TEXTS | st.sampled_from([Word.ONE, Number.TWO])
KEYS = TEXTS | st.integers() | st.floats(allow_nan=False) | st.booleans() | st.none() | st.just(Word.ONE)


def _holders(inner):
    plain = st.lists(inner, max_size=5) | st.dictionaries(TEXTS, inner, max_size=5)
    odd = st.lists(inner, max_size=3).map(tuple) | st.dictionaries(KEYS, inner, max_size=3)
    return plain | odd | st.dictionaries(TEXTS, inner, max_size=3).map(OrderedDict)


@given(st.recursive(ATOMS, _holders, max_leaves=30))
@example({"\U0001f600": 1, "\uffff": 2, "\ud7ff": 3})  # sorted by UTF-16, the first would be the second
@example({"a": 1.0, "b": 1e16, "c": 1e-7, "d": 123456789012345680.0, "e": -0.0, "f": float("nan")})
@example([2**63, -(2**63), 2**64, -(2**64), 2**53 + 1, True, -0])
@example({2: "a", True: "b", None: "c", 1.5: "d"})
@example(["\ud800", "\x00\x1f\x7f\x80\u2028\u2029/\\\"\b\f\n\r\t"])
def test_canonical_text_is_that_of_the_standard_library(value):
    """Every value that JSON can hold, and those that only Python's reading of JSON can; what is refused is refused."""
    try:
        wanted = by_json(value)
    except TypeError:  # keys that cannot be sorted among one another
        with pytest.raises(TypeError):
            canonical(value)
        return
    assert canonical(value) == wanted


@pytest.mark.parametrize("value", [datetime(2026, 11, 24), Decimal(1), UUID(int=1), b"x", {1, 2}, {"a": [datetime(2026, 11, 24)]}], ids=repr)
def test_what_is_no_json_is_refused(value):
    """orjson would write some of these in a way of its own."""
    with pytest.raises(TypeError):
        canonical(value)


@pytest.mark.parametrize("depth", [200, 253, 254, 255, 300])
def test_nesting_is_written_as_deep_as_before(depth):
    """orjson goes 254 levels deep, the standard library until Python's stack ends."""
    value = []
    for _ in range(depth):
        value = [value]
    assert canonical(value) == "[" * (depth + 1) + "]" * (depth + 1)


def test_a_circle_is_refused():
    """And ends."""
    value = []
    value.append(value)
    with pytest.raises(ValueError, match="Circular"):
        canonical(value)
