"""Tables of planned stops and shift schedules.

Append-only: one counts since its act, until it is withdrawn.
"""

from sqlalchemy import BigInteger, Column, Date, Index, String, Table

from gateway.city.db.tables import Key, metadata

planned_stop = Table(
    "planned_stop",
    metadata,
    Column("id", Key, primary_key=True, autoincrement=True),
    Column("act_id", BigInteger, nullable=False),  # of ledger_act; who said it, and when
    Column("uscc", String(18), nullable=False),
    Column("site_no", String(16), nullable=False),  # these four as written; empty: all of them
    Column("workshop", String(100), nullable=False),
    Column("line", String(100), nullable=False),
    Column("asset_no", String(64), nullable=False),
    Column("first_day", Date, nullable=False),
    Column("last_day", Date),  # null: until it is withdrawn
    Column("reason", String(16), nullable=False),  # key of ledger/stops/table.py REASONS
    Column("document", String(200), nullable=False),
    Column("said_by", String(100), nullable=False),
    Index("ix_planned_stop_uscc", "uscc"),
    sqlite_autoincrement=True,  # an id that is given again would take on old machines
)

planned_stop_machine = Table(
    "planned_stop_machine",
    metadata,  # the machines that stood where the stop says, when it was said
    Column("stop_id", BigInteger, primary_key=True, autoincrement=False),
    Column("machine_id", BigInteger, primary_key=True, autoincrement=False),
    Index("ix_planned_stop_machine_machine_id", "machine_id"),
)

planned_stop_end = Table(
    "planned_stop_end",
    metadata,  # stops that were withdrawn
    Column("stop_id", BigInteger, primary_key=True, autoincrement=False),
    Column("act_id", BigInteger, primary_key=True, autoincrement=False),
)

shift_schedule = Table(
    "shift_schedule",
    metadata,  # on which days the machines of an enterprise or site are meant to work
    Column("id", Key, primary_key=True, autoincrement=True),
    Column("act_id", BigInteger, nullable=False),  # of ledger_act; who said it, and when
    Column("uscc", String(18), nullable=False),
    Column("site_no", String(16), nullable=False),  # empty: all
    Column("first_day", Date, nullable=False),
    Column("last_day", Date),  # null: until the next one, or until it is withdrawn
    Column("weeks", String(31), nullable=False),  # 1111110/1111100, from Monday; 1: work
    Column("on_holidays", String(8), nullable=False),  # key of ledger/schedules/table.py HOLIDAYS
    Column("reason", String(100), nullable=False),
    Column("document", String(200), nullable=False),
    Column("said_by", String(100), nullable=False),
    Index("ix_shift_schedule_uscc", "uscc"),
    sqlite_autoincrement=True,  # numbers are the order in which they were said
)

shift_schedule_end = Table(
    "shift_schedule_end",
    metadata,  # schedules that were withdrawn
    Column("schedule_id", BigInteger, primary_key=True, autoincrement=False),
    Column("act_id", BigInteger, primary_key=True, autoincrement=False),
)
