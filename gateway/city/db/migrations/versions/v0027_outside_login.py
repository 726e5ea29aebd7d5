"""People who log in by an OpenID Connect provider: whose user a subject is."""

import sqlalchemy as sa
from alembic import op

revision = "city27"
down_revision = "city26"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the table; nobody is linked yet."""
    op.create_table(
        "outside_login",
        sa.Column("issuer", sa.String(300), nullable=False),
        sa.Column("subject", sa.String(255), nullable=False),
        sa.Column("user_name", sa.String(64), nullable=False),
        sa.Column("by_group", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(
            ["user_name"], ["city_user.name"], name="fk_outside_login_user_name"
        ),
        sa.PrimaryKeyConstraint("issuer", "subject", name="pk_outside_login"),
    )
