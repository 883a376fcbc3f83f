"""The language is closed: compiling and evaluating touches nothing outside, by Python's own account (audit events)."""

import ast
import json
import subprocess
import sys
from pathlib import Path

from tests.unit.feel import test_builtins, test_language, test_limits, test_unary_tests
from tests.unit.feel.tables import rows

PACKAGE = Path(__file__).parents[3] / "engine/feel"

WATCHED = """
import json, sys
sys.path.insert(0, {root!r})
from engine import feel
from tests.unit.feel.tables import CLOCK, CONTEXT

sample = json.load(sys.stdin)
events = []
sys.addaudithook(lambda event, arguments: events.append((event, repr(arguments)[:200])))

for text in sample["expressions"]:
    try:
        value = feel.compile(text, CONTEXT).evaluate(CONTEXT, CLOCK, feel.Budget(steps=20_000))
        feel.decode(feel.encode(value)), feel.to_plain(value)
    except feel.FeelError:
        pass
for text in sample["cells"]:
    try:
        feel.compile_unary_tests(text, CONTEXT).test(None, CONTEXT, CLOCK)
    except feel.FeelError:
        pass

seen = sorted(set(events))
eval("1")  # the control: this must be reported
assert any(event == "compile" for event, _ in events)
print(json.dumps(seen))
"""

# Events of the interpreter's own housekeeping, which reach nothing outside the process.
HARMLESS = {"object.__getattr__", "sys._getframe", "gc.get_objects"}


def test_no_audit_event():
    """No compile, exec, eval, import, open, socket or anything else that Python reports."""
    expressions = [row[0] for module in (test_language, test_builtins) for table in module.TABLES.values() for row in rows(table)]
    expressions += [text for text in test_limits.HOSTILE if len(text) < 200]
    expressions += [f"{row[0]} {end}" for row in rows(test_language.PATHS) for end in (")", "+ 1", "[1]", ".a b")]
    cells = [row[0].rsplit(" ", 1)[0] for row in rows(test_unary_tests.CELLS)]
    program = WATCHED.format(root=str(PACKAGE.parents[1]))
    answer = subprocess.run(
        [sys.executable, "-B", "-c", program],
        input=json.dumps({"expressions": expressions, "cells": cells}),
        capture_output=True,
        text=True,
        check=True,
        timeout=120,
    )
    events = [event for event in json.loads(answer.stdout) if event[0] not in HARMLESS]
    assert events == []


def test_no_dynamic_code_in_the_package():
    """Not even a call of that name: no eval, exec, built-in compile, __import__, and attributes by name only of tree nodes."""
    forbidden = {"eval", "exec", "__import__", "globals", "locals", "vars", "setattr", "delattr", "open", "input"}
    found = []
    for path in PACKAGE.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in forbidden | {"compile"}:
                found.append(f"{path.name}:{node.lineno} {node.func.id}")
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "getattr":
                found.append(f"{path.name}: getattr")
    # The names are those of a tree node's slots, never an author's.
    assert found == ["nodes.py: getattr"]


def test_files_stay_small():
    """A file is read in one sitting."""
    assert [path.name for path in PACKAGE.rglob("*.py") if len(path.read_text(encoding="utf-8").splitlines()) > 400] == []
