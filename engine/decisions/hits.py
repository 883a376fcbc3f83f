"""Hit policies (8.2.10): what the rules that matched come to."""

from decimal import Decimal
from typing import TYPE_CHECKING, Any

from engine import feel
from engine.decisions.compiling import Compiler
from engine.decisions.index import parts_of
from engine.decisions.model import AGGREGATIONS, Cell, Table
from engine.decisions.running import Run
from engine.decisions.types import Type

if TYPE_CHECKING:
    from engine.decisions.table import CompiledTable

_EQUAL = feel.compile("one = other")
_AGGREGATE = {name: feel.compile(f"{name.lower()}(values)") for name in AGGREGATIONS}


class Priorities:
    """The order of the rules by their output values: left to right over the outputs that list values, the first listed first.

    What an output lists is its `outputValues`, else what the type of the output, or of what the table decides, allows.
    """

    def __init__(self, lists: list[tuple[int, list]]):
        """`lists`: position of an output → its values' unary tests in their order."""
        self._lists = lists

    @classmethod
    def read(cls, table: Table, expected: Type, compiler: Compiler) -> "Priorities":
        """Compile the lists; a finding where no output has one, for then nothing has a priority."""
        lists = []
        for position, output in enumerate(table.outputs):
            written = output.allowed.text if output.allowed else compiler.types[output.type].listed
            if not written:
                type_ = expected if len(table.outputs) == 1 else expected.component(output.name)
                written = type_.listed if type_ else ""
            tests = [compiler.tests(Cell(output.id, part)) for part in parts_of(written)] if written else []
            if tests and None not in tests:
                lists.append((position, tests))
        if not lists:
            compiler.refuse(
                "dmn_priority",
                table.id,
                "按优先级的命中策略要有输出值列表（outputValues），按优先次序写",
                "This hit policy needs a list of output values, highest priority first",
            )
        return cls(lists)

    def rank(self, row, names: list[str], run: Run) -> tuple[int, ...]:
        """Lower is earlier; a value that is not listed comes last."""
        ranks = []
        for position, tests in self._lists:
            value = row if len(names) == 1 else row[names[position]]
            passed = (rank for rank, test in enumerate(tests) if run.passes(test, value))
            ranks.append(next(passed, len(tests)))
        return tuple(ranks)


def no_answer(table: Table, run: Run) -> Any:
    """The result of a table without a default of which no rule matched: null. Where `decide` follows the specification to the letter,
    COLLECT has collected an empty list, and counted none."""
    if table.hit_policy in "UAPF":
        run.note("no_rule", "没有一行命中，也没有默认结果")
    if run.strict or table.hit_policy != "C":
        return None
    return {None: [], "COUNT": Decimal(0)}.get(table.aggregation)


def answer(table: "CompiledTable", matched: list[int], ids: list[str], run: Run) -> Any:
    """The result of a table of which these rules (at least one) matched."""
    policy = table.source.hit_policy
    if policy == "U" and len(matched) > 1:
        return run.fault("several_rules", f"命中策略是 UNIQUE，却有 {len(matched)} 行同时命中：{'、'.join(ids)}", matched=ids)
    if policy in "UF":
        return table.row(matched[0], run)
    rows = [table.row(position, run) for position in matched]
    if policy == "A":
        # Equal by FEEL: Python's True would equal the number 1.
        if not all(feel.is_true(_EQUAL.evaluate({"one": rows[0], "other": row})) for row in rows[1:]):
            return run.fault("rules_differ", f"命中策略是 ANY，命中的各行结果却不同：{'、'.join(ids)}", matched=ids)
        return rows[0]
    if policy in "PO":
        names = [output.name for output in table.source.outputs]
        rows.sort(key=lambda row: table.priorities.rank(row, names, run))  # stable: equals keep the order of the rules
        return rows[0] if policy == "P" else rows
    if table.source.aggregation is None:
        return rows
    value = _AGGREGATE[table.source.aggregation].evaluate({"values": rows}, budget=run.budget)
    if value is None:
        return run.fault("not_aggregated", f"命中的各行结果无法汇总（{table.source.aggregation}）", matched=ids)
    return value
