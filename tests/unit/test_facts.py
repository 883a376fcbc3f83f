"""What regulations ask for is read off the tables: only that is fetched, and only that is kept."""

from datetime import UTC, datetime
from decimal import Decimal

import pytest

from engine.facts import Asked, Needs, gather, project
from engine.facts.gathering import Source
from engine.facts.needs import asked
from engine.feel.paths import paths
from engine.regulations import Tables, compile_regulation
from tests.support.tables import file, table

COLUMNS = [(text, "Any") for text in ("point", "person.badges", "values.risk", "count(case.team)")]
OUTPUTS = [(name, "string") for name in ("rule", "effect", "message", "message_en", "source")]


def regulation(*rows: list[str]):
    """A small regulation; each row: cells of COLUMNS."""
    said = ['"r.one"', '"warn"', '"有问题"', '"Trouble"', '"站内默认"']
    return compile_regulation(file(table(COLUMNS, OUTPUTS, [[*row, *said] for row in rows], hit="COLLECT")))


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("person.badges", {("person", "badges")}),
        ("count(person.badges[until > now]) > 0", {("count",), ("person", "badges"), ("until",), ("now",)}),
        ("get value(person, name)", {("get value",), ("person",), ("name",)}),
        ("if a.b.c then d else {e: f.g}", {("a", "b", "c"), ("d",), ("f", "g")}),
        ("some x in case.team satisfies x = person.id", {("case", "team"), ("x",), ("person", "id")}),
    ],
)
def test_the_paths_a_text_reads(text, found):
    assert paths(text) == found


def test_a_row_asks_only_where_it_can_speak_and_only_by_cells_that_say_something():
    made = regulation(['"assign"', "null", "-", "-"], ['"complete"', "-", '"high"', "-"], ["-", "-", "-", "> 3"])
    rows = [rule.id for rule in made.decision.rules]
    assert asked(made.narrowed("assign")) == {rows[0]: {("person", "badges")}, rows[2]: {("case", "team")}}
    assert asked(made.narrowed("complete")) == {rows[1]: {("values", "risk")}, rows[2]: {("case", "team")}}
    question = Needs(Tables([made])).question(("assign", "complete"), {}, {})
    kind = {"task": {"element": {}, "fields": {}, "stage": {}, "tags": {}}, "record": {"kind": {}, "register": {}}}
    assert question.tree == kind | {"case": {"team": {}, "waivers": {}}, "person": {"badges": {}}, "values": {"risk": {}}}


def test_only_what_is_asked_and_not_at_hand_is_fetched():
    fetched = []

    def fetch(_asked, names):
        fetched.append(sorted(names))
        return {name: Decimal(7) for name in names}

    sources = {"person": (Source(frozenset({"badges", "open_cases", "led_cases"}), fetch),), "unit": (Source(frozenset({"rooms"}), fetch),)}
    about = Asked(None, None, datetime(2026, 3, 2, tzinfo=UTC), {})
    facts = gather({"person": {"id": "p", "open_cases": 1}}, {"person": {"badges": {}, "open_cases": {}}}, about, sources)
    assert fetched == [["badges"]]
    assert facts == {"person": {"id": "p", "open_cases": 1, "badges": 7}}
    gather({"person": {}}, {"person": {}}, about, sources)  # a text that takes the whole person is given all that can be known
    assert fetched[1] == ["badges", "led_cases", "open_cases"]


def test_what_is_kept_is_what_was_asked_and_known():
    facts = {"person": {"id": "p", "badges": [1]}, "values": {"risk": None, "goals": ["g"]}, "case": {"variables": {"a": {"b": 1, "c": 2}}}}
    tree = {"person": {"badges": {}}, "values": {"risk": {}}, "case": {"variables": {"a": {"b": {}}}}, "outing": {}}
    assert project(facts, tree) == {"person": {"badges": [1]}, "values": {}, "case": {"variables": {"a": {"b": 1}}}}
