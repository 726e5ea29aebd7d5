"""A published result keeps the days of rest that it left out."""

import sqlalchemy as sa
from alembic import op

revision = "city20"
down_revision = "city19"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add table and column; what was published before had the product's own calendar."""
    op.create_table(
        "rest_days",
        sa.Column("digest", sa.String(64), nullable=False),
        sa.Column("days", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("digest"),
    )
    op.add_column("rate_result", sa.Column("rest_days", sa.String(64), nullable=True))
