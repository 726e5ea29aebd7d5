"""Watermarks of many gateways, each moved only from where it is said to be."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Connection,
    Text,
    case,
    select,
    true,
    update,
)
from sqlalchemy.sql.dml import UpdateBase

from gateway.city.db.tables import watermark
from gateway.relational.given import Types, given, given_as
from gateway.relational.upsert import insert_for

_NAMES, _POSITION = ("gateway", "epoch"), ("upto", "ranges", "closed")
_SET = (*_POSITION, "seen", "chain", "begun_ms", "known_ms", "updated_ms")
_COUNTS = ("values_committed", "values_quarantined", "values_unagreed")
_TEXTS = (*_NAMES, "ranges")
_COLUMNS = [column.name for column in watermark.c]
_TYPES = {name: Text if name in _TEXTS else BigInteger for name in _COLUMNS}
_BEFORE = {f"{name}_before": _TYPES[name] for name in _POSITION}
NOWHERE = {"upto_before": 0, "ranges_before": "[]", "closed_before": 0}
"""Where a watermark is that the database does not hold yet."""

Row = dict[str, Any]
"""The columns of a watermark with what is to be added to its counts, and ``upto_before``,
``ranges_before`` and ``closed_before``: where it must be."""


def move(connection: Connection, rows: Sequence[Row]) -> int:
    """Move watermarks; returns how many were where their rows say. The others are not touched."""
    new: list[Row] = []
    known: list[Row] = []
    for row in rows:
        (new if row.items() >= NOWHERE.items() else known).append(row)
    return _begun(connection, new) + _moved(connection, known)


def _begun(connection: Connection, rows: Sequence[Row]) -> int:
    if not rows:
        return 0
    # an INSERT from a SELECT needs a WHERE, or SQLite reads ON CONFLICT as a join's condition
    source = select(given(connection, _TYPES)).where(true())
    statement = insert_for(connection, watermark).from_select(_COLUMNS, source)
    return _count(connection, statement.on_conflict_do_nothing(), _TYPES, rows)


def _moved(connection: Connection, rows: Sequence[Row]) -> int:
    if not rows:
        return 0
    types = _TYPES | _BEFORE
    new, old = given(connection, types), watermark.c
    counted = {name: old[name] + new.c[name] for name in _COUNTS}
    statement = (
        update(watermark)
        .where(*(old[name] == new.c[name] for name in _NAMES))
        .where(*(old[name] == new.c[f"{name}_before"] for name in _POSITION))
        .values({name: new.c[name] for name in _SET} | counted)
        .values(
            uncounted_from_ms=_earlier(old.uncounted_from_ms, new.c.uncounted_from_ms),
            uncounted_to_ms=_later(old.uncounted_to_ms, new.c.uncounted_to_ms),
        )
    )
    return _count(connection, statement, types, rows)


def _count(connection: Connection, statement: UpdateBase, types: Types, rows: Sequence[Row]) -> int:
    """How many rows a statement writes of those that it is given."""
    counting = {"preserve_rowcount": True}
    given_rows = given_as(connection, types, rows)
    return connection.execute(statement, given_rows, execution_options=counting).rowcount


# min() and max() of several columns are called otherwise on PostgreSQL, and skip nulls there only
def _earlier(old: ColumnElement[int], new: ColumnElement[int]) -> ColumnElement[int]:
    """The smaller number; null is none."""
    return case((old.is_(None) | (new < old), new), else_=old)


def _later(old: ColumnElement[int], new: ColumnElement[int]) -> ColumnElement[int]:
    """The larger number; null is none."""
    return case((old.is_(None) | (new > old), new), else_=old)
