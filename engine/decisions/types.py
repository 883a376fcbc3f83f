"""Types of a file, compiled: whether a value is of a type, and what becomes of one that is not (10.3.2.9)."""

from collections.abc import Callable
from typing import Any

from engine import feel
from engine.decisions.model import Item
from engine.decisions.running import Run
from engine.feel.temporal import midnight
from engine.feel.values import DATE, DATE_TIME, KINDS, kind

_TEXTS = frozenset(("date", "time", "date and time", "days and time duration", "years and months duration"))
_CLASSES = {name: class_ for class_, name in KINDS.items()}  # of several, the last: what most values are


class Mismatch(Exception):
    """A value is not of the type and no conversion makes it so."""


class NotAllowed(Mismatch):
    """A value is of the type, but not among those it allows."""


class Type:
    """A type ready to judge values. Null is a value of every type (10.3.2.9.1).

    `kind`: the built-in kind, None for any. `item`: the type of each item where it is a collection, itself otherwise.
    """

    def __init__(self, name: str, kind_: str | None = None, tests=None):
        self.name = name
        self.kind = kind_
        self.tests = tests
        self.components: dict[str, Type] = {}
        self.base: Type | None = None
        self.item: Type = self
        self.arity: int | None = None  # of functions

    @property
    def exact(self) -> type | None:
        """The Python class all of whose values are of this type; None where there is more to ask."""
        plain = self.tests is None and self.base is None and not self.components and self.item is self and self.arity is None
        return _CLASSES.get(self.kind) if plain else None

    @property
    def listed(self) -> str:
        """The text of the unary tests that restrict a value (of a collection: an item), its own or of what it refines, or ""."""
        if self.item is not self:
            return self.item.listed
        if self.tests is not None:
            return self.tests.text
        return self.base.listed if self.base else ""

    @property
    def is_text_in_json(self) -> bool:
        """Whether JSON has texts for its values: dates, times, durations."""
        return self._kind() in _TEXTS

    def check(self, value, run: Run) -> None:
        """Raises Mismatch where `value` does not conform (10.3.2.9.2)."""
        if value is None:
            return
        if self.item is not self:
            if type(value) is not list:
                raise Mismatch
            run.budget.spend(len(value))
            for item in value:
                self.item.check(item, run)
        elif self.base is not None:
            self.base.check(value, run)
        elif self.kind is not None and kind(value) != self.kind:
            raise Mismatch
        for name, component in self.components.items():
            if name not in value:
                raise Mismatch
            component.check(value[name], run)
        if self.arity is not None and len(value.parameters) != self.arity:
            raise Mismatch
        if self.tests is not None and not run.passes(self.tests, value):
            raise NotAllowed

    def convert(self, value, run: Run):
        """The value where this type is asked for (10.3.2.9.4): as it is if it conforms; a list of one for its item, an item for a
        list of one, a date for its first moment (UTC). Raises Mismatch where the specification says null."""
        try:
            self.check(value, run)
            return value
        except Mismatch:
            if type(value) is list and len(value) == 1 and self._list() is None:
                return self.convert(value[0], run)
            if kind(value) == DATE and self._kind() == DATE_TIME:
                value = midnight(value)
            elif type(value) is not list and self._list() is not None:
                value = [value]
            else:
                raise
        self.check(value, run)
        return value

    def read(self, value, run: Run):
        """A host's value: texts are read as the dates, times and durations they stand for, and a component that is not there is
        null; then as `convert` does."""
        return self.convert(self._read(value), run)

    def _read(self, value):
        items = self._list()
        if items is not None:
            return [items._read(item) for item in value] if type(value) is list else items._read(value)
        components = self._components()
        if type(value) is dict and components:
            given = {name: component._read(value.get(name)) for name, component in components.items()}
            return {**value, **given}
        if type(value) is list and len(value) == 1:
            return [self._read(value[0])]
        if type(value) is str and self._kind() in _TEXTS:
            try:
                return feel.cast(value, self._kind())
            except feel.FeelError:
                return value
        return value

    # What a type that only refines another has from that one.

    def _kind(self) -> str | None:
        return self.base._kind() if self.base else self.kind

    def _list(self) -> "Type | None":
        if self.item is not self:
            return self.item
        if self.base:
            return self.base._list()
        return ANY if self.kind == "list" else None

    def _components(self) -> dict[str, "Type"]:
        return self.base._components() if self.base else self.components

    def component(self, name: str) -> "Type | None":
        """The component of that name, of the items where it is a collection."""
        items = self._list()
        return items.component(name) if items else self._components().get(name)


ANY = Type("Any")


class Types:
    """The types of a file by name; built-in ones are made when they are asked for."""

    def __init__(self, items: dict[str, Item], tests: Callable, refuse: Callable):
        """`tests`: cell → compiled unary tests or None; `refuse`: as a reader's."""
        self.items, self._tests, self._refuse = items, tests, refuse
        self._types: dict[str, Type] = {}
        self.component_names: set[str] = set()
        for name in items:
            self._named(name, ())

    def __getitem__(self, name: str | None) -> Type:
        """The type of that name; without one any value is right."""
        if name is None:
            return ANY
        if name not in self._types:
            self._types[name] = Type(name, name)
        return self._types[name]

    def _named(self, name: str | None, path: tuple[str, ...]) -> Type:
        if name not in self.items or name in self._types:
            return self[name]
        if name in path:
            zh = f"类型“{name}”引用了自己（{' → '.join([*path, name])}）"
            self._refuse("dmn_type", self.items[name].id or name, zh, f'Type "{name}" refers to itself')
            return ANY
        self._types[name] = self._made(self.items[name], (*path, name))
        return self._types[name]

    def _made(self, item: Item, path: tuple[str, ...]) -> Type:
        made = Type(item.name, "context" if item.components else None, self._tests(item.allowed) if item.allowed else None)
        if item.parameters is not None:
            made.kind, made.arity = "function", len(item.parameters)
        elif item.components:
            made.components = {part.name: self._made(part, path) for part in item.components}
            self.component_names |= made.components.keys()
        elif item.base is not None:
            made.base = self._named(item.base, path)
        if item.collection:
            collection = Type(item.name, "list")
            collection.item, made = made, collection
        if item.constraint:
            restricted = Type(item.name, None, self._tests(item.constraint))
            restricted.base, made = made, restricted
        return made

    def result_name(self, name: str | None) -> str | None:
        """The type of what a function gives whose variable has that type: a function type's result; in old files the type itself."""
        item = self.items.get(name)
        return item.base if item and item.parameters is not None else name


class Values:
    """A type and a set of allowed values, of a variable or of a column; `what` and `label` name it in errors."""

    def __init__(self, what: str, label: str, type_: Type, tests=None):
        self.what, self.label, self.type, self.tests = what, label, type_, tests
        self._exact = type_.exact if tests is None else None

    def admit(self, value, run: Run, reads: bool = False, rule: str | None = None) -> Any:
        """The value converted to the type. Null passes: nothing known is no wrong value. Where it does not fit, the fault is the
        run's, which names the `rule` it stands in, and the value null. With `reads`, and for hosts everywhere, texts are read as the dates they stand for."""
        if value is None or type(value) is self._exact:
            return value
        if self.type is not ANY:
            try:
                value = (self.type.read if reads or run.strict else self.type.convert)(value, run)
            except NotAllowed:
                return self._fault("not_allowed", "的值不在允许的范围内", run, rule)
            except Mismatch:
                return self._fault("wrong_type", f"的值不能转换为 {self.type.name}", run, rule)
        if self.tests is not None and not run.passes(self.tests, value):
            return self._fault("not_allowed", "的值不在允许的范围内", run, rule)
        return value

    def _fault(self, code: str, reason: str, run: Run, rule: str | None) -> None:
        where = {"column": self.label} if rule is None else {"column": self.label, "rule": rule}
        return run.fault(code, f"{f'规则“{rule}”的' if rule else ''}{self.what}“{self.label}”{reason}", **where)
