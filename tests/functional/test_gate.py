"""The page of a version: which rules guard which step, and what keeps a regulation from being published."""

import io

from tests.support import tables
from tests.support.databases import ROOT
from tests.support.web import words_of

COLUMNS = [(name, "string") for name in ("rule", "effect", "message", "message_en")]


def test_the_page_of_a_procedure_says_which_rules_guard_which_step(site):
    page = site.visit("supervisor").get("/definitions/service_delivery/1").text
    assert "哪些规则管着哪个环节" in page
    for rule in ("safety.two_person", "duties.self_approval", "indicators.first_response"):
        assert f"#{rule}" in page


def test_a_rule_that_stops_everybody_is_shown_and_not_published(site):
    visit = site.visit("supervisor")
    everybody = tables.file(
        tables.table([("point", "string")], COLUMNS, [['"complete"', '"own.all"', '"block"', '"不行"', '"No"']], hit="COLLECT", ident="own")
    )
    answer = visit.submit("/definitions/", {"files": (io.BytesIO(everybody), "own.dmn")}, content_type="multipart/form-data")
    assert answer.status_code == 302
    refused = visit.submit("/definitions/own/1/publish", page="/definitions/own/1")
    assert refused.status_code == 422 and "谁也办不成事" in words_of(refused.text)
    assert "草稿" in visit.get("/definitions/own/1").text


def test_examples_travel_with_their_regulation(site):
    visit = site.visit("supervisor")
    files = [ROOT / "bpmn" / "regulations" / name for name in ("image.dmn", "image.examples.yaml")]
    upload = {"files": [(io.BytesIO(path.read_bytes()), path.name) for path in files]}
    assert visit.submit("/definitions/", upload, content_type="multipart/form-data").status_code == 302
    kept = visit.get("/definitions/image/2/files/image.examples.yaml")
    assert kept.data == files[1].read_bytes() and kept.mimetype == "application/yaml"
