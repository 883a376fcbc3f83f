"""Bringing a backup back: as it was, with newer erasures done again, verified before it counts, and with an account of what it lacks."""

import json
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from itertools import islice
from pathlib import Path

from sqlalchemy import MetaData, Table, select, text, update
from sqlalchemy.engine import Connection
from sqlalchemy.exc import IntegrityError

from engine import audit, schema, searching
from engine.audit import Event, Kind
from engine.backup.archive import DATA, KEYS, Archive
from engine.backup.rows import BATCH, readers
from engine.backup.targets import target_of
from engine.clients import Client
from engine.db import UnitOfWork
from engine.exceptions import BackupBroken, BackupNewer, BackupNotFound, KeysTooOld, RestoredFaulty
from engine.organisation import Actor
from engine.system import System
from engine.vault import SubjectKey
from engine.verification import Fault, verify

Progress = Callable[[str, int, int], None]
FAULTS = 100  # as many as are told


def restore(
    system: System,
    source: Path,
    keys: Path | None = None,
    since: Path | None = None,
    *,
    now: datetime,
    replace: bool = False,
    accept_faults: bool = False,
    check_only: bool = False,
    progress: Progress = lambda *_: None,
) -> dict:
    """Restore a data file with a keys file that is not older. `source`, `keys`: files, or folders as `save` fills them (then the newest).

    `since`: a file that knows how far the history had come (a keys or data file, or lines of [stream, seq, hash, recorded_at]); the keys
    file if not given. `replace`: a database that is not empty makes room. `accept_faults`: also restore what does not verify.
    `check_only`: read and compare both files, touch no database.

    Answers {restored, taken_at, keys, revision, rows, erased: subjects erased again, faults, missing, aside}. Raises BackupNotFound,
    BackupBroken, BackupForeign, BackupNewer, WrongMasterKey, KeysTooOld, DatabaseNotEmpty, DatabaseInUse, RestoredFaulty, and what a
    database may raise; then the database is as before.
    """
    data_path = _newest(Path(source), f"shuibo-{system.county_id}-{'?' * 8}T{'?' * 6}Z.zip")
    keys_path = _newest(Path(keys) if keys else data_path.parent / "keys", f"shuibo-{system.county_id}.keys.zip")
    data, key_file = _open(system, data_path, DATA), _open(system, keys_path, KEYS)
    try:
        if not schema.is_known(data.manifest["revision"]):
            raise BackupNewer(path=str(data_path), revision=data.manifest["revision"])
        data.check(lambda done, total: progress("核对文件 · checking the file", done, total))
        key_file.check()
        missing = _missing(_heads_of(system, since) if since else key_file.rows("heads"), data)
        report = {
            "restored": str(data_path),
            "taken_at": data.manifest["taken_at"],
            "keys": str(keys_path),
            "revision": data.manifest["revision"],
            "rows": sum(entry["rows"] for name, entry in data.manifest["entries"].items() if name.startswith("table/")),
        }
        if check_only:
            sum(1 for _ in _with_keys(data, key_file))
            return report | {"missing": missing}
        with target_of(system.database, replace, now) as target:
            there = System(target.database, system.vault, system.county_id, system.zone)
            with target.database.unit(now) as unit:
                target.clear(unit.connection)
                restoring = _Restoring(there, unit, data, key_file, progress)
                erased = restoring.run([*key_file.rows("erasures"), *(target.erasures or ())], missing, accept_faults)
                unit.commit()
        return report | {
            "erased": erased,
            "faults": [str(fault) for fault in restoring.faults],
            "missing": missing,
            "aside": target.aside,
            "erasures_of_replaced_unknown": target.erasures is None,
        }
    finally:
        data.close()
        key_file.close()


class _Restoring:
    """One backup being brought back, in one unit of work."""

    def __init__(self, system: System, unit: UnitOfWork, data: Archive, keys: Archive, progress: Progress):
        self.system, self.unit, self.data, self.keys, self.progress = system, unit, data, keys, progress
        self.actor = Actor.system(system.county_id)
        self.faults: list[Fault] = []

    def run(self, erasures: list[list], missing: dict, accept_faults: bool) -> list[str]:
        """Everything but the commit, which verifies; answers who was erased again."""
        connection = self.unit.connection
        schema.upgrade_in(connection, self.data.manifest["revision"])
        try:
            self._load(connection)
        except IntegrityError as error:
            raise BackupBroken(path=str(self.data.path), reason="有的行所引用的行不在备份里") from error
        schema.upgrade_in(connection)
        erased = self._erase_again(erasures)
        searching.rewrite(self.unit.session, self.system.vault, self.progress)  # a backup holds no tokens
        facts = {"taken_at": self.data.manifest["taken_at"], "backup": self.data.manifest["id"], "erased_again": len(erased)}
        facts |= {"missing": {name: missing[name] for name in ("streams", "events", "from", "to")}}
        audit.record(self.unit, audit.stream("installation", self.system.county_id), Kind.BACKUP_RESTORED, actor=self.actor, facts=facts)
        self.unit.before_commit.append(lambda: self._verify(accept_faults))  # after the events of this transaction are written
        return erased

    def _load(self, connection: Connection) -> None:
        """Every row, just as it was; references are checked at the end."""
        metadata = MetaData()
        metadata.reflect(connection)
        total, done = sum(self.data.manifest["entries"][f"table/{name}"]["rows"] for name in self.data.tables()), 0
        with _references_last(connection):
            for name in self.data.tables():
                table = metadata.tables[name]
                rows = _with_keys(self.data, self.keys) if name == "subject_key" else self._rows(name)
                for batch in _batches(_values(table, rows)):
                    connection.execute(table.insert(), batch)
                    done += len(batch)
                    self.progress("恢复 · restoring", done, total)

    def _rows(self, name: str) -> Iterator[dict]:
        columns = self.data.columns(f"table/{name}")
        return (dict(zip(columns, row, strict=True)) for row in self.data.rows(f"table/{name}"))

    def _erase_again(self, erasures: list[list]) -> list[str]:
        """What was erased after the backup was taken is erased here too, for good; answers whom."""
        session, done = self.unit.session, []
        for subject, _seq, kind, by, occurred_at, facts in erasures:
            told = select(Event.seq).where(Event.stream == subject, Event.kind == kind)
            known = select(audit.Stream.id).where(audit.Stream.id == subject)
            if subject in done or session.scalar(known) is None or session.scalar(told) is not None:
                continue
            keys = update(SubjectKey).where(SubjectKey.subject == subject, SubjectKey.destroyed_at.is_(None))
            session.execute(keys.values(wrapped=b"", destroyed_at=datetime.fromisoformat(occurred_at)))
            table, _, ident = subject.partition("/")
            client = session.get(Client, ident) if table == "client" else None
            if client is not None:  # as engine.commands.clients.erase leaves it
                client.household_id, client.updated_at = None, self.unit.now
            facts = facts | {"by": by, "repeated": True}
            when = datetime.fromisoformat(occurred_at)
            audit.record(self.unit, subject, kind, actor=self.actor, facts=facts, occurred_at=when)
            done.append(subject)
        session.flush()
        return done

    def _verify(self, accept: bool) -> None:
        found = verify(self.unit.session, lambda done, total: self.progress("核验 · verifying", done, total))
        self.faults = list(islice(found, FAULTS))
        if self.faults and not accept:
            raise RestoredFaulty(count=len(self.faults), first=str(self.faults[0]))


def _missing(known: Iterator[list], data: Archive) -> dict:
    """What somebody who knows more heads of streams knows of: how many streams and events the data file lacks, and from when to when."""
    here = {stream: (seq, digest, when) for stream, seq, digest, when in data.rows("heads")}
    lacking, differing = [], []
    for stream, seq, digest, when in known:
        own_seq, own_hash, own_when = here.get(stream, (0, audit.GENESIS, None))
        if seq > own_seq:
            lacking.append({"stream": stream, "from_seq": own_seq + 1, "to_seq": seq, "after": own_when, "until": when})
        elif seq == own_seq and digest != own_hash:
            differing.append(stream)
    until = [line["until"] for line in lacking if line["until"]]
    return {
        "streams": len(lacking),
        "events": sum(line["to_seq"] - line["from_seq"] + 1 for line in lacking),
        "from": data.manifest["taken_at"] if lacking else None,
        "to": max(until, default=None),
        "differing": differing,
        "list": lacking,
    }


def _heads_of(system: System, path: Path) -> Iterator[list]:
    """The heads that a file knows."""
    if zipfile.is_zipfile(path):
        with zipfile.ZipFile(path) as file:
            kind = KEYS if "keys.jsonl" in file.namelist() else DATA
        archive = Archive(path, system.vault, system.county_id, kind)
        archive.check()
        yield from archive.rows("heads")
        archive.close()
        return
    try:
        for line in Path(path).read_text("utf-8").splitlines():
            found = json.loads(line)
            stream, seq, digest, *when = [found["stream"], found["seq"], found["hash"]] if isinstance(found, dict) else found
            yield [str(stream), int(seq), str(digest), when[0] if when else None]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise BackupBroken(path=str(path), reason="不是水泊的备份文件") from error


def _with_keys(data: Archive, keys: Archive) -> Iterator[dict]:
    """The data's subject keys with what opens them, both in the order of their ids. Raises KeysTooOld when some are not there."""
    known, lacking = keys.rows("keys"), 0
    columns, key_columns = data.columns("table/subject_key"), keys.columns("keys")
    held = next(known, None)
    for row in data.rows("table/subject_key"):
        wanted = dict(zip(columns, row, strict=True))
        while held is not None and held[0] < wanted["id"]:
            held = next(known, None)
        if held is None or held[0] != wanted["id"]:
            lacking += 1
            continue
        key = dict(zip(key_columns, held, strict=True))
        if key["subject"] != wanted["subject"]:
            raise BackupBroken(path=str(keys.path), reason="密钥与数据不属于同一个系统")
        yield wanted | {"wrapped": key["wrapped"], "destroyed_at": key["destroyed_at"]}
    if lacking:
        raise KeysTooOld(path=str(keys.path), count=lacking)


def _values(table: Table, rows: Iterator[dict]) -> Iterator[dict]:
    """Rows as the database takes them."""
    convert = None
    for row in rows:
        convert = convert or readers(table, list(row))
        yield {name: row[name] if row[name] is None or read is None else read(row[name]) for name, read in convert}


def _batches(rows: Iterator[dict]) -> Iterator[list[dict]]:
    while batch := list(islice(rows, BATCH)):
        yield batch


@contextmanager
def _references_last(connection: Connection) -> Iterator[None]:
    """Foreign keys are checked when all rows are there."""
    if connection.dialect.name == "sqlite":
        connection.exec_driver_sql("PRAGMA defer_foreign_keys=ON")
        yield
        if connection.exec_driver_sql("PRAGMA foreign_key_check").first():
            raise IntegrityError("foreign_key_check", None, ValueError())
        return
    query = "SELECT conrelid::regclass::text, quote_ident(conname) FROM pg_constraint WHERE contype = 'f' AND NOT condeferrable"
    strict = connection.execute(text(query + " AND connamespace = current_schema()::regnamespace")).all()
    for table, name in strict:
        connection.exec_driver_sql(f"ALTER TABLE {table} ALTER CONSTRAINT {name} DEFERRABLE INITIALLY DEFERRED")
    yield
    connection.exec_driver_sql("SET CONSTRAINTS ALL IMMEDIATE")
    for table, name in strict:
        connection.exec_driver_sql(f"ALTER TABLE {table} ALTER CONSTRAINT {name} NOT DEFERRABLE")
    connection.exec_driver_sql("SET CONSTRAINTS ALL DEFERRED")


def _open(system: System, path: Path, kind: str) -> Archive:
    return Archive(path, system.vault, system.county_id, kind)


def _newest(path: Path, pattern: str) -> Path:
    """A file as it is; of a folder, the newest that fits. Raises BackupNotFound."""
    if not path.is_dir():
        if not path.exists():
            raise BackupNotFound(path=str(path))
        return path
    found = sorted(each for each in path.glob(pattern))
    if not found:
        raise BackupNotFound(path=str(path))
    return found[-1]
