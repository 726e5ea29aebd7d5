"""Registering pauses, and rows of the ledger are withdrawn with a reason."""

import sqlalchemy as sa
from alembic import op

revision = "city12"
down_revision = "city11"
branch_labels = None
depends_on = None


_KEY = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Add the tables, and list the identifiers of what was withdrawn for their withdrawal."""
    op.create_table(
        "identifier_pause",
        sa.Column("prefix", sa.String(64), nullable=False),
        sa.Column("outcome", sa.String(16), nullable=False),
        sa.Column("reason", sa.String(300), nullable=False),
        sa.Column("since_ms", sa.BigInteger(), nullable=False),
        sa.Column("until_ms", sa.BigInteger(), nullable=False),
        sa.Column("failures", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("prefix", name="pk_identifier_pause"),
    )
    op.create_table(
        "machine_withdrawal",
        sa.Column("equipment_id", _KEY, nullable=False),
        sa.Column("reason", sa.String(255), nullable=False),
        sa.Column("withdrawn_ms", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["equipment_id"], ["machine.id"], name="fk_machine_withdrawal_equipment_id"
        ),
        sa.PrimaryKeyConstraint("equipment_id", name="pk_machine_withdrawal"),
    )
    # What was withdrawn before is marked at the node by its status already.
    op.execute(
        "UPDATE identifier_outbox SET operation = 'withdraw' WHERE EXISTS (SELECT 1 FROM "
        "equipment_status s WHERE s.equipment_id = identifier_outbox.equipment_id "
        "AND s.status = 'withdrawn' AND s.replaced_by IS NULL)"
    )
