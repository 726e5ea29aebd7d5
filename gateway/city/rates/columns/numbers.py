"""Many numbers from the database at once.

The database hands over the numbers of machines of whom the rest is the same as one text: to make
a Python object of every row would take ten times as long.
"""

from typing import Any

import numpy as np
from sqlalchemy import ColumnElement, Select, Text, cast, func, select

from gateway.city.db.tables import equipment
from gateway.city.rates.attendance import Numbers


def all_of(numbers: ColumnElement[Any]) -> ColumnElement[str]:
    """The numbers of a group as one text; see :func:`numbers_in`."""
    return func.aggregate_strings(cast(numbers, Text), ",")


def numbers_in(text: str | None) -> Numbers:
    """The numbers of a text of :func:`all_of`; None: there are none."""
    return np.fromstring(text or "", np.int64, sep=",")


def narrowed(query: Select[Any], column: ColumnElement[Any], uscc: str | None) -> Select[Any]:
    """The query for machines of the asked enterprise only."""
    if uscc is None:
        return query
    return query.where(column.in_(select(equipment.c.id).where(equipment.c.uscc == uscc)))
