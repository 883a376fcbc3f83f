"""The command line: JSON in, JSON out, and an exit code that says how it went."""

import json

import pytest
from click.testing import CliRunner
from sqlalchemy import create_engine, text

from tests.support.databases import ROOT
from tests.support.tables import file, table as rows
from tests.support.web import MASTER_KEY
from webapp.cli import main


@pytest.fixture
def shuibo(tmp_path):
    """Runs `shuibo …` with a working folder of its own."""
    env = {"SHUIBO_VAR": str(tmp_path), "SHUIBO_DATABASE_URL": "", "SHUIBO_MASTER_KEY_FILE": "", "SHUIBO_COUNTY": ""}

    def run(*arguments, input=None, **more):
        return CliRunner().invoke(main, [str(each) for each in arguments], input=input, env=env | more)

    return run


def test_feel(shuibo):
    assert shuibo("feel", "x + 0.2 = 0.3", "--context", "-", input='{"x": 0.1}').stdout == "true\n"
    assert json.loads(shuibo("feel", "客户 姓名", "--context", "-", input='{"客户 姓名": "张三"}').stdout) == "张三"
    assert shuibo("feel", "-5 + 3").stdout == "-2\n"
    wrong = shuibo("feel", "1 +")
    assert wrong.exit_code == 1 and json.loads(wrong.stderr)["column"] == 4
    assert shuibo("feel", "1", "--context", "-", input="[").exit_code == 1


def test_decide(shuibo, tmp_path):
    inputs = tmp_path / "in.json"
    inputs.write_text('{"risk": "high", "age": 70, "categories": []}')
    table = ROOT / "bpmn/decisions/visit_frequency.dmn"
    assert json.loads(shuibo("decide", table, "--decision", "visit_frequency", "--input", inputs).stdout) == 7
    assert shuibo("decide", table, "--decision", "nothing", "--input", inputs).exit_code == 1
    told = shuibo("decide", table, "--decision", "visit_frequency", "--input", inputs, "--explain").stdout
    assert "✓ 第 " in told and "✗ 第 " in told and told.endswith("结果 · result: 7\n")
    explained = json.loads(shuibo("decide", table, "--decision", "visit_frequency", "--input", inputs, "--explain", "--json").stdout)
    assert explained["result"] == 7 and explained["decisions"][0]["tables"][0]["matched"]


def test_decide_says_why_the_answer_is_null(shuibo, tmp_path):
    rules = file(rows([("age", "number")], [("fee", "number")], [("> 1", "1"), ("> 2", "2")]))
    path = tmp_path / "overlap.dmn"
    path.write_bytes(rules)
    answer = shuibo("decide", path, "--decision", "decision", "--input", "-", input='{"age": 3}')
    assert (answer.exit_code, answer.stdout) == (0, "null\n")
    note = json.loads(answer.stderr)
    assert note["code"] == "several_rules" and note["matched"] == ["r1", "r2"]


def test_lint(shuibo, tmp_path):
    fine = shuibo("lint", *(ROOT / "bpmn/processes").glob("*.bpmn"), *(ROOT / "bpmn/forms").glob("*.form"))
    assert fine.exit_code == 0 and [each for each in json.loads(fine.stdout) if each["severity"] == "error"] == []
    broken = tmp_path / "broken.bpmn"
    broken.write_text("<nonsense/>")
    found = shuibo("lint", broken)
    assert found.exit_code == 1
    [finding] = json.loads(found.stdout)
    assert finding["file"] == str(broken) and finding["message"] and finding["message_en"]


CSV = """kind,key,name,parent,roles,workforce,partner
county,county,某县,,,,
station,station-01,甲镇,county,,,
room,room-001,张庄村,station-01,,,
person,zhang.san,张三,station-01,worker lead,full_time,
"""


def test_a_county_of_ones_own_stays_as_it_is_and_a_broken_off_start_keeps_its_password(shuibo, tmp_path):
    """Once, a later start poured the demonstration's stations, people and cases into it, and nobody was ever told the password."""
    file, bundle = tmp_path / "own.csv", tmp_path / "bundle"
    file.write_text(CSV)
    bundle.mkdir()
    (bundle / "broken.bpmn").write_text("<nonsense/>")
    env = {"SHUIBO_BUNDLE": str(bundle), "SHUIBO_DEMO_PASSWORD": ""}
    broken_off = shuibo("seed", "--county", file, **env)
    assert broken_off.exit_code == 1 and "密码" not in broken_off.stderr
    waiting = json.loads((tmp_path / "first-start.json").read_text())["password"]
    (bundle / "broken.bpmn").unlink()
    (bundle / "regulations").mkdir()
    (bundle / "regulations/duties.dmn").write_bytes((ROOT / "bpmn/regulations/duties.dmn").read_bytes())
    assert f"password: {waiting}\n" in shuibo("seed", **env).stderr
    assert not (tmp_path / "first-start.json").exists()
    assert "不变" in shuibo("seed", **env).stderr
    engine = create_engine(f"sqlite:///{tmp_path}/shuibo.db")
    with engine.connect() as connection:
        assert set(connection.scalars(text("select username from account"))) == {"zhang.san"}
        assert connection.scalar(text("select count(*) from unit")) == 3
        assert connection.scalar(text("select count(*) from instance")) == 0
    engine.dispose()
    assert "示范县" in shuibo("seed", "--county", file, "--backlog", **env).stderr


def test_a_folder_that_cannot_be_used_is_named(shuibo, tmp_path):
    (tmp_path / "file").write_text("")
    told = shuibo("seed", SHUIBO_VAR=str(tmp_path / "file"))
    assert told.exit_code == 1 and str(tmp_path / "file") in told.stderr and "Traceback" not in told.stderr


def test_an_empty_folder_has_no_key(shuibo):
    told = shuibo("audit", "verify")
    assert told.exit_code == 1 and "主密钥" in told.stderr


def test_deploy_import_and_verify(working_county, shuibo, tmp_path):
    (tmp_path / "master.key").write_text(MASTER_KEY)
    env = {"SHUIBO_DATABASE_URL": working_county.url, "SHUIBO_COUNTY": "county"}
    again = shuibo("deploy", ROOT / "bpmn", **env)
    assert again.exit_code == 0 and {json.loads(line)["changed"] for line in again.stdout.splitlines()} == {False}
    assert shuibo("calendar", "import", "2024", **env).exit_code == 0
    assert shuibo("calendar", "import", "1999", **env).exit_code == 1
    assert shuibo("db", "upgrade", **env).exit_code == 0
    clean = shuibo("audit", "verify", **env)
    assert clean.exit_code == 0 and clean.stdout == ""
    engine = create_engine(working_county.url)
    with engine.begin() as connection:
        connection.execute(text("update unit set name = '别处' where key = 'station-01'"))
    engine.dispose()
    found = shuibo("audit", "verify", **env)
    assert found.exit_code == 1 and found.stdout.startswith("unit/")


def test_an_operator_repairs_a_case(county, shuibo, tmp_path):
    from tests.integration.test_operations import broken

    county.deploy(**broken())
    one, other = (county.start("broken", data={"amount": 5}) for _ in range(2))
    (tmp_path / "master.key").write_text(MASTER_KEY)
    env = {"SHUIBO_DATABASE_URL": county.url, "SHUIBO_COUNTY": "county"}

    def told(*arguments):
        answer = shuibo("cases", *arguments, **env)
        assert answer.exit_code == 0, answer.stderr
        return [json.loads(line) for line in answer.stdout.splitlines()]

    assert {line["id"] for line in told("list", "--status", "incident")} == {one["id"], other["id"]}
    [trouble] = [line for line in told("--as", "lead-01", "incidents") if line["id"] == one["id"]]
    token = trouble["incidents"][0]["token"]
    assert told("correct", one["number"], "limit", "amount - 2", "--reason", "漏填")[0]["names"] == ["limit"]
    assert told("retry", one["number"].lower())[0]["status"] == "active"
    assert list(county.open_tasks(one["id"])) == ["big"]
    assert shuibo("cases", "move", other["id"], token, "--reason", "改线下", **env).exit_code == 1
    assert told("--as", "lead-01", "move", other["id"], token, "--reason", "改线下", "--flow", "large_to_small")[0]["status"] == "active"
    assert told("cancel", other["id"], "--reason", "重复")[0]["status"] == "cancelled"
    assert shuibo("cases", "--as", "ft-01-1", "cancel", one["id"], "--reason", "x", **env).exit_code == 1
    assert shuibo("cases", "retry", "nothing", **env).exit_code == 1
    assert county.faults() == []
