"""Less work for PostgreSQL at each step of a case

Room on the pages of cases keeps a case's new version beside the old one, so that no index is written. And an event no longer asks at
commit whether its stream is there: the transaction that adds it has locked and moved that very row, and verification finds an event
without one. SQLite keeps the reference, which costs it nothing and could only go by copying its largest table.
"""

from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    if op.get_bind().dialect.name == "postgresql":
        op.execute("ALTER TABLE instance SET (fillfactor = 70)")
        op.drop_constraint("event_stream_fkey", "event", type_="foreignkey")


def downgrade() -> None:
    if op.get_bind().dialect.name == "postgresql":
        op.create_foreign_key(
            "event_stream_fkey", "event", "stream", ["stream"], ["id"], deferrable=True, initially="DEFERRED"
        )
        op.execute("ALTER TABLE instance RESET (fillfactor)")
