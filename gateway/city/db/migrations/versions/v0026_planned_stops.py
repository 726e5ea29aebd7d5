"""Planned stops of machines."""

import sqlalchemy as sa
from alembic import op

revision = "city26"
down_revision = "city25"
branch_labels = None
depends_on = None

_KEY = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Make the tables; nothing was planned before."""
    op.create_table(
        "planned_stop",
        sa.Column("id", _KEY, autoincrement=True, nullable=False),
        sa.Column("act_id", sa.BigInteger(), nullable=False),
        sa.Column("uscc", sa.String(18), nullable=False),
        sa.Column("site_no", sa.String(16), nullable=False),
        sa.Column("workshop", sa.String(100), nullable=False),
        sa.Column("line", sa.String(100), nullable=False),
        sa.Column("asset_no", sa.String(64), nullable=False),
        sa.Column("first_day", sa.Date(), nullable=False),
        sa.Column("last_day", sa.Date(), nullable=True),
        sa.Column("reason", sa.String(16), nullable=False),
        sa.Column("document", sa.String(200), nullable=False),
        sa.Column("said_by", sa.String(100), nullable=False),
        sa.PrimaryKeyConstraint("id"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_planned_stop_uscc", "planned_stop", ["uscc"])
    op.create_table(
        "planned_stop_machine",
        sa.Column("stop_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("machine_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.PrimaryKeyConstraint("stop_id", "machine_id"),
    )
    op.create_index("ix_planned_stop_machine_machine_id", "planned_stop_machine", ["machine_id"])
    op.create_table(
        "planned_stop_end",
        sa.Column("stop_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("act_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.PrimaryKeyConstraint("stop_id", "act_id"),
    )
