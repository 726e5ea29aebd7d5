"""What people say beside evidence: enterprises of themselves, and who looked on site.

Append-only: what is entered again is another one.
"""

from sqlalchemy import BigInteger, Boolean, Column, Float, Index, Integer, String, Table, Text

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

sample_look = Table(
    "sample_look",
    metadata,  # what people saw of a drawn sample, and the rate that it verifies
    Column("id", Key, primary_key=True, autoincrement=True),
    Column("month", String(7), nullable=False),  # YYYY-MM
    Column("definition", String(32), nullable=False),
    Column("synthetic", Boolean, nullable=False),
    Column("seed", String(64), nullable=False),
    Column("draws", Integer, nullable=False),
    Column("machines", Integer, nullable=False),  # a draw
    Column("found", Text, nullable=False),  # share of them that was found, exact: "p/q"
    Column("rate", Text),  # verified, exact, 0 to 1; null: none was found
    Column("low", Float),  # of the 95 % interval, 0 to 1; null: it cannot be told
    Column("high", Float),
    Column("entered_ms", BigInteger, nullable=False),
    Column("made_by", String(100), nullable=False),
    Column("note", String(300), nullable=False),
    Column("sample_id", BigInteger),  # of sample_draw; null: drawn by the command
    sqlite_autoincrement=True,
)

sample_machine = Table(
    "sample_machine",
    metadata,
    Column("look_id", BigInteger, primary_key=True, autoincrement=False),
    Column("draw", Integer, primary_key=True, autoincrement=False),
    Column("uscc", String(18), primary_key=True),
    Column("site_no", String(16), primary_key=True),
    Column("asset_no", String(64), primary_key=True),
    Column("expected", Boolean, nullable=False),  # the month counts it as networked
    Column("found", Boolean, nullable=False),
    Column("connected", Boolean, nullable=False),
    Column("photo", String(200), nullable=False),
)
