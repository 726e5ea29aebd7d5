"""Tables of messages: where they go, what is to be sent, and what became of it."""

from sqlalchemy import (
    BigInteger,
    Column,
    ForeignKey,
    Index,
    Integer,
    String,
    Table,
    UniqueConstraint,
    text,
)

from gateway.city.db.tables import Key, metadata

_WAITS = text("state = 'waiting'")

alert_contact = Table(
    "alert_contact",
    metadata,  # where mails for a user go; no row: nowhere
    Column("user_name", ForeignKey("city_user.name"), primary_key=True),
    Column("address", String(320), nullable=False),
    Column("language", String(2), nullable=False),
    Column("set_ms", BigInteger, nullable=False),
)

alert_message = Table(
    "alert_message",
    metadata,  # what is to be sent, and what became of it
    Column("id", Key, primary_key=True, autoincrement=True),
    Column("key", String(32), nullable=False),  # the same at each attempt
    Column("channel", String(40), nullable=False),  # mail, or webhook:NAME
    Column("recipient", String(64), nullable=False),  # name of a user; of a webhook its own
    Column("queued_ms", BigInteger, nullable=False),
    # waiting, sent, refused, given-up, dropped (the queue was full), void (no longer theirs)
    Column("state", String(16), nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("next_attempt_ms", BigInteger, nullable=False),
    Column("done_ms", BigInteger),
    Column("error", String(300), nullable=False, server_default=""),
    UniqueConstraint("key"),
    Index("ix_alert_message_waiting", "id", sqlite_where=_WAITS, postgresql_where=_WAITS),
)

alert_message_part = Table(
    "alert_message_part",
    metadata,  # which alerts a message tells of
    Column("message_id", ForeignKey("alert_message.id"), primary_key=True),
    Column("alert_id", ForeignKey("alert.id"), primary_key=True),
    Column("event", String(8), primary_key=True),  # begin, end
    Index("ix_alert_message_part_alert_id", "alert_id"),
)
