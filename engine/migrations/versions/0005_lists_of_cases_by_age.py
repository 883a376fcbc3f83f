"""Lists of cases stop at a page however many cases there are: of the county, of a station, of a status"""

from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.drop_index("instance_by_station", "instance")
    op.create_index("instance_by_station", "instance", ["county_id", "station_id", "id"])
    op.create_index("instance_by_status", "instance", ["county_id", "status", "id", "station_id"])
    op.create_index("instance_by_age", "instance", ["county_id", "id"])
    op.drop_index("task_by_station", "task")
    op.create_index("task_by_station", "task", ["county_id", "status", "station_id", "id", "due_at"])


def downgrade() -> None:
    op.drop_index("task_by_station", "task")
    op.create_index("task_by_station", "task", ["county_id", "status", "station_id", "id"])
    op.drop_index("instance_by_age", "instance")
    op.drop_index("instance_by_status", "instance")
    op.drop_index("instance_by_station", "instance")
    op.create_index("instance_by_station", "instance", ["county_id", "station_id", "status", "id"])
