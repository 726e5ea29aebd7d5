"""Raw days of evidence stand in a table a month: made for its first row, dropped as a whole.

To PostgreSQL they are partitions of ``evidence``. SQLite has none: there ``evidence`` is a view
of all months. Who asks for some machines may ask it; who joins it, or goes through all machines,
names the days with :func:`between`, or SQLite would look at every month that there is; a test
(``tests/docs/test_whole_evidence.py``) names those who may.
"""

# ruff: noqa: S608 - every name in a statement is made here, of a number

from collections.abc import Iterable
from datetime import date
from functools import cache

from sqlalchemy import Connection, FromClause, MetaData, Table, select, text, union_all
from sqlalchemy.schema import CreateTable

from gateway.city.db import closed
from gateway.city.db.schema.months import month_number
from gateway.city.db.tables import evidence, machine
from gateway.relational.database import alone

_NAME = f"{evidence.name}_"
_HELD = {
    "sqlite": (
        f"SELECT name FROM sqlite_master WHERE type = 'table' AND name GLOB '{_NAME}{'[0-9]' * 6}'"
    ),
    "postgresql": (
        "SELECT relname FROM pg_class JOIN pg_inherits ON inhrelid = pg_class.oid "
        f"WHERE inhparent = '{evidence.name}'::regclass"
    ),
}


def name_of(month: int) -> str:
    """The table of a month, ``YYYYMM``."""
    return f"{_NAME}{month}"


def held(connection: Connection) -> list[int]:
    """The months that have a table, ``YYYYMM``, in order."""
    names = connection.scalars(text(_HELD[connection.dialect.name]))
    return sorted(int(name.removeprefix(_NAME)) for name in names)


def ensure(connection: Connection, days: Iterable[date]) -> None:
    """Make the tables of the months of days that have none yet; a second caller waits.

    Args:
        connection: in a transaction. Others go on writing meanwhile.
        days: that are to be written; see to it that none is far ahead of the clock.
    """
    wanted = {month_number(day) for day in days}
    if not wanted - set(held(connection)):
        return
    alone(connection, "months")
    for month in sorted(wanted - set(held(connection))):
        _make(connection, month)
    _see_all(connection)


def drop(connection: Connection, month: int) -> None:
    """Drop the raw days of a month, all at once."""
    alone(connection, "months")
    name = name_of(month)
    if connection.dialect.name == "sqlite":
        connection.execute(text(f"DROP VIEW {evidence.name}"))
    connection.execute(text(f"DROP TABLE {name}"))
    _see_all(connection)


def written(connection: Connection, month: int) -> Table:
    """The table to write raw days of a month to; it must be there."""
    return _of(month) if connection.dialect.name == "sqlite" else evidence


def tables(connection: Connection, first: date = date.min, last: date = date.max) -> list[Table]:
    """The tables that hold days from the first to the last, and others beside; maybe none.

    Each alone is as quick as a table can be, joined and grouped too.
    """
    if connection.dialect.name != "sqlite":
        return [evidence]  # which prunes its partitions itself
    span = month_number(first), month_number(last)
    return [_of(one) for one in held(connection) if span[0] <= one <= span[1]]


def parts(connection: Connection, first: date = date.min, last: date = date.max) -> list[Table]:
    """What to read for days from the first to the last: :func:`tables`, or what holds none."""
    return tables(connection, first, last) or [evidence]


def between(connection: Connection, first: date, last: date) -> FromClause:
    """The months of days as one table with the columns of ``evidence``; it may hold other days."""
    found = parts(connection, first, last)
    return union_all(*map(select, found)).subquery("days") if len(found) > 1 else found[0]


def subject(table: Table) -> str:
    """What people call a table: a month of raw days is ``evidence``."""
    is_month = table.name.removeprefix(_NAME).isdigit()
    return evidence.name if is_month else table.name


@cache
def _of(month: int) -> Table:
    own = MetaData()
    machine.to_metadata(own)
    return evidence.to_metadata(own, name=name_of(month))


def _make(connection: Connection, month: int) -> None:
    if connection.dialect.name == "sqlite":
        connection.execute(CreateTable(_of(month)))
        closed.guard(connection, name_of(month))
        return
    name, first = name_of(month), date(month // 100, month % 100, 1)
    after = date(first.year + first.month // 12, first.month % 12 + 1, 1)
    # To make a partition at once would stop everybody who reads or writes; to attach one does not.
    connection.execute(text(f"CREATE TABLE {name} (LIKE {evidence.name} INCLUDING ALL)"))
    connection.execute(
        text(
            f"ALTER TABLE {evidence.name} ATTACH PARTITION {name} "
            f"FOR VALUES FROM ('{first}') TO ('{after}')"
        )
    )


def _see_all(connection: Connection) -> None:
    """Let the view of SQLite hold the months that there are."""
    if connection.dialect.name != "sqlite":
        return
    columns = [column.name for column in evidence.c]
    nothing = ", ".join(f"NULL AS {name}" for name in columns)
    months = [f"SELECT {', '.join(columns)} FROM {name_of(one)}" for one in held(connection)]
    seen = " UNION ALL ".join(months or [f"SELECT {nothing} WHERE 0"])
    connection.execute(text(f"DROP VIEW IF EXISTS {evidence.name}"))
    connection.execute(text(f"CREATE VIEW {evidence.name} AS {seen}"))
