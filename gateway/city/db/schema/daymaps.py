"""Tables of what published rates rest on."""

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Index,
    Integer,
    LargeBinary,
    String,
    Table,
    UniqueConstraint,
)

from gateway.city.db.tables import Key, metadata

evidence_taking = Table(
    "evidence_taking",
    metadata,  # the evidence of a month as it was when a rate was stored
    Column("month", String(7), primary_key=True),  # YYYY-MM
    Column("synthetic", Boolean, primary_key=True),  # synthetic evidence is in it
    Column("number", Integer, primary_key=True),  # 1, 2, …; a later one has what came since
    Column("taken_ms", BigInteger, nullable=False),
    Column("root", String(64), nullable=False),  # rates/daymaps/maps.py
    # how often evidence of the month was written since, and how many of that were looked at
    Column("touches", BigInteger, nullable=False, server_default="0"),
    Column("compared", BigInteger, nullable=False, server_default="0"),
)

day_map = Table(
    "day_map",
    metadata,  # of the enterprises whose map a taking found changed; append-only
    Column("id", Key, primary_key=True, autoincrement=True),  # in order of each one's chain
    Column("month", String(7), nullable=False),
    Column("synthetic", Boolean, nullable=False),
    Column("uscc", String(18), nullable=False),
    Column("taking", Integer, nullable=False),
    Column("body", LargeBinary, nullable=False),  # deflated bytes of rates/daymaps/maps.py
    Column("previous", String(64), nullable=False),  # digest of the enterprise's row before
    Column("digest", String(64), nullable=False),
    UniqueConstraint("month", "synthetic", "uscc", "taking"),
    Index("ix_day_map_uscc_id", "uscc", "id"),
    sqlite_autoincrement=True,  # an id that is given again would change the order of a chain
)

late_data = Table(
    "late_data",
    metadata,  # what came for a final result since; one row each, of the newest comparison
    Column("definition", String(32), primary_key=True),
    Column("month", String(7), primary_key=True),
    Column("synthetic", Boolean, primary_key=True),
    Column("vintage", Integer, nullable=False),
    Column("machines", Integer, nullable=False),
    Column("days", Integer, nullable=False),  # of all machines together
    Column("lost_days", Integer, nullable=False),  # that evidence had and has no more
    Column("compared_ms", BigInteger, nullable=False),
)
