"""The registers' entries"""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "register_entry",
        sa.Column("county_id", sa.String(length=32), nullable=False),
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("register", sa.String(length=24), nullable=False),
        sa.Column("subject_id", sa.String(length=32), nullable=False),
        sa.Column("place_path", sa.String(length=200), nullable=False),
        sa.Column("station_id", sa.String(length=32), nullable=True),
        sa.Column("since", sa.Date(), nullable=True),
        sa.Column("until", sa.Date(), nullable=True),
        sa.Column("plain", sa.Text(), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.Column("key_id", sa.String(length=32), nullable=False),
        sa.Column("added_by", sa.String(length=32), nullable=True),
        sa.Column("added_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("next_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["key_id"], ["subject_key.id"], initially="DEFERRED", deferrable=True),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("entry_by_subject", "register_entry", ["subject_id", "register"])
    op.create_index("entry_by_register", "register_entry", ["county_id", "register", "ended_at", "station_id", "id"])
    op.create_index("entry_by_time", "register_entry", ["next_at"])
    watched = sa.text("next_at IS NOT NULL")
    op.create_index("entry_lapsing", "register_entry", ["county_id", "until"], postgresql_where=watched, sqlite_where=watched)


def downgrade() -> None:
    op.drop_table("register_entry")
