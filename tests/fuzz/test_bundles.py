"""Mutated bundles: diagrams, tables and forms, and the multipart bodies that carry them. What is let through is published and run."""

import json
from pathlib import Path
from random import Random
from urllib.parse import quote

import pytest
from lxml import etree

from tests.fuzz.harness import Answer, Request, Target
from tests.fuzz.mutate import TEXTS, changed, changed_xml, damaged, header, value, written, xml_bytes
from tests.support.forms import EVERYTHING
from tests.support.tables import file, literal, requires, table

ROOT = Path(__file__).parents[2]
PER_ROUND = 150
BPMN, ZEEBE = "http://www.omg.org/spec/BPMN/20100524/MODEL", "http://camunda.org/schema/zeebe/1.0"
ROWS = [[">= 60", '"a"', '"high"', "7"], ["-", "-", '"low"', "30"]]
TABLE = table([("age", "number"), ("place", "string")], [("level", "string"), ("days", "number")], ROWS, hit="FIRST", ident="level")
NAMES = ["a.bpmn", "b.bpmn", "a.dmn", "a.form", "b.form", ".bpmn", "a.BPMN", "a.zip", "", "流程.bpmn", "a.bpmn.exe", "con.dmn"]
NAMES += ["x" * 300 + ".form", "../a.form", "a\x00.form", "\u202emrof.form", "a/b.form"]
STRANGE_PARTS = [b"", b"\r\n\r\n", b"X: y\r\n\r\n", b"Content-Disposition: attachment\r\n\r\nx", b"x" * 20_000]
STRANGE_PARTS += [b"Content-Disposition: form-data\r\n\r\nx", b'Content-Disposition: form-data; filename="a.bpmn"\r\n\r\nx']


@pytest.mark.soak
def test_mutated_bundles(campaign, target):
    for number in campaign.rounds(1, 400):
        dice = campaign.dice("bundles", number)
        with target() as fuzzed:
            valid = bundles(fuzzed)
            for _ in range(PER_ROUND):
                mutated_bundle(dice, fuzzed, valid)
        campaign.note(requests=fuzzed.sent)


def bundles(_fuzzed: Target | None = None) -> list[dict[str, bytes]]:
    """Bundles that can be deployed: the tests' diagrams with a form of one of everything, tables, the product's own small files."""
    form = json.dumps(EVERYTHING | {"id": "everything"}).encode()
    tables = file(TABLE, literal("age + 1", "next", before=requires("level")))
    found: list[dict[str, bytes]] = [
        {path.name: _for_everybody(path.read_bytes()), "everything.form": form, "level.dmn": tables}
        for path in sorted((ROOT / "tests/bpmn/diagrams").glob("*.bpmn"))
    ]
    found.append({"duties.dmn": (ROOT / "bpmn/regulations/duties.dmn").read_bytes()})
    found += [{found_.name: found_.read_bytes()} for found_ in sorted((ROOT / "bpmn/decisions").glob("*.dmn"))]
    return found


def _for_everybody(xml: bytes) -> bytes:
    """A diagram whose user tasks all have the form, and a group that may do them."""
    root = etree.fromstring(xml)
    for task in root.iter(f"{{{BPMN}}}userTask"):
        box = task.find(f"{{{BPMN}}}extensionElements")
        if box is None:
            box = etree.Element(f"{{{BPMN}}}extensionElements")
            task.insert(0, box)
        for name in ("formDefinition", "assignmentDefinition"):
            for old in box.findall(f"{{{ZEEBE}}}{name}"):
                box.remove(old)
        etree.SubElement(box, f"{{{ZEEBE}}}formDefinition", formId="everything")
        etree.SubElement(box, f"{{{ZEEBE}}}assignmentDefinition", candidateGroups="full_time,supervisor")
    for call in root.iter(f"{{{ZEEBE}}}calledDecision"):
        call.set("decisionId", "level")
    return etree.tostring(root)


def mutated_bundle(dice: Random, fuzzed: Target, valid: list[dict[str, bytes]]) -> None:
    """Deploy one; publish, start, look at and answer what gets through."""
    files = [(name, content) for name, content in dice.choice(valid).items()]
    for at in dice.sample(range(len(files)), dice.randint(0, min(2, len(files)))):
        name, content = files[at]
        files[at] = (dice.choice(NAMES) if dice.random() < 0.1 else name, _changed_file(dice, name, content))
    body, kind = multipart(dice, files)
    # One in some is sent by the page's form: the same bundle, another door.
    made = Request("POST", "/api/v1/definitions", headers={"Content-Type": kind}, body=body)
    if dice.random() < 0.1:
        name, text = header(dice)
        made.headers[name] = text
    got = fuzzed.send(made, "supervisor" if dice.random() < 0.97 else "ft-01-1")
    if got.status == 201:
        _use(dice, fuzzed, got.json)


def _changed_file(dice: Random, name: str, content: bytes) -> bytes:
    if name.endswith(".form"):
        schema = json.loads(content)
        for _ in range(dice.randint(1, 3)):
            schema = changed(dice, schema)
        return damaged(dice, content) if dice.random() < 0.1 else written(dice, schema)
    root = etree.fromstring(content)
    for _ in range(dice.randint(1, 3)):
        changed_xml(dice, root)
    return xml_bytes(dice, root)


def multipart(dice: Random, files: list[tuple[str, bytes]]) -> tuple[bytes, str]:
    """(body, content type) of a form with these files; one in ten is no proper one."""
    mark = b"----fuzz"
    parts = []
    for name, content in files:
        said = name.replace('"', "%22").encode(errors="surrogatepass")
        parts.append(b'Content-Disposition: form-data; name="files"; filename="' + said + b'"\r\n\r\n' + content)
    kind = "multipart/form-data; boundary=--fuzz"
    match dice.randrange(40):
        case 0:
            kind = "multipart/form-data"
        case 1:
            parts = parts * dice.choice([2, 100, 6000])
        case 2:
            parts.append(b'Content-Disposition: form-data; name="' + dice.choice(TEXTS).encode(errors="surrogatepass") + b'"\r\n\r\nx')
        case 3:
            parts.append(dice.choice(STRANGE_PARTS))
        case 4:
            parts = [part.replace(b"form-data;", b"form-data; " + b"a=b; " * 3000) for part in parts]
    body = b"".join(mark + b"\r\n" + part + b"\r\n" for part in parts) + mark + b"--\r\n"
    return (damaged(dice, body) if dice.randrange(30) == 0 else body), kind


def _use(dice: Random, fuzzed: Target, made: dict) -> None:
    """Whatever was let through is shown, published, started, looked at, answered."""
    key, number = made["key"], made["number"]
    fuzzed.send(Request("GET", f"/definitions/{_quoted(key)}/{number}"), "supervisor")
    if fuzzed.send(Request("POST", f"/api/v1/definitions/{_quoted(key)}/versions/{number}/publish"), "supervisor").status != 200:
        return
    if made["kind"] == "regulation":
        fuzzed.send(Request("GET", "/definitions/"), "auditor")
        _post(fuzzed, f"/definitions/{_quoted(key)}/versions/{number}/withdraw", None, "supervisor")  # not in force for the next bundles
        return
    case = _post(fuzzed, "/instances", {"definition": key, "data": {}, "place": "station-01"}, "ft-01-1")
    if case.status == 201:
        shown = fuzzed.send(Request("GET", f"/api/v1/instances/{case.json['id']}"), "ft-01-1")
        fuzzed.send(Request("GET", f"/cases/{case.json['id']}"), "ft-01-1")
        for task in shown.json["tasks"][:2]:
            _post(fuzzed, f"/tasks/{task['id']}/claim", None, "ft-01-1")
            fuzzed.send(Request("GET", f"/tasks/{task['id']}"), "ft-01-1")
            data = fuzzed.send(Request("GET", f"/api/v1/tasks/{task['id']}"), "ft-01-1").json.get("data") or {}
            _post(fuzzed, f"/tasks/{task['id']}/complete", {"data": changed(dice, data) if data else value(dice)}, "ft-01-1")
    fuzzed.pass_time(minutes=3)  # timers fire; the tokens of everybody last a day


def _post(fuzzed: Target, path: str, body, who: str) -> Answer:
    content = b"" if body is None else json.dumps(body).encode()
    return fuzzed.send(Request("POST", f"/api/v1{path}", headers={"Content-Type": "application/json"}, body=content), who)


def _quoted(key: str) -> str:
    return quote(key, safe="")
