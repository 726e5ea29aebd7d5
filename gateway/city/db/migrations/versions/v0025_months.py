"""Months of evidence get a row for all their days; the index of days by machine is not needed."""

import sqlalchemy as sa
from alembic import op

revision = "city25"
down_revision = "city24"
branch_labels = None
depends_on = None

_KEY = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Add the table and fill it from the days that there are."""
    op.create_table(
        "evidence_month",
        sa.Column("month", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("machine_id", _KEY, nullable=False),
        sa.Column("source", sa.String(16), nullable=False),
        sa.Column("synthetic", sa.Boolean(), nullable=False),
        sa.Column("good_days", sa.Integer(), nullable=False),
        sa.Column("uncertain_days", sa.Integer(), nullable=False),
        sa.Column("days", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["machine_id"], ["machine.id"], name="fk_evidence_month_machine_id"
        ),
        sa.PrimaryKeyConstraint(
            "month", "machine_id", "source", "synthetic", name="pk_evidence_month"
        ),
        sqlite_with_rowid=False,
    )
    op.execute(_filled())
    op.drop_index("ix_evidence_month", "evidence")


def _filled() -> sa.Insert:
    days = sa.table(
        "evidence",
        sa.column("day", sa.Date),
        *map(sa.column, ("machine_id", "source", "synthetic", "good_hours", "uncertain_hours")),
    )
    kept = sa.table(
        "evidence_month",
        *map(sa.column, ("month", "machine_id", "source", "synthetic")),
        *map(sa.column, ("good_days", "uncertain_days", "days")),
    )
    day = days.c.day
    month = sa.cast(sa.extract("year", day) * 100 + sa.extract("month", day), sa.Integer)
    bit = sa.literal(1).bitwise_lshift(sa.cast(sa.extract("day", day), sa.Integer) - 1)
    keys = (month, days.c.machine_id, days.c.source, days.c.synthetic)
    # a machine has one row a day of each kind, so that the sum of its bits is all of them
    masks = (
        sa.case((days.c.good_hours != 0, bit), else_=0),
        sa.case((days.c.uncertain_hours != 0, bit), else_=0),
        bit,
    )
    rows = sa.select(*keys, *map(sa.func.sum, masks)).group_by(*keys)
    return kept.insert().from_select([column.name for column in kept.c], rows)
