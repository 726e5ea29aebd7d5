"""The evidence that published rates rest on is kept, and what comes late is noted."""

import sqlalchemy as sa
from alembic import op

revision = "city14"
down_revision = "city13"
branch_labels = None
depends_on = None


_KEY = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Add the tables; of results before nobody knows the evidence as it was."""
    _day_maps()
    _late_data()
    op.add_column("rate_result", sa.Column("taking", sa.Integer()))


def _day_maps() -> None:
    op.create_table(
        "evidence_taking",
        sa.Column("month", sa.String(7), nullable=False),
        sa.Column("synthetic", sa.Boolean(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("taken_ms", sa.BigInteger(), nullable=False),
        sa.Column("root", sa.String(64), nullable=False),
        sa.Column("touches", sa.BigInteger(), nullable=False, server_default="0"),
        sa.Column("compared", sa.BigInteger(), nullable=False, server_default="0"),
        sa.PrimaryKeyConstraint("month", "synthetic", "number", name="pk_evidence_taking"),
    )
    op.create_table(
        "day_map",
        sa.Column("id", _KEY, autoincrement=True, nullable=False),
        sa.Column("month", sa.String(7), nullable=False),
        sa.Column("synthetic", sa.Boolean(), nullable=False),
        sa.Column("uscc", sa.String(18), nullable=False),
        sa.Column("taking", sa.Integer(), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.Column("previous", sa.String(64), nullable=False),
        sa.Column("digest", sa.String(64), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_day_map"),
        sa.UniqueConstraint(
            "month", "synthetic", "uscc", "taking", name="uq_day_map_month_synthetic_uscc_taking"
        ),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_day_map_uscc_id", "day_map", ["uscc", "id"])


def _late_data() -> None:
    op.create_table(
        "late_data",
        sa.Column("definition", sa.String(32), nullable=False),
        sa.Column("month", sa.String(7), nullable=False),
        sa.Column("synthetic", sa.Boolean(), nullable=False),
        sa.Column("vintage", sa.Integer(), nullable=False),
        sa.Column("machines", sa.Integer(), nullable=False),
        sa.Column("days", sa.Integer(), nullable=False),
        sa.Column("lost_days", sa.Integer(), nullable=False),
        sa.Column("compared_ms", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("definition", "month", "synthetic", name="pk_late_data"),
    )
