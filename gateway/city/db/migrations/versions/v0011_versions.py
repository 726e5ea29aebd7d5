"""A large import writes new versions of machines and statuses, which count when it has ended."""

import sqlalchemy as sa
from alembic import op

revision = "city11"
down_revision = "city10"
branch_labels = None
depends_on = None

_OF_MACHINES = ("equipment_status", "identifier_review", "identifier", "identifier_outbox")
_KEYS = {"equipment": ["id"], "equipment_status": ["equipment_id", "valid_from"]}


def upgrade() -> None:
    """Let a machine have several rows; what refers to one refers to the machine's id."""
    # First what refers to rows of the ledger: SQLite replaces that table.
    for table in _OF_MACHINES:
        name = f"fk_{table}_equipment_id"
        with op.batch_alter_table(table) as batch:
            batch.drop_constraint(name, type_="foreignkey")
            batch.create_foreign_key(name, "machine", ["equipment_id"], ["id"])
    op.drop_index("ix_equipment_import_id", "equipment")
    op.add_column("equipment_status", sa.Column("import_id", sa.BigInteger(), nullable=True))
    for table, keys in _KEYS.items():
        op.execute(f"UPDATE {table} SET import_id = 0 WHERE import_id IS NULL")  # noqa: S608
        with op.batch_alter_table(table) as batch:
            batch.alter_column(
                "import_id", existing_type=sa.BigInteger(), nullable=False, server_default="0"
            )
            batch.add_column(sa.Column("replaced_by", sa.BigInteger(), nullable=True))
            batch.drop_constraint(f"pk_{table}", type_="primary")
            batch.create_primary_key(f"pk_{table}", [*keys, "import_id"])
            if table == "equipment":
                batch.drop_constraint("fk_equipment_uscc", type_="foreignkey")
        _index(table, "import_id", "import_id <> 0")
        _index(table, "replaced_by", "replaced_by IS NOT NULL")


def _index(table: str, column: str, where: str) -> None:
    some = sa.text(where)
    name = f"ix_{table}_{column}"
    op.create_index(name, table, [column], sqlite_where=some, postgresql_where=some)
