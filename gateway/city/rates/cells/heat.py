"""Industries × counties: one cell for each division in each county. Pure; exact fractions."""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction

from gateway.city.rates.cells.cell import Cell
from gateway.city.rates.cells.dimensions import BETWEEN

_DIVISION = 2
"""Digits of a division of GB/T 4754."""


@dataclass(frozen=True, slots=True)
class Heat:
    """What a division has in a county.

    Attributes:
        networked: K.
        equipment: N.
        enterprises: n, those with machines that count.
        pooled: per cent, exact; None: there are no machines, or nothing is known of the month.
    """

    networked: int
    equipment: int
    enterprises: int
    pooled: Fraction | None


def heat(cells: Mapping[str, Cell]) -> dict[str, dict[str, Heat]]:
    """The cells of counties × industries by division, then county; nobody there: no entry.

    Args:
        cells: of the dimension ``county-industry``, by key.
    """
    parts: dict[tuple[str, str], list[Cell]] = defaultdict(list)
    for key, cell in cells.items():
        county, industry = key.split(BETWEEN)
        parts[industry[:_DIVISION], county].append(cell)
    found: dict[str, dict[str, Heat]] = defaultdict(dict)
    for division, county in sorted(parts):
        found[division][county] = _together(parts[division, county])
    return dict(found)


def _together(cells: list[Cell]) -> Heat:
    networked = sum(one.networked for one in cells)
    equipment = sum(one.equipment for one in cells)
    is_known = equipment and all(one.pooled is not None for one in cells if one.equipment)
    pooled = Fraction(100 * networked, equipment) if is_known else None
    return Heat(networked, equipment, sum(one.enterprises for one in cells), pooled)
