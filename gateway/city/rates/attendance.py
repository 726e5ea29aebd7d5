"""Days in service, and what data came on them, for all machines of a ledger at once. Pure.

Every array runs along the machines, in the order of the ledger's columns.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Flags = NDArray[np.bool_]
Numbers = NDArray[np.int64]
Codes = NDArray[np.uint8]
"""Statuses as codes; :data:`NO_STATUS` before the first entry."""

NO_STATUS = 0


@dataclass(frozen=True, slots=True)
class Window:
    """The days evidence is counted on.

    Attributes:
        first: first day.
        as_of: last day (inclusive).
        today_runs: the last day is not over; it counts only once it has evidence.
    """

    first: date
    as_of: date
    today_runs: bool

    def days(self) -> Iterator[date]:
        """Every day of the window."""
        for offset in range((self.as_of - self.first).days + 1):
            yield self.first + timedelta(days=offset)


class DayData(NamedTuple):
    """What data of one day came, a flag for each machine.

    Attributes:
        seen: valid ones of any source.
        valid: valid ones at the level asked for.
        doubtful: some that are not valid.
    """

    seen: Flags
    valid: Flags
    doubtful: Flags


class StatusHistory:
    """The dated statuses of machines, told day by day.

    Args:
        machines: how many there are.
        places: place of the machine of each entry.
        days: ordinal of the day from which each entry holds.
        codes: its status.
    """

    def __init__(self, machines: int, places: Numbers, days: Numbers, codes: Codes) -> None:
        order = np.argsort(days, kind="stable")
        self._places, self._days, self._codes = places[order], days[order], codes[order]
        self._now: Codes = np.full(machines, NO_STATUS, np.uint8)
        self._begun = 0

    def on(self, day: date) -> Codes:
        """The statuses on a day; days are asked for in order, and the next one changes these."""
        upto = int(np.searchsorted(self._days, day.toordinal(), "right"))
        new = slice(self._begun, upto)
        # Of several entries of a machine the last one in order of days is left.
        self._now[self._places[new]] = self._codes[new]
        self._begun = upto
        return self._now


class Attendance:
    """What the in-service days of a window brought; only they count.

    Today is one of them only once it has brought evidence.

    Attributes:
        window: the days.
        status: on the last day.
        service: in-service days.
        silent: those after the last valid one; all, if there was none.
        valid: those with valid data at the level asked for.
        last: ordinal of the last of these; 0: there is none.
        seen: there are valid data of any source on one of them.
        doubtful: there are data on one of them that are not valid.
    """

    def __init__(self, machines: int, window: Window) -> None:
        self.window = window
        self.status: Codes = np.full(machines, NO_STATUS, np.uint8)
        self.service, self.silent, self.valid = (np.zeros(machines, np.int16) for _ in range(3))
        self.last = np.zeros(machines, np.int32)
        self.seen, self.doubtful = (np.zeros(machines, np.bool_) for _ in range(2))

    def add(self, day: date, serving: Flags, data: DayData) -> None:
        """Add the next day of the window; its days are added in order.

        Args:
            day: of the window.
            serving: machines that are in service on it.
            data: what came of all machines.
        """
        self.seen |= serving & data.seen
        self.doubtful |= serving & data.doubtful
        valid = serving & data.valid
        # After ``seen``: what came today shows a connection, though the day does not count yet.
        if day == self.window.as_of and self.window.today_runs:
            serving = valid
        self.service += serving
        self.silent += serving
        self.valid += valid
        self.silent[valid] = 0
        self.last[valid] = day.toordinal()
