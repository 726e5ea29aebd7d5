"""By what results were computed."""

import sqlalchemy as sa
from alembic import op

revision = "city37"
down_revision = "city36"
branch_labels = None
depends_on = None

_KEY = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Make the table; of results of before nobody knows."""
    op.create_table(
        "rate_job",
        sa.Column("id", _KEY, autoincrement=True, nullable=False),
        sa.Column("definition", sa.String(32), nullable=False),
        sa.Column("month", sa.String(7), nullable=False),
        sa.Column("vintage", sa.Integer(), nullable=False),
        sa.Column("started_by", sa.String(100), nullable=False),
        sa.Column("software", sa.String(32), nullable=False),
        sa.Column("code", sa.String(64), nullable=False),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("definition", "month", "vintage"),
        sqlite_autoincrement=True,
    )
