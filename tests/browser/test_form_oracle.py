"""The server and form-js's own viewer (1.23) on the same forms with the same data: same values, same fields with errors.

Hypothesis draws forms and data; form-js runs them in Chromium, many at a time in one page. Where the two differ on purpose, the
reason stands in DIFFERENCES, and a test shows both sides.
"""

import json
from decimal import Decimal

import pytest
from hypothesis import HealthCheck, Phase, given, seed as with_seed, settings, strategies as st

from engine.feel import from_plain
from engine.forms import compile_form, values
from engine.forms.evaluation import Evaluation
from engine.forms.reading import check, written
from tests.support.browsers import PACKAGES, PERSON
from tests.support.form_cases import Batch, cases
from tests.support.forms import CLOCK, schema

pytestmark = pytest.mark.browser

VIEWER = PACKAGES / "@bpmn-io/form-js/dist/form-viewer.umd.js"
# Imports the form on the variables, puts what was filled in into its state as its inputs would, waits until nothing moves, submits.
DRIVER = """async cases => {
    const rest = ms => new Promise(done => setTimeout(done, ms));
    const lay = (data, more) => {
        for (const [key, value] of Object.entries(more)) {
            const both = [data[key], value].every(v => v && typeof v === 'object' && !Array.isArray(v));
            data[key] = both ? lay(data[key], value) : value;
        }
        return data;
    };
    const forms = await Promise.all(cases.map(async ({schema, variables}) => {
        const container = document.body.appendChild(document.createElement('div'));
        const form = new FormViewer.Form({container, debounce: false});
        await form.importSchema(schema, variables);
        return form;
    }));
    const state = () => forms.map(form => JSON.stringify(form._getState().data)
        + form.get('formFieldInstanceRegistry').getAll().map(each => each.instanceId).join()).join();
    const settled = async () => {
        for (let before = null, same = 0; same < 3;) {
            await rest(60);
            const now = state();
            same = now === before ? same + 1 : 0;
            before = now;
        }
    };
    await settled();
    forms.forEach((form, index) => {
        form._emit('field.updated', {});  // as an input does: expressions may be computed again
        form._setState({data: lay(JSON.parse(JSON.stringify(form._getState().data)), cases[index].submitted)});
    });
    await settled();
    return JSON.stringify(forms.map(form => {
        const {data, errors} = form.submit();
        form.destroy();
        return {data, errors};
    }));
}"""


@pytest.fixture(scope="module")
def form_js(browser):
    """`form_js(cases)` → what form-js makes of each: {"data", "errors": {(field id, index…)}}."""
    context = browser.new_context(**PERSON)
    page = context.new_page()
    page.set_content("<!doctype html><title>form-js</title>")
    page.add_script_tag(path=VIEWER)

    def run(cases):
        answers = json.loads(page.evaluate(DRIVER, cases), parse_float=Decimal, parse_int=Decimal)
        return [{"data": answer["data"], "errors": set(_flat(answer["errors"]))} for answer in answers]

    yield run
    context.close()


def _flat(errors, at=()):
    items = errors.items() if isinstance(errors, dict) else enumerate(errors)
    for key, inside in items:
        if isinstance(inside, str):
            yield at
            return
        if inside:
            yield from _flat(inside, (*at, key if isinstance(key, int) or not str(key).isdigit() else int(key)))


def server(case):
    """What the server makes of a case, in the same shape."""
    state = Evaluation(compile_form(case["schema"]), from_plain(case["variables"]), case["submitted"], CLOCK)
    places = {
        node.name: (node.component.id, *(step for step in node.location if isinstance(step, int)))
        for node in state.nodes
        if node.location
    }
    errors = {places[name] for name in check(state)}
    state.compute_last()
    return {"data": exact(written(state)), "errors": errors}


def exact(value):
    """FEEL values as plain JSON with exact numbers."""
    if isinstance(value, dict):
        return {key: exact(item) for key, item in value.items()}
    if isinstance(value, list):
        return [exact(item) for item in value]
    return value if isinstance(value, (Decimal, bool)) else values.to_plain(value)


def comparable(value):
    """Without what DIFFERENCES says of lists: form-js sends nothing for an empty list and nothing or null for an empty entry."""
    if isinstance(value, dict):
        inner = {key: comparable(item) for key, item in value.items()}
        return {key: item for key, item in inner.items() if item not in ({}, [])}
    if isinstance(value, list):
        inner = [comparable(item) for item in value]
        while inner and inner[-1] in (None, {}):
            inner.pop()
        return [{} if item is None else item for item in inner]
    return value


@pytest.mark.parametrize("seed", range(4))
def test_the_server_and_form_js_agree(form_js, seed):
    """Each seed draws its own batches; form-js takes a batch at once, since waiting for it to settle costs most."""

    @settings(
        max_examples=3,
        deadline=None,
        database=None,
        phases=[Phase.generate],  # a failure names its one case, which needs no shrinking
        suppress_health_check=list(HealthCheck),
    )
    @given(st.lists(cases(), min_size=40, max_size=60).map(Batch))
    def compare(batch):
        for case, theirs in zip(batch, form_js(batch), strict=True):
            ours = server(case)
            told = json.dumps(case, ensure_ascii=False)
            assert ours["errors"] == theirs["errors"], told
            assert comparable(ours["data"]) == comparable(theirs["data"]), told

    with_seed(seed)(compare)()


# --- where the two differ on purpose ---------------------------------------------------------------------------------------

TEXT = {"type": "textfield", "id": "t", "key": "t"}
LIST = {"type": "dynamiclist", "id": "l", "path": "l", "isRepeating": True, "allowAddRemove": True}
HIDING = [
    {**TEXT, "id": f"f{n}", "key": f"f{n}"} | ({"conditional": {"hide": f'=f{n - 1} != "x"'}} if n else {}) for n in range(5)
]


def case(*components, variables=None, **submitted):
    """One form with its data."""
    return {"schema": schema(*components), "variables": variables or {}, "submitted": submitted}


# Name → why, the case, what the server makes of it, what form-js makes of it (values or ids of fields with errors).
DIFFERENCES = {
    "blanks are no answer": (
        "A name of blanks is not filled in; form-js lets it pass.",
        case({**TEXT, "validate": {"required": True}}, t="   "),
        {("t",)},
        {"t": "   "},
    ),
    "characters are counted, not half characters": (
        "𠮷 is one character to the person who typed it; JavaScript counts two.",
        case({**TEXT, "validate": {"maxLength": 1}}, t="𠮷"),
        {"t": "𠮷"},
        {("t",)},
    ),
    "telephone numbers of this country": (
        "form-js takes numbers with a country code only; nobody here writes them so.",
        case({**TEXT, "validate": {"validationType": "phone"}}, t="13800138000"),
        {"t": "13800138000"},
        {("t",)},
    ),
    "text in normal form": (
        "The same letter in two spellings would not be found by search and would not compare equal.",
        case(TEXT, t="e\u0301"),
        {"t": "\u00e9"},
        {"t": "e\u0301"},
    ),
    "text that cannot be stored": (
        "NUL and half surrogate pairs break databases and signatures, overrides of direction deceive readers.",
        case(TEXT, t="a\u202eb"),
        {("t",)},
        {"t": "a\u202eb"},
    ),
    "rules of read-only fields": (
        "Nobody can correct what nobody can change; the person would be stuck.",
        case({**TEXT, "readonly": True, "validate": {"required": True}}),
        {"t": ""},
        {("t",)},
    ),
    "required by a condition": (
        "An extension: form-js takes any text for true. Its preview asks for more than is asked here, never for less.",
        case({"type": "checkbox", "id": "c", "key": "c"}, {**TEXT, "validate": {"required": "=c"}}, c=False),
        {"c": False, "t": ""},
        {("t",)},
    ),
    "an option that is not offered": (
        "form-js silently empties the field; a program that sends a wrong option must hear of it.",
        case({"type": "select", "id": "s", "key": "s", "valuesExpression": '=["a"]'}, s="b"),
        {("s",)},
        {"s": None},
    ),
    "a list that was emptied": (
        "form-js sends nothing for a list without entries, so the old ones would stay.",
        case({**LIST, "components": [TEXT]}, l=[]),
        {"l": []},
        {},
    ),
    "an entry with nothing to show": (
        "form-js leaves a hole in the list; a hole is null in JSON and no entry.",
        case({**LIST, "components": [{**TEXT, "conditional": {"hide": "=i[1] = 1"}}]}, l=[{"t": "a"}, {"t": "b"}]),
        {"l": [{}, {"t": "b"}]},
        {"l": [None, {"t": "b"}]},
    ),
    "entries of a context that the form does not show": (
        "A variable is written whole; form-js would drop what stands beside the form's own entries.",
        case({**TEXT, "key": "c.t"}, variables={"c": {"id": 7, "t": "old"}}, c={"t": "new"}),
        {"c": {"id": 7, "t": "new"}},
        {"c": {"t": "new"}},
    ),
    "a field that became read-only": (
        "Read-only values come from the server, also if something was typed before the field was locked.",
        case(
            {"type": "checkbox", "id": "c", "key": "c"}, {**TEXT, "readonly": "=c"}, variables={"t": "server"}, c=True, t="typed"
        ),
        {"c": True, "t": "server"},
        {"c": True, "t": "typed"},
    ),
    "dates are dates": (
        "form-js keeps them as text, and authors write date(d); that works here too, and so does d < today().",
        case(
            {"type": "datetime", "id": "d", "key": "d", "subtype": "date"},
            {**TEXT, "conditional": {"hide": '=d > date("2027-01-01")'}},
            d="2027-06-01",
            t="a",
        ),
        {"d": "2027-06-01"},
        {"d": "2027-06-01", "t": "a"},
    ),
    "past dates": (
        "form-js silently empties the field; a program that sends such a date must hear of it.",
        case({"type": "datetime", "id": "d", "key": "d", "subtype": "date", "disallowPassedDates": True}, d="2020-01-01"),
        {("d",)},
        {"d": None},
    ),
    "exact numbers": (
        "Numbers are decimals: a computed 0.1 + 0.2 is 0.3.",
        case({"type": "expression", "id": "e", "key": "e", "expression": "=0.1 + 0.2 = 0.3", "computeOn": "change"}),
        {"e": True},
        {"e": False},
    ),
    "computed from computed": (
        "form-js computes each expression once a round; one that has just appeared keeps what it saw first.",
        case(
            {"type": "checkbox", "id": "c", "key": "c"},
            {"type": "expression", "id": "e", "key": "e", "expression": "=c", "computeOn": "change"},
            {
                "type": "expression",
                "id": "f",
                "key": "f",
                "expression": "=e",
                "computeOn": "change",
                "conditional": {"hide": "=not(c)"},
            },
            c=True,
        ),
        {"c": True, "e": True, "f": True},
        {"c": True, "e": True, "f": False},
    ),
    "long chains of conditions": (
        "form-js runs conditions twice, so from the third of a chain on they see values of fields that are going to be hidden.",
        case(*HIDING, f0="y", f1="x", f2="x", f3="x", f4="x"),
        {"f0": "y"},
        {"f0": "y", "f3": "x", "f4": "x"},
    ),
    "hidden fields of an entry": (
        "Inside an entry form-js lets conditions see what was typed into a hidden field; here as little as anywhere.",
        case(
            {
                **LIST,
                "components": [
                    {"type": "checkbox", "id": "c", "key": "c"},
                    {**TEXT, "conditional": {"hide": "=this.c"}},
                    {**TEXT, "id": "u", "key": "u", "conditional": {"hide": '=this.t = "x"'}},
                ],
            },
            l=[{"c": True, "t": "x", "u": "1"}],
        ),
        {"l": [{"c": True, "u": "1"}]},
        {"l": [{"c": True}]},
    ),
    "read-only lists": (
        "An extension: form-js's lists have no such property, its entries stay writable.",
        case(
            {**LIST, "readonly": True, "components": [TEXT]}, variables={"l": [{"t": "server"}]}, l=[{"t": "typed"}, {"t": "more"}]
        ),
        {"l": [{"t": "server"}]},
        {"l": [{"t": "typed"}, {"t": "more"}]},
    ),
    "number of entries": (
        "An extension, in custom properties: form-js has no least or greatest number.",
        case({**LIST, "properties": {"minItems": "1"}, "components": [TEXT]}, l=[]),
        {("l",)},
        {},
    ),
}


@pytest.mark.parametrize("name", DIFFERENCES)
def test_known_differences(form_js, name):
    """Should form-js change its mind, the entry goes."""
    _, differing, ours, theirs = DIFFERENCES[name]
    for expected, found in ((ours, server(differing)), (theirs, form_js([differing])[0])):
        if isinstance(expected, set):
            assert found["errors"] == expected
        else:
            assert (found["errors"], found["data"]) == (set(), expected)
