"""What deploy/ offers a county's IT is used here as it stands: upgrade, several processes, HTTPS in front, a backup while all run, rollback."""

import json
import re
import shutil
import subprocess
from pathlib import Path

import psutil
import pytest
from sqlalchemy import select

from engine.accounts import SignInFailure
from engine.db import Database
from engine.vault import Vault
from tests.faults.people import steps
from tests.support.browsers import eventually
from tests.support.county import COUNTY, MASTER_KEY, PASSWORD
from tests.support.databases import ROOT
from tests.support.deployment import DEPLOY, Deployment, Https, free_port, nginx, units
from tests.support.web import Program, Visit
from tests.upgrade.sample import NAMES, Sample

PATIENCE = 240.0  # seconds in which a busy machine starts everything
INTERNAL = {"SHUIBO_PARENT", "SHUIBO_TESTING", "SHUIBO_CLOCK_FILE"}  # set by the product itself, or by tests


@pytest.fixture
def deployment(new_database, tmp_path):
    """The newest former version's database on PostgreSQL, and this version's files."""
    url = new_database("postgresql")
    Sample(NAMES[-1]).load(url, tmp_path)
    key = tmp_path / "master.key"
    key.write_text(MASTER_KEY.hex())
    deployment = Deployment(
        tmp_path,
        SHUIBO_DATABASE_URL=url.replace("postgresql+psycopg", "postgresql"),
        SHUIBO_COUNTY=COUNTY,
        SHUIBO_MASTER_KEY_FILE=str(key),
        SHUIBO_VAR=str(tmp_path / "var"),
        SHUIBO_BUNDLE=str(ROOT / "bpmn"),
        SHUIBO_PORT=str(free_port()),
        SHUIBO_BACKUP_DATA=str(tmp_path / "backups"),
        SHUIBO_BACKUP_KEYS=str(tmp_path / "keys"),
    )
    yield deployment
    deployment.stop()


def succeeded(*done: subprocess.CompletedProcess) -> None:
    for each in done:
        assert each.returncode == 0, each.stderr


@pytest.mark.skipif(nginx() is None, reason="nginx is not installed (apt-get install nginx-light)")
def test_upgrade_serve_back_up_and_roll_back(deployment, tmp_path):
    backups, keys = deployment.settings["SHUIBO_BACKUP_DATA"], deployment.settings["SHUIBO_BACKUP_KEYS"]

    # --- upgrade: back up, migrate, start
    before = deployment.shuibo("backup", backups, "--keys", keys)
    succeeded(before, deployment.shuibo("db", "upgrade"), deployment.shuibo("audit", "verify"))
    web = deployment.start("shuibo-web.service")
    for _ in range(2):
        deployment.start("shuibo-worker@.service")
    browser = deployment.start_nginx()
    eventually(lambda: healthy(deployment, browser), PATIENCE)
    assert len(psutil.Process(web.pid).children()) == 2, "as many web processes as the environment says"

    # --- somebody's day
    visit, signed_in = sign_in(browser, "ft-01-1")
    assert signed_in.headers["Strict-Transport-Security"].startswith("max-age=31536000")
    cookies = {cookie.name: cookie for cookie in browser.cookies}
    assert set(cookies) >= {"__Host-shuibo-session"} and all(cookie.secure for cookie in cookies.values())
    assert all(cookie.has_nonstandard_attr("HttpOnly") for cookie in cookies.values() if "session" in cookie.name)
    address = complete_something(visit)
    assert browser.get(address).status_code == 200
    plain = browser.get(f"{browser.http}/tasks/?view=mine")
    assert plain.status_code == 308 and plain.headers["Location"].startswith("https://")

    # --- what a caller claims to be is not believed: the address is nginx's
    for number in range(3):
        forged = {"X-Forwarded-For": f"10.0.0.{number}", "X-Real-IP": f"10.0.1.{number}", "X-Forwarded-Host": "evil.example"}
        wrong = Program(browser).post("/tokens", {"username": f"nobody-{number}", "password": "wrong"}, headers=forged)
        assert wrong.status_code == 401
    assert failures_from(deployment, "127.0.0.1") == 3

    # --- the web processes count together, and only this machine may ask
    told = [counted(browser) for _ in range(4)]
    assert told == sorted(told) and len(set(told)) == 4, "each scrape counts the one before, whoever answers"
    assert told[0] > 20

    # --- both workers fire timers, each once
    fires_once(deployment, browser, tmp_path)

    # --- the nightly backup, while all run
    nightly = deployment.run("shuibo-backup.service")
    succeeded(*nightly)
    assert len(nightly) == len(units()["shuibo-backup.service"]["ExecStart"])
    newest = json.loads(nightly[0].stdout)
    assert newest["events"] > json.loads(before.stdout)["events"]

    # --- stop, roll back, serve again
    everything = [child for process in deployment.running for child in psutil.Process(process.pid).children(recursive=True)]
    deployment.stop()
    assert not [child for child in everything if child.is_running() and child.status() != psutil.STATUS_ZOMBIE]
    back = deployment.shuibo("restore", json.loads(before.stdout)["data"], "--keys", keys, "--replace")
    succeeded(back, deployment.shuibo("audit", "verify"))
    report = json.loads(back.stdout)
    assert report["missing"]["events"] >= newest["events"] - json.loads(before.stdout)["events"] > 0
    assert report["aside"].startswith("shuibo_before_")
    deployment.start("shuibo-web.service")
    browser = deployment.start_nginx()
    eventually(lambda: healthy(deployment, browser), PATIENCE)
    sign_in(browser, "ft-01-1")
    assert "Traceback" not in (deployment.folder / "log").read_text()


def healthy(deployment: Deployment, browser: Https) -> bool:
    """Whether it answers; whoever ended meanwhile never will."""
    told = (deployment.folder / "log").read_text()[-3000:]
    assert all(process.poll() is None for process in deployment.running), told
    try:
        return browser.get("/health/ready").status_code == 200
    except OSError:
        return False


def sign_in(browser: Https, username: str):
    visit = Visit(browser)
    answer = visit.submit("/login", {"username": username, "password": PASSWORD})
    assert answer.status_code == 302, answer.text
    return visit, answer


def failures_from(deployment: Deployment, address: str) -> int:
    database = Database(deployment.settings["SHUIBO_DATABASE_URL"].replace("postgresql:", "postgresql+psycopg:"))
    subject = Vault(MASTER_KEY).index(COUNTY, "sign-in-address", address)
    with database.read() as session:
        failures = session.scalar(select(SignInFailure.failures).where(SignInFailure.subject == subject))
    database.dispose()
    return failures


def complete_something(visit: Visit) -> str:
    """Claim and complete one offered task, by its pages. Answers the address of the case."""
    page = visit.get("/tasks/?view=offered").text
    for address in dict.fromkeys(re.findall(r'href="(/tasks/[0-9a-f]{32})"', page)):
        visit.submit(f"{address}/claim", page=address)
        task = visit.get(address).text
        if 'name="amount"' not in task:
            continue
        done = visit.submit(f"{address}/complete", {"amount": "5", "_hidden": ""}, page=address)
        assert done.status_code == 302, done.text
        return re.search(r'href="(/cases/[0-9a-f]{32})', task)[1]
    raise AssertionError("no task with a number to fill in")


def counted(browser: Https) -> float:
    """All requests answered so far, by whichever process."""
    text = browser.get("/metrics").text
    return sum(float(line.rsplit(" ", 1)[1]) for line in text.splitlines() if line.startswith("shuibo_http_requests_total"))


def fires_once(deployment: Deployment, browser: Https, folder: Path) -> None:
    """Cases with a timer of half a second: each goes on, and its history tells of one firing."""
    bundle = folder / "bundle"
    bundle.mkdir()
    for name, content in steps("quick", "PT0.5S").items():
        (bundle / name).write_bytes(content)
    succeeded(deployment.shuibo("deploy", bundle))
    program = Program(browser)
    program.token = program.post("/tokens", {"username": "ft-01-1", "password": PASSWORD}).json["token"]
    cases = [program.post("/instances", {"definition": "quick", "place": "room-001", "data": {"amount": 1}}).json["id"] for _ in range(6)]
    for case in cases:
        eventually(lambda case=case: [task["element"] for task in program.get(f"/instances/{case}").json["tasks"]] == ["check"], 60)
        history = program.get(f"/instances/{case}/history").json["items"]
        assert [line["kind"] for line in history].count("timer:due") == 1


# --- the files ------------------------------------------------------------------------------------------------------


def test_every_variable_is_explained():
    """What the product reads from its environment stands in deploy/shuibo.env, and nothing else does."""
    read = {
        name
        for package in ("engine", "webapp")
        for path in (ROOT / package).rglob("*.py")
        for name in re.findall(r"[\"'](SHUIBO_[A-Z_]+)[\"']", path.read_text())
    }
    text = (DEPLOY / "shuibo.env").read_text()
    explained = set(re.findall(r"^#?(SHUIBO_[A-Z_]+)=", text, re.MULTILINE))
    of_units = set(re.findall(r"\$\{(SHUIBO_[A-Z_]+)\}", "".join(path.read_text() for path in (DEPLOY / "systemd").iterdir())))
    assert explained == read - INTERNAL | of_units
    assert not re.search(r"^SHUIBO_\w+=.*[ \t'\"&;$`]", text, re.MULTILINE), "systemd and sh must read alike"
    manual = (ROOT / "docs" / "administrator.md").read_text()
    assert [name for name in explained if name not in manual] == []


def test_the_manual_names_what_is_there():
    manual = (ROOT / "docs" / "administrator.md").read_text()
    for path in re.findall(r"deploy/[\w./@*-]*\w", manual):
        assert list(ROOT.glob(path)), path
    for name in units():
        assert name in manual, name


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="systemd is not installed")
def test_systemd_accepts_the_units(tmp_path):
    for path in (DEPLOY / "systemd").iterdir():
        (tmp_path / path.name).write_text(path.read_text().replace("/opt/shuibo", str(ROOT)))
    files = [str(tmp_path / name) for name in units()]
    done = subprocess.run(["systemd-analyze", "verify", "--man=no", *files], capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stderr) == (0, "")
    for name in units():
        if name.endswith(".service"):
            rated = subprocess.run(
                ["systemd-analyze", "security", "--offline=yes", "--threshold=30", str(tmp_path / name)],
                capture_output=True, text=True, timeout=60,
            )  # fmt: skip
            assert rated.returncode == 0, rated.stdout
