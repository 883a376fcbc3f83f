"""Numeric functions (table 77)."""

import decimal
from decimal import Decimal

from engine.feel.builtins.conversions import whole
from engine.feel.builtins.registry import builtin
from engine.feel.values import NUMBERS, DayTimeDuration, YearMonthDuration

# What a scale may be in decimal128.
_SMALLEST_SCALE, _BIGGEST_SCALE = -6111, 6176


def _rounded(value, scale, rounding):
    scale = whole(scale.to_integral_value(decimal.ROUND_FLOOR))
    if not _SMALLEST_SCALE <= scale <= _BIGGEST_SCALE:
        return None
    if -value.as_tuple().exponent <= scale:
        return value
    # More digits than a number has are needed only to look at the value, so rounding works in a wider context.
    context = NUMBERS.copy()
    context.prec = 7000
    context.rounding = rounding
    return NUMBERS.plus(value.quantize(Decimal((0, (1,), -scale)), context=context))


@builtin("decimal(n: number, scale: number)")
def decimal_(n, scale):
    return _rounded(n, scale, decimal.ROUND_HALF_EVEN)


@builtin("floor(n: number)")
@builtin("floor(n: number, scale: number)")
def floor(n, scale=Decimal(0)):
    return _rounded(n, scale, decimal.ROUND_FLOOR)


@builtin("ceiling(n: number)")
@builtin("ceiling(n: number, scale: number)")
def ceiling(n, scale=Decimal(0)):
    return _rounded(n, scale, decimal.ROUND_CEILING)


@builtin("round up(n: number, scale: number)")
def round_up(n, scale):
    return _rounded(n, scale, decimal.ROUND_UP)


@builtin("round down(n: number, scale: number)")
def round_down(n, scale):
    return _rounded(n, scale, decimal.ROUND_DOWN)


@builtin("round half up(n: number, scale: number)")
def round_half_up(n, scale):
    return _rounded(n, scale, decimal.ROUND_HALF_UP)


@builtin("round half down(n: number, scale: number)")
def round_half_down(n, scale):
    return _rounded(n, scale, decimal.ROUND_HALF_DOWN)


@builtin("abs(n: number|days and time duration|years and months duration)")
def abs_(n):
    if isinstance(n, YearMonthDuration):
        return YearMonthDuration(abs(n.months))
    return NUMBERS.abs(n) if isinstance(n, Decimal) else DayTimeDuration.of(abs(n))


@builtin("modulo(dividend: number, divisor: number)")
def modulo(dividend, divisor):
    """`dividend - divisor * floor(dividend / divisor)`: the sign is the divisor's."""
    rest = NUMBERS.remainder(dividend, divisor)
    return NUMBERS.add(rest, divisor) if rest and (rest < 0) != (divisor < 0) else rest


@builtin("sqrt(number: number)")
def sqrt(n):
    return NUMBERS.sqrt(n)


@builtin("log(number: number)")
def log(n):
    return NUMBERS.ln(n) if n > 0 else None


@builtin("exp(number: number)")
def exp(n):
    return NUMBERS.exp(n)


@builtin("odd(number: number)")
def odd(n):
    return n == n.to_integral_value() and NUMBERS.remainder_near(n, Decimal(2)) != 0


@builtin("even(number: number)")
def even(n):
    return n == n.to_integral_value() and NUMBERS.remainder_near(n, Decimal(2)) == 0
