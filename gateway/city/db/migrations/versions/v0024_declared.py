"""Declared values stand beside collected ones."""

import sqlalchemy as sa
from alembic import op

revision = "city24"
down_revision = "city23"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the table."""
    key = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
    op.create_table(
        "declared_value",
        sa.Column("id", key, autoincrement=True, nullable=False),
        sa.Column("uscc", sa.String(18), nullable=False),
        sa.Column("month", sa.String(7), nullable=False),
        sa.Column("networked", sa.Integer(), nullable=False),
        sa.Column("equipment", sa.Integer(), nullable=False),
        sa.Column("declared_by", sa.String(100), nullable=False),
        sa.Column("source", sa.String(300), nullable=False),
        sa.Column("known_ms", sa.BigInteger(), nullable=False),
        sa.Column("entered_by", sa.String(100), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_declared_value"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_declared_value_month", "declared_value", ["month", "uscc"])
