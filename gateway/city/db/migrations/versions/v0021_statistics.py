"""A published result keeps how the rates of enterprises are spread, and what is not known."""

import sqlalchemy as sa
from alembic import op

revision = "city21"
down_revision = "city20"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the columns; of what was published before nobody knows, which is not zero."""
    for name in ("p25", "median", "p75", "assumed"):
        op.add_column("rate_result", sa.Column(name, sa.Text(), nullable=True))
    for name in ("in_scope", "verified", "missing", "undetermined"):
        op.add_column("rate_result", sa.Column(name, sa.Integer(), nullable=True))
