"""Statements compiled once and handed to the driver as they are: for the few that run at every completion.

SQLAlchemy writes the SQL and converts every value, as everywhere else; what is left out is what it does anew at each execution, which costs
four times what SQLite takes for the statement itself. Where somebody listens to statements (a trace, a test), they run the ordinary way.
"""

import sqlite3
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from sqlalchemy.engine import Connection, Dialect

from engine.exceptions import DatabaseBusy, DatabaseUnavailable, EngineError, StaleVersion, StorageFull

# SQLite's result codes, and PostgreSQL's SQLSTATEs (its appendix A): what is full, waited for in vain, away, there already.
_FULL = {sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR_WRITE, sqlite3.SQLITE_IOERR_SHMSIZE, "53100"}
_BUSY = {sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED, "55P03", "40P01", "40001"}
_AWAY = {sqlite3.SQLITE_IOERR, sqlite3.SQLITE_CANTOPEN, "08", "53", "57"}
_TWICE = {sqlite3.SQLITE_CONSTRAINT_UNIQUE, sqlite3.SQLITE_CONSTRAINT_PRIMARYKEY, "23505"}


def in_our_words(original: BaseException, unreached: bool = False) -> EngineError | None:
    """The engine's error for what ails the database or came too late; None for what is wrong with the statement. `unreached`: no code came back."""
    code = getattr(original, "sqlite_errorcode", None) or getattr(original, "sqlstate", None)
    group = code & 0xFF if isinstance(code, int) else code and code[:2]  # extended SQLite codes; classes of SQLSTATE
    if code in _FULL:
        return StorageFull()
    if code in _BUSY or group in _BUSY:
        return DatabaseBusy()
    if code in _TWICE:  # commands look first: somebody was quicker between the look and the write
        return StaleVersion()
    return DatabaseUnavailable() if group in _AWAY or (unreached and code is None) else None


class Prepared:
    """One statement with `bindparam`s."""

    def __init__(self, statement):
        """`statement`: a select, insert, update or delete of SQLAlchemy's Core."""
        self.statement = statement
        self._compiled: dict[str, _Compiled] = {}

    def rows(self, connection: Connection, parameters: Mapping[str, Any]) -> list[tuple]:
        """The rows it selects."""
        if _watched(connection):
            return [tuple(row) for row in connection.execute(self.statement, parameters)]
        compiled = self._for(connection)
        cursor = compiled.execute(connection, parameters)
        try:
            return [compiled.read(row) for row in cursor.fetchall()]
        finally:
            cursor.close()

    def run(self, connection: Connection, parameters: Mapping[str, Any] | Sequence[Mapping[str, Any]]) -> int:
        """Carry it out, once or for each of a list of parameters; the number of rows it touched, where the driver tells."""
        if _watched(connection):
            return connection.execute(self.statement, parameters).rowcount
        cursor = self._for(connection).execute(connection, parameters)
        try:
            return cursor.rowcount
        finally:
            cursor.close()

    def _for(self, connection: Connection) -> "_Compiled":
        name = connection.dialect.name
        if name not in self._compiled:
            self._compiled[name] = _Compiled(self.statement, connection.dialect)
        return self._compiled[name]


class _Compiled:
    """The SQL of one dialect, and how each value goes in and comes out."""

    def __init__(self, statement, dialect: Dialect):
        compiled = statement.compile(dialect=dialect)
        self.sql = str(compiled)
        self.positional = compiled.positional
        self.names = compiled.positiontup if compiled.positional else list(compiled.params)
        self.defaults = {name: value for name, value in compiled.params.items() if value is not None}
        writers = {name: _writer(bind.type, dialect) for bind, name in compiled.bind_names.items()}
        self.writers = [(number, writers[name]) for number, name in enumerate(self.names) if writers[name]]
        columns = getattr(statement, "selected_columns", ())
        self.readers = [(number, reader) for number, column in enumerate(columns) if (reader := _reader(column.type, dialect))]

    def execute(self, connection: Connection, parameters):
        cursor = connection.connection.cursor()
        try:
            if isinstance(parameters, Mapping):
                return cursor.execute(self.sql, self.written(parameters)) or cursor
            return cursor.executemany(self.sql, [self.written(each) for each in parameters]) or cursor
        except Exception as error:
            cursor.close()
            told = in_our_words(error, isinstance(error, connection.dialect.loaded_dbapi.OperationalError))
            if told is None:
                raise
            raise told from error

    def written(self, parameters: Mapping[str, Any]):
        given = {**self.defaults, **parameters} if self.defaults else parameters
        values = [given[name] for name in self.names]
        for number, write in self.writers:
            values[number] = write(values[number])
        return values if self.positional else dict(zip(self.names, values, strict=True))

    def read(self, row: Sequence) -> tuple:
        values = list(row)
        for number, reader in self.readers:
            values[number] = reader(values[number])
        return tuple(values)


def _watched(connection: Connection) -> bool:
    return bool(connection.dispatch.before_cursor_execute)


def _writer(kind, dialect: Dialect) -> Callable | None:
    return kind.dialect_impl(dialect).bind_processor(dialect)


def _reader(kind, dialect: Dialect) -> Callable | None:
    implementation = kind.dialect_impl(dialect)
    return implementation.result_processor(dialect, None)
