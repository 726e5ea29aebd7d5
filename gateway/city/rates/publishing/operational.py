"""Tables for readers of rows, asked for at once. Every function takes a SQLAlchemy connection."""

from collections.abc import Set as AbstractSet
from typing import Any

from sqlalchemy import Connection

from gateway.city.ledger.names import MachineName
from gateway.city.rates.cells.dimensions import Dimension
from gateway.city.rates.publishing.publish import WHOLE, publish
from gateway.city.rates.reports.months import Definitions, rate_month, stored_month
from gateway.city.rates.reports.table import PublishedMonth, RateTable


def rate_table(
    connection: Connection,
    definition_id: str,
    month: str | None,
    by: Dimension,
    now_ms: int,
    *,
    demonstration: bool,
    answering: AbstractSet[MachineName] = frozenset(),
    definitions: Definitions | None = None,
    as_known: int | None = None,
) -> RateTable:
    """A rate of one month by a dimension, for who sees all rows.

    Arguments and errors as of :func:`~gateway.city.rates.reports.months.rate_month`.
    """
    month_of_all = rate_month(
        connection,
        definition_id,
        month,
        now_ms,
        demonstration=demonstration,
        answering=answering,
        definitions=definitions,
        as_known=as_known,
        dimensions=(by, "area") if by == "county" else (by,),
    )
    return publish(month_of_all, WHOLE).table(by)


def vintage_month(
    connection: Connection, /, definition_id: str, month: str, vintage: int, now_ms: int, **how: Any
) -> PublishedMonth | None:
    """A month as a vintage of it was stored, for who sees all rows; None: there is no such one.

    Arguments and errors as of :func:`~gateway.city.rates.reports.months.stored_month`.
    """
    found = stored_month(connection, definition_id, month, vintage, now_ms, **how)
    return None if found is None else publish(found, WHOLE)
