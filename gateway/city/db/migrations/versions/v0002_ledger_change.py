"""One row for each change of the ledger."""

import sqlalchemy as sa
from alembic import op

revision = "city2"
down_revision = "city1"
branch_labels = None
depends_on = None

_KEY = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Create the table; a city that is brought up to date has had no change yet."""
    op.create_table(
        "ledger_change",
        sa.Column("id", _KEY, autoincrement=True, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_ledger_change"),
    )
