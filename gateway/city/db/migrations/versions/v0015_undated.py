"""An entry of a machine's history says whether somebody wrote its day."""

import sqlalchemy as sa
from alembic import op

revision = "city15"
down_revision = "city14"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the column; of what came before nobody knows, and it holds as it was shown."""
    op.add_column(
        "equipment_status",
        sa.Column("dated", sa.Boolean(), nullable=False, server_default=sa.true()),
    )
