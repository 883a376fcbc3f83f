"""Why a decision came out as it did, as plain JSON for whoever asks."""

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from engine import feel
from engine.decisions.running import Run, Trace
from engine.feel import Budget, FeelError

if TYPE_CHECKING:
    from engine.decisions.graph import Decision
    from engine.decisions.table import CompiledTable


def explanation(result, trace: Trace | None, notes: list[dict]) -> dict:
    """{"result"; "decisions", where traced: each after those it requires; "notes": why something is null, {"decision", "code",
    "reason"}}. A function as a result is a note in brackets, for JSON has none."""
    told = {"result": plain(result), "notes": [plain(note) for note in notes]}
    return told if trace is None else {**told, "decisions": trace.decisions}


def explain_decision(decision: "Decision", result, tables: list[dict], run: Run) -> dict:
    """{"decision": its id, "name", "requires": what it was given, "tables": those evaluated for it, "result"}."""
    names = [each.variable for each in decision.data] + [each.known_as for each in decision.required]
    return {
        "decision": decision.id,
        "name": decision.name,
        "requires": {name: plain(run.context.get(name)) for name in names},
        "tables": tables,
        "result": plain(result),
    }


def explain_table(table: "CompiledTable", matched: list[str], values: list, result, run: Run) -> dict:
    """{"table": its id, "in": what it stands in, "hit_policy", "inputs": [{"label", "expression", "value"}], "matched": ids, "rules",
    "result"}; each rule {"rule": its id, "row": its number, "matched", "note", "failed": the cells that refuse, with what they saw}."""
    source = table.source
    inputs = [
        {"label": column.label, "expression": column.expression.text.strip(), "value": plain(value)}
        for column, value in zip(source.inputs, values, strict=True)
    ]
    # The explanation of a large table may cost more than deciding it: another purse pays.
    run = replace(run, budget=Budget())
    return {
        "table": source.id,
        "in": run.decision,
        "hit_policy": " ".join(filter(None, (source.hit_policy, source.aggregation))),
        "inputs": inputs,
        "matched": matched,
        "rules": [_rule(table, position, values, inputs, run) for position in range(len(source.rules))],
        "result": plain(result),
    }


def _rule(table: "CompiledTable", position: int, values: list, inputs: list[dict], run: Run) -> dict:
    rule = table.rules[position]
    failed = []
    for column, value, given in zip(table.inputs, values, inputs, strict=True):
        test = column.cells[position]
        if test is not None and not run.passes(test, value):
            failed.append({"input": given["label"], "cell": test.text.strip(), "value": given["value"]})
    found: dict[str, Any] = {"rule": rule.id, "row": position + 1, "matched": not failed}
    if rule.annotations:
        found["note"] = " ".join(rule.annotations)
    return {**found, "failed": failed} if failed else found


def plain(value) -> Any:
    """The value as JSON; what JSON cannot say is named in brackets."""
    try:
        return feel.to_plain(value)
    except FeelError:
        return "（函数）" if isinstance(value, feel.FeelFunction) else "（…）"
