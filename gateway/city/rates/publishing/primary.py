"""Which cells would show an enterprise by themselves. Pure."""

from gateway.city.rates.publishing.grid import Bools, Grid
from gateway.city.rates.publishing.rules import Rules


def sensitive(grid: Grid, rules: Rules) -> Bools:
    """Cells of few enterprises, with dominant ones, or where all or none is networked.

    A cell without enterprises is not sensitive: there is nobody in it.
    """
    n, equipment = grid.n, grid.equipment
    few = n < rules.fewest
    dominated = (grid.largest * 100 > rules.largest_percent * equipment) | (
        grid.two_largest * 100 > rules.two_largest_percent * equipment
    )
    uniform = ((grid.networked == 0) | (grid.silent == 0)) & (n < rules.uniform_below)
    found: Bools = (n > 0) & (few | dominated | uniform)
    return found
