"""What the tables in force ask for, read off the tables: `person.certificates` in a cell is enough to have it fetched and kept."""

from collections.abc import Iterable, Mapping
from typing import Any

from engine.feel.paths import paths
from engine.regulations import POINTS, Regulation, Tables

# The facts by their roots. `point`, `now` and `parameters` are not among them: they are known of every moment anyway.
ROOTS = frozenset({"person", "task", "case", "values", "unit", "client", "record", "outing", "period", "figures"})
WAIVERS = ("case", "waivers")  # asked by every table: whether a verdict is waived
Tree = dict[str, "Tree"]  # paths that begin alike, together; an empty one takes the whole value


class Needs:
    """What a set of tables asks for at each check point."""

    def __init__(self, tables: Tables):
        """Read the tables once; a set of tables is asked all day."""
        self._paths = {point: {path for table in tables for row in asked(table, point).values() for path in row} for point in POINTS}
        self._trees: dict[tuple[str, ...], Tree] = {}

    def tree(self, *points: str) -> Tree:
        """What is asked at any of these points: root → name → …"""
        found = self._trees.get(points)
        if found is None:
            found = self._trees[points] = _tree({WAIVERS, *(path for point in points for path in self._paths[point])})
        return found


def project(facts: Mapping[str, Any], tree: Tree) -> dict[str, Any]:
    """The part of some facts that a tree names. What is not known is left out, as null would be in FEEL."""
    kept = {}
    for name, below in tree.items():
        value = facts.get(name)
        if value is not None:
            kept[name] = project(value, below) if below and isinstance(value, dict) else value
    return kept


def asked(table: Regulation, point: str) -> dict[str, frozenset[tuple[str, ...]]]:
    """Row → the paths it reads, of the rows that can speak at a point."""
    decision = table.decision
    # What a drawn graph computes first may ask for anything of what it names.
    first = {(name,) for below in decision.required for name in below.names}
    found = {}
    for rule in decision.rules:
        if table.speaks(rule, point):
            read = set(first)
            for column, cell in zip(decision.inputs, rule.inputs, strict=True):
                if _says(cell):
                    read |= paths(column.expression.text) | paths(cell.text, tests=True)
            read.update(path for cell in filter(_says, rule.outputs) for path in paths(cell.text))
            found[rule.id] = frozenset(path for path in read if path[0] in ROOTS)
    return found


def _says(cell) -> bool:
    return cell.text.strip() not in ("", "-")


def _tree(found: Iterable[tuple[str, ...]]) -> Tree:
    """Paths as a tree. One that takes a whole value covers those that go deeper, so the short ones come first."""
    tree: Tree = {}
    whole: set[tuple[str, ...]] = set()
    for path in sorted(found, key=len):
        if any(path[:length] in whole for length in range(1, len(path))):
            continue
        whole.add(path)
        below = tree
        for name in path:
            below = below.setdefault(name, {})
    return tree
