"""Raw days of a machine as they stand in the database, what they say together, their digest."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import date, timedelta
from hashlib import sha256
from itertools import groupby
from typing import NamedTuple

from sqlalchemy import Connection, select

from gateway.city.db import monthly
from gateway.city.rates.proving.days import Source


class RawDay(NamedTuple):
    """A row of ``evidence``, without the machine; hours, times and names as :class:`Source`.

    Attributes:
        late_days: 0: it came in time; otherwise so many days after its day.
    """

    day: date
    source: str
    synthetic: bool
    late_days: int
    gateway: str
    good_hours: int
    uncertain_hours: int
    replayed_hours: int
    first_ms: int
    last_ms: int


def raw_days(connection: Connection, machine_id: int, days: Sequence[date]) -> list[RawDay]:
    """The rows of a machine, in order of day, source and kind; what came in time comes first."""
    columns = monthly.between(connection, days[0], days[-1]).c
    query = select(*(columns[name] for name in RawDay._fields)).where(
        columns.machine_id == machine_id, columns.day.between(days[0], days[-1])
    )
    rows = [RawDay(*row) for row in connection.execute(query)]
    return sorted(rows)  # here: databases differ in how they order texts


def known_by(rows: Iterable[RawDay], day: date) -> list[RawDay]:
    """The rows as they were known at the end of an Asia/Shanghai day; those of later data are not.

    What comes until the end of the day behind its own is in time, and of one row: of ``day``
    itself that row is shown with it.
    """
    return [row for row in rows if row.day + timedelta(days=row.late_days) <= day]


def sources_of(rows: Iterable[RawDay]) -> dict[date, tuple[Source, ...]]:
    """What each kind of source proves of each day, late data included; rows as ordered above."""
    found: dict[date, tuple[Source, ...]] = {}
    for _, own in groupby(rows, lambda row: row[:3]):
        first, *later = own
        source = _source(first)
        for row in later:
            source = _joined(source, row)
        found[first.day] = (*found.get(first.day, ()), source)
    return found


def digest(rows: Iterable[RawDay]) -> str:
    """SHA-256, hex, of rows in order: a line each, its values parted by blanks.

    A line is written ``2026-10-01 controller 0 0 gw-1 255 0 0 1790784000000 1790812799000``, and
    ends with a line feed.
    """
    told = sha256()
    for row in rows:
        values = (int(one) if isinstance(one, bool) else one for one in row)
        told.update((" ".join(map(str, values)) + "\n").encode())
    return told.hexdigest()


def _source(row: RawDay) -> Source:
    late = (row.late_days,) if row.late_days else ()
    return Source(row.source, row.synthetic, *row[4:], late_days=late)


def _joined(source: Source, row: RawDay) -> Source:
    return replace(
        source,
        gateway=row.gateway,
        good_hours=source.good_hours | row.good_hours,
        uncertain_hours=source.uncertain_hours | row.uncertain_hours,
        replayed_hours=source.replayed_hours | row.replayed_hours,
        first_ms=min(source.first_ms, row.first_ms),
        last_ms=max(source.last_ms, row.last_ms),
        late_days=(*source.late_days, row.late_days),
    )
