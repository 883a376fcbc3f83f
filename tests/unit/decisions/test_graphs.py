"""Requirements between decisions, input data, business knowledge models and decision services: what each sees, and in what order."""

from datetime import date
from decimal import Decimal

import pytest

from engine.decisions import compile_decisions, decide
from engine.exceptions import DecisionFailed, DeployRefused, NotFound
from engine.feel import FeelLimit
from tests.support.tables import boxed, data, expression, file, knowledge, literal, requires, table

D = Decimal


def result(name, given, *elements):
    """What `decide` answers."""
    return decide(file(*elements), name, given)["result"]


def test_decisions_require_decisions():
    score = literal("age * 2", "score", "number", variable="points")
    level = table([("points", "number")], [("level", "string")], [("< 100", '"low"'), (">= 100", '"high"')], ident="level",
                  before=requires("score", data=("person",)))  # fmt: skip
    top = table([("level", "string"), ("score", "number")], [("fee", "number")], [('"high"', "> 110", "9"), ("-", "<= 110", "1")],
                ident="top", before=requires("level", "score"))  # fmt: skip
    decisions = compile_decisions(file(top, '<inputData id="person" name="age"/>', level, score))
    decision = decisions.find()
    assert (decision.id, decision.names, list(decisions.decisions)) == ("top", {"age"}, ["top", "level", "score"])
    outcome = decision.decide({"age": D(60)})
    assert (outcome.result, outcome.required["level"].result, outcome.required["level"].matched) == (D(9), "high", ["level_r2"])


def test_what_several_require_is_decided_once():
    deep = [literal("1", "d0")] + [literal(f"d{n} + d{n}", f"d{n + 1}", before=requires(f"d{n}")) for n in range(40)]
    assert result("d40", {}, *deep) == 2**40


def test_a_literal_expression_has_a_type():
    one = compile_decisions(file(literal('date("2026-02-17")', kind="date"))).find()
    assert one.decide({}).result == date(2026, 2, 17)
    with pytest.raises(DecisionFailed) as failed:
        compile_decisions(file(literal('"soon"', kind="date"))).find().decide({})
    assert failed.value.facts["fault"] == "wrong_type"


def test_find_by_id_or_name():
    decisions = compile_decisions(file(literal("1", "a"), literal("2", "b").replace('name="b"', 'name="第二"', 1)))
    assert decisions.find("b").decide({}).result == decisions.find("第二").decide({}).result == D(2)
    for name in ("c", None):
        with pytest.raises(NotFound):
            decisions.find(name)


# --- what is seen --------------------------------------------------------------------------------------------------------------


def test_input_data_is_seen_only_where_it_is_required():
    elements = [data("a", "number"), literal("a", "asks", before=requires(data=("a",))), literal("a", "does_not")]
    assert result("asks", {"a": 1}, *elements) == 1
    assert result("does_not", {"a": 1}, *elements) is None
    [warning] = compile_decisions(file(*elements)).findings
    assert (warning.code, warning.element, warning.severity) == ("dmn_not_required", "does_not", "warning")


def test_names_of_several_words_and_signs():
    elements = [
        data("Applicant data"),
        literal('"LOW"', "pre", variable="Pre-bureau risk category"),
        literal('if Pre-bureau risk category = "LOW" then Applicant data . Age else 0', "last",
                before=requires("pre", data=("Applicantdata",))),
    ]  # fmt: skip
    assert result("last", {"Applicant data": {"Age": 5}}, *elements) == 5


def test_a_knowledge_model_sees_its_parameters_and_not_its_callers():
    elements = [
        data("a", "number"),
        knowledge("f", "p", "if a = null then p else a"),
        literal("{a: 5, b: a, c: f(1)}", "top", before=requires(data=("a",), functions=("f",))),
    ]
    assert result("top", {"a": 2}, *elements) == {"a": 5, "b": 5, "c": 1}


@pytest.mark.parametrize(
    ("call", "value"),
    [
        ("f(7, 2)", 5), ("f(b: 2, a: 7)", 5), ("f(7)", None), ("f(1, 2, 3)", None), ("f(a: 1, c: 2)", None),
        ("f([7], 2)", 5), ('f("7", 2)', None), ("twice(f, 9)", 8), ("twice(function(x, y) x * y, 3)", 3),
    ],
)  # fmt: skip
def test_calls(call, value):
    functions = [knowledge("f", "a:number, b:number", "a - b", "number"), knowledge("twice", "g, n", "g(n, 1)")]
    assert result("top", {}, *functions, literal(call, "top", before=requires(functions=("f", "twice")))) == value


def test_functions_that_make_functions():
    add = knowledge("add", "x", f'<functionDefinition><formalParameter name="y"/>{expression("x + y")}</functionDefinition>')
    assert result("top", {}, add, literal("add(3)(4)", "top", before=requires(functions=("add",)))) == 7


def test_knowledge_models_call_themselves_and_one_another():
    arrows = requires(functions=("odd",)), requires(functions=("even",))
    even = knowledge("even", "n", "if n = 0 then true else odd(n - 1)", before=arrows[0])
    odd = knowledge("odd", "n", "if n = 0 then false else even(n - 1)", before=arrows[1])
    assert result("top", {}, even, odd, literal("[even(10), even(7)]", "top", before=requires(functions=("even",)))) == [True, False]


def test_endless_recursion_and_endless_work_end():
    endless = knowledge("f", "n", "f(n + 1)")
    with pytest.raises(FeelLimit):
        result("top", {}, endless, literal("f(1)", "top", before=requires(functions=("f",))))
    doubling = knowledge("g", "n", "if n = 0 then 1 else g(n - 1) + g(n - 1)")
    with pytest.raises(FeelLimit):
        result("top", {}, doubling, literal("g(60)", "top", before=requires(functions=("g",))))


def test_a_knowledge_model_may_be_a_table_and_is_called_by_a_box():
    rules = [("> 60", '"old"'), ("<= 60", '"young"')]
    body = table([("age", "number")], [("o", "string")], rules, ident="x")
    body = body[body.index("<decisionTable") : body.index("</decision>")]
    binding = f'<binding><parameter name="age"/>{expression("30 * 3")}</binding>'
    call = boxed(f"<invocation>{expression('f')}{binding}</invocation>", "top", "string", requires(functions=("f",)))
    assert result("top", {}, knowledge("f", "age:number", body, "string"), call) == "old"
    assert result("f", {"age": 5}, knowledge("f", "age:number", body, "string"), call) == "young"


def test_chains_of_requirements_have_an_end():
    chain = [literal("0", "d0")] + [literal(f"d{n}", f"d{n + 1}", before=requires(f"d{n}")) for n in range(60)]
    with pytest.raises(DeployRefused) as error:
        compile_decisions(file(*reversed(chain)))
    assert error.value.findings[0].code == "dmn_too_deep"


# --- decision services ---------------------------------------------------------------------------------------------------------

SERVICE_A = (
    '<decisionService id="ds" name="service A"><variable name="service A" typeRef="string"/><outputDecision href="#d1"/>'
    '<encapsulatedDecision href="#d2"/><inputDecision href="#d3"/><inputData href="#in1"/></decisionService>'
)
SERVICE = [
    data("in 1", "string"),
    SERVICE_A,
    literal("d2 + d3", "d1", "string", before=requires("d2", "d3")),
    literal('"2" + in 1', "d2", "string", before=requires(data=("in1",))),
    literal('"3"', "d3", "string"),
]


@pytest.mark.parametrize(
    ("call", "value"),
    [
        ('service A("x", "y")', "2xy"),
        ('service A(d3: "q", in 1: "p")', "2pq"),
        ('service A("x")', None),
        ('service A("x", 5)', None),  # the input decision is a string
    ],
)
def test_a_decision_service_is_a_function(call, value):
    assert result("top", {}, *SERVICE, literal(call, "top", before=requires(functions=("ds",)))) == value


def test_a_decision_service_is_asked_by_name_with_its_input_decisions_given():
    assert result("service A", {"in 1": "a", "d3": "b"}, *SERVICE) == "2ab"


def test_a_decision_service_with_several_outputs_answers_a_context():
    service = '<decisionService id="s" name="s"><outputDecision href="#d2"/><outputDecision href="#d3"/><inputData href="#in1"/></decisionService>'
    assert result("s", {"in 1": "a"}, *SERVICE, service) == {"d2": "2a", "d3": "3"}


def test_a_decision_service_decides_anew_at_every_call():
    top = literal('[service A("a", "b"), service A("c", "d")]', "top", before=requires("d3", functions=("ds",)))
    assert result("top", {}, *SERVICE, top) == ["2ab", "2cd"]
