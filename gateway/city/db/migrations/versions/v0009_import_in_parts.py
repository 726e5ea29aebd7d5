"""Large imports write their machines in parts, which count when the last one is written."""

import sqlalchemy as sa
from alembic import op

revision = "city9"
down_revision = "city8"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the imports, and to each machine the one that wrote it; of those before, none."""
    op.create_table(
        "ledger_import",
        sa.Column(
            "id",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            autoincrement=True,
            nullable=False,
        ),
        sa.Column("begun_ms", sa.BigInteger(), nullable=False),
        sa.Column("finished", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_ledger_import"),
        sqlite_autoincrement=True,
    )
    op.add_column("equipment", sa.Column("import_id", sa.BigInteger(), nullable=True))
    part = sa.text("import_id IS NOT NULL")
    op.create_index(
        "ix_equipment_import_id",
        "equipment",
        ["import_id"],
        sqlite_where=part,
        postgresql_where=part,
    )
