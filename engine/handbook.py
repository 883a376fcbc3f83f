"""A regulation as people read it: rule by rule, with what each looks at, what it says and which numbers it counts by. Pure."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from engine import feel
from engine.decisions.narrowing import looks
from engine.feel.paths import paths
from engine.regulations import POINTS, Regulation

_TEXT = re.compile(r'"((?:[^"\\]|\\.)*)"')


@dataclass(frozen=True)
class Row:
    """One situation in which a rule speaks. `conditions`: (label of the column, text of the cell) of what it looks at, the check point apart."""

    id: str
    points: tuple[str, ...]
    conditions: tuple[tuple[str, str], ...]
    effect: str
    message: str
    message_en: str
    hint: str
    hint_en: str
    source: str
    waivable_by: str
    notify: str


@dataclass(frozen=True)
class Rule:
    """One rule. `parameters`: the keys of the numbers it counts by."""

    key: str
    rows: tuple[Row, ...]
    parameters: tuple[str, ...]

    @property
    def points(self) -> list[str]:
        """The check points at which it can speak."""
        return [point for point in POINTS if any(point in row.points for row in self.rows)]

    @property
    def effects(self) -> list[str]:
        """What it may lead to, without repetition."""
        return list(dict.fromkeys(row.effect for row in self.rows))


def rules(regulation: Regulation, parameters: Mapping[str, Any]) -> list[Rule]:
    """The rules of a table, in the order of their first rows. Texts that a cell puts together are told with these `parameters`, and with
    `…` where facts of a case would stand."""
    names = [output.name for output in regulation.decision.outputs]
    spoken = {point: {row.id for row in regulation.narrowed(point).rows} for point in POINTS}
    found: dict[str, list] = {}
    for rule in regulation.decision.rules:
        found.setdefault(regulation.rule_of(rule.id), []).append(rule)
    return [
        Rule(key, tuple(_row(regulation, names, rule, spoken, parameters) for rule in rows), _parameters(regulation, rows))
        for key, rows in found.items()
    ]


def _row(regulation: Regulation, names: list[str], rule, spoken: Mapping[str, set[str]], parameters: Mapping[str, Any]) -> Row:
    said = {name: text_of(cell.text, parameters) for name, cell in zip(names, rule.outputs, strict=True)}
    columns = zip(regulation.decision.inputs, rule.inputs, strict=True)
    return Row(
        id=rule.id,
        points=tuple(point for point in POINTS if rule.id in spoken[point]),
        conditions=tuple(
            (column.label, cell.text.strip()) for column, cell in columns if looks(cell) and column.expression.text.strip() != "point"
        ),
        effect=said["effect"],
        message=said["message"],
        message_en=said["message_en"],
        **{name: said.get(name, "") for name in ("hint", "hint_en", "source", "waivable_by", "notify")},
    )


def text_of(cell: str, parameters: Mapping[str, Any]) -> str:
    """What a cell of an output says, as far as it can be told without a case."""
    if cell.strip() in ("", "-"):
        return ""
    try:
        value = feel.compile(cell).evaluate({"parameters": dict(parameters)})
    except feel.FeelError:
        value = None
    if isinstance(value, str):
        return value
    # "已" + string(record.hours_late) + "小时": the pieces, with a gap where the case's own fact goes.
    pieces = [piece.replace('\\"', '"') for piece in _TEXT.findall(cell)]
    return "…".join(pieces)


def _parameters(regulation: Regulation, rows: list) -> tuple[str, ...]:
    read: set[tuple[str, ...]] = set()
    for rule in rows:
        for column, cell in zip(regulation.decision.inputs, rule.inputs, strict=True):
            if looks(cell):
                read |= paths(column.expression.text) | paths(cell.text, tests=True)
        for cell in rule.outputs:
            if looks(cell):
                read |= paths(cell.text)
    return tuple(sorted({path[1] for path in read if path[0] == "parameters" and len(path) > 1}))
