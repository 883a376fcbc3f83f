"""The same expressions in feelin, an independent implementation of the same language (in JavaScript, for the browser)."""

import datetime
import json
import random
import shutil
import subprocess
from decimal import Decimal
from pathlib import Path

import pytest

from engine import feel
from engine.feel.text import text_of
from engine.feel.values import FeelFunction, Range
from tests.unit.feel import test_builtins, test_language, test_unary_tests
from tests.unit.feel.differences import DIFFERENCES, UNASKED
from tests.unit.feel.tables import CONTEXT, rows

ROOT = Path(__file__).parents[3]

pytestmark = pytest.mark.skipif(
    not (shutil.which("node") and (ROOT / "node_modules/feelin").exists()), reason="feelin is not installed: make node_modules/.all"
)


def ask(questions: list[dict]) -> list[dict]:
    """One Node process for all questions."""
    lines = "\n".join(json.dumps({"context": {}} | question) for question in questions)
    oracle = Path(__file__).with_name("oracle.mjs")
    answer = subprocess.run(["node", oracle], input=lines, capture_output=True, text=True, check=True, timeout=120)
    return [json.loads(line) for line in answer.stdout.splitlines()]


def plain(value):
    """Our value in the form in which `oracle.mjs` writes feelin's."""
    if isinstance(value, Decimal):
        return float(value)
    if isinstance(value, list):
        return [plain(item) for item in value]
    if isinstance(value, dict):
        return {key: plain(item) for key, item in value.items()}
    if isinstance(value, Range):
        return {"$range": [plain(value.start), plain(value.end), value.start_included, value.end_included]}
    if isinstance(value, FeelFunction):
        return {"$function": True}
    if isinstance(value, datetime.date | datetime.time | datetime.timedelta | feel.YearMonthDuration):
        return {"$text": text_of(value)}
    return value


def agree(ours, theirs) -> bool:
    """Equal but for the last digits of floats."""
    if isinstance(ours, float) and isinstance(theirs, int | float) and not isinstance(theirs, bool):
        return abs(ours - theirs) <= 1e-9 * max(1, abs(ours))
    if isinstance(ours, list) and isinstance(theirs, list):
        return len(ours) == len(theirs) and all(map(agree, ours, theirs))
    if isinstance(ours, dict) and isinstance(theirs, dict):
        return ours.keys() == theirs.keys() and all(agree(ours[key], theirs[key]) for key in ours)
    return type(ours) is type(theirs) and ours == theirs


def disagreements(expressions: list[str]) -> dict[str, tuple]:
    """The expressions that come to something else there, with both values."""
    found = {}
    for expression, answer in zip(expressions, ask([{"expression": text} for text in expressions]), strict=True):
        ours = plain(feel.compile(expression).evaluate({}))
        if "error" in answer or not agree(ours, answer["value"]):
            found[expression] = (ours, answer)
    return found


def test_tables_differ_only_where_listed():
    """Every expression of the tables that needs no variables; and no listed difference has gone."""
    texts = [row[0] for module in (test_language, test_builtins) for table in module.TABLES.values() for row in rows(table)]
    closed = [text for text in texts if text not in UNASKED and text not in ("now()", "today()") and not feel.compile(text, CONTEXT).names]
    listed = {line for table in DIFFERENCES.values() for line in table.strip().splitlines()}
    found = disagreements(closed)
    assert {text: found[text] for text in found.keys() - listed} == {}
    assert listed - found.keys() == set()


def test_cells():
    """Unary tests, but for what feelin has no cell for (`-`), and for null, which it takes for false under `not` (10.3.2.8)."""
    skipped = {"- 1", "- null", "not(> 5) null"}
    cells = [(row[0].rsplit(" ", 1), row[1]) for row in rows(test_unary_tests.CELLS) if row[0] not in skipped]
    cells = [(cell, value, passes) for (cell, value), passes in cells if not {"limit", "levels"} & set(cell.split())]
    cells = [case for case in cells if "limit" not in case[0] and "@" not in case[1]]
    answers = ask([{"test": cell, "value": json.loads(value)} for cell, value, _ in cells])
    wrong = [(*case, answer) for case, answer in zip(cells, answers, strict=True) if (answer.get("value") is True) != (case[2] == "true")]
    assert wrong == []


# --- generated ----------------------------------------------------------------------------------------------------------


class Generator:
    """Random well-typed expressions of whole numbers, strings, truth values, lists and contexts.

    It keeps away from what feelin gets wrong everywhere: lists of different lengths are to it not unequal but null (10.3.2.13),
    a `for` that ends at 0 is null (10.3.2.14), and its ranges have no direction (10.3.2.7).
    """

    def __init__(self, chance: random.Random):
        self.chance = chance
        self.variables: list[str] = []  # numbers in scope

    def pick(self, depth: int, simple: list, complex_: list) -> str:
        return self.chance.choice(complex_ if depth > 0 and self.chance.random() < 0.8 else simple)(depth - 1)

    def number(self, depth: int) -> str:
        simple = [lambda _: str(self.chance.randint(-9, 20))]
        if self.variables:
            simple.append(lambda _: self.chance.choice(self.variables))
        return self.pick(
            depth,
            simple,
            [
                lambda d: f"({self.number(d)} {self.chance.choice('+-*')} {self.number(d)})",
                lambda d: f"(if {self.truth(d)} then {self.number(d)} else {self.number(d)})",
                lambda d: f"count({self.numbers(d)})",
                lambda d: f"sum([{self.number(d)}, {self.number(d)}])",
                lambda d: f"{self.chance.choice(('min', 'max', 'mean', 'median'))}([{self.number(d)}, {self.number(d)}])",
                lambda d: f"abs({self.number(d)})",
                lambda d: f"modulo({self.number(d)}, {self.chance.choice((-3, 2, 7))})",
                lambda d: f"string length({self.string(d)})",
                lambda d: f"{{a: {self.number(d)}, b: a + {self.number(d)}}}.b",
                lambda d: f"[{self.number(d)}, {self.number(d)}][{self.chance.choice((1, 2, -1))}]",
                lambda d: f"(function(p, q) p - q)({self.number(d)}, {self.number(d)})",
                lambda d: f"floor({self.number(d)} / {self.chance.choice((2, 4, -5))})",
            ],
        )

    def string(self, depth: int) -> str:
        return self.pick(
            depth,
            [lambda _: json.dumps(self.chance.choice(("", "a", "ab", "张三", "a b", "Abc")), ensure_ascii=False)],
            [
                lambda d: f"({self.string(d)} + {self.string(d)})",
                lambda d: f"string({self.number(d)})",
                lambda d: f"{self.chance.choice(('upper case', 'lower case'))}({self.string(d)})",
                lambda d: f'substring({self.string(d)} + "xyz", {self.chance.choice((1, 2, -1))})',
                lambda d: f'substring before({self.string(d)}, "b")',
                lambda d: f"substring after({self.string(d)}, {self.string(d)})",
                lambda d: f'string join([{self.string(d)}, null, {self.string(d)}], "-")',
                lambda d: f'replace({self.string(d)}, "[a-b]", "<$0>")',
            ],
        )

    def truth(self, depth: int) -> str:
        return self.pick(
            depth,
            [lambda _: self.chance.choice(("true", "false", "null"))],
            [
                lambda d: f"({self.truth(d)} {self.chance.choice(('and', 'or'))} {self.truth(d)})",
                lambda d: f"not({self.truth(d)})",
                lambda d: f"({self.number(d)} {self.chance.choice(('=', '!=', '<', '<=', '>', '>='))} {self.number(d)})",
                lambda d: f"({self.string(d)} {self.chance.choice(('=', '<', '>='))} {self.string(d)})",
                lambda d: f"({self.number(d)} between {self.chance.randint(-9, 0)} and {self.chance.randint(0, 9)})",
                lambda d: f"({self.number(d)} in [{self.number(d)}, {self.number(d)}])",
                lambda d: f"({self.number(d)} in {self.interval()})",
                lambda d: f"({self.number(d)} in (< {self.number(d)}, {self.number(d)}))",
                lambda d: f"({self.chance.choice(('some', 'every'))} {self.bound(d, lambda: self.comparison(d))})",
                lambda d: f"list contains({self.numbers(d)}, {self.number(d)})",
                lambda d: f"contains({self.string(d)}, {self.string(d)})",
                lambda d: f"([{self.number(d)}, {self.number(d)}] = [{self.number(d)}, {self.number(d)}])",
                lambda d: f"({self.number(d)} instance of {self.chance.choice(('number', 'string', 'Any'))})",
                lambda d: f"{self.chance.choice(('all', 'any'))}([{self.truth(d)}, {self.truth(d)}])",
            ],
        )

    def interval(self) -> str:
        """Ascending: to feelin, `3 in [5..1]` and `3 between 5 and 1` are true (10.3.2.7)."""
        start = self.chance.randint(-9, 9)
        return f"{self.chance.choice('[(]')}{start}..{start + self.chance.randint(0, 9)}{self.chance.choice('])[')}"

    def comparison(self, depth: int) -> str:
        return f"({self.number(depth)} > {self.number(depth)})"

    def bound(self, depth: int, body, word: str = "satisfies") -> str:
        name = f"x{len(self.variables)}"
        source = self.numbers(depth)
        self.variables.append(name)
        text = f"{name} in {source} {word} {body()}"
        self.variables.pop()
        return text

    def numbers(self, depth: int) -> str:
        return self.pick(
            depth,
            [lambda _: f"[{', '.join(self.number(0) for _ in range(self.chance.randint(0, 3)))}]"],
            [
                lambda d: f"(for {self.bound(d, lambda: self.number(d), 'return')})",
                lambda d: f"(for i in {self.chance.randint(-2, 4)}..{self.chance.choice((-2, -1, 1, 2, 3))} return i * {self.number(d)})",
                lambda d: f"{self.numbers(d)}[item > {self.number(d)}]",
                lambda d: f"concatenate({self.numbers(d)}, {self.numbers(d)})",
                lambda d: f"reverse({self.numbers(d)})",
                lambda d: f"distinct values({self.numbers(d)})",
                lambda d: f"append({self.numbers(d)}, {self.number(d)})",
                lambda d: f"[{{k: {self.number(d)}}}, {{k: {self.number(d)}}}].k",
                lambda d: f"[{{k: {self.number(d)}}}, {{k: {self.number(d)}}}][k > {self.number(d)}].k",
                lambda d: f"sort({self.numbers(d)}, function(a, b) a < b)",
            ],
        )

    def any(self) -> str:
        return self.chance.choice((self.number, self.string, self.truth, self.numbers))(4)


@pytest.mark.soak
def test_generated_expressions(campaign):
    """Both come to the same."""
    generator = Generator(random.Random(20261124))
    expressions = [generator.any() for _ in range(campaign(600, 60_000))]
    expressions = [text for text in expressions if len(text) < 2_000]
    for start in range(0, len(expressions), 5_000):
        assert disagreements(expressions[start : start + 5_000]) == {}
