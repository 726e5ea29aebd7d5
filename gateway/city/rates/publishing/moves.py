"""By how much the figures of a cell could differ while everything published stays as it is. Pure.

Four cells at the corners of a rectangle – the cell, one of its row, one of its column, and the one
across – can change together so that every row and column still adds up. If all four are withheld,
nobody can tell the true values from the changed ones (the hypercube method: Giessing and Repsilber
2002; here each change is bounded for K, N − K, N and the number of enterprises together).

A total changes against the sign of its parts. What goes down is bounded: nobody has fewer than no
machines, an enterprise in a cell has at least one, and the largest enterprise of a cell that
protects another knows its own part, so that part protects nobody from it.
"""

from dataclasses import dataclass
from typing import Literal

import numpy as np

from gateway.city.rates.publishing.grid import Grid, Ints

Quantity = Literal["equipment", "networked", "silent", "enterprises"]
Direction = Literal[1, -1]
Pair = tuple[Ints, Ints]

_UNBOUNDED = np.iinfo(np.int64).max // 4


@dataclass(frozen=True, slots=True)
class Rooms:
    """By how much cells can go down in each kind of change.

    Attributes:
        alone: K, and N − K; N goes down with it, n does not.
        joining: K, and N − K, each with n: whole enterprises of one machine.
        exchange: K, and N − K, one against the other.
        regrouping: n, and machines beyond one an enterprise, one against the other.
    """

    alone: Pair
    joining: Pair
    exchange: Pair
    regrouping: Pair


def own_rooms(grid: Grid) -> Rooms:
    """Of the cell that is protected."""
    return _rooms(grid, grid.networked, grid.silent, grid.spare)


def protecting_rooms(grid: Grid) -> Rooms:
    """Of cells that protect it, as their largest enterprise sees them."""
    others = grid.equipment - grid.largest - np.maximum(grid.n - 1, 0)
    return _rooms(
        grid,
        grid.networked - grid.largest_networked,
        grid.silent - grid.largest_silent,
        others,
    )


def _rooms(grid: Grid, networked: Ints, silent: Ints, spare: Ints) -> Rooms:
    fewer = np.maximum(grid.n - 1, 0)
    return Rooms(
        alone=(np.minimum(networked, spare), np.minimum(silent, spare)),
        joining=(np.minimum(networked, fewer), np.minimum(silent, fewer)),
        exchange=(networked, silent),
        regrouping=(fewer, spare),
    )


@dataclass(frozen=True, slots=True)
class Rectangles:
    """All rectangles with one cell as a corner, by their opposite corner.

    Attributes:
        row: of the cell.
        column: of the cell.
        row_signs: 1 for a county, -1 for the total.
        column_signs: 1 for an industry, -1 for the total.
    """

    row: int
    column: int
    row_signs: Ints
    column_signs: Ints

    def bound(self, own: Ints, with_it: Ints, against_it: Ints) -> Ints:
        """The largest change, for each rectangle.

        Cells of one line that change in the same direction are a total and its part: who is in
        the one is in the other, or is left there by what the other keeps.

        Args:
            own: how far a cell can go in its direction, as who is not in it sees it.
            with_it: how far a protecting cell can go in that direction.
            against_it: how far in the other.
        """
        along = -self.column_signs[self.column] * self.column_signs
        across = -self.row_signs[self.row] * self.row_signs
        opposite = along[None, :] * across[:, None]
        beside = np.where(along > 0, own[self.row], against_it[self.row])
        below = np.where(across > 0, own[:, self.column], against_it[:, self.column])
        far = np.where(opposite > 0, with_it, against_it)
        least = np.minimum(np.minimum(beside[None, :], below[:, None]), far)
        bounded: Ints = np.minimum(least, own[self.row, self.column])
        return bounded


def changes(
    at: Rectangles, own: Rooms, others: Rooms, direction: Direction
) -> dict[Quantity, Ints]:
    """By how much each quantity of the cell could be larger (1) or smaller (-1), by rectangle."""

    def plain(mine: Ints, protecting: Ints) -> Ints:
        free = np.full_like(mine, _UNBOUNDED)
        if direction > 0:
            return at.bound(free, free, protecting)
        return at.bound(mine, protecting, free)

    def paired(mine: Pair, protecting: Pair, falling: int) -> Ints:
        return at.bound(mine[falling], protecting[falling], protecting[1 - falling])

    joining = [plain(own.joining[i], others.joining[i]) for i in (0, 1)]
    parts = [plain(own.exchange[i], others.exchange[i]) for i in (0, 1)]
    alone = [plain(own.alone[i], others.alone[i]) for i in (0, 1)]
    first, second = (1, 0) if direction > 0 else (0, 1)
    together = np.minimum(plain(own.regrouping[1], others.regrouping[1]), parts[0] + parts[1])
    return {
        "equipment": _largest(*joining, together),
        "networked": _largest(joining[0], alone[0], paired(own.exchange, others.exchange, first)),
        "silent": _largest(joining[1], alone[1], paired(own.exchange, others.exchange, second)),
        "enterprises": _largest(*joining, paired(own.regrouping, others.regrouping, first)),
    }


def _largest(*kinds: Ints) -> Ints:
    most: Ints = np.maximum.reduce(kinds)
    return most
