"""The tree between parser and compiler: one class per construct of the grammar, no behaviour."""

from collections import abc
from dataclasses import dataclass, field
from typing import Any


@dataclass(slots=True, eq=False)
class Node:
    """A piece of an expression."""


@dataclass(slots=True, eq=False)
class Literal(Node):
    value: Any


@dataclass(slots=True, eq=False)
class Name(Node):
    """A variable, a built-in function, `?`, or inside a filter perhaps an entry of the item."""

    name: str


@dataclass(slots=True, eq=False)
class Path(Node):
    source: Node
    name: str


@dataclass(slots=True, eq=False)
class Filter(Node):
    source: Node
    condition: Node


@dataclass(slots=True, eq=False)
class Call(Node):
    function: Node
    arguments: list[Node]


@dataclass(slots=True, eq=False)
class NamedCall(Node):
    function: Node
    arguments: dict[str, Node]


@dataclass(slots=True, eq=False)
class Negation(Node):
    operand: Node


@dataclass(slots=True, eq=False)
class Arithmetic(Node):
    """`+ - * / **`."""

    operator: str
    left: Node
    right: Node


@dataclass(slots=True, eq=False)
class Comparison(Node):
    """`= != < <= > >=`."""

    operator: str
    left: Node
    right: Node


@dataclass(slots=True, eq=False)
class Logic(Node):
    """A chain of `and` or of `or`."""

    operator: str
    operands: list[Node]


@dataclass(slots=True, eq=False)
class Between(Node):
    value: Node
    low: Node
    high: Node


@dataclass(slots=True, eq=False)
class Test(Node):
    """One positive unary test: `> 5` (operator `>`) or an expression (operator `in`)."""

    operator: str
    operand: Node


@dataclass(slots=True, eq=False)
class Tests(Node):
    """The value passes if it passes one of `tests`; the other way round when negated. No tests: everything passes."""

    tests: list[Test]
    negated: bool = False


@dataclass(slots=True, eq=False)
class In(Node):
    value: Node
    tests: list[Test]


@dataclass(slots=True, eq=False)
class Interval(Node):
    start: Node | None
    end: Node | None
    start_included: bool
    end_included: bool


@dataclass(slots=True, eq=False)
class ListOf(Node):
    items: list[Node]


@dataclass(slots=True, eq=False)
class ContextOf(Node):
    entries: list[tuple[str, Node]]


@dataclass(slots=True, eq=False)
class If(Node):
    condition: Node
    then: Node
    otherwise: Node


@dataclass(slots=True, eq=False)
class Iterator(Node):
    """`name in source`, or `name in source..end`."""

    name: str
    source: Node
    end: Node | None


@dataclass(slots=True, eq=False)
class For(Node):
    iterators: list[Iterator]
    body: Node


@dataclass(slots=True, eq=False)
class Quantified(Node):
    """`some` or `every`."""

    quantifier: str
    iterators: list[Iterator]
    condition: Node


@dataclass(slots=True, eq=False)
class Type(Node):
    """`list<number>`: name `list`, arguments `[number]`; a context's entries and a function's result have their own fields."""

    name: str
    arguments: list["Type"] = field(default_factory=list)
    entries: dict[str, "Type"] = field(default_factory=dict)
    result: "Type | None" = None


@dataclass(slots=True, eq=False)
class InstanceOf(Node):
    value: Node
    type: Type


@dataclass(slots=True, eq=False)
class FunctionOf(Node):
    """A function written down; each parameter with its type, if it has one."""

    parameters: list[tuple[str, Type | None]]
    body: Node


def children(node: Node) -> abc.Iterator[Node]:
    """The nodes right below one, in lists and contexts too."""
    pending = [getattr(node, slot) for slot in type(node).__slots__]
    while pending:
        part = pending.pop()
        if isinstance(part, Node):
            yield part
        elif isinstance(part, dict):
            pending += part.values()
        elif isinstance(part, list | tuple):
            pending += part
