"""Rows of any table as plain JSON and back: by the types that the database itself names, so that every version's tables can be taken along."""

import base64
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime
from decimal import Decimal

from sqlalchemy import Boolean, Column, Date, DateTime, LargeBinary, MetaData, Numeric, Table, select
from sqlalchemy.engine import Connection

from engine.exceptions import TableUnreadable

BATCH = 500
REVISION = "alembic_version"  # migrations write it, no backup does


def tables_of(connection: Connection) -> list[Table]:
    """The database's tables as they are, those that others refer to first; without the one of the migrations."""
    metadata = MetaData()
    metadata.reflect(connection)
    return [table for table in metadata.sorted_tables if table.name != REVISION]


def read(connection: Connection, table: Table, columns: list[Column]) -> Iterator[list]:
    """All rows of a table as plain JSON, in the order of its key: ids by bytes, on every database. Raises TableUnreadable."""
    collate = connection.dialect.name == "postgresql"
    order = [column.collate("C") if collate and column.type.python_type is str else column for column in table.primary_key]
    writers = [_writer(column.type) for column in columns]
    query = select(*columns).order_by(*order).execution_options(yield_per=BATCH)
    try:
        for row in connection.execute(query):
            yield [value if value is None or write is None else write(value) for write, value in zip(writers, row, strict=True)]
    except (TypeError, ValueError, AttributeError) as error:  # SQLite keeps whatever somebody put there
        raise TableUnreadable(table=table.name) from error


def readers(table: Table, names: list[str]) -> list[tuple[str, Callable | None]]:
    """For each column of a backup: its name, and what makes a value of its JSON; None where it is one already."""
    return [(name, _reader(table.c[name].type)) for name in names]


def _writer(kind) -> Callable | None:
    kind = getattr(kind, "impl_instance", kind)
    if isinstance(kind, LargeBinary):
        return lambda value: base64.b64encode(value).decode()
    if isinstance(kind, DateTime):
        return lambda value: (value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)).isoformat()
    if isinstance(kind, Date):
        return date.isoformat
    if isinstance(kind, Boolean):
        return bool
    if isinstance(kind, Numeric) and kind.asdecimal:
        return str
    return None


def _reader(kind) -> Callable | None:
    if isinstance(kind, LargeBinary):
        return base64.b64decode
    if isinstance(kind, DateTime):
        return datetime.fromisoformat
    if isinstance(kind, Date):
        return date.fromisoformat
    if isinstance(kind, Numeric) and kind.asdecimal:
        return Decimal
    return None
