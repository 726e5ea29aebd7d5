"""Tables of rates as they were published."""

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Integer,
    String,
    Table,
    Text,
    UniqueConstraint,
)

from gateway.city.db.tables import Key, metadata

rate_result = Table(
    "rate_result",
    metadata,  # append-only
    Column("id", Key, primary_key=True, autoincrement=True),
    Column("definition", String(32), nullable=False),
    Column("definition_hash", String(64), nullable=False),
    Column("month", String(7), nullable=False),  # YYYY-MM
    Column("dimension", String(16), nullable=False),  # city, or of cells/dimensions.py
    Column("cell", String(32), nullable=False),
    Column("vintage", Integer, nullable=False),
    Column("status", String(1), nullable=False),  # P provisional, F final
    Column("numerator", Integer, nullable=False),
    Column("denominator", Integer, nullable=False),
    Column("enterprise_count", Integer, nullable=False),
    Column("mean", Text),  # exact fraction "p/q", which can be long; null: no enterprise
    Column("synthetic", Boolean, nullable=False),
    Column("computed_ms", BigInteger, nullable=False),
    Column("taking", Integer),  # of evidence_taking; null: it rests on no evidence, or is older
    # newest change of the ledger that it knew; null: it is older than the ledger's history
    Column("ledger_change", BigInteger),
    Column("rest_days", String(64)),  # of rest_days; null: all days counted, or it is older
    # what else is told of a cell; all null: the result is older. Fractions as "p/q".
    Column("p25", Text),
    Column("median", Text),
    Column("p75", Text),
    Column("assumed", Text),  # machines that the missing enterprises are taken to have
    Column("in_scope", Integer),  # enterprises in the definition's scope
    Column("verified", Integer),  # of these, with a verified ledger
    Column("missing", Integer),  # of these, those of which nothing is known
    Column("undetermined", Integer),  # machines that only a missing date keeps out of K
    # days in service of its machines, and of these on neither side; all null: all days count, or
    # the result is older
    Column("machine_days", BigInteger),
    Column("days_rest", BigInteger),
    Column("days_stopped", BigInteger),
    Column("days_late", BigInteger),  # said when they were over
    UniqueConstraint("definition", "month", "dimension", "cell", "vintage"),
)

rest_days = Table(
    "rest_days",
    metadata,  # days of rest that results left out
    Column("digest", String(64), primary_key=True),  # SHA-256 of the days
    Column("days", Text, nullable=False),  # of the month, a JSON array of YYYY-MM-DD
)

rate_correction = Table(
    "rate_correction",
    metadata,  # why a frozen month got a further vintage; the calendar's vintages have no row
    Column("definition", String(32), primary_key=True),
    Column("month", String(7), primary_key=True),
    Column("vintage", Integer, primary_key=True),
    Column(
        "reason", String(16), nullable=False
    ),  # late_data ledger definition calendar roster error
    Column("note", String(300), nullable=False),
    Column("corrected_by", String(100), nullable=False),
)

rate_job = Table(
    "rate_job",
    metadata,  # by what a vintage was computed; older ones have no row
    Column("id", Key, primary_key=True, autoincrement=True),
    Column("definition", String(32), nullable=False),
    Column("month", String(7), nullable=False),
    Column("vintage", Integer, nullable=False),
    Column("started_by", String(100), nullable=False),  # calendar, or who corrected
    Column("software", String(32), nullable=False),  # version of the product
    Column("code", String(64), nullable=False),  # of frozen/jobs.py code_digest
    UniqueConstraint("definition", "month", "vintage"),
    sqlite_autoincrement=True,
)
