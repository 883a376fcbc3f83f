"""Teams of cases, and tasks that change hands together"""

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None

DEFERRED = {"initially": "DEFERRED", "deferrable": True}


def upgrade() -> None:
    op.create_table(
        "case_member",
        sa.Column("county_id", sa.String(length=32), nullable=False),
        sa.Column("instance_id", sa.String(length=32), nullable=False),
        sa.Column("person_id", sa.String(length=32), nullable=False),
        sa.Column("role", sa.String(length=8), nullable=False),
        sa.Column("since", sa.DateTime(timezone=True), nullable=False),
        sa.Column("until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["instance_id"], ["instance.id"], **DEFERRED),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], **DEFERRED),
        sa.PrimaryKeyConstraint("instance_id", "person_id"),
        sqlite_with_rowid=False,
    )
    op.create_index("case_member_by_person", "case_member", ["person_id", "until"])
    op.create_table(
        "handover",
        sa.Column("county_id", sa.String(length=32), nullable=False),
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("person_id", sa.String(length=32), nullable=True),
        sa.Column("substitute_id", sa.String(length=32), nullable=True),
        sa.Column("first_day", sa.Date(), nullable=True),
        sa.Column("last_day", sa.Date(), nullable=True),
        sa.Column("status", sa.String(length=12), nullable=False),
        sa.Column("plan", sa.Text(), nullable=False),
        sa.Column("place_path", sa.String(length=200), nullable=False),
        sa.Column("begun_by", sa.String(length=32), nullable=False),
        sa.Column("begun_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("key_id", sa.String(length=32), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], **DEFERRED),
        sa.ForeignKeyConstraint(["substitute_id"], ["person.id"], **DEFERRED),
        sa.ForeignKeyConstraint(["key_id"], ["subject_key.id"], **DEFERRED),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("handover_by_person", "handover", ["person_id", "kind"])
    op.create_index("handover_by_status", "handover", ["status"])
    op.create_table(
        "handover_task",
        sa.Column("county_id", sa.String(length=32), nullable=False),
        sa.Column("handover_id", sa.String(length=32), nullable=False),
        sa.Column("task_id", sa.String(length=32), nullable=False),
        sa.Column("instance_id", sa.String(length=32), nullable=False),
        sa.Column("from_id", sa.String(length=32), nullable=True),
        sa.Column("to_id", sa.String(length=32), nullable=False),
        sa.Column("outcome", sa.String(length=8), nullable=False),
        sa.Column("code", sa.String(length=40), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["handover_id"], ["handover.id"], **DEFERRED),
        sa.ForeignKeyConstraint(["task_id"], ["task.id"], **DEFERRED),
        sa.ForeignKeyConstraint(["instance_id"], ["instance.id"], **DEFERRED),
        sa.PrimaryKeyConstraint("handover_id", "task_id"),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_handover_task_task_id", "handover_task", ["task_id"])


def downgrade() -> None:
    for table in ("handover_task", "handover", "case_member"):
        op.drop_table(table)
