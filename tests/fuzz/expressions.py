"""Texts that may or may not be FEEL: well-formed expressions of any types, good ones damaged, words and characters in any order.

A form is a text with holes: `‹number›` is filled with a number mostly, with anything now and then, `‹›` with anything.
"""

import re
from collections.abc import Callable
from decimal import Decimal
from random import Random

from engine import feel
from engine.feel.builtins import BUILTINS
from tests.unit.feel import test_builtins, test_language, test_limits, test_unary_tests
from tests.unit.feel.tables import rows

LONGEST = 400  # characters; what is longer takes its time and finds no more
_HOLE = re.compile("‹([^›]*)›")

LEAVES = {
    "number": ["0", "1", "-1", "2", "3.50", ".5", "1e3", "1E-6143", "1e6144", "9" * 34, "0.1", "-0", "age", "count([1, 2])"],
    "string": ['""', '"a"', '"abc"', '"张三"', '"🐎"', r'"\\d+"', '"(a|b)*"', '"\\u4f60\\n"', '"1,000.5"', '"i"', '" "', "risk", "姓名"],
    "boolean": ["true", "false", "1 < 2", "age >= 60"],
    "date": ['@"2026-01-31"', '@"0001-01-01"', '@"9999-12-31"', "today()", 'date("2024-02-29")', '@"-999999999-12-31"'],
    "time": ['@"10:00:00"', '@"23:59:59.999999Z"', '@"00:00:00@Asia/Shanghai"', '@"08:30:00-14:00"'],
    "date and time": [
        '@"2026-01-31T10:00:00"',
        '@"0001-01-01T00:00:00@Asia/Shanghai"',
        '@"9999-12-31T23:59:59.9Z"',
        '@"999999999-12-31T23:59:59.999999999@Europe/Paris"',
        '@"-0001-02-28T24:00:00"',
        '@"2026-03-29T02:30:00@Europe/Paris"',
        "now()",
    ],
    "days and time duration": ['@"P1D"', '@"-PT0.5S"', '@"P999999999D"', '@"PT0S"', '@"PT36H"'],
    "years and months duration": ['@"P1Y"', '@"-P14M"', '@"P0M"', '@"P999999999Y"'],
    "list": ["[]", "[1, 2, 3]", '["a", null]', "[[1], [2, [3]]]", "numbers", "visits", "[null]"],
    "context": ["{}", "{a: 1}", '{a: {b: [1]}, "c d": null}', "client", "visits[1]"],
    "range": ["[1..5]", "(1..5)", "]1..5[", '["a".."c"]', '[@"2026-01-01"..@"2026-02-01"]', "(> 3)", "(<= 2)", "[5..1]", "[null..1]"],
    "function": ["function(x) x", "function(a, b) a < b", "function(x: number) x + 1", "abs", "count", "function() 1"],
    "null": ["null", "unknown", "1 / 0"],
}
_EVERYTHING = [leaf for leaves in LEAVES.values() for leaf in leaves]
_NAMES = ["x", "y", "a", "item", "partial", "full name", "年龄", "`q r`", "a-b", "x.y", "list", "date", "?"]
_TYPES = ["number", "string", "Any", "Null", "list<number>", "list", "context<a: number>", "range<date>", "function<Any> -> Any", "date and time"]

FORMS = [
    *(f"‹› {operator} ‹›" for operator in ("+", "-", "*", "/", "**", "=", "!=", "<", "<=", ">", ">=", "and", "or", "in")),
    *(f"‹number› {operator} ‹number›" for operator in ("+", "-", "*", "/", "**")),
    *(f"‹date and time› {operator} ‹days and time duration›" for operator in ("+", "-", "<")),
    "‹date› - ‹date and time›",
    "-‹›",
    "(‹›)",
    "‹› between ‹› and ‹›",
    "‹› in (‹›, < ‹›)",
    "‹› in [‹›..‹›]",
    "‹› in ]‹number›..‹number›[",
    "‹› instance of ‹:type›",
    "if ‹boolean› then ‹› else ‹›",
    "for ‹:name› in ‹list› return ‹›",
    "for x in ‹number›..3, y in ‹list› return [x, y, ‹›]",
    "for x in ‹date›..‹date› return x.day",
    "for x in 1..3 return [partial, ‹›]",
    "some ‹:name› in ‹list› satisfies ‹boolean›",
    "every x in ‹list›, y in ‹list› satisfies ‹›",
    "[‹›, ‹›]",
    "[‹›..‹›]",
    "{‹:name›: ‹›, ‹:name›: ‹›}",
    "{f: function(n) if n <= 0 then 0 else f(n - 1), r: f(‹number›)}.r",
    "‹list›[‹›]",
    "‹list›[item > ‹›]",
    "‹list›[a = ‹›]",
    "‹context›.‹:name›",
    "‹›.year",
    "‹›.time offset",
    "‹›.start included",
    "(function(‹:name›, ‹:name›: ‹:type›) ‹›)(‹›, ‹›)",
    "(function(x) ‹›)(x: ‹›)",
    "‹function›(‹›)",
    "‹› // a note\n + ‹›",
    "‹› /* a note */",
]


def _calls() -> list[str]:
    """Calls of every built-in function: with what it asks for by position and by name, and with anything."""
    found = []
    for name, builtin in BUILTINS.items():
        for overload in builtin.overloads:
            holes = [f"‹{'|'.join(sorted(parameter.kinds))}›" for parameter in overload.parameters]
            named = ", ".join(f"{parameter.name}: {hole}" for parameter, hole in zip(overload.parameters, holes, strict=True))
            found += [f"{name}({', '.join(holes)})", f"{name}({named})", f"{name}({', '.join('‹›' for _ in holes)})"]
    return found


CALLS = _calls()
CELLS = ["-", "< ‹›", ">= ‹›", "‹›", "‹›, ‹›", "not(‹›, > ‹›)", "[‹number›..‹number›]", "? > ‹›", "not(? in ‹list›)", "!= ‹›", "‹range›, ‹list›"]
GOOD = [row[0] for module in (test_language, test_builtins) for table in module.TABLES.values() for row in rows(table)]
GOOD_CELLS = [row[0].rsplit(" ", 1)[0] for row in rows(test_unary_tests.CELLS)]
_CHARACTERS = "\"\\'()[]{}<>=!?.,:;+-*/@`#$%&|~^ \t\n\r\0\x1b\x7f\u00a0\u200b\u202e\u3000\ufeff，。；：（）［］「」０Ａé中🐎\ud800\udfff"
INPUTS = [feel.compile(leaf).evaluate({}) for leaf in _EVERYTHING if not feel.compile(leaf).names]


def expression(dice: Random) -> str:
    """Any text that might be taken for an expression."""
    return _text(dice, FORMS + CALLS, GOOD)


def cell(dice: Random) -> str:
    """Any text that might be taken for an input cell."""
    return _text(dice, CELLS, GOOD_CELLS + GOOD)


def _text(dice: Random, forms: list[str], good: list[str]) -> str:
    chance = dice.random()
    if chance < 0.45:
        text = _filled(dice, dice.choice(forms), 3)
    elif chance < 0.85:
        text = damaged(dice, dice.choice(good) if dice.random() < 0.7 else _filled(dice, dice.choice(forms), 2))
    elif chance < 0.95:
        text = " ".join(dice.choices(test_limits.PIECES, k=dice.randint(1, 14)))
    else:
        text = "".join(chr(dice.randrange(0x3000)) if dice.random() < 0.3 else dice.choice(_CHARACTERS) for _ in range(dice.randint(0, 30)))
    return text[:LONGEST]


def _filled(dice: Random, form: str, depth: int) -> str:
    return _HOLE.sub(lambda hole: _filling(dice, hole[1], depth - 1), form)


def _filling(dice: Random, wanted: str, depth: int) -> str:
    if wanted in (":name", ":type"):
        return dice.choice(_NAMES if wanted == ":name" else _TYPES)
    if wanted and dice.random() < 0.75:
        return dice.choice(LEAVES[dice.choice(wanted.split("|"))])
    if depth <= 0 or dice.random() < 0.5:
        return dice.choice(_EVERYTHING)
    return _filled(dice, dice.choice(FORMS if dice.random() < 0.6 else CALLS), depth)


def damaged(dice: Random, text: str) -> str:
    """`text` with some places of it cut out, doubled, joined with another's or turned into something else."""
    for _ in range(dice.choice((1, 1, 2, 3))):
        start = dice.randrange(len(text) + 1)
        end = start + dice.choice((0, 0, 1, 1, 2, 5, 20))
        change: Callable[[], str] = dice.choice(
            (
                lambda: "",
                lambda: dice.choice(_CHARACTERS),
                lambda: dice.choice(test_limits.PIECES),
                lambda: dice.choice(_EVERYTHING),
                lambda part=text[start:end]: part + part,
                lambda: dice.choice(GOOD)[dice.randint(0, 9) :],
            )
        )
        text = text[:start] + change() + text[end:]
    return text


def value(dice: Random):
    """Something that a cell may be asked about."""
    return dice.choice(INPUTS) if dice.random() < 0.8 else Decimal(dice.randint(-9, 99))
