"""Where a line of months is no longer of one thing: the definition or the roster changed."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from itertools import pairwise
from typing import Any

from sqlalchemy import ColumnElement, Connection, select

from gateway.city.access.principal import Scope
from gateway.city.access.scoping import owned
from gateway.city.db.tables import roster_member
from gateway.city.rates.model import Definition
from gateway.city.rates.period import first_day, month_of
from gateway.city.rates.reports.trend import TrendPoint


@dataclass(frozen=True, slots=True)
class Break:
    """What is different from a month on.

    Attributes:
        month: the first that is of another definition or roster.
        is_redefined: it was counted by another version of the definition.
        entered: enterprises that came onto the roster.
        left: enterprises that went.
    """

    month: str
    is_redefined: bool
    entered: int
    left: int


def breaks(
    points: Sequence[TrendPoint], roster: Mapping[str, tuple[int, int]]
) -> tuple[Break, ...]:
    """The breaks between the months of a trend. Pure.

    Args:
        points: in order of their months.
        roster: enterprises that entered and left, by month.
    """
    found = []
    for before, now in pairwise(points):
        hashes = (before.definition_hash, now.definition_hash)
        one = Break(now.month, hashes[0] != hashes[1], *roster.get(now.month, (0, 0)))
        if one.is_redefined or one.entered or one.left:
            found.append(one)
    return tuple(found)


def roster_changes(
    connection: Connection, definition: Definition, scope: Scope, months: Sequence[str]
) -> dict[str, tuple[int, int]]:
    """How many enterprises entered and left a definition's roster, by month; none without one."""
    if definition.scope.kind != "roster" or not months:
        return {}
    columns, since = roster_member.c, first_day(months[0])
    own = (columns.roster == definition.scope.id, owned(columns.uscc, scope))

    def counts(day: ColumnElement[Any]) -> Counter[str]:
        days: Sequence[date] = connection.scalars(select(day).where(*own, day >= since)).all()
        return Counter(map(month_of, days))

    entered, left = counts(columns.valid_from), counts(columns.valid_to)
    return {month: (entered[month], left[month]) for month in months}
