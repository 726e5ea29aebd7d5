"""Which frozen months a change of the ledger would move, if they were published anew."""

from datetime import date
from typing import NamedTuple

from sqlalchemy import Connection, func, select

from gateway.city.db.schema.rates import rate_result
from gateway.city.rates.period import month_of


class FrozenMonth(NamedTuple):
    """A month of which a result is stored; it changes by a correction only.

    Attributes:
        month: ``YYYY-MM``.
        is_final: one of its results is final.
    """

    month: str
    is_final: bool


def frozen_from(connection: Connection, day: date, *, demonstration: bool) -> list[FrozenMonth]:
    """The frozen months in which a day lies or that come after it, oldest first."""
    columns = rate_result.c
    query = (
        select(columns.month, func.min(columns.status))  # F comes before P
        .where(columns.month >= month_of(day), columns.synthetic.is_(demonstration))
        .group_by(columns.month)
        .order_by(columns.month)
    )
    return [FrozenMonth(month, status == "F") for month, status in connection.execute(query)]
