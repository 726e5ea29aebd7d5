"""Alerts, watch-lists, and messages that are to be sent."""

import sqlalchemy as sa
from alembic import op

revision = "city30"
down_revision = "city29"
branch_labels = None
depends_on = None

_KEY = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_GOES_ON = sa.text("ended_ms IS NULL")
_WAITS = sa.text("state = 'waiting'")


def upgrade() -> None:
    """Make the tables; nobody watches anything yet."""
    _alerts()
    op.create_table(
        "watched",
        sa.Column("owner", sa.String(64), nullable=False),
        sa.Column("level", sa.String(16), nullable=False),
        sa.Column("subject", sa.String(64), nullable=False),
        sa.Column("uscc", sa.String(18), nullable=False),
        sa.Column("since_ms", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("owner", "level", "subject", name="pk_watched"),
    )
    op.create_index("ix_watched_level", "watched", ["level"])
    op.create_table(
        "alert_contact",
        sa.Column("user_name", sa.String(64), nullable=False),
        sa.Column("address", sa.String(320), nullable=False),
        sa.Column("language", sa.String(2), nullable=False),
        sa.Column("set_ms", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["user_name"], ["city_user.name"], name="fk_alert_contact_user_name"
        ),
        sa.PrimaryKeyConstraint("user_name", name="pk_alert_contact"),
    )
    _messages()


def _alerts() -> None:
    op.create_table(
        "alert",
        sa.Column("id", _KEY, autoincrement=True, nullable=False),
        sa.Column("key", sa.String(120), nullable=False),
        sa.Column("kind", sa.String(32), nullable=False),
        sa.Column("level", sa.String(16), nullable=False),
        sa.Column("subject", sa.String(64), nullable=False),
        sa.Column("uscc", sa.String(18), nullable=False),
        sa.Column("since_ms", sa.BigInteger(), nullable=False),
        sa.Column("began_ms", sa.BigInteger(), nullable=False),
        sa.Column("clear_ms", sa.BigInteger(), nullable=True),
        sa.Column("ended_ms", sa.BigInteger(), nullable=True),
        sa.Column("detail", sa.Text(), nullable=False),
        sa.Column("acknowledged_ms", sa.BigInteger(), nullable=True),
        sa.Column("acknowledged_by", sa.String(100), nullable=True),
        sa.Column("begin_told_ms", sa.BigInteger(), nullable=True),
        sa.Column("end_told_ms", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_alert"),
    )
    op.create_index("ix_alert_began_ms", "alert", ["began_ms"])
    op.create_index(
        "ix_alert_going_on",
        "alert",
        ["key"],
        unique=True,
        sqlite_where=_GOES_ON,
        postgresql_where=_GOES_ON,
    )


def _messages() -> None:
    op.create_table(
        "alert_message",
        sa.Column("id", _KEY, autoincrement=True, nullable=False),
        sa.Column("key", sa.String(32), nullable=False),
        sa.Column("channel", sa.String(40), nullable=False),
        sa.Column("recipient", sa.String(64), nullable=False),
        sa.Column("queued_ms", sa.BigInteger(), nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("next_attempt_ms", sa.BigInteger(), nullable=False),
        sa.Column("done_ms", sa.BigInteger(), nullable=True),
        sa.Column("error", sa.String(300), nullable=False, server_default=""),
        sa.PrimaryKeyConstraint("id", name="pk_alert_message"),
        sa.UniqueConstraint("key", name="uq_alert_message_key"),
    )
    op.create_index(
        "ix_alert_message_waiting",
        "alert_message",
        ["id"],
        sqlite_where=_WAITS,
        postgresql_where=_WAITS,
    )
    op.create_table(
        "alert_message_part",
        sa.Column("message_id", _KEY, nullable=False),
        sa.Column("alert_id", _KEY, nullable=False),
        sa.Column("event", sa.String(8), nullable=False),
        sa.ForeignKeyConstraint(
            ["message_id"], ["alert_message.id"], name="fk_alert_message_part_message_id"
        ),
        sa.ForeignKeyConstraint(["alert_id"], ["alert.id"], name="fk_alert_message_part_alert_id"),
        sa.PrimaryKeyConstraint("message_id", "alert_id", "event", name="pk_alert_message_part"),
    )
    op.create_index("ix_alert_message_part_alert_id", "alert_message_part", ["alert_id"])
