"""Backup and restore: complete, consistent, portable between the databases, keys apart, and no erased person comes back."""

import base64
import json
import subprocess
import sys
import threading
import zipfile
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from click.testing import CliRunner
from sqlalchemy import make_url, select, text

from engine import clients
from engine.audit import Event, Stream
from engine.backup import Archive, restore, save
from engine.backup.archive import DATA, KEYS, Writer, alone
from engine.backup.saving import PASSING, SEARCH
from engine.commands.clients import erase, register, view
from engine.commands.tasks import claim
from engine.db import Base, Database
from engine.exceptions import (
    BackupBroken,
    BackupExists,
    BackupForeign,
    BackupNewer,
    BackupNotFound,
    BackupRunning,
    DatabaseInUse,
    DatabaseNotEmpty,
    EngineError,
    Erased,
    KeysTooOld,
    NothingToBackUp,
    RestoredFaulty,
    TableUnreadable,
    WrongMasterKey,
)
from engine.system import System
from engine.vault import SubjectKey, Vault
from tests.support.counties import County
from tests.support.county import COUNTY, MASTER_KEY
from tests.support.databases import BACKENDS, ROOT
from tests.upgrade.sample import NAMES, SAMPLE_NOW, Sample, prepare_sample
from webapp.cli import main

WHO = "ft-01-1"


@pytest.fixture
def county(backend, new_database):
    """A county in use: everything that the sample holds."""
    county = opened(new_database(backend, prepare_sample))
    yield county
    county.system.database.dispose()


@pytest.fixture
def other(backend, new_database):
    """An empty database of the other kind: a backup of one is restored to the other."""
    county = opened(new_database(BACKENDS[1 - BACKENDS.index(backend)]))
    yield county
    county.system.database.dispose()


@pytest.fixture
def folder(tmp_path) -> Path:
    return tmp_path / "backups"


def opened(url: str) -> County:
    county = County(url)
    county.now = SAMPLE_NOW
    return county


def backed_up(county: County, folder: Path, **later) -> dict:
    """A backup, taken a little later than the last one."""
    county.now += timedelta(minutes=1, **later)
    return save(county.system, folder / "data", folder / "keys", now=county.now)


def brought_back(county: County, answer: dict, **options) -> dict:
    return restore(county.system, Path(answer["data"]), Path(answer["keys"]), now=county.now, **options)


def content(county: County, without: frozenset[str] = PASSING) -> dict[str, list]:
    """Every row of every table."""
    with county.system.database.read() as session:
        return {
            table.name: sorted(tuple(row) for row in session.execute(select(table)))
            for table in Base.metadata.sorted_tables
            if table.name not in without
        }


def new_client(county: County, name: str = "赵六") -> str:
    return register(county.system, county.act(WHO), {"name": name, "phone": "000-1111-2222"}, "room-001", now=county.now)["id"]


def found(county: County, name: str) -> list[str]:
    with county.system.database.read() as session:
        return [record.id for record in clients.search(session, county.system.vault, county.act("supervisor"), name)[0]]


# --- complete, portable ---------------------------------------------------------------------------------------------


def test_everything_comes_back_on_the_other_database(county, other, folder):
    before = content(county)
    seen = []
    answer = backed_up(county, folder)
    report = brought_back(other, answer, progress=lambda *step: seen.append(step))
    assert (report["faults"], report["missing"]["events"], report["erased"]) == ([], 0, [])
    after = content(other)
    other_than = SEARCH | {"event", "stream"}  # the restored event is new, and search tokens are made as this version makes them
    assert {name: rows for name, rows in after.items() if name not in other_than} == {
        name: rows for name, rows in before.items() if name not in other_than
    }
    added = [row for row in after["event"] if row not in before["event"]]
    assert [row[1:4] for row in added] == [(f"installation/{COUNTY}", 1, "backup:restored")]
    assert other.faults() == []
    assert found(other, "张三") == found(county, "张三") != []
    assert {text.split(" ")[0] for text, *_ in seen} == {"核对文件", "恢复", "检索", "核验"}
    case = other.start("service_delivery")["id"]
    assert other.instance(case).status == "active" and other.faults() == []


def test_a_restored_county_is_backed_up_and_restored_again(county, other, folder, new_database, backend):
    brought_back(other, backed_up(county, folder))
    other.now = county.now
    third = opened(new_database(backend))
    assert brought_back(third, backed_up(other, folder))["missing"]["events"] == 0
    assert content(third)["task"] == content(county)["task"]
    assert third.faults() == []


@pytest.mark.parametrize("name", NAMES)
def test_a_backup_of_an_older_version_is_upgraded(name, backend, new_database, folder, tmp_path):
    sample, url = Sample(name), new_database(backend)
    sample.load(url, tmp_path)
    old, here = sample.county(url), opened(new_database(backend))
    answer = backed_up(old, folder)
    assert Archive(Path(answer["data"]), old.system.vault, COUNTY, DATA).manifest["revision"] == sample.about["revision"]
    brought_back(here, answer)
    assert here.faults() == []
    assert here.start("two_steps")["status"] == "active"


def test_nobody_stays_signed_in(county, other, folder):
    """A session that was closed after the backup must not come back."""
    before = content(county, frozenset())
    assert all(before[name] for name in PASSING)
    brought_back(other, backed_up(county, folder))
    after = content(other, frozenset())
    assert not any(after[name] for name in PASSING)


def test_search_tokens_are_in_no_backup(county, folder):
    """A new table of search tokens belongs into engine.backup.saving.SEARCH, and its making into engine.backup.restoring."""
    assert {name for name in Base.metadata.tables if name.endswith("_index")} == SEARCH
    assert not SEARCH & set(Archive(Path(backed_up(county, folder)["data"]), county.system.vault, COUNTY, DATA).tables())


# --- keys apart, erasures -------------------------------------------------------------------------------------------


def test_keys_are_apart_from_data_and_the_master_key_is_in_neither(county, folder):
    answer = backed_up(county, folder)
    with county.system.database.read() as session:
        wrapped = [base64.b64encode(key.wrapped) for key in session.scalars(select(SubjectKey)) if key.wrapped]
    data, keys = inside(answer["data"]), inside(answer["keys"])
    assert len(wrapped) > 50
    assert not any(key in data for key in wrapped) and all(key in keys for key in wrapped)
    for content in (data, keys):
        assert not any(secret in content for secret in (MASTER_KEY, MASTER_KEY.hex().encode(), base64.b64encode(MASTER_KEY)))
    for path in (answer["data"], answer["keys"]):
        assert Path(path).stat().st_mode & 0o077 == 0


def inside(path: str) -> bytes:
    """All that a file holds, unpacked."""
    with zipfile.ZipFile(path) as file:
        return b"\n".join(file.read(name) for name in file.namelist())


def test_who_was_erased_since_stays_so(county, other, folder):
    client = new_client(county)
    old = backed_up(county, folder)
    key_of = f"client/{client}"
    assert found(county, "赵六") == [client]
    erase(county.system, county.act("supervisor"), client, "本人要求", now=county.now)
    new = backed_up(county, folder)
    assert new["keys"] == old["keys"] and len(list((folder / "keys").glob("*.zip"))) == 1
    report = brought_back(other, old)
    assert key_of in report["erased"]
    assert found(other, "赵六") == []
    with pytest.raises(Erased):
        view(other.system, other.act("supervisor"), client, now=other.now)
    with other.system.database.read() as session:
        assert {key.wrapped for key in session.scalars(select(SubjectKey).where(SubjectKey.subject == key_of))} == {b""}
        told = session.scalars(select(Event).where(Event.stream == key_of).order_by(Event.seq.desc())).first()
        erased = session.scalars(select(Event.occurred_at).where(Event.kind == "client:erased", Event.stream == key_of)).one()
    assert told.kind == "client:erased" and told.facts["repeated"] and told.facts["reason"] == "本人要求"
    with county.system.database.read() as session:
        assert session.scalars(select(Event.occurred_at).where(Event.kind == "client:erased", Event.stream == key_of)).one() == erased
    assert other.faults() == []
    other.now = county.now
    brought_back(other, backed_up(other, folder), replace=True)  # erased once is enough
    assert other.faults() == []


def test_what_only_the_replaced_database_knew_of_erasures_counts(county, folder):
    client = new_client(county)
    answer = backed_up(county, folder)
    erase(county.system, county.act("supervisor"), client, "本人要求", now=county.now)
    report = brought_back(county, answer, replace=True)
    assert f"client/{client}" in report["erased"] and found(county, "赵六") == []
    assert county.faults() == []


def test_keys_older_than_the_data_are_refused(county, other, folder):
    first = backed_up(county, folder)
    old = (folder / "old.keys.zip")
    old.write_bytes(Path(first["keys"]).read_bytes())
    new_client(county)
    second = backed_up(county, folder)
    with pytest.raises(KeysTooOld) as refusal:
        restore(other.system, Path(second["data"]), old, now=other.now)
    assert refusal.value.facts["count"] == 2  # the client's and the household's
    brought_back(other, first)


def test_no_key_is_lost_but_by_an_erasure(county, other, folder):
    """Whoever empties the keys, or backs up another database into the same folder, makes no older backup unreadable."""
    client = new_client(county)
    first = backed_up(county, folder)
    with county.system.database.engine.begin() as connection:
        connection.execute(text("UPDATE subject_key SET wrapped = :nothing"), {"nothing": b""})
    second = backed_up(county, folder)
    assert second["kept"] > 50
    brought_back(other, first)
    assert found(other, "赵六") == [client] and other.faults() == []
    other.now = county.now + timedelta(days=1)
    later = new_client(other, "钱七")
    brought_back(county, backed_up(other, folder), replace=True)
    assert found(county, "钱七") == [later]


def test_a_database_that_knows_less_than_the_last_backup_is_told_of(county, other, folder):
    first = backed_up(county, folder)
    county.start("two_steps")
    backed_up(county, folder)
    brought_back(other, first)
    other.now = county.now
    answer = backed_up(other, folder)
    assert answer["behind"] == 1 and answer["kept"] == 1


# --- what is missing ------------------------------------------------------------------------------------------------


def test_restore_tells_what_is_missing(county, other, folder):
    first = backed_up(county, folder)
    heads = dict(heads_of(county))
    county.now += timedelta(hours=1)
    until = county.now
    new_client(county)
    case = county.start("two_steps")["id"]
    county.do(WHO, case, "ask", {"amount": 1})
    grown = {stream: (heads.get(stream, 0), seq) for stream, seq in heads_of(county) if seq > heads.get(stream, 0)}
    second = backed_up(county, folder)
    missing = brought_back(other, first)["missing"]
    assert missing["streams"] == len(grown) and missing["differing"] == []
    assert missing["events"] == sum(seq - before for before, seq in grown.values())
    assert {line["stream"]: (line["from_seq"] - 1, line["to_seq"]) for line in missing["list"]} == grown
    assert datetime.fromisoformat(missing["to"]) == until
    # Any file that knows heads will do: the newer data file, or plain lines.
    lines = folder / "heads.jsonl"
    lines.write_text("\n".join(json.dumps({"stream": stream, "seq": seq, "hash": "0" * 64}) for stream, seq in heads_of(county)))
    for since in (Path(second["data"]), lines):
        told = brought_back(other, first, since=since, check_only=True)["missing"]
        assert (told["streams"], told["events"]) == (missing["streams"], missing["events"])
    assert len(told["differing"]) == len(heads) - len([1 for before, _seq in grown.values() if before])


def heads_of(county: County) -> list[tuple[str, int]]:
    with county.system.database.read() as session:
        return [tuple(row) for row in session.execute(select(Stream.id, Stream.seq))]


# --- refusals -------------------------------------------------------------------------------------------------------


def test_nothing_is_overwritten(county, folder):
    backed_up(county, folder)
    with pytest.raises(BackupExists):
        save(county.system, folder / "data", folder / "keys", now=county.now)
    with alone(folder / "keys"), pytest.raises(BackupRunning):
        backed_up(county, folder)
    assert len(list((folder / "data").glob("*.zip"))) == 1


def test_a_database_with_content_is_not_overwritten(county, other, folder):
    answer = backed_up(county, folder)
    with pytest.raises(DatabaseNotEmpty):
        brought_back(county, answer)
    later = new_client(county)
    with pytest.raises(DatabaseInUse), county.system.database.engine.connect() as connection:
        connection.execute(text("SELECT 1 FROM stream"))
        brought_back(County(county.url), answer, replace=True)
    report = brought_back(county, answer, replace=True)
    assert county.faults() == [] and found(county, "赵六") == []
    assert report["missing"]["events"] == 0, "the keys file cannot know"
    aside = kept_aside(county, report["aside"])
    assert later in aside


def kept_aside(county: County, where: str) -> set[str]:
    """The clients in what was set aside."""
    if county.system.database.dialect == "sqlite":
        old = Database(f"sqlite:///{where}")
        with old.read() as session:
            names = set(session.scalars(text("SELECT id FROM client")))
        old.dispose()
        return names
    with county.system.database.read() as session:
        return set(session.scalars(text(f"SELECT id FROM {where}.client")))


@pytest.mark.parametrize("backend", ["sqlite"])
def test_a_broken_database_is_replaced(county, folder):
    answer = backed_up(county, folder)
    county.system.database.dispose()
    path = Path(make_url(county.url).database)
    path.write_bytes(b"\x00" * 5000)
    with pytest.raises(DatabaseNotEmpty):
        brought_back(county, answer)
    report = brought_back(county, answer, replace=True)
    assert report["erasures_of_replaced_unknown"] and Path(report["aside"]).read_bytes() == b"\x00" * 5000
    assert county.faults() == []


def test_an_empty_database_has_nothing_to_back_up(backend, new_database, folder):
    county = opened(new_database(backend))
    with pytest.raises(NothingToBackUp):
        backed_up(county, folder)
    assert list((folder / "data").glob("*.zip")) == []


def test_an_unreadable_table_is_told_of(new_database, folder):
    county = opened(new_database("sqlite", prepare_sample))
    with county.system.database.engine.begin() as connection:
        connection.execute(text("UPDATE household SET sealed = 'text' WHERE id = (SELECT min(id) FROM household)"))
    with pytest.raises(TableUnreadable, match="household"):
        backed_up(county, folder)
    assert {path.name for path in folder.rglob("*") if path.is_file()} == {".lock"}


def test_another_master_key_or_county_is_refused(county, other, folder):
    answer = backed_up(county, folder)
    stranger = System(other.system.database, Vault(b"\x08" * 32), COUNTY)
    with pytest.raises(WrongMasterKey):
        restore(stranger, Path(answer["data"]), Path(answer["keys"]), now=county.now)
    with pytest.raises(WrongMasterKey):  # nor would a backup replace the keys of another master key
        save(System(county.system.database, Vault(b"\x08" * 32), COUNTY), folder / "data", folder / "keys", now=county.now + timedelta(1))
    elsewhere = System(other.system.database, other.system.vault, "elsewhere")
    with pytest.raises(BackupForeign):
        restore(elsewhere, Path(answer["data"]), Path(answer["keys"]), now=county.now)
    for path in (folder / "nothing", folder / "keys"):
        with pytest.raises(BackupNotFound):
            restore(other.system, path, now=county.now)
    with pytest.raises(BackupBroken):  # a keys file is no data
        restore(other.system, Path(answer["keys"]), Path(answer["keys"]), now=county.now)


@pytest.mark.parametrize("backend", ["sqlite"])
def test_a_newer_versions_backup_is_refused(county, other, folder, tmp_path):
    answer = backed_up(county, folder)
    writer = Writer(tmp_path / "newer.zip", county.system.vault, {"county": COUNTY, "kind": DATA, "revision": "9999", "taken_at": ""})
    writer.finish()
    writer.publish()
    with pytest.raises(BackupNewer, match="9999"):
        restore(other.system, tmp_path / "newer.zip", Path(answer["keys"]), now=county.now)


@pytest.mark.soak
@pytest.mark.parametrize("backend", ["sqlite"])
def test_a_file_cut_off_or_changed_anywhere_is_refused(county, folder, tmp_path, campaign):
    """A changed byte is refused, or it is one that says nothing (a time in the ZIP's directory): then all is as it was."""
    answer = backed_up(county, folder)
    for which, kind in (("data", DATA), ("keys", KEYS)):
        whole = Path(answer[which]).read_bytes()
        wanted = inside(answer[which])
        for number in campaign.rounds(40, 2000):
            dice = campaign.dice(which, number)
            changed = bytearray(whole)
            if number % 4:
                changed[dice.randrange(len(whole))] ^= 1 << dice.randrange(8)
            else:
                del changed[dice.randrange(len(whole)) :]
            path = tmp_path / "changed.zip"
            path.write_bytes(changed)
            try:
                archive = Archive(path, county.system.vault, COUNTY, kind)
                archive.check()
            except (BackupBroken, WrongMasterKey):
                continue
            assert number % 4, "cut off, and not noticed"
            assert inside(path) == wanted


@pytest.mark.parametrize("backend", ["sqlite"])
def test_a_changed_file_leaves_the_database_as_it_was(county, other, folder):
    answer = backed_up(county, folder)
    path = Path(answer["data"])
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)
    with pytest.raises(BackupBroken):
        brought_back(other, answer)
    rewritten = rewrite(path, "table/task.jsonl", lambda old: old.replace(b"completed", b"cancelled"))
    with pytest.raises(BackupBroken):
        brought_back(other, answer | {"data": rewritten})
    with other.system.database.read() as session:
        assert session.scalar(text("SELECT count(*) FROM pg_tables WHERE schemaname = 'public'")) == 0


def rewrite(path: Path, name: str, change) -> str:
    """Somebody with a ZIP tool, checksums of the ZIP made right."""
    target = path.with_name("rewritten.zip")
    with zipfile.ZipFile(path) as old, zipfile.ZipFile(target, "w") as new:
        for each in old.namelist():
            try:
                data = old.read(each)
            except zipfile.BadZipFile:
                data = b""
            new.writestr(each, change(data) if each == name else data)
    return str(target)


def test_a_tampered_database_is_backed_up_as_it_is_and_restored_only_when_told_so(county, other, folder):
    with county.system.database.engine.begin() as connection:
        connection.execute(text("UPDATE task SET priority = 99 WHERE status = 'completed'"))
    answer = backed_up(county, folder)
    with pytest.raises(RestoredFaulty, match="task/"):
        brought_back(other, answer)
    report = brought_back(other, answer, accept_faults=True)
    assert sorted(report["faults"]) == sorted(other.faults())[: len(report["faults"])] != []


FULL = """
import resource, signal, sys
from pathlib import Path
from engine.backup import save
from engine.exceptions import EngineError
from tests.integration.test_backup import opened
from tests.upgrade.sample import SAMPLE_NOW
county, folder, limit = opened(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3])
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
with county.system.database.read() as session:
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))
try:
    save(county.system, folder / "data", folder / "keys", now=SAMPLE_NOW)
except EngineError as error:
    print(error.code)
"""


@pytest.mark.parametrize("backend", ["sqlite"])
@pytest.mark.parametrize("limit", [100, 5_000, 200_000])
def test_a_full_disk_leaves_no_half_file(county, folder, limit):
    command = [sys.executable, "-c", FULL, county.url, str(folder), str(limit)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=120)
    assert (done.stdout.strip(), done.stderr) == ("backup_not_written", "")
    assert [path.name for path in folder.rglob("*") if path.is_file()] == [".lock", ".lock"]
    backed_up(county, folder)


# --- while others work ----------------------------------------------------------------------------------------------


def test_under_load_every_backup_is_one_moment(county, folder, new_database, backend):
    """Writers go on; each backup verifies by itself, and holds what was done before it began."""
    stop, failures, done = threading.Event(), [], []

    def work(number: int) -> None:
        mine = opened(county.url)
        try:
            while not stop.is_set():
                case = mine.start("two_steps", who=f"ft-0{number}-1", place=f"room-00{number * 3 - 2}")
                claim(mine.system, mine.act(f"ft-0{number}-1"), case["tasks"][0]["id"], now=mine.now)
                done.append(case["id"])
        except EngineError as error:
            failures.append(error)
        finally:
            mine.system.database.dispose()

    threads = [threading.Thread(target=work, args=(number,)) for number in (1, 2)]
    for thread in threads:
        thread.start()
    try:
        answers = []
        for _ in range(3):
            acknowledged = list(done)
            answers.append((acknowledged, backed_up(county, folder)))
    finally:
        stop.set()
        for thread in threads:
            thread.join()
    assert failures == [] and len(done) > 3
    assert county.faults() == []
    for acknowledged, answer in answers:
        copy = opened(new_database(backend))
        assert brought_back(copy, answer)["faults"] == []
        with copy.system.database.read() as session:
            claimed = set(session.scalars(text("SELECT instance_id FROM task WHERE status = 'claimed'")))
        assert set(acknowledged) <= claimed
        copy.system.database.dispose()


# --- the command line -----------------------------------------------------------------------------------------------


def test_by_the_command_line(county, other, folder, tmp_path):
    county.system.database.dispose()
    (tmp_path / "master.key").write_text(MASTER_KEY.hex())
    env = {"SHUIBO_VAR": str(tmp_path), "SHUIBO_MASTER_KEY_FILE": str(tmp_path / "master.key"), "SHUIBO_COUNTY": COUNTY}

    def shuibo(url: str, *arguments):
        return CliRunner().invoke(main, [str(each) for each in arguments], env=env | {"SHUIBO_DATABASE_URL": url})

    made = shuibo(county.url, "backup", folder)
    assert made.exit_code == 0 and "分开存放" in made.stderr and "备份" in made.stderr, made.output
    answer = json.loads(made.stdout)
    checked = shuibo(other.url, "restore", folder, "--check")
    assert checked.exit_code == 0 and "erased" not in json.loads(checked.stdout), checked.output
    restored = shuibo(other.url, "restore", folder)
    assert restored.exit_code == 0, restored.output
    assert json.loads(restored.stdout)["restored"] == answer["data"] and "全部在内" in restored.stderr
    verified = shuibo(other.url, "audit", "verify")
    assert verified.exit_code == 0, verified.output
    refused = shuibo(other.url, "restore", folder)
    assert refused.exit_code == 1 and "--replace" in refused.stderr
