"""Tables of alerts, and of who watches what."""

from sqlalchemy import BigInteger, Column, Index, String, Table, Text, text

from gateway.city.db.tables import Key, metadata

_GOES_ON = text("ended_ms IS NULL")

alert = Table(
    "alert",
    metadata,  # begins once and ends once
    Column("id", Key, primary_key=True, autoincrement=True),
    Column("key", String(120), nullable=False),  # of alerts/model.py Condition
    Column("kind", String(32), nullable=False),
    Column("level", String(16), nullable=False),
    Column("subject", String(64), nullable=False),
    Column("uscc", String(18), nullable=False),  # empty: of a city, county or industry
    Column("since_ms", BigInteger, nullable=False),  # since when it is wrong
    Column("began_ms", BigInteger, nullable=False),  # when the alert began
    Column("clear_ms", BigInteger),  # since when nothing is wrong any more; null: it is
    Column("ended_ms", BigInteger),  # null: it goes on
    Column("detail", Text, nullable=False),  # JSON object
    Column("acknowledged_ms", BigInteger),
    Column("acknowledged_by", String(100)),
    # when it was put into messages; null: it is yet to be
    Column("begin_told_ms", BigInteger),
    Column("end_told_ms", BigInteger),
    Index(
        "ix_alert_going_on", "key", unique=True, sqlite_where=_GOES_ON, postgresql_where=_GOES_ON
    ),
    Index("ix_alert_began_ms", "began_ms"),
)

watched = Table(
    "watched",
    metadata,  # what somebody has an eye on
    Column("owner", String(64), primary_key=True),  # name of a principal
    Column("level", String(16), primary_key=True),
    Column("subject", String(64), primary_key=True),
    Column("uscc", String(18), nullable=False),
    Column("since_ms", BigInteger, nullable=False),
    Index("ix_watched_level", "level"),
)
