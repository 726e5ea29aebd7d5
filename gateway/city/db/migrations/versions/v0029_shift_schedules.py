"""Shift schedules of enterprises."""

import sqlalchemy as sa
from alembic import op

revision = "city29"
down_revision = "city28"
branch_labels = None
depends_on = None

_KEY = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Make the tables; all worked by the official calendar before."""
    op.create_table(
        "shift_schedule",
        sa.Column("id", _KEY, autoincrement=True, nullable=False),
        sa.Column("act_id", sa.BigInteger(), nullable=False),
        sa.Column("uscc", sa.String(18), nullable=False),
        sa.Column("site_no", sa.String(16), nullable=False),
        sa.Column("first_day", sa.Date(), nullable=False),
        sa.Column("last_day", sa.Date(), nullable=True),
        sa.Column("weeks", sa.String(31), nullable=False),
        sa.Column("on_holidays", sa.String(8), nullable=False),
        sa.Column("reason", sa.String(100), nullable=False),
        sa.Column("document", sa.String(200), nullable=False),
        sa.Column("said_by", sa.String(100), nullable=False),
        sa.PrimaryKeyConstraint("id"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_shift_schedule_uscc", "shift_schedule", ["uscc"])
    op.create_table(
        "shift_schedule_end",
        sa.Column("schedule_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("act_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.PrimaryKeyConstraint("schedule_id", "act_id"),
    )
