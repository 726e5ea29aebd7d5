"""Which physical unit a schema's device reads: two asset numbers of one unit are found by it."""

import sqlalchemy as sa
from alembic import op

revision = "city7"
down_revision = "city6"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the column; schemas from before do not tell their unit."""
    op.add_column("tag_schema", sa.Column("unit", sa.String(16)))
    op.create_index("ix_tag_schema_unit", "tag_schema", ["unit"])
