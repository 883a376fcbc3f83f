"""Range functions (table 82): how points and ranges lie to each other, and `range()`.

A point is given as it is; an end that a range does not have lies at infinity. Ends that cannot be compared make the answer null.
"""

import re

from engine.feel import nodes
from engine.feel.builtins.registry import BUILTINS, builtin
from engine.feel.errors import FeelSyntaxError
from engine.feel.names import Names
from engine.feel.operators import equal, less
from engine.feel.parser import Parser
from engine.feel.values import ORDERED, RANGE, Range, kind


class _End:
    """One end of a range, or a point (which is both of its ends, and included)."""

    def __init__(self, value, included: bool = True, side: int = 0):
        self.value = value
        self.included = included
        self.infinite = side if value is None else 0

    def __lt__(self, other: "_End") -> bool:
        if self.infinite or other.infinite:
            return self.infinite < other.infinite
        return _known(less(self.value, other.value))

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, _End):
            return NotImplemented
        if self.infinite or other.infinite:
            return self.infinite == other.infinite
        return _known(equal(self.value, other.value))

    __hash__ = None


def _known(answer: bool | None) -> bool:
    if answer is None:
        raise TypeError("ends of different types")
    return answer


def _ends(value) -> tuple[_End, _End]:
    if kind(value) == RANGE:
        return _End(value.start, value.start_included, -1), _End(value.end, value.end_included, 1)
    if kind(value) not in ORDERED:
        raise TypeError("no point of any range")
    return _End(value), _End(value)


def _is_range(*values) -> bool:
    return all(kind(value) == RANGE for value in values)


def _starts_no_later(a: _End, b: _End) -> bool:
    return a < b or (a == b and (a.included or not b.included))


def _ends_no_earlier(a: _End, b: _End) -> bool:
    return b < a or (a == b and (a.included or not b.included))


@builtin("before(point1: any, point2: any)")
@builtin("before(point: any, range: any)")
@builtin("before(range: any, point: any)")
@builtin("before(range1: any, range2: any)")
def before(first, second):
    end, start = _ends(first)[1], _ends(second)[0]
    return end < start or (end == start and not (end.included and start.included))


@builtin("after(point1: any, point2: any)")
@builtin("after(point: any, range: any)")
@builtin("after(range: any, point: any)")
@builtin("after(range1: any, range2: any)")
def after(first, second):
    return before(second, first)


@builtin("meets(range1: range, range2: range)")
def meets(first, second):
    end, start = _ends(first)[1], _ends(second)[0]
    return end.included and start.included and end == start


@builtin("met by(range1: range, range2: range)")
def met_by(first, second):
    return meets(second, first)


@builtin("overlaps(range1: range, range2: range)")
def overlaps(first, second):
    return not before(first, second) and not before(second, first)


@builtin("overlaps before(range1: range, range2: range)")
def overlaps_before(first, second):
    (start1, end1), (start2, end2) = _ends(first), _ends(second)
    begins = start1 < start2 or (start1 == start2 and start1.included and not start2.included)
    return begins and not before(first, second) and _ends_no_earlier(end2, end1)


@builtin("overlaps after(range1: range, range2: range)")
def overlaps_after(first, second):
    return overlaps_before(second, first)


@builtin("finishes(point: any, range: range)")
@builtin("finishes(range1: range, range2: range)")
def finishes(first, second):
    (start1, end1), (start2, end2) = _ends(first), _ends(second)
    if not _is_range(first):
        return end2.included and end2 == end1
    return end1.included == end2.included and end1 == end2 and _starts_no_later(start2, start1)


@builtin("finished by(range: range, point: any)")
@builtin("finished by(range1: range, range2: range)")
def finished_by(first, second):
    return finishes(second, first)


@builtin("includes(range: range, point: any)")
@builtin("includes(range1: range, range2: range)")
def includes(first, second):
    (start1, end1), (start2, end2) = _ends(first), _ends(second)
    return _starts_no_later(start1, start2) and _ends_no_earlier(end1, end2)


@builtin("during(point: any, range: range)")
@builtin("during(range1: range, range2: range)")
def during(first, second):
    return includes(second, first)


@builtin("starts(point: any, range: range)")
@builtin("starts(range1: range, range2: range)")
def starts(first, second):
    (start1, end1), (start2, end2) = _ends(first), _ends(second)
    if not _is_range(first):
        return start2.included and start2 == start1
    return start1.included == start2.included and start1 == start2 and _ends_no_earlier(end2, end1)


@builtin("started by(range: range, point: any)")
@builtin("started by(range1: range, range2: range)")
def started_by(first, second):
    return starts(second, first)


@builtin("coincides(point1: any, point2: any)")
@builtin("coincides(range1: range, range2: range)")
def coincides(first, second):
    if _is_range(first) != _is_range(second):
        return None
    ends = list(zip(_ends(first), _ends(second), strict=True))
    return all(a == b and a.included == b.included for a, b in ends)


_END_FUNCTIONS = ("date", "time", "date and time", "duration")
_RANGE = re.compile(r"\s*([\[(\]])(.*)([\])\[])\s*", re.DOTALL)


@builtin("range(from: string)", run=True)
def range_(run, text):
    """`range("[1..5]")`: a range written as text, its ends literals or calls such as `date("2026-01-31")`; an open end may be
    left out."""
    match = _RANGE.fullmatch(text)
    if match is None:
        return None
    opening, inside, closing = match.groups()
    no_start, no_end = inside.lstrip().startswith(".."), inside.rstrip().endswith("..")
    if (no_start and opening == "[") or (no_end and closing == "]"):
        return None
    inside = f"{'null' * no_start}{inside}{'null' * no_end}"
    try:
        tree = Parser(f"{opening}{inside}{closing}", [Names(_END_FUNCTIONS)]).whole_expression()
    except FeelSyntaxError:
        return None
    if not isinstance(tree, nodes.Interval):
        return None
    start = None if no_start else _literal(run, tree.start)
    end = None if no_end else _literal(run, tree.end)
    if (start is None) != no_start or (end is None) != no_end or (no_start and no_end):
        return None
    if not no_start and not no_end and (kind(start) != kind(end) or less(end, start) is not False):
        return None
    return Range(start, end, tree.start_included, tree.end_included)


def _literal(run, node: nodes.Node):
    if isinstance(node, nodes.Literal):
        return node.value
    if isinstance(node, nodes.Call) and isinstance(node.function, nodes.Name) and node.function.name in _END_FUNCTIONS:
        arguments = [argument.value if isinstance(argument, nodes.Literal) else None for argument in node.arguments]
        return BUILTINS[node.function.name].invoke(run, arguments)
    return None
