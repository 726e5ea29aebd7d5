"""The rows of a copy, from the city's database: what a month says of every machine."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import BigInteger, Connection, case, cast, func, select

from gateway.city.db.schema.months import evidence_month, month_number
from gateway.city.rates.attendance import Masks, Resting, Stopped
from gateway.city.rates.columns.evidence import (
    CONTROLLER,
    SENSOR,
    EvidenceMonth,
    countable,
    months_of,
)
from gateway.city.rates.columns.ledger import Ledger, read_ledger
from gateway.city.rates.columns.left_out import LeftOutDays, left_out_days
from gateway.city.rates.columns.past import as_of
from gateway.city.rates.columns.progress import Progress, unreported
from gateway.city.rates.days.calendar import Calendar
from gateway.city.rates.days.service import ServiceMonth
from gateway.city.rates.engines.layout import CLASSES, LEFT_OUT, SOURCES, STATUSES, coming, held
from gateway.city.rates.inquiry import Inquiry

Columns = Mapping[str, NDArray[Any]]
_OF_SOURCE = dict(zip(SOURCES, (CONTROLLER, SENSOR, 0), strict=True))
_PRIME, _WEIGHTS = 1_000_003, 8_191
"""Of what a machine's month adds to :func:`evidence_sum`."""


@dataclass(frozen=True, slots=True)
class Gathered:
    """What is to be copied.

    Attributes:
        firms: enterprises by number.
        machines: how many there are.
        months: their rows, one calendar month after another.
    """

    firms: Mapping[int, str]
    machines: int
    months: Iterator[Columns]


def gather(
    connection: Connection, inquiry: Inquiry, since: date, progress: Progress = unreported
) -> Gathered:
    """Read the rows of a month's copy; one calendar month is in memory at a time.

    Args:
        connection: the city's database, on one snapshot.
        inquiry: the month, what evidence counts, and by which calendar days are of rest.
        since: first day of the earliest month that records look back to.
        progress: is told how far it is.
    """
    first, last = inquiry.period.first, inquiry.period.as_of
    days = [since + timedelta(days=one) for one in range((last - since).days + 1)]
    ledger = read_ledger(connection, first, None, progress)
    left_out = left_out_days(connection, ledger, [inquiry], days)
    attributes = _attributes(as_of(connection, ledger, last, None), first)

    def months() -> Iterator[Columns]:
        for month in months_of(connection, ledger, inquiry, days):
            days_of = {
                **_statuses(ledger, ledger.service.month(month.first)),
                **_evidence(month, len(ledger.ids)),
                **_left_out(left_out, month.first, inquiry.calendar),
            }
            number = np.full(len(ledger.ids), month_number(month.first), np.int32)
            turned = {name: last_day_lowest(days) for name, days in days_of.items()}
            yield {"month": number, **attributes, **turned}

    firms = {code: uscc for uscc, code in ledger.firm_names.known.items()}
    return Gathered(firms, len(ledger.ids), months())


def last_day_lowest(days: Masks) -> Masks:
    """Masks with bit 31 - d for day d, in place of bit d - 1."""
    if not days.any():
        return days
    turned = _TURNED[days.astype("<u4").view(np.uint8).reshape(-1, 4)[:, ::-1]]
    return np.ascontiguousarray(turned).view("<u4").reshape(-1) >> np.uint32(1)


_TURNED = np.packbits(np.unpackbits(np.arange(256, dtype=np.uint8)).reshape(-1, 8)[:, ::-1])
"""Bytes with their bits the other way round."""


def _attributes(ledger: Ledger, first: date) -> Columns:
    classes = [_class_code(one) for one in ledger.class_names.texts]
    return {
        "machine": ledger.ids,
        "firm": ledger.firms.astype(np.int32),
        "class": np.array(classes, np.int8)[ledger.classes],
        "digital": ledger.digital.astype(np.int8),
        "key_equipment": ledger.key.astype(np.int8),
        "is_new": (ledger.commissioned >= first.toordinal()).astype(np.int8),
        "start_unknown": ledger.start_unknown(first).astype(np.int8),
    }


def _class_code(name: str | None) -> int:
    return CLASSES.index(name) + 1 if name in CLASSES else 0


def _statuses(ledger: Ledger, month: ServiceMonth) -> Mapping[str, Masks]:
    names = ledger.status_names.texts
    found = dict[str, Masks]()
    for status in STATUSES:
        wanted = np.array([one == status for one in names])
        found[held(status)], found[coming(status)] = month.having(wanted)
    _, found["coming"] = month.having(np.ones(len(names), np.bool_))
    return found


def _evidence(month: EvidenceMonth, machines: int) -> Mapping[str, Masks]:
    return {
        f"{source}_{kind}": month.of_source(code, days, machines)
        for source, code in _OF_SOURCE.items()
        for kind, days in (("good", month.good), ("uncertain", month.uncertain))
    }


def _left_out(left_out: LeftOutDays, first: date, calendar: Calendar | None) -> Mapping[str, Masks]:
    nothing: Masks = np.zeros(left_out.machines, np.uint32)
    rest, stopped = left_out.resting(first, calendar), left_out.stopped(first)
    if rest is None:
        rest = Resting(nothing | np.uint32(_official(first, calendar)), nothing, nothing)
    return dict(zip(LEFT_OUT, (*rest, *(stopped or Stopped(nothing, nothing))), strict=True))


def _official(first: date, calendar: Calendar | None) -> int:
    """Days of rest of a month by the calendar."""
    days = (first + timedelta(days=one) for one in range(31))
    return sum(
        1 << (day.day - 1)
        for day in days
        if day.month == first.month and calendar is not None and calendar.is_rest(day)
    )


def evidence_sum(connection: Connection, inquiry: Inquiry, since: date) -> int:
    """A number that is another one when evidence that counts has changed.

    Args:
        connection: the city's database.
        inquiry: the month, and what evidence counts.
        since: first day of the earliest month that records look back to.
    """
    columns = evidence_month.c
    kinds = enumerate(("controller", "sensor"), 1)
    source = case({name: code for code, name in kinds}, value=columns.source, else_=3)
    days = sum(
        (cast(one, BigInteger) * weight for one, weight in _WEIGHED.items()), start=source * 11
    )
    weight = columns.machine_id % _WEIGHTS + columns.month % _WEIGHTS + 1
    query = select(func.sum(days % _PRIME * weight)).where(
        columns.month.between(month_number(since), month_number(inquiry.period.as_of)),
        *countable(inquiry),
    )
    return int(connection.scalar(query) or 0)


_WEIGHED = {
    evidence_month.c.good_days: 3,
    evidence_month.c.uncertain_days: 5,
    evidence_month.c.days: 7,
}
