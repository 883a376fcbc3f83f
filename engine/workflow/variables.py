"""Variables and their scopes, by Zeebe's rules: who sees a name, and where a written value goes."""

from collections.abc import Mapping, Sequence
from typing import Any

from engine import feel


class Variables:
    """The variables of one scope. Values are encoded once, when written, and decoded once, when first read."""

    __slots__ = ("_stored", "_values")

    def __init__(self, stored: Mapping[str, Any] | None = None):
        self._stored = dict(stored or {})
        self._values: dict[str, Any] = {}

    def __contains__(self, name: str) -> bool:
        return name in self._stored

    def __iter__(self):
        return iter(self._stored)

    def __getitem__(self, name: str) -> Any:
        if name not in self._values:
            self._values[name] = feel.decode(self._stored[name])
        return self._values[name]

    def __setitem__(self, name: str, value: Any) -> None:
        self._stored[name] = feel.encode(value)
        self._values[name] = value

    def stored(self) -> dict[str, Any]:
        """FEEL's tagged JSON by name."""
        return self._stored

    def as_dict(self) -> dict[str, Any]:
        """FEEL values by name."""
        return {name: self[name] for name in self._stored}


def chain(tokens: Mapping[int, Any], token) -> list:
    """The token and the scopes around it, innermost first."""
    found = [token]
    while token.parent is not None:
        token = tokens[token.parent]
        found.append(token)
    return found


def visible(tokens: Mapping[int, Any], token) -> dict[str, Any]:
    """Every variable the token sees; an inner one hides an outer one of its name."""
    seen: dict[str, Any] = {}
    for scope in reversed(chain(tokens, token)):
        seen.update(scope.variables.as_dict())
    return seen


def propagate(tokens: Mapping[int, Any], token, data: Mapping[str, Any]) -> None:
    """Write each value into the nearest scope, from the token outwards, that has its name; else into the case.

    What is around rounds (the counter, the results gathered so far) is nobody's to write: a form field called like the output collection
    would replace what the other instances have given.
    """
    scopes = [scope for scope in chain(tokens, token) if not scope.is_loop]
    for name, value in data.items():
        home = next((scope for scope in scopes if name in scope.variables), scopes[-1])
        home.variables[name] = value


class Sight(Mapping):
    """What an expression sees at one place: the host's names, then the variables of the scopes, innermost first.

    It remembers in `read` which variables were looked at: the history keeps what a gateway decided from, no more.
    """

    def __init__(self, scopes: Sequence[Mapping | Variables], host: Mapping[str, Any]):
        self._scopes, self._host = scopes, host
        self.read: dict[str, Any] = {}

    def __getitem__(self, name: str) -> Any:
        if name in self._host:
            return self._host[name]
        for scope in self._scopes:
            if name in scope:
                self.read[name] = scope[name]
                return scope[name]
        raise KeyError(name)

    def get(self, name: str, default: Any = None) -> Any:
        """The value, or null. FEEL's default is its built-in function of that name: a variable `count` that nobody has written yet
        must be null, not a function. Calls find built-ins without asking here."""
        try:
            return self[name]
        except KeyError:
            return None

    def __iter__(self):
        return iter(dict.fromkeys(name for scope in (self._host, *self._scopes) for name in scope))

    def __len__(self) -> int:
        return len(list(iter(self)))


def nested(old: Any, path: tuple[str, ...], value: Any) -> Any:
    """`old` with `value` at `path` inside it: what an output to `order.address.street` makes of the variable `order`."""
    if not path:
        return value
    base = dict(old) if isinstance(old, dict) else {}
    base[path[0]] = nested(base.get(path[0]), path[1:], value)
    return base
