"""Tokens → tree: a Pratt parser. Names of several words are joined here, the longest one in scope first."""

import difflib
from collections.abc import Mapping

from engine.feel import nodes, temporal
from engine.feel.budget import NESTING
from engine.feel.cursor import INFIX_WORDS, Cursor
from engine.feel.errors import FeelUnsupported
from engine.feel.names import Names
from engine.feel.types import parse_type
from engine.feel.values import number

OR, AND, COMPARISON, ADDITION, MULTIPLICATION, POWER, SIGN, INSTANCE, POSTFIX = range(1, 10)

RELATIONS = ("=", "!=", "<", "<=", ">", ">=")
_POWERS = {"or": OR, "and": AND, "between": COMPARISON, "in": COMPARISON, "instance": INSTANCE}
_POWERS |= dict.fromkeys(RELATIONS, COMPARISON)
_POWERS |= {"+": ADDITION, "-": ADDITION, "*": MULTIPLICATION, "/": MULTIPLICATION, "**": POWER}
_POWERS |= dict.fromkeys((".", "[", "("), POSTFIX)

_CONSTANTS = {"true": True, "false": False, "null": None}
_PROPERTIES = Names(("time offset", "start included", "end included"))


class Parser(Cursor):
    """One text being read. `scopes` hold the names of several words, innermost last."""

    def __init__(self, text: str, scopes: list[Names], types: Mapping[str, str] | None = None):
        """`types`: what the host has named, each as FEEL spells it."""
        super().__init__(text)
        self.scopes = scopes
        self.types = types or {}
        self.keys = Names()  # of every context written so far: what may follow a dot
        self.filters = 0  # how many filters we are inside of
        self.range_ends = 0  # how many ends of ranges we are inside of
        self.nesting = 0

    # --- whole texts -------------------------------------------------------------------------------------------------

    def whole_expression(self) -> nodes.Node:
        """An expression and nothing after it."""
        node = self.expression()
        self.finish(node)
        return node

    def whole_tests(self) -> nodes.Tests:
        """A cell: `-`, tests, or `not(tests)`, and nothing after it. An empty cell is `-`."""
        if self.token.kind == "end" or (self.sees("-") and self.tokens[1].kind == "end"):
            return nodes.Tests([])
        if self.sees("not") and self.tokens[1].text == "(":
            self.at = 2
            tests = self.tests()
            if self.take(")") and self.token.kind == "end":
                return nodes.Tests(tests, negated=True)
            self.at = 0  # `not(a) and b` after all: an expression
        tests = self.tests()
        self.finish(tests[-1].operand)
        return nodes.Tests(tests)

    def finish(self, node: nodes.Node) -> None:
        token = self.token
        if token.kind == "end":
            return
        found = ""
        if isinstance(node, nodes.Name) and token.kind == "name":
            name = f"{node.name} {token.text}"
            near = difflib.get_close_matches(name, [known for scope in self.scopes for known in scope.all], 1, 0.75)
            found = f"{token.describe()}（没有叫做「{name}」的名称" + (f"，有「{near[0]}」）" if near else "）")
        raise self.error("运算符", "表达式的结尾", found=found)

    def tests(self) -> list[nodes.Test]:
        tests = [self.test()]
        while self.take(","):
            tests.append(self.test())
        return tests

    def test(self, power: int = 0) -> nodes.Test:
        """A positive unary test."""
        if self.sees(*RELATIONS):
            operator = self.advance().text
            return nodes.Test(operator, self.expression(ADDITION))
        return nodes.Test("in", self.expression(power))

    # --- expressions -------------------------------------------------------------------------------------------------

    def expression(self, power: int = 0) -> nodes.Node:
        """The longest expression here whose operators bind at least as tightly as `power`."""
        self.nesting += 1
        if self.nesting > NESTING:
            raise self.error(f"不超过 {NESTING} 层的嵌套", found="更深的嵌套")
        left = self.unary_range() if power == 0 and self.sees(*RELATIONS) else self.operand()
        while True:
            token = self.token
            binds = _POWERS.get(token.text, 0) if token.kind in ("symbol", "name") else 0
            if binds < max(power, 1) or (token.text == "[" and self.closes_range()):
                break
            left = self.infix(left, binds)
        self.nesting -= 1
        return left

    def closes_range(self) -> bool:
        """Whether `[` ends a range such as `[1..5[`: then no operand follows, as it does in every filter."""
        if not self.range_ends:
            return False
        after = self.tokens[self.at + 1]
        if after.kind == "symbol":
            return after.text not in ("(", "[", "{", "-", "?")
        return after.kind == "end" or after.text in INFIX_WORDS

    def infix(self, left: nodes.Node, binds: int) -> nodes.Node:
        token = self.advance()
        operator = token.text
        if operator in _POSTFIX:
            return _POSTFIX[operator](self, left)
        if operator in ("and", "or"):
            right = self.expression(binds + 1)
            if isinstance(left, nodes.Logic) and left.operator == operator:
                left.operands.append(right)
                return left
            return nodes.Logic(operator, [left, right])
        if operator == "between":
            low = self.expression(ADDITION)
            self.expect("and")
            return nodes.Between(left, low, self.expression(ADDITION))
        if operator == "in":
            return nodes.In(left, self.tests_of_in())
        if operator == "instance":
            self.expect("of")
            return nodes.InstanceOf(left, parse_type(self))
        if operator in ("=", "!=") and self.sees("<", "<=", ">", ">=") and self.token.start > token.end:  # `=>` is a slip
            return nodes.Comparison(operator, left, self.unary_range())
        right = self.expression(binds + 1)
        make = nodes.Comparison if binds == COMPARISON else nodes.Arithmetic
        return make(operator, left, right)

    def tests_of_in(self) -> list[nodes.Test]:
        if not self.take("("):
            return [self.test(ADDITION)]
        first = self.test()
        if first.operator == "in" and self.take(".."):
            return [nodes.Test("in", self.range_from(first.operand, start_included=False))]
        tests = [first]
        while self.take(","):
            tests.append(self.test())
        self.expect(")")
        return tests

    def path(self, source: nodes.Node) -> nodes.Path:
        if self.token.kind == "quoted":
            return nodes.Path(source, self.advance().value)
        if self.token.kind != "name":
            raise self.error("属性或字段的名称")
        found = self.scoped_name([_PROPERTIES, self.keys, *self.scopes[1:]])
        return nodes.Path(source, found or self.adjacent_words())

    def filter(self, source: nodes.Node) -> nodes.Filter:
        self.filters += 1
        condition = self.expression()
        self.filters -= 1
        self.expect("]")
        return nodes.Filter(source, condition)

    def call(self, function: nodes.Node) -> nodes.Node:
        if self.take(")"):
            return nodes.Call(function, [])
        name = self.parameter_name()
        if name is None:
            arguments = [self.expression()]
            while self.take(","):
                arguments.append(self.expression())
            self.expect(")")
            return nodes.Call(function, arguments)
        named = {}
        while True:
            if name is None:
                raise self.error("参数名和「:」")
            named[name] = self.expression()
            if not self.take(","):
                break
            name = self.parameter_name()
        self.expect(")")
        return nodes.NamedCall(function, named)

    # --- operands ----------------------------------------------------------------------------------------------------

    def operand(self) -> nodes.Node:
        token = self.token
        if token.kind == "number":
            self.at += 1
            try:
                return nodes.Literal(number(token.text))
            except ArithmeticError:
                raise self.error("34 位十进制范围内的数字", token=token) from None
        if token.kind == "string":
            self.at += 1
            return nodes.Literal(token.value)
        if token.kind == "at":
            self.at += 1
            value = temporal.parse_at(token.value)
            if value is None:
                raise self.error("日期、时间或时长的字面量", token=token)
            return nodes.Literal(value)
        if token.kind == "quoted":
            self.at += 1
            return nodes.Name(token.value)
        if token.kind == "symbol" and token.text in _BRACKETS:
            self.at += 1
            return _BRACKETS[token.text](self)
        return self.word()

    def word(self) -> nodes.Node:
        """A name in scope, a keyword's construct, or one word that is a name."""
        token = self.token
        found = self.scoped_name(self.scopes + [self.keys] if self.filters else self.scopes)
        if found:
            return nodes.Name(found)
        if token.kind != "name" or token.text in INFIX_WORDS:
            raise self.error("表达式")
        if token.text in _CONSTANTS:
            self.at += 1
            return nodes.Literal(_CONSTANTS[token.text])
        if token.text in _CONSTRUCTS:
            self.at += 1
            return _CONSTRUCTS[token.text](self)
        if self.filters:
            return nodes.Name(self.adjacent_words())
        self.at += 1
        return nodes.Name(token.text)

    def negation(self) -> nodes.Node:
        """A minus; before digits it is part of the number (rule 37), so that `-1 instance of number` is true."""
        if self.token.kind == "number":
            literal = self.operand()
            return nodes.Literal(literal.value.copy_negate())
        return nodes.Negation(self.expression(SIGN))

    def question_mark(self) -> nodes.Node:
        return nodes.Name("?")

    def parenthesis(self) -> nodes.Node:
        """`(expression)` or `(start..end)`."""
        inside = self.expression()
        if self.take(".."):
            return self.range_from(inside, start_included=False)
        self.expect(")")
        return inside

    def unary_range(self) -> nodes.Interval:
        """`> 5`: a range with one end."""
        operator_token = self.advance()
        operator, end = operator_token.text, self.expression(ADDITION)
        if operator == "!=":
            raise self.error("区间", token=operator_token)
        if operator == "=":
            return nodes.Interval(end, end, True, True)
        if operator[0] == "<":
            return nodes.Interval(None, end, False, operator == "<=")
        return nodes.Interval(end, None, operator == ">=", False)

    def bracket(self) -> nodes.Node:
        """A list or `[start..end]`."""
        if self.take("]"):
            return nodes.ListOf([])
        items = [self.expression()]
        if self.take(".."):
            return self.range_from(items[0], start_included=True)
        while self.take(","):
            if self.sees("]"):  # which begins an operand too: `]1..5]`
                raise self.error("表达式")
            items.append(self.expression())
        self.expect("]")
        return nodes.ListOf(items)

    def reversed_bracket(self) -> nodes.Interval:
        """`]start..end]`: a range without its start."""
        start = self.expression()
        self.expect("..")
        return self.range_from(start, start_included=False)

    def range_from(self, start: nodes.Node, start_included: bool) -> nodes.Interval:
        self.range_ends += 1
        end = self.expression()
        self.range_ends -= 1
        closing = self.expect("]", ")", "[")
        return nodes.Interval(start, end, start_included, closing == "]")

    def context(self) -> nodes.ContextOf:
        scope = Names()
        self.scopes.append(scope)
        entries: list[tuple[str, nodes.Node]] = []
        keys = set()
        while not self.sees("}"):
            token = self.token
            key = self.key()
            if key in keys:
                raise self.error("不重复的名称", token=token)
            if self.tokens[self.at].text == "function":  # it may call itself
                scope.add(key)
            entries.append((key, self.expression()))
            keys.add(key)
            scope.add(key)
            self.keys.add(key)
            if not self.take(","):
                break
        self.expect("}")
        self.scopes.pop()
        return nodes.ContextOf(entries)

    def key(self) -> str:
        """A context entry's name and its colon."""
        if self.token.kind in ("string", "quoted"):
            key = self.advance().value
        else:
            key = self.name_until(":")
        self.expect(":")
        return key

    # --- constructs that begin with a word ---------------------------------------------------------------------------

    def conditional(self) -> nodes.If:
        condition = self.expression()
        self.expect("then")
        then = self.expression()
        self.expect("else")
        return nodes.If(condition, then, self.expression())

    def loop(self) -> nodes.For:
        iterators = self.iterators("return")
        body = self.expression()
        self.scopes.pop()
        return nodes.For(iterators, body)

    def some(self) -> nodes.Quantified:
        return self.quantified("some")

    def every(self) -> nodes.Quantified:
        return self.quantified("every")

    def quantified(self, quantifier: str) -> nodes.Quantified:
        iterators = self.iterators("satisfies")
        condition = self.expression()
        self.scopes.pop()
        return nodes.Quantified(quantifier, iterators, condition)

    def iterators(self, end: str) -> list[nodes.Iterator]:
        """`name in source, …` up to the word `end`. Leaves a scope with the names for the caller to pop."""
        scope = Names()
        self.scopes.append(scope)
        iterators = []
        while True:
            name = self.name_until("in")
            self.expect("in")
            source = self.expression()
            stop = self.expression() if self.take("..") else None
            iterators.append(nodes.Iterator(name, source, stop))
            scope.add(name)
            if not self.take(","):
                break
        self.expect(end)
        return iterators

    def function(self) -> nodes.FunctionOf:
        self.expect("(")
        scope, parameters = Names(), []
        while not self.sees(")"):
            name = self.name_until(":", ",", ")")
            parameters.append((name, parse_type(self) if self.take(":") else None))
            scope.add(name)
            if not self.take(","):
                break
        self.expect(")")
        if self.sees("external"):
            raise FeelUnsupported(text=self.text, offset=self.token.start, expected=["用 FEEL 写的函数"], found="外部函数「external」")
        self.scopes.append(scope)
        body = self.expression()
        self.scopes.pop()
        return nodes.FunctionOf(parameters, body)

    def descendants(self, *_) -> nodes.Node:
        raise FeelUnsupported(text=self.text, offset=self.tokens[self.at - 1].start, expected=["逐级的「.」"], found="后代运算符「...」")


_POWERS["..."] = POSTFIX
_POSTFIX = {".": Parser.path, "[": Parser.filter, "(": Parser.call, "...": Parser.descendants}
_BRACKETS = {
    "(": Parser.parenthesis,
    "[": Parser.bracket,
    "]": Parser.reversed_bracket,
    "{": Parser.context,
    "-": Parser.negation,
    "?": Parser.question_mark,
}
_CONSTRUCTS = {
    "if": Parser.conditional,
    "for": Parser.loop,
    "some": Parser.some,
    "every": Parser.every,
    "function": Parser.function,
}
