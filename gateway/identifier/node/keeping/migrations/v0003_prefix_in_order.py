"""Identifiers of a prefix are found in their order, so that a page costs no more than it has."""

from alembic import op

revision = "node3"
down_revision = "node2"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Replace the index of prefixes; with it alone, all of a prefix was sorted for each page."""
    op.create_index("ix_record_prefix_key", "record", ["prefix", "key"])
    op.drop_index("ix_record_prefix", "record")
