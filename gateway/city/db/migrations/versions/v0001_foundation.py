"""The first tables."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create every table."""
    _enterprise()
    _identifier_counter()
    _quarantine()
    _rate_result()
    _equipment()
    _gateway()
    _ledger_verification()
    _roster_member()
    _edge_books()
    _equipment_status()
    _evidence()
    _gap()
    _identifier()
    _identifier_outbox()
    _orphan()
    _tag_schema()
    _watermark()


def _enterprise() -> None:
    op.create_table(
        "enterprise",
        sa.Column("uscc", sa.String(length=18), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("county", sa.String(length=6), nullable=False),
        sa.Column("industry", sa.String(length=4), nullable=False),
        sa.Column("functional_area", sa.String(length=16), server_default="", nullable=False),
        sa.Column("above_scale", sa.Boolean(), nullable=False),
        sa.Column("ledger_verified_by", sa.String(length=100), nullable=True),
        sa.Column("ledger_verified_on", sa.Date(), nullable=True),
        sa.Column("identifier_code", sa.String(length=20), nullable=True),
        sa.PrimaryKeyConstraint("uscc", name=op.f("pk_enterprise")),
        sa.UniqueConstraint("identifier_code", name=op.f("uq_enterprise_identifier_code")),
    )


def _identifier_counter() -> None:
    op.create_table(
        "identifier_counter",
        sa.Column("prefix", sa.String(length=64), nullable=False),
        sa.Column("next", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("prefix", name=op.f("pk_identifier_counter")),
    )


def _quarantine() -> None:
    op.create_table(
        "quarantine",
        sa.Column(
            "id",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            autoincrement=True,
            nullable=False,
        ),
        sa.Column("received_ms", sa.BigInteger(), nullable=False),
        sa.Column("topic", sa.String(length=300), nullable=False),
        sa.Column("gateway", sa.String(length=63), nullable=False),
        sa.Column("reason", sa.String(length=300), nullable=False),
        sa.Column("value_count", sa.BigInteger(), nullable=False),
        sa.Column("size_bytes", sa.BigInteger(), nullable=False),
        sa.Column("payload", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_quarantine")),
    )


def _rate_result() -> None:
    op.create_table(
        "rate_result",
        sa.Column(
            "id",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            autoincrement=True,
            nullable=False,
        ),
        sa.Column("definition", sa.String(length=32), nullable=False),
        sa.Column("definition_hash", sa.String(length=64), nullable=False),
        sa.Column("month", sa.String(length=7), nullable=False),
        sa.Column("dimension", sa.String(length=16), nullable=False),
        sa.Column("cell", sa.String(length=32), nullable=False),
        sa.Column("vintage", sa.Integer(), nullable=False),
        sa.Column("status", sa.String(length=1), nullable=False),
        sa.Column("numerator", sa.Integer(), nullable=False),
        sa.Column("denominator", sa.Integer(), nullable=False),
        sa.Column("enterprise_count", sa.Integer(), nullable=False),
        sa.Column("mean", sa.Text(), nullable=True),
        sa.Column("synthetic", sa.Boolean(), nullable=False),
        sa.Column("computed_ms", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_rate_result")),
        sa.UniqueConstraint(
            "definition",
            "month",
            "dimension",
            "cell",
            "vintage",
            name=op.f("uq_rate_result_definition_month_dimension_cell_vintage"),
        ),
    )


def _equipment() -> None:
    op.create_table(
        "equipment",
        sa.Column(
            "id",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            autoincrement=True,
            nullable=False,
        ),
        sa.Column("uscc", sa.String(length=18), nullable=False),
        sa.Column("site_no", sa.String(length=16), nullable=False),
        sa.Column("asset_no", sa.String(length=64), nullable=False),
        sa.Column("name", sa.String(length=100), nullable=False),
        sa.Column("workshop", sa.String(length=100), server_default="", nullable=False),
        sa.Column("line", sa.String(length=100), server_default="", nullable=False),
        sa.Column("model", sa.String(length=100), server_default="", nullable=False),
        sa.Column("maker", sa.String(length=100), server_default="", nullable=False),
        sa.Column("serial_no", sa.String(length=64), server_default="", nullable=False),
        sa.Column("category", sa.String(length=32), server_default="", nullable=False),
        sa.Column("equipment_class", sa.String(length=16), nullable=False),
        sa.Column("key_equipment", sa.Boolean(), nullable=False),
        sa.Column("digital", sa.Boolean(), nullable=False),
        sa.Column("controller", sa.String(length=100), server_default="", nullable=False),
        sa.Column("interfaces", sa.String(length=200), server_default="", nullable=False),
        sa.Column("commissioned_on", sa.Date(), nullable=True),
        sa.Column("original_value_yuan", sa.Float(), nullable=True),
        sa.Column("entered_by", sa.String(length=100), server_default="", nullable=False),
        sa.Column("verified_by", sa.String(length=100), nullable=True),
        sa.Column("verified_on", sa.Date(), nullable=True),
        sa.ForeignKeyConstraint(["uscc"], ["enterprise.uscc"], name=op.f("fk_equipment_uscc")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_equipment")),
        sa.UniqueConstraint(
            "uscc", "site_no", "asset_no", name=op.f("uq_equipment_uscc_site_no_asset_no")
        ),
    )


def _gateway() -> None:
    op.create_table(
        "gateway",
        sa.Column("id", sa.String(length=63), nullable=False),
        sa.Column("uscc", sa.String(length=18), nullable=False),
        sa.Column("site_no", sa.String(length=16), nullable=False),
        sa.Column("enrolled_ms", sa.BigInteger(), nullable=False),
        sa.Column("revoked_ms", sa.BigInteger(), nullable=True),
        sa.Column("last_seen_ms", sa.BigInteger(), nullable=True),
        sa.Column("state", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(["uscc"], ["enterprise.uscc"], name=op.f("fk_gateway_uscc")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_gateway")),
    )


def _ledger_verification() -> None:
    op.create_table(
        "ledger_verification",
        sa.Column("uscc", sa.String(length=18), nullable=False),
        sa.Column("verified_on", sa.Date(), nullable=False),
        sa.Column("verified_by", sa.String(length=100), nullable=False),
        sa.ForeignKeyConstraint(
            ["uscc"], ["enterprise.uscc"], name=op.f("fk_ledger_verification_uscc")
        ),
        sa.PrimaryKeyConstraint("uscc", "verified_on", name=op.f("pk_ledger_verification")),
    )


def _roster_member() -> None:
    op.create_table(
        "roster_member",
        sa.Column("roster", sa.String(length=32), nullable=False),
        sa.Column("uscc", sa.String(length=18), nullable=False),
        sa.Column("valid_from", sa.Date(), nullable=False),
        sa.Column("valid_to", sa.Date(), nullable=True),
        sa.Column("approved_by", sa.String(length=100), nullable=False),
        sa.ForeignKeyConstraint(["uscc"], ["enterprise.uscc"], name=op.f("fk_roster_member_uscc")),
        sa.PrimaryKeyConstraint("roster", "uscc", "valid_from", name=op.f("pk_roster_member")),
    )


def _edge_books() -> None:
    op.create_table(
        "edge_books",
        sa.Column("gateway", sa.String(length=63), nullable=False),
        sa.Column("epoch", sa.String(length=16), nullable=False),
        sa.Column("device", sa.String(length=63), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("due", sa.BigInteger(), nullable=False),
        sa.Column("ok", sa.BigInteger(), nullable=False),
        sa.Column("failed", sa.BigInteger(), nullable=False),
        sa.Column("skipped", sa.BigInteger(), nullable=False),
        sa.Column("suppressed", sa.BigInteger(), nullable=False),
        sa.Column("buffered", sa.BigInteger(), nullable=False),
        sa.Column("dropped", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["gateway"], ["gateway.id"], name=op.f("fk_edge_books_gateway")),
        sa.PrimaryKeyConstraint("gateway", "epoch", "device", "day", name=op.f("pk_edge_books")),
    )


def _equipment_status() -> None:
    op.create_table(
        "equipment_status",
        sa.Column(
            "equipment_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column("valid_from", sa.Date(), nullable=False),
        sa.Column("status", sa.String(length=16), nullable=False),
        sa.ForeignKeyConstraint(
            ["equipment_id"], ["equipment.id"], name=op.f("fk_equipment_status_equipment_id")
        ),
        sa.PrimaryKeyConstraint("equipment_id", "valid_from", name=op.f("pk_equipment_status")),
    )


def _evidence() -> None:
    op.create_table(
        "evidence",
        sa.Column(
            "equipment_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("source", sa.String(length=16), nullable=False),
        sa.Column("synthetic", sa.Boolean(), nullable=False),
        sa.Column("gateway", sa.String(length=63), nullable=False),
        sa.Column("sample_count", sa.BigInteger(), nullable=False),
        sa.Column("first_ms", sa.BigInteger(), nullable=False),
        sa.Column("last_ms", sa.BigInteger(), nullable=False),
        sa.Column("seeded", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(
            ["equipment_id"], ["equipment.id"], name=op.f("fk_evidence_equipment_id")
        ),
        sa.PrimaryKeyConstraint(
            "equipment_id", "day", "source", "synthetic", name=op.f("pk_evidence")
        ),
    )
    op.create_index("ix_evidence_day", "evidence", ["day"], unique=False)


def _gap() -> None:
    op.create_table(
        "gap",
        sa.Column(
            "id",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            autoincrement=True,
            nullable=False,
        ),
        sa.Column("gateway", sa.String(length=63), nullable=False),
        sa.Column("device", sa.String(length=63), nullable=False),
        sa.Column("tag_group", sa.String(length=63), nullable=False),
        sa.Column("tags", sa.Text(), nullable=False),
        sa.Column("tags_key", sa.String(length=16), nullable=False),
        sa.Column("cause", sa.String(length=32), nullable=False),
        sa.Column("from_ms", sa.BigInteger(), nullable=False),
        sa.Column("to_ms", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(["gateway"], ["gateway.id"], name=op.f("fk_gap_gateway")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_gap")),
        sa.UniqueConstraint(
            "gateway",
            "device",
            "tag_group",
            "tags_key",
            "from_ms",
            name=op.f("uq_gap_gateway_device_tag_group_tags_key_from_ms"),
        ),
    )
    op.create_index("ix_gap_from_ms", "gap", ["from_ms"], unique=False)


def _identifier() -> None:
    op.create_table(
        "identifier",
        sa.Column(
            "equipment_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column("handle", sa.String(length=255), nullable=False),
        sa.Column("handle_key", sa.String(length=255), nullable=False),
        sa.Column("issued_ms", sa.BigInteger(), nullable=False),
        sa.Column("registered_ms", sa.BigInteger(), nullable=True),
        sa.Column("resolved_ms", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(
            ["equipment_id"], ["equipment.id"], name=op.f("fk_identifier_equipment_id")
        ),
        sa.PrimaryKeyConstraint("equipment_id", name=op.f("pk_identifier")),
        sa.UniqueConstraint("handle", name=op.f("uq_identifier_handle")),
        sa.UniqueConstraint("handle_key", name=op.f("uq_identifier_handle_key")),
    )


def _identifier_outbox() -> None:
    op.create_table(
        "identifier_outbox",
        sa.Column(
            "id",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            autoincrement=True,
            nullable=False,
        ),
        sa.Column(
            "equipment_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column("operation", sa.String(length=16), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("next_attempt_ms", sa.BigInteger(), nullable=False),
        sa.Column("last_error", sa.String(length=300), server_default="", nullable=False),
        sa.ForeignKeyConstraint(
            ["equipment_id"], ["equipment.id"], name=op.f("fk_identifier_outbox_equipment_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_identifier_outbox")),
    )
    op.create_index(
        "ix_identifier_outbox_state_next_attempt_ms",
        "identifier_outbox",
        ["state", "next_attempt_ms"],
        unique=False,
    )


def _orphan() -> None:
    op.create_table(
        "orphan",
        sa.Column("gateway", sa.String(length=63), nullable=False),
        sa.Column("uscc", sa.String(length=18), nullable=False),
        sa.Column("site_no", sa.String(length=16), nullable=False),
        sa.Column("asset_no", sa.String(length=64), nullable=False),
        sa.Column("sample_count", sa.BigInteger(), nullable=False),
        sa.Column("first_ms", sa.BigInteger(), nullable=False),
        sa.Column("last_ms", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["gateway"], ["gateway.id"], name=op.f("fk_orphan_gateway")),
        sa.PrimaryKeyConstraint("gateway", "uscc", "site_no", "asset_no", name=op.f("pk_orphan")),
    )


def _tag_schema() -> None:
    op.create_table(
        "tag_schema",
        sa.Column("gateway", sa.String(length=63), nullable=False),
        sa.Column("id", sa.String(length=16), nullable=False),
        sa.Column("device", sa.String(length=63), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.Column("received_ms", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["gateway"], ["gateway.id"], name=op.f("fk_tag_schema_gateway")),
        sa.PrimaryKeyConstraint("gateway", "id", name=op.f("pk_tag_schema")),
    )


def _watermark() -> None:
    op.create_table(
        "watermark",
        sa.Column("gateway", sa.String(length=63), nullable=False),
        sa.Column("epoch", sa.String(length=16), nullable=False),
        sa.Column("upto", sa.BigInteger(), nullable=False),
        sa.Column("ranges", sa.Text(), nullable=False),
        sa.Column("values_committed", sa.BigInteger(), nullable=False),
        sa.Column("values_quarantined", sa.BigInteger(), nullable=False),
        sa.Column("updated_ms", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["gateway"], ["gateway.id"], name=op.f("fk_watermark_gateway")),
        sa.PrimaryKeyConstraint("gateway", "epoch", name=op.f("pk_watermark")),
    )
