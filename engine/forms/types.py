"""Which variables a form produces, and of which FEEL type."""

from engine.forms.model import CHOICES, MANY, Component

_SIMPLE = {"textfield": "string", "textarea": "string", "checkbox": "boolean", "expression": "Any"}
_MOMENTS = {"date": "date", "time": "time", "datetime": "date and time"}


def types_of(components: tuple[Component, ...]) -> dict[str, str]:
    """Name → type, `context<…>` for what groups and dotted keys make."""
    return {name: _write(entry) for name, entry in _tree(components).items()}


def _tree(components, tree: dict | None = None) -> dict:
    tree = {} if tree is None else tree
    for component in components:
        if component.kind == "group":
            _tree(component.children, tree)
        elif component.path:
            node = tree
            for segment in component.path[:-1]:
                node = node.setdefault(segment, {})
            node[component.path[-1]] = _type(component)
    return tree


def _type(component: Component) -> str:
    kind = component.kind
    if kind == "dynamiclist":
        return f"list<{_write(_tree(component.children))}>"
    if kind == "number":
        return "string" if component.attributes.get("as_text") else "number"
    if kind == "datetime":
        return _MOMENTS[component.attributes["subtype"]]
    if kind in CHOICES:
        static = component.choices.static if component.choices else None
        strings = static is not None and all(isinstance(option.value, str) for option in static)
        one = "string" if strings else "Any"
        return f"list<{one}>" if kind in MANY else one
    return _SIMPLE[kind]


def _write(entry) -> str:
    if isinstance(entry, str):
        return entry
    return "context<" + ", ".join(f"{name}: {_write(inner)}" for name, inner in entry.items()) + ">"
