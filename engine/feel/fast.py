"""Closures specialised for what expressions mostly are: reading names, comparing with literals, adding decimals."""

import operator
from collections.abc import Callable
from decimal import Decimal

from engine.feel import operators
from engine.feel.values import ERRORS, KINDS, NUMBERS, FeelFunction, admit

Code = Callable  # (environment) -> value

_PYTHON = {
    "=": operator.eq,
    "!=": operator.ne,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}
_DECIMAL = {
    "+": NUMBERS.add,
    "-": NUMBERS.subtract,
    "*": NUMBERS.multiply,
    "/": NUMBERS.divide,
    "**": operators.power,
}


# --- names ------------------------------------------------------------------------------------------------------------


def root(name: str, default: FeelFunction | None, direct: bool) -> Code:
    """Reads a variable of the context; `direct` when no environment stands between."""

    def read_here(run):
        value = run.context.get(name, default)
        return value if type(value) in KINDS else admit(value)

    def read(env):
        value = env.run.context.get(name, default)
        return value if type(value) in KINDS else admit(value)

    return read_here if direct else read


def local(distance: int) -> Code:
    """Reads the value of the environment `distance` steps out."""
    if distance == 0:
        return lambda env: env.value
    if distance == 1:
        return lambda env: env.parent.value

    def read(env):
        for _ in range(distance):
            env = env.parent
        return env.value

    return read


def local_entry(distance: int, key) -> Code:
    """Reads one argument of a call (`key` is its index) or one entry of a context being built."""
    whole = local(distance)
    return lambda env: whole(env)[key]


def item_entry(distances: list[int], name: str, otherwise: Code) -> Code:
    """Reads `name` from the nearest filtered item that is a context with such an entry, else as `otherwise` does."""
    items = [local(distance) for distance in distances]

    def read(env):
        for item in items:
            value = item(env)
            if type(value) is dict and name in value:
                return value[name]
        return otherwise(env)

    return read


# --- comparison -------------------------------------------------------------------------------------------------------


def _simple(symbol: str) -> frozenset[type]:
    """The types whose two values Python compares as FEEL does."""
    return frozenset((Decimal, str, bool)) if symbol in ("=", "!=") else frozenset((Decimal, str))


def compare(symbol: str, left: Code, right: Code) -> Code:
    """`left symbol right`."""
    quick, slow, simple = _PYTHON[symbol], operators.COMPARISONS[symbol], _simple(symbol)

    def comparison(env):
        a, b = left(env), right(env)
        if type(a) is type(b) and type(a) in simple:
            return quick(a, b)
        return slow(a, b, env.run)

    return comparison


def compare_with(symbol: str, left: Code, literal) -> Code:
    """`left symbol literal`."""
    quick, slow = _PYTHON[symbol], operators.COMPARISONS[symbol]
    if type(literal) not in _simple(symbol):
        return lambda env: slow(left(env), literal, env.run)
    class_ = type(literal)

    def comparison(env):
        value = left(env)
        return quick(value, literal) if type(value) is class_ else slow(value, literal, env.run)

    return comparison


def compare_value_with(symbol: str, literal) -> Callable:
    """The unary test `symbol literal`: (environment, value) → truth value."""
    quick, slow = _PYTHON[symbol], operators.COMPARISONS[symbol]
    class_ = type(literal) if type(literal) in _simple(symbol) else None

    def test(env, value):
        return quick(value, literal) if type(value) is class_ else slow(value, literal, env.run)

    return test


# --- the rest ---------------------------------------------------------------------------------------------------------


def logic(decisive: bool, operands: list[Code]) -> Code:
    """`or` is decided by true, `and` by false; else null beats the other truth value (table 38)."""
    first, *rest = operands

    def two(env):
        value = first(env)
        if value is decisive:
            return decisive
        other = second(env)
        if other is decisive:
            return decisive
        return other if type(value) is bool and type(other) is bool else None

    def many(env):
        result = not decisive
        for operand in operands:
            value = operand(env)
            if value is decisive:
                return decisive
            if type(value) is not bool:
                result = None
        return result

    if len(rest) == 1:
        second = rest[0]
        return two
    return many


def arithmetic(symbol: str, left: Code, right: Code) -> Code:
    """`left symbol right`."""
    quick, slow = _DECIMAL[symbol], operators.ARITHMETIC[symbol]
    purse_needed = symbol == "+"  # strings grow

    def operation(env):
        a, b = left(env), right(env)
        if type(a) is Decimal and type(b) is Decimal:
            try:
                return quick(a, b)
            except ERRORS:
                return None
        return slow(a, b, env.run.budget) if purse_needed else slow(a, b)

    return operation


def call_builtin(function, arguments: list[Code]) -> Code:
    """Calls a built-in known at compile time; with one matching overload there is nothing to choose at run time."""
    overloads = function.overload(len(arguments))
    if len(overloads) != 1:
        invoke = function.invoke
        return lambda env: invoke(env.run, [argument(env) for argument in arguments])
    apply = overloads[0].apply

    def call(env):
        run = env.run
        run.budget.spend(1)
        return apply(run, [argument(env) for argument in arguments])

    return call
