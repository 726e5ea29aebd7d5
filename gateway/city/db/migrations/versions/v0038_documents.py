"""What proves that a machine is there: invoices, photos of nameplates."""

import sqlalchemy as sa
from alembic import op

revision = "city38"
down_revision = "city37"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the column; nobody has said anything yet."""
    op.add_column(
        "equipment",
        sa.Column("documents", sa.String(300), server_default="", nullable=False),
    )
