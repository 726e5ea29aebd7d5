"""What is withheld of the tables of a month. Pure."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np

from gateway.city.rates.cells.tally import Tally
from gateway.city.rates.publishing.grid import (
    TOTAL,
    Axes,
    Bools,
    Grid,
    Key,
    axes_of,
    grid_of,
)
from gateway.city.rates.publishing.primary import sensitive
from gateway.city.rates.publishing.rules import Rules
from gateway.city.rates.publishing.secondary import Protection, UnprotectedError

CITY_KEY: Key = (TOTAL, TOTAL)


@dataclass(frozen=True, slots=True)
class Withheld:
    """Cells that the public is not shown, by county and industry.

    Attributes:
        sensitive: they would show an enterprise, or once did.
        protecting: they would give away a sensitive one.
        all_parts: nothing but the city's total can be shown of this month; the other two name
            what stays withheld later.
    """

    sensitive: frozenset[Key] = frozenset()
    protecting: frozenset[Key] = frozenset()
    all_parts: bool = False

    def hides(self, key: Key) -> bool:
        """Whether a cell is not shown."""
        hidden = key in self.sensitive or key in self.protecting
        return hidden or CITY_KEY in self.sensitive or (self.all_parts and key != CITY_KEY)


NOTHING_WITHHELD = Withheld()


def withhold(
    tables: Sequence[Sequence[Tally]], rules: Rules, earlier: Withheld = NOTHING_WITHHELD
) -> Withheld:
    """What of a month is withheld, in all of its tables alike.

    Were a cell shown in one table and withheld in another of the same enterprises, the one would
    tell much of the other.

    Args:
        tables: numerator and denominator of every enterprise, a table a definition.
        rules: what is sensitive, and how it is protected.
        earlier: what was withheld of the months and vintages before; it stays withheld.
    """
    axes = axes_of(tables)
    grids = [grid_of(table, axes) for table in tables]
    somebody = _any(grid.n > 0 for grid in grids)
    kept = earlier if rules.stable else NOTHING_WITHHELD
    own = _any(sensitive(grid, rules) for grid in grids) | _differing(tables, axes, rules)
    own |= somebody & _cells(kept.sensitive, axes)
    beside = somebody & _cells(kept.protecting, axes)
    hidden, all_parts = _protected(grids, own, beside, rules)
    return Withheld(
        sensitive=_keys(own, axes) | kept.sensitive,
        protecting=(_keys(hidden & ~own, axes) | kept.protecting) - kept.sensitive,
        all_parts=all_parts,
    )


def _protected(
    grids: Sequence[Grid], own: Bools, beside: Bools, rules: Rules
) -> tuple[Bools, bool]:
    """The cells that are withheld, and whether every part of the city is."""
    protection = Protection(grids, beside.copy(), rules)
    try:
        protection.protect(own)
    except UnprotectedError:
        return own | beside, True
    return protection.withheld, bool(own[-1, -1])


def _differing(tables: Sequence[Sequence[Tally]], axes: Axes, rules: Rules) -> Bools:
    """Cells in which two tables differ by so few enterprises that they show those."""
    found = np.zeros(axes.shape, np.bool_)
    for one, other in combinations(tables, 2):
        apart = _counted(one) ^ _counted(other)
        either = {tally.uscc: tally for tally in (*one, *other)}
        count = grid_of([_unit(either[uscc]) for uscc in sorted(apart)], axes).n
        found |= (count > 0) & (count < rules.fewest)
    found[-1, -1] = False
    return found


def _counted(table: Iterable[Tally]) -> set[str]:
    return {one.uscc for one in table if one.equipment > 0}


def _unit(one: Tally) -> Tally:
    return Tally(one.uscc, one.county, one.industry, 0, 1)


def _any(masks: Iterable[Bools]) -> Bools:
    found: Bools = np.logical_or.reduce(list(masks))
    return found


def _cells(keys: Iterable[Key], axes: Axes) -> Bools:
    by_county: dict[str, set[str]] = defaultdict(set)
    for county, industry in keys:
        by_county[county].add(industry)
    return np.array(
        [[i in by_county.get(c, ()) for i in axes.industries] for c in axes.counties], np.bool_
    )


def _keys(cells: Bools, axes: Axes) -> frozenset[Key]:
    return frozenset(axes.key(row, column) for row, column in np.argwhere(cells))
