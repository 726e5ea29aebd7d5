"""Counties as tiles that lie to each other as the counties do. Pure."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from gateway.city.ledger.codes import COUNTIES, FUNCTIONAL_AREAS, Name
from gateway.city.rates.reports.table import RateCell, RateTable

_GRID = (("330824", "330802", "330825"), ("330822", "330881", "330803"))
"""Rows from north to south: Kaihua, Kecheng, Longyou; Changshan, Jiangshan, Qujiang. A scheme, no
map: no boundary is drawn, and none is claimed."""
OVERLAPPED = frozenset({"330802", "330803"})
"""Counties in which the functional areas lie."""


@dataclass(frozen=True, slots=True)
class Tile:
    """One county.

    Attributes:
        code: GB/T 2260.
        name: of the county.
        cell: its figures; None: no enterprise of it is in scope.
        place: among the counties by its rate; None: that cannot be told.
        is_overlapped: functional areas lie in it.
    """

    code: str
    name: Name
    cell: RateCell | None
    place: int | None
    is_overlapped: bool


def tiles(table: RateTable, places: Mapping[str, int | None]) -> tuple[Tile, ...]:
    """The six counties in rows of three, whether or not anybody is there."""
    cells = {cell.key: cell for cell in table.cells}
    return tuple(
        Tile(code, COUNTIES[code], cells.get(code), places.get(code), code in OVERLAPPED)
        for row in _GRID
        for code in row
    )


def beside(table: RateTable) -> list[RateCell]:
    """Cells that have no tile: of codes that are none of the six."""
    known = {code for row in _GRID for code in row}
    return [cell for cell in table.cells if cell.key not in known]


def marks(cells: Iterable[RateCell]) -> list[tuple[str, Name, RateCell | None]]:
    """The functional areas: marks beside the tiles, never tiles, for they overlap counties."""
    found = {cell.key: cell for cell in cells}
    return [(code, name, found.get(code)) for code, name in FUNCTIONAL_AREAS.items()]
