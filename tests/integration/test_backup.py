"""Backup and restore: complete, consistent, portable between the databases, keys apart, and no erased person comes back."""

import base64
import json
import threading
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from click.testing import CliRunner
from sqlalchemy import select, text

from engine.audit import Event, Stream
from engine.backup import Archive, restore
from engine.backup.archive import DATA
from engine.backup.saving import PASSING, SEARCH
from engine.commands.clients import erase, view
from engine.commands.tasks import claim
from engine.db import Base
from engine.exceptions import (
    EngineError,
    Erased,
    KeysTooOld,
)
from engine.vault import SubjectKey
from tests.support.backups import (  # noqa: F401 (fixtures)
    WHO,
    backed_up,
    backup_folder,
    brought_back,
    content,
    found,
    inside,
    new_client,
    opened,
    other_county,
    used_county,
)
from tests.support.counties import County
from tests.support.county import COUNTY, MASTER_KEY
from tests.upgrade.sample import NAMES, Sample
from webapp.cli import main

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
    for held in (data, keys):
        assert not any(secret in held for secret in (MASTER_KEY, MASTER_KEY.hex().encode(), base64.b64encode(MASTER_KEY)))
    for path in (answer["data"], answer["keys"]):
        assert Path(path).stat().st_mode & 0o077 == 0


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
    for each in (county, other):  # the command line finds nobody using them
        each.system.database.dispose()
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
