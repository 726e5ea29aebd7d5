"""Tables of what the ledger said: valid on which days, known since which change. Append-only.

A row holds from ``valid_from`` until the next day of which something is said, and is known since
the act that wrote it counts; a later act may say another thing of the same day. Rows of an act
that never ended (``ledger_act.change_id`` is null) count nowhere.
"""

from typing import Any

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Date,
    Float,
    Index,
    Integer,
    String,
    Table,
    Text,
    text,
)

from gateway.city.db.tables import Key, metadata

_DATED = text("valid_from > '1970-01-01'")

ledger_act = Table(
    "ledger_act",
    metadata,  # who changed the ledger, when, and by what
    Column("id", Key, primary_key=True, autoincrement=True),
    # the change of the ledger by which it counts, in order of knowledge; null: it has not ended
    Column("change_id", BigInteger, unique=True),
    Column("known_ms", BigInteger),  # since when it is known; grows with change_id
    Column("kind", String(16), nullable=False),  # a value of ledger/bitemporal/acts.py Kind
    Column("made_by", String(100), nullable=False),
    Column("source", String(300), nullable=False),  # names of files, or what was said
    sqlite_autoincrement=True,  # an id that is given again would let old rows count
)


def _said_by(table: str) -> tuple[Column[int], Index]:
    act = Column("act_id", BigInteger, primary_key=True, autoincrement=False)
    return act, Index(f"ix_{table}_act_id", "act_id")


def _dated(table: str, *key: str) -> Index:
    """To find what did not hold since ever, which is little."""
    return Index(
        f"ix_{table}_dated", "valid_from", *key, sqlite_where=_DATED, postgresql_where=_DATED
    )


def _machine() -> Column[Any]:
    # no reference: an act that never ended may name a machine that another process took away
    return Column("machine_id", BigInteger, primary_key=True, autoincrement=False)


machine_history = Table(
    "machine_history",
    metadata,  # what decides a figure of a machine, beside its status
    _machine(),
    Column("valid_from", Date, primary_key=True),
    *_said_by("machine_history"),
    Column("uscc", String(18), nullable=False),
    Column("site_no", String(16), nullable=False),
    Column("equipment_class", String(16), nullable=False),
    Column("key_equipment", Boolean, nullable=False),
    Column("digital", Boolean, nullable=False),
    Column("controller", String(100), nullable=False),
    Column("commissioned_on", Date),
    _dated("machine_history", "machine_id"),
)

status_history = Table(
    "status_history",
    metadata,
    _machine(),
    Column("valid_from", Date, primary_key=True),
    *_said_by("status_history"),
    Column("status", String(16)),  # null: the entry of that day was taken back
    Column("dated", Boolean),  # as in equipment_status; null as the status is
)

enterprise_history = Table(
    "enterprise_history",
    metadata,
    Column("uscc", String(18), primary_key=True),
    Column("valid_from", Date, primary_key=True),
    *_said_by("enterprise_history"),
    Column("county", String(6), nullable=False),
    Column("industry", String(4), nullable=False),
    Column("functional_area", String(16), nullable=False),
    Column("above_scale", Boolean, nullable=False),
    Column("employees", Integer),
    Column("revenue_wan", Float),
    _dated("enterprise_history", "uscc"),
)

roster_history = Table(
    "roster_history",
    metadata,
    Column("roster", String(32), primary_key=True),
    Column("uscc", String(18), primary_key=True),
    Column("valid_from", Date, primary_key=True),
    *_said_by("roster_history"),
    Column("valid_to", Date),  # first day outside; null: still in
    Column("approved_by", String(100)),  # null: the membership was taken back
)

verification_history = Table(
    "verification_history",
    metadata,
    Column("uscc", String(18), primary_key=True),
    Column("verified_on", Date, primary_key=True),
    *_said_by("verification_history"),
    Column("verified_by", String(100)),  # null: it was taken back
)

undated_history = Table(
    "undated_history",
    metadata,  # what acts replaced that decides no figure and has no days: names, models, …
    Column("machine_id", BigInteger, primary_key=True, autoincrement=False),  # 0: an enterprise
    Column("uscc", String(18), primary_key=True),  # empty: a machine
    Column("act_id", BigInteger, primary_key=True, autoincrement=False),
    Column("replaced", Text, nullable=False),  # JSON: by column, what was there and what came
    Index("ix_undated_history_act_id", "act_id"),
    Index("ix_undated_history_uscc", "uscc"),
)

data_agreement = Table(
    "data_agreement",
    metadata,  # which points of an enterprise may be collected; the newest row of a number counts
    Column("id", Key, primary_key=True, autoincrement=True),
    Column("act_id", BigInteger, nullable=False),  # of ledger_act; who said it, and when
    Column("uscc", String(18), nullable=False),
    Column("number", String(64), nullable=False),  # the agreement's id, as it is written on it
    Column("document", String(200), nullable=False),
    Column("purposes", String(200), nullable=False),
    Column("first_day", Date, nullable=False),
    Column("last_day", Date),  # null: until another row of this number ends it
    Column("points", Text, nullable=False),  # patterns profile/tag, parted by blanks
    Column("said_by", String(100), nullable=False),
    Index("ix_data_agreement_uscc", "uscc"),
    sqlite_autoincrement=True,  # the newest id tells whether anything is new
)
