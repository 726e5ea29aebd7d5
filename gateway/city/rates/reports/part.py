"""A month of rates for who sees some enterprises only. Pure."""

from collections.abc import Mapping
from collections.abc import Set as AbstractSet
from dataclasses import replace

from gateway.city.ledger.codes import Name
from gateway.city.rates.cells.cell import Cell
from gateway.city.rates.cells.dimensions import CITY, all_cells, unknown
from gateway.city.rates.cells.tally import Place, Tally
from gateway.city.rates.reports.table import RateMonth

_TOTAL = Name("本数据范围", "Own scope")


def part_of(
    month: RateMonth, places: Mapping[str, Place], rows: AbstractSet[str] | None = None
) -> RateMonth:
    """The month as it is of some enterprises alone: every cell, and the total, counts only these.

    Args:
        month: with its cells by enterprise.
        places: of those enterprises, by USCC.
        rows: whose own cells are shown; None: of all of them.
    """
    shown_ones = places.keys() if rows is None else rows
    tallies = [
        _tally(uscc, places[uscc], part)
        for uscc, part in month.cells["enterprise"].items()
        if uscc in places
    ]
    every = all_cells(tallies)
    own = {uscc: one for uscc, one in every["enterprise"].items() if uscc in shown_ones}
    cells = {**every, "enterprise": own}
    whole = month.cells[CITY][CITY]
    is_unknown = whole.equipment > 0 and whole.pooled is None
    names = {uscc: name for uscc, name in month.names.items() if uscc in shown_ones}
    shown = unknown(cells) if is_unknown else cells
    return replace(month, cells=shown, names=names, root=None, total_name=_TOTAL)


def _tally(uscc: str, place: Place, part: Cell) -> Tally:
    """An enterprise as its own cell has it."""
    told = part.statistics
    bare = Tally(
        uscc,
        place.county,
        place.industry,
        part.networked,
        part.equipment,
        area=place.area,
        size=place.size,
    )
    if told is None:
        return bare
    return replace(
        bare,
        verified=told.verified > 0,
        undetermined=told.undetermined,
        excused=told.excused,
        missing=told.missing > 0,
        assumed=told.assumed if told.missing else None,
    )
