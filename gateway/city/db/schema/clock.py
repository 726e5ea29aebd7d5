"""Tables of what gateways' clocks leave in doubt."""

from sqlalchemy import BigInteger, Boolean, Column, Date, ForeignKey, Index, Integer, String, Table

from gateway.city.db.tables import metadata

doubted_evidence = Table(
    "doubted_evidence",
    metadata,  # hours of values in clock doubt, until the clock of their gateway is confirmed
    Column("gateway", ForeignKey("gateway.id"), primary_key=True),
    Column("machine_id", ForeignKey("machine.id"), primary_key=True),
    Column("day", Date, primary_key=True),
    Column("source", String(16), primary_key=True),
    Column("synthetic", Boolean, primary_key=True),
    Column("hours", Integer, nullable=False),
    Column("first_ms", BigInteger, nullable=False),
    Column("last_ms", BigInteger, nullable=False),
    Index("ix_doubted_evidence_machine_id_day", "machine_id", "day"),  # the page of a machine asks
)

confirmed_clock = Table(
    "confirmed_clock",
    metadata,  # when a gateway's clock was right: it agreed with the city's, and only ran since
    Column("gateway", ForeignKey("gateway.id"), primary_key=True),
    Column("from_ms", BigInteger, primary_key=True),
    Column("to_ms", BigInteger, nullable=False),
)
