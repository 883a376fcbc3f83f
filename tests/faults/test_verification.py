"""`audit verify` at lengths that a sample never reaches."""

import pytest
from sqlalchemy import event, text
from sqlalchemy.exc import DatabaseError
from sqlalchemy.orm import Session

from engine import verification
from engine.db import Base
from tests.faults.people import prepare_cases
from tests.support.counties import County


@pytest.fixture
def small_batches(monkeypatch):
    """As if there were thousands of events."""
    monkeypatch.setattr(verification, "BATCH", 3)


def test_more_events_than_are_read_at_a_time(county, small_batches):
    told = []
    with county.system.database.read() as session:
        assert [str(fault) for fault in verification.verify(session, lambda done, total: told.append((done, total)))] == []
    assert len(told) > 3
    assert told[-1][0] == told[-1][1]


def test_a_fault_is_found_beyond_the_first_batch(county, small_batches):
    with county.system.database.engine.begin() as connection:
        name, seq = connection.execute(text("SELECT stream, max(seq) FROM event GROUP BY stream ORDER BY stream DESC LIMIT 1")).one()
        connection.execute(text("UPDATE event SET kind = 'x' WHERE stream = :s AND seq = :n"), {"s": name, "n": seq})
    assert [fault.split(":")[0] for fault in county.faults()] == [f"{name}#{seq}"]


def test_what_is_written_meanwhile_is_no_fault(backend, new_database):
    """One view for all of a verification: a case that begins between its statements is not half in it."""
    url = new_database(backend, prepare_cases)
    county, other = County(url), County(url)
    begun = []

    def write(_connection, _cursor, statement, *_):
        if "FROM stream" in statement and not begun:
            begun.append(other.start("steps"))

    event.listen(county.system.database.engine, "after_cursor_execute", write)
    assert county.faults() == []
    assert begun
    for each in (county, other):
        each.system.database.dispose()


# What no column of ours holds, whatever its type.
GARBAGE = {
    "a word": "'x'",
    "a number": "7",
    "bytes": "x'00ff'",
    "text that is no UTF-8": "CAST(x'ff' AS TEXT)",
    "JSON of another kind": "'[]'",
    "nothing": "NULL",
}


@pytest.mark.parametrize("garbage", GARBAGE)
@pytest.mark.parametrize("table", ["event", "stream", "task", "account", "calendar_year"])
def test_values_of_no_type_are_faults_and_no_crash(new_database, table, garbage):
    """SQLite stores anything in any column."""
    county = County(new_database("sqlite", prepare_cases))
    county.start("steps", data={"amount": 1})
    columns = Base.metadata.tables[table].c
    key = [column.name for column in columns if column.primary_key]
    for column in columns:
        with county.system.database.writing() as connection:
            connection.exec_driver_sql("PRAGMA defer_foreign_keys = ON")
            last = connection.execute(text(f"SELECT {', '.join(key)} FROM {table} ORDER BY {', '.join(key)} DESC LIMIT 1")).one()
            where = " AND ".join(f"{name} = :{name}" for name in key)
            change = f"UPDATE {table} SET {column.name} = {GARBAGE[garbage]} WHERE {where} AND {column.name} IS NOT {GARBAGE[garbage]}"
            try:
                changed = connection.execute(text(change), last._asdict()).rowcount
            except DatabaseError:
                continue  # the database itself does not let that happen
            if changed:
                assert [str(fault) for fault in verification.verify(Session(connection))], column.name
    assert county.faults() == []
    county.system.database.dispose()
