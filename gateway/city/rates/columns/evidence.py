"""What came of machines on each day.

Months of evidence are read one at a time, a row for all days of a machine, for all inquiries at
once; what is kept of it does not grow with the number of days.
"""

from collections.abc import Iterable, Iterator, Sequence
from datetime import date
from itertools import groupby
from typing import Any, NamedTuple

import numpy as np
from sqlalchemy import BigInteger, ColumnElement, Connection, Select, case, cast, or_, select

from gateway.city.db.schema.months import evidence_month, month_number
from gateway.city.rates.attendance import Attendance, DayData, Flags, Numbers, Service, Stopped
from gateway.city.rates.columns.ledger import Ledger
from gateway.city.rates.columns.numbers import all_of, narrowed, numbers_in
from gateway.city.rates.columns.progress import Progress, unreported
from gateway.city.rates.columns.stops import StopDays, stop_days
from gateway.city.rates.days.service import ServiceDays
from gateway.city.rates.inquiry import Inquiry
from gateway.city.rates.model import Definition

GOOD, UNCERTAIN, CONTROLLER, SENSOR = 1, 2, 4, 8
"""Flags of a row: there are hours of such values, and where they came from."""
_FLAGS = 16
"""Who a row is about is read as one number: the machine's id times this, and its source."""
_MASKS = 1 << 31
"""Two masks of days are read as one number: the second times this, and the first."""
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
    service = service_days(ledger)
    days = sorted({day for inquiry in inquiries for day in inquiry.window.days()})
    stops = _stops(connection, ledger, inquiries, days)
    came = evidence_of(connection, ledger, inquiries[0], days)
    for number, (day, (places, flags)) in enumerate(zip(days, came, strict=True), 1):
        service.turn_to(day)
        stopped = stops.on(day, len(ledger.ids)) if stops else None
        for inquiry, one in zip(inquiries, found, strict=True):
            in_service = statuses_in_service(ledger, inquiry.definition)
            if one.window.first <= day <= one.window.as_of:
                _add(one, day, service.service(in_service), inquiry, (places, flags), stopped)
            if day == one.window.as_of:
                one.status = service.status(in_service)
        progress("evidence", number, len(days))
    return found


def _add(
    attendance: Attendance,
    day: date,
    service: Service,
    inquiry: Inquiry,
    came: tuple[Numbers, Numbers],
    stopped: Stopped | None,
) -> None:
    calendar = inquiry.calendar
    if calendar is not None and calendar.is_rest(day):
        attendance.rest(service)
        return
    data = _data(len(service.due), inquiry, *came)
    # Where all days count, they do whatever was planned.
    attendance.add(day, service, data, None if calendar is None else stopped)


def _stops(
    connection: Connection, ledger: Ledger, inquiries: Sequence[Inquiry], days: Sequence[date]
) -> StopDays | None:
    if all(inquiry.calendar is None for inquiry in inquiries):
        return None
    return stop_days(connection, ledger, days[0], days[-1], inquiries[0].known)


def service_days(ledger: Ledger) -> ServiceDays:
    """Who of a ledger is in service, day by day."""
    ids, days, dated, codes = ledger.entries
    places, known = ledger.places(ids)
    columns = (places[known], days[known], codes[known].astype(np.uint8), dated[known] != 0)
    return ServiceDays(len(ledger.ids), *columns)


def statuses_in_service(ledger: Ledger, definition: Definition) -> Flags:
    """Which codes of statuses are in service."""
    return np.array([one in definition.statuses for one in ledger.status_names.texts])


def evidence_of(
    connection: Connection, ledger: Ledger, inquiry: Inquiry, days: Iterable[date]
) -> Iterator[tuple[Numbers, Numbers]]:
    """Places and flags of the evidence of each day; a machine may have several rows.

    Args:
        connection: the city's database.
        ledger: the machines.
        inquiry: whose evidence counts.
        days: in order; one month of them is in memory at a time.
    """
    for number, those in groupby(days, month_number):
        month = _read_month(connection, ledger, inquiry, number)
        for day in those:
            yield month.on(day)


class _Month(NamedTuple):
    """What came in a month, a row for each machine and source; bit d - 1 of a mask is day d."""

    places: Numbers
    sources: Numbers
    good: Numbers
    uncertain: Numbers
    neither: Numbers

    def on(self, day: date) -> tuple[Numbers, Numbers]:
        """Places and flags of the rows that have something of a day."""
        bit = day.day - 1
        good, uncertain, neither = ((one >> bit) & 1 for one in self[2:])
        came = (good | uncertain | neither) != 0
        flags = self.sources[came] | good[came] * GOOD | uncertain[came] * UNCERTAIN
        return self.places[came], flags


def _read_month(connection: Connection, ledger: Ledger, inquiry: Inquiry, number: int) -> _Month:
    parts = [
        _read_part(connection, ledger, _part_query(inquiry, number, int(ids[0]), int(ids[-1])))
        for ids in np.split(ledger.ids, range(_PART, len(ledger.ids), _PART))
        if len(ids)
    ]
    return _Month(*map(np.concatenate, zip(_NO_MONTH, *parts, strict=True)))


_NO_MONTH = _Month(*(np.zeros(0, np.int64) for _ in range(5)))


def _read_part(connection: Connection, ledger: Ledger, query: Select[Any]) -> _Month:
    rows, values, neither = map(numbers_in, connection.execute(query).one())
    places, known = ledger.places(rows // _FLAGS)  # who sends may stand in no ledger
    columns = (places, rows % _FLAGS, values % _MASKS, values // _MASKS, neither)
    return _Month(*(one[known] for one in columns))


def _part_query(inquiry: Inquiry, number: int, first: int, last: int) -> Select[Any]:
    """One row: what machines of some ids have of a month, as three texts of numbers."""
    columns = evidence_month.c
    valid = columns.good_days.bitwise_or(columns.uncertain_days)
    row = columns.machine_id * _FLAGS + _source()
    values = columns.good_days + cast(columns.uncertain_days, BigInteger) * _MASKS
    query = select(all_of(row)).add_columns(all_of(values), all_of(columns.days - valid))
    query = query.where(columns.month == number, columns.machine_id.between(first, last))
    return narrowed(query.where(*_countable(inquiry)), columns.machine_id, inquiry.uscc)


def _source() -> ColumnElement[int]:
    source = evidence_month.c.source
    return case((source == "controller", CONTROLLER), (source == "sensor", SENSOR), else_=0)


def _data(machines: int, inquiry: Inquiry, places: Numbers, flags: Numbers) -> DayData:
    """What a day's evidence says to an inquiry."""
    definition = inquiry.definition
    is_valid = (flags & (GOOD | UNCERTAIN if definition.count_uncertain else GOOD)) != 0
    at_level = is_valid & ((flags & _AT_LEVEL[definition.level]) != 0)
    data = DayData(*(np.zeros(machines, np.bool_) for _ in range(3)))
    # A row without hours of valid data says that data came and none of them count.
    for marked, rule in zip(data, (is_valid, at_level, ~is_valid), strict=True):
        marked[places[rule]] = True
    return data


def is_there(connection: Connection, inquiry: Inquiry) -> bool:
    """Whether there is any evidence of the days that an inquiry is about."""
    columns = evidence_month.c
    in_window = [
        (columns.month == number)
        & (columns.days.bitwise_and(sum(1 << (day.day - 1) for day in days)) != 0)
        for number, days in groupby(inquiry.window.days(), month_number)
    ]
    query = select(columns.month).where(or_(*in_window), *_countable(inquiry)).limit(1)
    return connection.execute(query).first() is not None


def _countable(inquiry: Inquiry) -> list[ColumnElement[bool]]:
    """Evidence that may count: none that is synthetic unless demonstrated."""
    return [] if inquiry.demonstration else [evidence_month.c.synthetic.is_(False)]
