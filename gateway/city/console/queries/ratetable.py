"""Rate tables for pages and files."""

from collections.abc import Iterable
from fractions import Fraction

from gateway.city.rates.compute import percent_text
from gateway.city.rates.reports.table import RateCell, RateTable
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


def ranked(table: RateTable) -> list[RateCell]:
    """The highest rate first, those without a rate last; equal rates by key."""

    def place(cell: RateCell) -> tuple[bool, Fraction, str]:
        rate = table.lead(cell)
        return rate is None, -(rate or Fraction(0)), cell.key

    return sorted(table.cells, key=place)


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
        "definition_version": None if table.outdated else table.definition.version,
        "definition_hash": table.definition_hash,
        "month": table.month,
        "status": table.status,
        "vintage": table.vintage,
        "as_of": moment(table.as_of_ms),
        "computed": moment(table.computed_ms),
        **_correction(table),
    }


def _correction(table: RateTable) -> dict[str, Cell]:
    """Why and by whom a frozen month was published anew."""
    made = table.correction
    if made is None:
        return {}
    return {
        "correction": made.reason,
        "correction_note": made.note,
        "corrected_by": made.corrected_by,
    }


def _row(cell: RateCell) -> dict[str, Cell]:
    """A line of a file; what is not known is empty there, never 0."""
    return {
        "key": cell.key,
        "name_zh": cell.name.zh,
        "name_en": cell.name.en,
        "networked": None if cell.pooled is None else cell.networked,
        "equipment": cell.equipment,
        "enterprises": cell.enterprises,
        "pooled_percent": None if cell.pooled is None else percent_text(cell.pooled),
        "mean_percent": None if cell.mean is None else percent_text(cell.mean),
    }
