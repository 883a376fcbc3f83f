"""List functions (table 76). Numbers made of lists are in `statistics`."""

import functools
from decimal import Decimal

from engine.feel.builtins.conversions import whole
from engine.feel.builtins.registry import builtin
from engine.feel.operators import conjunction, equal, less
from engine.feel.values import FUNCTION, KINDS, LIST, kind

# Values of these types are equal exactly if Python says so, which makes finding them again cheap.
_HASHED = frozenset(class_ for class_, name in KINDS.items() if name in ("number", "string", "boolean", "Null", "date"))


@builtin("list contains(list: list, element: any)", run=True)
def list_contains(run, list_, element):
    run.budget.spend(len(list_))
    return any(equal(item, element, run) is True for item in list_)


@builtin("count(list: list)")
def count(list_):
    return Decimal(len(list_))


@builtin("min(list...: any)")
def min_(*items):
    return _extreme(_spread(items), lambda a, b: less(b, a))


@builtin("max(list...: any)")
def max_(*items):
    return _extreme(_spread(items), less)


def _spread(items: tuple) -> list:
    """`min(1, 2)` means `min([1, 2])`."""
    return items[0] if len(items) == 1 and kind(items[0]) == LIST else list(items)


def _extreme(items: list, worse):
    if not items or worse(items[0], items[0]) is None:
        return None
    best = items[0]
    for item in items[1:]:
        beaten = worse(best, item)
        if beaten is None:
            return None
        if beaten:
            best = item
    return best


@builtin("all(list...: any)")
def all_(*items):
    """False beats null beats true."""
    return conjunction(_spread(items))


@builtin("any(list...: any)")
def any_(*items):
    """True beats null beats false."""
    inverse = conjunction(not item if isinstance(item, bool) else None for item in _spread(items))
    return None if inverse is None else not inverse


@builtin("sublist(list: list, start position: number, length?: number)", run=True)
def sublist(run, list_, start, length=None):
    start = whole(start)
    first = start - 1 if start > 0 else len(list_) + start
    if start == 0 or not 0 <= first < len(list_):
        return None
    last = len(list_) if length is None else first + whole(length)
    if not first < last <= len(list_):
        return None
    run.budget.items(last - first)
    return list_[first:last]


@builtin("append(list: list, item...: any)", run=True)
def append(run, list_, *items):
    run.budget.items(len(list_) + len(items))
    return [*list_, *items]


@builtin("concatenate(list...: list)", run=True)
def concatenate(run, *lists):
    run.budget.items(sum(map(len, lists)))
    return [item for list_ in lists for item in list_]


@builtin("insert before(list: list, position: number, newItem: any)", run=True)
def insert_before(run, list_, position, item):
    run.budget.items(len(list_) + 1)
    place = _place(list_, position)
    return None if place is None else [*list_[:place], item, *list_[place:]]


@builtin("remove(list: list, position: number)", run=True)
def remove(run, list_, position):
    run.budget.items(len(list_))
    place = _place(list_, position)
    return None if place is None else [*list_[:place], *list_[place + 1 :]]


@builtin("list replace(list: list, position: number, newItem: any)", run=True)
def list_replace(run, list_, position, item):
    run.budget.items(len(list_))
    place = _place(list_, position)
    return None if place is None else [*list_[:place], item, *list_[place + 1 :]]


@builtin("list replace(list: list, match: function, newItem: any)", run=True)
def list_replace_matching(run, list_, match, new):
    """`new` for each item for which `match(item, new)` is true."""
    run.budget.items(len(list_))
    answers = [match.invoke(run, [item, new]) for item in list_]
    if not all(isinstance(answer, bool) for answer in answers):
        return None
    return [new if answer else item for item, answer in zip(list_, answers, strict=True)]


def _place(list_: list, position) -> int | None:
    """Where a position counted from 1, or from -1 backwards, is in Python's counting."""
    place = whole(position)
    if place == 0 or abs(place) > len(list_):
        return None
    return place - 1 if place > 0 else len(list_) + place


@builtin("reverse(list: list)", run=True)
def reverse(run, list_):
    run.budget.items(len(list_))
    return list_[::-1]


@builtin("index of(list: list, match: any)", run=True)
def index_of(run, list_, match):
    run.budget.spend(len(list_))
    return [Decimal(place) for place, item in enumerate(list_, 1) if equal(item, match, run) is True]


@builtin("union(list...: list)", run=True)
def union(run, *lists):
    return distinct_values(run, concatenate(run, *lists))


@builtin("distinct values(list: list)", run=True)
def distinct_values(run, list_):
    return [item for item, seen in _with_seen(run, list_) if not seen]


@builtin("duplicate values(list: list)", run=True)
def duplicate_values(run, list_):
    """Camunda's extension: each value that comes again, once."""
    return distinct_values(run, [item for item, seen in _with_seen(run, list_) if seen])


def _with_seen(run, list_: list):
    """Each item, and whether an equal one came before it."""
    hashed, others = set(), []
    for item in list_:
        run.budget.spend(1)
        if type(item) in _HASHED:
            key = (type(item), item)
            yield item, key in hashed
            hashed.add(key)
        else:
            run.budget.spend(len(others))
            seen = any(equal(item, other, run) is True for other in others)
            yield item, seen
            if not seen:
                others.append(item)


@builtin("flatten(list: list)", run=True)
def flatten(run, list_):
    flat: list = []
    pending = [iter(list_)]
    while pending:
        for item in pending[-1]:
            run.budget.spend(1)
            if kind(item) == LIST:
                pending.append(iter(item))
                break
            flat.append(item)
        else:
            pending.pop()
    run.budget.items(len(flat))
    return flat


@builtin("sort(list: list, precedes?: function)", run=True)
def sort(run, list_, precedes=None):
    """In the order of `precedes(a, b)`, or of `a < b`; equals keep their order."""
    run.budget.items(len(list_))
    if precedes is None:
        if any(less(list_[0], item) is None for item in list_):
            return None
        comes_before = less
    else:
        if kind(precedes) != FUNCTION or len(list_) == 1:
            return list_[:]

        def comes_before(a, b):
            run.budget.spend(1)
            answer = precedes.invoke(run, [a, b])
            if not isinstance(answer, bool):
                raise TypeError("precedes must be true or false")
            return answer

    return sorted(list_, key=functools.cmp_to_key(lambda a, b: -1 if comes_before(a, b) else int(comes_before(b, a))))


@builtin("partition(list: list, size: number)", run=True)
def partition(run, list_, size):
    """Camunda's extension: the list in pieces of `size`."""
    size = whole(size)
    run.budget.items(len(list_))
    return [list_[place : place + size] for place in range(0, len(list_), size)] if size > 0 else None


@builtin("is empty(list: list)")
def is_empty(list_):
    """Camunda's extension."""
    return not list_


@builtin("get or else(value: any, default: any)")
def get_or_else(value, default):
    """Camunda's extension: `default` instead of null."""
    return default if value is None else value


@builtin("is defined(value: any)")
def is_defined(value):
    """Camunda's extension: whether the value is not null."""
    return value is not None
