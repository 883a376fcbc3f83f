"""What a DMN file says, as plain records: between reading and compiling."""

from dataclasses import dataclass, field

from engine.findings import Finding

HIT_POLICIES = {
    "UNIQUE": "U",
    "ANY": "A",
    "PRIORITY": "P",
    "FIRST": "F",
    "OUTPUT ORDER": "O",
    "RULE ORDER": "R",
    "COLLECT": "C",
}
AGGREGATIONS = ("SUM", "MIN", "MAX", "COUNT")

# typeRef of a built-in type, in every spelling tools use → the type's name in FEEL; None converts nothing.
TYPES = {
    "string": "string",
    "number": "number",
    "boolean": "boolean",
    "date": "date",
    "time": "time",
    "dateTime": "date and time",
    "dateAndTime": "date and time",
    "date and time": "date and time",
    "dayTimeDuration": "days and time duration",
    "days and time duration": "days and time duration",
    "day and time duration": "days and time duration",
    "yearMonthDuration": "years and months duration",
    "years and months duration": "years and months duration",
    "year and month duration": "years and months duration",
    "list": "list",
    "context": "context",
    "function": "function",
    "range": "range",
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
class Item:
    """A type (7.3.2): an item definition, or a component of one. `base`: the type it refines, None for components or any.
    `allowed` restricts the values, of a collection each item's; `constraint` restricts the value as a whole (both unary tests).
    `parameters` is None except for functions, whose result is `base`."""

    id: str | None
    name: str
    base: str | None = None
    collection: bool = False
    components: tuple["Item", ...] = ()
    allowed: Cell | None = None
    constraint: Cell | None = None
    parameters: tuple["Parameter", ...] | None = None


@dataclass(frozen=True)
class Parameter:
    """A name with a type: of a function, of a column, of a variable."""

    name: str
    type: str | None = None


# --- boxed expressions (7.3, 10.2) --------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Literal:
    """One FEEL expression."""

    expression: Cell
    type: str | None


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
    """A column of conclusions; `name` is the key of its value in the result where there are several. `default`: its value where
    no rule matches."""

    id: str | None
    label: str
    name: str
    type: str | None
    allowed: Cell | None
    default: Cell | None = None


@dataclass(frozen=True)
class Rule:
    """One row. `annotations`: the text in dmn-js's annotation column first (where there is one), then the named annotations."""

    id: str
    inputs: tuple[Cell, ...]
    outputs: tuple[Cell, ...]
    annotations: tuple[str, ...]


@dataclass(frozen=True)
class Table:
    """A decision table; `hit_policy` is one of U A P F O R C."""

    id: str | None
    hit_policy: str
    aggregation: str | None
    inputs: tuple[Input, ...]
    outputs: tuple[Output, ...]
    rules: tuple[Rule, ...]
    type: str | None = None


@dataclass(frozen=True)
class Entry:
    """One line of a context; without a name it is the result cell."""

    name: str | None
    type: str | None
    value: "Boxed"


@dataclass(frozen=True)
class Context:
    """A boxed context (10.2.1.4)."""

    entries: tuple[Entry, ...]
    type: str | None


@dataclass(frozen=True)
class Listing:
    """A boxed list (10.2.1.5)."""

    items: tuple["Boxed", ...]
    type: str | None


@dataclass(frozen=True)
class Relation:
    """A boxed relation (10.2.1.6): a list of contexts with the same keys."""

    columns: tuple[Parameter, ...]
    rows: tuple[tuple["Boxed", ...], ...]
    type: str | None


@dataclass(frozen=True)
class Function:
    """A boxed function (10.2.1.7); `body` is None where the file gives none."""

    parameters: tuple[Parameter, ...]
    body: "Boxed | None"
    type: str | None


@dataclass(frozen=True)
class Invocation:
    """A boxed invocation (10.2.1.3): what is called, and each parameter with its value."""

    function: "Boxed"
    bindings: tuple[tuple[Parameter, "Boxed"], ...]
    type: str | None


@dataclass(frozen=True)
class Conditional:
    """A boxed conditional (10.2.1.8)."""

    condition: "Boxed"
    then: "Boxed"
    otherwise: "Boxed"
    type: str | None


@dataclass(frozen=True)
class Filter:
    """A boxed filter (10.2.1.9)."""

    source: "Boxed"
    match: "Boxed"
    type: str | None


@dataclass(frozen=True)
class Iterator:
    """A boxed iterator (10.2.1.10); `kind` is for, some or every."""

    kind: str
    variable: str
    source: "Boxed"
    body: "Boxed"
    type: str | None


Boxed = Literal | Table | Context | Listing | Relation | Function | Invocation | Conditional | Filter | Iterator

# --- the requirements graph (6.3) -----------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Data:
    """Input data: its name, and the name and type of its variable."""

    id: str
    name: str
    variable: str
    type: str | None


@dataclass(frozen=True)
class Node:
    """A decision as drawn: its body, and the ids of the decisions and input data (`requires`) and of the functions (`knowledge`)
    it requires."""

    id: str
    name: str
    variable: str | None
    type: str | None
    body: Boxed | None
    requires: tuple[str, ...]
    knowledge: tuple[str, ...] = ()


@dataclass(frozen=True)
class Knowledge:
    """A business knowledge model: a function with a name."""

    id: str
    name: str
    type: str | None
    function: Function
    knowledge: tuple[str, ...]


@dataclass(frozen=True)
class Service:
    """A decision service: the ids of the decisions it answers with, and of the decisions and data it is given."""

    id: str
    name: str
    type: str | None
    outputs: tuple[str, ...]
    decisions: tuple[str, ...]
    data: tuple[str, ...]


@dataclass
class Source:
    """Everything a file says, by id; types by name. `faulty`: what reading found wrong in an element of the graph."""

    id: str = ""
    name: str = ""
    types: dict[str, Item] = field(default_factory=dict)
    nodes: dict[str, Node] = field(default_factory=dict)
    inputs: dict[str, Data] = field(default_factory=dict)
    knowledge: dict[str, Knowledge] = field(default_factory=dict)
    services: dict[str, Service] = field(default_factory=dict)
    faulty: dict[str, list[Finding]] = field(default_factory=dict)

    def is_trifle(self, finding: Finding) -> bool:
        """Whether an error does not change what any decision comes to: an id used twice that nothing refers to."""
        return finding.code == "duplicate_id" and not any(
            finding.element in elements for elements in (self.nodes, self.inputs, self.knowledge, self.services)
        )
