"""Our diagrams and forms in the stock editors: they open without a warning, survive being saved, and are drawn to be read."""

import json
import os
import shutil
import subprocess
from pathlib import Path

import pytest
from lxml import etree

from tests.support.browsers import PACKAGES, ROOT

BENCH = ROOT / "tests" / "bpmn" / "bench"
DIAGRAMS = [*sorted((ROOT / "bpmn" / "processes").glob("*.bpmn")), BENCH / "three_tasks.bpmn", BENCH / "loop.bpmn"]
FORMS = sorted((ROOT / "bpmn" / "forms").glob("*.form")) + sorted(BENCH.glob("*.form"))
ZEEBE = "{http://camunda.org/schema/zeebe/1.0}"
BPMN = "{http://www.omg.org/spec/BPMN/20100524/MODEL}"

# What the modeller has drawn: the boxes of shapes and labels, the points of flows. Lanes, pools and subprocesses are backgrounds.
GEOMETRY = """() => modeler.get('elementRegistry').getAll().filter(one => one.parent).map(one => one.waypoints
    ? {id: one.id, type: 'flow', from: one.source.id, to: one.target.id, points: one.waypoints.map(({x, y}) => [x, y])}
    : {id: one.id, type: one.labelTarget ? 'label' : one.type, box: [one.x, one.y, one.width, one.height],
       host: one.host && one.host.id, parent: one.parent.id})"""
BACKGROUNDS = ("bpmn:Participant", "bpmn:Lane", "bpmn:SubProcess")


def by_name(path: Path) -> str:
    return path.stem


@pytest.mark.parametrize("path", DIAGRAMS, ids=by_name)
def test_opens_without_a_warning_and_keeps_what_is_ours(path, stock_modeler):
    xml = path.read_text(encoding="utf-8")
    assert stock_modeler.open(xml) == []
    assert _ours(stock_modeler.saved()) == _ours(xml)
    stock_modeler.picture(f"stock-{path.stem}")


def _ours(xml: str) -> list:
    """Every zeebe element and expression with the element it belongs to, in a fixed order."""
    root = etree.fromstring(xml.encode())
    found = []
    for node in root.iter(f"{ZEEBE}*", f"{BPMN}conditionExpression", f"{BPMN}timeDate", f"{BPMN}timeCycle"):
        owner = next(one for one in node.iterancestors() if one.get("id"))
        found.append((owner.get("id"), etree.QName(node).localname, sorted(node.attrib.items()), (node.text or "").strip()))
    return sorted(found, key=str)


@pytest.mark.parametrize("path", DIAGRAMS, ids=by_name)
def test_is_drawn_cleanly(path, stock_modeler):
    """Flows run straight and at right angles, past every box that is not theirs; no label lies on another, on a box or on a flow."""
    stock_modeler.open(path.read_text(encoding="utf-8"))
    parts = stock_modeler.page.evaluate(GEOMETRY)
    flows = [part for part in parts if part["type"] == "flow"]
    labels = [part for part in parts if part["type"] == "label"]
    boxes = [part for part in parts if "box" in part and part["type"] not in BACKGROUNDS + ("label",)]
    faults = []
    for flow in flows:
        for (x1, y1), (x2, y2) in _legs(flow):
            if abs(x1 - x2) > 0.5 and abs(y1 - y2) > 0.5:
                faults.append(f"{flow['id']} runs askew")
            for box in boxes:
                if box["id"] not in (flow["from"], flow["to"]) and _meet(_thin(x1, y1, x2, y2), box["box"]):
                    faults.append(f"{flow['id']} runs through {box['id']}")
            for label in labels:
                if _meet(_thin(x1, y1, x2, y2), _inside(label["box"])):
                    faults.append(f"{flow['id']} runs through the label {label['id']}")
    for number, label in enumerate(labels):
        for other in labels[number + 1 :] + boxes:
            if _meet(_inside(label["box"]), other["box"]):
                faults.append(f"the label {label['id']} lies on {other['id']}")
    for number, box in enumerate(boxes):
        for other in boxes[number + 1 :]:
            if other["id"] != box["host"] and box["id"] != other["host"] and _meet(box["box"], other["box"]):
                faults.append(f"{box['id']} lies on {other['id']}")
    assert faults == []


def _legs(flow):
    return zip(flow["points"], flow["points"][1:], strict=False)


def _thin(x1, y1, x2, y2):
    return [min(x1, x2), min(y1, y2), abs(x1 - x2), abs(y1 - y2)]


def _inside(box):
    """A label's text is a little smaller than its box."""
    x, y, width, height = box
    return [x + 2, y + 2, width - 4, height - 4]


def _meet(one, other) -> bool:
    return (
        one[0] < other[0] + other[2]
        and other[0] < one[0] + one[2] + 0.01
        and one[1] < other[1] + other[3]
        and other[1] < one[1] + one[3] + 0.01
    )


@pytest.mark.parametrize("path", DIAGRAMS, ids=by_name)
def test_bpmnlint_has_nothing_to_say(path, tmp_path):
    linter = PACKAGES / "bpmnlint" / "bin" / "bpmnlint.js"
    node = shutil.which("node", path=f"{ROOT}/.venv/bin{os.pathsep}{os.environ.get('PATH', '')}")
    if not linter.exists() or node is None:
        pytest.skip("bpmnlint comes with camunda-bpmn-js; it is not installed here")
    shutil.copy(path, tmp_path)
    (tmp_path / ".bpmnlintrc").write_text('{"extends": "bpmnlint:recommended"}')
    done = subprocess.run([node, linter, path.name], cwd=tmp_path, capture_output=True, text=True, timeout=60, check=False)
    assert (done.returncode, done.stdout.strip()) == (0, ""), done.stdout + done.stderr


def test_forms_open_without_a_warning(stock_viewer):
    schemas = {path.name: json.loads(path.read_text(encoding="utf-8")) for path in FORMS}
    warnings = {name: stock_viewer.submit(schema, {})["warnings"] for name, schema in schemas.items()}
    assert {name: found for name, found in warnings.items() if found} == {}
