"""Forms as they are shown, and what they say of themselves."""

import json
import re
from datetime import date
from decimal import Decimal

import pytest

from engine.exceptions import InvalidForm
from engine.forms import Message, compile_form
from tests.support.forms import CLOCK, EVERYTHING, schema, text


def seen(form, name, *arguments, **more):
    return next(view for top in form.view(*arguments, clock=CLOCK, **more) for view in top.walk() if view.name == name)


def test_views_show_what_was_typed_even_if_it_is_wrong():
    form = compile_form(EVERYTHING)
    submitted = {"score": "十分", "goals": [{"weight": 5}, {"due": "明天"}], "channel": "12345"}
    with pytest.raises(InvalidForm) as refusal:
        form.read(submitted, {}, CLOCK)
    errors = refusal.value.errors
    assert seen(form, "score", {}, submitted, errors).value == "十分"
    assert seen(form, "score", {}, submitted, errors).errors == ("请填写数字，例如 12 或 3.5。",)
    assert seen(form, "goals[1].due", {}, submitted, errors).attributes["local"] == "明天"
    assert [seen(form, f"goals[{n}].why", {}, submitted).hidden for n in (0, 1)] == [False, True]
    assert [seen(form, "externalNo", {}, s).hidden for s in (submitted, {})] == [False, True]
    assert seen(form, "channel", {}, submitted).options[1].selected
    assert seen(form, "goals", {}, submitted).template.children[0].name == "goals[__0__].text"


@pytest.mark.parametrize("goals", [[], [{"text": "按时吃上热饭", "weight": 5}]])
def test_a_new_row_is_empty(goals):
    """It showed the last row's data; of an empty list there is none, and the page was a 500."""
    template = seen(compile_form(EVERYTHING), "goals", {"goals": goals}).template
    assert all(view.value in (None, "", [], False) for view in template.walk()), [view.value for view in template.walk()]


def test_views_are_plain_json_and_texts_are_filled_in():
    form = compile_form(EVERYTHING)
    views = form.view({"clientName": "<b>*张*</b>", "visits": [{"on": date(2026, 1, 2), "by": None}]}, clock=CLOCK)
    assert json.loads(json.dumps([view.as_dict() for view in views], ensure_ascii=False))
    html = views[0].attributes["html"]
    assert "<strong>&lt;b&gt;*张*&lt;/b&gt;</strong>" in html and "<b>" not in html
    table = next(view for view in views if view.kind == "table")
    assert table.attributes["rows_of_table"] == [["2026-01-02", ""]]


@pytest.mark.parametrize("source", ["<script>alert(1)</script>", "![x](data:image/png;base64,AA)", "[x](javascript:alert(1))", "[x](//e.cn)", "<a href=x>"])
def test_markdown_makes_no_html_of_its_own(source):
    form = compile_form(schema({"type": "text", "text": source}))
    html = form.view({})[0].attributes["html"]
    assert re.findall("<[^>]*>", html) == ["<p>", "</p>"]


def test_templates():
    source = "{{#if n > 1}}多{{/if}}{{#loop items}}{{this.t}}/{{parent.n}};{{/loop}}{{none}}"
    form = compile_form(schema({"type": "text", "text": source}, text("a", label="=n + 1", description="共 {{n}} 条")))
    text_view, field = form.view({"n": Decimal(2), "items": [{"t": "x"}, {"t": "y"}]})
    assert text_view.attributes["text"] == "多x/2;y/2;"
    assert (field.label, field.description) == ("3", "共 2 条")
    assert {"n", "items", "none", "a"} - form.names == {"a"}


def test_what_a_form_says_of_itself():
    form = compile_form(EVERYTHING)
    assert {"contact", "goals", "total"} <= form.keys
    assert form.variables()["goals"] == "list<context<text: string, weight: number, due: date, why: string>>"
    assert form.variables()["contact"] == "context<phone: string>"
    assert form.live_names == {"channel", "risk", "goals"}
    assert form.context({"channel": "走访", "secret": "x", "goals": [{"due": date(2026, 1, 2)}]}) == {
        "channel": "走访",
        "goals": [{"due": {"$d": "2026-01-02"}}],
    }


def test_messages_have_an_english_side():
    message = Message("too_long", count=3)
    assert (message, message.english, message.template) == ("最多填写 3 个字。", "At most 3 characters.", "最多填写 {count} 个字。")
