"""Fills a small database as this version does, and keeps it for the versions to come: `python -m tests.upgrade.make_sample issue_3`.

Run once a version, in a checkout of it, just before its successor changes tables. What it makes is never made again:
`issue_3.sqlite.xz` (a SQLite file, as the version left it) and `issue_3.json` (its keys and what was promised to whom).
For a version older than this file: `PYTHONPATH=<its checkout> python tests/upgrade/make_sample.py <name>`.
"""

import json
import lzma
import sqlite3
import sys
import tempfile
from contextlib import closing, suppress
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

from engine import schema
from engine.commands import clients
from engine.commands.accounts import sign_in
from engine.commands.definitions import deploy
from engine.commands.instances import cancel, start
from engine.commands.tasks import claim
from engine.exceptions import Forbidden, WrongCredentials
from tests.bpmn.builder import Diagram
from tests.integration.test_calls import caller, inner
from tests.integration.test_cases import ASSIGN, form, number, two_steps
from tests.integration.test_elements import GRADE, RUNS, Built, automatic, catching, non_interrupting
from tests.integration.test_jobs import account, activate, texting
from tests.integration.test_messages import asking, begun, files, publish, receipt
from tests.integration.test_outings import go
from tests.support.counties import County, prepare_with_procedures
from tests.support.county import COUNTY, MASTER_KEY, PASSWORD
from webapp import demo
from webapp.demo import backlog, petitions

NOW = datetime(2026, 11, 24, 9, 30, tzinfo=ZoneInfo("Asia/Shanghai"))
HOUSEHOLDS = 8
# One case of each stage; a case costs about 10 kB, so those that differ from another only in how late they are stay away.
STAGES = (
    "刚发起，等走访登记",
    "等首次响应",
    "等接案",
    "等签署同意",
    "预估逾期",
    "等制定计划",
    "等审批计划",
    "危机处置中",
    "危机后待补录",
    "介入服务中",
    "等评估",
    "等审批结案",
    "跟进中",
    "全程办结",
)
PETITIONS = ("家访了一方", "征询调解意愿", "一方拒绝，综合治理中", "达成协议，等司法确认")
A_MONTH = 30 * 24 * 3600  # seconds


def main(name: str) -> None:
    """Make the two files of a sample beside this one."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "sample.db"
        url = f"sqlite:///{file}"
        prepare_with_procedures(url)
        county = County(url)
        county.now = NOW
        revision = schema.current(county.system.database)
        promised = fill(county)
        faults = county.faults()
        county.system.database.dispose()
        assert faults == [], faults
        with closing(sqlite3.connect(file)) as connection:
            connection.execute("PRAGMA journal_mode=DELETE")
            connection.execute("VACUUM")
        content = lzma.compress(file.read_bytes(), preset=9 | lzma.PRESET_EXTREME)
    about = {
        "revision": revision,
        "county": COUNTY,
        "master_key": MASTER_KEY.hex(),
        "password": PASSWORD,
        "now": county.now.isoformat(),
        **promised,
    }
    here = Path(__file__).parent
    (here / f"{name}.sqlite.xz").write_bytes(content)
    (here / f"{name}.json").write_text(json.dumps(about, ensure_ascii=False, indent=2) + "\n")
    print(f"{len(content)} bytes", file=sys.stderr)


def fill(county: County) -> dict:
    """Everything that a database in use holds. Answers what was promised: idempotent answers, a session, who was erased."""
    _service_cases(county)
    _one_case_of_each_diagram(county)
    _an_incident(county)
    promised = _answers_and_sessions(county) | _cases_that_wait_for_others(county)
    _petitions(county)
    _outings(county)
    return promised | {"erased": _an_erasure(county)}


def _service_cases(county: County) -> None:
    """The product's own procedure at every stage, and a second version of it that new cases follow."""
    demo.seed_clients(county.system, NOW, households=HOUSEHOLDS)
    chosen = {scenario.name: scenario for scenario in backlog.SCENARIOS}
    backlog.SCENARIOS = tuple(replace(chosen[name], copies=1) for name in STAGES)
    demo.seed_backlog(county.system, NOW)


def _one_case_of_each_diagram(county: County) -> None:
    """A case of every kind of element, standing in the middle; the last of two versions published, another a draft."""
    for draw, n, acts, _also in {run[0]: run for run in RUNS}.values():
        diagram = Built(draw.__name__)
        draw(diagram)
        files = diagram.files(**({"grade.dmn": GRADE} if draw is automatic else {}))
        county.deploy(**files)
        case = county.start(diagram.id)["id"]
        county.do("ft-01-1", case, "ask", {"n": n})
        if draw is catching:
            continue  # its timers run
        if draw is non_interrupting:
            county.deploy(**_next(files))
        for act in acts[: len(acts) // 2]:
            if isinstance(act, int):
                county.pass_time(days=act)
            else:
                county.do("ft-01-1", case, act)
    county.deploy(**two_steps())
    county.deploy(**_next(two_steps()))
    deploy(county.system, county.act("supervisor"), _next(_next(two_steps())), now=county.now)
    cancel(county.system, county.act("lead-01"), county.start("two_steps")["id"], "对象要求撤回", now=county.now)
    yearly = Diagram("yearly", "大走访")
    yearly.timer("startEvent", "each_month", "Cycle", "R/P30D")
    yearly.user("visit", ASSIGN)
    yearly.add("endEvent", "end")
    yearly.path("each_month", "visit", "end")
    county.deploy(**{"yearly.bpmn": yearly.xml(), "visit.form": form("visit")})


def _next(files: dict) -> dict[str, bytes]:
    """The same procedure, its file a little different: the next version."""
    found = {}
    for name, text in files.items():
        content = text.encode() if isinstance(text, str) else text
        found[name] = content.replace(b"</bpmn:process>", b"  <!-- next -->\n  </bpmn:process>")
    return found


def _an_incident(county: County) -> None:
    diagram = Diagram("broken", "出错")
    diagram.add("startEvent", "start")
    diagram.user("ask", ASSIGN)
    diagram.add("exclusiveGateway", "large")
    diagram.add("endEvent", "yes")
    diagram.add("endEvent", "no")
    diagram.path("start", "ask", "large")
    diagram.flow("large", "yes", "limit < amount")
    diagram.flow("large", "no", "limit >= amount")
    county.deploy(**{"broken.bpmn": diagram.xml(), "ask.form": form("ask", number("amount"))})
    case = county.start("broken")
    assert county.do("ft-01-1", case["id"], "ask", {"amount": 5})["instance"]["status"] == "incident"


def _answers_and_sessions(county: County) -> dict:
    """A program's keys, a browser's session, a wrong password, an act that was refused."""
    answer = start(county.system, county.act("ft-01-1"), "two_steps", place="room-001", now=county.now, key="sample-start")
    session = sign_in(county.system, "ft-01-1", PASSWORD, now=county.now)
    with suppress(WrongCredentials):
        sign_in(county.system, "lead-01", "wrong", now=county.now, kind="api")
    sign_in(county.system, "auditor", PASSWORD, now=county.now, kind="api")
    with suppress(Forbidden):
        claim(county.system, county.act("auditor"), county.open_tasks(answer["id"])["ask"].id, now=county.now)
    return {"started_with_key": {"who": "ft-01-1", "key": "sample-start", "answer": answer}, "session": session["token"]}


def _cases_that_wait_for_others(county: County) -> dict:
    """For a message, for a program, for cases that were called, one of several answers; and a message that nobody waits for yet."""
    for bundle in (receipt(), texting(), files(inner()), files(caller()), _several()):
        county.deploy(**bundle)
    account(county, "program", "county")
    waiting = {name: begun(county, name, 7) for name in ("receipt", "texting", "outer", "several")}
    begun(county, "texting", 8)
    [leased] = activate(county)
    publish(county, key=9, seconds=A_MONTH)
    county.do("ft-01-1", waiting["several"], "each")
    return {"waiting": waiting, "leased": leased["id"], "kept": 9}


def _several() -> dict:
    """ask → each of three, at once, with a reminder to each → check."""
    diagram = asking("several")
    diagram.user("each", ASSIGN), diagram.many("each", "[1, 2, 3]", "item", output=("done", "item * n"))
    diagram.boundary("late", "each", "timer", "P1D", interrupting=False), diagram.user("remind", ASSIGN), diagram.add("endEvent", "reminded")
    diagram.user("check", ASSIGN)
    diagram.path("ask", "each", "check", "end"), diagram.path("late", "remind", "reminded")
    return {**files(diagram), "remind.form": form("remind"), "each.form": form("each")}


def _petitions(county: County) -> None:
    """Petitions with parties, at some of the demonstration's stages."""
    petitions.SCENARIOS = tuple(each for each in petitions.SCENARIOS if each.name in PETITIONS)
    assert demo.seed_petitions(county.system, NOW) == len(PETITIONS)


def _outings(county: County) -> None:
    """One person who is out, one who should be back and is looked for."""
    go(county, "ft-01-1", minutes=8 * 60)
    go(county, "ft-02-1", minutes=30)
    county.pass_time(minutes=70)


def _an_erasure(county: County) -> str:
    """Somebody whose data was destroyed."""
    data = {"name": "王五", "birth_date": "1950-03-08", "phone": "000-0000-0000"}
    who, later = county.act("supervisor"), county.now + timedelta(minutes=1)
    client = clients.register(county.system, county.act("ft-01-1"), data, "room-001", now=county.now)["id"]
    return clients.erase(county.system, who, client, "本人要求", now=later)["id"]


if __name__ == "__main__":
    main(sys.argv[1])
