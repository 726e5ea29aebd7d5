"""Many numbers from the database at once.

The database hands over the numbers of machines of whom the rest is the same as one text: to make
a Python object of every row would take ten times as long.
"""

from collections.abc import Iterable
from datetime import date
from typing import Any

import numpy as np
from sqlalchemy import BigInteger, ColumnElement, Select, Text, cast, func, literal, select

from gateway.city.db.tables import equipment
from gateway.city.rates.attendance import Numbers

_1970 = date(1970, 1, 1).toordinal()
_MARKED = 1 << 24
"""Numbers below that are told from each other by marks in an array; larger ones are sorted."""


def all_of(numbers: ColumnElement[Any]) -> ColumnElement[str]:
    """The numbers of a group as one text; see :func:`numbers_in`."""
    return func.aggregate_strings(cast(numbers, Text), ",")


def written(day: ColumnElement[Any]) -> ColumnElement[int]:
    """A day as the number YYYYMMDD, 0 where there is none; see :func:`ordinals`."""
    digits = func.replace(cast(day, Text), "-", "")
    return func.coalesce(cast(digits, BigInteger), literal(0))


def ordinals(days: Numbers) -> Numbers:
    """The ordinals of days that :func:`written` tells; 0 where there is none."""
    months = (days // 10_000 - 1970) * 12 + days // 100 % 100 - 1
    since_1970 = months.astype("M8[M]").astype("M8[D]").astype(np.int64) + days % 100 - 1
    return np.where(days > 0, since_1970 + _1970, 0)


def joined(texts: Iterable[str]) -> Numbers:
    """The numbers of several texts of :func:`all_of`, one behind another."""
    return numbers_in(",".join(texts))


def numbers_in(text: str | None) -> Numbers:
    """The numbers of a text of :func:`all_of`; None: there are none."""
    return np.fromstring(text or "", np.int64, sep=",")


def first_of_each(numbers: Numbers) -> tuple[Numbers, Numbers]:
    """Where each of the numbers that there are is first, in their order; which one each place has.

    Args:
        numbers: none below 0.
    """
    most = int(numbers.max(initial=0))
    if most >= _MARKED:
        _, places, which = np.unique(numbers, return_index=True, return_inverse=True)
        return places, which
    there = np.zeros(most + 1, np.bool_)
    there[numbers] = True
    which = (np.cumsum(there) - 1)[numbers]
    places = np.zeros(np.count_nonzero(there), np.int64)
    places[which[::-1]] = np.arange(len(numbers))[::-1]  # of several the one written last stays
    return places, which


def narrowed(query: Select[Any], column: ColumnElement[Any], uscc: str | None) -> Select[Any]:
    """The query for machines of the asked enterprise only."""
    if uscc is None:
        return query
    return query.where(column.in_(select(equipment.c.id).where(equipment.c.uscc == uscc)))
