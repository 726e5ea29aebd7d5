"""What raw days took when they were counted last, for pages."""

import sqlalchemy as sa
from alembic import op

revision = "city41"
down_revision = "city40"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the table; the next tidying counts."""
    op.create_table(
        "raw_days_size",
        sa.Column("month", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("row_count", sa.BigInteger(), nullable=False),
        sa.Column("late_count", sa.BigInteger(), nullable=False),
        sa.Column("size_bytes", sa.BigInteger(), nullable=True),
        sa.Column("counted_ms", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("month", name="pk_raw_days_size"),
    )
