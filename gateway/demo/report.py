"""Closing the books of a run: from the buffers, the watermark, the store, ledger and rates."""

from collections.abc import Mapping, Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, func, select

from gateway.city.db.tables import enterprise, equipment, watermark
from gateway.city.identifiers.issuing import identifier_counts
from gateway.city.rates.publishing.operational import rate_table
from gateway.city.rates.reports.shown import percent_text
from gateway.core.books import COUNTERS, Counts
from gateway.edge.buffer.buffer import read_books


def quarantined(connection: Connection, gateways: Sequence[str]) -> int:
    """Values of these gateways that the city received and refused."""
    total = select(func.coalesce(func.sum(watermark.c.values_quarantined), 0))
    found = connection.execute(total.where(watermark.c.gateway.in_(gateways)))
    return int(found.scalar_one())


def values_section(
    buffers: Mapping[str, Path], stored: int, refused: int
) -> tuple[dict[str, Any], bool]:
    """The report's ``values`` and whether all three equations hold.

    Args:
        buffers: buffer file of every gateway.
        stored: values that a query of the store found.
        refused: values that the city quarantined.
    """
    books = [read_books(file) for file in buffers.values()]
    totals = Counts()
    for one in books:
        totals.add(one.totals)
    pending = sum(one.pending.values for one in books)
    by_cause = dict(totals.dropped)
    if refused:
        by_cause["quarantine"] = by_cause.get("quarantine", 0) + refused
    dropped = sum(by_cause.values())
    values: dict[str, Any] = {name: getattr(totals, name) for name in COUNTERS}
    values |= {
        "stored": stored,
        "pending": pending,
        "dropped": dropped,
        "dropped_by_cause": by_cause,
        "uncertain": totals.uncertain_values,
        "uncertain_by_reason": totals.uncertain,
    }
    return values, totals.balanced and totals.buffered == stored + pending + dropped


def ledger_section(connection: Connection) -> dict[str, int]:
    """How much the ledger holds."""
    tables = {"enterprises": enterprise, "equipment": equipment}
    return {
        name: connection.execute(select(func.count()).select_from(table)).scalar_one()
        for name, table in tables.items()
    }


def identifiers_section(connection: Connection) -> dict[str, int]:
    """Identifiers issued, confirmed by the node, and read back equal."""
    counts = identifier_counts(connection)
    return {name: getattr(counts, name) for name in ("assigned", "registered", "resolved")}


def rates_section(
    connection: Connection, definition: str, month: str, now_ms: int
) -> dict[str, Any]:
    """The headline rate of the month, with its counties."""
    table = rate_table(connection, definition, month, "county", now_ms=now_ms, demonstration=True)
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


def _two(rate: Fraction | None) -> float | None:
    return None if rate is None else float(percent_text(rate))
