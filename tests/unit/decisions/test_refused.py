"""What a deployed DMN file may not hold: each refused with the element and the reason, and never a crash."""

from decimal import Decimal

import pytest
from hypothesis import given, strategies as st

from engine.decisions import compile_decisions
from engine.exceptions import DeployRefused
from engine.findings import errors
from tests.support.tables import file, kind, knowledge, literal, requires, table

AGE, FEE = [("age", "number")], [("fee", "number")]
ROWS = [("<= 30", "1"), ("> 30", "2")]


def refused(xml: bytes):
    with pytest.raises(DeployRefused) as error:
        compile_decisions(xml, "rules.dmn")
    return [(finding.code, finding.element) for finding in errors(error.value.findings)]


@pytest.mark.parametrize("hit", ["BEST", "unique", ""])
def test_other_hit_policies_are_refused(hit):
    assert refused(file(table(AGE, FEE, ROWS, hit=hit))) == [("dmn_hit_policy", "decision_table")]


ONE = table(AGE, FEE, [("-", "1")])


@pytest.mark.parametrize(
    ("xml", "findings"),
    [
        (b"<definitions", [("xml", None)]),
        (b"<x/>", [("dmn_root", None)]),
        (b"", [("xml", None)]),
        (file(ONE).replace(b"20191111", b"20991231"), [("dmn_version", "file")]),
        (file(ONE).replace(b"?>", b'?><!DOCTYPE definitions [<!ENTITY x SYSTEM "file:///etc/passwd">]>', 1), [("doctype", None)]),
        (b"<a>" * 100_000, [("xml", None)]),
        (file(ONE, '<i:include xmlns:i="http://www.w3.org/2001/XInclude" href="/etc/passwd"/>'), [("dmn_unsupported", "file")]),
        (file(), [("dmn_empty", "file")]),
        (file('<decision id="d" name="d"/>'), [("dmn_no_logic", "d")]),
        (file('<decision name="d"/>'), [("dmn_id", "file")]),
        (file(ONE, '<businessKnowledgeModel id="bkm" name="b"/>'), [("dmn_no_logic", "bkm")]),
        (file(ONE, knowledge("f", "x", "1").replace("Logic>", 'Logic kind="Java">', 1)), [("dmn_function", "f")]),
        (file(ONE, knowledge("f", "x", "1").replace("Logic>", 'Logic kind="PMML">', 1)), [("dmn_function", "f")]),
        (file(ONE, knowledge("f", "x", "if")), [("feel_syntax_error", "f_l")]),
        (file(ONE, '<decisionService id="s" name="s"/>'), [("dmn_service", "s")]),
        (file(ONE, '<decisionService id="s" name="s"><outputDecision href="#x"/></decisionService>'), [("dmn_requirement", "s")]),
        (file(ONE, '<itemDefinition id="t"/>'), [("dmn_name", "t")]),
        (file(ONE, kind("t", "u"), kind("u", "t")), [("dmn_type", "t")]),
        (file(ONE, kind("t", "java.lang.Object")), [("dmn_type", "t")]),
        (file(ONE, kind("t", "string", '"a" and')), [("feel_syntax_error", "t")]),
        (file(ONE, '<import id="im" namespace="x" locationURI="y" importType="z"/>'), [("dmn_unsupported", "im")]),
        (file('<decision id="d" name="d"><context id="c"><contextEntry id="e"/><contextEntry/></context></decision>'), [("dmn_context", "c")]),
        (file('<decision id="d" name="d"><invocation id="c"/></decision>'), [("dmn_shape", "c")]),
        (file('<decision id="d" name="d"><conditional id="c"/></decision>'), [("dmn_shape", "c")] * 3),
        (file('<decision id="d" name="d"><filter id="c"/></decision>'), [("dmn_shape", "c")] * 2),
        (file('<decision id="d" name="d"><some id="c"/></decision>'), [("dmn_name", "c")] + [("dmn_shape", "c")] * 2),
        (file('<decision id="d" name="d"><relation id="c"><column name="x"/><row id="r"/></relation></decision>'), [("dmn_shape", "r")]),
        (file('<decision id="d" name="d">' + "<list>" * 31 + "</list>" * 31 + "</decision>"), [("dmn_too_deep", "d")]),
        (file(literal("1", before='<knowledgeRequirement id="k"/>')), [("dmn_requirement", "k")]),
        (file(literal("1", before=requires(functions=("f",)))), [("dmn_requirement", "decision")]),
        (file(literal("1", before=requires("nobody"))), [("dmn_requirement", "decision")]),
        (file(literal("1", before=requires("x").replace("#x", "other.dmn#x"))), [("dmn_requirement", "decision")]),
        (file(literal("1", "a", before=requires("b")), literal("1", "b", before=requires("a"))), [("dmn_cycle", "a")]),
        (file(literal("1", "a", before=requires("a"))), [("dmn_cycle", "a")]),
        (file(literal("1"), literal("2")), [("duplicate_id", i) for i in ("decision", "decision_v", "decision_l")]),
        (file(table(AGE, FEE, ROWS, aggregation="SUM")), [("dmn_aggregation", "decision_table")]),
        (file(table(AGE, FEE, ROWS, hit="COLLECT", aggregation="MEDIAN")), [("dmn_aggregation", "decision_table")]),
        (
            file(table(AGE, [("a", ""), ("b", "")], [], hit="COLLECT", aggregation="SUM")),
            [("dmn_aggregation", "decision_table")],
        ),
        (file(table(AGE, [("a", ""), ("a", "")], [])), [("dmn_output_name", "decision_table")]),
        (file(table(AGE, [("", ""), ("a", "")], [])), [("dmn_output_name", "decision_table")]),
        (file(table(AGE, [], [])), [("dmn_shape", "decision_table")]),
        (file(table(AGE, FEE, [("-",)])), [("dmn_shape", "r1")]),
        (file(table([("", "")], FEE, [("-", "1")])), [("dmn_no_input", "decision_i1")]),
        (file(table([("x", "tEmployee")], FEE, [])), [("dmn_type", "decision_ie1")]),
        (file(table(AGE, FEE, [("-", "1" * 2001)])), [("dmn_cell_too_long", "r1c2")]),
        (file(ONE.replace("<text>-", "<text>a<b/>", 1)), [("dmn_unsupported", "r1c1")]),
        (file(ONE.replace('"r1c1"', '"r1c1" expressionLanguage="javascript"')), [("dmn_language", "r1c1")]),
        (file(ONE, attributes='expressionLanguage="groovy"'), [("dmn_language", "file")]),
        (file(ONE.replace("hitPolicy", 'magic="1" hitPolicy')), [("dmn_unsupported", "decision_table")]),
        (
            file(ONE.replace("<input ", '<input c:inputVariable="y" '), attributes='xmlns:c="http://camunda.org/schema/1.0/dmn"'),
            [("dmn_unsupported", "decision_i1")],
        ),
        (file(ONE, '<x:magic xmlns:x="y" id="m"/>'), [("dmn_unsupported", "m")]),
    ],
)  # fmt: skip
def test_what_is_not_supported_is_refused(xml, findings):
    assert refused(xml) == findings


def test_what_only_documents_is_accepted():
    drawing = '<dmndi:DMNDI xmlns:dmndi="https://www.omg.org/spec/DMN/20191111/DMNDI/"><dmndi:DMNDiagram id="x"/></dmndi:DMNDI>'
    more = '<extensionElements><z:versionTag xmlns:z="http://camunda.org/schema/zeebe/1.0" value="1"/></extensionElements>'
    source = '<knowledgeSource id="law" name="民法典"/><textAnnotation id="n"><text>hello</text></textAnnotation>'
    law = '<authorityRequirement id="ar"><requiredAuthority href="#law"/></authorityRequirement>'
    width = ONE.replace("<decisionTable", f"{law}<decisionTable").replace("<input ", '<input b:width="200" ')
    xml = file(more, source, width, drawing, attributes='xmlns:b="http://bpmn.io/schema/dmn/biodi/2.0" exporter="Camunda Modeler"')
    assert compile_decisions(xml).find().decide({"age": Decimal(1)}).result == 1


def test_feel_errors_have_file_element_line_and_column():
    with pytest.raises(DeployRefused) as error:
        compile_decisions(file(table(AGE, FEE, [("> 1", "1"), ("> 1 +\n   )", "1"), ("-", "if age")])), "rules.dmn")
    first, second = error.value.findings
    assert (first.code, first.file, first.element, first.line, first.column) == ("feel_syntax_error", "rules.dmn", "r2c1", 2, 4)
    assert second.element == "r3c2" and second.message and second.message_en


@given(st.binary(max_size=300))
def test_any_bytes_are_refused_not_a_crash(xml):
    with pytest.raises(DeployRefused):
        compile_decisions(xml)
