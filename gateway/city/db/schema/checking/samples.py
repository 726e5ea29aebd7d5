"""Samples that were drawn on the page, and what people enter of their machines as they see them.

Append-only: of the entries of a machine the newest counts, and a look (``sample_look``) ends it.
"""

from sqlalchemy import BigInteger, Boolean, Column, Index, Integer, String, Table

from gateway.city.db.tables import Key, metadata

sample_draw = Table(
    "sample_draw",
    metadata,
    Column("id", Key, primary_key=True, autoincrement=True),
    Column("month", String(7), nullable=False),  # YYYY-MM
    Column("definition", String(32), nullable=False),
    Column("synthetic", Boolean, nullable=False),
    Column("seed", String(64), nullable=False),
    Column("draws", Integer, nullable=False),
    Column("machines", Integer, nullable=False),  # a draw
    Column("drawn_ms", BigInteger, nullable=False),
    Column("made_by", String(100), nullable=False),
    sqlite_autoincrement=True,
)

sample_draw_machine = Table(
    "sample_draw_machine",
    metadata,  # as they were drawn, whatever the ledger says later
    Column("sample_id", BigInteger, primary_key=True, autoincrement=False),
    Column("place", Integer, primary_key=True, autoincrement=False),  # from 1
    Column("draw", Integer, nullable=False),
    Column("uscc", String(18), nullable=False),
    Column("site_no", String(16), nullable=False),
    Column("asset_no", String(64), nullable=False),
    Column("name", String(100), nullable=False),
    Column("expected", Boolean, nullable=False),  # the month counts it as networked
)

sample_entry = Table(
    "sample_entry",
    metadata,
    Column("id", Key, primary_key=True, autoincrement=True),
    Column("sample_id", BigInteger, nullable=False),
    Column("place", Integer, nullable=False),
    Column("found", Boolean, nullable=False),
    Column("connected", Boolean, nullable=False),
    Column("photo", String(200), nullable=False),
    Column("at_ms", BigInteger, nullable=False),
    Column("made_by", String(100), nullable=False),
    Index("ix_sample_entry_sample_id", "sample_id", "place"),
    sqlite_autoincrement=True,
)
