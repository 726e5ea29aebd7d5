"""Corrections of rates say who and why; the evidence of a month is read from its index alone."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the table, and widen the index of days."""
    op.create_table(
        "rate_correction",
        sa.Column("definition", sa.String(length=32), nullable=False),
        sa.Column("month", sa.String(length=7), nullable=False),
        sa.Column("vintage", sa.Integer(), nullable=False),
        sa.Column("reason", sa.String(length=16), nullable=False),
        sa.Column("note", sa.String(length=300), nullable=False),
        sa.Column("corrected_by", sa.String(length=100), nullable=False),
        sa.PrimaryKeyConstraint("definition", "month", "vintage", name=op.f("pk_rate_correction")),
    )
    op.drop_index("ix_evidence_day", table_name="evidence")
    op.create_index(
        "ix_evidence_month",
        "evidence",
        ["day", "equipment_id", "source", "synthetic"],
        unique=False,
    )
