"""What the city needs of a time-series store, and nothing else.

::

    StoreError
    ├── StoreUnavailableError   try again later: time-out, 429, 5xx; nothing is lost
    └── StoreMisconfiguredError a person must act: 401, 403, 404; ingest waits and alarms
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Protocol

import numpy as np
import numpy.typing as npt

from gateway.core.batch import Status
from gateway.core.schema import Column
from gateway.core.status import GOOD

Value = float | int | bool | str


class StoreError(Exception):
    """Base of what a store raises."""


class StoreUnavailableError(StoreError):
    """The store does not answer or is overloaded; ``retry_after_s`` is its own wish, if any."""

    def __init__(self, message: str, retry_after_s: float | None = None) -> None:
        super().__init__(message)
        self.retry_after_s = retry_after_s


class StoreMisconfiguredError(StoreError):
    """Credentials, bucket or database are wrong; retrying alone will not help."""


@dataclass(frozen=True, slots=True)
class Series:
    """The tags of a line: one machine behind one device.

    Attributes:
        measurement: machine profile.
        enterprise: USCC.
        site: site number.
        gateway: gateway id.
        device: device id.
        equipment: ledger asset number.
    """

    measurement: str
    enterprise: str
    site: str
    gateway: str
    device: str
    equipment: str


TAGS = ("device", "enterprise", "equipment", "gateway", "site")
"""The attributes of a series beside its measurement, in the order of a line's tags."""


@dataclass(frozen=True, slots=True)
class Rows:
    """Values of one series that share field names: times × fields, with holes.

    Attributes:
        series: tags of the lines.
        fields: field names, one a column entry.
        time_ms: int64[t], UTC milliseconds.
        columns: for every kind run of the fields one array [t, len(run)].
        present: bool[t, len(fields)]; a line without any value is not written.
        status: uint8[t, len(fields)], one status byte a value, 0 where none is present; None: all
            values are GOOD.
    """

    series: Series
    fields: tuple[str, ...]
    time_ms: npt.NDArray[np.int64]
    columns: tuple[Column, ...]
    present: npt.NDArray[np.bool_]
    status: Status | None = None


@dataclass(frozen=True, slots=True)
class Rejection:
    """Values that the store refused for good; they go to quarantine."""

    series: Series
    time_ms: int
    values: int
    reason: str
    line: str


@dataclass(frozen=True, slots=True)
class Point:
    """One value at one time, with its status byte."""

    time_ms: int
    value: Value
    status: int = GOOD


@dataclass(frozen=True, slots=True)
class SeriesHours:
    """How many values of a series lie in one hour, by quality; at least one.

    Attributes:
        series: whose values.
        hour_ms: beginning of the hour, UTC milliseconds; a multiple of 3,600,000.
        good: values that are GOOD.
        uncertain: values that are UNCERTAIN, fresh and not in clock doubt.
        replayed: values that are not fresh (:func:`gateway.core.status.is_replay`).
        doubted: values in clock doubt.
        first_ms: time of the first of all these values.
        last_ms: time of the last.
    """

    series: Series
    hour_ms: int
    good: int
    uncertain: int
    replayed: int
    doubted: int
    first_ms: int
    last_ms: int


class Store(Protocol):
    """A time-series store. Writing the same series and time again changes nothing.

    The status bytes of values that are not GOOD are kept beside them, and are no values: they are
    neither counted nor listed. Of two values at one time the later written one holds, and its
    status.
    """

    async def open(self) -> None:
        """Prepare: create files, check that the database or bucket answers."""

    async def write(self, rows: Sequence[Rows]) -> Sequence[Rejection]:
        """Write and commit. When it returns, all values but the rejected ones are durable.

        Raises:
            StoreUnavailableError: nothing is promised; write the same rows again later.
            StoreMisconfiguredError: a person must act first.
        """

    async def count(self, gateways: Sequence[str], from_ms: int, to_ms: int) -> int:
        """How many non-null field values the store holds with ``from_ms <= time < to_ms``."""

    async def latest(self, series: Series) -> dict[str, Point]:
        """The newest value of every field of a series."""

    async def history(
        self, series: Series, field: str, from_ms: int, to_ms: int, limit: int
    ) -> Sequence[Point]:
        """Values of one numeric field in time order, thinned to at most ``limit`` points."""

    async def hours(self, gateway: str, from_ms: int, to_ms: int) -> Sequence[SeriesHours]:
        """Numbers of values of every series of a gateway, hour by hour, with their quality.

        Every hour is a query of its own, so that neither server nor city holds more than that;
        ask for days, not for years. Hours without values are left out, in which the query costs
        little; of a store that is written to meanwhile each hour is counted as it stands then.

        Args:
            gateway: gateway id.
            from_ms: values with ``from_ms <= time < to_ms`` count, UTC milliseconds.
            to_ms: see ``from_ms``.
        """

    async def held(self, enterprise: str) -> dict[str, int]:
        """How many values of an enterprise (USCC) the store holds, by measurement; none: empty."""

    async def erase(self, enterprise: str) -> None:
        """Delete all values of an enterprise (USCC), of all times, and their series.

        Raises:
            StoreError: some may be left; do it again.
        """

    async def kept(self) -> timedelta | None:
        """How long the store keeps values by a setting of its own; None: it deletes none.

        Raises:
            StoreMisconfiguredError: it does not tell, for example as a right is missing.
            StoreError: it does not answer.
        """

    async def close(self) -> None:
        """Release everything."""
