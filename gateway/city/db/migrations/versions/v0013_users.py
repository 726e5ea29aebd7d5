"""Users of the console with their one-time links; whose a session is."""

import sqlalchemy as sa
from alembic import op

revision = "city13"
down_revision = "city12"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the tables; who is logged in by the token stays so."""
    op.create_table(
        "city_user",
        sa.Column("name", sa.String(64), nullable=False),
        sa.Column("display_name", sa.String(100), nullable=False),
        sa.Column("role", sa.String(32), nullable=False),
        sa.Column("scope", sa.Text(), nullable=False),
        sa.Column("password", sa.String(200), nullable=False, server_default=""),
        sa.Column("created_ms", sa.BigInteger(), nullable=False),
        sa.Column("created_by", sa.String(100), nullable=False),
        sa.Column("disabled_ms", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("name", name="pk_city_user"),
    )
    op.create_table(
        "one_time_link",
        sa.Column("digest", sa.String(64), nullable=False),
        sa.Column("user_name", sa.String(64), nullable=False),
        sa.Column("until_ms", sa.BigInteger(), nullable=False),
        sa.Column("used_ms", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("digest", name="pk_one_time_link"),
    )
    op.create_index("ix_one_time_link_user_name", "one_time_link", ["user_name"])
    with op.batch_alter_table("console_session") as table:
        table.add_column(sa.Column("user_name", sa.String(64), nullable=True))
        table.create_foreign_key(
            "fk_console_session_user_name", "city_user", ["user_name"], ["name"]
        )
    op.create_index("ix_console_session_user_name", "console_session", ["user_name"])
