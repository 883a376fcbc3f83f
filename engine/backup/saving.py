"""Taking a backup of a database that others go on using: one consistent view, read once, written to two files.

The keys file is replaced, never multiplied: it holds the keys of every subject not yet erased and the list of all erasures, what a former
keys file knew included. Only an erasure that history tells of takes a key out of it, so neither an empty database nor one that somebody
emptied can make older data files unreadable.
"""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

from alembic.migration import MigrationContext
from sqlalchemy import Table, func, select
from sqlalchemy.engine import Connection

from engine.audit import Event, Stream
from engine.backup.archive import DATA, KEYS, Archive, Writer, alone, disk
from engine.backup.rows import BATCH, read, tables_of
from engine.exceptions import BackupExists, NothingToBackUp
from engine.system import System
from engine.vault import SubjectKey

Progress = Callable[[str, int, int], None]

# Not taken along: search tokens, which are made anew from what is sealed, so that no old backup tells of somebody erased; and what passes
# away by itself. After a restore everybody signs in again, as a session closed since the backup must not come back.
SEARCH = frozenset({"client_index", "person_index"})
PASSING = frozenset({"access_token", "sign_in_failure"})
APART = {"subject_key": frozenset({"wrapped"})}  # columns that only the keys file has

KEY_COLUMNS = ["id", "county_id", "subject", "wrapped", "created_at", "destroyed_at"]
ERASURE_COLUMNS = ["stream", "seq", "kind", "actor_id", "occurred_at", "facts"]
HEAD_COLUMNS = ["stream", "seq", "hash", "recorded_at"]


def save(system: System, folder: Path, keys_folder: Path | None = None, *, now: datetime, progress: Progress = lambda *_: None) -> dict:
    """Write `shuibo-<county>-<time>.zip` into `folder`, and replace `shuibo-<county>.keys.zip` in `keys_folder` (`folder/keys`).

    Answers {data, keys: paths, taken_at, rows, events, streams, kept: keys that only the former keys file had, behind: streams of which it
    knew more}. `progress(text, done, total)`. Raises BackupExists, BackupRunning, BackupNotWritten, BackupBroken (the former keys file),
    NothingToBackUp, and what a database may raise; then there is no new file.
    """
    county, stamp = system.county_id, now.astimezone(UTC).strftime("%Y%m%dT%H%M%SZ")
    folder, keys_folder = Path(folder), Path(keys_folder or Path(folder) / "keys")
    with disk(folder):
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        keys_folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    data_path, keys_path = folder / f"shuibo-{county}-{stamp}.zip", keys_folder / f"shuibo-{county}.keys.zip"
    with disk(folder), ExitStack() as locks:
        for each in sorted({folder.resolve(), keys_folder.resolve()}):
            locks.enter_context(alone(each))
        if data_path.exists():
            raise BackupExists(path=str(data_path))
        former = Archive(keys_path, system.vault, county, KEYS) if keys_path.exists() else None
        if former:
            former.check()
        about = {"county": county, "taken_at": now.astimezone(UTC).isoformat(), "program": version("shuibo")}
        writers = []
        try:
            with system.database.read() as session:
                connection = session.connection()
                about["revision"] = MigrationContext.configure(connection).get_current_revision()
                if about["revision"] is None:
                    raise NothingToBackUp()
                writers.append(data := Writer(data_path, system.vault, about | {"kind": DATA}))
                _write_data(data, connection, progress)
                writers.append(keys := Writer(keys_path, system.vault, about | {"kind": KEYS}))
                kept, behind = _write_keys(keys, connection, former)
            for writer in writers:
                writer.finish()
            keys.publish(replace=True)  # first: keys may be newer than data, never older
            data.publish()
        finally:
            for writer in writers:
                writer.discard()
            if former:
                former.close()
    entries = data.manifest["entries"]
    return {
        "data": str(data_path),
        "keys": str(keys_path),
        "taken_at": about["taken_at"],
        "rows": sum(entry["rows"] for name, entry in entries.items() if name.startswith("table/")),
        "events": entries["table/event"]["rows"],
        "streams": entries["heads"]["rows"],
        "kept": kept,
        "behind": behind,
    }


def erasures_of(connection: Connection) -> Iterator[list]:
    """Every erasure that the history tells of, as ERASURE_COLUMNS. A subject's stream is named like the subject of its keys."""
    event = Event.__table__
    query = select(*(event.c[name] for name in ERASURE_COLUMNS)).where(event.c.kind.endswith(":erased")).order_by(event.c.stream)
    for stream, seq, kind, actor_id, occurred_at, facts in connection.execute(query):
        yield [stream, seq, kind, actor_id, occurred_at.isoformat(), facts]


def _write_data(writer: Writer, connection: Connection, progress: Progress) -> None:
    tables = [table for table in tables_of(connection) if table.name not in SEARCH | PASSING]
    total = sum(connection.scalar(select(func.count()).select_from(table)) for table in tables)
    done = 0

    def counted(rows: Iterator[list]) -> Iterator[list]:
        nonlocal done
        for row in rows:
            yield row
            done += 1
            if done % BATCH == 0:
                progress("备份 · backing up", done, total)

    for table in tables:
        columns = [column for column in table.columns if column.name not in APART.get(table.name, ())]
        writer.entry(f"table/{table.name}", [column.name for column in columns], counted(read(connection, table, columns)))
    progress("备份 · backing up", total, total)
    writer.entry("heads", HEAD_COLUMNS, _heads(connection))


def _write_keys(writer: Writer, connection: Connection, former: Archive | None) -> tuple[int, int]:
    """Keys, erasures, heads of this moment, what the former file knew included. Answers (keys that only it had, streams it is ahead in)."""
    erasures = {(row[0], row[2]): row for row in (former.rows("erasures") if former else ())}
    erasures |= {(row[0], row[2]): row for row in erasures_of(connection)}
    writer.entry("erasures", ERASURE_COLUMNS, [erasures[key] for key in sorted(erasures)])
    erased = {stream: row[4] for (stream, _kind), row in erasures.items()}
    kept = 0

    def merged() -> Iterator[list]:
        nonlocal kept
        for row, own in _merge(_keys(connection), former.rows("keys") if former else iter(())):
            if row[2] in erased:
                yield [*row[:3], "", row[4], row[5] or erased[row[2]]]
            else:
                kept += not own
                yield row

    writer.entry("keys", KEY_COLUMNS, merged())
    heads = list(_heads(connection))
    known = {stream: seq for stream, seq, *_ in former.rows("heads")} if former else {}
    writer.entry("heads", HEAD_COLUMNS, heads)
    here = {stream: seq for stream, seq, *_ in heads}
    return kept, sum(seq > here.get(stream, 0) for stream, seq in known.items())


def _merge(own: Iterator[list], former: Iterator[list]) -> Iterator[tuple[list, bool]]:
    """Two lists of keys in the order of their ids as one; of a key in both, the one that still opens something."""
    left, right = next(own, None), next(former, None)
    while left or right:
        if right is None or (left and left[0] < right[0]):
            yield left, True
            left = next(own, None)
        elif left is None or right[0] < left[0]:
            yield right, False
            right = next(former, None)
        else:
            yield (left, True) if left[3] or not right[3] else (right, False)
            left, right = next(own, None), next(former, None)


def _keys(connection: Connection) -> Iterator[list]:
    table: Table = SubjectKey.__table__
    return read(connection, table, [table.c[name] for name in KEY_COLUMNS])


def _heads(connection: Connection) -> Iterator[list]:
    """How far each stream has come, and when."""
    stream, event = Stream.__table__.c, Event.__table__.c
    last = (event.stream == stream.id) & (event.seq == stream.seq)
    query = select(stream.id, stream.seq, stream.hash, event.recorded_at).join_from(Stream.__table__, Event.__table__, last, isouter=True)
    for ident, seq, digest, recorded_at in connection.execute(query.order_by(stream.id).execution_options(yield_per=BATCH)):
        yield [ident, seq, digest, recorded_at and recorded_at.isoformat()]
