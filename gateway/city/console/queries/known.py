"""Rates of which something is known.

Where the city has received nothing in a whole month it did not run, or nobody was connected to it
yet. Every machine is without evidence then, and the formula says 0 %; but nobody knows the rate.
"""

from collections.abc import Iterable
from dataclasses import replace
from datetime import timedelta

from sqlalchemy import Connection, select

from gateway.city.db.tables import evidence
from gateway.city.rates.compute import CITY, Cell
from gateway.city.rates.model import Definition
from gateway.city.rates.period import first_day, next_month
from gateway.city.rates.reports.table import RateMonth
from gateway.city.rates.reports.trend import TrendPoint


def known_month(connection: Connection, month: RateMonth) -> RateMonth:
    """A month whose cells have no rates if the city has received nothing in it."""
    networked = month.cells[CITY][CITY].networked
    if networked or has_data(connection, month.definition, month.month, month.demonstration):
        return month
    cells = {
        by: {key: _without_rate(part) for key, part in parts.items()}
        for by, parts in month.cells.items()
    }
    return replace(month, cells=cells)


def known_points(
    connection: Connection,
    points: Iterable[TrendPoint],
    definition: Definition,
    *,
    demonstration: bool,
) -> tuple[TrendPoint, ...]:
    """Points of a trend, without the rates of months in which the city has received nothing."""
    return tuple(
        point
        if point.city.networked or has_data(connection, definition, point.month, demonstration)
        else replace(point, rate=None)
        for point in points
    )


def has_data(
    connection: Connection, definition: Definition, month: str, demonstration: bool
) -> bool:
    """Whether any machine has evidence that a month's rate looks at.

    Args:
        connection: the city's database.
        definition: of the rate; only one of networked machines looks at evidence.
        month: ``YYYY-MM``.
        demonstration: synthetic evidence counts too.
    """
    if definition.measure != "networked":
        return True
    first = first_day(month)
    day = evidence.c.day
    found = select(day).where(
        day >= first - timedelta(days=definition.window_days or 0), day < next_month(first)
    )
    if not demonstration:
        found = found.where(evidence.c.synthetic.is_(False))
    return connection.execute(found.limit(1)).first() is not None


def _without_rate(cell: Cell) -> Cell:
    return replace(cell, pooled=None, mean=None)
