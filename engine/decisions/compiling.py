"""Compiling the FEEL of a file: names in scope, types, and findings for what FEEL refuses."""

from collections.abc import Callable, Iterable

from engine import feel
from engine.decisions.model import Cell
from engine.decisions.types import Types, Values

_ENGLISH = {
    "feel_syntax_error": "The expression cannot be read here",
    "feel_unsupported": "The expression uses something that is not supported yet",
    "decision_failed": "The value does not fit the column's type or its allowed values",
    "": "The expression is refused",
}


class Compiler:
    """Compiles the expressions of one element of the graph. `names`: those in scope; `label`: what errors call the element.

    `free` are afterwards the variables that the element reads and does not bind itself; `seen` those read here or further inside.
    """

    def __init__(self, names: Iterable[str], types: Types, label: str, found: Callable, strict: bool = True):
        """`found`: takes the parts of a finding: code, element, zh, en, line, column. `strict`: as a run's."""
        self.names = frozenset(names)
        self.types, self.label, self._found, self.strict = types, label, found, strict
        self.free: set[str] = set()
        self.seen: set[str] = set()
        self._tests: dict[str, object] = {}
        self._parent: Compiler | None = None
        self._local: frozenset[str] = frozenset()

    def inside(self, local: Iterable[str]) -> "Compiler":
        """For what stands inside and sees these names besides."""
        inner = Compiler((), self.types, self.label, self._found, self.strict)
        inner._local, inner._parent = frozenset(local), self
        inner.names = self.names | inner._local
        return inner

    def expression(self, cell: Cell):
        """The compiled expression, or None after a finding."""
        return self._compile(feel.compile, cell)

    def tests(self, cell: Cell):
        """The compiled unary tests, or None after a finding; equal texts share one."""
        text = cell.text.strip()
        if text not in self._tests:
            self._tests[text] = self._compile(feel.compile_unary_tests, cell)
        return self._tests[text]

    def values(self, what: str, label: str, type_name: str | None, allowed: Cell | None = None) -> Values:
        """The check of a value's type and of its allowed values."""
        return Values(what, label, self.types[type_name], self.tests(allowed) if allowed else None)

    def refuse(self, code: str, element: str | None, zh: str, en: str) -> None:
        """Add an error."""
        self._found(code, element, zh, en)

    def warn(self, code: str, element: str | None, zh: str, en: str) -> None:
        """Add a remark that refuses nothing."""
        self._found(code, element, zh, en, severity="warning")

    def refuse_cell(self, cell: Cell, error) -> None:
        """Add the error of an expression, with its place in the text."""
        line, column = getattr(error, "line", None), getattr(error, "column", None)
        self._found(error.code, cell.id, error.message, _ENGLISH.get(error.code, _ENGLISH[""]), line, column)

    def _compile(self, how: Callable, cell: Cell):
        try:
            compiled = how(cell.text, self.names)
        except feel.FeelError as error:
            self.refuse_cell(cell, error)
            return None
        self._read(compiled.names)
        return compiled

    def _read(self, names: frozenset[str]) -> None:
        self.seen |= names
        if self._parent:
            self._parent._read(frozenset(names) - self._local)
        else:
            self.free |= names - {"?"}
