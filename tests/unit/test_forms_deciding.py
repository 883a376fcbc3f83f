"""Forms: the server decides what is hidden, read-only, computed, required and unknown."""

from decimal import Decimal

import pytest

from engine.forms import compile_form
from tests.support.forms import faults, goals, moment, number, options, read, schema, text


def test_hidden_fields_are_dropped_and_not_checked():
    form = [text("kind"), text("why", validate={"required": True}, conditional={"hide": '=kind != "其他"'})]
    assert read(form, {"kind": "甲", "why": "x"}) == {"kind": "甲"}
    assert faults(form, {"kind": "其他"}) == {"why": "required"}
    assert read(form, {"kind": "甲", "why": 5}) == {"kind": "甲"}


def test_what_a_hidden_group_holds_is_hidden():
    group = {"type": "group", "conditional": {"hide": "=no"}, "components": [text("a"), goals()]}
    assert read([{"type": "checkbox", "key": "no"}, group], {"no": True, "a": "x", "goals": []}) == {"no": True}


def test_a_hidden_field_counts_with_the_value_it_opened_with():
    """As in form-js: `b` depends on `a`, which is hidden, so what was typed into it must not count."""
    form = [
        {"type": "checkbox", "key": "no"},
        text("a", conditional={"hide": "=no"}),
        text("b", conditional={"hide": '=a != "x"'}),
    ]
    assert read(form, {"no": True, "a": "x", "b": "1"}) == {"no": True}
    assert read(form, {"no": True, "a": "z", "b": "1"}, {"a": "x"}) == {"no": True, "b": "1"}


def test_conditions_are_run_until_nothing_changes():
    chain = [text("f0")] + [text(f"f{n}", conditional={"hide": f'=f{n - 1} != "x"'}) for n in range(1, 6)]
    assert read(chain, {f"f{n}": "x" for n in range(6)} | {"f0": "y"}) == {"f0": "y"}
    assert read(chain, {f"f{n}": "x" for n in range(6)}) == {f"f{n}": "x" for n in range(6)}


def test_conditions_that_contradict_each_other_end():
    form = [text("a", conditional={"hide": '=b = "x"'}), text("b", conditional={"hide": '=a = "x"'})]
    assert isinstance(read(form, {"a": "x", "b": "x"}), dict)


@pytest.mark.parametrize(("condition", "hidden"), [("=n > 5", True), ("=not(n > 5)", False), ('=not("x" = "y")', True), ("=n", True), ("=5", False)])
def test_null_in_a_condition_is_what_it_is_in_form_js(condition, hidden):
    assert read([text("a", conditional={"hide": condition})], {}) == ({} if hidden else {"a": ""})


def test_readonly_and_disabled_fields_come_from_the_server():
    before = {"a": "旧", "b": "旧", "c": "旧"}
    form = [text("a", readonly=True), text("b", disabled=True), text("c", readonly="=lock"), {"type": "checkbox", "key": "lock"}]
    new = {"a": "新", "b": "新", "c": "新"}
    assert read(form, new | {"lock": True}, before) == {"a": "旧", "c": "旧", "lock": True}
    assert read(form, new | {"lock": False}, before) == {"a": "旧", "c": "新", "lock": False}
    assert read(form, {"a": 5, "b": [], "c": {}, "lock": True}, before) == {"a": "旧", "c": "旧", "lock": True}
    # Nobody can fill in a field that is read-only, so its rules do not block.
    assert read(text("a", readonly=True, validate={"required": True}), {}) == {"a": ""}


def test_computed_fields_are_computed_here():
    total = {"type": "expression", "key": "total", "expression": "=sum(goals.w)"}
    twice = {"type": "expression", "key": "twice", "expression": "=total * 2"}
    last = {"type": "expression", "key": "last", "expression": "=twice + 1", "computeOn": "presubmit"}
    found = read([last, twice, total, goals()], {"total": 99, "twice": 1, "goals": [{"t": "a", "w": 2}, {"t": "b", "w": 3}]})
    assert {key: found[key] for key in ("total", "twice", "last")} == {"total": 5, "twice": 10, "last": 11}


def test_required_may_be_an_expression():
    form = [{"type": "checkbox", "key": "c"}, text("a", validate={"required": "=c"})]
    assert faults(form, {"c": True}) == {"a": "required"}
    assert read(form, {"c": False}) == {"c": False, "a": ""}


def test_unknown_names_are_errors():
    form = [{"type": "group", "path": "g", "components": [text("a")]}, goals()]
    submitted = {"g": {"a": "", "x": 1}, "approved": True, "__proto__": {}, "goals": [{"t": "a", "role": "admin"}], "b\x1b\ud800": 1}
    assert faults(form, submitted) == dict.fromkeys(["g.x", "approved", "__proto__", "goals[0].role", "b��"], "unknown")
    assert faults(form, {"g": [], "goals": []}) == {"g": "wrong_group"}
    assert faults(form, []) == {"": "wrong_group", "goals[0].t": "required"}


def test_a_flood_of_unknown_names_gives_a_short_answer():
    assert len(faults(text(), {f"k{n}": n for n in range(10_000)})) <= 100


def test_what_is_missing_is_what_the_form_opened_with():
    form = [text("a"), text("b", defaultValue="缺省"), number("n", defaultValue="3"), {"type": "checklist", "key": "c", "values": options("x")}]
    assert read(form, {}, {"a": "旧"}) == {"a": "旧", "b": "缺省", "n": Decimal(3), "c": []}
    assert read(form, {"a": None, "b": None, "n": None}, {"a": "旧"}) == {"a": "", "b": "", "n": None, "c": []}


def test_variables_of_other_types_open_as_form_js_opens_them():
    form = compile_form(
        schema(
            text("a"),
            number("n"),
            moment("date"),
            {"type": "checkbox", "key": "c"},
            {"type": "select", "key": "s", "values": options("x")},
            {"type": "checklist", "key": "m", "values": options("x", "y")},
            goals(),
        )
    )
    variables = {"a": Decimal("1.50"), "n": "12", "d": "2026-01-02", "c": "yes", "s": "gone", "m": ["y", "gone"], "goals": "none"}
    opened = {"a": "1.5", "n": 12, "d": "2026-01-02", "c": False, "s": None, "m": ["y"], "goals": [{"t": "", "w": None}]}
    assert form.data(variables) == opened
    assert form.data({}) == {"a": "", "n": None, "d": None, "c": False, "s": None, "m": [], "goals": [{"t": "", "w": None}]}
