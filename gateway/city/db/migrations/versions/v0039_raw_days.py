"""Raw days of evidence get a table a month, and what comes late gets rows of its own."""

# ruff: noqa: S608 - every name in a statement is made here

import sqlalchemy as sa
from alembic import op

revision = "city39"
down_revision = "city38"
branch_labels = None
depends_on = None

_KEY = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_COLUMNS = (
    "machine_id, day, source, synthetic, late_days, gateway, good_hours, uncertain_hours, "
    "replayed_hours, first_ms, last_ms, seeded"
)
_HELD = _COLUMNS.replace("late_days", "0")


def upgrade() -> None:
    """Carry the days over, month by month; nobody knows of them which came late."""
    if op.get_bind().dialect.name == "sqlite":
        _sqlite()
    else:
        _postgresql()


def _sqlite() -> None:
    op.rename_table("evidence", "evidence_before")
    names = []
    months = "SELECT DISTINCT strftime('%Y%m', day) FROM evidence_before ORDER BY 1"
    for month in op.get_bind().scalars(sa.text(months)).all():
        names.append(f"evidence_{month}")
        _table(names[-1])
        op.execute(
            f"INSERT INTO evidence_{month} ({_COLUMNS}) SELECT {_HELD} FROM evidence_before "
            f"WHERE day BETWEEN '{month[:4]}-{month[4:]}-01' AND '{month[:4]}-{month[4:]}-31' "
            "ORDER BY machine_id, day, source, synthetic"
        )
    op.drop_table("evidence_before")
    nothing = ", ".join(f"NULL AS {name}" for name in _COLUMNS.split(", "))
    seen = [f"SELECT {_COLUMNS} FROM {name}" for name in names] or [f"SELECT {nothing} WHERE 0"]
    op.execute(f"CREATE VIEW evidence AS {' UNION ALL '.join(seen)}")


def _postgresql() -> None:
    op.rename_table("evidence", "evidence_before")
    op.execute("ALTER TABLE evidence_before RENAME CONSTRAINT pk_evidence TO pk_evidence_before")
    _table("evidence", "RANGE (day)")
    month = "CAST(date_trunc('month', day) AS date)"
    months = sa.text(f"SELECT DISTINCT {month} FROM evidence_before ORDER BY 1")
    for first in op.get_bind().scalars(months).all():
        op.execute(
            f"CREATE TABLE evidence_{first:%Y%m} PARTITION OF evidence "
            f"FOR VALUES FROM ('{first}') TO (CAST('{first}' AS date) + interval '1 month')"
        )
    op.execute(f"INSERT INTO evidence ({_COLUMNS}) SELECT {_HELD} FROM evidence_before")
    op.drop_table("evidence_before")


def _table(name: str, partitioned_by: str | None = None) -> None:
    op.create_table(
        name,
        sa.Column("machine_id", _KEY, nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("source", sa.String(16), nullable=False),
        sa.Column("synthetic", sa.Boolean(), nullable=False),
        sa.Column("late_days", sa.SmallInteger(), autoincrement=False, nullable=False),
        sa.Column("gateway", sa.String(63), nullable=False),
        sa.Column("good_hours", sa.Integer(), nullable=False),
        sa.Column("uncertain_hours", sa.Integer(), nullable=False),
        sa.Column("replayed_hours", sa.Integer(), nullable=False),
        sa.Column("first_ms", sa.BigInteger(), nullable=False),
        sa.Column("last_ms", sa.BigInteger(), nullable=False),
        sa.Column("seeded", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint(
            "machine_id", "day", "source", "synthetic", "late_days", name="pk_evidence"
        ),
        sa.ForeignKeyConstraint(["machine_id"], ["machine.id"], name="fk_evidence_machine_id"),
        sqlite_with_rowid=False,
        postgresql_partition_by=partitioned_by,
    )
