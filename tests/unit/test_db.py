"""Rows made without the constructor, and how SQLite is opened."""

import subprocess
import sys

from engine.db import Database
from tests.support.databases import ROOT

FIRST = "from engine.vault import SubjectKey; row = SubjectKey.row(id='a'); print(row.id, row.wrapped)"


def test_a_row_may_be_the_first_thing_that_a_process_makes():
    """Nothing has configured the mappers yet: a web process that was just started, and its first request."""
    done = subprocess.run([sys.executable, "-c", FIRST], cwd=ROOT, capture_output=True, text=True, timeout=60)
    assert done.stdout == "a None\n", done.stderr


def test_sqlite_waits_for_the_disk_at_each_commit(tmp_path):
    """What was acknowledged survives a power cut: synchronous=FULL (2), in WAL."""
    database = Database(f"sqlite:///{tmp_path / 'county.db'}")
    with database.engine.connect() as connection:
        asked = [connection.exec_driver_sql(f"PRAGMA {name}").scalar_one() for name in ("synchronous", "journal_mode", "foreign_keys")]
    database.dispose()
    assert asked == [2, "wal", 1]
