"""Values of machines as the store holds them, an enterprise and a day at a time."""

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from datetime import date

import numpy as np
from numpy.typing import NDArray

from gateway.city.evidence.auditing.audit import gateways_of
from gateway.city.stores.api import Series, Store
from gateway.core.days import DAY_MS, day_start_ms
from gateway.relational.database import Database

_WINDOWS = 86_400
"""Of a day: of several values of a second the last one is read."""


@dataclass(frozen=True, slots=True)
class TagDay:
    """The values of a tag on a day.

    Attributes:
        series: whose.
        field: the tag, as the store names it.
        day: Asia/Shanghai day.
        values: numbers in order of time, float64[n]; at most one a second.
    """

    series: Series
    field: str
    day: date
    values: NDArray[np.float64]


async def stored_values(
    database: Database, store: Store, uscc: str, days: Sequence[date]
) -> AsyncIterator[TagDay]:
    """The numeric values of an enterprise's machines; switches and texts are left out.

    One tag's day is in memory at a time. The store is asked for 24 hours of each gateway and day,
    and for each tag that has values on it.

    Args:
        database: the city's; only read.
        store: opened; only read.
        uscc: the enterprise.
        days: Asia/Shanghai days.

    Raises:
        StoreError: the store does not answer.
    """
    for gateway in await database.read(gateways_of, uscc):
        for day in days:
            start = day_start_ms(day)
            hours = await store.hours(gateway, start, start + DAY_MS)
            for series in dict.fromkeys(one.series for one in hours):
                for field, newest in sorted((await store.latest(series)).items()):
                    if isinstance(newest.value, bool | str):
                        continue
                    points = await store.history(series, field, start, start + DAY_MS, _WINDOWS)
                    values = np.array([float(one.value) for one in points], np.float64)
                    yield TagDay(series, field, day, values)
