"""The books count values that are UNCERTAIN, by reason."""

import sqlalchemy as sa
from alembic import op

revision = "city10"
down_revision = "city9"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the counts; of books before nothing is known."""
    column = sa.Column("uncertain", sa.Text(), nullable=False, server_default="{}")
    op.add_column("edge_books", column)
