"""What is to be said of a regulation before it binds every open case: examples that fail, rules that stop everybody. Pure."""

from collections.abc import Sequence

from engine.decisions.narrowing import looks, narrowing
from engine.findings import Finding
from engine.regulation_examples import Example, failures, run, uncovered
from engine.regulations import POINTS, UNSTOPPABLE, Regulation

_STOPPING = ("block", "waiver")
_MOST_NAMED = 5


def review(regulation: Regulation, examples: Sequence[Example], file: str | None = None, examples_file: str | None = None) -> list[Finding]:
    """Every finding; those of severity error keep it from being published. `file`, `examples_file`: where they come from."""
    found = [_blocks_everybody(row.id, point, file) for point, row in _unconditional(regulation)]
    known = set(regulation.rules)
    found += [_unknown_rule(example, examples_file) for example in examples if example.rule not in known]
    results = run(regulation, [example for example in examples if example.rule in known])
    found += failures(results, examples_file)
    if all(result.passed for result in results):
        found += _gaps(regulation, results, examples_file or file)
    return found


def _unconditional(regulation: Regulation):
    """(point, row) of every row that stops an act whatever it is about: all it looks at is settled by the check point alone."""
    decision = regulation.decision
    stopping = [row for row in decision.rules if regulation.effect_of(row.id) in _STOPPING]
    seen = set()
    for point in (each for each in POINTS if each not in UNSTOPPABLE):
        within = narrowing(decision, {"point": point}, {("point",)}.__contains__)
        for row in stopping:
            alive = within.alive >> decision.rules.index(row) & 1
            if alive and row.id not in seen and all(index in within.values for index, cell in enumerate(row.inputs) if looks(cell)):
                seen.add(row.id)
                yield point, row


def _blocks_everybody(row: str, point: str, file: str | None) -> Finding:
    zh = f"规则行“{row}”在检查点 {point} 没有任何条件：发布后谁也办不成事。请写明它针对什么"
    en = f"The row {row} has no condition at the point {point}: it would stop everybody. Say what it is about"
    return Finding("blocks_everybody", zh, en, element=row, file=file)


def _unknown_rule(example: Example, file: str | None) -> Finding:
    zh = f"示例“{example.name}”说的规则 {example.rule} 不在表里：规则删掉了，示例也要删；改了名，示例也要改"
    en = f'The example "{example.name_en or example.name}" is about {example.rule}, which is not in the table'
    return Finding("example_failed", zh, en, element=example.rule, file=file, line=example.line)


def _gaps(regulation: Regulation, results, file: str | None) -> list[Finding]:
    gaps = uncovered(regulation, results)
    found = []
    for names, zh, en in (
        (gaps.rows, "这些规则行没有示例，删了也没人发现：{}", "No example would miss these rows: {}"),
        (gaps.never_silent, "这些规则没有“不应给出结论”的示例：{}", "No example shows what these rules leave alone: {}"),
    ):
        if names:
            shown = ", ".join(names[:_MOST_NAMED]) + (f" … ({len(names)})" if len(names) > _MOST_NAMED else "")
            found.append(Finding("examples_missing", zh.format(shown), en.format(shown), file=file, severity="warning"))
    return found
