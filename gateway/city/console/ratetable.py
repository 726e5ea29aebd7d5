"""Rate tables for pages and files."""

from collections.abc import Iterable

from gateway.city.rates.compute import percent_text
from gateway.city.rates.report import RateCell, RateTable
from gateway.web.formats import moment
from gateway.web.tables import Cell, Table

COLUMNS = (
    "key",
    "name_zh",
    "name_en",
    "networked",
    "equipment",
    "enterprises",
    "pooled_percent",
    "mean_percent",
)


def ranked(cells: Iterable[RateCell]) -> list[RateCell]:
    """Highest pooled rate first, those without a rate last; equal rates by key."""
    return sorted(cells, key=lambda cell: (cell.pooled is None, -(cell.pooled or 0), cell.key))


def as_table(table: RateTable, cells: Iterable[RateCell] | None = None) -> Table:
    """A rate table to take away; the total is the first row."""
    chosen = table.cells if cells is None else tuple(cells)
    total = (table.city,) if cells is None else ()
    return Table(
        name=f"{table.definition.id}-{table.month}-{table.by}",
        columns=COLUMNS,
        rows=[_row(cell) for cell in (*total, *chosen)],
        notes=rate_notes(table),
    )


def rate_notes(table: RateTable) -> dict[str, Cell]:
    """What stands beside every figure: definition, month, status, time."""
    return {
        "definition": table.definition.id,
        "definition_version": table.definition.version,
        "month": table.month,
        "status": table.status,
        "as_of": moment(table.as_of_ms),
    }


def _row(cell: RateCell) -> dict[str, Cell]:
    return {
        "key": cell.key,
        "name_zh": cell.name.zh,
        "name_en": cell.name.en,
        "networked": cell.networked,
        "equipment": cell.equipment,
        "enterprises": cell.enterprises,
        "pooled_percent": None if cell.pooled is None else percent_text(cell.pooled),
        "mean_percent": None if cell.mean is None else percent_text(cell.mean),
    }
