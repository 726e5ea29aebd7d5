"""What came of machines on the days of months.

Months of evidence are read one at a time, a row for all days of a machine, for all inquiries at
once; what is kept of it does not grow with the number of days.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from itertools import groupby
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import BigInteger, ColumnElement, Connection, Select, case, cast, or_, select

from gateway.city.db.schema.months import evidence_month, month_number
from gateway.city.rates.attendance import (
    Attendance,
    Codes,
    Data,
    Flags,
    Masks,
    Numbers,
    Resting,
    Stopped,
)
from gateway.city.rates.columns.ledger import Ledger
from gateway.city.rates.columns.left_out import left_out_days
from gateway.city.rates.columns.numbers import all_of, narrowed, numbers_in
from gateway.city.rates.columns.progress import Progress, unreported
from gateway.city.rates.days.service import ServiceMonth
from gateway.city.rates.inquiry import Inquiry
from gateway.city.rates.model import Definition

CONTROLLER, SENSOR = 4, 8
"""Where a row came from, as a flag."""
_FLAGS = 4
"""Who a row is about is read as one number, whose last bits are the source; in front is the id."""
_DAYS = 31
"""Two masks of days are read as one number, whose last bits are the first mask."""
_PART = 100_000
"""Machines whose texts are in memory at a time."""
_AT_LEVEL = {1: CONTROLLER | SENSOR, 2: CONTROLLER}
"""Level N1 is met by any source, N2 by the machine's own controller only."""


def attendances(
    connection: Connection,
    ledger: Ledger,
    inquiries: Sequence[Inquiry],
    progress: Progress = unreported,
) -> list[Attendance]:
    """What came of the machines of a ledger, for each of some inquiries, in one pass.

    Args:
        connection: the city's database.
        ledger: the machines.
        inquiries: all about the same enterprises, and with the same evidence.
        progress: is told of days read, of all.
    """
    found = [Attendance(len(ledger.ids), inquiry.window) for inquiry in inquiries]
    days = sorted({day for inquiry in inquiries for day in inquiry.window.days()})
    left_out = left_out_days(connection, ledger, inquiries, days)
    done = 0
    for month in months_of(connection, ledger, inquiries[0], days):
        serving = ledger.service.month(month.first)
        stopped = left_out.stopped(month.first)
        for inquiry, one in zip(inquiries, found, strict=True):
            own = left_out.resting(month.first, inquiry.calendar)
            _add(one, inquiry, ledger, (month, serving, stopped, own))
        done += sum(month_number(day) == month_number(month.first) for day in days)
        progress("evidence", done, len(days))
    return found


def _add(
    attendance: Attendance,
    inquiry: Inquiry,
    ledger: Ledger,
    came: tuple["EvidenceMonth", ServiceMonth, Stopped | None, Resting | None],
) -> None:
    (month, serving, stopped, own), window, calendar = came, inquiry.window, inquiry.calendar
    days = [day for day in window.days() if month_number(day) == month_number(month.first)]
    if not days:
        return
    in_service = statuses_in_service(ledger, inquiry.definition)
    resting = sum(1 << (day.day - 1) for day in days if calendar and calendar.is_rest(day))
    data = month.data(inquiry.definition, len(ledger.ids))
    # Where all days count, they do whatever was planned.
    stopped = None if calendar is None else stopped
    attendance.add(month.first, resting, serving.service(in_service), data, stopped, own)
    if days[-1] == window.as_of:
        attendance.status = serving.status(window.as_of, in_service)


def statuses_in_service(ledger: Ledger, definition: Definition) -> Flags:
    """Which codes of statuses are in service."""
    return np.array([one in definition.statuses for one in ledger.status_names.texts])


@dataclass(frozen=True, slots=True)
class EvidenceMonth:
    """What came in a month, a row for each machine and source.

    Attributes:
        first: of the month.
        places: of the machines.
        sources: where it came from: flags.
        good: days with GOOD values.
        uncertain: days with UNCERTAIN ones.
        neither: days with a row of evidence that has no hours of either.
    """

    first: date
    places: Numbers
    sources: Codes
    good: Masks
    uncertain: Masks
    neither: Masks

    def data(self, definition: Definition, machines: int) -> Data:
        """What it says to a definition, of so many machines."""
        valid = self.good | self.uncertain if definition.count_uncertain else self.good
        at_level = (self.sources & _AT_LEVEL[definition.level]) != 0
        # A row without hours of valid data says that data came and none of them count.
        doubtful = (self.good | self.uncertain | self.neither) & ~valid
        marks = (valid, np.where(at_level, valid, 0), doubtful)
        return Data(*(self._of_machines(one, machines) for one in marks))

    def of_source(self, source: int, days: Masks, machines: int) -> Masks:
        """Days of each of so many machines that came from a source."""
        return self._of_machines(np.where(self.sources == source, days, 0), machines)

    def _of_machines(self, days: Masks, machines: int) -> Masks:
        found = np.zeros(machines, np.uint32)
        np.bitwise_or.at(found, self.places, days.astype(np.uint32))  # some have several rows
        return found


def months_of(
    connection: Connection, ledger: Ledger, inquiry: Inquiry, days: Iterable[date]
) -> Iterator[EvidenceMonth]:
    """The evidence of the months of some days; one month is in memory at a time.

    Args:
        connection: the city's database.
        ledger: the machines.
        inquiry: whose evidence counts.
        days: in order.
    """
    for first in dict.fromkeys(day.replace(day=1) for day in days):
        yield _read_month(connection, ledger, inquiry, first)


def _read_month(
    connection: Connection, ledger: Ledger, inquiry: Inquiry, first: date
) -> EvidenceMonth:
    number = month_number(first)
    parts = [
        _read_part(connection, ledger, _part_query(inquiry, number, int(ids[0]), int(ids[-1])))
        for ids in np.split(ledger.ids, range(_PART, len(ledger.ids), _PART))
        if len(ids)
    ]
    return EvidenceMonth(first, *map(np.concatenate, zip(_NOTHING, *parts, strict=True)))


_NOTHING = tuple(np.zeros(0, one) for one in (np.int64, np.uint8, *[np.uint32] * 3))


def _read_part(
    connection: Connection, ledger: Ledger, query: Select[Any]
) -> tuple[NDArray[Any], ...]:
    """Places, sources and masks, as :class:`EvidenceMonth` has them."""
    rows, values, neither = map(numbers_in, connection.execute(query).one())
    places, known = ledger.places(rows >> _FLAGS)  # who sends may stand in no ledger
    if not known.all():
        places, rows, values, neither = (one[known] for one in (places, rows, values, neither))
    sources = (rows & _last(_FLAGS)).astype(np.uint8)
    masks = (values & _last(_DAYS), values >> _DAYS, neither)
    return (places, sources, *(one.astype(np.uint32) for one in masks))


def _last(bits: int) -> int:
    return (1 << bits) - 1


def _part_query(inquiry: Inquiry, number: int, first: int, last: int) -> Select[Any]:
    """One row: what machines of some ids have of a month, as three texts of numbers."""
    columns = evidence_month.c
    valid = columns.good_days.bitwise_or(columns.uncertain_days)
    row = columns.machine_id * (1 << _FLAGS) + _source()
    values = columns.good_days + cast(columns.uncertain_days, BigInteger) * (1 << _DAYS)
    query = select(all_of(row)).add_columns(all_of(values), all_of(columns.days - valid))
    query = query.where(columns.month == number, columns.machine_id.between(first, last))
    return narrowed(query.where(*countable(inquiry)), columns.machine_id, inquiry.uscc)


def _source() -> ColumnElement[int]:
    source = evidence_month.c.source
    return case((source == "controller", CONTROLLER), (source == "sensor", SENSOR), else_=0)


def is_there(connection: Connection, inquiry: Inquiry) -> bool:
    """Whether there is any evidence of the days that an inquiry is about."""
    columns = evidence_month.c
    in_window = [
        (columns.month == number)
        & (columns.days.bitwise_and(sum(1 << (day.day - 1) for day in days)) != 0)
        for number, days in groupby(inquiry.window.days(), month_number)
    ]
    query = select(columns.month).where(or_(*in_window), *countable(inquiry)).limit(1)
    return connection.execute(query).first() is not None


def countable(inquiry: Inquiry) -> list[ColumnElement[bool]]:
    """Evidence that may count: none that is synthetic unless demonstrated."""
    return [] if inquiry.demonstration else [evidence_month.c.synthetic.is_(False)]
