"""What raw days take: rows and bytes, month by month."""

from typing import NamedTuple

from sqlalchemy import Connection, text
from sqlalchemy.exc import OperationalError

from gateway.city.db import monthly

_BYTES = {
    "sqlite": "SELECT pgsize FROM dbstat WHERE name = :name AND aggregate = TRUE",
    "postgresql": "SELECT pg_total_relation_size(CAST(:name AS regclass))",
}


class MonthSize(NamedTuple):
    """The raw days of a month.

    Attributes:
        month: ``YYYYMM``.
        rows: how many there are.
        late: how many of them came late.
        size: bytes on disk, with what finds them; None: this SQLite cannot tell.
    """

    month: int
    rows: int
    late: int
    size: int | None


def month_sizes(connection: Connection) -> list[MonthSize]:
    """Every month, counted; a month of a million machines takes seconds."""
    return [_size(connection, month) for month in monthly.held(connection)]


def _size(connection: Connection, month: int) -> MonthSize:
    name = monthly.name_of(month)
    counted = text(f"SELECT count(*), count(NULLIF(late_days, 0)) FROM {name}")  # noqa: S608 - made of a number
    rows, late = connection.execute(counted).one()
    return MonthSize(month, int(rows), int(late), _bytes(connection, name))


def _bytes(connection: Connection, name: str) -> int | None:
    asked = text(_BYTES[connection.dialect.name])
    try:
        found = connection.scalar(asked, {"name": name})
    except OperationalError:  # built without dbstat
        return None
    return None if found is None else int(found)
