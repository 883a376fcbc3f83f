"""PostgreSQL's connections: what they keep between two uses, and what becomes of one that the server has closed."""

import pytest
from sqlalchemy import create_engine, text
from sqlalchemy.exc import DBAPIError

from engine import db
from engine.db import Database
from tests.support.databases import migrate

LOOK = text("SELECT id FROM stream LIMIT 1")


@pytest.fixture
def database(new_database):
    database = Database(new_database("postgresql", migrate))
    yield database
    database.dispose()


def prepared(database: Database) -> set[str]:
    """The statements that the server keeps for the connection in use."""
    with database.read() as session:
        return set(session.scalars(text("SELECT statement FROM pg_prepared_statements")))


def test_looking_leaves_the_prepared_statements_there(database):
    """Each look ended in a rollback, at which the driver forgets them: every statement was planned anew each time, for half the time it took."""
    for _ in range(8):
        with database.glance() as connection:
            connection.exec_driver_sql("SELECT 1 FROM event LIMIT 1").all()
        with database.read() as session:
            session.execute(LOOK).all()
    assert "SELECT 1 FROM event LIMIT 1" in prepared(database)


def test_lists_are_planned_for_who_asks(database):
    """One plan for an assistant of two cases and a supervisor of a hundred thousand was bad for one of them, eight times as slow."""
    for _ in range(12):
        with database.read() as session:
            session.execute(LOOK).all()
    assert str(LOOK) not in prepared(database)
    for _ in range(8):
        with database.writing() as connection:
            connection.execute(LOOK).all()
            connection.commit()
    assert str(LOOK) in prepared(database), "where rows are found by their keys one plan is good for all"


def test_who_looks_changes_nothing(database):
    with pytest.raises(DBAPIError, match="read-only"), database.read() as session:
        session.execute(text("UPDATE stream SET seq = 0"))


def test_a_connection_that_the_server_closed_while_it_rested_is_replaced(database, monkeypatch):
    monkeypatch.setattr(db, "RESTED", 0)
    with database.glance() as connection:
        process = connection.exec_driver_sql("SELECT pg_backend_pid()").scalar()
    other = create_engine(database.url)
    with other.connect() as connection:
        connection.exec_driver_sql(f"SELECT pg_terminate_backend({process})")
    other.dispose()
    with database.glance() as connection:
        assert connection.exec_driver_sql("SELECT pg_backend_pid()").scalar() != process
