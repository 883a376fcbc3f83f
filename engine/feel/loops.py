"""`for`, `some`, `every` and filters: where expressions take their time, so every round is paid for."""

from collections.abc import Callable, Iterable, Iterator
from decimal import Decimal

from engine.feel import moments
from engine.feel.runtime import Environment
from engine.feel.values import DATE, LIST, RANGE, kind

Code = Callable  # (environment) -> value


class _NoDomain(Exception):
    """There is nothing to run through: the loop's value is null."""


# --- what iterators run through ---------------------------------------------------------------------------------------


def items(source: Code) -> Code:
    """A list's items, a range's steps, or the value alone."""

    def domain(env) -> Iterable:
        value = source(env)
        if value is None:
            raise _NoDomain
        if kind(value) == LIST:
            return value
        if kind(value) == RANGE:
            return range_items(value)
        return [value]

    return domain


def steps(start: Code, end: Code) -> Code:
    """`start..end`, upwards or downwards."""
    return lambda env: _between(start(env), end(env))


def range_items(range_) -> Iterable:
    """The whole numbers or days of a range, from its start to its end."""
    found = _between(range_.start, range_.end)
    left_out = []
    if not range_.start_included:
        left_out.append(range_.start)
    if not range_.end_included:
        left_out.append(range_.end)
    return (item for item in found if item not in left_out) if left_out else found


_GREATEST = Decimal(10**34)  # beyond which a number and its successor are the same


def _between(start, end) -> Iterable:
    if type(start) is Decimal and type(end) is Decimal and abs(start) <= _GREATEST >= abs(end):
        if start != start.to_integral_value() or end != end.to_integral_value():
            raise _NoDomain
        first, last = int(start), int(end)
        step = 1 if last >= first else -1
        return (Decimal(number) for number in range(first, last + step, step))
    if kind(start) == DATE and kind(end) == DATE:
        first, last = moments.ordinal(start), moments.ordinal(end)
        step = 1 if last >= first else -1
        return (moments.day_at(day) for day in range(first, last + step, step))
    raise _NoDomain


def _rounds(env, domains: list[Code], cost: int) -> Iterator[Environment]:
    """The environment of every combination of the domains' items, the last domain turning fastest; each costs `cost`."""
    domain, inner = domains[0], domains[1:]
    run = env.run
    for item in domain(env):
        run.budget.spend(cost)
        bound = Environment(run, item, env)
        if inner:
            yield from _rounds(bound, inner, cost)
        else:
            yield bound


# --- loops ------------------------------------------------------------------------------------------------------------


def for_(domains: list[Code], body: Code, cost: int) -> Code:
    """`for … return`: the list of the body's values; `partial` is the list so far."""

    def loop(env):
        results: list = []
        outer = Environment(env.run, results, env)
        try:
            for bound in _rounds(outer, domains, cost):
                value = body(bound)
                results.append(value)
        except _NoDomain:
            return None
        env.run.budget.items(len(results))
        return results

    return loop


def partial(results: Code) -> Code:
    """Reads `partial`: the list as it is now, which later rounds do not lengthen."""

    def read(env):
        so_far = results(env)
        env.run.budget.spend(len(so_far) // 100)
        return so_far[:]

    return read


def quantified(domains: list[Code], condition: Code, cost: int, decisive: bool) -> Code:
    """`some` is decided by the first true, `every` by the first false; else one null makes it null."""

    def quantify(env):
        result = not decisive
        try:
            for bound in _rounds(env, domains, cost):
                value = condition(bound)
                if value is decisive:
                    return decisive
                if type(value) is not bool:
                    result = None
        except _NoDomain:
            return None
        return result

    return quantify


# --- filters ----------------------------------------------------------------------------------------------------------


def item_at(values: list, position: Decimal):
    """The item at a position counted from 1, or from -1 backwards; null where there is none."""
    if position != position.to_integral_value() or abs(position) > len(values) or position == 0:
        return None
    place = int(position)
    return values[place - 1 if place > 0 else place]


def index(source: Code, position: Decimal) -> Code:
    """`list[2]`."""

    def indexed(env):
        value = source(env)
        return item_at(value if kind(value) == LIST else [value], position)

    return indexed


def filter(source: Code, condition: Code, cost: int) -> Code:
    """`list[condition]`: the items for which it is true; a condition that is a number is an index after all."""

    def filtered(env):
        value = source(env)
        run = env.run
        if value is None:
            return None
        if kind(value) != LIST:
            value = [value]
        if not value:
            return None if type(condition(Environment(run, None, env))) is Decimal else []
        run.budget.spend(len(value) * cost)
        kept = []
        for item in value:
            passed = condition(Environment(run, item, env))
            if passed is True:
                kept.append(item)
            elif type(passed) is Decimal:
                return item_at(value, passed)
        return kept

    return filtered
