"""Scripts and markup in names, documentation and answers are shown as what they are, on every page and on the diagram, and never run."""

import json

import pytest

from tests.functional.test_bad_bundles import GOOD
from tests.support.browsers import eventually
from tests.support.forms import schema
from tests.support.journeys import sign_in

pytestmark = pytest.mark.browser

EVIL = "<img src=x onerror=\"window.pwned=1\"><script>window.pwned=1</script>{{7*7}}"
DRAWING = (
    '<bpmndi:BPMNDiagram id="d"><bpmndi:BPMNPlane id="p" bpmnElement="small">'
    '<bpmndi:BPMNShape id="x1" bpmnElement="s"><dc:Bounds x="100" y="100" width="36" height="36"/></bpmndi:BPMNShape>'
    '<bpmndi:BPMNShape id="x2" bpmnElement="t"><dc:Bounds x="200" y="80" width="100" height="80"/></bpmndi:BPMNShape>'
    '<bpmndi:BPMNShape id="x3" bpmnElement="e"><dc:Bounds x="400" y="100" width="36" height="36"/></bpmndi:BPMNShape>'
    "</bpmndi:BPMNPlane></bpmndi:BPMNDiagram></bpmn:definitions>"
)


def hostile() -> tuple[bytes, bytes]:
    """A diagram and a form that say something evil wherever they can say anything."""
    said = EVIL.replace("&", "&amp;").replace("<", "&lt;").replace('"', "&quot;")
    named = GOOD.replace('id="small"', f'id="small" name="{said}"').replace('name="t"', f'name="{said}"')
    named = named.replace("<zeebe:userTask/>", '<zeebe:userTask/><zeebe:formDefinition formId="form"/>')
    at = named.index("<bpmn:extensionElements>")
    named = f"{named[:at]}<bpmn:documentation>{said}</bpmn:documentation>{named[at:]}"
    options = [{"label": EVIL, "value": EVIL}]
    fields = [
        {"type": "text", "id": "note", "text": f"# {EVIL}\n[x](javascript:window.pwned=1)"},
        {"type": "textfield", "id": "a", "key": "a", "label": EVIL, "description": EVIL, "defaultValue": EVIL},
        {"type": "radio", "id": "b", "key": "b", "label": EVIL, "values": options},
    ]
    return named.replace("</bpmn:definitions>", DRAWING).encode(), json.dumps(schema(*fields)).encode()


def test_markup_in_a_procedure_and_in_answers_is_text(served_site, desktop):
    site, address = served_site
    page = desktop
    page.expected_errors.append("Content Security Policy")  # the browser's own second net may speak up
    diagram, form = hostile()
    made = site.county.deploy(**{"<script>.bpmn": diagram, "f.form": form})
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.on("dialog", lambda dialog: asked.append(f"dialog {dialog.message}"))
    person = {"place": "room-001", "data": {"name": EVIL[:20], "address": EVIL[:150]}}
    client = site.api("ft-01-1").post("/clients", person)
    case = site.api("ft-01-1").post("/instances", {"definition": made["key"], "data": {}, "place": "room-001"}).json
    [task] = case["tasks"]
    program = site.api("ft-01-1")
    program.post(f"/tasks/{task['id']}/claim")

    def looks_harmless(path: str, shows: bool = True) -> None:
        page.goto(address + path)
        page.wait_for_load_state("networkidle")
        assert page.evaluate("window.pwned") is None, path
        assert page.locator('img[src="x"]').count() == 0 and page.locator('a[href^="javascript"]').count() == 0
        assert not shows or EVIL[:12] in page.locator("body").inner_text(), path

    sign_in(page, address, "ft-01-1")
    looks_harmless("/cases/")
    looks_harmless("/cases/new")
    looks_harmless(f"/tasks/{task['id']}")
    looks_harmless("/tasks/?view=mine")
    looks_harmless(f"/cases/{case['id']}")
    assert eventually(lambda: page.locator(".djs-container [data-element-id=t] text").count() >= 1), "the diagram is drawn"
    done = program.post(f"/tasks/{task['id']}/complete", {"data": {"a": EVIL, "b": EVIL}})
    assert done.status_code == 200, done.text
    looks_harmless(f"/cases/{case['id']}?all=1")
    if client.status_code == 201:
        looks_harmless(f"/clients/{client.json['id']}")
        looks_harmless("/clients/")
    sign_in(page, address, "supervisor")
    looks_harmless("/definitions/")
    looks_harmless(f"/definitions/{made['key']}/1")
    assert not [url for url in asked if url.endswith("/x") or url.startswith("dialog")]
