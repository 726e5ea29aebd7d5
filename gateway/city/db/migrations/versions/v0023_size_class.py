"""Enterprises have a size: people and revenue, now and in what was said of them."""

import sqlalchemy as sa
from alembic import op

revision = "city23"
down_revision = "city22"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the columns; nobody has said anything of them yet."""
    for table in ("enterprise", "enterprise_history"):
        op.add_column(table, sa.Column("employees", sa.Integer(), nullable=True))
        op.add_column(table, sa.Column("revenue_wan", sa.Float(), nullable=True))
