"""What enterprises declare of themselves."""

from sqlalchemy import BigInteger, Column, Index, Integer, String, Table

from gateway.city.db.tables import Key, metadata

declared_value = Table(
    "declared_value",
    metadata,  # append-only: the newest row of an enterprise and month counts
    Column("id", Key, primary_key=True, autoincrement=True),
    Column("uscc", String(18), nullable=False),
    Column("month", String(7), nullable=False),  # YYYY-MM
    Column("networked", Integer, nullable=False),
    Column("equipment", Integer, nullable=False),
    Column("declared_by", String(100), nullable=False),
    Column("source", String(300), nullable=False),
    Column("known_ms", BigInteger, nullable=False),  # since when it is known
    Column("entered_by", String(100), nullable=False),
    Index("ix_declared_value_month", "month", "uscc"),
    sqlite_autoincrement=True,
)
