"""`audit verify` at lengths that a sample never reaches."""

import pytest
from sqlalchemy import text

from engine import verification


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
