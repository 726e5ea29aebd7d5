"""Which frame of an epoch is the newest that came, and its checksum of the buffer it is from."""

import sqlalchemy as sa
from alembic import op

revision = "city6"
down_revision = "city5"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the columns; of what came before nobody knows them, and nothing is compared then."""
    for name in ("seen", "chain"):
        column = sa.Column(name, sa.BigInteger(), nullable=False, server_default="0")
        op.add_column("watermark", column)
