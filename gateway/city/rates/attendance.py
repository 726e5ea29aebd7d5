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
"""Statuses as codes; 0 before the first entry."""


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


class Service(NamedTuple):
    """Which machines a day is one in service of.

    Attributes:
        due: they are in service, or it is undetermined whether they are.
        sure: they are in service.
    """

    due: Flags
    sure: Flags


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


class Stopped(NamedTuple):
    """Which machines stand still by plan on a day.

    Attributes:
        machines: they do.
        late: of these, those of which it was said when the day was over.
    """

    machines: Flags
    late: Flags


class Attendance:
    """What the in-service days of a window brought; only they count.

    Today is one of them only once it has brought evidence. Days of which it is undetermined
    whether they are in service count as such, and their data prove nothing: no figure gains by a
    date that nobody wrote.

    Attributes:
        window: the days.
        status: on the last day.
        service: in-service days.
        silent: those after the last valid one; all, if there was none.
        valid: those with valid data at the level asked for.
        last: ordinal of the last of these; 0: there is none.
        seen: there are valid data of any source on one of them.
        doubtful: there are data on one of them that are not valid.
        undated: those that are undetermined.
        unproven: there are valid data at the level asked for on one of the undetermined ones.
        end_undated: the last day is undetermined.
        stopped: days in service on which they stood still by plan; they are no in-service days.
        stopped_late: those of them of which it was said when they were over.
    """

    def __init__(self, machines: int, window: Window) -> None:
        self.window = window
        self.status: Codes = np.zeros(machines, np.uint8)
        self.service, self.silent, self.valid, self.undated, self.stopped, self.stopped_late = (
            np.zeros(machines, np.int16) for _ in range(6)
        )
        self.last = np.zeros(machines, np.int32)
        self.seen, self.doubtful, self.unproven, self.end_undated = (
            np.zeros(machines, np.bool_) for _ in range(4)
        )

    def rest(self, service: Service) -> None:
        """Add a day of rest: it is on neither side, whatever data came."""
        self.end_undated = service.due & ~service.sure

    def add(
        self, day: date, service: Service, data: DayData, stopped: Stopped | None = None
    ) -> None:
        """Add the next day of the window; its days are added in order.

        Args:
            day: of the window.
            service: machines that are in service on it.
            data: what came of all machines.
            stopped: who stands still by plan, and is on neither side; None: nobody.
        """
        due, sure = service
        if due is not sure:
            self.end_undated = due & ~sure
        if stopped is not None:
            self.stopped += due & stopped.machines
            self.stopped_late += due & stopped.late
            due, sure = (flags & ~stopped.machines for flags in service)
        self.seen |= due & data.seen
        self.doubtful |= due & data.doubtful
        valid = sure & data.valid
        if due is not sure:
            self.undated += due & ~sure
            self.unproven |= due & ~sure & data.valid
        # After ``seen``: what came today shows a connection, though the day does not count yet.
        if day == self.window.as_of and self.window.today_runs:
            due = valid
        self.service += due
        self.silent += due
        self.valid += valid
        self.silent[valid] = 0
        self.last[valid] = day.toordinal()
