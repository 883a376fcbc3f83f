"""Where one is signed in, on pages, for programs and on the command line; and that signing in anew leaves nothing of before."""

import json
import re
from datetime import timedelta

from click.testing import CliRunner
from sqlalchemy import text

from engine.commands import accounts
from engine.exceptions import StorageFull
from tests.support.county import PASSWORD
from tests.support.web import MASTER_KEY, Site, forms, words_of
from webapp.cli import main

PHONE = {"User-Agent": "Mozilla/5.0 (Linux; Android 14; HUAWEI) AppleWebKit/537.36 Mobile"}


def test_one_sees_ones_sessions_and_ends_one_in_every_process(site, tmp_path):
    visit, lost = site.visit("ft-01-1"), site.visit()
    lost.submit("/login", {"username": "ft-01-1", "password": PASSWORD}, headers=PHONE)
    twin = Site(site.county, tmp_path)
    page = visit.get("/account/sessions").text
    assert page.count('<li class="panel">') == 2 and "安卓手机" in page and words_of(page).count("这一台") == 1
    other = site.api("ft-02-1").get("/me/sessions").json["items"][0]["id"]
    assert visit.submit("/account/sessions", {"session": other}).status_code == 404
    ids = re.findall(r'name="session" value="([0-9a-f]{64})"', page)
    assert len(ids) == 1, "the one in use has no button"
    there = twin.app.test_client()
    there.set_cookie("shuibo-session", lost.client.get_cookie("shuibo-session").value)
    assert there.get("/tasks/").status_code == 200
    assert visit.submit("/account/sessions", {"session": ids[0]}).status_code == 302
    assert there.get("/tasks/").status_code == 302 and lost.get("/tasks/").status_code == 302
    assert visit.get("/tasks/").status_code == 200
    twin.close()


def test_all_others_are_ended_in_one_go(site):
    visit, other, program = site.visit("ft-01-1"), site.visit("ft-01-1"), site.api("ft-01-1")
    assert "结束其他全部登录" in visit.get("/account/sessions").text
    answered = visit.submit("/account/sessions")
    assert "已结束 2 处登录" in visit.get(answered.headers["Location"]).text
    assert visit.get("/tasks/").status_code == 200 and other.get("/tasks/").status_code == 302
    assert program.get("/me").status_code == 401
    assert "结束其他全部登录" not in visit.get("/account/sessions").text


def test_a_program_lists_and_ends_its_sessions(site):
    program, other = site.api("ft-01-1"), site.api("ft-01-1")
    items = program.get("/me/sessions").json["items"]
    assert [each["current"] for each in items].count(True) == 1 and {each["kind"] for each in items} == {"api"}
    theirs = next(each["id"] for each in items if not each["current"])
    assert program._send("DELETE", f"/me/sessions/{theirs}").json == {"ended": 1}
    assert other.get("/me").status_code == 401
    assert program._send("DELETE", f"/me/sessions/{theirs}").status_code == 404
    assert program._send("DELETE", "/me/sessions").json == {"ended": 0}


def test_an_administrator_ends_somebodys(site):
    worker, lead, admin = site.visit("ft-01-1"), site.visit("lead-01"), site.visit("admin")
    address = f"/people/{site.county.act('ft-01-1').person_id}"
    assert f"{address}/sessions" in admin.get(address).text
    assert "其他设备" in lead.get(f"{address}/sessions").text
    assert lead.submit(f"{address}/sessions").status_code == 302
    assert worker.get("/tasks/").status_code == 302
    assert lead.get(f"/people/{site.county.act('ft-02-1').person_id}/sessions").status_code == 403
    assert lead.get(f"/people/{site.county.act('supervisor').person_id}/sessions").status_code == 403
    program, theirs = site.api("admin"), site.api("lead-01")
    assert len(program.get("/accounts/lead-01/sessions").json["items"]) == 2
    assert program._send("DELETE", "/accounts/lead-01/sessions").json == {"ended": 2}
    assert theirs.get("/me").status_code == 401 and lead.get("/tasks/").status_code == 302
    assert program.get("/accounts/nobody/sessions").status_code == 404
    access = site.visit("auditor").get("/audit/access?who=ft-01-1").text
    assert "登录被结束" in access


def test_the_command_line_ends_somebodys(site, tmp_path):
    visit = site.visit("ft-01-1")
    (tmp_path / "master.key").write_text(MASTER_KEY)
    env = {"SHUIBO_VAR": str(tmp_path), "SHUIBO_DATABASE_URL": site.county.url, "SHUIBO_COUNTY": "county", "SHUIBO_MASTER_KEY_FILE": ""}
    # The county's clock stands in the past; for the command line, whose clock is the wall's, the session must not have expired.
    with site.county.system.database.engine.begin() as connection:
        connection.execute(text("update access_token set expires_at = '2100-01-01 00:00:00+00:00'"))
    listed = CliRunner().invoke(main, ["sessions", "list", "ft-01-1"], env=env)
    (line,) = listed.stdout.splitlines()
    assert json.loads(line)["kind"] == "web"
    ended = CliRunner().invoke(main, ["sessions", "end", "ft-01-1"], env=env)
    assert ended.exit_code == 0 and "1" in ended.stderr
    assert visit.get("/tasks/").status_code == 302
    assert CliRunner().invoke(main, ["sessions", "end", "nobody"], env=env).exit_code == 1


def test_signing_in_anew_ends_the_session_before_and_signing_out_the_form_tokens(site):
    """ASVS 3.2.1, 3.3.1: a new session at each sign-in, nothing left after signing out."""
    visit = site.visit("ft-01-1")
    before = visit.client.get_cookie("shuibo-session").value
    token = forms(visit.get("/account").text, "/account")
    again = visit.client.post("/login", data=token | {"username": "ft-01-2", "password": PASSWORD})
    assert again.status_code == 302
    after = visit.client.get_cookie("shuibo-session").value
    assert after != before
    old = site.app.test_client()
    old.set_cookie("shuibo-session", before)
    assert old.get("/tasks/").status_code == 302
    old.set_cookie("shuibo-session", after)
    assert old.get("/tasks/").status_code == 200
    form = forms(visit.get("/account").text, "/account")
    assert visit.client.post("/logout", data=form).status_code == 302
    assert old.get("/tasks/").status_code == 302
    assert visit.client.post("/login", data=form | {"username": "ft-01-1", "password": PASSWORD}).status_code == 400


def test_a_session_of_the_servers_choosing(site):
    """ASVS 3.2.1: what a browser brings along never becomes a session (fixation)."""
    visit = site.visit()
    visit.client.set_cookie("shuibo-session", "chosen-by-somebody-else")
    answered = visit.submit("/login", {"username": "ft-01-1", "password": PASSWORD})
    assert answered.status_code == 302
    assert visit.client.get_cookie("shuibo-session").value != "chosen-by-somebody-else"
    assert site.visit().get("/tasks/", headers={"Cookie": "shuibo-session=chosen-by-somebody-else"}).status_code == 302


def test_a_full_disk_stops_nobody_from_reading(site, monkeypatch):
    """Once an hour it is noted that a session was used; where that could not be written, the page was not shown."""
    visit = site.visit("ft-01-1")
    site.county.now += timedelta(hours=2)

    def full(*_arguments, **_options):
        raise StorageFull()

    monkeypatch.setattr(accounts, "note_use", full)
    assert visit.get("/tasks/").status_code == 200
