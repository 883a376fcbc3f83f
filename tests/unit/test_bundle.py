"""What is said about files that make one version, beyond what refuses them."""

import json

from engine.bundle import examine_files, read_bundle
from tests.bpmn.builder import Diagram
from tests.bpmn.service import FILES
from tests.support.tables import file, table

FORM = {"type": "default", "id": "ask", "schemaVersion": 18, "components": [{"type": "number", "id": "n", "key": "amount", "label": "金额"}]}


def files(expression: str, **form) -> dict[str, bytes]:
    """A diagram whose script reads `expression` after a form that asks for `amount`."""
    made = Diagram("adding")
    made.add("startEvent", "start")
    made.user("ask")
    made.script("sum", "total", expression)
    made.add("endEvent", "end")
    made.path("start", "ask", "sum", "end")
    return {"sum.bpmn": made.xml(), "ask.form": json.dumps(FORM | form).encode()}


def told(found) -> list[tuple]:
    return [(finding.code, finding.element, finding.file, finding.severity) for finding in found]


def test_a_misspelt_variable_is_told_with_its_place():
    assert examine_files(files("amount + 1")) == []
    found = examine_files(files("amuont + 1"))
    assert told(found) == [("unknown_name", "sum", "sum.bpmn", "warning")]
    assert "amuont" in found[0].message and "amuont" in found[0].message_en


def test_nothing_is_guessed_where_a_form_is_not_at_hand():
    assert examine_files({"sum.bpmn": files("amuont")["sum.bpmn"]}) == []
    assert told(examine_files(files("amuont", components=7))) != [("unknown_name", "sum", "sum.bpmn", "warning")]


def test_what_a_case_has_from_its_start_is_known():
    assert examine_files(files(" + ".join(["placeName", "clientName"]))) == []
    assert examine_files(files("amount + case.number + parameters.intake_days")) == []


def test_our_own_procedure_has_no_remark():
    assert examine_files(FILES) == []


def test_a_table_whose_rows_overlap_is_told_when_it_is_looked_at_and_when_it_is_deployed():
    rows = [("<= 30", "1"), (">= 30", "2")]
    content = FILES | {"fee.dmn": file(table([("age", "number")], [("fee", "number")], rows))}
    expected = [("dmn_overlap", "r2", "fee.dmn", "warning")]
    assert told(examine_files(content)) == told(read_bundle(content).remarks) == expected
