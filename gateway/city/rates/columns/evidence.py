"""What came of machines on each day.

Evidence is read a day at a time from the index that holds all that is asked of it, for all
inquiries at once; what is kept of it does not grow with the number of days.
"""

from collections.abc import Iterator, Sequence
from datetime import date
from typing import Any

import numpy as np
from sqlalchemy import ColumnElement, Connection, Select, case, select

from gateway.city.db.tables import evidence
from gateway.city.rates.attendance import Attendance, DayData, Flags, Numbers, Service
from gateway.city.rates.columns.ledger import Ledger
from gateway.city.rates.columns.numbers import all_of, narrowed, numbers_in
from gateway.city.rates.columns.progress import Progress, unreported
from gateway.city.rates.days.service import ServiceDays
from gateway.city.rates.inquiry import Inquiry
from gateway.city.rates.model import Definition

GOOD, UNCERTAIN, CONTROLLER, SENSOR = 1, 2, 4, 8
"""Flags of a row: there are hours of such values, and where they came from."""
_FLAGS = 16
"""A row of evidence is read as one number: the machine's id times this, and its flags."""
_AT_LEVEL = {1: CONTROLLER | SENSOR, 2: CONTROLLER}
"""Level N1 is met by any source, N2 by the machine's own controller only."""


_NO_DAY = (None, None)


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
    came = evidence_of(connection, ledger, inquiries[0], days)
    for number, (day, (places, flags)) in enumerate(zip(days, came, strict=True), 1):
        service.turn_to(day)
        for inquiry, one in zip(inquiries, found, strict=True):
            in_service = statuses_in_service(ledger, inquiry.definition)
            if one.window.first <= day <= one.window.as_of:
                _add(one, day, service.service(in_service), inquiry, (places, flags))
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
) -> None:
    if inquiry.calendar is not None and inquiry.calendar.is_rest(day):
        attendance.rest(service)
    else:
        attendance.add(day, service, _data(len(service.due), inquiry, *came))


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
    connection: Connection, ledger: Ledger, inquiry: Inquiry, days: Sequence[date]
) -> Iterator[tuple[Numbers, Numbers]]:
    """Places and flags of the evidence of each day; a machine may have several rows."""
    for span in _spans(days):
        rows = connection.execute(_evidence_query(inquiry, span[0], span[-1]))
        next_day, text = next(rows, _NO_DAY)
        for day in span:
            came = text if day == next_day else None
            if day == next_day:
                next_day, text = next(rows, _NO_DAY)
            numbers = numbers_in(came)
            places, known = ledger.places(numbers // _FLAGS)  # who sends may stand in no ledger
            yield places[known], numbers[known] % _FLAGS


def _spans(days: Sequence[date]) -> Iterator[list[date]]:
    """Days without a gap: months between, which nobody asks about, are not read."""
    span: list[date] = []
    for day in days:
        if span and (day - span[-1]).days > 1:
            yield span
            span = []
        span.append(day)
    yield span


def _evidence_query(inquiry: Inquiry, first: date, last: date) -> Select[Any]:
    """Days with evidence in order, and its numbers."""
    columns = evidence.c
    numbers = all_of(columns.machine_id * _FLAGS + _flags())
    query = select(columns.day, numbers).where(columns.day.between(first, last))
    query = query.where(*countable(inquiry)).group_by(columns.day).order_by(columns.day)
    # A day of a large city is megabytes of text: one is in memory at a time.
    return narrowed(query, columns.machine_id, inquiry.uscc).execution_options(yield_per=1)


def _flags() -> ColumnElement[int]:
    columns = evidence.c
    rules = (
        (columns.good_hours != 0, GOOD),
        (columns.uncertain_hours != 0, UNCERTAIN),
        (columns.source == "controller", CONTROLLER),
        (columns.source == "sensor", SENSOR),
    )
    first, *others = (case((rule, flag), else_=0) for rule, flag in rules)
    return sum(others, first)


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


def countable(inquiry: Inquiry) -> list[ColumnElement[bool]]:
    """Evidence that may count: none that is synthetic unless demonstrated."""
    return [] if inquiry.demonstration else [evidence.c.synthetic.is_(False)]
