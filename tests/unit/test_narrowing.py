"""A check looks only at the rows that can speak about the kind of act at hand, and says what it would have said anyway."""

from datetime import UTC, datetime

import pytest
import yaml
from hypothesis import given, strategies as st

from engine import feel
from engine.facts import Needs
from engine.feel.partial import settle
from engine.regulations import POINTS, Tables, check, compile_regulation
from tests.support.databases import ROOT
from tests.support.tables import file, table

PRODUCT = Tables.load(ROOT / "bpmn" / "regulations")
PARAMETERS = yaml.safe_load((ROOT / "bpmn" / "parameters.yaml").read_text(encoding="utf-8"))
NOW = datetime(2026, 3, 2, 9, 30, tzinfo=UTC)
TAGS = "visit home_visit plan approval closing crisis referral record followup reminder backfill mediation publish report first_response".split()
OUTPUTS = [(name, "string") for name in ("rule", "effect", "message", "message_en", "source")]
SAID = ['"warn"', '"有问题"', '"Trouble"', '"站内默认"']

values = st.fixed_dictionaries(
    {
        "risk": st.sampled_from([None, "low", "high", "urgent"]),
        "goals": st.lists(st.just("目标"), max_size=2),
        "approved": st.sampled_from([None, True, False, "yes", "no"]),
        "basis": st.sampled_from([None, "consent", "statutory", "emergency"]),
        "crisis": st.sampled_from([None, True, False]),
        "giftOffered": st.sampled_from([None, True, "yes"]),
        "minorHarm": st.sampled_from([None, "yes"]),
        "publishImages": st.sampled_from([None, "yes"]),
    }
)
facts = st.fixed_dictionaries(
    {
        "task": st.fixed_dictionaries(
            {
                "tags": st.lists(st.sampled_from(TAGS), max_size=3, unique=True),
                "stage": st.sampled_from([None, "intake", "assessment", "plan", "intervention", "evaluation", "closing", "followup"]),
                "element": st.sampled_from(["visit", "intake", "anything"]),
                "data": values,
            }
        ),
        "record": st.sampled_from([{}, {"kind": "outing"}, {"kind": "client"}, {"kind": "entry", "register": "hotline"}, {"kind": "alert"}]),
        "case": st.fixed_dictionaries({"variables": values, "stages_done": st.lists(st.sampled_from(["intake", "plan"]), unique=True)}),
        "person": st.fixed_dictionaries({"id": st.just("p"), "workforce": st.sampled_from([None, "volunteer", "full_time", "assistant"])}),
    }
)


@given(st.sampled_from(POINTS), facts)
def test_what_is_left_out_would_have_said_nothing(point, told):
    told = feel.from_plain(told)
    numbers = feel.from_plain({entry["key"]: entry["default"] for entry in PARAMETERS})
    needs = Needs(PRODUCT)
    told = needs.marked(told)
    question = needs.question((point,), told, numbers)
    known = told | {"parameters": numbers}
    whole = check(PRODUCT, point, known, clock=NOW)
    assert check(question.tables[point], point, known, clock=NOW) == whole, "the verdicts and the facts they show"
    rows = {row.id for each in question.tables[point] for row in each.rows}
    assert {verdict.row for verdict in whole} <= rows


def test_a_column_that_looks_at_anything_else_is_left_open():
    columns = [(text, "Any") for text in ("point", 'list contains(task.tags, "visit")', "count(person.badges)", "task.due < now()")]
    rows = [
        ['"assign"', "true", "-", "-", '"r.one"', *SAID],
        ['"assign"', "false", "0", "true", '"r.two"', *SAID],
        ['"complete"', "-", "-", "-", '"r.three"', *SAID],
    ]
    made = compile_regulation(file(table(columns, OUTPUTS, rows, hit="COLLECT")))
    ids = [rule.id for rule in made.decision.rules]

    def left(point, *tags):
        return [ids.index(row.id) for row in made.narrowed(point, {("task", "tags"): list(tags)}).rows]

    assert left("assign", "visit") == [0]
    assert left("assign") == [1], "whatever the badges are, and whenever it is due"
    assert left("complete", "visit") == [2]
    assert left("clock") == []
    assert [ids.index(row.id) for row in made.narrowed("assign").rows] == [0, 1], "nobody said what kind of task it is"


@pytest.mark.parametrize("text", ["now() > task.element", "today() = task.stage", "for t in task.tags return t"])
def test_what_hangs_on_the_hour_is_left_open(text):
    made = compile_regulation(file(table([(text, "Any")], OUTPUTS, [["false", '"r.one"', *SAID]], hit="COLLECT")))
    kind = {("task", "element"): "a", ("task", "stage"): "b", ("task", "tags"): []}
    assert len(made.narrowed("assign", kind).rows) == 1


def test_what_the_county_does_not_keep_is_not_asked():
    """A rule about a register that is not kept costs nothing: nobody is asked for its entries."""
    kept = "if parameters.keep_badges = 1 and person.badges != null then count(person.badges) else null"
    made = compile_regulation(file(table([(kept, "Any")], OUTPUTS, [["0", '"r.badge"', *SAID]], hit="COLLECT")))
    needs, facts = Needs(Tables([made])), {"person": {"id": "p", "badges": []}}
    for switch, said in ((0, 0), (1, 1)):
        numbers = feel.from_plain({"keep_badges": switch})
        question = needs.question(("assign",), facts, numbers)
        assert ("badges" in question.tree.get("person", {})) == bool(switch)
        assert len(check(question.tables["assign"], "assign", feel.from_plain(facts) | {"parameters": numbers})) == said


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("if a = 1 and b then c else 2", 2),
        ("if a = 0 or b then 3 else c", 3),
        ("if a = 0 then if a = 1 then b else 4 else c", 4),
        ("a + 1", 1),
        ("if a = missing then b else 5", 5),
        ("if a = 0 and b then c else 2", None),
        ("if b then 1 else 1", None),
        ("a + b", None),
        ("today()", None),
        ("b + 1", None),
    ],
)
def test_a_text_is_settled_by_what_is_known_of_it(text, value):
    """`a` is 0 and `missing` is null, both known; b and c are not."""
    found = settle(text, feel.from_plain({"a": 0}), {("a",), ("missing",)}.__contains__)
    assert (found and found.value) == value


def test_arithmetic_with_nothing_comes_to_nothing():
    known = {("a",), ("missing",)}.__contains__
    for text in ("(now() - missing) / b", "b * missing", "if a = 0 then now() - missing else b"):
        found = settle(text, feel.from_plain({"a": 0}), known)
        assert found is not None and found.value is None, text


def test_what_a_form_was_not_answered_with_is_not_judged():
    """A record without a time of service asks nobody for their absences; what is not known to be missing stays open."""
    columns = [(text, "Any") for text in ("point", "now - task.data.occurredAt", "count(person.absences)")]
    made = compile_regulation(file(table(columns, OUTPUTS, [['"complete"', "not(null)", "> 0", '"r.away"', *SAID]], hit="COLLECT")))
    needs = Needs(Tables([made]))
    for data, asks in (({}, False), ({"other": 1}, False), ({"occurredAt": "@"}, True)):
        facts = needs.marked({"task": {"data": data}})
        assert ("absences" in needs.question(("complete",), facts, {}).tree.get("person", {})) is asks, data
    assert "absences" in needs.question(("complete",), {"task": {"data": {}}}, {}).tree["person"], "nobody said what was answered"


def test_a_table_that_is_older_than_a_kind_says_nothing_of_it():
    """A county that had published 安全管理 before there were registers could complete no visit any more: `entry` was not among its kinds."""
    columns = [("point", "Any"), ("record.kind", "Any", '"outing","client"')]
    rows = [['"open"', '"outing"', '"r.outing"', *SAID], ['"open"', "-", '"r.any"', *SAID]]
    made = Tables([compile_regulation(file(table(columns, OUTPUTS, rows, hit="COLLECT")))])
    for kind, said in (("entry", ["r.any"]), ("outing", ["r.outing", "r.any"])):
        facts = {"record": {"kind": kind}}
        question = Needs(made).question(("open",), facts, {})
        assert [verdict.rule for verdict in check(question.tables["open"], "open", facts)] == said
