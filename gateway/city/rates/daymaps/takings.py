"""Take the day maps of a month with its figure, and see what has come since."""

import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np
from sqlalchemy import ColumnElement, Connection, Table, func, insert, select

from gateway.city.db.schema.daymaps import day_map, evidence_taking
from gateway.city.rates.columns.evidence import CONTROLLER, SENSOR, months_of
from gateway.city.rates.columns.ledger import Ledger, ReadLedger, read_ledger
from gateway.city.rates.daymaps.maps import (
    BEGINNING,
    KINDS,
    ROW,
    Body,
    Difference,
    Rows,
    bodies,
    differences,
    link,
    root,
)
from gateway.city.rates.inquiry import Inquiry

Maps = Mapping[str, Body]
"""Canonical bytes of the enterprises' maps, by USCC."""


@dataclass(frozen=True, slots=True)
class Taken:
    """The evidence of a month, as a figure rests on it.

    Attributes:
        month: ``YYYY-MM``.
        synthetic: synthetic evidence is in it.
        number: of the taking that holds it.
        changed: maps that no taking before holds; empty: the taking is there already.
    """

    month: str
    synthetic: bool
    number: int
    changed: Maps


def current_maps(
    connection: Connection, inquiry: Inquiry, ledgers: ReadLedger = read_ledger
) -> Maps:
    """The maps of a month as evidence is now; of machines of the ledger, which alone count.

    Args:
        connection: the city's database, on one snapshot.
        inquiry: whose month it is, and whether synthetic evidence counts.
        ledgers: reads the machines.
    """
    ledger = ledgers(connection, inquiry.period.first, inquiry.uscc)
    names = {code: uscc for uscc, code in ledger.firm_names.known.items()}
    return bodies(ledger.firms, names, _rows(connection, ledger, inquiry))


def _rows(connection: Connection, ledger: Ledger, inquiry: Inquiry) -> Rows:
    """The month of every machine of the ledger."""
    rows = np.zeros(len(ledger.ids), ROW)
    rows["machine"] = ledger.ids
    days = list(_days(inquiry))
    counted = np.uint32(sum(1 << (day.day - 1) for day in days))
    for month in months_of(connection, ledger, inquiry, days):
        came = (month.good, month.uncertain)
        of_kinds = [(source, one) for one in came for source in (CONTROLLER, SENSOR)]
        for kind, (source, one) in zip(KINDS, of_kinds, strict=True):
            rows[kind] = month.of_source(source, one & counted, len(rows))
    return rows


def _days(inquiry: Inquiry) -> Iterator[date]:
    """The days of the month since the city began; a definition may look at others beside them."""
    period = inquiry.period
    day = max(period.first, period.began_on or period.first)
    while day <= period.as_of:
        yield day
        day += timedelta(days=1)


def take(connection: Connection, inquiry: Inquiry, ledgers: ReadLedger = read_ledger) -> Taken:
    """The evidence of a month as it is now, beside what takings before have of it."""
    month, synthetic = inquiry.period.month, inquiry.demonstration
    newest, now = (
        newest_taking(connection, month, synthetic),
        current_maps(connection, inquiry, ledgers),
    )
    held = maps_of(connection, month, synthetic, newest)
    changed = {
        uscc: now.get(uscc, b"")
        for uscc in held.keys() | now.keys()
        if held.get(uscc, b"") != now.get(uscc, b"")
    }
    return Taken(month, synthetic, newest + 1 if changed or not newest else newest, changed)


def newest_taking(connection: Connection, month: str, synthetic: bool) -> int:
    """Number of the newest taking of a month; 0: there is none."""
    query = select(func.max(evidence_taking.c.number))
    return connection.scalar(query.where(*_of(evidence_taking, month, synthetic))) or 0


def maps_of(connection: Connection, month: str, synthetic: bool, number: int) -> Maps:
    """The maps of a month as of a taking; one that was erased is empty."""
    columns = day_map.c
    query = select(columns.uscc, columns.body).order_by(columns.id)
    query = query.where(*_of(day_map, month, synthetic), columns.taking <= number)
    rows = connection.execute(query)
    return {row.uscc: zlib.decompress(row.body) if row.body else b"" for row in rows}


def keep(connection: Connection, taken: Taken, now_ms: int) -> None:
    """Store a taking, if it is new, in the transaction that stores its figure."""
    month, synthetic, number = taken.month, taken.synthetic, taken.number
    if newest_taking(connection, month, synthetic) == number:
        return
    previous = _newest_digests(connection)
    links = [
        link(month, uscc, body, previous.get(uscc, BEGINNING))
        for uscc, body in sorted(taken.changed.items())
    ]
    own = {"month": month, "synthetic": synthetic}
    rows = [
        own
        | {
            "uscc": one.uscc,
            "taking": number,
            "body": zlib.compress(one.body),
            "previous": one.previous,
            "digest": one.digest,
        }
        for one in links
    ]
    if rows:
        connection.execute(insert(day_map), rows)
    digests = digests_of(connection, month, synthetic, number)
    taking = own | {"number": number, "taken_ms": now_ms, "root": root(digests)}
    connection.execute(insert(evidence_taking), [taking])


def _newest_digests(connection: Connection) -> dict[str, str]:
    """The end of each enterprise's chain."""
    newest = select(func.max(day_map.c.id)).group_by(day_map.c.uscc)
    query = select(day_map.c.uscc, day_map.c.digest).where(day_map.c.id.in_(newest))
    return {row.uscc: row.digest for row in connection.execute(query)}


def digests_of(connection: Connection, month: str, synthetic: bool, number: int) -> dict[str, str]:
    """The digests of a month's maps as of a taking, by USCC."""
    columns = day_map.c
    query = select(columns.uscc, columns.digest).order_by(columns.id)
    query = query.where(*_of(day_map, month, synthetic), columns.taking <= number)
    return {row.uscc: row.digest for row in connection.execute(query)}


def since(connection: Connection, inquiry: Inquiry, number: int, now: Maps) -> list[Difference]:
    """What a month's evidence has now and had not at a taking, and the reverse.

    Args:
        connection: the city's database.
        inquiry: about the month.
        number: of the taking.
        now: the maps as they are, of :func:`current_maps`.
    """
    held = maps_of(connection, inquiry.period.month, inquiry.demonstration, number)
    changed = [
        uscc for uscc in held.keys() | now.keys() if held.get(uscc, b"") != now.get(uscc, b"")
    ]
    # Of all together: a machine that another enterprise has now lost no day by that.
    old, new = (b"".join(maps.get(uscc, b"") for uscc in changed) for maps in (held, now))
    return list(differences(old, new))


def _of(table: Table, month: str, synthetic: bool) -> tuple[ColumnElement[bool], ...]:
    return table.c.month == month, table.c.synthetic.is_(synthetic)
