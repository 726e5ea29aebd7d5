"""Months of evidence, a row for all days of one: what rates read.

Evidence keeps a row a day, with its hours and times. A month of a million machines would be
31 million rows to look at; here they are one million.
"""

from datetime import date

from sqlalchemy import BigInteger, Boolean, Column, ForeignKey, Integer, String, Table

from gateway.city.db.tables import metadata

evidence_month = Table(
    "evidence_month",
    metadata,  # what the days of evidence say, written with them; bit d - 1 of a mask is day d
    Column("month", Integer, primary_key=True, autoincrement=False),  # YYYYMM
    Column("machine_id", ForeignKey("machine.id"), primary_key=True),
    Column("source", String(16), primary_key=True),  # controller, sensor
    Column("synthetic", Boolean, primary_key=True),
    Column("good_days", Integer, nullable=False),  # with hours of GOOD values
    Column("uncertain_days", Integer, nullable=False),  # with hours of UNCERTAIN ones
    Column("days", Integer, nullable=False),  # with a row of evidence, be it without any hours
    sqlite_with_rowid=False,
)

raw_days_size = Table(
    "raw_days_size",
    metadata,  # what raw days of a month took when they were counted, see sizes.py
    Column("month", Integer, primary_key=True, autoincrement=False),  # YYYYMM
    Column("row_count", BigInteger, nullable=False),
    Column("late_count", BigInteger, nullable=False),
    Column("size_bytes", BigInteger),  # null: this database cannot tell
    Column("counted_ms", BigInteger, nullable=False),
)


def month_number(day: date) -> int:
    """The month of a day as :data:`evidence_month` has it."""
    return day.year * 100 + day.month
