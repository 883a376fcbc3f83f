"""An explained decision as lines for a person; what engine.decisions.explaining says, in words."""

import json
from collections.abc import Iterator

MATCHED, FAILED = "✓", "✗"


def told(explained: dict) -> Iterator[str]:
    """Decision by decision: what it was given, every row with why it did not match, the result; at the end what went wrong."""
    for decision in explained["decisions"]:
        yield f"决策 · decision: {_titled(decision['name'], decision['decision'])}"
        for name, value in decision["requires"].items():
            yield f"  {name} = {_shown(value)}"
        for table in decision["tables"]:
            yield from _table(table, decision["name"])
        yield f"  → {_shown(decision['result'])}"
        yield ""
    for note in explained["notes"]:
        yield f"注意 · note: {note['decision']}: {note['reason']} ({note['code']})"
    yield f"结果 · result: {_shown(explained['result'])}"


def _table(table: dict, decision: str) -> Iterator[str]:
    where = "" if table["in"] == decision else f"{table['in']}, "
    yield f"  表 · table: {where}命中策略 · hit policy {table['hit_policy']}"
    for column in table["inputs"]:
        yield f"    {_titled(column['label'], column['expression'])} = {_shown(column['value'])}"
    for rule in table["rules"]:
        note = f" — {rule['note']}" if "note" in rule else ""
        yield f"    {MATCHED if rule['matched'] else FAILED} 第 {rule['row']} 行 · row {rule['row']} ({rule['rule']}){note}"
        for cell in rule.get("failed", ()):
            yield f"        {cell['input']}: {_shown(cell['value'])} 不满足 · does not satisfy  {cell['cell']}"


def _titled(name: str, other: str) -> str:
    return name if name == other else f"{name} ({other})"


def _shown(value) -> str:
    return json.dumps(value, ensure_ascii=False)
