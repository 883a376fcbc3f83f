"""What backup and restore refuse, and that a refusal leaves everything as it was."""

import subprocess
import sys
import zipfile
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import make_url, text

from engine.backup import Archive, restore, save
from engine.backup.archive import DATA, KEYS, Writer, alone
from engine.db import Database
from engine.exceptions import (
    BackupBroken,
    BackupExists,
    BackupForeign,
    BackupNewer,
    BackupNotFound,
    BackupRunning,
    DatabaseInUse,
    DatabaseNotEmpty,
    NothingToBackUp,
    RestoredFaulty,
    TableUnreadable,
    WrongMasterKey,
)
from engine.system import System
from engine.vault import Vault
from tests.support.backups import backed_up, backup_folder, brought_back, found, inside, new_client, opened, other_county, used_county  # noqa: F401 (fixtures)
from tests.support.counties import County
from tests.support.county import COUNTY
from tests.support.databases import ROOT
from tests.upgrade.sample import prepare_sample


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
from tests.support.backups import opened
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
