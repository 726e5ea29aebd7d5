"""Findings that are kept: where each stands now, and what was seen and said of it.

What was seen and said is only added to; ``finding`` says what follows from it.
"""

from sqlalchemy import BigInteger, Boolean, Column, Index, Integer, String, Table, Text

from gateway.city.db.tables import Key, metadata

finding = Table(
    "finding",
    metadata,  # a pattern of an enterprise or county, whatever the months
    Column("id", Key, primary_key=True, autoincrement=True),
    Column("kind", String(32), nullable=False),  # of rates/findings/model.py
    Column("uscc", String(18), nullable=False),  # empty: of a county
    Column("county", String(6), nullable=False),  # empty: of an enterprise
    Column("key", String(250), nullable=False),  # which of its kind: part, and the machines of one
    Column("synthetic", Boolean, nullable=False),  # synthetic evidence was looked at, too
    Column("state", String(16), nullable=False),  # open, explained, gone
    Column("month", String(7), nullable=False),  # the last one in which it is there
    Column("first_ms", BigInteger, nullable=False),  # when it was seen first
    Column("last_ms", BigInteger, nullable=False),  # when it was there last
    Column("seen_id", BigInteger, nullable=False),  # of finding_seen: the newest one
    Index("ix_finding_one", "synthetic", "kind", "uscc", "county", "key", unique=True),
    Index("ix_finding_state", "state", "last_ms"),
    sqlite_autoincrement=True,
)

finding_seen = Table(
    "finding_seen",
    metadata,  # a row each time when it was seen otherwise than before
    Column("id", Key, primary_key=True, autoincrement=True),
    Column("finding_id", BigInteger, nullable=False),
    Column("month", String(7), nullable=False),  # YYYY-MM, that was looked at
    Column("at_ms", BigInteger, nullable=False),
    Column("there", Boolean, nullable=False),  # false: no longer
    Column("part", String(16), nullable=False),
    Column("machines", Text, nullable=False),  # JSON list of site/asset numbers
    Column("numbers", Text, nullable=False),  # JSON object
    Column("rules", Integer, nullable=False),  # version of the thresholds
    Index("ix_finding_seen_finding_id", "finding_id", "month"),
    sqlite_autoincrement=True,
)

finding_said = Table(
    "finding_said",
    metadata,  # what officers said of it
    Column("id", Key, primary_key=True, autoincrement=True),
    Column("finding_id", BigInteger, nullable=False),
    Column("seen_id", BigInteger, nullable=False),  # what was seen of it then
    Column("explains", Boolean, nullable=False),  # false: it is open again
    Column("reason", String(300), nullable=False),
    Column("document", String(200), nullable=False),
    Column("at_ms", BigInteger, nullable=False),
    Column("made_by", String(100), nullable=False),
    Index("ix_finding_said_finding_id", "finding_id"),
    sqlite_autoincrement=True,
)

finding_pass = Table(
    "finding_pass",
    metadata,  # when an enterprise's month was looked at last
    Column("uscc", String(18), primary_key=True),  # empty: the counties
    Column("month", String(7), primary_key=True),
    Column("synthetic", Boolean, primary_key=True),
    Column("at_ms", BigInteger, nullable=False),
)
