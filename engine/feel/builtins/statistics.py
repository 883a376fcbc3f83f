"""Numbers made of lists (table 76): sum, mean and their kin."""

from decimal import Decimal

from engine.feel.builtins.registry import builtin
from engine.feel.operators import add, divide
from engine.feel.values import LIST, NUMBER, NUMBERS, kind


def _numbers(items: tuple) -> list | None:
    """The one list given, or the arguments as one; None when it is empty or holds anything but numbers."""
    values = items[0] if len(items) == 1 and kind(items[0]) == LIST else items
    return list(values) if values and all(kind(value) == NUMBER for value in values) else None


@builtin("sum(list...: any)")
def sum_(*items):
    """Of numbers or of durations."""
    values = items[0] if len(items) == 1 and kind(items[0]) == LIST else items
    if not values or kind(values[0]) not in (NUMBER, "days and time duration", "years and months duration"):
        return None
    total = values[0]
    for value in values[1:]:
        if kind(value) != kind(total):
            return None
        total = add(total, value)
    return total


@builtin("mean(list...: any)")
def mean(*items):
    count = len(items[0]) if len(items) == 1 and kind(items[0]) == LIST else len(items)
    return divide(sum_(*items), Decimal(count))


@builtin("product(list...: any)")
def product(*items):
    values = _numbers(items)
    if values is None:
        return None
    result = values[0]
    for value in values[1:]:
        result = NUMBERS.multiply(result, value)
    return result


@builtin("median(list...: any)")
def median(*items):
    values = _numbers(items)
    if values is None:
        return None
    values.sort()
    middle = len(values) // 2
    if len(values) % 2:
        return values[middle]
    return NUMBERS.divide(NUMBERS.add(values[middle - 1], values[middle]), Decimal(2))


@builtin("stddev(list...: any)")
def stddev(*items):
    """Of a sample; null for fewer than two numbers."""
    values = _numbers(items)
    if values is None or len(values) < 2:
        return None
    average = mean(*values)
    total = Decimal(0)
    for value in values:
        difference = NUMBERS.subtract(value, average)
        total = NUMBERS.add(total, NUMBERS.multiply(difference, difference))
    return NUMBERS.sqrt(NUMBERS.divide(total, Decimal(len(values) - 1)))


@builtin("mode(list...: any)")
def mode(*items):
    """The most frequent numbers, in order."""
    if items == ([],):
        return []
    values = _numbers(items)
    if values is None:
        return None
    counts: dict = {}
    for value in values:
        counts[value] = counts.get(value, 0) + 1
    most = max(counts.values())
    return sorted(value for value, count in counts.items() if count == most)
