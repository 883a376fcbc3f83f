"""What was submitted → values of the process, or InvalidForm."""

import re
from collections.abc import Mapping
from datetime import datetime
from decimal import Context, Decimal
from typing import Any

from engine import feel
from engine.exceptions import InvalidForm
from engine.forms import values
from engine.forms.evaluation import Evaluation, Node, get, put
from engine.forms.messages import Message
from engine.forms.model import CHOICES, KEYED, MANY, MISSING

# Longest address or number of a telephone; both patterns are linear.
LONGEST = 320
# form-js's own pattern (the one of the HTML standard).
_LABEL = "[a-zA-Z0-9](?:[a-zA-Z0-9-]{0,61}[a-zA-Z0-9])?"
_EMAIL = re.compile(rf"[a-zA-Z0-9.!#$%&'*+/=?^_`{{|}}~-]+@{_LABEL}(?:\.{_LABEL})*", re.ASCII)
# form-js takes international numbers only; people here write them as they dial them: mobile, landline with or without extension,
# 400/800 numbers and the short public ones (110, 12345).
_PHONE = re.compile(
    r"(?:\+|00)[1-9]\d{6,18}|1[3-9]\d{9}|(?:0\d{2,3}-?)?[2-9]\d{6,7}(?:-\d{1,6})?|[48]00-?\d{3}-?\d{4}|1\d{2}|1\d{4}", re.ASCII
)
# Wide enough for a 34-digit number and a step with 34 decimals.
_WIDE = Context(prec=120)
_REQUIRED = {"checkbox": "required_check", "select": "required_choice", "radio": "required_choice"}


def read(form, submitted: Mapping, variables: Mapping, clock: datetime | None) -> dict[str, Any]:
    """See `Form.read`."""
    state = Evaluation(form, variables, submitted, clock)
    errors = check(state)
    if errors:
        raise InvalidForm(errors)
    state.compute_last()
    return written(state)


def check(state: Evaluation) -> dict[str, str]:
    """Every fault: path → message, in the order of the form; unknown names last."""
    errors: dict[str, str] = {}
    for node in state.nodes:
        if node.hidden:
            continue
        if node.error is not None and node.writable:
            errors[node.name] = node.error
        elif node.component.kind == "dynamiclist" and node.index is None:
            message = _check_list(node)
            if message:
                errors[node.name] = message
        elif node.component.kind in KEYED and node.writable:
            message = _check(state, node)
            if message:
                errors[node.name] = message
    errors.update((name, message) for name, message in state.errors.items() if name not in errors)
    return errors


def _check_list(node: Node) -> Message | None:
    attributes, count = node.component.attributes, len(node.children)
    if count < attributes["min_items"]:
        return Message("too_few_items", count=attributes["min_items"])
    if count > attributes["max_items"]:
        return Message("too_many_items", count=attributes["max_items"])
    return None


def _check(state: Evaluation, node: Node) -> str | None:
    """The first rule that the node's value breaks."""
    component, value = node.component, state.value(node)
    rules = component.rules
    if component.kind in CHOICES and value not in (None, []):
        offered = [option.value for option in state.options(node)]
        for chosen in value if component.kind in MANY else [value]:
            if not any(values.same(chosen, option) for option in offered):
                return Message("wrong_choice")
    if _is_empty(component.kind, value) and required(state, node):
        kind = component.kind
        return Message("required_choices" if kind in MANY else _REQUIRED.get(kind, "required"))
    if value is None or value == "":
        return None
    if component.kind in ("textfield", "textarea"):
        return _check_text(state, node, rules, value)
    if component.kind == "number":
        return _check_number(state, node, rules, value)
    if component.kind == "datetime" and component.attributes["no_past"] and value != node.opening and state.clock is not None:
        day = value.date() if isinstance(value, datetime) else value
        if day < state.clock.date():
            return Message("past_date")
    return None


def _is_empty(kind: str, value: Any) -> bool:
    """Whether nothing is filled in; blanks alone are nothing (form-js lets them pass as a required answer)."""
    if isinstance(value, str):
        return not value.strip()
    return value is None or value == [] or (kind == "checkbox" and value is False)


def required(state: Evaluation, node: Node) -> bool:
    """Whether the field must be filled in, as the data stands."""
    rule = node.component.rules.required
    return rule if isinstance(rule, bool) else state.run(rule, state.context(node.scope)) is True


def bound(state: Evaluation, node: Node, name: str) -> Decimal | None:
    """min, max, minLength or maxLength as the data stands; None if there is none, or its expression made no number."""
    rule = node.component.rules.bounds.get(name)
    if isinstance(rule, feel.Expression):
        rule = state.run(rule, state.context(node.scope))
        if isinstance(rule, str):
            try:
                rule = values.numeral(rule)
            except values.Wrong:
                rule = None
    if isinstance(rule, bool):
        return None
    return Decimal(rule) if isinstance(rule, (int, Decimal)) else None


def _check_text(state, node, rules, value) -> str | None:
    length = len(value.strip())
    least, most = bound(state, node, "minLength"), bound(state, node, "maxLength")
    if least is not None and length < least:
        return Message("too_short", count=values.plain_number(least))
    if most is not None and length > most:
        return Message("too_long", count=values.plain_number(most))
    if rules.pattern is not None and not rules.pattern.search(value, state.budget):
        return rules.pattern_message or Message("pattern")
    if rules.kind == "email" and not (len(value) <= LONGEST and _EMAIL.fullmatch(value)):
        return Message("email")
    if rules.kind == "phone" and not (len(value) <= LONGEST and _PHONE.fullmatch(value)):
        return Message("phone")
    return None


def _check_number(state, node, rules, value) -> str | None:
    value = Decimal(value)
    decimals, step = node.component.attributes.get("decimals"), node.component.attributes.get("step")
    if decimals is not None and value != value.quantize(Decimal(1).scaleb(-decimals), context=_WIDE):
        return Message("integer") if decimals == 0 else Message("decimals", count=decimals)
    if step is not None and _WIDE.remainder(value, step):
        # Towards zero, as form-js's big.js does.
        below = value - _WIDE.remainder(value, step)
        shown = [values.plain_number(number) for number in (step, below, below + step)]
        return Message("step", step=shown[0], below=shown[1], above=shown[2])
    least, most = bound(state, node, "min"), bound(state, node, "max")
    if least is not None and value < least:
        return Message("too_small", bound=values.plain_number(least))
    if most is not None and value > most:
        return Message("too_large", bound=values.plain_number(most))
    return None


def written(state: Evaluation) -> dict[str, Any]:
    """The form's visible, enabled keys with their values."""
    return _written(state.top, {}, state.variables, 0, state)


def _written(nodes, output: dict, before: Any, depth: int, state) -> dict:
    """Write the values of `nodes` into `output`; `before` is what the process has in this scope, `depth` its depth."""
    for node in nodes:
        component = node.component
        if node.hidden or component.disabled:
            continue
        if component.kind == "group":
            _written(node.children, output, before, depth, state)
            continue
        if not component.path:
            continue
        _keep(output, before, component.path)
        if component.kind != "dynamiclist":
            put(output, component.path, state.value(node))
            continue
        there = get(before, component.path)
        entries = []
        for index, entry in enumerate(node.children):
            old = there[index] if component.fixed and isinstance(there, list) and index < len(there) else {}
            old = old if isinstance(old, Mapping) else {}
            entries.append(_written(entry.children, dict(old), old, depth + 1, state))
        put(output, component.path, entries)
    return output


def _keep(output: dict, before: Any, path: tuple) -> None:
    """A context written for the first time keeps the entries that the form does not show: its variable is written whole."""
    if len(path) < 2 or path[0] in output:
        return
    there = before.get(path[0]) if isinstance(before, Mapping) else MISSING
    if isinstance(there, Mapping):
        output[path[0]] = dict(there)
