"""Tables of sessions, and of who did what."""

from sqlalchemy import BigInteger, Column, Index, String, Table

from gateway.city.db.tables import Key, metadata

console_session = Table(
    "console_session",
    metadata,  # one row a login
    Column("digest", String(64), primary_key=True),  # SHA-256 of the cookie's secret, hex
    Column("token_digest", String(64), nullable=False),  # of the token that opened it
    Column("address", String(64), nullable=False),
    Column("opened_ms", BigInteger, nullable=False),
    Column("expires_ms", BigInteger, nullable=False),
    Column("ended_ms", BigInteger),  # before it expired; null: it was not ended
)

audit = Table(
    "audit",
    metadata,  # who did what; rows are added, never changed
    Column("id", Key, primary_key=True, autoincrement=True),
    Column("at_ms", BigInteger, nullable=False),
    Column("who", String(100), nullable=False),  # user of the system, or address of a visitor
    Column("action", String(32), nullable=False),  # a value of access/audit.py Action
    Column("subject", String(200), nullable=False),  # what it was done to
    Column("detail", String(300), nullable=False),
    Index("ix_audit_at_ms", "at_ms"),
)
