"""One rate of one month as counties × industries with their totals, in columns. Pure.

A grid has a row a county and a column an industry, and behind them the totals: the last column
holds counties, the last row industries, the corner the city. Every row and every column adds up::

    Σ cells − total = 0
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from gateway.city.rates.cells.tally import Tally

Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]

TOTAL = ""
"""Key of all counties, and of all industries."""

Key = tuple[str, str]
"""County and industry of a cell; either may be :data:`TOTAL`."""


@dataclass(frozen=True, slots=True)
class Axes:
    """What rows and columns stand for; the last of each is the total.

    Attributes:
        counties: GB/T 2260 codes in order, then :data:`TOTAL`.
        industries: GB/T 4754 codes in order, then :data:`TOTAL`.
    """

    counties: tuple[str, ...]
    industries: tuple[str, ...]

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and columns, with the totals."""
        return len(self.counties), len(self.industries)

    def key(self, row: int, column: int) -> Key:
        """County and industry of a cell."""
        return self.counties[row], self.industries[column]


def axes_of(tables: Sequence[Sequence[Tally]]) -> Axes:
    """The axes that hold every enterprise of several tables."""
    counties = sorted({one.county for table in tables for one in table})
    industries = sorted({one.industry for table in tables for one in table})
    return Axes((*counties, TOTAL), (*industries, TOTAL))


@dataclass(frozen=True, slots=True)
class Grid:
    """Integers of every cell, each of the axes' shape.

    Attributes:
        n: enterprises with machines.
        networked: K.
        silent: N − K.
        largest: N of its largest enterprise.
        two_largest: N of its two largest.
        largest_networked: the largest K of an enterprise.
        largest_silent: the largest N − K of an enterprise.
    """

    n: Ints
    networked: Ints
    silent: Ints
    largest: Ints
    two_largest: Ints
    largest_networked: Ints
    largest_silent: Ints

    @property
    def equipment(self) -> Ints:
        """N."""
        return self.networked + self.silent

    @property
    def spare(self) -> Ints:
        """Machines beyond one an enterprise."""
        return self.equipment - self.n


def grid_of(tallies: Sequence[Tally], axes: Axes) -> Grid:
    """Add up enterprises; those without machines are in no cell."""
    counted = [one for one in tallies if one.equipment > 0]
    rows, columns = axes.shape
    row_of = {code: at for at, code in enumerate(axes.counties)}
    column_of = {code: at for at, code in enumerate(axes.industries)}
    row = np.array([row_of[one.county] for one in counted], np.int64)
    column = np.array([column_of[one.industry] for one in counted], np.int64)
    last_row, last_column = np.full_like(row, rows - 1), np.full_like(column, columns - 1)
    at = np.concatenate([r * columns + c for r in (row, last_row) for c in (column, last_column)])
    networked = np.tile(np.array([one.networked for one in counted], np.int64), 4)
    equipment = np.tile(np.array([one.equipment for one in counted], np.int64), 4)
    cells = _Cells(at, axes.shape)
    largest, second = cells.two_largest(equipment)
    return Grid(
        n=cells.total(np.ones_like(at)),
        networked=cells.total(networked),
        silent=cells.total(equipment - networked),
        largest=largest,
        two_largest=largest + second,
        largest_networked=cells.two_largest(networked)[0],
        largest_silent=cells.two_largest(equipment - networked)[0],
    )


@dataclass(frozen=True, slots=True)
class _Cells:
    """Which cell each contribution is of, as its place in the flattened grid."""

    at: Ints
    shape: tuple[int, int]

    def total(self, values: Ints) -> Ints:
        flat = np.zeros(self.shape[0] * self.shape[1], np.int64)
        np.add.at(flat, self.at, values)
        return flat.reshape(self.shape)

    def two_largest(self, values: Ints) -> tuple[Ints, Ints]:
        order = np.lexsort((-values, self.at))
        at, value = self.at[order], values[order]
        first = np.ones(len(at), np.bool_)
        first[1:] = at[1:] != at[:-1]
        second = np.zeros(len(at), np.bool_)
        second[1:] = first[:-1] & ~first[1:]
        found = np.zeros((2, self.shape[0] * self.shape[1]), np.int64)
        found[0, at[first]] = value[first]
        found[1, at[second]] = value[second]
        return found[0].reshape(self.shape), found[1].reshape(self.shape)
