"""Boxed expressions: contexts, lists, relations, functions, invocations, conditionals, filters, iterators, and tables among them."""

import pytest

from engine.decisions import decide
from tests.support.tables import boxed, data, expression, file, kind, requires, table

LIST = data("L")


def value(body, given=None, kind_="", types=""):
    """What a decision with this body comes to; it requires L."""
    return decide(file(types, LIST, boxed(body, "d", kind_, requires(data=("L",)))), "d", given or {})["result"]


def entry(name, inside, typed=""):
    variable = f'<variable name="{name}" typeRef="{typed}"/>' if name else ""
    return f"<contextEntry>{variable}{inside if inside.startswith('<') else expression(inside)}</contextEntry>"


def box(tag, attributes="", **parts):
    inside = "".join(f"<{part}>{text if text.startswith('<') else expression(text)}</{part}>" for part, text in parts.items())
    return f"<{tag} {attributes}>{inside}</{tag}>"


def test_entries_of_a_context_see_those_before_them():
    inner = f"<context>{entry('a', '10')}{entry('c', 'a + b')}</context>"
    assert value(f"<context>{entry('a', '1')}{entry('b b', 'a + 1')}{entry('b', 'b b * 2')}{entry('inner', inner)}{entry('z', 'inner.c')}</context>") == {
        "a": 1, "b b": 2, "b": 4, "inner": {"a": 10, "c": 14}, "z": 14,
    }  # fmt: skip


def test_a_context_with_a_result_cell_is_its_value():
    assert value(f"<context>{entry('a', '20')}{entry('', 'a * 2')}</context>") == 40


def test_an_entry_of_another_type_is_null():
    assert value(f"<context>{entry('a', '20', 'string')}{entry('b', '[20]', 'number')}</context>") == {"a": None, "b": 20}


def test_a_function_in_a_context_is_called_and_calls_itself():
    parameters = '<formalParameter name="n" typeRef="number"/>'
    factorial = f"<functionDefinition>{parameters}{expression('if n <= 1 then 1 else n * f(n - 1)')}</functionDefinition>"
    call = f'<invocation>{expression("f")}<binding><parameter name="n"/>{expression("4")}</binding></invocation>'
    results = f"<list>{expression('f(5)')}{call}{expression('f(n: 3)')}{expression('f()')}</list>"
    assert value(f"<context>{entry('f', factorial)}{entry('', results)}</context>") == [120, 24, 6, None]


def test_lists_and_relations():
    columns = '<column name="lender name"/><column name="rate" typeRef="number"/>'
    rows = [('"A"', ".0375"), ('"B"', '"x"')]
    relation = f"<relation>{columns}{''.join(f'<row>{expression(one)}{expression(two)}</row>' for one, two in rows)}</relation>"
    assert value(f"<list>{expression('1 + 1')}{relation}</list>") == [
        2,
        [{"lender name": "A", "rate": 0.0375}, {"lender name": "B", "rate": None}],
    ]
    after = f"<context>{entry('t', relation)}{entry('', 't[rate < 1].lender name')}</context>"
    types = kind("tRow", components=kind("lender name", "string"))  # a name of two words after a dot has to be declared somewhere
    assert value(after, types=types) == ["A"]


def test_a_table_stands_where_an_expression_does():
    whole = table([("x", "number")], [("o", "string")], [("> 1", '"big"'), ("<= 1", '"small"')], ident="t")
    inside = whole[whole.index("<decisionTable") : whole.index("</decision>")]
    assert value(f"<context>{entry('x', '5')}{entry('size', inside)}</context>") == {"x": 5, "size": "big"}


@pytest.mark.parametrize(("condition", "chosen"), [("true", "then"), ("false", "else"), ("null", "else"), ("1", "else")])
def test_conditionals(condition, chosen):
    assert value(box("conditional", **{"if": condition, "then": '"then"', "else": '"else"'})) == chosen


@pytest.mark.parametrize(
    ("items", "match", "kept"),
    [
        ([1, 2, 3], "item > 1", [2, 3]),
        ([{"a": 1}, {"a": 2}], "item.a = 2", [{"a": 2}]),
        ([1, None, 3], "item > 1", [3]),
        (5, "item > 1", [5]),
        (None, "true", None),
        ([1], '"x"', None),
        ([], "true", []),
    ],
)
def test_filters(items, match, kept):
    assert value(box("filter", **{"in": "L", "match": match}), {"L": items}) == kept


def test_a_filter_sees_the_entries_of_its_items():
    types = kind("tRow", components=kind("unit price", "number"))
    assert value(box("filter", **{"in": "L", "match": "unit price > 1"}), {"L": [{"unit price": 2}, {"unit price": 1}]}, types=types) == [
        {"unit price": 2}
    ]


@pytest.mark.parametrize(
    ("tag", "source", "body", "expected"),
    [
        ("for", "L", "x * 2", [2, 4, 6]),
        ("for", "L", "x + count(partial)", [1, 3, 5]),
        ("for", "[1..3]", "x", [1, 2, 3]),
        ("for", "null", "x", None),
        ("for", "5", "x", [5]),
        ("some", "L", "x > 2", True),
        ("some", "L", "x > 3", False),
        ("every", "L", "x > 0", True),
        ("every", "L", "x > 1", False),
        ("every", "[]", "false", True),
        ("some", "L", '"x"', None),
    ],
)
def test_iterators(tag, source, body, expected):
    parts = {"in": source, "return" if tag == "for" else "satisfies": body}
    assert value(box(tag, 'iteratorVariable="x"', **parts), {"L": [1, 2, 3]}) == expected


def test_boxes_have_types():
    assert value(box("conditional", 'typeRef="number"', **{"if": "true", "then": '"x"', "else": "1"})) is None
    assert value(box("filter", 'typeRef="number"', **{"in": "L", "match": "item = 2"}), {"L": [1, 2]}) == 2


def test_what_is_called_must_be_a_function():
    body = f"<invocation>{expression('L')}</invocation>"
    answer = decide(file(LIST, boxed(body, "d", before=requires(data=("L",)))), "d", {"L": 1})
    assert (answer["result"], answer["notes"][0]["code"]) == (None, "no_function")
