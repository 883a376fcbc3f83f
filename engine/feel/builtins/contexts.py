"""Context functions (table 81)."""

from engine.feel.builtins.registry import builtin
from engine.feel.values import kind


@builtin("get value(m: context, key: string)")
def get_value(m, key):
    return m.get(key)


@builtin("get value(context: context, keys: list)")
def get_value_at(context, keys):
    """Camunda's extension: the value at a path of keys."""
    for key in keys:
        if kind(context) != "context" or not isinstance(key, str):
            return None
        context = context.get(key)
    return context


@builtin("get entries(m: context)", run=True)
def get_entries(run, m):
    run.budget.items(len(m))
    return [{"key": key, "value": value} for key, value in m.items()]


@builtin("context(entries: list|context)")
def context(entries):
    """The inverse of `get entries`; null for a key that is no string or comes twice."""
    result = {}
    for entry in [entries] if kind(entries) == "context" else entries:
        if kind(entry) != "context" or "value" not in entry or not isinstance(entry.get("key"), str):
            return None
        if entry["key"] in result:
            return None
        result[entry["key"]] = entry["value"]
    return result


@builtin("context put(context: context, key: string, value: any)", run=True)
def context_put(run, context, key, value):
    run.budget.items(len(context) + 1)
    return context | {key: value}


@builtin("context put(context: context, keys: list, value: any)", run=True)
def context_put_at(run, context, keys, value):
    """`value` at a path of keys through contexts that are there."""
    if not keys or kind(context) != "context" or not all(isinstance(key, str) for key in keys):
        return None
    first, *rest = keys
    if rest:
        value = context_put_at(run, context.get(first), rest, value)
        if value is None:
            return None
    return context_put(run, context, first, value)


@builtin("context merge(contexts: list|context)", run=True)
def context_merge(run, contexts):
    result = {}
    for context in [contexts] if kind(contexts) == "context" else contexts:
        if kind(context) != "context":
            return None
        run.budget.items(len(context))
        result.update(context)
    return result
