"""Absences of the register whose tasks the clock has handed over"""

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "handed_absence",
        sa.Column("county_id", sa.String(32), nullable=False),
        sa.Column("entry_id", sa.String(32), nullable=False),
        sa.Column("handover_id", sa.String(32), nullable=False),
        sa.Column("by_clock", sa.Boolean(), nullable=False),
        sa.Column("over", sa.Boolean(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["entry_id"], ["register_entry.id"], initially="DEFERRED", deferrable=True),
        sa.ForeignKeyConstraint(["handover_id"], ["handover.id"], initially="DEFERRED", deferrable=True),
        sa.PrimaryKeyConstraint("entry_id"),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_handed_absence_handover_id", "handed_absence", ["handover_id"])


def downgrade() -> None:
    op.drop_table("handed_absence")
