"""Data agreements of enterprises, and how many values were outside of them."""

import sqlalchemy as sa
from alembic import op

revision = "city28"
down_revision = "city27"
branch_labels = None
depends_on = None

_KEY = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Make the table; nothing was agreed before, so nothing was outside."""
    op.create_table(
        "data_agreement",
        sa.Column("id", _KEY, autoincrement=True, nullable=False),
        sa.Column("act_id", sa.BigInteger(), nullable=False),
        sa.Column("uscc", sa.String(18), nullable=False),
        sa.Column("number", sa.String(64), nullable=False),
        sa.Column("document", sa.String(200), nullable=False),
        sa.Column("purposes", sa.String(200), nullable=False),
        sa.Column("first_day", sa.Date(), nullable=False),
        sa.Column("last_day", sa.Date(), nullable=True),
        sa.Column("points", sa.Text(), nullable=False),
        sa.Column("said_by", sa.String(100), nullable=False),
        sa.PrimaryKeyConstraint("id"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_data_agreement_uscc", "data_agreement", ["uscc"])
    op.add_column(
        "watermark",
        sa.Column("values_unagreed", sa.BigInteger(), nullable=False, server_default="0"),
    )
