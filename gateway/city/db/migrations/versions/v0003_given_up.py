"""Watermarks know what edges have given up; books know the frame that told them."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add one column to each."""
    for table, name in (("watermark", "closed"), ("edge_books", "seq")):
        column = sa.Column(name, sa.BigInteger(), nullable=False, server_default="0")
        op.add_column(table, column)
