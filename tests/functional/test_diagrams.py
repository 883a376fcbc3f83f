"""Diagrams on the pages of cases and versions: small on the way, and a list of steps where nobody has laid one out."""

import gzip
import re

from tests.integration.test_operations import broken
from tests.support.web import words_of


def undrawn() -> dict:
    """A procedure as programs write it: sound, without places for its elements."""
    files = broken()
    files["broken.bpmn"] = re.sub(rb"<bpmndi:BPMNDiagram.*</bpmndi:BPMNDiagram>", b"", files["broken.bpmn"], flags=re.DOTALL)
    return files


def test_a_case_whose_diagram_has_no_layout_lists_its_steps(site):
    """The viewer could not draw it and left a script error and an empty frame."""
    site.county.deploy(**undrawn())
    case = site.county.start("broken", data={"amount": 5})["id"]
    page = site.visit("lead-01").get(f"/cases/{case}").text
    steps = [words_of(step).strip() for step in re.findall(r"<li[^>]*>(.*?)</li>", page.partition('<ol class="steps">')[2].partition("</ol>")[0])]
    assert steps == ["ask 已经走过", "big", "small"]
    assert "bpmn-js" not in page and 'id="diagram"' not in page
    page = site.visit("supervisor").get("/definitions/broken/1").text
    assert '<ol class="steps">' in page and "bpmn-js" not in page


def test_a_diagram_is_sent_packed_and_only_once(site):
    site.county.deploy(**broken())
    case = site.county.start("broken", data={"amount": 5})["id"]
    for visit, address in (
        (site.visit("lead-01"), f"/cases/{case}/diagram.bpmn"),
        (site.visit("supervisor"), "/definitions/broken/1/diagram.bpmn"),
    ):
        plain = visit.get(address)
        assert plain.data == broken()["broken.bpmn"] and "private" in plain.headers["Cache-Control"]
        packed = visit.get(address, headers={"Accept-Encoding": "gzip"})
        assert gzip.decompress(packed.data) == plain.data and len(packed.data) < len(plain.data) / 3
        again = visit.get(address, headers={"Accept-Encoding": "gzip", "If-None-Match": packed.headers["ETag"]})
        assert again.status_code == 304 and not again.data
        assert visit.get(address, headers={"If-None-Match": packed.headers["ETag"]}).status_code == 200
