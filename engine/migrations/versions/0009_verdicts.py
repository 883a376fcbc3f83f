"""What the regulations said in a month is found without reading the month"""

from alembic import op
from sqlalchemy import text

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

SPOKEN = text("kind IN ('regulation:checked', 'regulation:refused')")


def upgrade() -> None:
    op.create_index("event_spoken", "event", ["county_id", "recorded_at"], postgresql_where=SPOKEN, sqlite_where=SPOKEN)


def downgrade() -> None:
    op.drop_index("event_spoken", "event")
