"""Cells that are withheld so that no sensitive one can be worked out from the others. Pure.

Deterministic: sensitive cells in order of their size, each protected by what takes the least from
the reader; what is withheld already costs nothing.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

import numpy as np

from gateway.city.rates.publishing.grid import Bools, Grid, Ints
from gateway.city.rates.publishing.moves import (
    Direction,
    Quantity,
    Rectangles,
    Rooms,
    changes,
    own_rooms,
    protecting_rooms,
)
from gateway.city.rates.publishing.rules import Rules


class Need(NamedTuple):
    """How far a quantity of a cell must be in doubt, in one direction."""

    quantity: Quantity
    direction: Direction
    amount: int


class UnprotectedError(Exception):
    """A sensitive cell cannot be protected by withholding others beside it."""


def needs(grid: Grid, row: int, column: int, rules: Rules) -> Iterator[Need]:
    """What a reader must not be able to tell of a cell.

    N, K and N − K within the interval, at least by one machine, and that one is 0; that there are
    so few enterprises. Where the city's own total says that nobody is networked, or
    everybody, that is no secret of a cell.
    """
    quantities: dict[Quantity, Ints] = {"networked": grid.networked}
    if rules.joint:
        quantities |= {"equipment": grid.equipment, "silent": grid.silent}
    for name, values in quantities.items():
        value = int(values[row, column])
        amount = max(1, -(-value * rules.interval_percent // 100))
        least = 1 if name == "equipment" else 0  # nobody doubts that a withheld cell has machines
        if values[-1, -1] > 0:
            yield Need(name, 1, amount)
            yield Need(name, -1, min(amount, value - least))
    if rules.joint:
        yield Need("enterprises", 1, max(1, rules.fewest - int(grid.n[row, column])))


@dataclass(frozen=True, slots=True)
class _Side:
    """A table that is protected together with others."""

    grid: Grid
    own: Rooms
    others: Rooms


@dataclass(frozen=True)
class Protection:
    """Withholds cells of several tables of one month, the same in each.

    Attributes:
        grids: of equal axes.
        withheld: cells that are withheld; more are added.
        rules: how well a sensitive cell is protected.
    """

    grids: Sequence[Grid]
    withheld: Bools
    rules: Rules

    def protect(self, sensitive: Bools) -> None:
        """Withhold sensitive cells and what each of them needs.

        Raises:
            UnprotectedError: nothing beside a cell can hide it.
        """
        self.withheld[sensitive] = True
        if not self.rules.secondary:
            return
        for row, column in self._by_size(sensitive):
            for side in self._sides:
                if side.grid.n[row, column] > 0:
                    self._hide(side, row, column)

    @cached_property
    def _sides(self) -> list[_Side]:
        return [_Side(grid, own_rooms(grid), protecting_rooms(grid)) for grid in self.grids]

    @cached_property
    def _size(self) -> Ints:
        largest = self.grids[0].equipment
        for grid in self.grids[1:]:
            largest = np.maximum(largest, grid.equipment)
        return largest

    def _by_size(self, cells: Bools) -> list[tuple[int, int]]:
        rows, columns = np.nonzero(cells)
        order = np.lexsort((columns, rows, -self._size[rows, columns]))
        return [(int(rows[at]), int(columns[at])) for at in order]

    def _hide(self, side: _Side, row: int, column: int) -> None:
        at = _rectangles(side.grid, row, column)
        possible = self._possible(row, column)
        wanted = [one for one in needs(side.grid, row, column, self.rules) if one.amount > 0]
        directions: tuple[Direction, ...] = (1, -1)
        for direction in directions:
            allowed = changes(at, side.own, side.others, direction)
            for need in wanted:
                if need.direction == direction:
                    self._meet(need, np.where(possible, allowed[need.quantity], 0), row, column)

    def _possible(self, row: int, column: int) -> Bools:
        """Opposite corners of rectangles that a cell may be hidden in: never with the city's."""
        rows, columns = self.grids[0].n.shape
        possible = np.ones((rows, columns), np.bool_)
        possible[row, :] = possible[:, column] = possible[-1, -1] = False
        if row == rows - 1:
            possible[:, -1] = False
        if column == columns - 1:
            possible[-1, :] = False
        for grid in self.grids:
            if grid.n[row, column] > 0:
                somebody = grid.n > 0
                possible &= somebody & somebody[row][None, :] & somebody[:, column][:, None]
        return possible

    def _meet(self, need: Need, allowed: Ints, row: int, column: int) -> None:
        """Withhold rectangles until what they allow together is enough.

        Rectangles without a common row or column share the cell alone, so what they allow adds up;
        so does what they allow that have its total in common.
        """
        last_row, last_column = (size - 1 for size in allowed.shape)
        left = need.amount
        while left > 0:
            enough = np.minimum(allowed, left)
            best = int(enough.max(initial=0))
            if best == 0:
                raise UnprotectedError
            costs = np.where(enough == best, self._costs(row, column), np.inf)
            far_row, far_column = np.unravel_index(int(np.argmin(costs)), costs.shape)
            for r, c in ((row, far_column), (far_row, column), (far_row, far_column)):
                self.withheld[r, c] = True
            # A total that the cell is a part of goes with it, and is as free as it however often.
            if far_row < last_row:
                allowed[far_row, :] = 0
            if far_column < last_column:
                allowed[:, far_column] = 0
            left -= best

    def _costs(self, row: int, column: int) -> Ints:
        price = np.where(self.withheld, 0, 1 + self._size)
        costs: Ints = price + price[row][None, :] + price[:, column][:, None]
        return costs


def _rectangles(grid: Grid, row: int, column: int) -> Rectangles:
    rows, columns = grid.n.shape
    row_signs, column_signs = np.ones(rows, np.int64), np.ones(columns, np.int64)
    row_signs[-1] = column_signs[-1] = -1
    return Rectangles(row, column, row_signs, column_signs)
