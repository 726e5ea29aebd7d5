"""Closing the books of a run: from the buffers, the watermark, the store, ledger and rates."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, func, select

from gateway.city.db.tables import enterprise, equipment, watermark
from gateway.city.rates.report import RateTable, rate_table
from gateway.city.registrar import identifier_counts
from gateway.core.books import COUNTERS, Counts
from gateway.edge.buffer import BufferBooks, read_books


@dataclass(frozen=True, slots=True)
class EdgeBooks:
    """The books of all gateways of a run.

    Attributes:
        totals: all devices and days together.
        pending: values in frames that are beyond the city's watermark.
    """

    totals: Counts
    pending: int


def edge_books(buffers: Mapping[str, Path]) -> EdgeBooks:
    """Read the buffer file of every gateway."""
    totals, pending = Counts(), 0
    for file in buffers.values():
        books: BufferBooks = read_books(file)
        totals.add(books.totals)
        pending += books.pending.values
    return EdgeBooks(totals, pending)


def quarantined(connection: Connection, gateways: Sequence[str]) -> int:
    """Values of these gateways that the city received and refused."""
    total = select(func.coalesce(func.sum(watermark.c.values_quarantined), 0))
    found = connection.execute(total.where(watermark.c.gateway.in_(gateways)))
    return int(found.scalar_one())


def values_section(books: EdgeBooks, stored: int, refused: int) -> tuple[dict[str, Any], bool]:
    """The report's ``values`` and whether all three equations hold."""
    totals = books.totals
    by_cause = dict(totals.dropped)
    if refused:
        by_cause["quarantine"] = by_cause.get("quarantine", 0) + refused
    dropped = sum(by_cause.values())
    values: dict[str, Any] = {name: getattr(totals, name) for name in COUNTERS}
    values |= {
        "stored": stored,
        "pending": books.pending,
        "dropped": dropped,
        "dropped_by_cause": by_cause,
    }
    closed = totals.buffered == stored + books.pending + dropped
    return values, totals.balanced and closed


def ledger_section(connection: Connection) -> dict[str, int]:
    """How much the ledger holds."""
    return {
        "enterprises": connection.execute(
            select(func.count()).select_from(enterprise)
        ).scalar_one(),
        "equipment": connection.execute(select(func.count()).select_from(equipment)).scalar_one(),
    }


def identifiers_section(connection: Connection) -> dict[str, int]:
    """Identifiers issued, confirmed by the node, and read back equal."""
    counts = identifier_counts(connection)
    return {
        "assigned": counts.assigned,
        "registered": counts.registered,
        "resolved": counts.resolved,
    }


def rates_section(
    connection: Connection, definition: str, month: str, now_ms: int
) -> dict[str, Any]:
    """The headline rate of the month, with its counties."""
    table: RateTable = rate_table(
        connection, definition, month, "county", now_ms=now_ms, demonstration=True
    )
    cell = table.city
    return {
        "definition": table.definition.id,
        "month": table.month,
        "status": str(table.status),
        "networked": cell.networked,
        "equipment": cell.equipment,
        "pooled": _two(cell.pooled),
        "mean": _two(cell.mean),
        "by_county": {
            county.key: {
                "networked": county.networked,
                "equipment": county.equipment,
                "pooled": _two(county.pooled),
            }
            for county in table.cells
        },
    }


def _two(rate: Any) -> float | None:
    from gateway.city.rates.compute import percent_text  # noqa: PLC0415

    return None if rate is None else float(percent_text(rate))
