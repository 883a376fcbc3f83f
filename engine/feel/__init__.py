"""FEEL, the expression language of DMN 1.5 (chapter 10), compiled once to Python closures.

    >>> compile("age >= 60 and risk != \\"low\\"").evaluate({"age": Decimal(71), "risk": "high"})
    True

Text becomes tokens (`scanner`), a tree (`parser`, `nodes`), closures (`compiler`, `fast`, `loops`). The parser is a hand-written
Pratt parser, not a generated one: FEEL's names hold spaces and operators (`date and time`, `a+b`), so what a word belongs to
depends on the names in scope at that very place, which a grammar cannot know; one pass with the longest match does it in a few lines,
bounds its own depth, and can say what it expected. Operators are in `operators`, built-in functions by topic in `builtins/`.

It is deterministic and closed: no I/O, no clock but the one handed in, no `eval`, no attribute of a host object ever read by a name an
author chose, and bounds on text, depth, steps and sizes (`Budget`). What goes wrong inside FEEL is null; only `FeelSyntaxError`
(the text) and `FeelLimit` (too much) are raised, and `FeelTypeError` for host values that are not FEEL values.
"""

import datetime
from collections.abc import Iterable, Mapping

from engine.feel.budget import Budget
from engine.feel.builtins import BUILTINS
from engine.feel.coding import cast, decode, encode, from_plain, to_plain
from engine.feel.compiler import Compiler
from engine.feel.errors import FeelError, FeelLimit, FeelSyntaxError, FeelTypeError, FeelUnsupported
from engine.feel.names import Names
from engine.feel.parser import Parser
from engine.feel.runtime import Environment, Run
from engine.feel.values import DayTimeDuration, FeelFunction, Range, YearMonthDuration, is_true

__all__ = [
    "Budget",
    "DayTimeDuration",
    "Expression",
    "FeelError",
    "FeelFunction",
    "FeelLimit",
    "FeelSyntaxError",
    "FeelTypeError",
    "FeelUnsupported",
    "Range",
    "UnaryTests",
    "YearMonthDuration",
    "cast",
    "compile",
    "compile_unary_tests",
    "decode",
    "encode",
    "from_plain",
    "is_true",
    "to_plain",
]

_BUILTIN_NAMES = Names(BUILTINS)


class Expression:
    """A compiled expression. `names`: the variables it reads, without built-ins and its own local names."""

    __slots__ = ("_code", "names", "text")

    def __init__(self, text: str, names: frozenset[str], code):
        self.text = text
        self.names = names
        self._code = code

    def evaluate(self, context: Mapping, clock: datetime.datetime | None = None, budget: Budget | None = None):
        """Its value for the variables in `context`. `now()` and `today()` are `clock`'s; a variable not there is null."""
        try:
            return self._code(Run(context, clock, budget))
        except RecursionError:
            raise FeelLimit(limit="嵌套", allowed="规定的层数") from None

    def __repr__(self):
        return f"Expression({self.text!r})"


class UnaryTests:
    """A compiled input cell of a decision table."""

    __slots__ = ("_code", "names", "text")

    def __init__(self, text: str, names: frozenset[str], code):
        self.text = text
        self.names = names
        self._code = code

    def test(self, value, context: Mapping, clock: datetime.datetime | None = None, budget: Budget | None = None) -> bool:
        """Whether `value` passes; a test that comes out null does not."""
        run = Run(context, clock, budget)
        try:
            return self._code(Environment(run, value, run), value)
        except RecursionError:
            raise FeelLimit(limit="嵌套", allowed="规定的层数") from None

    def __repr__(self):
        return f"UnaryTests({self.text!r})"


def compile(text: str, names: Iterable[str] = (), types: Mapping[str, str] | None = None) -> Expression:
    """Compile an expression (without the `=` that marks it in a diagram).

    `names` are those in scope: variables and host functions. Names of several words must be among them, or be written
    in backticks; an unknown single word is read as a variable. `types` are the host's names of types (DMN's item definitions), each
    with the type as FEEL spells it: `{"tVisit": "context<day: date, minutes: number>"}`. FeelSyntaxError tells line, column and
    what was expected.
    """
    names = list(names)
    tree = Parser(text, [_BUILTIN_NAMES, Names(names)], types).whole_expression()
    compiler = Compiler(text, names)
    code = compiler.build(tree)
    return Expression(text, frozenset(compiler.free), code)


def compile_unary_tests(text: str, names: Iterable[str] = (), types: Mapping[str, str] | None = None) -> UnaryTests:
    """Compile an input cell: `-`, `> 5`, `"a", "b"`, `not("a")`, `[1..5]`, or an expression with `?` for the input."""
    names = list(names)
    tree = Parser(text, [_BUILTIN_NAMES, Names(names)], types).whole_tests()
    compiler = Compiler(text, names)
    code = compiler.tests(tree)
    return UnaryTests(text, frozenset(compiler.free), code)
