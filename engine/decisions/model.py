"""What a DMN file says, as plain records: between reading and compiling."""

from dataclasses import dataclass, field

HIT_POLICIES = {"UNIQUE": "U", "ANY": "A", "FIRST": "F", "RULE ORDER": "R", "COLLECT": "C"}
AGGREGATIONS = ("SUM", "MIN", "MAX", "COUNT")

# typeRef → the type's name in FEEL; None converts nothing.
TYPES = {
    "string": "string",
    "number": "number",
    "boolean": "boolean",
    "date": "date",
    "time": "time",
    "dateTime": "date and time",
    "date and time": "date and time",
    "dayTimeDuration": "days and time duration",
    "days and time duration": "days and time duration",
    "yearMonthDuration": "years and months duration",
    "years and months duration": "years and months duration",
    "any": None,
    "Any": None,
    "": None,
}


@dataclass(frozen=True)
class Cell:
    """One expression's text and the id of the element that holds it."""

    id: str | None
    text: str


@dataclass(frozen=True)
class Input:
    """A column of conditions: `expression` is what is tested; `allowed` restricts its values (unary tests) or is None."""

    id: str | None
    label: str
    expression: Cell
    type: str | None
    allowed: Cell | None


@dataclass(frozen=True)
class Output:
    """A column of conclusions; `name` is the key of its value in the result where there are several."""

    id: str | None
    label: str
    name: str
    type: str | None
    allowed: Cell | None


@dataclass(frozen=True)
class Rule:
    """One row. `annotations`: the text in dmn-js's annotation column first (where there is one), then the named annotations."""

    id: str
    inputs: tuple[Cell, ...]
    outputs: tuple[Cell, ...]
    annotations: tuple[str, ...]


@dataclass(frozen=True)
class Table:
    """The body of a decision that is a table; `hit_policy` is one of U A F R C."""

    id: str | None
    hit_policy: str
    aggregation: str | None
    inputs: tuple[Input, ...]
    outputs: tuple[Output, ...]
    rules: tuple[Rule, ...]


@dataclass(frozen=True)
class Literal:
    """The body of a decision that is one expression."""

    expression: Cell
    type: str | None


@dataclass(frozen=True)
class Node:
    """A decision as drawn: its body and the ids of the decisions and input data it requires."""

    id: str
    name: str
    variable: str | None
    type: str | None
    body: Table | Literal | None
    requires: tuple[str, ...]


@dataclass
class Source:
    """Everything a file says. `inputs`: id → (name, type) of input data."""

    id: str = ""
    name: str = ""
    nodes: list[Node] = field(default_factory=list)
    inputs: dict[str, tuple[str, str | None]] = field(default_factory=dict)
