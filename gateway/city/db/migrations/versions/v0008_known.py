"""When an epoch began, and up to when all that a gateway measured in it is held."""

import sqlalchemy as sa
from alembic import op

revision = "city8"
down_revision = "city7"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the columns; of what came before they are not known, and no gap begins by them."""
    for name in ("begun_ms", "known_ms"):
        column = sa.Column(name, sa.BigInteger(), nullable=False, server_default="0")
        op.add_column("watermark", column)
