"""Every rule of the eight tables is broken and kept by a test of its table's file, through the API."""

import importlib.util
from collections.abc import Iterator
from pathlib import Path

import pytest

from engine.regulations import Tables

HERE = Path(__file__).parent
TABLES = Tables.load(HERE.parents[2] / "bpmn" / "regulations")


@pytest.mark.parametrize("table", TABLES.regulations, ids=lambda table: table.key)
def test_every_rule_of_a_table_is_seen_broken_and_kept(table):
    """What a test is marked with it must see: the fixture `work` holds it to that."""
    assert set(_marked(HERE / f"test_{table.key}.py")) == set(table.rules)


def _marked(file: Path) -> Iterator[str]:
    """The rules that the tests of a file are marked with, their parameters' marks included."""
    spec = importlib.util.spec_from_file_location(f"rules_of_{file.stem}", file)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    for name, function in vars(module).items():
        for mark in getattr(function, "pytestmark", []) if name.startswith("test_") else []:
            sets = mark.args[1] if mark.name == "parametrize" else []
            inner = [each for one in sets if hasattr(one, "marks") for each in one.marks]
            for each in (mark, *inner):
                if each.name == "rule":
                    yield from each.args
