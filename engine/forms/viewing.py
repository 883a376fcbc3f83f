"""The form as it is shown: one tree for the page and for programs."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from datetime import datetime, time
from decimal import Decimal
from typing import Any

from engine import feel
from engine.forms import values
from engine.forms.evaluation import Evaluation, Node, Scope, put
from engine.forms.markdown import escape, to_html
from engine.forms.model import CHOICES, KEYED, MANY, MISSING
from engine.forms.reading import bound, required
from engine.forms.templates import to_text

# Stands for the number of a new entry in the names of a list's `template`.
NEW_ENTRY = "__{depth}__"
MOST_ROWS = 500


@dataclass(frozen=True, slots=True)
class OptionView:
    """One choice: `value` in plain JSON."""

    value: Any
    label: str
    label_en: str | None = None
    selected: bool = False

    @property
    def token(self) -> str:
        """The value as the text of an HTML input, which `choice_of` reads back: a string is itself, anything else `=` and its JSON."""
        if isinstance(self.value, str) and not self.value.startswith("="):
            return self.value
        return "=" + json.dumps(self.value, ensure_ascii=False, sort_keys=True, separators=(",", ":"))


@dataclass(frozen=True, slots=True)
class FieldView:
    """One component as it is shown. `name` is its path (`goals[0].text`) and the key of its errors; components that hold no value
    have an empty one. `value` is plain JSON, or what was submitted if it made no value. `attributes` by kind:

    number: min, max, step, decimals, prefix, suffix · textfield, textarea: min_length, max_length, prefix, suffix, rows,
    format (email, phone) · datetime: subtype, local (the input's text), earliest, interval ·
    dynamiclist: min_items, max_items, fixed · entry: index · table: columns_of_table, rows_of_table ·
    text: text (Markdown), html (safe), html_en · image: source, alt · any: row, columns (of 16), placeholder, autocomplete, off_paper (not to be printed).

    `live`: the FEEL texts of hide, readonly, required, expression. A dynamic list has one child of kind `entry` for each entry, and
    `template`, the entry that a new one is made from.
    """

    kind: str
    id: str
    name: str = ""
    label: str = ""
    description: str = ""
    required: bool = False
    readonly: bool = False
    disabled: bool = False
    hidden: bool = False
    value: Any = None
    options: tuple[OptionView, ...] = ()
    errors: tuple[str, ...] = ()
    children: tuple["FieldView", ...] = ()
    template: "FieldView | None" = None
    attributes: Mapping[str, Any] = field(default_factory=dict)
    live: Mapping[str, str] = field(default_factory=dict)
    label_en: str | None = None
    description_en: str | None = None

    @property
    def text(self) -> str:
        """The value as the text of an HTML input: numbers without exponent, nothing for null."""
        if self.value is None:
            return ""
        if isinstance(self.value, float):
            return values.plain_number(Decimal(repr(self.value)))
        return self.value if isinstance(self.value, str) else json.dumps(self.value, ensure_ascii=False)

    def as_dict(self) -> dict[str, Any]:
        """Plain JSON."""
        return asdict(self)

    def walk(self):
        """Itself and everything inside, in the order of the page; templates of lists are not on it."""
        yield self
        for child in self.children:
            yield from child.walk()


def choice_of(token: str) -> Any:
    """The JSON value of an option's `token`; a token that is none stays text, which no option equals."""
    if not token.startswith("="):
        return token
    try:
        return json.loads(token[1:])
    except ValueError:
        return token


def view(form, variables: Mapping, submitted: Mapping | None, errors: Mapping | None, clock: datetime | None) -> list[FieldView]:
    """See `Form.view`."""
    state = Evaluation(form, variables, submitted, clock)
    errors = errors or {}
    return [_view(state, node, errors, 0) for node in state.top]


def _view(state: Evaluation, node: Node, errors: Mapping, depth: int) -> FieldView:
    component = node.component
    kind = component.kind
    attributes = _attributes(state, node)
    options: tuple[OptionView, ...] = ()
    value = None
    template = None
    if kind in KEYED:
        value = values.to_plain(_shown(state, node)) if node.raw is None else node.raw
    if kind in CHOICES:
        options = _options(state, node)
    if kind == "dynamiclist":
        children = tuple(_entry(state, entry, errors, depth + 1) for entry in node.children)
        template = None if component.fixed else _template(state, node, depth)
    else:
        children = tuple(_view(state, child, errors, depth) for child in node.children)
    message = errors.get(node.name) if node.name else None
    return FieldView(
        kind=kind,
        id=component.id,
        name=node.name,
        label=state.text(component.label, node),
        description=state.text(component.description, node),
        required=kind in KEYED and required(state, node) or kind == "dynamiclist" and component.attributes["min_items"] > 0,
        readonly=node.readonly,
        disabled=component.disabled,
        hidden=node.hidden,
        value=value,
        options=options,
        errors=(message,) if message else (),
        children=children,
        template=template,
        attributes=attributes,
        live=dict(component.live),
        label_en=component.attributes.get("label_en"),
        description_en=component.attributes.get("description_en"),
    )


def _entry(state, node: Node, errors, depth) -> FieldView:
    message = errors.get(node.name)
    return FieldView(
        kind="entry",
        id=node.component.id,
        name=node.name,
        hidden=node.hidden,
        errors=(message,) if message else (),
        children=tuple(_view(state, child, errors, depth) for child in node.children),
        attributes={"index": node.index},
    )


def _template(state: Evaluation, node: Node, depth: int) -> FieldView:
    """A new entry, whose names have a mark where its number will stand."""
    mark = NEW_ENTRY.format(depth=depth)
    name = f"{node.name}[{mark}]"
    entry = Node(node.component, name, (*node.location, -1), node.scope, node, index=-1)
    children: list[Node] = []
    scope = Scope((*node.location, -1), node.scope, context=_new_context(state, node.scope))
    state.lay_new(node.component, entry, scope, children)
    entry.children = children
    return _entry(state, entry, {}, depth + 1)


def _new_context(state, scope) -> dict:
    above = state.context(scope)
    own = {"this": {}, "parent": {"this": above["_this_"]}, "i": [*above["_i_"], Decimal(0)]}
    return own | state.seen | {f"_{name}_": value for name, value in own.items()}


def _shown(state: Evaluation, node: Node) -> Any:
    """The value in the field; a hidden one keeps what was typed, should it appear again."""
    found = state.value(node)
    return node.submitted if found is MISSING else found


def _options(state: Evaluation, node: Node) -> tuple[OptionView, ...]:
    chosen = _shown(state, node)
    chosen = chosen if node.component.kind in MANY and isinstance(chosen, list) else [chosen]
    return tuple(
        OptionView(
            values.to_plain(option.value),
            option.label,
            option.label_en,
            any(values.same(option.value, value) for value in chosen),
        )
        for option in state.options(node)
    )


def _attributes(state: Evaluation, node: Node) -> dict[str, Any]:
    """See FieldView."""
    component = node.component
    known, kind = component.attributes, component.kind
    found = {name: known[name] for name in ("row", "columns", "placeholder", "autocomplete", "off_paper") if name in known}
    for name in ("prefix", "suffix"):
        if known.get(name):
            found[name] = state.text(known[name], node)
    if kind == "number":
        found |= {name: plain(bound(state, node, name)) for name in ("min", "max")}
        found |= {"step": plain(known.get("step")), "decimals": known.get("decimals")}
    elif kind in ("textfield", "textarea"):
        found["min_length"] = plain(bound(state, node, "minLength"))
        found["max_length"] = plain(bound(state, node, "maxLength"))
        found |= {"format": component.rules.kind, "rows": known.get("rows")}
    elif kind == "datetime":
        found |= {"subtype": known["subtype"], "interval": known["interval"], "local": _local(state, node)}
        if known["no_past"] and state.clock is not None:
            found["earliest"] = state.clock.date().isoformat()
    elif kind == "dynamiclist":
        found |= {"min_items": known["min_items"], "max_items": known["max_items"], "fixed": component.fixed}
    elif kind == "text":
        found["text"] = state.text(component.text, node)
        found["html"] = to_html(state.text(component.text, node, escape))
        if component.attributes.get("label_en"):
            found["html_en"] = to_html(component.attributes["label_en"])
    elif kind == "image":
        found |= {"source": known["source"], "alt": state.text(known["alt"], node)}
    elif kind == "table":
        found |= _table(state, node)
    return {name: value for name, value in found.items() if value is not None}


def _local(state: Evaluation, node: Node) -> str:
    """The text of a native input: local time without offset; what was typed if it is none."""
    if node.raw is not None:
        return str(node.raw)[:40]
    value = _shown(state, node)
    if isinstance(value, datetime) and value.tzinfo is not None and state.zone is not None:
        value = value.astimezone(state.zone)
    if isinstance(value, datetime | time):
        value = value.replace(tzinfo=None)
    return values.to_plain(value) or ""


def plain(number: Decimal | None) -> int | float | str | None:
    """A bound as plain JSON."""
    return None if number is None else values.to_plain(number)


def _table(state: Evaluation, node: Node) -> dict[str, Any]:
    """Columns as (key, label), rows as texts; anything else than a list of contexts is no row, as in form-js."""
    component = node.component
    columns = list(component.attributes["columns_of_table"])
    if component.attributes["columns_expression"] is not None:
        made = state.run(component.attributes["columns_expression"], state.context(node.scope))
        if isinstance(made, list) and all(isinstance(c, dict) and isinstance(c.get("key"), str) for c in made):
            columns = [(c["key"], to_text(c.get("label"))) for c in made[:50]]
    rows = state.run(component.expression, state.context(node.scope)) if component.expression is not None else []
    rows = rows[:MOST_ROWS] if isinstance(rows, list) else []
    cells = [[to_text(row.get(key)) for key, _ in columns] for row in rows if isinstance(row, dict)]
    return {"columns_of_table": columns, "rows_of_table": cells}


def data(form, variables: Mapping, clock: datetime | None) -> dict[str, Any]:
    """See `Form.data`."""
    state = Evaluation(form, variables, None, clock)
    return _own(state, state.top, {})


def _own(state, nodes, output: dict) -> dict:
    for node in nodes:
        if node.component.kind == "group":
            _own(state, node.children, output)
        elif node.component.kind == "dynamiclist":
            put(output, node.component.path, [_own(state, entry.children, {}) for entry in node.children])
        elif node.component.path:
            put(output, node.component.path, values.to_plain(_shown(state, node)))
    return output


def live_context(form, variables: Mapping) -> dict[str, Any]:
    """See `Form.context`."""
    found = {}
    for name in sorted(form.live_names & variables.keys()):
        try:
            found[name] = feel.encode(variables[name])
        except feel.FeelError:
            continue  # functions of the host do not exist in the browser
    return found
