"""One form with one set of data: its fields laid out, and its FEEL run until nothing changes.

How form-js does it, and so we: a condition sees the form's current data, in which a hidden field has the value it had when the form
opened (at the top level) or none (inside groups and lists). form-js runs two rounds, so a chain of three conditions can be left half
settled; we go on until nothing changes, at most `ROUNDS`.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from engine import feel
from engine.forms import values
from engine.forms.messages import Message
from engine.forms.model import KEYED, LIST_CAP, MISSING, OPTION_CAP, Component, Option
from engine.forms.parts import option_of
from engine.forms.templates import Template

ROUNDS = 12
MOST_ERRORS = 100
_SHOWN_NAME = 60


@dataclass(slots=True)
class Scope:
    """What an expression calls `this`: the whole form, or one entry of a list."""

    location: tuple = ()
    parent: "Scope | None" = None
    context: dict = field(default_factory=dict)


@dataclass(slots=True, eq=False)
class Node:
    """One component in its place. `location` leads from the root to its value; `raw` is what was submitted if it made no value."""

    component: Component
    name: str
    location: tuple
    scope: Scope
    parent: "Node | None"
    children: list["Node"] = field(default_factory=list)
    hidden: bool = False
    readonly: bool = False
    error: Message | None = None
    raw: Any = None
    opening: Any = None
    submitted: Any = None
    index: int | None = None  # of an entry of a list

    @property
    def writable(self) -> bool:
        """Whether what is submitted counts."""
        return not (self.hidden or self.readonly or self.component.disabled or self.component.computed)


class Evaluation:
    """`form` opened on `variables`, with `submitted` laid over it if there is any, settled. Errors of shape are in `errors`."""

    def __init__(self, form, variables: Mapping, submitted: Mapping | None, clock: datetime | None):
        self.form = form
        self.variables = variables
        self.clock = clock
        self.zone = clock.tzinfo if clock is not None else None
        self.budget = feel.Budget()
        self.errors: dict[str, Message] = {}
        self.nodes: list[Node] = []
        self.root = Scope()
        self.initial = self._fill(form.fields, variables)
        if submitted is not None and not isinstance(submitted, Mapping):
            self.error("", "wrong_group")
            submitted = None
        if submitted is not None:
            self._refuse_unknown(form.known[""], submitted, "")
        self.top: list[Node] = []
        self.data = self._lay(form.fields, self.initial, submitted, "", (), self.root, None, self.top)
        self._settle()

    def error(self, name: str, code: str, **facts) -> None:
        """Note the first fault of the field `name`."""
        if len(self.errors) < MOST_ERRORS:
            self.errors.setdefault(name, Message(code, **facts))

    # --- the data as the form opens -----------------------------------------------------------------------------------

    def _fill(self, components, found: Mapping) -> dict:
        """A copy of `found` in which every field of `components` has a value: its own, the default, or the empty one."""
        filled = dict(found)
        for component in components:
            if component.kind == "group":
                filled = self._fill(component.children, filled)
            elif component.kind == "dynamiclist":
                entries = get(filled, component.path)
                if not isinstance(entries, list):
                    entries = [{}] * component.attributes["repetitions"]
                entries = [entry if isinstance(entry, dict) else {} for entry in entries[:LIST_CAP]]
                put(filled, component.path, [self._fill(component.children, entry) for entry in entries])
            elif component.kind in KEYED:
                value = values.opening(component, get(filled, component.path), self.zone, self._known_options(component))
                put(filled, component.path, value)
        return filled

    def _known_options(self, component: Component) -> list | None:
        """The values allowed, where no expression decides."""
        choices = component.choices
        if choices is None or choices.expression is not None:
            return None
        return [option.value for option in self._listed(component)]

    def _listed(self, component: Component) -> list[Option] | tuple[Option, ...]:
        if component.choices.static is not None:
            return component.choices.static
        found = self.variables.get(component.choices.key)
        return normalised(found)

    # --- what was submitted -------------------------------------------------------------------------------------------

    def _lay(self, components, initial, submitted, prefix, location, scope, parent, siblings) -> dict:
        """Make the nodes of `components` and the data of their scope: what was submitted over what was there."""
        data = dict(initial)
        for component in components:
            self._place(component, initial, submitted, prefix, location, scope, parent, siblings, data)
        return data

    def _place(self, component, initial, submitted, prefix, location, scope, parent, siblings, data) -> None:
        node = Node(component, prefix + ".".join(component.path), location + component.path, scope, parent)
        node.readonly = component.readonly is True
        self.nodes.append(node)
        siblings.append(node)
        if component.kind == "group":
            for child in component.children:
                self._place(child, initial, submitted, prefix, location, scope, node, node.children, data)
            return
        if not component.path:
            return
        node.opening = node.submitted = get(initial, component.path)
        given = MISSING if submitted is None or component.served else get(submitted, component.path)
        if component.kind == "dynamiclist":
            put(data, component.path, self._entries(node, given))
            return
        if given is not MISSING:
            try:
                node.submitted = values.read(component, given, self.zone)
            except values.Wrong as wrong:
                node.error, node.raw = wrong.message, given
                node.submitted = values.empty(component)
        put(data, component.path, node.submitted)

    def _entries(self, node: Node, given: Any) -> list:
        """The entries of a list, each a node of its own with the list's components inside."""
        component, opening = node.component, node.opening
        if given is None:
            given = []
        if given is not MISSING and not isinstance(given, list):
            node.error, given = Message("wrong_list"), MISSING
        if given is not MISSING:
            if len(given) > LIST_CAP:
                node.error, given = Message("too_many_items", count=LIST_CAP), given[:LIST_CAP]
            if component.fixed and len(given) != len(opening):
                node.error, given = Message("fixed_items", count=len(opening)), MISSING
        laid = []
        for index in range(len(opening) if given is MISSING else len(given)):
            name = f"{node.name}[{index}]"
            entry = Node(component, name, (*node.location, index), node.scope, node, index=index)
            node.children.append(entry)
            self.nodes.append(entry)
            scope = Scope(entry.location, node.scope)
            kept = component.fixed or given is MISSING
            start = opening[index] if kept else self._fill(component.children, {})
            submitted = None if given is MISSING else given[index]
            if submitted is not None and not isinstance(submitted, Mapping):
                entry.error, submitted = Message("wrong_group"), None
            if submitted is not None:
                self._refuse_unknown(self.form.known[component.id], submitted, name + ".")
            laid.append(self._lay(component.children, start, submitted, name + ".", entry.location, scope, entry, entry.children))
        return laid

    def lay_new(self, component: Component, entry: Node, scope: Scope, siblings: list[Node]) -> None:
        """The nodes of an entry that is not there yet, for the page to copy: outside of the data, nothing hidden yet."""
        start = self._fill(component.children, {})
        here = len(self.nodes)
        self._lay(component.children, start, None, entry.name + ".", entry.location, scope, entry, siblings)
        made, self.nodes = self.nodes[here:], self.nodes[:here]
        for node in made:
            hide = node.component.hide
            hidden = node.parent is not None and node.parent.hidden
            node.hidden = hidden or (hide is not None and hide.holds(self.run(hide.expression, self.context(node.scope))))

    def _refuse_unknown(self, known: Mapping, submitted: Mapping, prefix: str) -> None:
        """Names that the form does not have; a context where a value belongs is found when the value is read."""
        for name, value in submitted.items():
            inside = known.get(name) if isinstance(name, str) else None
            if inside is None:
                self.error(prefix + printable(name), "unknown")
            elif isinstance(inside, Mapping):
                if isinstance(value, Mapping):
                    self._refuse_unknown(inside, value, f"{prefix}{name}.")
                elif value is not None:
                    self.error(prefix + name, "wrong_group")

    # --- FEEL ---------------------------------------------------------------------------------------------------------

    def run(self, expression: feel.Expression, context: dict) -> Any:
        """The value of `expression`; all of a form's expressions spend from one purse."""
        return expression.evaluate(context, self.clock, self.budget)

    def text(self, text: str | Template, node: Node, escape=str) -> str:
        """A label or text, filled in; `escape` is for the values."""
        return text if isinstance(text, str) else text.render(self.context(node.scope), self.run, escape)

    def context(self, scope: Scope) -> dict:
        """What an expression in `scope` sees; made once a round, since most forms ask for one scope only."""
        if not scope.context:
            if scope.parent is None:
                own = {"this": self.seen, "parent": None, "i": []}
            else:
                above = self.context(scope.parent)
                this = get(self.seen, scope.location)
                parent = {"this": above["_this_"], "parent": above["_parent_"], "i": above["_i_"]}
                if isinstance(above["_this_"], dict):
                    parent |= above["_this_"]
                own = {
                    "this": None if this is MISSING else this,
                    "parent": parent,
                    "i": [*above["_i_"], feel.from_plain(scope.location[-1] + 1)],
                }
            scope.context = own | self.seen | {f"_{name}_": value for name, value in own.items()}
        return scope.context

    def options(self, node: Node) -> list[Option] | tuple[Option, ...]:
        """The options of a choice, as the data stands."""
        choices = node.component.choices
        if choices.expression is None:
            return self._listed(node.component)
        return normalised(self.run(choices.expression, self.context(node.scope)))

    def _settle(self) -> None:
        self.seen = self.data
        offering = [n for n in self.nodes if n.component.choices is not None and n.component.choices.expression is not None]
        for _ in range(ROUNDS):
            changed = self.form.live and self._round()
            for node in offering:
                changed = self._withdraw(node) or changed
            if not changed:
                break
            self._see()

    def _withdraw(self, node: Node) -> bool:
        """What was there before and is no longer on offer is shown as nothing, as form-js does; what was submitted is an error."""
        if node.hidden or node.submitted is not node.opening:
            return False
        kept = values.opening(node.component, node.opening, self.zone, [option.value for option in self.options(node)])
        if _alike(kept, node.opening):
            return False
        node.submitted = node.opening = kept
        self._assign(node, kept)
        return True

    def _round(self) -> bool:
        """Run every condition and expression against the same data; whether anything came out differently."""
        changed = False
        assigned = []
        for node in self.nodes:
            component = node.component
            hidden = node.parent is not None and node.parent.hidden
            if node.index is not None:
                node.hidden = hidden
                continue
            if component.hide is not None and not hidden:
                hidden = component.hide.holds(self.run(component.hide.expression, self.context(node.scope)))
            if hidden != node.hidden:
                node.hidden, changed = hidden, True
            if hidden:
                continue
            if not isinstance(component.readonly, bool):
                readonly = component.readonly.holds(self.run(component.readonly.expression, self.context(node.scope)))
                if readonly != node.readonly:
                    node.readonly, changed = readonly, True
                    assigned.append((node, node.opening if readonly else node.submitted))
            elif component.computed and component.attributes["compute_on"] == "change":
                value = self.run(component.expression, self.context(node.scope))
                if not _alike(value, node.submitted):
                    node.submitted, changed = value, True
                    assigned.append((node, value))
        for node, value in assigned:
            self._assign(node, value)
        return changed

    def _assign(self, node: Node, value: Any) -> None:
        self.data = with_value(self.data, node.location, value)

    def _see(self) -> None:
        """The data as conditions see it: hidden fields fall back to what the form opened with."""
        kept = self.data
        for node in self.nodes:
            if node.hidden and node.location and node.index is None and node.component.kind != "group":
                kept = without(kept, node.location)
        self.seen = {**self.initial, **kept}
        for node in self.nodes:
            node.scope.context = {}

    def compute_last(self) -> None:
        """Expressions that form-js computes on submission."""
        for node in self.nodes:
            component = node.component
            if component.computed and component.attributes["compute_on"] == "presubmit" and not node.hidden:
                node.submitted = self.run(component.expression, self.context(node.scope))
                self._assign(node, node.submitted)

    # --- reading off --------------------------------------------------------------------------------------------------

    def keyed(self) -> Iterator[Node]:
        """Nodes with a value of their own, in the order of the form."""
        return (node for node in self.nodes if node.component.kind in KEYED)

    def value(self, node: Node) -> Any:
        """The value of a keyed node as the data stands."""
        return get(self.data, node.location)


def normalised(found: Any) -> list[Option]:
    """A list of options from data, as form-js normalises it."""
    if not isinstance(found, list):
        return []
    options = (option_of(entry) for entry in found[:OPTION_CAP])
    return [option for option in options if option is not None]


def get(data: Any, path: tuple) -> Any:
    """The value at `path`, or MISSING."""
    for step in path:
        if (type(data) is dict or isinstance(data, Mapping)) and step in data:
            data = data[step]
        elif isinstance(data, list) and isinstance(step, int) and 0 <= step < len(data):  # the row that a list may get next is -1
            data = data[step]
        else:
            return MISSING
    return data


def put(data: dict, path: tuple, value: Any) -> None:
    """Set `path` in `data`, whose own top level may be changed and whose inner contexts are copied first."""
    for step in path[:-1]:
        inner = data.get(step)
        data[step] = dict(inner) if isinstance(inner, Mapping) else {}
        data = data[step]
    data[path[-1]] = value


def with_value(data: Any, location: tuple, value: Any) -> Any:
    """A copy of `data` with `value` at `location`; what lies off the way is shared."""
    if not location:
        return value
    copy = list(data) if isinstance(data, list) else dict(data) if isinstance(data, Mapping) else {}
    inner = get(copy, location[:1])
    copy[location[0]] = with_value(None if inner is MISSING else inner, location[1:], value)
    return copy


def without(data: Any, location: tuple) -> Any:
    """A copy of `data` without what is at `location`; contexts that become empty go too, entries of lists stay in their place."""
    inner = get(data, location[:1])
    if inner is MISSING:
        return data
    rest = without(inner, location[1:]) if len(location) > 1 else MISSING
    if isinstance(data, list):
        copy = list(data)
        copy[location[0]] = {} if rest is MISSING else rest
        return copy
    copy = dict(data)
    if rest is MISSING or rest == {}:
        del copy[location[0]]
    else:
        copy[location[0]] = rest
    return copy


def printable(name: Any) -> str:
    """A name that somebody sent, fit for a message."""
    text = str(name)[:_SHOWN_NAME]
    return "".join(c if c.isprintable() else "�" for c in text)


def _alike(left: Any, right: Any) -> bool:
    return type(left) is type(right) and left == right
