"""The pages of the regulations: rules in words, the numbers they count by, what they said in a month."""

from datetime import timedelta

import pytest

from engine.commands.tasks import claim
from engine.exceptions import RegulationRefused
from tests.integration.test_outings import dangerous
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
        assert visit.get(f"/regulations/{key}").status_code == 200


@pytest.mark.parametrize("month", ["2026-13", "x", "2026-3-1", "0000-01", "9999-12"])
def test_a_month_that_is_none_is_refused(site, month):
    assert site.visit("ft-01-1").get(f"/regulations/safety?month={month}").status_code == 422


def test_a_regulation_that_is_not_there(site):
    assert site.visit("ft-01-1").get("/regulations/none").status_code == 404
