"""The database itself refuses to change raw days of evidence that are over."""

# ruff: noqa: S608 - every name in a statement is made here

import sqlalchemy as sa
from alembic import op

revision = "city40"
down_revision = "city39"
branch_labels = None
depends_on = None

_REFUSED = "raw days of evidence are append-only: a day that is over is not changed"
_ROWS = {"insert": "NEW", "update": "OLD", "delete": "OLD"}
_MONTHS = "SELECT name FROM sqlite_master WHERE type = 'table' AND name GLOB 'evidence_20[0-9]*'"


def upgrade() -> None:
    """Add the triggers to the months that there are."""
    op.create_table(
        "raw_days_open",
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("since", sa.Date(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_raw_days_open"),
    )
    if op.get_bind().dialect.name == "sqlite":
        _sqlite()
    else:
        _postgresql()


def _sqlite() -> None:
    for name in op.get_bind().scalars(sa.text(_MONTHS)).all():
        for what, row in _ROWS.items():
            dated = f"julianday({row}.day) + {row}.late_days >= julianday(since)"
            allowed = f"SELECT 1 FROM raw_days_open WHERE {row}.day >= since OR {dated}"
            op.execute(
                f"CREATE TRIGGER {name}_{what} AFTER {what.upper()} ON {name} "
                f"WHEN NOT EXISTS ({allowed}) BEGIN SELECT RAISE(ABORT, '{_REFUSED}'); END"
            )


def _postgresql() -> None:
    # A WHEN would be shorter, and would be read anew with each statement, which is each row.
    op.execute(
        "CREATE OR REPLACE FUNCTION refuse_closed_days() RETURNS trigger LANGUAGE plpgsql AS $$ "
        "DECLARE dated date; BEGIN "
        "IF TG_OP = 'INSERT' THEN dated := NEW.day + NEW.late_days; "
        "ELSE dated := OLD.day + OLD.late_days; END IF; "
        "IF (dated >= CAST(NULLIF(current_setting('qulink.raw_days_since', true), '') AS date)) "
        f"IS NOT TRUE THEN RAISE EXCEPTION '{_REFUSED}' "
        "USING ERRCODE = 'integrity_constraint_violation'; END IF; RETURN NULL; END $$"
    )
    op.execute(
        "CREATE TRIGGER evidence_closed AFTER INSERT OR UPDATE OR DELETE ON evidence "
        "FOR EACH ROW EXECUTE FUNCTION refuse_closed_days()"
    )
