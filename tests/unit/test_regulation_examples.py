"""Reading examples: what a file may hold, and the finding with its line for everything else."""

from datetime import date
from decimal import Decimal

import pytest

from engine import regulation_examples
from engine.exceptions import DeployRefused

GOOD = """given: {parameters: {cap: 2}, person: {id: p1, roles: [worker]}}
examples:
- {rule: a.b, name: 甲, name_en: A, point: assign, refused: true, facts: {person: {since: "@2026-03-02"}, parameters: {cap: 3}}}
- {rule: a.b, name: 乙, point: clock, refused: false}
"""
ONE = "examples:\n- {rule: a.b, name: 甲, point: assign, refused: true%s}\n"


def test_facts_are_laid_over_those_that_all_share():
    first, second = regulation_examples.read(GOOD.encode())
    assert first.facts["person"] == {"id": "p1", "roles": ["worker"], "since": date(2026, 3, 2)}
    assert first.facts["parameters"] == {"cap": Decimal(3)} and second.facts["parameters"] == {"cap": Decimal(2)}
    assert (first.line, second.line, second.refused, second.name_en) == (3, 4, False, "")


@pytest.mark.parametrize(
    ("content", "code", "line"),
    [
        (b"\xff\xfe\x00", "examples_encoding", None),
        (b"a: [", "not_yaml", None),
        (b"[]", "examples_list", 1),
        (b"examples: 3", "examples_list", 1),
        (b"examples: []\nmore: []", "examples_list", 1),
        (b"examples: []\nexamples: []", "examples_list", 1),
        (b"examples: [&a {}, *a]", "examples_alias", 1),
        (b"examples: " + b"[" * 40, "too_large", None),
        (b"examples: []" + b" " * 1_000_001, "too_large", None),
        (b"given: [1]\nexamples: []", "example_facts", 1),
        (("examples:\n" + "- {}\n" * 501).encode(), "too_large", None),
        (b"examples:\n- {rule: a.b}", "example_keys", 2),
        ((ONE % ", more: 1").encode(), "example_keys", 2),
        ((ONE % ", facts: [1]").encode(), "example_facts", 2),
        ((ONE % ", facts: {person: 1}").encode(), "example_facts", 2),
        ((ONE % ", facts: {person: {since: '@morgen'}}").encode(), "example_literal", 2),
        ((ONE % ", facts: {person: {since: 2026-03-02}}").encode(), "example_literal", 2),
        ((ONE % ", facts: {person: {id: !!python/object:os.system x}}").encode(), "not_yaml", 2),
        ((ONE % "").replace("assign", "noon").encode(), "example_point", 2),
        ((ONE % "").replace("true", "perhaps").encode(), "example_refused", 2),
        ((ONE % "").replace("甲", "甲" * 201).encode(), "example_text", 2),
    ],
)
def test_what_is_no_file_of_examples_is_refused(content, code, line):
    with pytest.raises(DeployRefused) as refused:
        regulation_examples.read(content, "x.examples.yaml")
    found = refused.value.findings[0]
    assert (found.code, found.file) == (code, "x.examples.yaml") and line in (None, found.line)
