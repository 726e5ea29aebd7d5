"""One outbox entry a machine: asking again opens it anew, so that the list does not grow."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

_SUPERSEDED = """
DELETE FROM identifier_outbox WHERE id NOT IN (
    SELECT coalesce(min(CASE WHEN operation = 'register' AND state <> 'done' THEN id END), max(id))
    FROM identifier_outbox GROUP BY equipment_id
)
"""
"""What is not registered yet stays to be registered; else the newest entry holds."""


def upgrade() -> None:
    """Drop superseded entries, and hold the rule by an index."""
    op.execute(sa.text(_SUPERSEDED))
    op.create_index(
        "ix_identifier_outbox_equipment_id", "identifier_outbox", ["equipment_id"], unique=True
    )
