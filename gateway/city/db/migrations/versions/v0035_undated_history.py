"""What acts upon the ledger replaced that has no days: names, workshops, lines, models."""

import sqlalchemy as sa
from alembic import op

revision = "city35"
down_revision = "city34"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the table; what acts replaced before is not known."""
    op.create_table(
        "undated_history",
        sa.Column("machine_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("uscc", sa.String(18), nullable=False),
        sa.Column("act_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("replaced", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("machine_id", "uscc", "act_id"),
    )
    op.create_index("ix_undated_history_act_id", "undated_history", ["act_id"])
    op.create_index("ix_undated_history_uscc", "undated_history", ["uscc"])
