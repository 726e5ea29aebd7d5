"""Machines wait for a review before they get an identifier; claims of the outbox are counted."""

import sqlalchemy as sa
from alembic import op

revision = "city3"
down_revision = "city2"
branch_labels = None
depends_on = None


_KEY = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Add the table and the column; what has an identifier already needs no review."""
    op.create_table(
        "identifier_review",
        sa.Column("equipment_id", _KEY, nullable=False),
        sa.Column("since_ms", sa.BigInteger(), nullable=False),
        sa.Column("approved_ms", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(
            ["equipment_id"],
            ["equipment.id"],
            name="fk_identifier_review_equipment_id",
        ),
        sa.PrimaryKeyConstraint("equipment_id", name="pk_identifier_review"),
    )
    op.add_column(
        "identifier_outbox",
        sa.Column("claims", sa.BigInteger(), server_default="0", nullable=False),
    )
