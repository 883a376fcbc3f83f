"""How long one compiled table of 50 rows × 6 inputs takes to decide, against an empty function call of the same run."""

import time
from decimal import Decimal

from engine.decisions import Decision, compile_decisions
from tests.support.tables import file, table

ROWS = 50
BOUND = 2000  # empty calls: 100 µs where one takes 50 ns
_KINDS = ["string", "number", "string", "number", "boolean", "string"]
# Cells as people write them: texts, intervals, some that do not care, comparisons, truth values, exclusions.
CELLS = [
    lambda row: f'"k{row % 10}"',
    lambda row: f"[{row}..{row + 5}]",
    lambda row: "-",
    lambda row: f"> {row}",
    lambda row: "true" if row % 2 else "false",
    lambda row: f'not("z{row % 7}")',
]
CONTEXT = {"a": "k7", "b": Decimal(28), "c": "x", "d": Decimal(40), "e": True, "f": "q"}


def computed_table(columns: int = len(CONTEXT)) -> Decision:
    """Cells that do not say what they accept without being evaluated, in that many columns. Of all of them the last decides: the worst
    there is."""
    cells = [
        lambda row: f'? != "z" + string({row})',
        lambda row: f"? + {row} > 0",
        lambda row: f'starts with(?, "x") and {row} >= 0',
        lambda row: f"? > b - {row + 1}",
        lambda row: f"? = (b > {row} or {row} > 27)",
        lambda row: f'? + string({row}) = "q27"',
    ]
    return _compiled(CELLS[: len(CELLS) - columns] + cells[len(CELLS) - columns :])


def measure() -> dict[str, float]:
    """Seconds: of an empty call, and of a decision by each table."""
    tables = {"indexed": computed_table(0), "mixed": computed_table(3), "computed": computed_table()}
    for decision in tables.values():
        if decision.decide(CONTEXT).matched != ["r27"]:
            raise RuntimeError("the table decides wrongly")
    times = {"empty": _best(_empty, 50_000)}
    return times | {name: _best(lambda decision=decision: decision.decide(CONTEXT), 500) for name, decision in tables.items()}


def _compiled(cells) -> Decision:
    names = list(CONTEXT)
    rules = [(*(cell(row + 1) for cell in cells), f'"out {row + 1}"') for row in range(ROWS)]
    inputs = list(zip(names, _KINDS, strict=True))
    return compile_decisions(file(table(inputs, [("o", "string")], rules))).find()


def _empty() -> None:
    pass


def _best(work, rounds: int) -> float:
    """Seconds a call of the best of ten runs: whatever else the machine does only adds."""
    best = float("inf")
    for _ in range(10):
        begin = time.perf_counter()
        for _ in range(rounds):
            work()
        best = min(best, (time.perf_counter() - begin) / rounds)
    return best


def render(times: dict[str, float]) -> list[str]:
    """The lines of the report."""
    empty = times["empty"]
    names = {"indexed": "texts, numbers, intervals, truth values", "mixed": "the same in three columns, expressions in three"}
    names["computed"] = "nothing but expressions, of which the last column decides"
    lines = [
        "",
        f"One decision by a compiled table of {ROWS} rows × {len(CONTEXT)} inputs, every input evaluated.",
        f"An empty function call takes {empty * 1e9:.0f} ns here; the bound is {BOUND:,} of them (100 µs where one takes 50 ns).",
        "",
        "| cells | µs | × an empty call |",
        "|---|---:|---:|",
    ]
    return lines + [f"| {label} | {times[name] * 1e6:.1f} | {times[name] / empty:.0f} |" for name, label in names.items()]
