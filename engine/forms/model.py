"""The compiled form: immutable, shared by every request of a process."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

from engine import feel
from engine.forms.patterns import Pattern
from engine.forms.templates import Template

# What holds a value of its own, what holds other components, what only shows something.
KEYED = frozenset(
    {"textfield", "textarea", "number", "datetime", "checkbox", "checklist", "taglist", "radio", "select", "expression"}
)
CONTAINERS = frozenset({"group", "dynamiclist"})
SHOWN = frozenset({"text", "image", "table", "separator", "spacer"})
MANY = frozenset({"checklist", "taglist"})
ONE = frozenset({"radio", "select"})
CHOICES = MANY | ONE

# Sizes nobody fills in by hand.
TEXT_CAP = 10_000
LIST_CAP = 200
OPTION_CAP = 2_000

MISSING: Any = type("Missing", (), {"__repr__": lambda self: "MISSING", "__bool__": lambda self: False})()


def nothing() -> Mapping:
    """An empty mapping that nobody can fill."""
    return _NOTHING


_NOTHING: Mapping = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Condition:
    """`conditional.hide` or a FEEL `readonly`.

    form-js runs them as unary tests without an input, where null passes (null = null) and `not(null)` does not. Authors see that
    in their preview, so it is the same here: `= score < 60` hides a field while the score is empty.
    """

    expression: feel.Expression
    negated: bool = False

    def holds(self, value: Any) -> bool:
        """Whether the condition is met when its expression came out as `value`."""
        return (value is True or value is None) is not self.negated


@dataclass(frozen=True, slots=True)
class Option:
    """One choice: its value is a FEEL value, most often a string."""

    value: Any
    label: str
    label_en: str | None = None


@dataclass(frozen=True, slots=True)
class Choices:
    """Where the options come from: exactly one of the three is set."""

    static: tuple[Option, ...] | None = None
    key: str | None = None
    expression: feel.Expression | None = None


@dataclass(frozen=True, slots=True)
class Rules:
    """`validate` of a component. A bound is a number, or an expression of one."""

    required: bool | feel.Expression = False
    # min, max (Decimal), minLength, maxLength (int); each may be an Expression.
    bounds: Mapping[str, Any] = field(default_factory=nothing)
    pattern: Pattern | None = None
    pattern_message: str | None = None
    kind: str | None = None  # "email" or "phone"


@dataclass(frozen=True, slots=True)
class Component:
    """One component of the form.

    `path` leads from its scope (the form, or one entry of the nearest dynamic list) to its value, the paths of groups included;
    components that only show something have an empty one. `live` holds the FEEL texts that the browser may run too.
    """

    kind: str
    id: str
    path: tuple[str, ...] = ()
    label: str | Template = ""
    description: str | Template = ""
    hide: Condition | None = None
    readonly: bool | Condition = False
    disabled: bool = False
    default: Any = MISSING
    rules: Rules = field(default_factory=Rules)
    choices: Choices | None = None
    expression: feel.Expression | None = None  # of an expression, or a table's data source
    text: str | Template = ""
    children: tuple["Component", ...] = ()
    attributes: Mapping[str, Any] = field(default_factory=nothing)
    live: Mapping[str, str] = field(default_factory=nothing)

    @property
    def computed(self) -> bool:
        """Whether the server alone makes its value."""
        return self.kind == "expression"

    @property
    def fixed(self) -> bool:
        """Whether a dynamic list keeps its entries: none may be added or removed."""
        return self.readonly is True or not self.attributes.get("allow_add_remove", True)

    @property
    def served(self) -> bool:
        """Whether what is submitted for it never counts."""
        return self.computed or self.disabled or self.readonly is True
