"""The cases of cases.txt, from JSON to JSON, as `shuibo feel` answers them."""

import datetime
import json
from pathlib import Path

import pytest

from engine import feel

CLOCK = datetime.datetime(2026, 12, 1, 2, tzinfo=datetime.UTC)
CONTEXT = feel.from_plain({"visits in march": [3, 4]})
LINES = (Path(__file__).parent / "cases.txt").read_text(encoding="utf-8").splitlines()
CASES = [line.rsplit(" => ", 1) for line in LINES if line and not line.startswith("#")]


@pytest.mark.parametrize(("expression", "expected"), CASES)
def test_case(expression, expected):
    """The expression comes to the value, and is the same each time it is asked."""
    compiled = feel.compile(expression, CONTEXT)
    answers = [json.dumps(feel.to_plain(compiled.evaluate(CONTEXT, CLOCK)), ensure_ascii=False) for _ in range(2)]
    assert answers == [expected, expected]
