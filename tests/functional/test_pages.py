"""Pages as people meet them, without JavaScript: signing in, the inbox, a task and its form, a case, clients, the county's settings."""

import html
import io
import re
from dataclasses import replace

import pytest
from structlog.testing import capture_logs

from engine.db import Database
from tests.bpmn.service import FILES
from tests.support.county import PASSWORD
from tests.support.web import flat, forms, words_of
from webapp.demo.answers import answer

VISIT = {"basis": "statutory", "crisis": False, "urgency": "normal"}


def start(site, who: str = "ft-01-1", **more) -> str:
    """A case started by its page; the address of its first task or of the case."""
    form = {"definition": "service_delivery", "place": "room-001", **more}
    response = site.visit(who).submit("/cases/new", form)
    assert response.status_code == 302, words_of(response.text)
    return response.headers["Location"]


def complete(site, who: str, address: str, **wishes):
    """Take a task, fill in its form, send it."""
    visit = site.visit(who)
    taken = visit.submit(f"{address}/claim", page=address)
    assert taken.status_code == 302, words_of(taken.text)
    task = site.api(who).get(address).json
    data = flat(answer(task["form"], wishes, site.county.now))
    return visit.submit(f"{address}/complete", data | {"_hidden": ""}, page=address)


def a_claimed_visit(site, who: str = "assistant-001"):
    """(browser, address of the task it holds, hidden fields of its form, a full set of answers)."""
    start(site)
    visit = site.visit(who)
    address = re.search(r'href="(/tasks/[0-9a-f]{32})"', visit.get("/tasks/?view=offered").text)[1]
    visit.submit(f"{address}/claim", page=address)
    schema = site.api(who).get(address).json["form"]
    typed = flat(answer(schema, VISIT | {"situation": "独居，腿脚不便"}, site.county.now))
    return visit, address, forms(visit.get(address).text, f"{address}/complete") | {"_hidden": ""}, typed


def test_a_page_sent_twice_with_other_answers_says_so_in_plain_words(site):
    """Back button, a change, and the same page again: it spoke of an Idempotency-Key alone."""
    visit = site.visit("ft-01-1")
    form = forms(visit.get("/cases/new").text, "/cases/new") | {"definition": "service_delivery"}
    assert visit.client.post("/cases/new", data=form | {"place": "room-001"}).status_code == 302
    other = visit.client.post("/cases/new", data=form | {"place": "station-01"})
    assert other.status_code == 422 and "已经提交过一次" in other.text


def test_english_readers_see_the_english_name_of_a_procedure(site):
    """In the list of cases, in the choice of procedures and on a client's page it stood in Chinese."""
    start(site)
    visit = site.visit("supervisor")
    visit.get("/language/en")
    for page in ("/cases/", "/cases/new", "/definitions/"):
        text = visit.get(page).text
        assert "Social-work service" in text and "社工服务" not in text, page


def test_who_leaves_with_tasks_in_hand_is_told_of(site):
    """An account was closed and its tasks stayed with it, unseen."""
    a_claimed_visit(site, "ft-01-1")
    admin = site.visit("admin")
    page = admin.get("/people?q=林专一&unit=station-01").text
    address = re.search(r'href="(/people/[0-9a-f]{32})"', page)[1]
    assert "名下还有 1 项在办任务" in admin.get(address).text


def test_a_parameter_that_no_deadline_can_use_is_refused(site):
    """3.5 working days, or 100000, were taken, and every case of the county stopped with an incident."""
    visit = site.visit("supervisor")
    for value in ("3.5", "100000", "-1", "1e9", "nan", ""):
        refused = visit.submit("/settings/parameters", {"key": "intake_days", "value": value, "unit": ""})
        assert refused.status_code == 422 and "intake_days" in refused.text, value
    assert visit.submit("/settings/parameters", {"key": "intake_days", "value": "2500", "unit": ""}).status_code == 302
    start(site)
    address = re.search(r'href="(/tasks/[0-9a-f]{32})"', site.visit("assistant-001").get("/tasks/?view=offered").text)[1]
    assert complete(site, "assistant-001", address, **VISIT).status_code == 302
    first = re.search(r'href="(/tasks/[0-9a-f]{32})"', site.visit("ft-01-1").get("/tasks/?view=offered").text)[1]
    assert complete(site, "ft-01-1", first).status_code == 302
    assert "接案" in site.visit("ft-01-1").get("/tasks/?view=offered").text


def test_every_page_tells_the_browser_what_not_to_do(site):
    visit = site.visit("ft-01-1")
    for address in ("/tasks/", "/login", "/nothing", "/static/site.css", "/api/v1/tasks", "/health/live"):
        headers = visit.get(address).headers
        policy = headers["Content-Security-Policy"]
        assert "default-src 'self'" in policy and "unsafe" not in policy and "frame-ancestors 'none'" in policy
        assert headers["X-Content-Type-Options"] == "nosniff" and headers["Referrer-Policy"] and headers["Permissions-Policy"]
        assert headers["Cache-Control"] == ("public, max-age=3600" if "static" in address else "no-store")
    page = visit.get("/tasks/").text
    assert " style=" not in page and "<script>" not in page and not re.search(r"\son\w+=", page)
    hashed = re.search(r'/static/site\.css\?v=\w+', page)[0]
    assert "immutable" in visit.get(hashed).headers["Cache-Control"]
    assert visit.get("/static/../config.py").status_code == 404


def test_two_tasks_by_form_and_the_time_line(site):
    address = start(site)
    case = address if address.startswith("/cases/") else None
    assistant = site.visit("assistant-001")
    offered = assistant.get("/tasks/?view=offered").text
    first = re.search(r'href="(/tasks/[0-9a-f]{32})"', offered)[1]
    done = complete(site, "assistant-001", first, **VISIT)
    assert done.status_code == 302, words_of(done.text)
    offered = site.visit("ft-01-1").get("/tasks/?view=offered").text
    second = re.search(r'href="(/tasks/[0-9a-f]{32})"', offered)[1]
    done = complete(site, "ft-01-1", second)
    assert done.status_code == 302, words_of(done.text)
    case = case or re.search(r'href="(/cases/[0-9a-f]{32})"', site.visit("ft-01-1").get(second).text)[1]
    page = site.visit("ft-01-1").get(case).text
    read = words_of(page)
    assert read.count("办结任务") == 2 and "个案已发起" in read and "走访登记" in read
    assert site.county.act("assistant-001").name in read
    every = words_of(site.visit("ft-01-1").get(f"{case}?all=1").text)
    assert "element:completed" in every
    assert site.visit("ft-01-1").get(f"{case}/diagram.bpmn").data.startswith(b"<?xml")
    assert site.county.faults() == []


def test_a_wrong_form_comes_back_as_it_was(site):
    start(site)
    visit = site.visit("assistant-001")
    address = re.search(r'href="(/tasks/[0-9a-f]{32})"', visit.get("/tasks/?view=offered").text)[1]
    visit.submit(f"{address}/claim", page=address)
    wrong = visit.submit(f"{address}/complete", {"clientName": "张三", "birthDate": "昨天"}, page=address)
    assert wrong.status_code == 422 and 'value="张三"' in wrong.text and 'value="昨天"' in wrong.text
    assert "请填写有效的日期" in wrong.text and 'aria-invalid="true"' in wrong.text


def test_a_form_sent_twice_counts_once(site):
    visit = site.visit("ft-01-1")
    page = visit.get("/cases/new").text
    hidden = dict(re.findall(r'name="(_once|csrf_token)" value="([^"]+)"', page))
    form = hidden | {"definition": "service_delivery", "place": "room-001"}
    assert visit.client.post("/cases/new", data=form).status_code == 302
    assert visit.client.post("/cases/new", data=form).status_code == 302
    assert len(site.api("ft-01-1").get("/instances").json["items"]) == 1


def test_a_regulation_refuses_on_the_page_with_its_reason(site):
    start(site)
    visit = site.visit("assistant-001")
    address = re.search(r'href="(/tasks/[0-9a-f]{32})"', visit.get("/tasks/?view=offered").text)[1]
    visit.submit(f"{address}/claim", page=address)
    task = site.api("assistant-001").get(address).json
    data = flat(answer(task["form"], {"basis": "consent", "crisis": False, "urgency": "normal"}, site.county.now))
    data.pop("consentSigned", None)
    refused = visit.submit(f"{address}/complete", data | {"_hidden": ""}, page=address)
    assert refused.status_code in (409, 422), words_of(refused.text)
    read = words_of(refused.text)
    assert "同意" in read and ("规则" in read or "请勾选此项" in read)


def test_claim_release_delegate(site):
    start(site)
    lead = site.visit("lead-01")
    address = re.search(r'href="(/tasks/[0-9a-f]{32})"', lead.get("/tasks/?view=station").text)[1]
    page = lead.get(address).text
    people = re.findall(r'<option value="([\w-]+)">', page)
    assert "assistant-001" in people and "ft-02-1" not in people
    assert lead.submit(f"{address}/delegate", {"to": "assistant-001"}, page=address).status_code == 302
    assert site.visit("assistant-001").get("/tasks/").text.count(address) == 1
    assert lead.submit(f"{address}/release", page=address).status_code == 302
    refused = lead.submit(f"{address}/delegate", {"to": "volunteer-01-1"}, page=address)
    assert refused.status_code == 403 and "没有办成" in refused.text


def test_cancelling_needs_the_right_and_a_reason(site):
    start(site)
    case = site.api("ft-01-1").get("/instances").json["items"][0]["id"]
    lead = site.visit("lead-01")
    assert lead.submit(f"/cases/{case}/cancel", {"reason": " "}, page=f"/cases/{case}").status_code == 422
    assert lead.submit(f"/cases/{case}/cancel", {"reason": "迁出"}, page=f"/cases/{case}").status_code == 302
    assert "已终止" in lead.get(f"/cases/{case}").text
    worker = site.visit("ft-01-1")
    assert "终止个案" not in re.sub(r"<ol.*?</ol>", "", worker.get(f"/cases/{case}").text, flags=re.DOTALL)
    assert site.visit("ft-02-1").get(f"/cases/{case}").status_code == 404
    assert site.visit("admin").get(f"/cases/{case}").status_code == 403


def test_clients_are_registered_found_and_opened(site):
    visit = site.visit("ft-01-1")
    wrong = visit.submit("/clients/new", {"name": "", "birth_date": "3000-01-01", "place": "room-001"})
    assert wrong.status_code == 422 and "请填写姓名" in wrong.text and "出生日期应在" in wrong.text
    made = visit.submit("/clients/new", {"name": "张三", "birth_date": "1950-03-08", "place": "room-001", "categories": ["veteran"]})
    assert made.status_code == 302, words_of(made.text)
    address = made.headers["Location"]
    for text in ("张三", "zhangsan", "zs"):
        assert address in visit.get("/clients/", query_string={"q": text}).text
    page = words_of(visit.get(address).text)
    assert "张三" in page and "1950年3月8日" in page and "复员军人" in page
    changed = visit.submit(f"{address}/edit", {"name": "张三丰", "birth_date": "1950-03-08"})
    assert changed.status_code == 302 and "张三丰" in visit.get(address).text
    access = site.visit("auditor").get("/audit/access?who=ft-01-1").text
    assert "查看服务对象资料" in access and "张三" not in access
    together = re.search(r'href="(/clients/new\?household=[^"]+)"', visit.get(address).text)
    assert visit.submit(html.unescape(together[1]), {"name": "张小宝", "place": "room-001"}).status_code == 302
    assert "同户： 张三丰" in words_of(visit.get("/clients/", query_string={"q": "张小宝"}).text)
    client = address.rsplit("/", 1)[1]
    started = visit.submit("/cases/new", {"definition": "service_delivery", "place": "room-001", "client_id": client})
    assert started.status_code == 302
    assert "张三丰" in site.visit("assistant-001").get("/tasks/?view=offered").text
    number = site.api("ft-01-1").get("/instances").json["items"][0]["number"]
    case = site.api("ft-01-1").get("/instances").json["items"][0]["id"]
    assert "张三丰" in visit.get(f"/cases/{case}").text
    assert f"个案 {number}" in site.visit("auditor").get("/audit/access?who=ft-01-1").text
    for text in ("张三", "zhangsan", "zs", number, number[:8]):
        assert number in visit.get("/cases/", query_string={"q": text}).text, text
    for query in ({"q": "李四"}, {"q": "张三", "status": "completed"}):
        assert number not in visit.get("/cases/", query_string=query).text
    assert number not in site.visit("lead-02").get("/cases/", query_string={"q": "张三"}).text
    assert site.visit("volunteer-01-1").get("/clients/").status_code == 403


def test_the_county_and_its_people(site):
    visit = site.visit("supervisor")
    home = words_of(visit.get("/").text)
    assert "甲镇" in home and "乙镇" in home and "进行中的个案" in home
    assert site.county.act("ft-01-1").name in visit.get("/units/station-01").text
    assert visit.get("/units/nowhere").status_code == 404
    assert visit.get("/people", query_string={"q": site.county.act("lead-01").name}).status_code == 200


def test_an_admin_opens_changes_and_closes_an_account(site):
    admin = site.visit("admin")
    wrong = admin.submit("/people/new", {"name": "", "unit": "station-01", "workforce": "full_time"})
    assert wrong.status_code == 422 and "请填写姓名" in wrong.text
    person = {"name": "秦新来", "unit": "station-01", "workforce": "full_time"}
    address = admin.submit("/people/new", person).headers["Location"]
    assert "没有账号" in admin.get("/people?q=qxl").text
    taken = admin.submit(f"{address}/account", {"username": "ft-01-1", "password": "long enough", "roles": "worker"}, page=address)
    assert taken.status_code == 422 and "已经使用" in taken.text and 'value="long enough"' in taken.text
    account = {"username": "qin", "password": "qin is short", "roles": "worker"}
    assert "密码不能包含用户名" in admin.submit(f"{address}/account", account, page=address).text
    done = admin.submit(f"{address}/account", account | {"password": PASSWORD}, page=address)
    assert done.status_code == 302
    newcomer = site.visit("qin")
    assert newcomer.get("/tasks/").status_code == 200
    assert admin.submit(f"{address}/roles", {"roles": ["worker", "lead"]}, page=address).status_code == 302
    assert "站长" in admin.get(address).text and newcomer.get(address).status_code == 200
    assert admin.submit(f"{address}/roles", {}, page=address).status_code == 422
    assert admin.submit(f"{address}/password", {"password": "another horse"}, page=address).status_code == 302
    assert newcomer.get("/tasks/").status_code == 302, "signed out"
    assert newcomer.submit("/login", {"username": "qin", "password": "another horse"}).status_code == 302
    assert admin.submit(f"{address}/closed", {"closed": "1"}, page=address).status_code == 302
    assert newcomer.submit("/login", {"username": "qin", "password": "another horse"}).status_code == 401
    assert "已停用" in admin.get("/people?q=秦新来").text
    assert admin.submit(f"{address}/closed", {"closed": "0"}, page=address).status_code == 302
    assert newcomer.submit("/login", {"username": "qin", "password": "another horse"}).status_code == 302
    assert site.county.faults() == []


def test_a_lead_manages_the_workers_of_the_own_station_only(site):
    lead = site.visit("lead-01")
    people = lead.get("/people").text
    assert "ft-01-1" in people and "assistant-001" in people and "ft-02-1" not in people and "登记新人员" not in people

    def address(username: str) -> str:
        return f"/people/{site.county.act(username).person_id}"

    assert lead.submit(f"{address('ft-01-1')}/password", {"password": "another horse"}, page=address("ft-01-1")).status_code == 302
    assert lead.submit(f"{address('ft-01-1')}/roles", {"roles": ["lead"]}, page=address("ft-01-1")).status_code == 403
    assert lead.get(address("ft-02-1")).status_code == 403 and lead.get(address("supervisor")).status_code == 403
    assert lead.submit(f"{address('ft-02-1')}/closed", {"closed": "1"}, page="/people").status_code == 403
    assert "您自己的账号" in lead.get(address("lead-01")).text
    assert lead.get("/people?q=lin&unit=station-02").status_code == 200
    for who in ("pt-01-1", "auditor", "supervisor"):
        assert site.visit(who).get(address("ft-01-1")).status_code == 403
    assert lead.submit("/people/new", {"name": "某某"}, page="/people").status_code == 403


def test_procedures_are_deployed_and_published(site):
    visit = site.visit("supervisor")
    assert "service_delivery" in visit.get("/definitions/").text
    page = visit.get("/definitions/service_delivery/1")
    assert page.status_code == 200 and "已发布" in page.text
    name = re.search(r'/definitions/service_delivery/1/files/([\w.-]+bpmn)"', page.text)[1]
    file = visit.get(f"/definitions/service_delivery/1/files/{name}")
    assert file.headers["Content-Disposition"] == "attachment" and file.data.startswith(b"<?xml")
    assert "多半是笔误" not in page.text
    slip = {name: content.replace(b"=basis = ", b"=bassis = ") if name.endswith(".bpmn") else content for name, content in FILES.items()}
    upload = {"files": [(io.BytesIO(content), name) for name, content in slip.items()]}
    assert visit.submit("/definitions/", upload, content_type="multipart/form-data").status_code == 302
    remarks = visit.get("/definitions/service_delivery/2").text
    assert "多半是笔误" in remarks and "bassis" in remarks
    assert "bassis" not in site.visit("ft-01-1").get("/definitions/service_delivery/2").text
    wrong = visit.submit("/definitions/", {"files": (io.BytesIO(b"<nonsense/>"), "a.bpmn")}, content_type="multipart/form-data")
    assert wrong.status_code == 422 and "没有部署" in wrong.text
    assert visit.submit("/definitions/service_delivery/1/withdraw", page="/definitions/service_delivery/1").status_code == 302
    assert 'value="service_delivery"' not in site.visit("ft-01-1").get("/cases/new").text
    assert site.visit("ft-01-1").submit("/definitions/", page="/definitions/").status_code == 403


def test_a_calendar_is_imported(site):
    visit = site.visit("admin")
    file = "日期,类型,名称\n2027-01-01,holiday,元旦\n"
    wrong = visit.submit(
        "/settings/calendar", {"year": "2027", "file": (io.BytesIO(file.encode()), "a.csv")}, content_type="multipart/form-data"
    )
    assert wrong.status_code == 422 and "第 1 行" in wrong.text
    good = {"year": "2027", "file": (io.BytesIO("2027-01-01,holiday,元旦\n".encode("gb18030")), "a.csv")}
    assert visit.submit("/settings/calendar", good, content_type="multipart/form-data").status_code == 302
    assert "2027-01-01" in visit.get("/settings/calendar").text
    assert visit.submit("/settings/calendar", {"year": "2024"}).status_code == 302
    assert visit.submit("/settings/calendar", {"year": "2099"}).status_code == 422
    assert visit.submit("/settings/calendar", {"year": "x"}).status_code == 422
    assert site.visit("ft-01-1").get("/settings/calendar").status_code == 403
    assert site.county.faults() == []


def test_an_admin_is_told_of_a_calendar_that_should_be_there(site):
    def told(who: str) -> bool:
        return "2027 年的工作日历还没有导入" in words_of(site.visit(who).get("/").text)

    site.county.now = site.county.now.replace(month=10, day=31)
    assert not told("admin")
    site.county.now = site.county.now.replace(month=11, day=1)
    assert told("admin") and not told("supervisor"), "who can do something about it"
    visit = site.visit("admin")
    file = io.BytesIO("2027-01-01,holiday,元旦\n".encode())
    visit.submit("/settings/calendar", {"year": "2027", "file": (file, "a.csv")}, content_type="multipart/form-data")
    assert not told("admin")


def test_a_parameter_is_changed(site):
    visit = site.visit("supervisor")
    key = re.search(r'name="key" value="(\w+)"', visit.get("/settings/parameters").text)[1]
    changed = visit.submit("/settings/parameters", {"key": key, "value": "7", "unit": "station-01"})
    assert changed.status_code == 302
    assert re.search(r"甲镇：<b>7</b>", visit.get("/settings/parameters").text)
    assert visit.submit("/settings/parameters", {"key": key, "value": "many"}).status_code == 422
    assert visit.submit("/settings/parameters", {"key": "nothing", "value": "1"}).status_code == 404
    assert site.county.faults() == []


def test_a_page_that_is_not_there_says_so_without_its_id(site):
    visit = site.visit("ft-01-1")
    for address in ("/tasks/", "/cases/", "/clients/"):
        told = visit.get(address + "0" * 32)
        assert told.status_code == 404 and "0" * 32 not in words_of(told.text), address
    assert "0" * 32 in site.api("ft-01-1").get(f"/tasks/{'0' * 32}").json["detail"], "a program is told which"


def test_the_auditor_verifies(site):
    start(site)
    visit = site.visit("auditor")
    assert "历史完整" in visit.submit("/audit/verify", page="/audit/").text
    assert site.visit("ft-01-1").get("/audit/").status_code == 403
    assert "制度" in visit.get("/definitions/").text


def test_error_pages_help(site):
    visit = site.visit("ft-01-1")
    gone = words_of(visit.get("/tasks/nope").text)
    assert "没有找到任务“nope”" in gone and "接下来怎么做" in gone and "not_found" in gone
    assert "没有这个页面" in words_of(site.visit().get("/nothing").text)
    for address in ("/tasks/%00", "/units/%00", "/cases/%00"):
        assert visit.get(address).status_code == 404
    assert visit.get("/clients/?q=%00").status_code == 400
    assert visit.get("/tasks/?view=nonsense").status_code == 422
    assert visit.get("/clients/?cursor=nonsense").status_code == 422


def test_a_fault_of_ours_is_told_with_a_reference_and_logged_without_data(site, monkeypatch):
    def broken(*_arguments, **_options):
        raise RuntimeError("张三的秘密")

    monkeypatch.setattr("engine.tasks.inbox", broken)
    visit = site.visit("ft-01-1")
    with capture_logs() as logged:
        page = visit.get("/tasks/")
    assert page.status_code == 500 and "系统出错了" in page.text and "张三" not in page.text
    reference = re.search(r'<span class="mono">([0-9A-F]{8})</span>', page.text)[1]
    [line] = logged
    assert line["reference"] == reference and line["error"] == "RuntimeError" and "张三" not in str(line)
    told = site.api("ft-01-1").get("/tasks")
    assert told.status_code == 500 and told.json["code"] == "internal_error" and "张三" not in told.text


def test_health_and_metrics(site):
    client = site.app.test_client()
    assert client.get("/health/live").json == {"status": "ok"}
    assert client.get("/health/ready").status_code == 200
    assert "shuibo_http_requests_total" in client.get("/metrics").text


@pytest.mark.parametrize("backend", ["sqlite"])
@pytest.mark.parametrize("url", ["sqlite:////nowhere/at/all/shuibo.db", "postgresql+psycopg://nobody@127.0.0.1:9/none"])
def test_without_a_database_there_still_is_a_page(site, monkeypatch, url):
    """The page that told of it asked the database who was reading, and so there was none: the server's bare 500, without our headers."""
    visit = site.visit("ft-01-1")
    monkeypatch.setitem(site.app.extensions, "system", replace(site.app.extensions["system"], database=Database(url)))
    for address, status in {"/": 503, "/cases/": 503, "/login": 503, "/tasks/?view=offered": 503, "/nowhere": 404}.items():
        told = visit.get(address)
        assert told.status_code == status, (address, told.text)
        assert "Content-Security-Policy" in told.headers and "接下来怎么做" in told.text
        assert ("Retry-After" in told.headers) == (status == 503)
