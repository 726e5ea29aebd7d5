"""Who withdrew an identifier is kept beside when and why."""

import sqlalchemy as sa
from alembic import op

revision = "node2"
down_revision = "node1"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the column; of those that were withdrawn before, the audit log alone says it."""
    column = sa.Column("withdrawn_by", sa.String(64), server_default="", nullable=False)
    op.add_column("record", column)
