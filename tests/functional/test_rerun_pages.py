"""“What would this change have done?”: the page, the API and the command line."""

import json
import re

import pytest
from click.testing import CliRunner

from engine.commands.definitions import publish
from engine.commands.reruns import advance
from engine.reruns import outcome as walking
from tests.integration.test_rerun_requests import BLOCKS, WARNS, draft, procedure, worked
from tests.integration.test_reruns import begun, house_rule
from tests.support.web import MASTER_KEY, words_of
from webapp.cli import main

CHANGE = "/definitions/house/2/change"


@pytest.fixture
def changed(site):
    """A site whose rule of the house has a draft that changes it. (site, cases)"""
    county = site.county
    county.deploy(**{"house.dmn": house_rule(WARNS)})
    cases = {each: begun(county, each) for each in ("normal", "soon", "urgent")}
    draft(county, BLOCKS)
    county.pass_time(minutes=1)
    return site, cases


def asked(site, **when) -> str:
    """Ask for a rerun on the page; answers its address."""
    answer = site.visit("supervisor").submit(CHANGE, when)
    assert answer.status_code == 302
    return answer.headers["Location"]


def test_the_page_of_a_change_shows_it_cell_by_cell(changed):
    site, _cases = changed
    visit = site.visit("supervisor")
    assert f'href="{CHANGE}"' in visit.get("/definitions/house/2").text
    page = visit.get(CHANGE).text
    text = words_of(page)
    assert "与现行的第 1 版相比" in text and "改了 2 格" in text
    assert re.search(r"<del>.*?改前.*?&#34;soon&#34;</del><ins>.*?改后.*?&#34;urgent&#34;</ins>", page)
    assert "逐格相同" in words_of(visit.get("/definitions/house/1/change?rows=all").text)


def test_a_rerun_on_the_page_from_asking_to_the_cases_that_change(changed, monkeypatch):
    site, cases = changed
    monkeypatch.setattr(walking, "BATCH", 2)
    address = asked(site)
    visit = site.visit("supervisor")
    assert "就要开始" in words_of(visit.get(address).text)
    advance(site.county.system, site.county.now)
    page = visit.get(address).text
    assert "已看 2 / 6 件" in words_of(page) and "data-running" in page and "rerun.js" in page
    worked(site.county)
    page = visit.get(address).text
    text = words_of(page)
    assert "算完了：6 个决定" in text and "6 个决定中，2 个会变；涉及 2 个个案" in text and "data-running" not in page
    assert f'href="/cases/{cases["soon"]}"' in page and f'href="/cases/{cases["urgent"]}"' in page and f'href="/cases/{cases["normal"]}"' not in page
    assert "house.soon" in text and "(-1)" in text and "(+1)" in text
    assert f'href="{address}"' in visit.get(CHANGE).text
    auditor = site.visit("auditor")
    assert f'href="/cases/{cases["soon"]}"' in auditor.get(address).text
    assert 'action="/reruns/' not in auditor.get(address).text
    assert site.visit("lead-01").get(address).status_code == 403


def test_called_off_and_asked_again(changed):
    site, _cases = changed
    address = asked(site, since="2026-03-01", until="2026-03-02")
    visit = site.visit("supervisor")
    assert visit.submit(f"{address}/cancel", page=address).status_code == 302
    assert "已取消" in words_of(visit.get(address).text)
    assert visit.submit(f"{address}/cancel", page=CHANGE).status_code == 409
    assert asked(site) != address
    assert visit.submit(CHANGE, {"since": "yesterday"}).status_code == 422
    assert visit.get("/reruns/nothing").status_code == 404
    assert visit.get("/definitions/house/9/change").status_code == 404


def test_what_was_published_since_is_said(changed):
    site, _cases = changed
    address = asked(site)
    site.county.deploy(**{"house.dmn": house_rule(['"start"', "-", "-", "-", '"house.other"', '"warn"'])})
    worked(site.county)
    assert "第 3 版成了现行版" in words_of(site.visit("supervisor").get(address).text)


def test_a_procedure_has_a_page_a_table(site):
    files = procedure(("<text>age</text>", "<text>age + 1</text>"))
    number = draft_of(site.county, files)
    visit = site.visit("supervisor")
    page = visit.get(f"/definitions/service_delivery/{number}/change?decision=visit_frequency").text
    assert "age + 1" in page and re.search("删除.*年龄.*新增.*年龄", words_of(page))  # a column that is gone, and one that is new
    answer = visit.submit(f"/definitions/service_delivery/{number}/change", {"decision": "visit_frequency"})
    worked(site.county)
    assert "算完了" in words_of(visit.get(answer.headers["Location"]).text)


def draft_of(county, files) -> int:
    from engine.commands.definitions import deploy

    return deploy(county.system, county.act("supervisor"), files, now=county.now)["number"]


def test_the_api(changed):
    site, cases = changed
    program = site.api("supervisor")
    asked_for = program.post("/reruns", {"key": "house", "number": 2})
    assert (asked_for.status_code, asked_for.json["status"]) == (201, "running")
    address = f"/reruns/{asked_for.json['id']}"
    assert program.get(address).json["status"] == "running"
    worked(site.county)
    found = program.get(address).json
    assert (found["status"], found["decisions"], found["changed"], found["against"]) == ("done", 6, 2, 1)
    assert set(found["cases"]) == {cases["soon"], cases["urgent"]} == {each["instance"] for each in found["decided"]}
    assert found["difference"]["counts"]["cells"] == 2
    assert program.post(f"{address}/cancel").status_code == 409
    assert program.post("/reruns", {"key": "house", "number": 2, "until": "2026-02-30"}).status_code == 422
    assert program.post("/reruns", {"key": "house", "number": 2, "rows": "all"}).status_code == 422
    assert program.post("/reruns", {"key": "house", "number": 7}).status_code == 404
    assert site.api("ft-01-1").get(address).status_code == 403


def test_publishing_over_what_somebody_published_meanwhile(changed):
    site, _cases = changed
    county = site.county
    theirs = draft(county, WARNS)["number"]
    publish(county.system, county.act("supervisor"), "house", theirs, now=county.now)
    visit = site.visit("supervisor")
    refused = visit.submit("/definitions/house/2/publish", page="/definitions/house/2")
    text = words_of(refused.text)
    assert refused.status_code == 409 and f"发布了第 {theirs} 版" in text and county.act("supervisor").name in text
    program = site.api("supervisor")
    problem = program.post("/definitions/house/versions/2/publish")
    assert (problem.status_code, problem.json["code"]) == (409, "based_on_older")
    assert program.post("/definitions/house/versions/2/publish", {"based_on": 1}).status_code == 409
    confirmed = visit.submit("/definitions/house/2/publish", {"based_on": theirs}, page="/definitions/house/2")
    assert confirmed.status_code == 302
    assert county.faults() == []


@pytest.fixture
def shuibo(changed, tmp_path):
    """`shuibo rerun …` on the site's database."""
    (tmp_path / "master.key").write_text(MASTER_KEY)
    env = {"SHUIBO_VAR": str(tmp_path), "SHUIBO_DATABASE_URL": changed[0].county.url, "SHUIBO_COUNTY": "county", "SHUIBO_MASTER_KEY_FILE": ""}

    def run(content: bytes, *arguments):
        file = tmp_path / "changed.dmn"
        file.write_bytes(content)
        return CliRunner().invoke(main, ["rerun", str(file), *arguments], env=env)

    return run


def test_the_command_line(changed, shuibo):
    _site, cases = changed
    told = shuibo(house_rule(BLOCKS), "--json")
    assert told.exit_code == 0, told.stderr
    found = json.loads(told.stdout)
    assert (found["decisions"], found["changed"], set(found["cases"])) == (6, 2, {cases["soon"], cases["urgent"]})
    assert found["difference"]["counts"]["cells"] == 2 and {line["before"] for line in found["rules"]} == {0, 1}
    assert "6/6" in told.stderr  # progress
    read = shuibo(house_rule(BLOCKS))
    assert read.exit_code == 0 and '"soon" → "urgent"' in read.stdout and "changed: 2" in read.stdout
    assert json.loads(shuibo(house_rule(BLOCKS), "--json", "--until", "2026-03-01").stdout)["decisions"] == 0


def test_the_command_line_takes_tables_of_procedures_and_refuses_what_is_none(shuibo):
    table = procedure(('name="', 'name="改'))["visit_frequency.dmn"]
    assert json.loads(shuibo(table, "--json").stdout)["decisions"] == 0
    assert shuibo(table, "--decision", "none").exit_code == 1
    assert shuibo(b"<nonsense/>").exit_code == 1
    broken = shuibo(house_rule(['"complete"', "-", "-", "-", '"house.soon"', '"forbid"']))
    assert broken.exit_code == 1 and "forbid" in broken.stderr  # a regulation's fault, told as such
    assert shuibo(house_rule(BLOCKS), "--since", "1.3.2026").exit_code == 2
