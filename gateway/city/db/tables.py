"""Every table of the city's relational database. Nothing here that PostgreSQL would refuse.

Times are UTC milliseconds in ``BigInteger``; days are Asia/Shanghai days in ``Date``.
"""

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Date,
    Float,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    SmallInteger,
    String,
    Table,
    Text,
    UniqueConstraint,
    text,
    true,
)

from gateway.city.db.schema.versions import counting, version_of

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)

Key = BigInteger().with_variant(Integer, "sqlite")  # SQLite counts up INTEGER keys only
_LASTS = text("to_ms IS NULL")

enterprise = Table(
    "enterprise",
    metadata,
    Column("uscc", String(18), primary_key=True),
    Column("name", String(200), nullable=False),
    Column("county", String(6), nullable=False),  # GB/T 2260, where it operates
    Column("industry", String(4), nullable=False),  # GB/T 4754-2017 class
    Column("functional_area", String(16), nullable=False, server_default=""),
    Column("above_scale", Boolean, nullable=False),  # 规上
    Column("ledger_verified_by", String(100)),
    Column("ledger_verified_on", Date),
    Column("identifier_code", String(20), unique=True),  # enterprise part of its prefix
    # of these two follows its size class (ledger/size_class.py); null: nobody wrote it
    Column("employees", Integer),
    Column("revenue_wan", Float),  # of a year, in 10,000 yuan
)

ledger_verification = Table(
    "ledger_verification",
    metadata,  # every verification of a ledger; the enterprise's row holds the latest
    Column("uscc", ForeignKey("enterprise.uscc"), primary_key=True),
    Column("verified_on", Date, primary_key=True),
    Column("verified_by", String(100), nullable=False),
)

roster_member = Table(
    "roster_member",
    metadata,
    Column("roster", String(32), primary_key=True),  # for example KEY
    Column("uscc", ForeignKey("enterprise.uscc"), primary_key=True),
    Column("valid_from", Date, primary_key=True),
    Column("valid_to", Date),  # first day outside; null: still in
    Column("approved_by", String(100), nullable=False),
)

machine = Table(
    "machine",
    metadata,  # every machine that was ever named, in the ledger or not; an id is never used again
    Column("id", Key, primary_key=True, autoincrement=True),
    Column("named_ms", BigInteger, nullable=False),  # when it was first named
    sqlite_autoincrement=True,  # SQLite would give a deleted id again
)

machine_alias = Table(
    "machine_alias",
    metadata,  # which machine a number meant on a day: the newest that had begun by then
    Column("uscc", String(18), primary_key=True),
    Column("site_key", String(128), primary_key=True),  # as ledger/names.py compares
    Column("asset_key", String(128), primary_key=True),
    Column("valid_from", Date, primary_key=True),
    Column("valid_to", Date),  # first day of another name; null: it is called so
    Column("machine_id", ForeignKey("machine.id"), nullable=False),
    Column("site_no", String(16), nullable=False),  # as written
    Column("asset_no", String(64), nullable=False),
    Column("revision", BigInteger, nullable=False),  # counts the changes of meaning; 0: first name
    Index("ix_machine_alias_machine_id", "machine_id"),
    Index("ix_machine_alias_revision", "revision"),
)

ledger_import = Table(
    "ledger_import",
    metadata,  # an import that writes its machines in parts; none counts before its end
    Column("id", Key, primary_key=True, autoincrement=True),
    Column("begun_ms", BigInteger, nullable=False),
    Column("finished", Boolean, nullable=False),
    sqlite_autoincrement=True,  # an id that is given again would let old parts count
)

equipment_rows = Table(
    "equipment",
    metadata,  # all versions, for who writes them; the ledger is ``equipment`` below
    Column("id", ForeignKey("machine.id"), primary_key=True, autoincrement=False),
    # no reference: an enterprise that is new in a large import is written behind its machines
    Column("uscc", String(18), nullable=False),
    Column("site_no", String(16), nullable=False),
    Column("asset_no", String(64), nullable=False),
    Column("name", String(100), nullable=False),
    Column("workshop", String(100), nullable=False, server_default=""),
    Column("line", String(100), nullable=False, server_default=""),
    Column("model", String(100), nullable=False, server_default=""),
    Column("maker", String(100), nullable=False, server_default=""),
    Column("serial_no", String(64), nullable=False, server_default=""),
    Column("category", String(32), nullable=False, server_default=""),  # GB/T 14885
    Column("equipment_class", String(16), nullable=False),  # production, aux, test
    Column("key_equipment", Boolean, nullable=False),
    Column("digital", Boolean, nullable=False),
    Column("controller", String(100), nullable=False, server_default=""),
    Column("interfaces", String(200), nullable=False, server_default=""),
    Column("commissioned_on", Date),
    Column("original_value_yuan", Float),
    Column("entered_by", String(100), nullable=False, server_default=""),
    Column("verified_by", String(100)),
    Column("verified_on", Date),
    Index("ix_equipment_uscc", "uscc", "site_no", "asset_no"),
    *version_of("equipment"),
    Column("documents", String(300), nullable=False, server_default=""),
)
equipment = counting(equipment_rows, ledger_import)
"""The ledger, for all who read it; number and site as the machine is called now."""

ledger_change = Table(
    "ledger_change",
    metadata,  # one row an import or renaming: who waits for one reads the newest id only
    Column("id", Key, primary_key=True, autoincrement=True),
)

status_rows = Table(
    "equipment_status",
    metadata,  # all versions, for who writes them
    Column("equipment_id", ForeignKey("machine.id"), primary_key=True),
    Column("valid_from", Date, primary_key=True),
    Column("status", String(16), nullable=False),  # a key of ledger/codes.py STATUSES
    *version_of("equipment_status"),
    # false: nobody wrote the day; valid_from is that of entry, by which the status had begun
    Column("dated", Boolean, nullable=False, server_default=true()),
)
equipment_status = counting(status_rows, ledger_import)
"""The dated statuses of the ledger's machines, for all who read them."""

gateway = Table(
    "gateway",
    metadata,
    Column("id", String(63), primary_key=True),
    Column("partition", Integer, nullable=False),  # of its topics
    Column("uscc", ForeignKey("enterprise.uscc"), nullable=False),
    Column("site_no", String(16), nullable=False),
    Column("enrolled_ms", BigInteger, nullable=False),
    Column("revoked_ms", BigInteger),
    Column("last_seen_ms", BigInteger),
    Column("state", Text),  # last state message, JSON
    Index("ix_gateway_partition", "partition"),  # a worker reads its own only, every 2 s
)

watermark = Table(
    "watermark",
    metadata,
    Column("gateway", ForeignKey("gateway.id"), primary_key=True),
    Column("epoch", String(16), primary_key=True),
    Column("upto", BigInteger, nullable=False),
    Column("ranges", Text, nullable=False),  # JSON [[a, b], …] above upto
    Column("closed", BigInteger, nullable=False, server_default="0"),  # none below is taken now
    Column("values_committed", BigInteger, nullable=False),
    Column("values_quarantined", BigInteger, nullable=False),
    Column("updated_ms", BigInteger, nullable=False),
    # times of values that are committed to the store and not in the evidence yet; null: all are
    Column("uncounted_from_ms", BigInteger),
    Column("uncounted_to_ms", BigInteger),
    Column("seen", BigInteger, nullable=False, server_default="0"),  # newest frame that ever came
    Column("chain", BigInteger, nullable=False, server_default="0"),  # its checksum of its buffer
    # when its first frame came, by the city's clock; 0: before this was noted
    Column("begun_ms", BigInteger, nullable=False, server_default="0"),
    # up to when all that was measured is held or in a gap; 0: that is not known
    Column("known_ms", BigInteger, nullable=False, server_default="0"),
    # of those quarantined, values that no data agreement lets the city keep
    Column("values_unagreed", BigInteger, nullable=False, server_default="0"),
)

tag_schema = Table(
    "tag_schema",
    metadata,
    Column("gateway", ForeignKey("gateway.id"), primary_key=True),
    Column("id", String(16), primary_key=True),
    Column("device", String(63), nullable=False),
    Column("body", LargeBinary, nullable=False),
    Column("received_ms", BigInteger, nullable=False),
    Column("used_on", Date, nullable=False),  # last day on which values that follow it came
    # digest of the physical unit that the device reads; null: not told
    Column("unit", String(16)),
    Index("ix_tag_schema_unit", "unit"),
)

edge_books = Table(
    "edge_books",
    metadata,
    Column("gateway", ForeignKey("gateway.id"), primary_key=True),
    Column("epoch", String(16), primary_key=True),
    Column("device", String(63), primary_key=True),
    Column("day", Date, primary_key=True),
    Column("due", BigInteger, nullable=False),
    Column("ok", BigInteger, nullable=False),
    Column("failed", BigInteger, nullable=False),
    Column("skipped", BigInteger, nullable=False),
    Column("suppressed", BigInteger, nullable=False),
    Column("buffered", BigInteger, nullable=False),
    Column("dropped", Text, nullable=False),  # JSON {cause: count}
    Column("seq", BigInteger, nullable=False, server_default="0"),  # frame that told them
    # part of ok: JSON {reason: count}
    Column("uncertain", Text, nullable=False, server_default="{}"),
)

machine_books = Table(
    "machine_books",
    metadata,  # values due and valid of each machine, as its edge counted them; cumulative
    Column("gateway", ForeignKey("gateway.id"), primary_key=True),
    Column("epoch", String(16), primary_key=True),
    Column("device", String(63), primary_key=True),
    Column("machine_id", ForeignKey("machine.id"), primary_key=True),
    Column("day", Date, primary_key=True),
    Column("valid", BigInteger, nullable=False),
    Column("expected", BigInteger, nullable=False),
    Column("first_ms", BigInteger),  # of the valid ones; null: there are none
    Column("last_ms", BigInteger),
    Column("seq", BigInteger, nullable=False),  # frame that told them
    Index("ix_machine_books_machine_id_day", "machine_id", "day"),
    Index("ix_machine_books_day", "day"),
)

gap = Table(
    "gap",
    metadata,
    Column("id", Key, primary_key=True, autoincrement=True),
    Column("gateway", ForeignKey("gateway.id"), nullable=False),
    Column("device", String(63), nullable=False),
    Column("tag_group", String(63), nullable=False),
    Column("tags", Text, nullable=False),  # JSON list; [] = all
    Column("tags_key", String(16), nullable=False),  # hash of tags, for the unique key
    Column("cause", String(32), nullable=False),
    Column("from_ms", BigInteger, nullable=False),
    Column("to_ms", BigInteger),
    UniqueConstraint("gateway", "device", "tag_group", "tags_key", "from_ms", "cause"),
    Index("ix_gap_from_ms", "from_ms"),
    # what the console asks for: the newest of a gateway, of a cause, and those that last
    Index("ix_gap_gateway_from_ms", "gateway", "from_ms"),
    Index("ix_gap_cause_from_ms", "cause", "from_ms"),
    Index("ix_gap_lasting", "from_ms", sqlite_where=_LASTS, postgresql_where=_LASTS),
)

quarantine = Table(
    "quarantine",
    metadata,
    Column("id", Key, primary_key=True, autoincrement=True),
    Column("received_ms", BigInteger, nullable=False),
    Column("topic", String(300), nullable=False),
    Column("gateway", String(63), nullable=False),
    Column("reason", String(300), nullable=False),
    Column("value_count", BigInteger, nullable=False),
    Column("size_bytes", BigInteger, nullable=False),
    Column("payload", LargeBinary, nullable=False),  # the first 64 KiB
)

evidence = Table(
    "evidence",
    metadata,  # in which hours of a day values of a machine came; a table a month: monthly.py
    Column("machine_id", ForeignKey("machine.id"), primary_key=True),
    Column("day", Date, primary_key=True),
    Column("source", String(16), primary_key=True),  # controller, sensor
    Column("synthetic", Boolean, primary_key=True),
    # 0: it came in time; otherwise how many days after its day this came, and was not there before
    Column("late_days", SmallInteger, primary_key=True, autoincrement=False),
    Column("gateway", String(63), nullable=False),
    Column("good_hours", Integer, nullable=False),  # bit h of a mask is hour h
    Column("uncertain_hours", Integer, nullable=False),
    Column("replayed_hours", Integer, nullable=False),  # the source repeats what it last had
    Column("first_ms", BigInteger, nullable=False),
    Column("last_ms", BigInteger, nullable=False),
    Column("seeded", Boolean, nullable=False),  # written by the demonstration, not by ingest
    sqlite_with_rowid=False,
    postgresql_partition_by="RANGE (day)",
)
