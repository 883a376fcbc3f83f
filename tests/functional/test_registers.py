"""登记 as people and programs meet it: pages and API made from declarations, files looked at before anything is written, reminders."""

import io
import re

import pytest

from engine.registers.catalogue import REGISTERS
from tests.integration.test_registers import VALID
from tests.support.web import words_of

HEADER = "人员,证号,发证日期,有效期至\n"


def upload(visit, text: bytes, register="badges", **more):
    """The import page's answer to a file."""
    address = f"/registers/{register}/import"
    return visit.submit(address, {"file": (io.BytesIO(text), "a.csv")} | more, content_type="multipart/form-data")


def add(site, register, whom, who="lead-01", **more) -> str:
    answer = site.api(who).post(f"/registers/{register}", {"whom": whom, "values": VALID[register] | more})
    assert answer.status_code == 201, answer.json
    return answer.json["id"]


@pytest.mark.parametrize("key", REGISTERS)
def test_every_register_by_its_pages(site, key):
    lead, register = site.visit("lead-01"), REGISTERS[key]
    whom = {"person": "ft-01-1", "unit": "station-01", "client": "欧阳甲"}[register.about]
    if register.about == "client":
        site.api("ft-01-1").post("/clients", {"place": "room-001", "data": {"name": "欧阳甲"}})
    page = lead.get(f"/registers/{key}/new").text
    assert all(f'name="{field.key}"' in page for field in register.fields)
    answer = lead.submit(f"/registers/{key}/new", {"whom": whom} | VALID[key])
    assert answer.status_code == 302, words_of(answer.text)
    address = answer.headers["Location"]
    assert lead.get(address).status_code == 200 and register.name in lead.get(address).text
    assert register.name in lead.get("/registers/").text and address in lead.get(f"/registers/{key}").text
    assert address in lead.get(f"/registers/{key}?q={whom}").text
    again = lead.submit(address, VALID[key] | {"version": "1"}, page=address)
    assert again.status_code == 302, words_of(again.text)
    refused = lead.submit(address, dict.fromkeys(VALID[key], "x" * 2000), page=address)
    assert refused.status_code == 422 and 'aria-invalid="true"' in refused.text
    assert lead.submit(f"{address}/end", {"reason": ""}, page=address).status_code == 422
    assert lead.submit(f"{address}/end", {"reason": "登记有误"}, page=address).status_code == 302
    assert "已注销" in lead.get(address).text and address not in lead.get(f"/registers/{key}").text
    assert address in lead.get(f"/registers/{key}?state=ended").text
    lead.client.set_cookie("lang", "en")
    assert register.name_en in lead.get(f"/registers/{key}/new").text
    assert site.county.faults() == []


def test_the_form_says_what_is_wrong_and_keeps_what_was_typed(site):
    lead = site.visit("lead-01")
    answer = lead.submit("/registers/badges/new", {"whom": "没有这个人", "number": "GP-7", "issued_on": "2026-05-01", "valid_until": "2026-13-01"})
    assert answer.status_code == 422 and "没有这个人，或者不在您管理的单位" in answer.text and 'value="没有这个人"' in answer.text
    answer = lead.submit("/registers/badges/new", {"whom": "ft-01-1", "number": "GP-7", "issued_on": "2026-05-01", "valid_until": "03/04/2026"})
    assert answer.status_code == 422 and "分不清哪个是月" in answer.text and 'value="GP-7"' in answer.text
    lead.client.set_cookie("lang", "en")
    answer = lead.submit("/registers/badges/new", {"whom": "ft-01-1", "number": "", "issued_on": "2026-05-01", "valid_until": "03/04/2026"})
    assert "Month and day cannot be told apart" in answer.text and "Please fill this in" in answer.text


def test_two_who_correct_one_entry(site):
    made = add(site, "badges", "ft-01-1")
    one, other = site.visit("lead-01"), site.visit("admin")
    address = f"/registers/badges/{made}"
    assert one.submit(address, VALID["badges"] | {"number": "A", "version": "1"}, page=address).status_code == 302
    late = other.submit(address, VALID["badges"] | {"number": "B", "version": "1"}, page=address)
    assert late.status_code == 409 and 'value="B"' in late.text


def test_a_pressed_twice_button_adds_once(site):
    lead = site.visit("lead-01")
    given = {"whom": "ft-01-1", "_once": "a" * 32} | VALID["badges"]
    first, second = (lead.submit("/registers/badges/new", given) for _ in range(2))
    assert first.headers["Location"] == second.headers["Location"]


def test_people_see_and_declare_their_own_and_nothing_else(site):
    made, other = add(site, "badges", "ft-01-1"), add(site, "badges", "ft-01-2")
    worker = site.visit("ft-01-1")
    mine = worker.get("/registers/mine").text
    assert made in mine and other not in mine
    assert made in worker.get("/registers/badges").text and other not in worker.get("/registers/badges").text
    assert worker.get(f"/registers/badges/{made}").status_code == 200
    assert worker.get(f"/registers/badges/{other}").status_code == 404
    assert worker.get("/registers/badges/new").status_code == 403
    answer = worker.submit("/registers/gifts/new", {"reported_on": "2026-03-01", "what": "鸡蛋", "from_whom": "张大娘"})
    assert answer.status_code == 302
    page = worker.get(answer.headers["Location"]).text
    assert "鸡蛋" in page and 'name="handled"' not in page
    assert site.visit("lead-02").get(answer.headers["Location"]).status_code == 404
    assert "鸡蛋" in site.visit("lead-01").get(answer.headers["Location"]).text


def test_everything_about_one_person_and_one_station(site):
    made = add(site, "badges", "ft-01-1")
    lead, person = site.visit("lead-01"), site.county.act("ft-01-1").person_id
    page = lead.get(f"/registers/of/person/{person}").text
    assert made in page and "林专一" in page and f"whom={person}" in page
    form = lead.get(f"/registers/trainings/new?whom={person}").text
    assert "林专一" in form
    answer = lead.submit(f"/registers/trainings/new?whom={person}", {"whom": person} | VALID["trainings"])
    assert answer.status_code == 302
    premises = add(site, "premises", "station-01")
    assert premises in lead.get(f"/registers/of/unit/{site.county.act('lead-01').unit_id}").text
    assert site.visit("lead-02").get(f"/registers/of/person/{person}").status_code == 404
    assert lead.get("/registers/of/person/none").status_code == 404


def test_reminders_stand_on_the_inbox_of_who_it_is_about_and_of_their_lead(site):
    add(site, "badges", "ft-01-1", valid_until="2026-03-20")
    add(site, "badges", "ft-01-2", valid_until="2026-02-20")
    own = words_of(site.visit("ft-01-1").get("/tasks/").text)
    assert "您的登记要续办了" in own and "工作证" in own and "本辖区登记" not in own
    lead = site.visit("lead-01")
    told = words_of(lead.get("/tasks/").text)
    assert "1 条已过期" in told and "1 条在 30 天内到期" in told and "您的登记" not in told
    other = site.visit("lead-02").get("/tasks/").text
    assert "本辖区登记" not in other and "您的登记" not in other
    page = lead.get("/registers/entries").text
    assert "林专一" in page and "已过期" not in words_of(page).split("筛选")[1]
    assert "林专一" not in lead.get("/registers/entries?state=lapsed").text
    lead.client.set_cookie("lang", "en")
    assert "have lapsed" in lead.get("/tasks/").text or "has lapsed" in lead.get("/tasks/").text


def test_posts_and_vacancies(site):
    supervisor = site.visit("supervisor")
    page = words_of(supervisor.get("/registers/vacancies").text)
    assert "专职社工" in page and "缺" in page
    add(site, "posts", "station-01", number=1)
    items = site.api("lead-01").get("/registers/vacancies").json["items"]
    assert {each["station"] for each in items} == {"station-01"}
    full = next(each for each in items if each["workforce"] == "full_time")
    assert full["required"] == 1 and full["entered"] and full["vacant"] == max(0, 1 - full["held"])
    assert site.visit("ft-01-1").get("/registers/vacancies").status_code == 403


# --- files ----------------------------------------------------------------------------------------------------------------------


def test_a_file_is_looked_at_and_then_imported_whatever_its_encoding(site):
    lead = site.visit("lead-01")
    dated = {"gbk": ("2026/1/5", "2026年12月31日"), "utf-8-sig": ("20260105", "2026-12-31"), "utf-16": ("2026.1.5", "2026-12-31")}
    for number, (encoding, dates) in enumerate(dated.items()):
        text = (HEADER + f"林专一,GP-{number},{dates[0]},{dates[1]}\nft-01-2,GP-9{number},{dates[0]},{dates[1]}\n").encode(encoding)
        looked = upload(lead, text)
        assert looked.status_code == 200 and "可以导入 2 条" in looked.text and f"GP-{number}" in looked.text
        assert f"GP-{number}" not in lead.get("/registers/badges").text, "nothing is written before it is confirmed"
        held = re.search(r'name="content" value="([^"]+)"', looked.text)[1]
        done = lead.submit("/registers/badges/import", {"step": "import", "content": held})
        assert done.status_code == 302 and f"GP-{number}" in lead.get("/registers/badges").text
        twice = upload(lead, text)
        assert "可以导入 0 条" in twice.text and "另有 2 条已经登记过" in twice.text
    assert site.county.faults() == []


def test_every_faulty_line_is_told_and_nothing_is_written(site):
    lead = site.visit("lead-01")
    text = HEADER + "ft-01-1,A,2026-01-01,2026-12-31\n查无此人,B,2026-01-01,2026-12-31\nft-01-1,A,2026-01-01,2026-12-31\nft-02-1,C,01/02/2026,2026-12-31\n"
    text += "ft-01-2,D,2026-02-30,2026-12-31\n"
    for page in (upload(lead, text.encode("gbk")), upload(lead, text.encode())):
        told = words_of(page.text)
        assert page.status_code == 422
        assert "第 3 行" in told and "没有这个人" in told and "第 4 行" in told and "与第 2 行重复" in told
        assert "第 5 行" in told and "第 6 行" in told and "没有这一天" in told and "一条也没有导入" in told
    assert "没有登记" in lead.get("/registers/badges").text
    program = site.api("lead-01")
    refused = program.post("/registers/badges/import", data={"file": (io.BytesIO(text.encode("gbk")), "a.csv")})
    assert refused.status_code == 422 and refused.json["code"] == "register_file_invalid"
    assert {each["line"] for each in refused.json["lines"]} == {3, 4, 5, 6}
    assert program.get("/registers/badges").json["items"] == []


@pytest.mark.parametrize("content", [b"\x00\x01\x02", b"\xff\xfe\x00", b"\x89PNG\r\n\x1a\n\x00", b"", b"a,b\n1", "人员,证号\n\"x".encode(), b"\xe4\xba" * 3])
def test_what_is_no_table_is_answered_clearly(site, content):
    answer = upload(site.visit("lead-01"), content)
    assert answer.status_code == 422 and "一条也没有导入" in answer.text


def test_two_of_one_name_are_told_apart(site):
    from engine.commands.organisation import add_person

    add_person(site.county.system, site.county.act("admin"), "林专一", "station-01", "part_time", now=site.county.now)
    answer = upload(site.visit("lead-01"), (HEADER + "林专一,A,2026-01-01,2026-12-31\n").encode())
    assert answer.status_code == 422 and "有几个人叫这个名字" in answer.text and "ft-01-1" in answer.text


def test_what_is_exported_can_be_imported(site):
    for key in ("badges", "certificates", "trainings"):
        add(site, key, "ft-01-1")
    lead = site.visit("lead-01")
    for key in ("badges", "certificates", "trainings"):
        file = lead.get(f"/registers/{key}/export")
        assert file.mimetype == "text/csv" and file.data.startswith(b"\xef\xbb\xbf") and b"ft-01-1" in file.data
        answer = upload(lead, file.data, key)
        assert answer.status_code == 200 and "另有 1 条已经登记过" in answer.text, words_of(answer.text)
    empty = lead.get("/registers/badges/export?empty=1").data.decode("utf-8-sig")
    assert empty.strip() == "人员,单位,证号,发证日期,有效期至"
    assert b"ft-01-1" in site.visit("ft-01-1").get("/registers/badges/export").data
    assert b"ft-01-1" not in site.visit("ft-01-2").get("/registers/badges/export").data


# --- programs -------------------------------------------------------------------------------------------------------------------


def test_registers_by_the_api(site):
    lead = site.api("lead-01")
    declared = {each["key"]: each for each in lead.get("/registers").json["items"]}
    assert set(declared) == set(REGISTERS) and declared["badges"]["writable"] and declared["badges"]["open"] == 0
    key = {"Idempotency-Key": "one"}
    body = {"whom": "ft-01-1", "values": VALID["badges"]}
    first = lead.post("/registers/badges", body, headers=key)
    assert first.status_code == 201 and lead.post("/registers/badges", body, headers=key).json == first.json
    assert lead.post("/registers/badges", body | {"whom": "ft-01-2"}, headers=key).status_code == 422
    made = first.json["id"]
    entry = lead.get(f"/registers/badges/{made}").json
    assert entry["subject"]["name"] == "林专一" and entry["values"]["number"] == "GP-001" and entry["state"] == "in_force" and entry["version"] == 1
    address = f"/registers/badges/{made}"
    assert lead._send("PATCH", address, json={"values": {"number": "GP-2"}, "version": 1}).json["version"] == 2
    assert lead._send("PATCH", address, json={"values": {"number": "GP-3"}, "version": 1}).json["code"] == "stale_version"
    wrong = lead._send("PATCH", address, json={"values": {"valid_until": "x", "colour": "red"}})
    assert wrong.status_code == 422 and set(wrong.json["errors"]) == {"valid_until", "colour"}
    assert lead.post("/registers/badges", {"whom": "ft-02-1", "values": VALID["badges"]}).json["errors"].keys() == {"whom"}
    assert [each["id"] for each in lead.get("/registers/badges?state=in_force").json["items"]] == [made]
    assert site.api("lead-02").get(address).status_code == 404 and site.api("lead-02").get("/registers/badges").json["items"] == []
    assert lead.get("/registers/badges?state=nonsense").status_code == 422
    assert lead.get("/registers/nonsense").status_code == 404 and lead.get("/registers/badges/nonsense").status_code == 404
    assert lead.post(f"{address}/end", {"reason": "换发"}).status_code == 200
    ended = lead.get(address).json
    assert ended["state"] == "ended" and ended["ended_because"] == "换发"
    assert lead.post(f"{address}/end", {"reason": "换发"}).status_code == 409
    assert site.county.faults() == []


def test_lists_are_paged(site):
    lead = site.api("lead-01")
    made = {add(site, "trainings", "ft-01-1", title=f"第{number}次") for number in range(5)}
    found, cursor = [], None
    while True:
        page = lead.get(f"/registers/trainings?limit=2{'&cursor=' + cursor if cursor else ''}").json
        found += [each["id"] for each in page["items"]]
        cursor = page["next"]
        if cursor is None:
            break
    assert len(found) == 5 and set(found) == made
    assert lead.get("/registers/trainings?cursor=nonsense").status_code == 422
