"""What the ledger said is kept: valid on which days, known since when."""

import time
from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "city16"
down_revision = "city15"
branch_labels = None
depends_on = None

_KEY = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_COUNTS = (
    "(import_id = 0 OR import_id IN (SELECT id FROM ledger_import WHERE finished)) AND "
    "(replaced_by IS NULL OR replaced_by NOT IN (SELECT id FROM ledger_import WHERE finished))"
)
_SINCE_EVER = "1970-01-01"


def upgrade() -> None:
    """Add the tables; what the ledger holds was valid since ever, and is known since now."""
    _acts()
    _of_machines()
    _of_enterprises()
    _dated("machine_history", "machine_id")
    _dated("enterprise_history", "uscc")
    if op.get_bind().scalar(sa.text("SELECT count(*) FROM enterprise")):
        _fill()


def _acts() -> None:
    op.create_table(
        "ledger_act",
        sa.Column("id", _KEY, autoincrement=True, nullable=False),
        sa.Column("change_id", sa.BigInteger(), nullable=True),
        sa.Column("known_ms", sa.BigInteger(), nullable=True),
        sa.Column("kind", sa.String(16), nullable=False),
        sa.Column("made_by", sa.String(100), nullable=False),
        sa.Column("source", sa.String(300), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_ledger_act"),
        sa.UniqueConstraint("change_id", name="uq_ledger_act_change_id"),
        sqlite_autoincrement=True,
    )


def _of_machines() -> None:
    _history(
        "machine_history",
        [sa.Column("machine_id", sa.BigInteger(), autoincrement=False), _valid_from()],
        [
            sa.Column("uscc", sa.String(18), nullable=False),
            sa.Column("site_no", sa.String(16), nullable=False),
            sa.Column("equipment_class", sa.String(16), nullable=False),
            sa.Column("key_equipment", sa.Boolean(), nullable=False),
            sa.Column("digital", sa.Boolean(), nullable=False),
            sa.Column("controller", sa.String(100), nullable=False),
            sa.Column("commissioned_on", sa.Date(), nullable=True),
        ],
    )
    _history(
        "status_history",
        [sa.Column("machine_id", sa.BigInteger(), autoincrement=False), _valid_from()],
        [
            sa.Column("status", sa.String(16), nullable=True),
            sa.Column("dated", sa.Boolean(), nullable=True),
        ],
    )


def _of_enterprises() -> None:
    _history(
        "enterprise_history",
        [sa.Column("uscc", sa.String(18)), _valid_from()],
        [
            sa.Column("county", sa.String(6), nullable=False),
            sa.Column("industry", sa.String(4), nullable=False),
            sa.Column("functional_area", sa.String(16), nullable=False),
            sa.Column("above_scale", sa.Boolean(), nullable=False),
        ],
    )
    _history(
        "roster_history",
        [sa.Column("roster", sa.String(32)), sa.Column("uscc", sa.String(18)), _valid_from()],
        [
            sa.Column("valid_to", sa.Date(), nullable=True),
            sa.Column("approved_by", sa.String(100), nullable=True),
        ],
    )
    _history(
        "verification_history",
        [sa.Column("uscc", sa.String(18)), sa.Column("verified_on", sa.Date())],
        [sa.Column("verified_by", sa.String(100), nullable=True)],
    )


def _valid_from() -> "sa.Column[Any]":
    return sa.Column("valid_from", sa.Date())


def _history(name: str, keys: list["sa.Column[Any]"], columns: list["sa.Column[Any]"]) -> None:
    act = sa.Column("act_id", sa.BigInteger(), autoincrement=False)
    for key in (*keys, act):
        key.nullable = False
    names = [*(key.name for key in keys), "act_id"]
    op.create_table(name, *keys, act, *columns, sa.PrimaryKeyConstraint(*names, name=f"pk_{name}"))
    op.create_index(f"ix_{name}_act_id", name, ["act_id"])


def _dated(table: str, key: str) -> None:
    some = sa.text(f"valid_from > '{_SINCE_EVER}'")
    name = f"ix_{table}_dated"
    op.create_index(name, table, ["valid_from", key], sqlite_where=some, postgresql_where=some)


def _fill() -> None:
    connection = op.get_bind()
    if connection.dialect.name == "sqlite":
        connection.execute(sa.text("INSERT INTO ledger_change DEFAULT VALUES"))
    else:
        connection.execute(sa.text("INSERT INTO ledger_change (id) VALUES (DEFAULT)"))
    act = {"known_ms": time.time_ns() // 1_000_000}
    connection.execute(
        sa.text(
            "INSERT INTO ledger_act (change_id, known_ms, kind, made_by, source) "
            "SELECT max(id), :known_ms, 'migration', '', '' FROM ledger_change"
        ),
        act,
    )
    number = connection.scalar(sa.text("SELECT max(id) FROM ledger_act"))
    for table, columns, query in _FILLED:
        text = f"INSERT INTO {table} ({columns}, act_id) {query}"
        connection.execute(sa.text(text), {"act": number})


_MACHINE = "uscc, site_no, equipment_class, key_equipment, digital, controller, commissioned_on"
_ENTERPRISE = "county, industry, functional_area, above_scale"
_FILLED = (
    (
        "machine_history",
        f"machine_id, valid_from, {_MACHINE}",
        f"SELECT id, '{_SINCE_EVER}', {_MACHINE}, :act FROM equipment WHERE {_COUNTS}",  # noqa: S608
    ),
    (
        "status_history",
        "machine_id, valid_from, status, dated",
        f"""SELECT equipment_id, valid_from, status, dated, :act FROM equipment_status
        WHERE {_COUNTS}""",  # noqa: S608
    ),
    (
        "enterprise_history",
        f"uscc, valid_from, {_ENTERPRISE}",
        f"SELECT uscc, '{_SINCE_EVER}', {_ENTERPRISE}, :act FROM enterprise",  # noqa: S608
    ),
    (
        "roster_history",
        "roster, uscc, valid_from, valid_to, approved_by",
        "SELECT roster, uscc, valid_from, valid_to, approved_by, :act FROM roster_member",
    ),
    (
        "verification_history",
        "uscc, verified_on, verified_by",
        """SELECT v.uscc, v.verified_on, v.verified_by, :act FROM ledger_verification v
        JOIN enterprise e ON e.uscc = v.uscc WHERE e.ledger_verified_on IS NOT NULL""",
    ),
)
