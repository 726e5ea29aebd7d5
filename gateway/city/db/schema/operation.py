"""The table of when this city began."""

from sqlalchemy import Column, Date, Integer, Table

from gateway.city.db.tables import metadata

operation = Table(
    "operation",
    metadata,  # one row: when this city began; written once
    Column("id", Integer, primary_key=True, autoincrement=False),  # always 1
    Column("began_on", Date, nullable=False),
)
