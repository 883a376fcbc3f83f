"""Alembic's entry: runs on the connection that `engine.schema` hands over."""

from alembic import context
from sqlalchemy.types import TypeDecorator

from engine.tables import Base


def render_item(kind: str, item, _context) -> str | bool:
    """Write our column types as what they are in the database: a migration must not change when our classes do."""
    return f"sa.{item.impl!r}" if kind == "type" and isinstance(item, TypeDecorator) else False


context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=Base.metadata,
    render_as_batch=True,  # SQLite cannot alter most of a table in place
    render_item=render_item,
)
with context.begin_transaction():
    context.run_migrations()
