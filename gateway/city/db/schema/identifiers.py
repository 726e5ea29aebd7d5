"""Tables of how machines get their identifiers."""

from sqlalchemy import BigInteger, Column, ForeignKey, Index, Integer, String, Table

from gateway.city.db.tables import Key, metadata

identifier_review = Table(
    "identifier_review",
    metadata,  # machines that came into the ledger and wait for a person's look, or had it
    Column("equipment_id", ForeignKey("machine.id"), primary_key=True),
    Column("since_ms", BigInteger, nullable=False),
    Column("approved_ms", BigInteger),  # null: nobody said yes yet, the time decides
)

identifier = Table(
    "identifier",
    metadata,
    Column("equipment_id", ForeignKey("machine.id"), primary_key=True),
    Column("handle", String(255), nullable=False, unique=True),
    Column("handle_key", String(255), nullable=False, unique=True),  # upper case: compared so
    Column("issued_ms", BigInteger, nullable=False),
    Column("registered_ms", BigInteger),
    Column("resolved_ms", BigInteger),  # last time read back equal
)

identifier_counter = Table(
    "identifier_counter",
    metadata,
    Column("prefix", String(64), primary_key=True),
    Column("next", BigInteger, nullable=False),
)

identifier_outbox = Table(
    "identifier_outbox",
    metadata,  # one entry a machine
    Column("id", Key, primary_key=True, autoincrement=True),
    Column("equipment_id", ForeignKey("machine.id"), nullable=False),
    Column("operation", String(16), nullable=False),  # register update repair withdraw
    Column("state", String(16), nullable=False),  # pending unknown done refused
    Column("attempts", Integer, nullable=False),
    Column("next_attempt_ms", BigInteger, nullable=False),
    Column("last_error", String(300), nullable=False, server_default=""),
    Column("claims", BigInteger, nullable=False, server_default="0"),  # grows; attempts begin anew
    Index("ix_identifier_outbox_state_next_attempt_ms", "state", "next_attempt_ms"),
    Index("ix_identifier_outbox_equipment_id", "equipment_id", unique=True),
)

identifier_pause = Table(
    "identifier_pause",
    metadata,  # what keeps the registrar from asking the node
    Column("prefix", String(64), primary_key=True),  # of identifiers; empty: for all
    Column("outcome", String(16), nullable=False),  # a value of registry.Outcome
    Column("reason", String(300), nullable=False),
    Column("since_ms", BigInteger, nullable=False),
    Column("until_ms", BigInteger, nullable=False),
    Column("failures", Integer, nullable=False),  # in a row
)

machine_withdrawal = Table(
    "machine_withdrawal",
    metadata,  # why rows of the ledger were taken back, where a person has said so
    Column("equipment_id", ForeignKey("machine.id"), primary_key=True),
    Column("reason", String(255), nullable=False),
    Column("withdrawn_ms", BigInteger, nullable=False),
)
