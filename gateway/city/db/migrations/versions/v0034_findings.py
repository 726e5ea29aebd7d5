"""Findings that are kept."""

import sqlalchemy as sa
from alembic import op

revision = "city34"
down_revision = "city33"
branch_labels = None
depends_on = None

_KEY = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Make the tables; what was found before was not kept."""
    op.create_table(
        "finding",
        sa.Column("id", _KEY, autoincrement=True, nullable=False),
        sa.Column("kind", sa.String(32), nullable=False),
        sa.Column("uscc", sa.String(18), nullable=False),
        sa.Column("county", sa.String(6), nullable=False),
        sa.Column("key", sa.String(250), nullable=False),
        sa.Column("synthetic", sa.Boolean(), nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("month", sa.String(7), nullable=False),
        sa.Column("first_ms", sa.BigInteger(), nullable=False),
        sa.Column("last_ms", sa.BigInteger(), nullable=False),
        sa.Column("seen_id", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
        sqlite_autoincrement=True,
    )
    one = ["synthetic", "kind", "uscc", "county", "key"]
    op.create_index("ix_finding_one", "finding", one, unique=True)
    op.create_index("ix_finding_state", "finding", ["state", "last_ms"])
    _journals()
    op.create_table(
        "finding_pass",
        sa.Column("uscc", sa.String(18), nullable=False),
        sa.Column("month", sa.String(7), nullable=False),
        sa.Column("synthetic", sa.Boolean(), nullable=False),
        sa.Column("at_ms", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("uscc", "month", "synthetic"),
    )


def _journals() -> None:
    op.create_table(
        "finding_seen",
        sa.Column("id", _KEY, autoincrement=True, nullable=False),
        sa.Column("finding_id", sa.BigInteger(), nullable=False),
        sa.Column("month", sa.String(7), nullable=False),
        sa.Column("at_ms", sa.BigInteger(), nullable=False),
        sa.Column("there", sa.Boolean(), nullable=False),
        sa.Column("part", sa.String(16), nullable=False),
        sa.Column("machines", sa.Text(), nullable=False),
        sa.Column("numbers", sa.Text(), nullable=False),
        sa.Column("rules", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_finding_seen_finding_id", "finding_seen", ["finding_id", "month"])
    op.create_table(
        "finding_said",
        sa.Column("id", _KEY, autoincrement=True, nullable=False),
        sa.Column("finding_id", sa.BigInteger(), nullable=False),
        sa.Column("seen_id", sa.BigInteger(), nullable=False),
        sa.Column("explains", sa.Boolean(), nullable=False),
        sa.Column("reason", sa.String(300), nullable=False),
        sa.Column("document", sa.String(200), nullable=False),
        sa.Column("at_ms", sa.BigInteger(), nullable=False),
        sa.Column("made_by", sa.String(100), nullable=False),
        sa.PrimaryKeyConstraint("id"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_finding_said_finding_id", "finding_said", ["finding_id"])
