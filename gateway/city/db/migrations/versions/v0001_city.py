"""Every table of the city, as they were when the first city was in use.

Written out, so that no later change of ``tables.py`` alters what a database of this version is: a
change of a table is a further migration, and ``tests/city/test_migrations.py`` tells when one is
missing.
"""

import sqlalchemy as sa
from alembic import op

revision = "city1"
down_revision = None
branch_labels = None
depends_on = None

_KEY = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
"""SQLite counts up INTEGER keys only."""


def upgrade() -> None:
    """Create every table; those that others refer to come first."""
    _enterprise()
    _identifier_counter()
    _machine()
    _operation()
    _quarantine()
    _rate_correction()
    _rate_result()
    _equipment()
    _evidence()
    _gateway()
    _ledger_verification()
    _machine_alias()
    _roster_member()
    _confirmed_clock()
    _doubted_evidence()
    _edge_books()
    _equipment_status()
    _gap()
    _identifier()
    _identifier_outbox()
    _machine_books()
    _tag_schema()
    _watermark()


def _enterprise() -> None:
    op.create_table(
        "enterprise",
        sa.Column("uscc", sa.String(18), nullable=False),
        sa.Column("name", sa.String(200), nullable=False),
        sa.Column("county", sa.String(6), nullable=False),
        sa.Column("industry", sa.String(4), nullable=False),
        sa.Column("functional_area", sa.String(16), server_default="", nullable=False),
        sa.Column("above_scale", sa.Boolean(), nullable=False),
        sa.Column("ledger_verified_by", sa.String(100)),
        sa.Column("ledger_verified_on", sa.Date()),
        sa.Column("identifier_code", sa.String(20)),
        sa.PrimaryKeyConstraint("uscc", name="pk_enterprise"),
        sa.UniqueConstraint("identifier_code", name="uq_enterprise_identifier_code"),
    )


def _identifier_counter() -> None:
    op.create_table(
        "identifier_counter",
        sa.Column("prefix", sa.String(64), nullable=False),
        sa.Column("next", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("prefix", name="pk_identifier_counter"),
    )


def _machine() -> None:
    op.create_table(
        "machine",
        sa.Column("id", _KEY, autoincrement=True, nullable=False),
        sa.Column("named_ms", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_machine"),
        sqlite_autoincrement=True,
    )


def _operation() -> None:
    op.create_table(
        "operation",
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("began_on", sa.Date(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_operation"),
    )


def _quarantine() -> None:
    op.create_table(
        "quarantine",
        sa.Column("id", _KEY, autoincrement=True, nullable=False),
        sa.Column("received_ms", sa.BigInteger(), nullable=False),
        sa.Column("topic", sa.String(300), nullable=False),
        sa.Column("gateway", sa.String(63), nullable=False),
        sa.Column("reason", sa.String(300), nullable=False),
        sa.Column("value_count", sa.BigInteger(), nullable=False),
        sa.Column("size_bytes", sa.BigInteger(), nullable=False),
        sa.Column("payload", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_quarantine"),
    )


def _rate_correction() -> None:
    op.create_table(
        "rate_correction",
        sa.Column("definition", sa.String(32), nullable=False),
        sa.Column("month", sa.String(7), nullable=False),
        sa.Column("vintage", sa.Integer(), nullable=False),
        sa.Column("reason", sa.String(16), nullable=False),
        sa.Column("note", sa.String(300), nullable=False),
        sa.Column("corrected_by", sa.String(100), nullable=False),
        sa.PrimaryKeyConstraint("definition", "month", "vintage", name="pk_rate_correction"),
    )


def _rate_result() -> None:
    op.create_table(
        "rate_result",
        sa.Column("id", _KEY, autoincrement=True, nullable=False),
        sa.Column("definition", sa.String(32), nullable=False),
        sa.Column("definition_hash", sa.String(64), nullable=False),
        sa.Column("month", sa.String(7), nullable=False),
        sa.Column("dimension", sa.String(16), nullable=False),
        sa.Column("cell", sa.String(32), nullable=False),
        sa.Column("vintage", sa.Integer(), nullable=False),
        sa.Column("status", sa.String(1), nullable=False),
        sa.Column("numerator", sa.Integer(), nullable=False),
        sa.Column("denominator", sa.Integer(), nullable=False),
        sa.Column("enterprise_count", sa.Integer(), nullable=False),
        sa.Column("mean", sa.Text()),
        sa.Column("synthetic", sa.Boolean(), nullable=False),
        sa.Column("computed_ms", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_rate_result"),
        sa.UniqueConstraint(
            "definition",
            "month",
            "dimension",
            "cell",
            "vintage",
            name="uq_rate_result_definition_month_dimension_cell_vintage",
        ),
    )


def _equipment() -> None:
    op.create_table(
        "equipment",
        sa.Column("id", _KEY, autoincrement=False, nullable=False),
        sa.Column("uscc", sa.String(18), nullable=False),
        sa.Column("site_no", sa.String(16), nullable=False),
        sa.Column("asset_no", sa.String(64), nullable=False),
        sa.Column("name", sa.String(100), nullable=False),
        sa.Column("workshop", sa.String(100), server_default="", nullable=False),
        sa.Column("line", sa.String(100), server_default="", nullable=False),
        sa.Column("model", sa.String(100), server_default="", nullable=False),
        sa.Column("maker", sa.String(100), server_default="", nullable=False),
        sa.Column("serial_no", sa.String(64), server_default="", nullable=False),
        sa.Column("category", sa.String(32), server_default="", nullable=False),
        sa.Column("equipment_class", sa.String(16), nullable=False),
        sa.Column("key_equipment", sa.Boolean(), nullable=False),
        sa.Column("digital", sa.Boolean(), nullable=False),
        sa.Column("controller", sa.String(100), server_default="", nullable=False),
        sa.Column("interfaces", sa.String(200), server_default="", nullable=False),
        sa.Column("commissioned_on", sa.Date()),
        sa.Column("original_value_yuan", sa.Float()),
        sa.Column("entered_by", sa.String(100), server_default="", nullable=False),
        sa.Column("verified_by", sa.String(100)),
        sa.Column("verified_on", sa.Date()),
        sa.ForeignKeyConstraint(["id"], ["machine.id"], name="fk_equipment_id"),
        sa.ForeignKeyConstraint(["uscc"], ["enterprise.uscc"], name="fk_equipment_uscc"),
        sa.PrimaryKeyConstraint("id", name="pk_equipment"),
    )
    op.create_index("ix_equipment_uscc", "equipment", ["uscc", "site_no", "asset_no"])


def _evidence() -> None:
    op.create_table(
        "evidence",
        sa.Column("machine_id", _KEY, nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("source", sa.String(16), nullable=False),
        sa.Column("synthetic", sa.Boolean(), nullable=False),
        sa.Column("gateway", sa.String(63), nullable=False),
        sa.Column("good_hours", sa.Integer(), nullable=False),
        sa.Column("uncertain_hours", sa.Integer(), nullable=False),
        sa.Column("replayed_hours", sa.Integer(), nullable=False),
        sa.Column("first_ms", sa.BigInteger(), nullable=False),
        sa.Column("last_ms", sa.BigInteger(), nullable=False),
        sa.Column("seeded", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(["machine_id"], ["machine.id"], name="fk_evidence_machine_id"),
        sa.PrimaryKeyConstraint("machine_id", "day", "source", "synthetic", name="pk_evidence"),
    )
    op.create_index(
        "ix_evidence_month",
        "evidence",
        ["day", "machine_id", "source", "synthetic", "good_hours", "uncertain_hours"],
    )


def _gateway() -> None:
    op.create_table(
        "gateway",
        sa.Column("id", sa.String(63), nullable=False),
        sa.Column("partition", sa.Integer(), nullable=False),
        sa.Column("uscc", sa.String(18), nullable=False),
        sa.Column("site_no", sa.String(16), nullable=False),
        sa.Column("enrolled_ms", sa.BigInteger(), nullable=False),
        sa.Column("revoked_ms", sa.BigInteger()),
        sa.Column("last_seen_ms", sa.BigInteger()),
        sa.Column("state", sa.Text()),
        sa.ForeignKeyConstraint(["uscc"], ["enterprise.uscc"], name="fk_gateway_uscc"),
        sa.PrimaryKeyConstraint("id", name="pk_gateway"),
    )
    op.create_index("ix_gateway_partition", "gateway", ["partition"])


def _ledger_verification() -> None:
    op.create_table(
        "ledger_verification",
        sa.Column("uscc", sa.String(18), nullable=False),
        sa.Column("verified_on", sa.Date(), nullable=False),
        sa.Column("verified_by", sa.String(100), nullable=False),
        sa.ForeignKeyConstraint(["uscc"], ["enterprise.uscc"], name="fk_ledger_verification_uscc"),
        sa.PrimaryKeyConstraint("uscc", "verified_on", name="pk_ledger_verification"),
    )


def _machine_alias() -> None:
    op.create_table(
        "machine_alias",
        sa.Column("uscc", sa.String(18), nullable=False),
        sa.Column("site_key", sa.String(128), nullable=False),
        sa.Column("asset_key", sa.String(128), nullable=False),
        sa.Column("valid_from", sa.Date(), nullable=False),
        sa.Column("valid_to", sa.Date()),
        sa.Column("machine_id", _KEY, nullable=False),
        sa.Column("site_no", sa.String(16), nullable=False),
        sa.Column("asset_no", sa.String(64), nullable=False),
        sa.Column("revision", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["machine_id"], ["machine.id"], name="fk_machine_alias_machine_id"),
        sa.PrimaryKeyConstraint(
            "uscc", "site_key", "asset_key", "valid_from", name="pk_machine_alias"
        ),
    )
    op.create_index("ix_machine_alias_machine_id", "machine_alias", ["machine_id"])
    op.create_index("ix_machine_alias_revision", "machine_alias", ["revision"])


def _roster_member() -> None:
    op.create_table(
        "roster_member",
        sa.Column("roster", sa.String(32), nullable=False),
        sa.Column("uscc", sa.String(18), nullable=False),
        sa.Column("valid_from", sa.Date(), nullable=False),
        sa.Column("valid_to", sa.Date()),
        sa.Column("approved_by", sa.String(100), nullable=False),
        sa.ForeignKeyConstraint(["uscc"], ["enterprise.uscc"], name="fk_roster_member_uscc"),
        sa.PrimaryKeyConstraint("roster", "uscc", "valid_from", name="pk_roster_member"),
    )


def _confirmed_clock() -> None:
    op.create_table(
        "confirmed_clock",
        sa.Column("gateway", sa.String(63), nullable=False),
        sa.Column("from_ms", sa.BigInteger(), nullable=False),
        sa.Column("to_ms", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["gateway"], ["gateway.id"], name="fk_confirmed_clock_gateway"),
        sa.PrimaryKeyConstraint("gateway", "from_ms", name="pk_confirmed_clock"),
    )


def _doubted_evidence() -> None:
    op.create_table(
        "doubted_evidence",
        sa.Column("gateway", sa.String(63), nullable=False),
        sa.Column("machine_id", _KEY, nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("source", sa.String(16), nullable=False),
        sa.Column("synthetic", sa.Boolean(), nullable=False),
        sa.Column("hours", sa.Integer(), nullable=False),
        sa.Column("first_ms", sa.BigInteger(), nullable=False),
        sa.Column("last_ms", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["gateway"], ["gateway.id"], name="fk_doubted_evidence_gateway"),
        sa.ForeignKeyConstraint(
            ["machine_id"], ["machine.id"], name="fk_doubted_evidence_machine_id"
        ),
        sa.PrimaryKeyConstraint(
            "gateway", "machine_id", "day", "source", "synthetic", name="pk_doubted_evidence"
        ),
    )


def _edge_books() -> None:
    op.create_table(
        "edge_books",
        sa.Column("gateway", sa.String(63), nullable=False),
        sa.Column("epoch", sa.String(16), nullable=False),
        sa.Column("device", sa.String(63), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("due", sa.BigInteger(), nullable=False),
        sa.Column("ok", sa.BigInteger(), nullable=False),
        sa.Column("failed", sa.BigInteger(), nullable=False),
        sa.Column("skipped", sa.BigInteger(), nullable=False),
        sa.Column("suppressed", sa.BigInteger(), nullable=False),
        sa.Column("buffered", sa.BigInteger(), nullable=False),
        sa.Column("dropped", sa.Text(), nullable=False),
        sa.Column("seq", sa.BigInteger(), server_default="0", nullable=False),
        sa.ForeignKeyConstraint(["gateway"], ["gateway.id"], name="fk_edge_books_gateway"),
        sa.PrimaryKeyConstraint("gateway", "epoch", "device", "day", name="pk_edge_books"),
    )


def _equipment_status() -> None:
    op.create_table(
        "equipment_status",
        sa.Column("equipment_id", _KEY, nullable=False),
        sa.Column("valid_from", sa.Date(), nullable=False),
        sa.Column("status", sa.String(16), nullable=False),
        sa.ForeignKeyConstraint(
            ["equipment_id"], ["equipment.id"], name="fk_equipment_status_equipment_id"
        ),
        sa.PrimaryKeyConstraint("equipment_id", "valid_from", name="pk_equipment_status"),
    )


def _gap() -> None:
    op.create_table(
        "gap",
        sa.Column("id", _KEY, autoincrement=True, nullable=False),
        sa.Column("gateway", sa.String(63), nullable=False),
        sa.Column("device", sa.String(63), nullable=False),
        sa.Column("tag_group", sa.String(63), nullable=False),
        sa.Column("tags", sa.Text(), nullable=False),
        sa.Column("tags_key", sa.String(16), nullable=False),
        sa.Column("cause", sa.String(32), nullable=False),
        sa.Column("from_ms", sa.BigInteger(), nullable=False),
        sa.Column("to_ms", sa.BigInteger()),
        sa.PrimaryKeyConstraint("id", name="pk_gap"),
        sa.UniqueConstraint(
            "gateway",
            "device",
            "tag_group",
            "tags_key",
            "from_ms",
            name="uq_gap_gateway_device_tag_group_tags_key_from_ms",
        ),
        sa.ForeignKeyConstraint(["gateway"], ["gateway.id"], name="fk_gap_gateway"),
    )
    op.create_index("ix_gap_cause_from_ms", "gap", ["cause", "from_ms"])
    op.create_index("ix_gap_from_ms", "gap", ["from_ms"])
    op.create_index("ix_gap_gateway_from_ms", "gap", ["gateway", "from_ms"])
    op.create_index(
        "ix_gap_lasting",
        "gap",
        ["from_ms"],
        sqlite_where=sa.text("to_ms IS NULL"),
        postgresql_where=sa.text("to_ms IS NULL"),
    )


def _identifier() -> None:
    op.create_table(
        "identifier",
        sa.Column("equipment_id", _KEY, nullable=False),
        sa.Column("handle", sa.String(255), nullable=False),
        sa.Column("handle_key", sa.String(255), nullable=False),
        sa.Column("issued_ms", sa.BigInteger(), nullable=False),
        sa.Column("registered_ms", sa.BigInteger()),
        sa.Column("resolved_ms", sa.BigInteger()),
        sa.ForeignKeyConstraint(
            ["equipment_id"], ["equipment.id"], name="fk_identifier_equipment_id"
        ),
        sa.PrimaryKeyConstraint("equipment_id", name="pk_identifier"),
        sa.UniqueConstraint("handle", name="uq_identifier_handle"),
        sa.UniqueConstraint("handle_key", name="uq_identifier_handle_key"),
    )


def _identifier_outbox() -> None:
    op.create_table(
        "identifier_outbox",
        sa.Column("id", _KEY, autoincrement=True, nullable=False),
        sa.Column("equipment_id", _KEY, nullable=False),
        sa.Column("operation", sa.String(16), nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("next_attempt_ms", sa.BigInteger(), nullable=False),
        sa.Column("last_error", sa.String(300), server_default="", nullable=False),
        sa.ForeignKeyConstraint(
            ["equipment_id"], ["equipment.id"], name="fk_identifier_outbox_equipment_id"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_identifier_outbox"),
    )
    op.create_index(
        "ix_identifier_outbox_equipment_id", "identifier_outbox", ["equipment_id"], unique=True
    )
    op.create_index(
        "ix_identifier_outbox_state_next_attempt_ms",
        "identifier_outbox",
        ["state", "next_attempt_ms"],
    )


def _machine_books() -> None:
    op.create_table(
        "machine_books",
        sa.Column("gateway", sa.String(63), nullable=False),
        sa.Column("epoch", sa.String(16), nullable=False),
        sa.Column("device", sa.String(63), nullable=False),
        sa.Column("machine_id", _KEY, nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("valid", sa.BigInteger(), nullable=False),
        sa.Column("expected", sa.BigInteger(), nullable=False),
        sa.Column("first_ms", sa.BigInteger()),
        sa.Column("last_ms", sa.BigInteger()),
        sa.Column("seq", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["gateway"], ["gateway.id"], name="fk_machine_books_gateway"),
        sa.ForeignKeyConstraint(["machine_id"], ["machine.id"], name="fk_machine_books_machine_id"),
        sa.PrimaryKeyConstraint(
            "gateway", "epoch", "device", "machine_id", "day", name="pk_machine_books"
        ),
    )
    op.create_index("ix_machine_books_day", "machine_books", ["day"])
    op.create_index("ix_machine_books_machine_id_day", "machine_books", ["machine_id", "day"])


def _tag_schema() -> None:
    op.create_table(
        "tag_schema",
        sa.Column("gateway", sa.String(63), nullable=False),
        sa.Column("id", sa.String(16), nullable=False),
        sa.Column("device", sa.String(63), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.Column("received_ms", sa.BigInteger(), nullable=False),
        sa.Column("used_on", sa.Date(), nullable=False),
        sa.ForeignKeyConstraint(["gateway"], ["gateway.id"], name="fk_tag_schema_gateway"),
        sa.PrimaryKeyConstraint("gateway", "id", name="pk_tag_schema"),
    )


def _watermark() -> None:
    op.create_table(
        "watermark",
        sa.Column("gateway", sa.String(63), nullable=False),
        sa.Column("epoch", sa.String(16), nullable=False),
        sa.Column("upto", sa.BigInteger(), nullable=False),
        sa.Column("ranges", sa.Text(), nullable=False),
        sa.Column("closed", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("values_committed", sa.BigInteger(), nullable=False),
        sa.Column("values_quarantined", sa.BigInteger(), nullable=False),
        sa.Column("updated_ms", sa.BigInteger(), nullable=False),
        sa.Column("uncounted_from_ms", sa.BigInteger()),
        sa.Column("uncounted_to_ms", sa.BigInteger()),
        sa.ForeignKeyConstraint(["gateway"], ["gateway.id"], name="fk_watermark_gateway"),
        sa.PrimaryKeyConstraint("gateway", "epoch", name="pk_watermark"),
    )
