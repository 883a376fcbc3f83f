"""What a text looks into: the paths of variables it reads, `person.certificates`, `values.risk`, without running it."""

import functools
from collections.abc import Iterable, Iterator

from engine.feel.builtins import BUILTINS
from engine.feel.names import Names
from engine.feel.nodes import Name, Node, Path, children
from engine.feel.parser import Parser

_BUILTIN_NAMES = Names(BUILTINS)


def paths(text: str, names: Iterable[str] = (), tests: bool = False) -> frozenset[tuple[str, ...]]:
    """Every path from a variable down, as far as the text spells it out; `("person",)` where it takes the whole of it.

    `names` as for `engine.feel.compile`; `tests`: the text is an input cell. Local names count as variables: what is read is never
    left out, though more may be named. Raises FeelSyntaxError.
    """
    return _read(text, tuple(names), tests)


@functools.lru_cache(maxsize=20_000)
def _read(text: str, names: tuple[str, ...], tests: bool) -> frozenset[tuple[str, ...]]:
    parser = Parser(text, [_BUILTIN_NAMES, Names(list(names))])
    return frozenset(node_paths(parser.whole_tests() if tests else parser.whole_expression()))


def node_paths(node: Node) -> Iterator[tuple[str, ...]]:
    """The paths that a part of a tree reads."""
    spelled, below = [], node
    while isinstance(below, Path):
        spelled.append(below.name)
        below = below.source
    if isinstance(below, Name):
        yield (below.name, *reversed(spelled))
        return
    for part in children(below):
        yield from node_paths(part)
