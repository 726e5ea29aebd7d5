"""Evidence of months past, so that trend and month rates of the demonstration mean something.

Every row says ``seeded``: it was written here and not by ingest.
"""

import random
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from sqlalchemy import Connection, select

from gateway.city.db.tables import equipment
from gateway.city.evidence.rows import write_days
from gateway.core.days import DAY_MS, day_start_ms

MONTHS = 14
"""Months of history before the current one."""

_NETWORKED_AT_START = 0.72
_SHARE_OF_DAYS = 0.97
FULL_DAY = {"good_hours": 2**24 - 1, "uncertain_hours": 0, "replayed_hours": 0}
"""Valid data in each of the 24 hours."""


@dataclass(frozen=True, slots=True)
class Networked:
    """A machine that is networked today.

    Attributes:
        gateway: gateway that reports it.
        source: ``controller`` or ``sensor``.
    """

    gateway: str
    source: str


def seed_history(
    connection: Connection,
    machines: Mapping[tuple[str, str], Networked],
    today: date,
    seed: int = 2026,
) -> int:
    """Write evidence for the days from :data:`MONTHS` ago until yesterday.

    Most machines were networked all the time, the others one after another, so the rate rises
    to where it is today.

    Args:
        connection: the city's database.
        machines: today's networked machines by (USCC, asset number).
        today: Asia/Shanghai day of the run; it gets no seeded evidence.
        seed: makes the history reproducible.

    Returns:
        Number of machine-days written.
    """
    columns = select(equipment.c.id, equipment.c.uscc, equipment.c.asset_no).order_by("id")
    ids = {(row.uscc, row.asset_no): row.id for row in connection.execute(columns)}
    dice = random.Random(seed)  # noqa: S311 - a history, not a secret
    start = first_day(today)
    rows: list[dict[str, Any]] = []
    for key, networked in machines.items():
        since = _networked_since(start, today, dice)
        rows += _evidence(ids[key], networked, _days(since, today, dice), dice)
    if rows:
        write_days(connection, rows)
    return len(rows)


def first_day(today: date) -> date:
    """The day on which the demonstration's history, and so its city, begins."""
    index = today.year * 12 + today.month - 1 - MONTHS
    return date(index // 12, index % 12 + 1, 1)


def _networked_since(start: date, today: date, dice: random.Random) -> date:
    if dice.random() < _NETWORKED_AT_START:
        return start
    # Before the running month, in which today's machines must show their days.
    return start + timedelta(days=dice.randrange((today.replace(day=1) - start).days))


def _days(since: date, today: date, dice: random.Random) -> Iterator[date]:
    for offset in range((today - since).days):
        if dice.random() < _SHARE_OF_DAYS:
            yield since + timedelta(days=offset)


def _evidence(
    machine_id: int, networked: Networked, days: Iterator[date], dice: random.Random
) -> Sequence[dict[str, Any]]:
    return [
        {
            "machine_id": machine_id,
            "day": day,
            "source": networked.source,
            "synthetic": True,
            "gateway": networked.gateway,
            **FULL_DAY,
            "first_ms": day_start_ms(day) + dice.randrange(60_000),
            "last_ms": day_start_ms(day) + DAY_MS - 1 - dice.randrange(60_000),
            "seeded": True,
        }
        for day in days
    ]
