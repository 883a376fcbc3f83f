"""Hostile, broken and oversized bundles, over the API and over the page: each is refused with what is wrong and where, nothing is stored."""

import gzip
import json

import pytest

from engine.bundle import examine_file
from engine.findings import MOST
from tests.bpmn.builder import HEAD
from tests.fuzz.harness import MARK, Answer, Request, Target
from tests.support.forms import schema
from tests.support.tables import MODEL, file, literal, requires, table

TAIL = "</bpmn:definitions>"
SMALL = (
    '<bpmn:process id="small" isExecutable="true"><bpmn:startEvent id="s"/><bpmn:sequenceFlow id="a" sourceRef="s" targetRef="t"/>'
    '<bpmn:userTask id="t" name="t"><bpmn:extensionElements><zeebe:userTask/><zeebe:assignmentDefinition candidateGroups="full_time"/>'
    '</bpmn:extensionElements></bpmn:userTask><bpmn:sequenceFlow id="b" sourceRef="t" targetRef="e"/><bpmn:endEvent id="e"/></bpmn:process>'
)
GOOD = f"{HEAD}{SMALL}{TAIL}"
LAUGHS = "".join(f'<!ENTITY a{n} "{("&a" + str(n - 1) + ";") * 10}">' for n in range(1, 10))
LAUGHS = f'<!DOCTYPE x [<!ENTITY a0 "lol">{LAUGHS}]>'


def with_prolog(prolog: str, xml: str = GOOD) -> str:
    """`xml` with something before its root element."""
    return xml.replace("<bpmn:definitions", prolog + "<bpmn:definitions", 1)


def processes(*parts: str) -> str:
    return HEAD + "".join(parts) + TAIL


def tasks(count: int) -> str:
    """A process of `count` elements and flows altogether, all in a row; an odd number."""
    nodes = [f"n{number}" for number in range((count + 1) // 2)]
    made = [f'<bpmn:startEvent id="{nodes[0]}"/>', *(f'<bpmn:task id="{node}"/>' for node in nodes[1:-1]), f'<bpmn:endEvent id="{nodes[-1]}"/>']
    made += [f'<bpmn:sequenceFlow id="f{at}" sourceRef="{one}" targetRef="{nodes[at + 1]}"/>' for at, one in enumerate(nodes[:-1])]
    return processes(f'<bpmn:process id="many" isExecutable="true">{"".join(made)}</bpmn:process>')


CYCLE = file(literal("1", "a", before=requires("b")), literal("1", "b", before=requires("a")))
CHAIN = file(*(literal("1", f"d{n}", before=requires(f"d{n + 1}")) for n in range(3000)), literal("1", "d3000"))
WIDE = table([("a", "number")], [("o", "number")], [["-", "1"]] * 1990, hit="FIRST", ident="d{}")
GROUP = {"type": "group", "id": "a", "components": []}
MANY = [{"type": "textfield", "id": f"f{number}", "key": f"k{number}"} for number in range(50_000)]
FIELD = {"type": "textfield", "id": "f", "key": "k"}


def form(**more) -> bytes:
    return json.dumps(schema({**FIELD, **more})).encode()


# name: (files, code of a finding)
REFUSED: dict[str, tuple[dict[str, bytes | str], str]] = {
    "empty": ({"a.bpmn": b""}, "not_xml"),
    "malformed": ({"a.bpmn": GOOD[:-10]}, "not_xml"),
    "a zip": ({"a.bpmn": b"PK\x03\x04" + bytes(100)}, "not_xml"),
    "a picture": ({"a.bpmn": b"\x89PNG\r\n\x1a\n" + bytes(range(256))}, "not_xml"),
    "compressed": ({"a.bpmn": gzip.compress(GOOD.encode())}, "not_xml"),
    "too large": ({"a.bpmn": GOOD + " " * (5 << 20)}, "file_too_large"),
    "deep XML": ({"a.bpmn": processes("<x>" * 100_000)}, "not_xml"),
    "deep subprocesses": ({"a.bpmn": processes('<bpmn:process id="p" isExecutable="true">' + '<bpmn:subProcess id="s">' * 300)}, "not_xml"),
    "a DOCTYPE": ({"a.bpmn": with_prolog("<!DOCTYPE x>")}, "doctype"),
    "a DOCTYPE behind a comment that looks like the root": ({"a.bpmn": with_prolog("<!-- <a --><!DOCTYPE x>")}, "doctype"),
    "a DOCTYPE in UTF-16": ({"a.bpmn": with_prolog("<!DOCTYPE x>").replace("UTF-8", "UTF-16").encode("utf-16")}, "doctype"),
    "a DOCTYPE behind a byte order mark": ({"a.bpmn": with_prolog("<!DOCTYPE x>").encode("utf-8-sig")}, "doctype"),
    "a DOCTYPE in an encoding nobody expects": ({"a.bpmn": '<?xml version="1.0" encoding="UTF-7"?>+ADw-x/+AD4-'}, "not_xml"),
    "a billion laughs": ({"a.bpmn": with_prolog(LAUGHS, GOOD.replace('name="t"', 'name="&a9;"'))}, "doctype"),
    "an external entity": ({"a.bpmn": with_prolog('<!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/passwd">]>')}, "doctype"),
    "an entity nobody declared": ({"a.bpmn": GOOD.replace('name="t"', 'name="&e;"')}, "not_xml"),
    "laughs in a table": ({"a.dmn": LAUGHS.encode() + file(literal("1"))[39:]}, "doctype"),
    "laughs in a table in UTF-16": ({"a.dmn": (LAUGHS + "<x>&a9;</x>").encode("utf-16")}, "doctype"),
    "two processes with one id": ({"a.bpmn": processes(SMALL, SMALL)}, "duplicate_id"),
    "two diagrams with one process id": ({"a.bpmn": GOOD, "b.bpmn": GOOD}, "several_diagrams"),
    "two elements with one id": ({"a.bpmn": GOOD.replace('id="e"', 'id="s"')}, "duplicate_id"),
    "a flow to nowhere": ({"a.bpmn": GOOD.replace('targetRef="e"', 'targetRef="nowhere"')}, "dangling_reference"),
    "a form that is not there": ({"a.bpmn": GOOD.replace("<zeebe:userTask/>", '<zeebe:userTask/><zeebe:formDefinition formId="x"/>')}, "form_missing"),
    "an id of a megabyte": ({"a.bpmn": GOOD.replace('id="t"', f'id="{"t" * 1_000_000}"')}, "not_xml"),
    "a namespace of a megabyte": ({"a.bpmn": processes(f'<x xmlns="{"u" * 1_000_000}">' + "<y/>" * 100_000)}, "not_xml"),
    "10,001 elements": ({"a.bpmn": tasks(10_001)}, "too_many_elements"),
    "200,001 XML elements": ({"a.bpmn": processes(SMALL, "<x/>" * 200_001)}, "too_many_nodes"),
    "FEEL too deep": ({"a.bpmn": GOOD.replace('candidateGroups="full_time"', f'candidateGroups="={"(" * 5000}"')}, "feel_syntax"),
    "FEEL too long": ({"a.bpmn": GOOD.replace('candidateGroups="full_time"', f'candidateGroups="={"1+" * 15_000}1"')}, "feel_syntax"),
    "a table of 3,000 decisions in a chain": ({"a.dmn": CHAIN}, "dmn_too_deep"),
    "decisions that need one another": ({"a.dmn": CYCLE}, "dmn_cycle"),
    "more cells than anybody fills": ({"a.dmn": file(*(WIDE.replace("d{}", f"d{n}") for n in range(8)))}, "dmn_too_big"),
    "a regulation whose id is a path": ({"a.dmn": file(table([("a", "number")], [("rule", "string")], [], ident="../x"))}, "regulation_output"),
    "a form that is no JSON": ({"a.form": b"{"}, "not_json"),
    "a form that is a list": ({"a.form": b"[]"}, "not_json"),
    "a form of brackets": ({"a.form": b"[" * 1_000_000}, "not_json"),
    "a form with a name twice": ({"a.form": form().replace(b'"id"', b'"id": "g", "id"', 1)}, "not_json"),
    "a form with NaN": ({"a.form": form(defaultValue=float("nan"))}, "not_json"),
    "a form with 1e999": ({"a.form": form().replace(b"19", b"1e999")}, "not_json"),
    "a form with 100,000 digits": ({"a.form": form().replace(b"19", b"9" * 100_000)}, "not_json"),
    "a form with half a character": ({"a.form": form(label="\ud800")}, "not_json"),
    "a form in UTF-16": ({"a.form": form().decode().encode("utf-16")}, "not_json"),
    "a form within itself": ({"a.form": json.dumps(schema(GROUP | {"components": [GROUP]})).encode()}, "form-id"),
    "a form nested without end": ({"a.form": b'{"components": [' * 60 + b"]}" * 60}, "form-schema"),
    "a form of 50,000 fields": ({"a.form": json.dumps(schema(*MANY)).encode()}, "form-schema"),
    "a pattern that no linear machine can match": ({"a.form": form(validate={"pattern": "(a)\\1"})}, "form-pattern"),
    "a pattern that would grow": ({"a.form": form(validate={"pattern": "(a{1,1000}){1,1000}"})}, "form-pattern"),
    "an HTML view": ({"a.form": json.dumps(schema({"type": "html", "id": "h", "content": MARK})).encode()}, "form-unsupported"),
    "a kind nobody knows": ({"a.exe": b"MZ"}, "file_unknown"),
    "a name of 300 characters": ({"x" * 300 + ".bpmn": GOOD}, "file_unknown"),
    "a name that reads backwards": ({"\u202enpmb.form": form()}, "file_unknown"),
    "201 files": ({f"f{n}.form": form() for n in range(201)}, "too_large"),
    "9 MB": ({f"f{n}.form": b" " * 3_000_000 for n in range(3)}, "too_large"),
}


@pytest.mark.parametrize("door", ["api", "page"])
def test_a_bad_bundle_is_refused_with_a_finding_and_leaves_nothing(target, door):
    """One county for all of them: `Target.send` finds any row that a refusal leaves."""
    faults = []
    with target() as fuzzed:
        for name, (files, code) in REFUSED.items():
            got = deploy(fuzzed, files, door)
            if door == "page":
                if got.status != 422 or "没有部署" not in got.text:
                    faults.append((name, got.status, got.text[-500:]))
                continue
            codes = {found["code"] for found in got.json.get("findings", ())}
            if (got.status, got.json["code"]) != (422, "deploy_refused") or code not in codes or not got.json["hint"]:
                faults.append((name, got.status, got.text[:500]))
        assert deploy(fuzzed, {"a.bpmn": GOOD}, door).status in (201, 302), "and the good one is still taken"
    assert not faults, faults


def deploy(fuzzed: Target, files: dict[str, bytes | str], door: str = "api", who: str = "supervisor") -> Answer:
    """Send a bundle through the API or through the page's form."""
    token, cookie = fuzzed.form_token(who) if door == "page" else ("", "")
    parts = [f'Content-Disposition: form-data; name="csrf_token"\r\n\r\n{token}'.encode()] if token else []
    for name, content in files.items():
        head = f'Content-Disposition: form-data; name="files"; filename="{name}"\r\n\r\n'.encode()
        parts.append(head + (content.encode() if isinstance(content, str) else content))
    body = b"".join(b"--b\r\n" + part + b"\r\n" for part in parts) + b"--b--\r\n"
    headers = {"Content-Type": "multipart/form-data; boundary=b"} | ({"Cookie": cookie} if cookie else {})
    return fuzzed.send(Request("POST", "/definitions/" if door == "page" else "/api/v1/definitions", headers=headers, body=body), who)


def test_a_diagram_of_10000_elements_is_taken_and_shown(target):
    with target() as fuzzed:
        assert deploy(fuzzed, {"a.bpmn": tasks(9_999)}).status == 201
        assert fuzzed.send(Request("GET", "/definitions/many/1"), "supervisor").status == 200


def test_one_process_id_in_two_bundles_is_the_next_version_and_no_regulation_takes_it(target):
    with target() as fuzzed:
        assert [deploy(fuzzed, {"a.bpmn": GOOD}).json["number"] for _ in range(2)] == [1, 2]
        taken = GOOD.replace('id="small"', 'id="duties"')
        refused = deploy(fuzzed, {"a.bpmn": taken})
        assert (refused.status, refused.json["code"], list(refused.json["errors"])) == (422, "invalid_request", ["key"])


def test_a_bundle_larger_than_any_page_is_read_up_to_its_own_limit(target):
    """The form token was looked for before the larger limit was set: over the page and the API alike, 2 MB were too many."""
    with target() as fuzzed:
        comment = f"<!-- {'x' * 3_000_000} -->"
        for door, status in ("api", 201), ("page", 302):
            assert deploy(fuzzed, {"a.bpmn": GOOD + comment}, door).status == status
        refused = deploy(fuzzed, {"a.bpmn": " " * (11 << 20)})
        assert (refused.status, refused.json["code"]) == (413, "too_large")


def test_a_report_is_short_whatever_the_file_says(target):
    """An id of a megabyte stood in each of five hundred findings; a table of rubbish had a finding for each of its 200,000 elements."""
    long = "x" * 1_000
    attributes = " ".join(f'a{n}="{long}"' for n in range(600))
    rubbish = f'<definitions xmlns="{MODEL}" id="{long}">{"<zork/>" * 150_000}</definitions>'
    with target() as fuzzed:
        for files in {"a.bpmn": processes(f'<bpmn:process id="{long}" isExecutable="true" {attributes}/>')}, {"a.dmn": rubbish}:
            told = deploy(fuzzed, files)
            assert told.status == 422 and len(told.body) < 300_000 and len(told.json["findings"]) <= MOST


def test_remarks_never_hide_a_fault():
    """Five hundred remarks filled the report, and the fault that came after them was forgotten: the diagram was deployed."""
    remarks = "".join(f'<bpmn:message id="m{n}" name="m"/>' for n in range(MOST + 300))
    found = examine_file("a.bpmn", processes(remarks, SMALL.replace('targetRef="e"', 'targetRef="nowhere"')).encode())
    assert "dangling_reference" in [finding.code for finding in found]
