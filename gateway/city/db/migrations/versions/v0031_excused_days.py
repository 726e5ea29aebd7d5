"""A published result keeps how many machine days it left out."""

import sqlalchemy as sa
from alembic import op

revision = "city31"
down_revision = "city30"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the columns; of what was published before nobody knows, which is not zero."""
    for name in ("machine_days", "days_rest", "days_stopped", "days_late"):
        op.add_column("rate_result", sa.Column(name, sa.BigInteger(), nullable=True))
