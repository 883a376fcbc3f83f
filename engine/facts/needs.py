"""What the tables in force ask for, read off the tables: `person.certificates` in a cell is enough to have it fetched and kept."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from engine.decisions.narrowing import looks
from engine.feel.paths import paths
from engine.regulations import DATA, SETTLED, Regulation, Tables, settled

# The facts by their roots. `point`, `now` and `parameters` are not among them: they are known of every moment anyway.
ROOTS = frozenset({"person", "task", "case", "values", "unit", "client", "record", "outing", "period", "figures"})
WAIVERS = ("case", "waivers")  # asked by every table: whether a verdict is waived
MOST = 5_000  # questions that are remembered: a county has as many kinds of task
Tree = dict[str, "Tree"]  # paths that begin alike, together; an empty one takes the whole value


@dataclass(frozen=True)
class Question:
    """What is asked of one kind of act: at each of its points the `tables` that can say anything, and what they want to know. `parameters`:
    by which; held here, so that no other set of numbers can take its place in memory."""

    tables: Mapping[str, Tables]
    tree: Tree
    parameters: Mapping[str, Any]


class Needs:
    """What a set of tables asks for. Nearly every act is of a kind that was there before, so what can speak about it is found once."""

    def __init__(self, tables: Tables):
        self._tables = tables
        every = (path for table in tables for row in asked(table).values() for path in row)
        self._fields = frozenset(path[2] for path in every if path[:2] == DATA and len(path) > 2)
        self._questions: dict[tuple, Question] = {}

    def marked(self, facts: dict[str, Any]) -> dict[str, Any]:
        """The facts of an act with `task.fields`: those fields that a table asks about and its form was answered with."""
        task = facts.get("task")
        if task is None:
            return facts
        data = task.get("data") or {}
        return facts | {"task": task | {"fields": [name for name in sorted(self._fields) if data.get(name) is not None]}}

    def absent(self, facts: Mapping[str, Any]) -> frozenset[str]:
        """The fields that tables ask about and these facts say were not answered; none where they do not say."""
        there = (facts.get("task") or {}).get("fields")
        return frozenset() if there is None else self._fields.difference(there)

    def question(self, points: tuple[str, ...], facts: Mapping[str, Any], parameters: Mapping[str, Any]) -> Question:
        """What is asked at these points of one act; of `facts` only those are looked at that say what kind of act it is (SETTLED).

        `parameters`: the numbers in force where it is judged, the same object each time (engine.reference).
        """
        kind = settled(facts)
        key = (points, id(parameters), tuple(tuple(value) if isinstance(value, list) else value for value in kind.values()))
        found = self._questions.get(key)
        if found is None:
            if len(self._questions) >= MOST:
                self._questions.clear()
            found = self._questions[key] = self._ask(points, kind, parameters, self.absent(facts))
        return found

    def _ask(self, points: tuple[str, ...], kind: Mapping[tuple[str, ...], Any], parameters: Mapping[str, Any], absent: frozenset[str]) -> Question:
        tables = {point: self._tables.narrowed(point, kind, parameters, absent) for point in points}
        wanted = {path for found in tables.values() for table in found for row in asked(table).values() for path in row}
        # The kind itself is kept whoever asks for it: another table may want to know (engine.reruns).
        return Question(tables, _tree({WAIVERS, *SETTLED, *wanted}), parameters)


def project(facts: Mapping[str, Any], tree: Tree) -> dict[str, Any]:
    """The part of some facts that a tree names. What is not known is left out, as null would be in FEEL."""
    kept = {}
    for name, below in tree.items():
        value = facts.get(name)
        if value is not None:
            kept[name] = project(value, below) if below and isinstance(value, dict) else value
    return kept


def asked(table: Regulation) -> dict[str, frozenset[tuple[str, ...]]]:
    """Row → the paths it reads, of the rows of a narrowed table that can speak."""
    decision = table.decision
    # What a drawn graph computes first may ask for anything of what it names.
    first = {(name,) for below in decision.required for name in below.names}
    found = {}
    for rule in table.rows:
        read = set(first)
        for index, (column, cell) in enumerate(zip(decision.inputs, rule.inputs, strict=True)):
            if looks(cell) and not table.is_settled(index):
                read |= paths(column.expression.text) | paths(cell.text, tests=True)
        read.update(path for cell in filter(looks, rule.outputs) for path in paths(cell.text))
        found[rule.id] = frozenset(path for path in read if path[0] in ROOTS)
    return found


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
