"""A raw day that is over stays as it was: the database itself refuses to change it.

Triggers on ``evidence`` let through what the transaction has said before that it may change, by
:func:`opened`; who has said nothing, as a hand at the database's prompt, changes nothing.
"""

# ruff: noqa: S608 - every name in a statement is made here, of a number

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date

from sqlalchemy import Connection, delete, insert, text

from gateway.city.db.schema.operation import raw_days_open
from gateway.relational.database import words

_SETTING = "qulink.raw_days_since"
_REFUSED = "raw days of evidence are append-only: a day that is over is not changed"
_ROWS = {"insert": "NEW", "update": "OLD", "delete": "OLD"}


@contextmanager
def opened(connection: Connection, since: date = date.min) -> Iterator[None]:
    """Let this transaction, and no other, change raw days; one within another is not foreseen.

    If it fails within, the transaction is to be rolled back, which closes them too.

    Args:
        connection: in a transaction.
        since: rows that are dated – day and ``late_days`` – before it are refused none the less.
    """
    _say(connection, since)
    yield
    _say(connection, None)


def _say(connection: Connection, since: date | None) -> None:
    if connection.dialect.name != "sqlite":
        said = "" if since is None else since.isoformat()
        connection.execute(text(f"SELECT set_config('{_SETTING}', :said, true)"), {"said": said})
    elif since is None:
        connection.execute(delete(raw_days_open))
    else:
        connection.execute(insert(raw_days_open).values(id=1, since=since))


def refused(error: Exception) -> bool:
    """Whether an error is that refusal: a defect of who writes, and no fault of a row."""
    return _REFUSED in words(error)


def guard(connection: Connection, name: str) -> None:
    """Give a month's table of SQLite its triggers; a partition has those of ``evidence``."""
    for what, row in _ROWS.items():
        day = f"{row}.day"
        dated = f"julianday({day}) + {row}.late_days >= julianday(since)"
        # Dates as they are written compare as texts; only of late rows is one to be reckoned.
        allowed = f"SELECT 1 FROM {raw_days_open.name} WHERE {day} >= since OR {dated}"
        connection.exec_driver_sql(
            f"CREATE TRIGGER {name}_{what} AFTER {what.upper()} ON {name} "
            f"WHEN NOT EXISTS ({allowed}) BEGIN SELECT RAISE(ABORT, '{_REFUSED}'); END"
        )
