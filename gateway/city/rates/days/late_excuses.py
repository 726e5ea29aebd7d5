"""Planned stops and shift schedules that were said when some of their days were over.

They count all the same; how many days they excuse stands beside each figure.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from typing import Literal

from sqlalchemy import ColumnElement, Connection, func, select

from gateway.city.db.schema.rates import rate_result
from gateway.city.db.tables import enterprise
from gateway.city.ledger.papers.standing import Standing
from gateway.city.ledger.schedules.held import held_schedules
from gateway.city.ledger.schedules.table import Schedule
from gateway.city.ledger.stops.held import standing
from gateway.city.ledger.stops.table import Stop
from gateway.core.days import day_of

_MONTH = 7
"""Characters of ``YYYY-MM``."""


@dataclass(frozen=True, slots=True)
class LateExcuse:
    """One that came late.

    Attributes:
        kind: what it is.
        number: of the stop or schedule.
        uscc: of the enterprise.
        name: of the enterprise.
        site_no: of a site; empty: all.
        first_day: of its days.
        last_day: None: until it is withdrawn.
        document: by which it is so.
        entered_on: day of entry.
        made_by: who entered it.
        frozen: months of its days that were final when it was entered, and stay as they are.
    """

    kind: Literal["stop", "schedule"]
    number: int
    uscc: str
    name: str
    site_no: str
    first_day: date
    last_day: date | None
    document: str
    entered_on: date
    made_by: str
    frozen: tuple[str, ...]


def late_excuses(connection: Connection, seen: ColumnElement[bool]) -> list[LateExcuse]:
    """Those that stand, the last entered first.

    Args:
        connection: the city's database.
        seen: which enterprises are, by the columns of ``enterprise``.
    """
    columns = enterprise.c
    query = select(columns.uscc, columns.name).where(seen)
    names = {row.uscc: row.name for row in connection.execute(query)}
    held = [one for one in _late(connection) if one[1].uscc in names]
    finals = _finals(connection) if held else []
    return [
        LateExcuse(
            kind,
            one.number,
            said.uscc,
            names[said.uscc],
            said.site_no,
            said.first_day,
            said.last_day,
            said.document,
            day_of(one.known_ms),
            one.made_by,
            tuple(_touched(finals, said, one.known_ms)),
        )
        for kind, said, one in sorted(held, key=lambda late: late[2].known_ms, reverse=True)
    ]


_Said = Stop | Schedule
_Late = tuple[Literal["stop", "schedule"], _Said, Standing[Stop] | Standing[Schedule]]


def _late(connection: Connection) -> Iterator[_Late]:
    for stop in standing(connection):
        if stop.is_late:
            yield "stop", stop.what, stop
    for held in held_schedules(connection):
        if held.is_late:
            yield "schedule", held.what, held


def _finals(connection: Connection) -> list[tuple[str, int]]:
    """Months that are final, and since when, UTC milliseconds."""
    columns = rate_result.c
    query = select(columns.month, func.min(columns.computed_ms)).where(columns.status == "F")
    rows = connection.execute(query.group_by(columns.month).order_by(columns.month))
    return [(month, since) for month, since in rows]


def _touched(finals: list[tuple[str, int]], said: _Said, known_ms: int) -> Iterator[str]:
    """Months that were final before; a schedule without an end reaches the day of entry."""
    last = said.last_day or day_of(known_ms)
    first_month, last_month = (str(day)[:_MONTH] for day in (said.first_day, last))
    for month, since in finals:
        if first_month <= month <= last_month and since < known_ms:
            yield month
