"""What the operators do at run time. Each is total: operands that do not fit give null (specification 10.3.2)."""

import datetime
import operator
from decimal import Decimal

from engine.feel import moments, temporal
from engine.feel.values import (
    CONTEXT,
    DATE,
    DATE_TIME,
    DAY_TIME,
    ERRORS,
    FUNCTION,
    LIST,
    NUMBER,
    NUMBERS,
    RANGE,
    STRING,
    TIME,
    YEAR_MONTH,
    DayTimeDuration,
    YearMonthDuration,
    kind,
)

# --- equality (table 42) ----------------------------------------------------------------------------------------------


def equal(left, right, run=None) -> bool | None:
    """`left = right`: null for different types, but null itself compares with everything.

    The items of lists and contexts are paid for by the run: lists that share their parts can be far longer than they look.
    """
    if left is None or right is None:
        return left is right
    what = kind(left)
    if what != kind(right):
        left, right = _as_moments(left, right)
        if left is None:
            return None
        what = DATE_TIME
    if what == LIST:
        return _all_equal(left, right, run) if len(left) == len(right) else False
    if what == CONTEXT:
        if left.keys() != right.keys():
            return False
        return _all_equal(left.values(), [right[key] for key in left], run)
    if what == TIME or what == DATE_TIME:
        return (left.tzinfo is None) == (right.tzinfo is None) and temporal.nanoseconds(left) == temporal.nanoseconds(right)
    if what == RANGE:
        if (left.start_included, left.end_included) != (right.start_included, right.end_included):
            return False
        return _all_equal((left.start, left.end), (right.start, right.end), run)
    if what == FUNCTION:
        return True if left is right else None
    return left == right


def _all_equal(lefts, rights, run) -> bool | None:
    if run is not None:
        run.budget.spend(len(rights))
    result = True
    for left, right in zip(lefts, rights, strict=True):
        same = equal(left, right, run)
        if same is False:
            return False
        if same is None:
            result = None
    return result


def unequal(left, right, run=None) -> bool | None:
    """`left != right`."""
    same = equal(left, right, run)
    return None if same is None else not same


# --- order (table 44) -------------------------------------------------------------------------------------------------

_PLAIN_ORDER = frozenset((NUMBER, STRING, DATE, DAY_TIME, YEAR_MONTH))


def ordering(compare):
    """The ordering operator `compare` of Python as a FEEL operator: null across types and for what has no order."""

    def ordered(left, right, run=None) -> bool | None:
        what = kind(left)
        if what != kind(right):
            left, right = _as_moments(left, right)
            if left is None:
                return None
            what = DATE_TIME
        if what in _PLAIN_ORDER:
            return compare(left, right)
        if what == TIME or what == DATE_TIME:
            return compare(*_on_one_clock(left, right))
        return None

    return ordered


def _as_moments(left, right) -> tuple:
    """A date and a date and time as two of the latter: a day stands for its first moment at UTC (10.3.2.3.5). Else nulls."""
    kinds = kind(left), kind(right)
    if kinds == (DATE, DATE_TIME):
        return temporal.midnight(left), right
    if kinds == (DATE_TIME, DATE):
        return left, temporal.midnight(right)
    return None, None


def _on_one_clock(left, right) -> tuple[int, int]:
    """Two times, or two dates and times, as numbers: at UTC, but where one has no offset, at that of the other (table 54)."""
    if left.tzinfo is None or right.tzinfo is None:
        left, right = moments.in_zone(left, None), moments.in_zone(right, None)
    return temporal.nanoseconds(left), temporal.nanoseconds(right)


less, less_equal = ordering(operator.lt), ordering(operator.le)
greater, greater_equal = ordering(operator.gt), ordering(operator.ge)

COMPARISONS = {"=": equal, "!=": unequal, "<": less, "<=": less_equal, ">": greater, ">=": greater_equal}


def conjunction(values) -> bool | None:
    """`and` of already known truth values: false beats null beats true."""
    result = True
    for value in values:
        if value is False:
            return False
        if value is not True:
            result = None
    return result


def within(value, low, high) -> bool | None:
    """`value between low and high`."""
    return conjunction((greater_equal(value, low), less_equal(value, high)))


def in_range(value, range_) -> bool | None:
    """Whether `value` lies in a range."""
    checks = []
    if range_.start is not None:
        checks.append((greater_equal if range_.start_included else greater)(value, range_.start))
    if range_.end is not None:
        checks.append((less_equal if range_.end_included else less)(value, range_.end))
    # A range open on both sides contains nothing that can be told.
    return conjunction(checks) if checks else None


def contained(value, test, run=None) -> bool | None:
    """`value in test`, for one test that is an expression: equal to it, inside it, or one of its items (table 55)."""
    if kind(test) != LIST:
        return _is_or_lies_in(value, test, run)
    if kind(value) == LIST and equal(value, test, run):
        return True
    if run is not None:
        run.budget.spend(len(test) // 10)
    return any(_is_or_lies_in(value, item, run) is True for item in test)


def _is_or_lies_in(value, test, run) -> bool | None:
    return in_range(value, test) if kind(test) == RANGE and kind(value) != RANGE else equal(value, test, run)


# --- arithmetic (tables 45 to 48) -------------------------------------------------------------------------------------


def add(left, right, budget=None):
    """`left + right`."""
    kinds = kind(left), kind(right)
    try:
        match kinds:
            case ("number", "number"):
                return NUMBERS.add(left, right)
            case ("string", "string"):
                if budget is not None:
                    budget.text(len(left) + len(right))
                return left + right
            case ("days and time duration", "days and time duration"):
                return DayTimeDuration.of(left + right)
            case ("years and months duration", "years and months duration"):
                return _duration_of(left, units(left) + units(right))
            case ("date" | "date and time", "years and months duration"):
                return temporal.add_months(left, right.months)
            case ("years and months duration", "date" | "date and time"):
                return temporal.add_months(right, left.months)
            case ("date" | "date and time" | "time", "days and time duration"):
                return temporal.add_length(left, right)
            case ("days and time duration", "date" | "date and time" | "time"):
                return temporal.add_length(right, left)
    except ERRORS:
        pass
    return None


def subtract(left, right):
    """`left - right`."""
    kinds = kind(left), kind(right)
    try:
        match kinds:
            case ("number", "number"):
                return NUMBERS.subtract(left, right)
            case ("days and time duration", "days and time duration"):
                return DayTimeDuration.of(left - right)
            case ("years and months duration", "years and months duration"):
                return _duration_of(left, units(left) - units(right))
            case ("date" | "date and time", "years and months duration"):
                return temporal.add_months(left, -right.months)
            case ("date" | "date and time" | "time", "days and time duration"):
                return temporal.add_length(left, -right)
            case ("date", "date"):
                return DayTimeDuration(moments.ordinal(left) - moments.ordinal(right))
            case ("date" | "date and time", "date and time") | ("date and time", "date"):
                return _time_between(*(_as_moments(left, right) if kinds[0] != kinds[1] else (left, right)))
            case ("time", "time"):
                return _time_between(left, right)
    except ERRORS:
        pass
    return None


def _time_between(end, start) -> DayTimeDuration | None:
    """What two times, or two dates and times, lie apart; null when only one of them has an offset."""
    if (end.tzinfo is None) != (start.tzinfo is None):
        return None
    return DayTimeDuration(microseconds=(temporal.nanoseconds(end) - temporal.nanoseconds(start)) // 1000)


def multiply(left, right):
    """`left * right`."""
    kinds = kind(left), kind(right)
    try:
        match kinds:
            case ("number", "number"):
                return NUMBERS.multiply(left, right)
            case ("number", "days and time duration" | "years and months duration"):
                return _duration_of(right, NUMBERS.multiply(units(right), left))
            case ("days and time duration" | "years and months duration", "number"):
                return _duration_of(left, NUMBERS.multiply(units(left), right))
    except ERRORS:
        pass
    return None


def divide(left, right):
    """`left / right`; null by zero."""
    kinds = kind(left), kind(right)
    try:
        match kinds:
            case ("number", "number"):
                return NUMBERS.divide(left, right)
            case ("days and time duration" | "years and months duration", "number"):
                return _duration_of(left, NUMBERS.divide(units(left), right))
            case ("days and time duration", "days and time duration"):
                return NUMBERS.divide(units(left), units(right))
            case ("years and months duration", "years and months duration"):
                return NUMBERS.divide(units(left), units(right))
    except ERRORS:
        pass
    return None


_GREATEST_EXPONENT = 999_999_999


def power(left, right):
    """`left ** right`; null for an exponent beyond what table 60 allows."""
    if kind(left) != NUMBER or kind(right) != NUMBER or abs(right) > _GREATEST_EXPONENT:
        return None
    if not left:  # Python's power of zero is not IEEE 754's: 0 ** 0 is one, and 0 ** -1 a division by zero
        return Decimal(int(not right)) if right >= 0 else None
    try:
        return NUMBERS.power(left, right)
    except ERRORS:
        return None


def negate(value):
    """`-value`."""
    what = kind(value)
    if what == NUMBER:
        return NUMBERS.minus(value)
    if what == DAY_TIME or what == YEAR_MONTH:
        return _duration_of(value, -units(value))
    return None


ARITHMETIC = {"+": add, "-": subtract, "*": multiply, "/": divide, "**": power}


def units(duration: DayTimeDuration | YearMonthDuration) -> Decimal:
    """A duration as a number: of microseconds, or of months."""
    if isinstance(duration, YearMonthDuration):
        return Decimal(duration.months)
    return Decimal(duration // datetime.timedelta(microseconds=1))


def _duration_of(like: DayTimeDuration | YearMonthDuration, length: Decimal):
    """The duration of `length` units, cut to whole ones, of the kind `like` is."""
    if abs(length) >= temporal.LONGEST:
        return None
    if isinstance(like, YearMonthDuration):
        return YearMonthDuration(int(length))
    return DayTimeDuration.of(datetime.timedelta(microseconds=int(length)))
