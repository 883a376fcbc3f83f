"""Rules of the architecture that import-linter cannot say. The layers themselves are in setup.cfg."""

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PRODUCT = sorted(path for package in ("engine", "webapp") for path in (ROOT / package).rglob("*.py"))
# db.py commits rows; schema.py makes the tables that they are rows of.
COMMITTERS = [ROOT / "engine" / "db.py", ROOT / "engine" / "schema.py"]


def parsed(path: Path) -> ast.AST:
    return ast.parse(path.read_text(), filename=str(path))


def names(paths: list[Path]) -> list[str]:
    return [str(path.relative_to(ROOT)) for path in paths]


def imported(tree: ast.AST) -> set[str]:
    """Top-level names of everything imported, inside functions too."""
    found = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            found.add(node.module.partition(".")[0])
    return found


def calls(tree: ast.AST, name: str) -> list[int]:
    """Lines where a method or function of that name is called."""
    return [
        node.lineno
        for node in ast.walk(tree)
        if isinstance(node, ast.Call)
        and (getattr(node.func, "attr", None) == name or getattr(node.func, "id", None) == name)
    ]


def test_the_product_is_there():
    assert PRODUCT


@pytest.mark.parametrize("path", PRODUCT, ids=names(PRODUCT))
def test_only_db_commits(path):
    """Elsewhere it is a unit of work that is told to commit, in the engine, by whoever opened it; `begin()` blocks commit unsaid."""
    if path in COMMITTERS:
        return
    methods = [
        node.func for node in ast.walk(parsed(path)) if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)
    ]
    allowed = {"unit"} if path.is_relative_to(ROOT / "engine") else set()
    committing = [
        f"line {method.lineno}: {ast.unparse(method)}()"
        for method in methods
        if method.attr in ("commit", "begin", "begin_nested") and ast.unparse(method.value) not in allowed
    ]
    assert committing == []


@pytest.mark.parametrize("path", PRODUCT, ids=names(PRODUCT))
def test_nothing_of_the_product_imports_the_oracle(path):
    assert "SpiffWorkflow" not in imported(parsed(path))


@pytest.mark.parametrize("path", PRODUCT, ids=names(PRODUCT))
def test_nothing_runs_text_as_python(path):
    tree = parsed(path)
    for name in ("eval", "exec", "__import__"):
        assert calls(tree, name) == [], name
    bare = [node for node in ast.walk(tree) if isinstance(node, ast.Call) and getattr(node.func, "id", None) == "compile"]
    assert bare == []
    assert not imported(tree) & {"pickle", "marshal", "shelve"}


@pytest.mark.parametrize("path", [p for p in PRODUCT if p.is_relative_to(ROOT / "engine")], ids=lambda p: str(p.relative_to(ROOT)))
def test_the_engine_reads_nothing_ambient(path):
    """No web framework below webapp, not even inside a function."""
    assert not imported(parsed(path)) & {"flask", "werkzeug", "webapp", "flask_babel", "wtforms"}
