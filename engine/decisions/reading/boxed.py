"""Boxed expressions (10.2.1): everything that may stand where an expression does."""

from collections.abc import Callable

from engine.decisions import model
from engine.decisions.model import Boxed, Cell, Entry, Function, Literal, Parameter
from engine.decisions.reading.base import MAX_TEXT, kind_of
from engine.decisions.reading.tables import TableReader

DEEPEST = 30  # boxes inside one another
_NULL = Literal(Cell(None, "null"), None)


class BoxedReader(TableReader):
    """Reads boxed expressions."""

    depth = 0

    def is_boxed(self, element) -> bool:
        """Whether the element is an expression."""
        return kind_of(element) in _READERS

    def boxed(self, element) -> Boxed:
        """The record of an expression element; after a finding something that stands in for it."""
        self.depth += 1
        if self.depth > DEEPEST:
            self.refuse("dmn_too_deep", element, f"表达式嵌套超过 {DEEPEST} 层", f"Expressions are nested deeper than {DEEPEST} levels")
            found = None
        else:
            found = _READERS[kind_of(element)](self, element)
        self.depth -= 1
        return found or _NULL

    def literal(self, element) -> Literal:
        self.attributes(element, "id label typeRef expressionLanguage")
        return Literal(self.cell(element, MAX_TEXT), self.type(element))

    def context(self, element) -> model.Context:
        self.attributes(element, "id label typeRef")
        entries, names = [], set()
        for child in self.children(element, "description"):
            if kind_of(child) != "contextEntry":
                self.unsupported(child)
                continue
            self.attributes(child, "id label")
            variable, value = self.variable_and_value(child, "variable")
            name = variable and variable.name
            if entries and entries[-1].name is None:
                self.refuse("dmn_context", child, "没有名称的结果单元格要放在最后", "The result cell without a name must be the last")
            if name is not None and name in names:
                self.refuse("dmn_context", child, f"名称“{name}”出现了两次", f'The name "{name}" is used twice')
            names.add(name)
            entries.append(Entry(name, variable and variable.type, value))
        return model.Context(tuple(entries), self.type(element))

    def variable_and_value(self, element, kind: str) -> tuple[Parameter | None, Boxed]:
        """The named thing (`variable`, `parameter`) and the one expression in `element`."""
        variable, values = None, []
        for child in self.children(element, "description"):
            if kind_of(child) == kind:
                variable = self.parameter(child)
            elif self.is_boxed(child):
                values.append(self.boxed(child))
            else:
                self.unsupported(child)
        if len(values) > 1:
            self.refuse("dmn_shape", element, "这里只能有一个表达式", "There can be only one expression here")
        return variable, values[0] if values else _NULL

    def parameter(self, element) -> Parameter:
        """A variable, parameter or column."""
        self.attributes(element, "id label name typeRef")
        for child in self.children(element, "description"):
            self.unsupported(child)
        name = " ".join(element.get("name", "").split())
        if not name:
            self.refuse("dmn_name", element, "这里要有名称（name）", "A name is missing here")
        return Parameter(name, self.type(element))

    def listing(self, element) -> model.Listing:
        self.attributes(element, "id label typeRef")
        return model.Listing(tuple(self.expressions(element, "description")), self.type(element))

    def expressions(self, element, documentation: str) -> list[Boxed]:
        """Every child, each an expression."""
        found = []
        for child in self.children(element, documentation):
            if self.is_boxed(child):
                found.append(self.boxed(child))
            else:
                self.unsupported(child)
        return found

    def relation(self, element) -> model.Relation:
        self.attributes(element, "id label typeRef")
        columns, rows = [], []
        for child in self.children(element, "description"):
            kind = kind_of(child)
            if kind == "column":
                columns.append(self.parameter(child))
            elif kind == "row":
                self.attributes(child, "id label")
                rows.append(tuple(self.expressions(child, "description")))
                if len(rows[-1]) != len(columns):
                    zh, en = f"这一行应有 {len(columns)} 格", f"This row must have {len(columns)} cells"
                    self.refuse("dmn_shape", child, zh, en)
            else:
                self.unsupported(child)
        if len({column.name for column in columns}) < len(columns):
            self.refuse("dmn_shape", element, "列名不能重复", "Columns need different names")
        return model.Relation(tuple(columns), tuple(rows), self.type(element))

    def function(self, element) -> Function:
        """A function definition, also a business knowledge model's."""
        self.attributes(element, "id label typeRef kind")
        kind = element.get("kind", "FEEL")
        if kind != "FEEL":
            self.refuse("dmn_function", element, f"函数只能用 FEEL 写，不能是 {kind}", f"Functions must be FEEL, not {kind}")
            return Function((), None, None)
        parameters, bodies = [], []
        for child in self.children(element, "description"):
            if kind_of(child) == "formalParameter":
                parameters.append(self.parameter(child))
            elif self.is_boxed(child):
                bodies.append(self.boxed(child))
            else:
                self.unsupported(child)
        if len(bodies) > 1 or len({parameter.name for parameter in parameters}) < len(parameters):
            zh, en = "函数只有一个表达式，参数名不能重复", "A function has one expression and differently named parameters"
            self.refuse("dmn_shape", element, zh, en)
        return Function(tuple(parameters), bodies[0] if bodies else None, self.type(element))

    def invocation(self, element) -> model.Invocation:
        self.attributes(element, "id label typeRef")
        functions, bindings = [], []
        for child in self.children(element, "description"):
            if kind_of(child) == "binding":
                parameter, value = self.variable_and_value(child, "parameter")
                if parameter:
                    bindings.append((parameter, value))
            elif self.is_boxed(child):
                functions.append(self.boxed(child))
            else:
                self.unsupported(child)
        if len(functions) != 1:
            self.refuse("dmn_shape", element, "这里要写明调用哪一个函数", "One function to call belongs here")
        return model.Invocation(functions[0] if functions else _NULL, tuple(bindings), self.type(element))

    def conditional(self, element) -> model.Conditional:
        self.attributes(element, "id label typeRef")
        return model.Conditional(*self.parts(element, "if", "then", "else"), self.type(element))

    def filter(self, element) -> model.Filter:
        self.attributes(element, "id label typeRef")
        return model.Filter(*self.parts(element, "in", "match"), self.type(element))

    def iterator(self, element) -> model.Iterator:
        """`for`, `some`, `every`."""
        self.attributes(element, "id label typeRef iteratorVariable")
        kind, variable = kind_of(element), " ".join(element.get("iteratorVariable", "").split())
        if not variable:
            self.refuse("dmn_name", element, "这里要有名称（iteratorVariable）", "The iteratorVariable is missing")
        source, body = self.parts(element, "in", "return" if kind == "for" else "satisfies")
        return model.Iterator(kind, variable, source, body, self.type(element))

    def parts(self, element, *kinds: str) -> list[Boxed]:
        """The expressions in the named children, each of which there is once."""
        found: dict[str, Boxed] = {}
        for child in self.children(element, "description"):
            kind = kind_of(child)
            if kind not in kinds or kind in found:
                self.unsupported(child)
                continue
            self.attributes(child, "id label typeRef")
            inside = self.expressions(child, "description")
            found[kind] = inside[0] if len(inside) == 1 else _NULL
            if len(inside) != 1:
                self.refuse("dmn_shape", child, "这里要有一个表达式", "One expression belongs here")
        for kind in kinds:
            if kind not in found:
                self.refuse("dmn_shape", element, f"缺少“{kind}”", f'"{kind}" is missing')
        return [found.get(kind, _NULL) for kind in kinds]


_READERS: dict[str, Callable] = {
    "literalExpression": BoxedReader.literal,
    "decisionTable": BoxedReader.table,
    "context": BoxedReader.context,
    "list": BoxedReader.listing,
    "relation": BoxedReader.relation,
    "functionDefinition": BoxedReader.function,
    "invocation": BoxedReader.invocation,
    "conditional": BoxedReader.conditional,
    "filter": BoxedReader.filter,
    "for": BoxedReader.iterator,
    "some": BoxedReader.iterator,
    "every": BoxedReader.iterator,
}
