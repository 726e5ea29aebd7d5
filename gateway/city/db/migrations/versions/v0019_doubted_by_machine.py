"""What is in clock doubt is found by its machine."""

from alembic import op

revision = "city19"
down_revision = "city18"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the index."""
    name, columns = "ix_doubted_evidence_machine_id_day", ["machine_id", "day"]
    op.create_index(name, "doubted_evidence", columns)
