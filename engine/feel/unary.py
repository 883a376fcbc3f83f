"""Unary tests → closures: what stands after `in`, and the input cells of decision tables (10.3.2.8, table 55)."""

from collections.abc import Callable
from dataclasses import dataclass, field

from engine.feel import fast, nodes, operators
from engine.feel.runtime import Environment

Code = Callable  # (environment) -> value


@dataclass(slots=True)
class Frame:
    """What one environment binds. `single`: its value is that of the only name; else the value is asked by each name's key.
    An `item` frame binds `item` and, at run time, the entries of the item."""

    names: dict[str, object] = field(default_factory=dict)
    single: bool = False
    item: bool = False


class TestCompiler:
    """The part of the compiler that builds tests."""

    frames: list[Frame]
    build: Callable[[nodes.Node], Code]

    def test(self, node: nodes.Test) -> Callable:
        """A positive unary test: (environment, value) → passes."""
        operand = node.operand
        if node.operator != "in":
            compare, code = operators.COMPARISONS[node.operator], self.build(operand)
            if isinstance(operand, nodes.Literal):
                return fast.compare_value_with(node.operator, operand.value)
            return lambda env, value: compare(value, code(env), env.run)
        if isinstance(operand, nodes.Literal):
            return fast.compare_value_with("=", operand.value)
        if isinstance(operand, nodes.Interval) and not reads_input(operand):
            return self.interval_test(operand)
        code = self.build(operand)
        if reads_input(operand):
            return lambda env, value: code(env)
        if is_constant(operand):
            constant = code(None)
            return lambda env, value: operators.contained(value, constant, env.run)
        return lambda env, value: operators.contained(value, code(env), env.run)

    def interval_test(self, node: nodes.Interval) -> Callable:
        """`in [low..high]` means two comparisons (table 55), so that an end that is null leaves open only what it must."""
        ends = [
            (operators.COMPARISONS[symbol + "=" * included], self.build(end))
            for symbol, end, included in ((">", node.start, node.start_included), ("<", node.end, node.end_included))
            if end is not None
        ]
        if len(ends) == 1:
            [(compare, end)] = ends
            return lambda env, value: compare(value, end(env))
        (above, low), (below, high) = ends

        def between(env, value):
            first = above(value, low(env))
            return False if first is False else operators.conjunction((first, below(value, high(env))))

        return between

    def any_test(self, tests: list[nodes.Test]) -> Callable:
        """Whether one of `tests` passes: (environment, value) → truth value."""
        built = [self.test(test) for test in tests]
        if len(built) == 1:
            return built[0]

        def passes(env, value):
            result = False
            for test in built:
                passed = test(env, value)
                if passed is True:
                    return True
                if passed is not False:
                    result = None
            return result

        return passes

    def in_(self, node: nodes.In) -> Code:
        value = self.build(node.value)
        if not any(reads_input(test.operand) for test in node.tests):
            passes = self.any_test(node.tests)
            return lambda env: passes(env, value(env))
        self.frames.append(Frame({"?": None}, single=True))
        passes = self.any_test(node.tests)
        self.frames.pop()

        def in_(env):
            input_ = value(env)
            return passes(Environment(env.run, input_, env), input_)

        return in_

    def tests(self, node: nodes.Tests) -> Callable:
        """A cell: (environment that binds `?`, value) → passes."""
        if not node.tests:
            return lambda env, value: True
        self.frames.append(Frame({"?": None}, single=True))
        built = [self.cell_test(test) for test in node.tests]
        self.frames.pop()
        if node.negated:
            # A test that is null is no match, negated or not.
            return lambda env, value: all(test(env, value) is False for test in built)
        if len(built) == 1:
            only = built[0]
            return lambda env, value: only(env, value) is True
        return lambda env, value: any(test(env, value) is True for test in built)

    def cell_test(self, node: nodes.Test) -> Callable:
        """A test of a cell may also be an expression that says itself whether it passes: by using `?`, or by being true."""
        if node.operator != "in" or is_constant(node.operand):
            return self.test(node)
        if reads_input(node.operand):
            return self.test(node)
        code = self.build(node.operand)

        def passes(env, value):
            result = code(env)
            if type(result) is bool and type(value) is not bool:
                return result
            return operators.contained(value, result, env.run)

        return passes


def is_constant(node: nodes.Node) -> bool:
    """Whether `node` always has the same value."""
    if isinstance(node, nodes.Interval):
        return all(end is None or isinstance(end, nodes.Literal) for end in (node.start, node.end))
    if isinstance(node, nodes.ListOf):
        return all(isinstance(item, nodes.Literal) or is_constant(item) for item in node.items)
    return isinstance(node, nodes.Literal)


def reads_input(node: nodes.Node) -> bool:
    """Whether `?` stands anywhere in `node`."""
    if isinstance(node, nodes.Name) and node.name == "?":
        return True
    return any(reads_input(part) for part in nodes.children(node))
