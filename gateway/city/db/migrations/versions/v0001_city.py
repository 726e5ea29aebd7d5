"""Every table of the city."""

from alembic import op

from gateway.city.db.schema import metadata

revision = "city1"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create every table, as ``tables.py`` says."""
    metadata.create_all(op.get_bind())
