"""A month of rates for who sees some enterprises only. Pure."""

from collections.abc import Mapping
from dataclasses import replace

from gateway.city.ledger.codes import Name
from gateway.city.rates.compute import Tally, all_cells, unknown
from gateway.city.rates.reports.table import RateMonth

_TOTAL = Name("本数据范围", "Own scope")


def part_of(month: RateMonth, places: Mapping[str, tuple[str, str]]) -> RateMonth:
    """The month as it is of some enterprises alone: every cell, and the total, counts only these.

    Args:
        month: with its cells by enterprise.
        places: county and industry of those enterprises, by USCC.
    """
    tallies = [
        Tally(uscc, *places[uscc], part.networked, part.equipment)
        for uscc, part in month.cells["enterprise"].items()
        if uscc in places
    ]
    cells = all_cells(tallies)
    is_unknown = month.city.equipment > 0 and month.city.pooled is None
    names = {uscc: name for uscc, name in month.names.items() if uscc in places}
    shown = unknown(cells) if is_unknown else cells
    return replace(month, cells=shown, names=names, root=None, total_name=_TOTAL)
