"""Tree → Python closures, once; evaluating is calling them. Names are resolved here to a distance in environments."""

from collections.abc import Iterable
from decimal import Decimal

from engine.feel import fast, loops, nodes, operators, properties
from engine.feel.budget import DEPTH
from engine.feel.builtins import BUILTINS
from engine.feel.errors import FeelSyntaxError
from engine.feel.runtime import Closure, Environment
from engine.feel.types import conforms, incomplete, type_of
from engine.feel.unary import Code, Frame, TestCompiler
from engine.feel.values import KINDS, ORDERED, FeelFunction, Range, admit, kind


class Compiler(TestCompiler):
    """Compiles one tree; afterwards `free` holds the root names it reads."""

    def __init__(self, text: str, names: Iterable[str]):
        self.text = text
        self.declared = frozenset(names)
        self.frames: list[Frame] = []
        self.free: set[str] = set()
        self.depth = 0
        self.size = 0  # nodes built so far

    def build(self, node: nodes.Node) -> Code:
        """The closure of `node`."""
        self.depth += 1
        self.size += 1
        if self.depth > DEPTH:
            raise FeelSyntaxError(text=self.text, offset=0, expected=[f"不超过 {DEPTH} 层的表达式"], found="更深的表达式")
        code = _BUILDERS[type(node)](self, node)
        self.depth -= 1
        return code

    def repeated(self, node: nodes.Node) -> tuple[Code, int]:
        """The closure of what runs again and again, and the steps that each time costs."""
        before = self.size
        code = self.build(node)
        return code, 1 + (self.size - before) // 10

    # --- names -------------------------------------------------------------------------------------------------------

    def name(self, node: nodes.Name) -> Code:
        return self.variable(node.name, BUILTINS.get(node.name))

    def variable(self, name: str, default: FeelFunction | None = None) -> Code:
        """Reads `name` where it is bound: in the nearest environment, the entries of filtered items included, else at the root."""
        items = []
        for distance, frame in enumerate(reversed(self.frames)):
            if frame.item:
                items.append(distance)
                if name == "item":
                    return fast.item_entry(items, name, fast.local(distance))
            elif name in frame.names:
                found = fast.local(distance) if frame.single else fast.local_entry(distance, frame.names[name])
                if frame.names[name] is loops.partial:
                    found = loops.partial(found)
                return fast.item_entry(items, name, found) if items else found
        # In a filter, a name that nobody declared is an entry of the items, if the host declared any at all.
        if default is None or name in self.declared:
            if not items or name in self.declared or not self.declared:
                self.free.add(name)
        found = fast.root(name, default, direct=not self.frames)
        return fast.item_entry(items, name, found) if items else found

    def is_local(self, name: str) -> bool:
        return any(name in frame.names for frame in self.frames)

    # --- plain nodes -------------------------------------------------------------------------------------------------

    def literal(self, node: nodes.Literal) -> Code:
        value = node.value
        return lambda env: value

    def path(self, node: nodes.Path) -> Code:
        source, name = self.build(node.source), node.name

        def path(env):
            value = source(env)
            if type(value) is dict:
                value = value.get(name)
                return value if type(value) in KINDS else admit(value)
            return properties.get(env.run, value, name)

        return path

    def arithmetic(self, node: nodes.Arithmetic) -> Code:
        return fast.arithmetic(node.operator, self.build(node.left), self.build(node.right))

    def negation(self, node: nodes.Negation) -> Code:
        operand, negate = self.build(node.operand), operators.negate
        return lambda env: negate(operand(env))

    def comparison(self, node: nodes.Comparison) -> Code:
        left = self.build(node.left)
        if isinstance(node.right, nodes.Literal):
            return fast.compare_with(node.operator, left, node.right.value)
        return fast.compare(node.operator, left, self.build(node.right))

    def logic(self, node: nodes.Logic) -> Code:
        operands = [self.build(operand) for operand in node.operands]
        return fast.logic(decisive=node.operator == "or", operands=operands)

    def between(self, node: nodes.Between) -> Code:
        value, low, high = self.build(node.value), self.build(node.low), self.build(node.high)
        within = operators.within
        return lambda env: within(value(env), low(env), high(env))

    def conditional(self, node: nodes.If) -> Code:
        condition, then, otherwise = self.build(node.condition), self.build(node.then), self.build(node.otherwise)
        return lambda env: then(env) if condition(env) is True else otherwise(env)

    def instance_of(self, node: nodes.InstanceOf) -> Code:
        value, type_ = self.build(node.value), node.type
        if incomplete(type_):
            return lambda env: None
        return lambda env: conforms(value(env), type_, env.run)

    # --- collections -------------------------------------------------------------------------------------------------

    def interval(self, node: nodes.Interval) -> Code:
        start = self.build(node.start) if node.start else None
        end = self.build(node.end) if node.end else None
        start_included, end_included = node.start_included, node.end_included

        def interval(env):
            low = start(env) if start else None
            high = end(env) if end else None
            # A written end that is null, or ends of two kinds or in the wrong order, make no range (10.3.2.7).
            if (start and low is None) or (end and high is None) or kind(low if start else high) not in ORDERED:
                return None
            if start and end and (kind(low) != kind(high) or operators.less(high, low)):
                return None
            return Range(low, high, start_included, end_included)

        return interval

    def list_of(self, node: nodes.ListOf) -> Code:
        items = [self.build(item) for item in node.items]
        return lambda env: [item(env) for item in items]

    def context_of(self, node: nodes.ContextOf) -> Code:
        frame = Frame()
        self.frames.append(frame)
        entries = []
        for key, value in node.entries:
            if isinstance(value, nodes.FunctionOf):  # it may call itself
                frame.names[key] = key
            entries.append((key, self.build(value)))
            frame.names[key] = key
        self.frames.pop()

        def context(env):
            result = {}
            inner = Environment(env.run, result, env)
            for key, code in entries:
                result[key] = code(inner)
            return result

        return context

    def filter(self, node: nodes.Filter) -> Code:
        source, condition = self.build(node.source), node.condition
        if isinstance(condition, nodes.Literal) and type(condition.value) is Decimal:
            return loops.index(source, condition.value)
        self.frames.append(Frame(item=True))
        code, cost = self.repeated(condition)
        self.frames.pop()
        return loops.filter(source, code, cost)

    def for_(self, node: nodes.For) -> Code:
        pushed = len(node.iterators) + 1
        self.frames.append(Frame({"partial": loops.partial}, single=True))
        domains = self.domains(node.iterators)
        body, cost = self.repeated(node.body)
        del self.frames[-pushed:]
        return loops.for_(domains, body, cost)

    def quantified(self, node: nodes.Quantified) -> Code:
        domains = self.domains(node.iterators)
        condition, cost = self.repeated(node.condition)
        del self.frames[-len(node.iterators) :]
        return loops.quantified(domains, condition, cost, decisive=node.quantifier == "some")

    def domains(self, iterators: list[nodes.Iterator]) -> list[Code]:
        """What each iterator runs through. Leaves one frame an iterator for the caller to pop."""
        domains = []
        for iterator in iterators:
            source = self.build(iterator.source)
            domains.append(loops.steps(source, self.build(iterator.end)) if iterator.end else loops.items(source))
            self.frames.append(Frame({iterator.name: None}, single=True))
        return domains

    # --- functions ---------------------------------------------------------------------------------------------------

    def function_of(self, node: nodes.FunctionOf) -> Code:
        parameters = tuple(name for name, _ in node.parameters)
        types, whole = tuple(type_ for _, type_ in node.parameters), type_of(node)
        self.frames.append(Frame({name: index for index, name in enumerate(parameters)}))
        body, cost = self.repeated(node.body)
        self.frames.pop()
        return lambda env: Closure("function", parameters, body, type=whole, types=types, cost=cost, environment=env)

    def call(self, node: nodes.Call) -> Code:
        arguments = [self.build(argument) for argument in node.arguments]
        known = self.builtin(node.function)
        if known is not None:
            return fast.call_builtin(known, arguments)
        function, fallback = self.callee(node.function)

        def call(env):
            target = function(env)
            if not isinstance(target, FeelFunction):
                target = fallback
                if target is None:
                    return None
            env.run.budget.spend(1)
            return admit(target.invoke(env.run, [argument(env) for argument in arguments]))

        return call

    def named_call(self, node: nodes.NamedCall) -> Code:
        arguments = [(name, self.build(argument)) for name, argument in node.arguments.items()]
        known = self.builtin(node.function)
        function, fallback = self.callee(node.function) if known is None else (None, known)

        def call(env):
            target = function(env) if function else fallback
            if not isinstance(target, FeelFunction):
                target = fallback
                if target is None:
                    return None
            env.run.budget.spend(1)
            return admit(target.invoke_named(env.run, {name: argument(env) for name, argument in arguments}))

        return call

    def builtin(self, node: nodes.Node) -> FeelFunction | None:
        """The built-in a call means for sure: its name is bound nowhere."""
        if not isinstance(node, nodes.Name) or node.name in self.declared or self.is_local(node.name):
            return None
        return BUILTINS.get(node.name)

    def callee(self, node: nodes.Node) -> tuple[Code, FeelFunction | None]:
        """The code of what is called. A variable that hides a built-in, say `date`, still lets it be called."""
        return self.build(node), BUILTINS.get(node.name) if isinstance(node, nodes.Name) else None


_BUILDERS = {
    nodes.Literal: Compiler.literal,
    nodes.Name: Compiler.name,
    nodes.Path: Compiler.path,
    nodes.Filter: Compiler.filter,
    nodes.Call: Compiler.call,
    nodes.NamedCall: Compiler.named_call,
    nodes.Negation: Compiler.negation,
    nodes.Arithmetic: Compiler.arithmetic,
    nodes.Comparison: Compiler.comparison,
    nodes.Logic: Compiler.logic,
    nodes.Between: Compiler.between,
    nodes.In: Compiler.in_,
    nodes.Interval: Compiler.interval,
    nodes.ListOf: Compiler.list_of,
    nodes.ContextOf: Compiler.context_of,
    nodes.If: Compiler.conditional,
    nodes.For: Compiler.for_,
    nodes.Quantified: Compiler.quantified,
    nodes.InstanceOf: Compiler.instance_of,
    nodes.FunctionOf: Compiler.function_of,
}
