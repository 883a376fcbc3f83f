"""Forms: what is refused at deploy, with the component's id and the reason."""

import pytest

from engine.exceptions import DeployRefused
from engine.forms import compile_form, examine_form
from tests.support.forms import goals, moment, number, options, schema, text


def codes(*components, **root) -> list[tuple[str | None, str]]:
    """Element and code of each finding."""
    return [(finding.element, finding.code) for finding in examine_form(schema(*components, **root))]


@pytest.mark.parametrize("kind", ["html", "iframe", "filepicker", "documentPreview", "captcha", None, 7])
def test_components_that_are_not_supported(kind):
    assert codes({"type": kind, "id": "x", "key": "k"}) == [("x", "form-unsupported")]


@pytest.mark.parametrize("source", ["https://e.cn/a.png", "//e.cn/a.png", "data:image/png;base64,AA", "=photo", "/../a", None])
def test_images_from_elsewhere(source):
    assert codes({"type": "image", "id": "x", "source": source}) == [("x", "form-unsupported")]


def test_images_of_our_own():
    assert codes({"type": "image", "id": "x", "source": "/static/map.png", "alt": "地图"}) == []


@pytest.mark.parametrize("key", ["", None, "__proto__", "a.__proto__", "constructor", "a..b", "1a", "a b", "a-b", "_x", "a[0]", "x" * 99, 5])
def test_bad_keys(key):
    assert codes(text(key, id="x")) == [("x", "form-key")]


def test_keys_are_written_once():
    assert codes(text("a", id="x"), number("a", id="y")) == [("y", "form-key")]
    assert codes(text("a", id="x"), text("a.b", id="y")) == [("y", "form-key")]
    group = {"type": "group", "id": "g", "path": "a", "components": [text("b", id="x")]}
    assert codes(group, text("a.b", id="y")) == [("y", "form-key")]
    assert codes(group, text("a.c", id="y")) == []
    assert codes(text("a", id="x"), text("b", id="x")) == [("x", "form-id")]


def test_feel_is_checked_with_its_place():
    finding = examine_form(schema(text("a", id="x", conditional={"hide": "=b >\n > 1"})))[0]
    assert (finding.element, finding.code, finding.line, finding.column) == ("x", "form-feel", 2, 2)
    finding = examine_form(schema({"type": "text", "id": "t", "text": "一\n二 {{a +}}"}))[0]
    assert (finding.element, finding.code, finding.line, finding.column) == ("t", "form-feel", 2, 3)
    assert codes(text("a", id="x", conditional={"hide": "b = 1"})) == [("x", "form-feel")]
    assert codes({"type": "text", "id": "t", "text": "{{#if a}}x"}) == [("t", "form-feel")]


@pytest.mark.parametrize(
    ("component", "code"),
    [
        (text(validate={"pattern": "("}), "form-pattern"),
        (text(validate={"pattern": "(?=x)"}), "form-pattern"),
        (text(validate={"min": 3}), "form-rule"),
        (text(validate={"required": "yes"}), "form-rule"),
        (number(validate={"min": "few"}), "form-rule"),
        (number(increment=0), "form-rule"),
        (number(defaultValue="many"), "form-default"),
        (text(defaultValue=5), "form-default"),
        ({"type": "select", "key": "c", "values": options("x"), "defaultValue": "y"}, "form-default"),
        ({"type": "select", "key": "c"}, "form-options"),
        ({"type": "select", "key": "c", "values": options("x"), "valuesKey": "k"}, "form-options"),
        ({"type": "select", "key": "c", "values": options("x", "x")}, "form-options"),
        ({"type": "select", "key": "c", "values": [{}]}, "form-options"),
        (moment("week"), "form-schema"),
        (text(onclick="alert(1)"), "form-property"),
        (text(validate={"custom": 1}), "form-property"),
        (goals(components=[]), "form-list"),
        (goals(isRepeating=False), "form-list"),
        (goals(components=[text("t", readonly=True, id="x")]), "form-readonly"),
        (goals(components=[text("t", readonly="=lock", id="x")]), "form-readonly"),
        ({"type": "expression", "key": "e"}, "form-feel"),
        ({"type": "table", "dataSource": "=x"}, "form-schema"),
    ],
)
def test_what_would_not_work_is_refused(component, code):
    assert [found for _, found in codes({"id": "x", **component} if "components" not in component else component)] == [code]


def test_roots():
    assert codes(text(id="x"), schemaVersion=4) == [(None, "form-schema")]
    assert codes(text(id="x"), type="form") == [(None, "form-schema")]
    assert [f.severity for f in examine_form(schema(text(), schemaVersion=99))] == ["warning"]
    for rubbish in (None, [], {}, {"components": {}}, "x"):
        assert examine_form(rubbish)
        with pytest.raises(DeployRefused):
            compile_form(rubbish)


def test_deep_and_wide_schemas_are_refused():
    deep = text(id="x")
    for _ in range(20):
        deep = {"type": "group", "components": [deep]}
    assert (None, "form-schema") in [(None, code) for _, code in codes(deep)]
    assert len(codes(*[text(f"k{n}") for n in range(600)])) == 1


def test_buttons_are_the_pages_own():
    assert compile_form(schema({"type": "button", "label": "提交", "action": "submit"}, text())).view({})[0].kind == "textfield"


def test_lists_in_lists_that_would_begin_with_millions_of_entries():
    inner = {"type": "dynamiclist", "id": "inner", "path": "b", "components": [text("a", id="x")], "defaultRepetitions": 20}
    outer = {"type": "dynamiclist", "id": "outer", "path": "c", "components": [inner], "defaultRepetitions": 10}
    assert codes(outer, inner | {"id": "other", "path": "d", "components": [text("a", id="y")]}) == []
    assert codes(outer | {"defaultRepetitions": 11}) == [("inner", "form-list")]
