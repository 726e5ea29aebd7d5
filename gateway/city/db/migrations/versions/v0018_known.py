"""A published result says what was known of the ledger when it was computed."""

import sqlalchemy as sa
from alembic import op

revision = "city18"
down_revision = "city17"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the column; of what was published before nobody knows."""
    op.add_column("rate_result", sa.Column("ledger_change", sa.BigInteger(), nullable=True))
