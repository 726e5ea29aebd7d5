"""What raw days take: rows and bytes, month by month; for pages as they were counted last.

To count a month looks at all of it, so that no page does: the hourly tidying counts a few.
"""

from collections.abc import Iterable
from typing import NamedTuple

from sqlalchemy import Connection, delete, select, text
from sqlalchemy.exc import OperationalError

from gateway.city.db import monthly
from gateway.city.db.schema.months import raw_days_size
from gateway.core.days import DAY_MS
from gateway.relational.upsert import insert_for

_A_PASS = 2
"""So many months are counted in an hour, which is all of four years in a day."""

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


class CountedSize(NamedTuple):
    """The raw days of a month as they were counted last.

    Attributes:
        month: ``YYYYMM``.
        size: None: it was not counted yet.
        counted_ms: when, UTC milliseconds.
    """

    month: int
    size: MonthSize | None
    counted_ms: int | None


def counted_sizes(connection: Connection) -> list[CountedSize]:
    """Every month that there is, the newest first, with what was counted of it."""
    rows = connection.execute(select(raw_days_size)).all()
    known = {row.month: CountedSize(row.month, MonthSize(*row[:4]), row.counted_ms) for row in rows}
    return [
        known.get(one, CountedSize(one, None, None)) for one in reversed(monthly.held(connection))
    ]


def count_due(connection: Connection, now_ms: int) -> list[MonthSize]:
    """Count the months of which it was done longest ago, a day at least; those never counted first.

    Args:
        connection: the city's database; reads only.
        now_ms: UTC milliseconds.
    """
    due = [
        (one.counted_ms or 0, -one.month)
        for one in counted_sizes(connection)
        if one.counted_ms is None or not now_ms - DAY_MS < one.counted_ms <= now_ms
    ]
    return [_size(connection, -month) for _, month in sorted(due)[:_A_PASS]]


def keep(connection: Connection, sizes: Iterable[MonthSize], now_ms: int) -> None:
    """Keep what was counted now, UTC milliseconds; months that are gone go."""
    gone = raw_days_size.c.month.not_in(monthly.held(connection))
    connection.execute(delete(raw_days_size).where(gone))
    statement = insert_for(connection, raw_days_size)
    new = {name: statement.excluded[name] for name in raw_days_size.c.keys()[1:]}
    rows = [dict(zip(raw_days_size.c.keys(), (*one, now_ms), strict=True)) for one in sizes]
    if rows:
        key = list(raw_days_size.primary_key)
        connection.execute(statement.on_conflict_do_update(index_elements=key, set_=new), rows)


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
