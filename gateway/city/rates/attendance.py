"""Days in service, and what data came on them, for all machines of a ledger at once. Pure.

Every array runs along the machines, in the order of the ledger's columns. The days of a month are
the bits of a number, so that a rule looks at all of them at once.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from functools import partial
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Flags = NDArray[np.bool_]
Numbers = NDArray[np.int64]
Codes = NDArray[np.uint8]
"""Statuses as codes; 0 before the first entry."""
Masks = NDArray[np.uint32]
"""Days of a month: bit d - 1 is day d."""


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
    """On which days of a month machines are in service.

    Attributes:
        due: they are in service, or it is undetermined whether they are.
        sure: they are in service.
    """

    due: Masks
    sure: Masks


class Data(NamedTuple):
    """On which days of a month data of machines came.

    Attributes:
        seen: valid ones of any source.
        valid: valid ones at the level asked for.
        doubtful: some that are not valid.
    """

    seen: Masks
    valid: Masks
    doubtful: Masks


class Stopped(NamedTuple):
    """On which days of a month machines stand still by plan.

    Attributes:
        days: they do.
        late: of these, those of which it was said when the day was over.
    """

    days: Masks
    late: Masks


class Resting(NamedTuple):
    """Which days of a month are of rest, where enterprises have schedules of their own.

    Attributes:
        days: of rest, by the schedule of a machine's enterprise or by the official calendar.
        own: of these, those that only a schedule makes ones of rest.
        late: those that would be otherwise by what was known of them on that day.
    """

    days: Masks
    own: Masks
    late: Masks


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
        rested: days of rest in service; they are no in-service days either.
        own_rest: those of them that only a schedule of their enterprise makes ones of rest.
        rest_late: days in service of which a schedule was said when they were over, and that are
            otherwise by it.
    """

    def __init__(self, machines: int, window: Window) -> None:
        self.window = window
        self.status: Codes = np.zeros(machines, np.uint8)
        self.service, self.silent, self.valid, self.undated, self.stopped, self.stopped_late = (
            np.zeros(machines, np.int16) for _ in range(6)
        )
        self.rested, self.own_rest, self.rest_late = (
            np.zeros(machines, np.int16) for _ in range(3)
        )
        self.last = np.zeros(machines, np.int32)
        self.seen, self.doubtful, self.unproven, self.end_undated = (
            np.zeros(machines, np.bool_) for _ in range(4)
        )

    def add(
        self,
        first: date,
        resting: int,
        service: Service,
        data: Data,
        stopped: Stopped | None = None,
        by_schedule: Resting | None = None,
    ) -> None:
        """Add the next month of the window; its months are added in order.

        Args:
            first: of the month.
            resting: mask of days of rest: they are on neither side, whatever data came, nor is
                anybody excused of them by a planned stop.
            service: when machines are in service.
            data: what came of them.
            stopped: when they stand still by plan, and are on neither side; None: never.
            by_schedule: days of rest of each machine, in place of ``resting``; None: all are alike.
        """
        end = np.uint32(_mask(day for day in (self.window.as_of,) if _is_of(first, day)))
        self.end_undated = (service.due & ~service.sure & end) != 0
        window = np.uint32(_mask(filter(partial(_is_of, first), self.window.days())))
        due, sure = (days & window for days in service)
        due, sure = self._working(Service(due, sure), np.uint32(resting), by_schedule)
        if stopped is not None:
            self.stopped += np.bitwise_count(due & stopped.days)
            self.stopped_late += np.bitwise_count(due & stopped.late)
            due, sure = (days & ~stopped.days for days in (due, sure))
        self.seen |= (due & data.seen) != 0
        self.doubtful |= (due & data.doubtful) != 0
        valid, undated = sure & data.valid, due & ~sure
        self.undated += np.bitwise_count(undated)
        self.unproven |= (undated & data.valid) != 0
        # After ``seen``: what came today shows a connection, though the day does not count yet.
        if self.window.today_runs:
            due = (due & ~end) | (valid & end)
        self._add_days(first, due, valid)

    def _working(
        self, service: Service, resting: np.uint32, by_schedule: Resting | None
    ) -> Service:
        """The days in service without those of rest, which are counted."""
        rest: Masks | np.uint32 = resting
        if by_schedule is not None:
            rest, own, late = by_schedule
            self.own_rest += np.bitwise_count(service.due & own)
            self.rest_late += np.bitwise_count(service.due & late)
        self.rested += np.bitwise_count(service.due & rest)
        due, sure = (days & ~rest for days in service)
        return Service(due, sure)

    def _add_days(self, first: date, due: Masks, valid: Masks) -> None:
        upto = _upto_last(valid)
        came = valid != 0
        self.service += np.bitwise_count(due)
        self.valid += np.bitwise_count(valid)
        self.silent[came] = 0
        self.silent += np.bitwise_count(due & ~upto)
        self.last[came] = first.toordinal() - 1 + np.bitwise_count(upto[came]).astype(np.int32)


def _is_of(first: date, day: date) -> bool:
    return (day.year, day.month) == (first.year, first.month)


def _mask(days: Iterable[date]) -> int:
    return sum(1 << (day.day - 1) for day in days)


def _upto_last(days: Masks) -> Masks:
    """All days up to the last one of each mask."""
    found = days.copy()
    for shift in (1, 2, 4, 8, 16):
        found |= found >> np.uint32(shift)
    return found
