"""What a text comes to when only some of what it reads is known: enough to tell what need not be asked.

`if parameters.keep_badges = 1 then count(person.badges) else null` is null, whoever the person is, where the register is not kept.
"""

import functools
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from engine.feel.builtins import BUILTINS
from engine.feel.compiler import Compiler
from engine.feel.names import Names
from engine.feel.nodes import Arithmetic, If, Logic, Node
from engine.feel.parser import Parser
from engine.feel.paths import node_paths
from engine.feel.runtime import Run

Known = Callable[[tuple[str, ...]], bool]
_BUILTIN_NAMES = Names(BUILTINS)
PURE = frozenset((name,) for name in BUILTINS) - {("now",), ("today",)}  # what they answer hangs on their arguments alone


@dataclass(frozen=True)
class Settled:
    """That a text has a value already."""

    value: Any


def settle(text: str, context: Mapping[str, Any], known: Known) -> Settled | None:
    """The value of an expression that hangs on `known` paths alone, which `context` holds as they will be; None if it hangs on more.

    Of an `if` whose condition is settled only the branch that is taken counts; arithmetic with a null is null, whatever else is in it.
    Raises FeelSyntaxError, and FeelLimit.
    """
    return _settle(_tree(text), context, known)


def _settle(node: Node, context: Mapping[str, Any], known: Known) -> Settled | None:
    if _is_known(node, known):
        return Settled(_value(node, context))
    if isinstance(node, If):
        holds = _holds(node.condition, context, known)
        return None if holds is None else _settle(node.then if holds else node.otherwise, context, known)
    if isinstance(node, Arithmetic):
        operands = (_settle(each, context, known) for each in (node.left, node.right))
        return next((found for found in operands if found is not None and found.value is None), None)
    return None


def _holds(node: Node, context: Mapping[str, Any], known: Known) -> bool | None:
    """Whether a condition is true; None if it cannot be told. What is null is not true."""
    if _is_known(node, known):
        return _value(node, context) is True
    if isinstance(node, Logic):
        found = [_holds(each, context, known) for each in node.operands]
        if node.operator == "and":
            return False if False in found else None
        return True if True in found else None
    return None


def _is_known(node: Node, known: Known) -> bool:
    return all(path in PURE or known(path) for path in node_paths(node))


def _value(node: Node, context: Mapping[str, Any]) -> Any:
    from engine.feel import Budget

    return Compiler("", []).build(node)(Run(context, None, Budget()))


@functools.lru_cache(maxsize=10_000)
def _tree(text: str) -> Node:
    return Parser(text, [_BUILTIN_NAMES]).whole_expression()
