"""The values of FEEL that Python has no ready class for, the number context, and the names of all kinds.

| FEEL                          | Python                                        |
|-------------------------------|-----------------------------------------------|
| null, boolean, string         | None, bool, str                               |
| number                        | decimal.Decimal, always through `NUMBERS`     |
| list, context                 | list, dict (in the order of its entries)      |
| date, time, date and time     | datetime.date, datetime.time, datetime.datetime; what they cannot hold, in `moments` |
| days and time duration        | `DayTimeDuration`                             |
| years and months duration     | `YearMonthDuration`                           |
| range                         | `Range`                                       |
| function                      | `FeelFunction`                                |
"""

import datetime
import decimal
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from engine.feel import nodes
from engine.feel.errors import FeelError, FeelTypeError
from engine.feel.moments import FarDate, FarMoment, FineTime

# IEEE 754 decimal128. Every operation goes through this context: the thread's own is the host's business, and
# results must not depend on it.
NUMBERS = decimal.Context(
    prec=34,
    rounding=decimal.ROUND_HALF_EVEN,
    Emin=-6143,
    Emax=6144,
    traps=[decimal.InvalidOperation, decimal.DivisionByZero, decimal.Overflow],
)


class DayTimeDuration(datetime.timedelta):
    """A days and time duration: a timedelta that knows its FEEL kind, so Python's date arithmetic takes it as it is."""

    __slots__ = ()

    @classmethod
    def of(cls, delta: datetime.timedelta) -> "DayTimeDuration":
        """The same length as `delta` (timedelta's own arithmetic forgets the subclass)."""
        return cls(delta.days, delta.seconds, delta.microseconds)


@dataclass(frozen=True, slots=True, order=True)
class YearMonthDuration:
    """A years and months duration, counted in months."""

    months: int


@dataclass(frozen=True, slots=True)
class Range:
    """An interval; an end that is None is open towards infinity."""

    start: Any
    end: Any
    start_included: bool = True
    end_included: bool = True


@dataclass(frozen=True, slots=True, eq=False)
class FeelFunction:
    """A function as a value. A host puts its own into a context: `FeelFunction("working days after", ("date", "days"), f)`.

    FEEL calls it with positions or with the names of `parameters`; a call with other arguments is null, as is one that
    raises ArithmeticError, LookupError, TypeError or ValueError. Parameters after the first `required` may be left out.
    """

    name: str
    parameters: tuple[str, ...]
    call: Callable = field(repr=False)
    required: int | None = None
    type: nodes.Type | None = field(default=None, repr=False)  # of one written in FEEL; nobody knows what others take and return

    def invoke(self, run, arguments: list) -> Any:
        """Call with `arguments` in the order of the parameters."""
        needed = len(self.parameters) if self.required is None else self.required
        if not needed <= len(arguments) <= len(self.parameters):
            return None
        return attempt(self.call, arguments)

    def invoke_named(self, run, arguments: dict[str, Any]) -> Any:
        """Call with `arguments` by parameter name."""
        if not arguments.keys() <= set(self.parameters):
            return None
        # Optional parameters may be left out only from the end, so that positions keep their meaning.
        given = [name for name in self.parameters if name in arguments]
        if given != list(self.parameters[: len(given)]):
            return None
        return self.invoke(run, [arguments[name] for name in given])


ERRORS = (ArithmeticError, LookupError, TypeError, ValueError)


def attempt(call: Callable, arguments: list) -> Any:
    """`call(*arguments)`, or null where Python says that the arguments make no sense."""
    try:
        return call(*arguments)
    except ERRORS as error:
        # FeelLimit and FeelSyntaxError are verdicts on the expression, never a null.
        if isinstance(error, FeelError):
            raise
        return None


NUMBER, STRING, BOOLEAN, NULL = "number", "string", "boolean", "Null"
LIST, CONTEXT, RANGE, FUNCTION = "list", "context", "range", "function"
DATE, TIME, DATE_TIME = "date", "time", "date and time"
DAY_TIME, YEAR_MONTH = "days and time duration", "years and months duration"

# What has an order, and so can be the end of a range.
ORDERED = frozenset((NUMBER, STRING, DATE, TIME, DATE_TIME, DAY_TIME, YEAR_MONTH))

# The class that most values of a kind have comes last, so that reading the table backwards finds it.
KINDS = {
    FarDate: DATE,
    FineTime: TIME,
    FarMoment: DATE_TIME,
    type(None): NULL,
    bool: BOOLEAN,
    Decimal: NUMBER,
    str: STRING,
    list: LIST,
    dict: CONTEXT,
    datetime.date: DATE,
    datetime.time: TIME,
    datetime.datetime: DATE_TIME,
    DayTimeDuration: DAY_TIME,
    YearMonthDuration: YEAR_MONTH,
    Range: RANGE,
    FeelFunction: FUNCTION,
}


def kind(value) -> str:
    """The FEEL type name of `value`; FeelTypeError for what is not a FEEL value, say an int deep inside a host's list.

    Silence would be worse: operators give null for operands that do not fit, and nobody would know why.
    """
    found = KINDS.get(type(value))
    if found is not None:
        return found
    if isinstance(value, FeelFunction):
        return FUNCTION
    raise FeelTypeError(value=type(value).__name__, type=" FEEL 值")


def is_true(value) -> bool:
    """Whether `value` is FEEL's true; null, numbers and strings are not."""
    return value is True


def admit(value):
    """`value` as a FEEL value: what a host plausibly puts in a context by mistake is mended, anything else refused.

    Refusing keeps foreign objects out of expressions for good: no operation ever sees one.
    """
    if type(value) in KINDS or isinstance(value, FeelFunction):
        return value
    if isinstance(value, (int, float)):
        return number(value)
    if isinstance(value, datetime.timedelta):
        return DayTimeDuration.of(value)
    if isinstance(value, tuple | list):
        return [admit(item) for item in value]
    if isinstance(value, Mapping):
        return {str(key): admit(item) for key, item in value.items()}
    if isinstance(value, str):
        return str(value)
    if isinstance(value, datetime.datetime):
        return datetime.datetime.combine(value.date(), value.timetz()).replace(fold=value.fold)
    raise FeelTypeError(value=type(value).__name__, type=" FEEL 值")


def number(value: int | float | str) -> Decimal:
    """`value` as a FEEL number: 34 digits, refused when infinite, not a number or out of range."""
    result = NUMBERS.create_decimal(str(value) if isinstance(value, float) else value)
    if not result.is_finite():
        raise FeelTypeError(value=str(value)[:40], type="数字")
    return result
