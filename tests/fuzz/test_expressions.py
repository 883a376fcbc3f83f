"""Fuzzed expressions and cells: each is compiled, evaluated and written down. Only FeelError ever leaves, and soon."""

import json
import signal
from contextlib import contextmanager

import pytest

from engine import feel
from tests.fuzz import expressions
from tests.unit.feel.tables import CLOCK, CONTEXT

STEPS = 10_000
CPU_SECONDS = 5  # of one text; an ordinary one takes a fraction of a millisecond
CELLS = 0.3  # of the texts are cells


class TooLong(BaseException):
    """A text used up its processor time; nothing in the engine may catch it."""


@pytest.mark.soak
def test_expressions_and_cells(campaign):
    """A round is one text."""
    with watch() as wind_up:
        for number in campaign.rounds(3_000, 1_000_000):
            dice = campaign.dice(number)
            of_a_cell = dice.random() < CELLS
            text = (expressions.cell if of_a_cell else expressions.expression)(dice)
            wind_up()
            try:
                answered = examine_cell(text, expressions.value(dice)) if of_a_cell else examine(text)
            except BaseException as error:
                error.add_note(f"round {number}, {'cell' if of_a_cell else 'expression'}: {text!r}")
                raise
            if answered:
                campaign.note(answered=1)


def examine(text: str) -> bool:
    """Whether an expression could be compiled and came to a value; what it came to must be a value like any other."""
    try:
        value = feel.compile(text, CONTEXT).evaluate(CONTEXT, CLOCK, feel.Budget(steps=STEPS))
    except feel.FeelError as error:
        check(error, text)
        return False
    try:
        encoded = json.loads(json.dumps(feel.encode(value)))
        assert feel.encode(feel.decode(encoded)) == encoded
        json.dumps(feel.to_plain(value), allow_nan=False)
    except feel.FeelLimit:
        pass
    except feel.FeelTypeError:
        assert "function" in repr(value) or "Builtin" in repr(value)  # which can be written down nowhere
    return True


def examine_cell(text: str, value) -> bool:
    """Whether a cell could be compiled and gave an answer."""
    try:
        answer = feel.compile_unary_tests(text, CONTEXT).test(value, CONTEXT, CLOCK, feel.Budget(steps=STEPS))
    except feel.FeelError as error:
        check(error, text)
        return False
    assert type(answer) is bool
    return True


def check(error: feel.FeelError, text: str) -> None:
    """What an author is told is a place inside the text, what was expected there, and what stands there."""
    assert isinstance(error, feel.FeelSyntaxError | feel.FeelLimit), error
    assert error.message.isprintable() and error.hint
    if isinstance(error, feel.FeelSyntaxError):
        lines = text.split("\n")
        assert 1 <= error.line <= len(lines) and 1 <= error.column <= len(lines[error.line - 1]) + 1
        assert error.expected and all(error.expected)


@contextmanager
def watch():
    """A function that gives the next text its processor time; so that a busy machine changes nothing, only that is counted."""

    def ring(_signal, _frame):
        raise TooLong(f"more than {CPU_SECONDS} s of processor time")

    former = signal.signal(signal.SIGPROF, ring)
    try:
        yield lambda: signal.setitimer(signal.ITIMER_PROF, CPU_SECONDS)
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
        signal.signal(signal.SIGPROF, former)
