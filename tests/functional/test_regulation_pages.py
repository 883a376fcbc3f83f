"""The pages of the regulations: rules in words, the numbers they count by, what they said in a month."""

from datetime import timedelta

import pytest

from engine.commands.tasks import claim
from engine.exceptions import RegulationRefused
from tests.integration.test_outings import dangerous
from tests.support.tables import file, table
from tests.support.web import words_of


def test_a_regulation_shows_its_rules_and_what_they_said(site):
    county = site.county
    case = dangerous(county)
    with pytest.raises(RegulationRefused):
        claim(county.system, county.act("ft-01-1"), county.open_tasks(case)["visit"].id, now=county.now)
    county.now += timedelta(days=31)
    page = site.visit("ft-01-1").get("/regulations/safety").text
    text = words_of(page)
    assert 'id="safety.two_person"' in page and "safety.two_person" in text
    assert "2026-03 的结论" in text and "1 次，其中没有放行 1 次" in text
    earlier = words_of(site.visit("ft-01-1").get("/regulations/safety?month=2026-02").text)
    assert "1 次" not in earlier
    elsewhere = words_of(site.visit("ft-02-1").get("/regulations/safety").text)
    assert "1 次" not in elsewhere, "another station's refusals are not theirs to count"
    assert "1 次，其中没有放行 1 次" in words_of(site.visit("supervisor").get("/regulations/safety").text)


def test_every_regulation_in_force_has_its_page(site):
    visit = site.visit("volunteer-01-1")
    index = visit.get("/regulations/").text
    for key in ("service_process", "safety", "duties"):
        assert f'href="/regulations/{key}"' in index
        page = words_of(visit.get(f"/regulations/{key}").text)
        assert "个示例" in page and "不成立" not in page


@pytest.mark.parametrize("month", ["2026-13", "x", "2026-3-1", "0000-01", "9999-12"])
def test_a_month_that_is_none_is_refused(site, month):
    assert site.visit("ft-01-1").get(f"/regulations/safety?month={month}").status_code == 422


def test_a_regulation_that_is_not_there(site):
    assert site.visit("ft-01-1").get("/regulations/none").status_code == 404


def test_a_minors_record_asks_why(site):
    """The page asks for a reason, the API takes one."""
    columns = [(text, "Any") for text in ("point", "record.minor", "string length(record.reason)")]
    outputs = [(name, "string") for name in ("rule", "effect", "message", "message_en")]
    know = table(columns, outputs, [['"open"', "true", "0", '"know.minor"', '"block"', '"须写明事由"', '"Say why"']], hit="COLLECT", ident="know")
    site.county.deploy(**{"know.dmn": file(know)})
    program, visit = site.api("ft-01-1"), site.visit("ft-01-1")
    child = program.post("/clients", {"place": "room-001", "data": {"name": "小明", "birth_date": "2015-03-08"}}).json["id"]
    refused = visit.get(f"/clients/{child}")
    assert refused.status_code == 409 and "须写明事由" in words_of(refused.text)
    assert "小明" not in refused.text
    opened = visit.submit(f"/clients/{child}/open", {"reason": "评估监护"}, page=f"/clients/{child}")
    assert opened.status_code == 200 and "小明" in opened.text
    assert program.get(f"/clients/{child}").status_code == 409
    assert program.get(f"/clients/{child}", query_string={"reason": "评估监护"}).json["name"] == "小明"


def test_the_glass_is_broken_from_the_page(site):
    site.api("ft-01-1").post("/clients", {"place": "room-001", "data": {"name": "欧阳甲", "birth_date": "1940-03-08"}})
    visit = site.visit("ft-02-1")
    page = "/clients/emergency"
    assert visit.submit(page, {"who": "欧阳乙", "reason": "走失"}, page=page).status_code == 404
    opened = visit.submit(page, {"who": "欧阳甲", "reason": "走失"}, page=page)
    assert opened.status_code == 200 and "1940" in opened.text
