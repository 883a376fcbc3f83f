"""Random tables answer what reading them row by row, cell by cell, answers: all hit policies, priorities and defaults.

The interpreter here knows FEEL but nothing of how tables are compiled: no index, no masks, no shortcuts.
"""

from decimal import Decimal
from functools import cache

from hypothesis import given, settings, strategies as st

from engine import feel
from engine.decisions import compile_decisions
from engine.exceptions import DecisionFailed
from tests.support.tables import file, table

D = Decimal
CELLS = [
    "-", "", '"a"', '"a","b"', 'not("a")', 'not("b", "a")', "1", "1,2", "> 1", "[1..3]", "(1..3)", "not(2)", "true", "false", "null",
    "? = y", "y", '"b",null', 'list contains(?, "a")', "? != null", "-1.0", '"a", 2', "<= 1, >2", "]0..2[", "[2..1]", "[1..1]",
    "(1..1]", "< 2, [2 .. 3], 1", ">=-1.0", '"", "b"', "[null..2]", '< date("2026-02-01")', '@"2026-02-01"', "not(> 1)", "true, false",
]  # fmt: skip
RESULTS = ["1", "2", "2.0", "x", "y", '"a"', '"b"', "true", "null", "[1]", ""]
PRIORITIES = ['"b"', "2", "[0..1]", "true", '"a"']
POLICIES = [(hit, None) for hit in ("UNIQUE", "ANY", "PRIORITY", "FIRST", "OUTPUT ORDER", "RULE ORDER", "COLLECT")]
POLICIES += [("COLLECT", one) for one in ("SUM", "MIN", "MAX", "COUNT")]
FAILS = "fails"
days = [feel.cast(day, "date") for day in ("2026-01-31", "2026-02-01", "2026-03-01")]
values = st.sampled_from([None, True, False, D(0), D(1), D("1.0"), D(2), D(3), D(-1), "a", "b", "", ["a"], [], [D(1)], {"a": D(1)}, *days])
compiled_tests = cache(feel.compile_unary_tests)
value_of = cache(feel.compile)


def naive(hit, aggregation, width, rules, priorities, default, context):
    """(result or FAILS, ids of the matched rules)."""
    inputs = [context["xyz"[column]] for column in range(width)]
    hits = []
    for number, rule in enumerate(rules, 1):
        if all(not cell or compiled_tests(cell).test(value, context) for cell, value in zip(rule, inputs, strict=False)):
            hits.append((f"r{number}", value_of(rule[-1]).evaluate(context) if rule[-1] else None))
    return _result(hit, aggregation, [value for _, value in hits], priorities, default, context), [ident for ident, _ in hits]


def _result(hit, aggregation, rows, priorities, default, context):
    if not rows:
        return value_of(default).evaluate(context) if default else None
    if hit == "UNIQUE":
        return rows[0] if len(rows) == 1 else FAILS
    if hit == "ANY":
        same = all(feel.is_true(value_of("a = b").evaluate({"a": rows[0], "b": row})) for row in rows)
        return rows[0] if len(rows) == 1 or same else FAILS
    if hit == "FIRST":
        return rows[0]
    if aggregation:
        result = value_of(f"{aggregation.lower()}(v)").evaluate({"v": rows})
        return FAILS if result is None else result
    if hit in ("PRIORITY", "OUTPUT ORDER"):
        ordered = []
        for listed in [*priorities, None]:  # what is not listed comes last
            for at, row in enumerate(rows):
                if at not in ordered and (listed is None or compiled_tests(listed).test(row, context)):
                    ordered.append(at)
        rows = [rows[at] for at in ordered]
        return rows[0] if hit == "PRIORITY" else rows
    return rows


@settings(max_examples=300)
@given(st.data())
def test_tables_answer_what_reading_them_row_by_row_answers(data):
    hit, aggregation = data.draw(st.sampled_from(POLICIES))
    width = data.draw(st.integers(0, 3))
    cell, result = st.sampled_from(CELLS), st.sampled_from(RESULTS)
    rules = data.draw(st.lists(st.tuples(*[cell] * width, result), max_size=8))
    default = data.draw(st.sampled_from(["", "", "7", "y"]))
    priorities = data.draw(st.permutations(PRIORITIES)) if hit in ("PRIORITY", "OUTPUT ORDER") else []
    # The last listed test lets the unlisted be, too.
    xml = file(table([(name, "") for name in "xyz"[:width]], [("o", "")], rules, hit=hit, aggregation=aggregation))
    if priorities:
        listed = f"<outputValues><text>{', '.join(priorities)}, count([?]) = 1</text></outputValues>"
        xml = xml.replace(b"</output>", f"{listed}</output>".encode())
    if default:
        xml = xml.replace(b"</output>", f"<defaultOutputEntry><text>{default}</text></defaultOutputEntry></output>".encode())
    decision = compile_decisions(xml).find()
    for _ in range(4):
        context = {name: data.draw(values) for name in "xyz"}
        expected, matched = naive(hit, aggregation, width, rules, priorities, default, context)
        for lazy in (False, True):
            try:
                outcome = decision.decide(context, lazy=lazy)
                assert (repr(outcome.result), outcome.matched) == (repr(expected), matched)
            except DecisionFailed as failed:
                assert expected is FAILS and failed.facts["matched"] == matched
        [explained] = decision.explain(context)["decisions"][0]["tables"]
        assert [line["rule"] for line in explained["rules"] if line["matched"]] == matched == explained["matched"]
