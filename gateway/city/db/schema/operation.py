"""Tables of one row: when this city began, and which raw days a transaction may change."""

from sqlalchemy import Column, Date, Integer, Table

from gateway.city.db.tables import metadata

operation = Table(
    "operation",
    metadata,  # one row: when this city began; written once
    Column("id", Integer, primary_key=True, autoincrement=False),  # always 1
    Column("began_on", Date, nullable=False),
)

raw_days_open = Table(
    "raw_days_open",
    metadata,  # of a transaction that runs, so that nobody else ever sees it; of SQLite: closed.py
    Column("id", Integer, primary_key=True, autoincrement=False),  # always 1
    Column("since", Date, nullable=False),  # rows dated from this day on
)
