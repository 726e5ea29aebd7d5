"""Declared values in the database: append-only, the newest one that was known counts."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass

from sqlalchemy import Connection, func, insert, select

from gateway.city.db.schema.declared import declared_value
from gateway.city.db.tables import enterprise
from gateway.city.rates.declared.sheet import Declaration


@dataclass(frozen=True, slots=True)
class Declared:
    """A declared value as it is known.

    Attributes:
        value: what was declared.
        known_ms: since when it is known, UTC milliseconds.
        entered_by: who wrote it down.
        earlier: how many other values were declared before, of the same month.
    """

    value: Declaration
    known_ms: int
    entered_by: str
    earlier: int


def write(
    connection: Connection, values: Sequence[Declaration], now_ms: int, entered_by: str
) -> int:
    """Add values, known from now on; returns how many."""
    rows = [asdict(one) | {"known_ms": now_ms, "entered_by": entered_by} for one in values]
    if rows:
        connection.execute(insert(declared_value), rows)
    return len(rows)


def declared(
    connection: Connection, month: str, uscc: str | None = None, known_ms: int | None = None
) -> Mapping[str, Declared]:
    """The declared values of a month by USCC.

    Args:
        connection: the city's database.
        month: ``YYYY-MM``.
        uscc: of one enterprise; None: of all.
        known_ms: as they were known then, UTC milliseconds; None: now.
    """
    columns = declared_value.c
    held = [columns.month == month]
    if uscc is not None:
        held.append(columns.uscc == uscc)
    if known_ms is not None:
        held.append(columns.known_ms <= known_ms)
    newest = select(func.max(columns.id).label("id"), func.count().label("number"))
    last = newest.where(*held).group_by(columns.uscc).subquery()
    query = select(declared_value, last.c.number).join(last, last.c.id == columns.id)
    return {
        row.uscc: Declared(
            Declaration(
                row.uscc, row.month, row.networked, row.equipment, row.declared_by, row.source
            ),
            row.known_ms,
            row.entered_by,
            row.number - 1,
        )
        for row in connection.execute(query.order_by(columns.uscc))
    }


def known_enterprises(connection: Connection) -> frozenset[str]:
    """USCCs of the ledger."""
    return frozenset(connection.scalars(select(enterprise.c.uscc)))
