"""Chinese sentences have Chinese punctuation: no half-width mark beside a Chinese character in what people read."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from webapp.catalogue import current, errors
from webapp.config import ROOT

SOURCES = sorted(
    path for folder in ("engine", "webapp") for kind in ("py", "html") for path in (ROOT / folder).rglob(f"*.{kind}") if "vendor" not in path.parts
)
HALF_WIDTH = re.compile(r"(?<=[一-鿿”》）])[,:;?!()]|[,:;?!()](?=[一-鿿“《（])")
FILLED_IN = re.compile(r"\{[^{}]*\}|%\(\w+\)[sd]")  # what a message leaves to be filled in
CALLS = re.compile(r"""_\(\s*"([^"]*)"|_\(\s*'([^']*)'""")


def texts(path: Path) -> Iterator[tuple[int, str]]:
    """(line, text) of every literal that people may read: of templates what is translated, of modules all but docstrings and patterns."""
    source = path.read_text("utf-8")
    if path.suffix == ".html":
        yield from ((source[: call.start()].count("\n") + 1, call[1] or call[2] or "") for call in CALLS.finditer(source))
        return
    tree = ast.parse(source)
    prose = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    patterns = {id(part) for node in ast.walk(tree) if _is_pattern(node) for part in ast.walk(node)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in prose | patterns:
            yield node.lineno, node.value


def _is_pattern(node: ast.AST) -> bool:
    return isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and getattr(node.func.value, "id", "") == "re"


def half_width(text: str) -> list[str]:
    return HALF_WIDTH.findall(FILLED_IN.sub("x", text))


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(ROOT)))
def test_what_sources_say(path):
    assert [(line, text) for line, text in texts(path) if half_width(text)] == []


def test_what_errors_say():
    assert [part for kind in errors() for part in kind.template() if part and half_width(part)] == []


def test_what_the_catalogue_translates():
    ids = [message.id if isinstance(message.id, tuple) else (message.id,) for message in current() if message.id]
    assert [text for each in ids for text in each if half_width(text)] == []


@pytest.mark.parametrize("text", ["没有,再", "第 {n} 行:不对", "(上限 8 MB)请", "好吗?"])
def test_a_half_width_mark_is_seen(text):
    assert half_width(text)
