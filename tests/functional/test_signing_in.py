"""Signing in and out by pages, and what becomes of a form whose sender was signed out meanwhile: nothing that was typed is lost."""

import html
import io
import re
from collections import defaultdict

from tests.functional.test_pages import VISIT, a_claimed_visit, start
from tests.support.county import PASSWORD
from tests.support.web import flat, forms, words_of
from webapp.demo.answers import answer


def test_signing_in_and_out(site):
    visit = site.visit()
    away = visit.get("/tasks/?view=offered")
    assert away.status_code == 302 and away.headers["Location"] == "/login?next=/tasks/?view%3Doffered"
    wrong = visit.submit("/login", {"username": "ft-01-1", "password": "nonsense"})
    assert wrong.status_code == 401 and "用户名或密码不正确" in wrong.text and 'value="ft-01-1"' in wrong.text
    right = visit.submit("/login", {"username": "ft-01-1", "password": PASSWORD, "next": "/cases/"})
    assert right.headers["Location"] == "/cases/"
    cookie = next(each for each in right.headers.getlist("Set-Cookie") if "session" in each)
    assert "HttpOnly" in cookie and "SameSite=Lax" in cookie and "Secure" not in cookie
    assert visit.get("/tasks/").status_code == 200
    token = visit.client.get_cookie("shuibo-session").value
    assert visit.submit("/logout", page="/tasks/").headers["Location"] == "/login"
    visit.client.set_cookie("shuibo-session", token)
    assert visit.get("/tasks/").status_code == 302, "the server forgot the session too"


def test_a_form_sent_after_the_session_ended_is_not_lost(site):
    start(site)
    visit = site.visit("assistant-001")
    address = re.search(r'href="(/tasks/[0-9a-f]{32})"', visit.get("/tasks/?view=offered").text)[1]
    visit.submit(f"{address}/claim", page=address)
    site.county.pass_time(hours=11)
    form = forms(visit.get(address).text, f"{address}/complete")
    site.county.pass_time(hours=2)
    schema = site.api("assistant-001").get(address).json["form"]
    typed = flat(answer(schema, VISIT | {"situation": "独居\r\n\"<b>生活困难"}, site.county.now))
    gone = visit.client.post(f"{address}/complete", data=form | typed | {"_hidden": ""})
    assert gone.status_code == 401 and "登录已过期" in gone.text and "<b>" not in gone.text

    def again(page: str, password: str):
        return visit.client.post("/login/again", data=forms(page, "/login/again") | {"username": "assistant-001", "password": password})

    wrong = again(gone.text, "nonsense")
    assert wrong.status_code == 401 and "用户名或密码不正确" in wrong.text
    resumed = again(wrong.text, PASSWORD)
    assert resumed.status_code == 200 and "继续提交" in resumed.text
    done = visit.client.post(f"{address}/complete", data=_hidden_fields(resumed.text))
    assert done.status_code == 302, words_of(done.text)
    case = re.search(r'href="(/cases/[0-9a-f]{32})"', visit.get(address).text)[1]
    assert site.county.variables(case.rpartition("/")[2])["situation"].replace("\r", "") == '独居\n"<b>生活困难'


HERE = {"Origin": "http://localhost"}  # what a browser says of a form of ours


def test_a_form_whose_token_ran_out_overnight_is_not_lost(site):
    """The form token lives as long as the session: in the morning it was the token that failed first, and a long form was gone."""
    visit, address, form, typed = a_claimed_visit(site)
    visit.client.delete_cookie("shuibo-form")
    late = visit.client.post(f"{address}/complete", data=form | typed, headers=HERE)
    assert late.status_code == 400 and "请再提交一次" in late.text
    done = visit.client.post(f"{address}/complete", data=_hidden_fields(late.text))
    assert done.status_code == 302, words_of(done.text)


def test_token_and_session_both_ran_out(site):
    visit, address, form, typed = a_claimed_visit(site)
    visit.client.delete_cookie("shuibo-form")
    visit.client.delete_cookie("shuibo-session")
    gone = visit.client.post(f"{address}/complete", data=form | typed, headers=HERE)
    assert gone.status_code == 401 and "您填写的内容都在" in gone.text
    credentials = {"username": "assistant-001", "password": PASSWORD}
    visit.client.delete_cookie("shuibo-form")
    slow = visit.client.post("/login/again", data=forms(gone.text, "/login/again") | credentials, headers=HERE)
    assert slow.status_code == 400
    resumed = visit.client.post("/login/again", data=forms(slow.text, "/login/again") | credentials)
    assert visit.client.post(f"{address}/complete", data=_hidden_fields(resumed.text)).status_code == 302


def test_another_sites_form_is_not_made_to_look_like_ones_own(site):
    visit, address, form, typed = a_claimed_visit(site)
    del form["csrf_token"]
    for headers in ({}, {"Origin": "https://elsewhere.example"}, {"Origin": "null"}):
        refused = visit.client.post(f"{address}/complete", data=form | typed, headers=headers)
        assert refused.status_code == 400 and "独居" not in refused.text


def test_a_sign_in_page_left_open_asks_once_more(site):
    visit = site.visit()
    form = forms(visit.get("/login").text, "/login")
    visit.client.delete_cookie("shuibo-form")
    late = visit.client.post("/login", data=form | {"username": "ft-01-1", "password": PASSWORD})
    assert late.status_code == 400 and "请再登录一次" in late.text and 'value="ft-01-1"' in late.text
    assert PASSWORD not in late.text


def test_a_form_with_files_after_the_session_ended_asks_for_the_files_again(site):
    visit = site.visit("supervisor")
    form = forms(visit.get("/definitions/").text, "/definitions/")
    visit.client.delete_cookie("shuibo-session")
    gone = visit.client.post("/definitions/", data=form | {"files": [(io.BytesIO(b"<x/>"), "一.bpmn"), (io.BytesIO(b"{}"), "二.form")]})
    assert gone.status_code == 401 and "登录已过期" in gone.text
    credentials = {"username": "supervisor", "password": PASSWORD}
    resumed = visit.client.post("/login/again", data=forms(gone.text, "/login/again") | credentials)
    assert "一.bpmn、二.form" in resumed.text and re.search(r'<input [^>]*type="file" name="files" multiple', resumed.text)
    refused = visit.client.post("/definitions/", data=_hidden_fields(resumed.text) | {"files": [(io.BytesIO(b"<x/>"), "一.bpmn")]})
    assert refused.status_code == 422 and "一.bpmn" in refused.text


def test_what_was_typed_is_shown_when_the_task_is_no_longer_ones_own(site):
    """Released in another tab, taken by a colleague or done meanwhile: the page told so and the answers were gone."""
    visit, address, form, typed = a_claimed_visit(site)
    visit.submit(f"{address}/release", page=address)
    released = visit.client.post(f"{address}/complete", data=form | typed)
    assert released.status_code == 409 and "独居，腿脚不便" in released.text and "领取" in released.text
    other = site.visit("ft-01-1")
    other.submit(f"{address}/claim", page=address)
    taken = visit.client.post(f"{address}/complete", data=form | typed)
    assert taken.status_code == 409 and "独居，腿脚不便" in taken.text and "还没有提交" in taken.text
    mine = forms(other.get(address).text, f"{address}/complete") | {"_hidden": ""} | typed
    assert other.client.post(f"{address}/complete", data=mine).status_code == 302
    again = other.client.post(f"{address}/complete", data=mine | {"_once": "second tab"})
    assert again.status_code == 409 and "这项任务已完成，不能再改" in again.text and "独居，腿脚不便" in again.text


def _hidden_fields(page: str) -> dict[str, list[str]]:
    found = defaultdict(list)
    for name, value in re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)">', page):
        found[html.unescape(name)].append(html.unescape(value))
    return found


def test_signing_in_again_leads_nowhere_else_and_carries_no_passwords(site):
    visit = site.visit("ft-01-1")
    site.county.pass_time(hours=13)
    token = forms(visit.get("/login").text, "/login")
    gone = visit.client.post("/account", data=token | {"old": "secret 1", "new": "secret 2"})
    assert gone.status_code == 401 and "secret" not in gone.text
    who = token | {"username": "ft-01-1", "password": PASSWORD}
    for address, carried in (("https://evil.example/", "[]"), ("/tasks/", "{"), ("/tasks/", "[1]"), ("", "")):
        answered = visit.client.post("/login/again", data=who | {"address": address, "carried": carried})
        assert answered.headers["Location"] == "/login"


def test_under_https_cookies_are_secure_and_bound_to_the_host(site):
    client = site.app.test_client()
    page = client.get("/login", base_url="https://shuibo.example")
    assert page.headers["Strict-Transport-Security"]
    token = re.search(r'name="csrf_token" value="([^"]+)"', page.text)[1]
    form = {"username": "ft-01-1", "password": PASSWORD, "csrf_token": token}
    answered = client.post("/login", data=form, base_url="https://shuibo.example", headers={"Referer": "https://shuibo.example/login"})
    cookies = answered.headers.getlist("Set-Cookie")
    assert any(each.startswith("__Host-shuibo-session=") and "Secure" in each and "Path=/" in each for each in cookies)


def test_signing_in_never_leads_elsewhere(site):
    for address in ("//evil.example", "https://evil.example/", "/\\evil.example", "javascript:alert(1)", "\t//evil.example"):
        form = {"username": "ft-01-1", "password": PASSWORD, "next": address}
        assert site.visit().submit("/login", form).headers["Location"] == "/start"


def test_many_wrong_passwords_have_to_wait(site):
    visit = site.visit()
    for _ in range(10):
        assert visit.submit("/login", {"username": "pt-01-1", "password": "nonsense"}).status_code == 401
    blocked = visit.submit("/login", {"username": "pt-01-1", "password": PASSWORD})
    assert blocked.status_code == 429 and "登录尝试过多" in blocked.text


def test_no_form_works_without_its_token(site):
    visit = site.visit("ft-01-1")
    refused = visit.client.post("/cases/new", data={"definition": "service_delivery"})
    assert refused.status_code == 400 and "安全标记已失效" in refused.text
    assert visit.get("/cases/").text.count("service_delivery") <= 1, "nothing was started"
    for rule in site.app.url_map.iter_rules():
        if "POST" in rule.methods and not rule.rule.startswith("/api/"):
            address = rule.rule.replace("<int(max=1000000):number>", "1")
            address = re.sub(r"<[^>]+>", "x", address)
            assert visit.client.post(address, data={}).status_code == 400, rule.rule


def test_a_password_is_changed(site):
    visit, other = site.visit("ft-01-1"), site.visit("ft-01-1")
    assert visit.submit("/account", {"old": "nonsense", "new": "new-password-1"}).status_code == 422
    assert visit.submit("/account", {"old": PASSWORD, "new": "short"}).status_code == 422
    assert visit.submit("/account", {"old": PASSWORD, "new": "new-password-1"}).status_code == 302
    assert visit.get("/tasks/").status_code == 200
    assert other.get("/tasks/").status_code == 302
