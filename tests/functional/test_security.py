"""What docs/security.md promises of HTTP: headers, cookies, guessing, and everything a request can carry that it should not."""

import io
import re
from pathlib import Path

import pytest
from sqlalchemy import event

from engine import accounts
from tests.support.county import PASSWORD
from tests.support.databases import ROOT
from tests.support.rights import World
from tests.support.web import Site, forms
from tests.support.writes import count_writes
from webapp.rights.page import routes
from webapp.rights.table import RIGHTS, Reach

EVIL = "evil.example"


@pytest.fixture
def world(site):
    return World(site)


def reader(rule) -> str:
    """Somebody who may open this page."""
    permission = RIGHTS[rule.endpoint].permission or ""
    return "admin" if permission.split(":")[0] in ("calendar", "account") or permission == "organisation:write" else (
        "auditor" if permission == "audit:read" else "supervisor"
    )


def every_page(world):
    """(rule, answer) of every address that can be read, as somebody who may."""
    for method, rule in routes(world.site.app):
        if method == "GET":
            yield rule, world.call(reader(rule), "GET", rule, world.place("own"))


# --- headers ----------------------------------------------------------------------------------------------------------


# A diagram is a procedure's and tells of nobody; the browser keeps it, and asks each time whether it still may show it.
KEPT = {"static": "public", "cases.diagram": "private", "definitions.diagram": "private"}


def test_every_answer_has_the_headers_and_no_page_anything_inline(world):
    """ASVS 3.4, 14.4: strict policy, no sniffing, no framing; nothing about people is kept by a browser or a proxy on the way."""
    faults = []
    for rule, answer in every_page(world):
        headers, policy = answer.headers, answer.headers.get("Content-Security-Policy", "")
        expected = {
            "policy": "default-src 'self'" in policy and "script-src 'self'" in policy and "frame-ancestors 'none'" in policy,
            "unsafe": "unsafe" not in policy and "*" not in policy and "object-src 'none'" in policy and "base-uri 'none'" in policy,
            "nosniff": headers.get("X-Content-Type-Options") == "nosniff",
            "referrer": headers.get("Referrer-Policy") == "same-origin",
            "kept": headers.get("Cache-Control", "").split(",")[0] == KEPT.get(rule.endpoint, "no-store"),
            "sharing": not [name for name, _value in headers if name.lower().startswith("access-control-")],
            "type": bool(answer.content_type) or answer.status_code in (204, 302),
            "server": "Werkzeug" not in headers.get("X-Powered-By", ""),
        }
        faults += [(rule.rule, answer.status_code, name) for name, right in expected.items() if not right]
        if answer.mimetype == "text/html":
            inline = re.findall(r'\sstyle=|<style|<script(?![^>]*\bsrc=)[^>]*>|\son[a-z]+\s*=\s*["\']|javascript:', answer.text)
            faults += [(rule.rule, each) for each in inline]
    assert faults == []


def test_no_template_has_anything_inline():
    """Also in branches that no page of a test reaches."""
    for path in (ROOT / "webapp").rglob("*.html"):
        source = Path(path).read_text(encoding="utf-8")
        assert not re.search(r'\sstyle=|<style|<script(?![^>]*\bsrc=)|\son[a-z]+\s*=\s*["\']|javascript:', source), path
        if path.name not in ("_form.html", "document.html"):  # a form's own Markdown, escaped and built by engine.forms.markdown
            assert not re.search(r"\|\s*safe\b|Markup\(", source), path


def test_other_sites_are_granted_nothing(site):
    """No CORS: a preflight is not answered, an Origin changes nothing."""
    program = site.api("ft-01-1")
    origin = {"Origin": f"https://{EVIL}", "Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "authorization"}
    for method, address in (("OPTIONS", "/instances"), ("OPTIONS", "/tokens"), ("GET", "/me"), ("GET", "/openapi.json")):
        answer = program._send(method, address, headers=origin)
        assert not [name for name, _value in answer.headers if name.lower().startswith("access-control-")], (method, address)


def test_another_host_name_leads_nobody_astray(world):
    """No address is built from the Host header: nothing of it comes back."""
    client = world.site.app.test_client()
    for method, rule in routes(world.site.app):
        if method == "GET":
            with world.site.app.test_request_context():
                address = world.site.app.url_map.bind("").build(rule.endpoint, world.names(world.place("own"), rule, "nobody"))
            answer = client.get(address, base_url=f"http://{EVIL}", headers={"X-Forwarded-Host": EVIL, "Forwarded": f"host={EVIL}"})
            assert EVIL not in answer.text and EVIL not in str(answer.headers), rule


def test_cookies_are_for_this_host_alone_and_no_script_reads_them(site):
    """ASVS 3.3 (3.4 in 4.0): HttpOnly, SameSite; under https Secure and __Host-."""
    for scheme in ("http", "https"):
        client = site.app.test_client()
        base = f"{scheme}://shuibo.example"
        page = client.get("/login", base_url=base)
        form = forms(page.text, "/login") | {"username": "ft-01-1", "password": PASSWORD}
        entered = client.post("/login", data=form, base_url=base, headers={"Referer": f"{base}/login"})
        assert entered.status_code == 302
        chosen = client.get("/language/en", base_url=base)
        cookies = [line for answer in (page, entered, chosen) for line in answer.headers.getlist("Set-Cookie")]
        assert {line.partition("=")[0].removeprefix("__Host-") for line in cookies} == {"shuibo-form", "shuibo-session", "lang"}
        for line in cookies:
            assert "HttpOnly" in line and "SameSite=Lax" in line and "Path=/" in line and "Domain" not in line, line
            assert ("Secure" in line) == (scheme == "https"), line
            assert line.startswith("__Host-") == (scheme == "https" and not line.startswith("lang")), line


# --- what a request may not carry -------------------------------------------------------------------------------------


def test_a_form_is_no_programs_request(world):
    """What any site's form could send (urlencoded, text) is refused by every route of the API, and a cookie is nobody there."""
    count_writes(world.system.database)
    visit = world.site.visit("supervisor")
    for method, rule in routes(world.site.app):
        if method == "GET" or not rule.rule.startswith("/api/"):
            continue
        client, headers = world.client_of("supervisor", api=True)
        names = world.names(world.place("own"), rule, "supervisor")
        with world.site.app.test_request_context():
            address = world.site.app.url_map.bind("").build(rule.endpoint, names)
        written = world.written()
        for kind in ("application/x-www-form-urlencoded", "text/plain"):
            answer = client.open(address, method=method, headers=headers, data='{"reason": "x"}', content_type=kind)
            assert answer.status_code == 415 and answer.json["code"] == "unsupported_media_type", (rule, kind)
        if RIGHTS[rule.endpoint].reach is not Reach.PUBLIC:
            assert visit.client.open(address, method=method, json={}).status_code == 401, rule
        assert world.written() == written, rule


def test_a_token_is_nobody_on_pages(site):
    program = site.api("supervisor")
    assert program.client.get("/cases/", headers={"Authorization": f"Bearer {program.token}"}).status_code == 302


def test_no_header_or_field_makes_one_method_another(site):
    """HEAD and OPTIONS read at most; an override is not known; TRACE is refused."""
    visit, program = site.visit("supervisor"), site.api("supervisor")
    for name in ("X-HTTP-Method-Override", "X-HTTP-Method", "X-Method-Override"):
        assert program.get("/me", headers={name: "DELETE"}).status_code == 200
        assert program.get("/tokens/current", headers={name: "DELETE"}).status_code == 405
    assert program.get("/me").status_code == 200, "still signed in"
    assert visit.get("/logout?_method=POST").status_code == 405
    for method in ("TRACE", "CONNECT", "PUT", "PATCH", "DELETE"):
        assert visit.client.open("/cases/new", method=method).status_code in (400, 405), method
    assert site.visit().client.open("/cases/", method="HEAD").status_code == 302
    assert site.visit().client.open("/cases/", method="OPTIONS").status_code == 401
    assert site.api()._send("OPTIONS", "/instances").status_code == 401


PATHS = [
    "../config.py", "..%2fconfig.py", "%2e%2e/config.py", "....//config.py", "..\\config.py", "/etc/passwd", "//etc/passwd",
    "vendor/../../config.py", "vendor/%2e%2e/%2e%2e/config.py", "site.css%00.js", ".", "vendor", "~root",
]  # fmt: skip


def test_only_our_files_are_served(site):
    client = site.app.test_client()
    for path in PATHS:
        for address in (f"/static/{path}", f"/static//{path}"):
            answer = client.get(address)
            assert answer.status_code in (308, 404), address
            assert "wall_clock" not in answer.text and "root:" not in answer.text


def test_no_name_of_a_file_and_no_address_reaches_a_header(site):
    """Uploaded names, addresses to return to: no line break comes through, nothing is shown as a page of ours."""
    visit = site.visit("supervisor")
    for name in ('a"\r\nX-Evil: 1.bpmn', "a;filename=b.bpmn", "../../a.bpmn", "<b>.bpmn", "中文 名.bpmn", "a\x00.bpmn"):
        answer = visit.submit("/definitions/", {"files": (io.BytesIO(b"<x/>"), name)}, content_type="multipart/form-data")
        assert answer.status_code in (400, 422) and "X-Evil" not in answer.headers and "<b>.bpmn" not in answer.text
    file = visit.get("/definitions/service_delivery/1/files/service_delivery.bpmn")
    assert file.headers["Content-Disposition"] == "attachment" and file.headers["X-Content-Type-Options"] == "nosniff"
    for text in ("/tasks/\r\nX-Evil: 1", "/%0d%0aX-Evil:%201", "//evil.example", "/\\evil.example", "https:evil.example", "/\t/evil.example"):
        answer = visit.get("/language/en", query_string={"next": text})
        location = answer.headers.get("Location", "")
        assert "X-Evil" not in answer.headers and "\n" not in location and (location == "/" or location.startswith("/%0")), text
        address = visit.get("/login", query_string={"next": text}).headers["Location"]
        assert address.startswith("/") and not address.startswith(("//", "/\\", "/\t")), text


def test_no_text_takes_the_square_of_its_length(site):
    """A body of unfinished strings took hours to measure for depth; searches, sign-in names and cursors are as harmless."""
    program, visit = site.api("ft-01-1"), site.visit("ft-01-1")
    for body in (b'[' * 41 + b'"' + b'\\"' * 900_000, b"[" * 41 + b'"' * 1_800_000, b'{"a":' * 41 + b'"\\' * 900_000):
        assert program._send("POST", "/instances", data=body, content_type="application/json").status_code in (400, 422)
    long = "张 a1-" * 5000
    assert program.get("/clients", query_string={"q": long}).status_code == 422
    for address in ("/clients/", "/cases/", "/people"):
        assert visit.get(address, query_string={"q": long}).status_code in (200, 422)
    assert visit.get("/clients/", query_string={"cursor": "a." * 20_000}).status_code == 422
    data = {"place": "room-001", "data": {"name": "张三", "phone": "1 " * 100_000, "id_number": "1" * 100_000}}
    assert program.post("/clients", data).status_code == 422


# --- guessing ---------------------------------------------------------------------------------------------------------


def test_who_has_an_account_cannot_be_told_from_who_has_not(site):
    """The same words, the same work: one hash and the same statements, whether the name is known, closed, or nobody's (ASVS 6.3.8)."""
    site.county.system.database.engine.dispose()
    statements, hashes = [], []
    event.listen(site.app.extensions["system"].database.engine, "before_cursor_execute", lambda *call: statements.append(call[2]))
    admin, program = site.visit("admin"), site.api()
    address = f"/people/{site.county.act('pt-01-1').person_id}"
    assert admin.submit(f"{address}/closed", {"closed": "1"}, page=address).status_code == 302
    visit = site.visit()
    form = forms(visit.get("/login").text, "/login")
    told = {}
    verify = accounts.HASHER.verify
    with pytest.MonkeyPatch.context() as patch:
        counting = type("Counting", (), {"verify": lambda self, stored, given: hashes.append(stored) or verify(stored, given)})
        patch.setattr(accounts, "HASHER", counting())
        for name in ("ft-01-1", "pt-01-1", "nobody-1"):
            statements.clear()
            hashes.clear()
            page = visit.client.post("/login", data=form | {"username": name, "password": "wrong"})
            asked = program.post("/tokens", {"username": name, "password": "wrong"})
            body = {key: value for key, value in asked.json.items() if key != "reference"}
            text = re.sub(r'value="[\w.-]{60,}"', "", page.text.replace(name, ""))  # the form's token tells the second
            told[name] = (page.status_code, text, asked.status_code, body, [sql.split()[0] for sql in statements], len(hashes))
    assert told["ft-01-1"] == told["pt-01-1"] == told["nobody-1"]
    assert told["nobody-1"][0] == told["nobody-1"][2] == 401 and told["nobody-1"][5] == 2


@pytest.mark.parametrize("username", ["ft-01-1", "nobody-1"])
def test_guessing_is_counted_over_all_processes_and_ways_in(site, tmp_path, username):
    """Two applications on one database, pages and programs; a name that is nobody's is blocked alike."""
    twin = Site(site.county, tmp_path)
    guess = {"username": username, "password": "wrong"}
    pages = [each.visit() for each in (site, twin)]
    tokens = [forms(visit.get("/login").text, "/login") for visit in pages]
    statuses = []
    for number in range(accounts.FAILURES["username"] + 2):
        which = number % 2
        if number % 3:
            statuses.append(pages[which].client.post("/login", data=tokens[which] | guess).status_code)
        else:
            statuses.append((site, twin)[which].api().post("/tokens", guess).status_code)
    assert statuses == [401] * accounts.FAILURES["username"] + [429, 429]
    for where in (site, twin):
        assert where.api().post("/tokens", {"username": username, "password": PASSWORD}).status_code == 429
    twin.close()


def guesses(site, addresses, **environ) -> list[int]:
    """The statuses of one guess each, with these forwarded addresses."""
    client = site.app.test_client()
    return [
        client.post(
            "/api/v1/tokens",
            json={"username": f"nobody-{number}", "password": "wrong"},
            headers={"X-Forwarded-For": address},
            environ_base={"REMOTE_ADDR": "10.0.0.1", **environ},
        ).status_code
        for number, address in enumerate(addresses)
    ]


def test_the_address_behind_a_proxy_counts_only_where_a_proxy_was_announced(site, tmp_path, monkeypatch):
    """Without SHUIBO_PROXIES whoever asks says any address they like, and it counts for nothing; with it, what the proxy itself saw counts."""
    monkeypatch.setitem(accounts.FAILURES, "address", 3)
    assert guesses(site, [f"192.0.2.{number}" for number in range(5)]) == [401] * 3 + [429] * 2
    proxied = Site(site.county, tmp_path, proxies=1)
    seen = [f"192.0.2.{number}, 198.51.100.7" for number in range(5)]  # the left part is what the client claimed
    assert guesses(proxied, seen) == [401] * 3 + [429] * 2
    assert guesses(proxied, ["198.51.100.8"]) == [401]
    proxied.close()


def test_tokens_tried_in_vain_have_to_wait_in_every_process(site, tmp_path, monkeypatch):
    monkeypatch.setitem(accounts.FAILURES, "token", 4)
    twin, good = Site(site.county, tmp_path), site.api("ft-01-1")
    statuses = []
    for number in range(6):
        program = (site, twin)[number % 2].api()
        program.token = f"guess-{number}"
        statuses.append(program.get("/me").status_code)
    assert statuses == [401] * 4 + [429] * 2
    program.token = "guess"
    answer = program.post("/instances", {"definition": "x"}, headers={"Idempotency-Key": "k"})
    assert answer.status_code == 429 and answer.json["code"] == "too_many_attempts"
    assert 0 < int(answer.headers["Retry-After"]) <= accounts.WINDOW.total_seconds()
    assert "还要等 15 分钟" in answer.json["detail"]
    assert good.get("/me").status_code == 200, "a right one from the same address works"
    twin.close()


def test_an_idempotency_key_opens_nobody_elses_answer(site):
    """It belongs to actor and route; and whoever lost the right gets no stored answer either."""
    key, body = {"Idempotency-Key": "known to all"}, {"definition": "service_delivery", "place": "room-001"}
    first = site.api("ft-01-1").post("/instances", body, headers=key).json
    other = site.api("ft-01-2").post("/instances", body, headers=key).json
    assert first["id"] != other["id"]
    assert site.api("volunteer-01-1").post("/instances", body, headers=key).status_code == 403
    assert site.api().post("/instances", body, headers=key).status_code == 401
    page = f"/people/{site.county.act('ft-01-1').person_id}"
    assert site.visit("admin").submit(f"{page}/roles", {"roles": ["resident"]}, page=page).status_code == 302
