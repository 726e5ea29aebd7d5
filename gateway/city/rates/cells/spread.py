"""How the rates of enterprises are spread. Pure; exact fractions."""

from collections.abc import Iterable
from fractions import Fraction
from typing import NamedTuple

_EXACT = 64
"""Bits behind the point by which two different rates of fewer than 2³¹ machines are told apart."""


class Spread(NamedTuple):
    """Quartiles of the rates of enterprises, each of the same weight.

    Attributes:
        lower: P25, per cent, exact.
        median: P50, per cent, exact.
        upper: P75, per cent, exact.
    """

    lower: Fraction
    median: Fraction
    upper: Fraction


def spread(rates: Iterable[tuple[int, int]]) -> Spread | None:
    """The quartiles of enterprises' rates; None where no enterprise has a rate.

    Between two neighbours of the ordered rates it is interpolated linearly, at place
    ``1 + p × (n - 1)``: definition 7 of Hyndman and Fan, *Sample quantiles in statistical
    packages* (1996), which spreadsheets call QUARTILE.INC.

    Args:
        rates: numerator and denominator of the enterprises; one with a denominator of 0 has none.
    """
    ordered = sorted((one for one in rates if one[1]), key=_order)
    if not ordered:
        return None
    if len(ordered) == 1:  # a city has ten thousand cells of one enterprise, and fractions are slow
        own = _percent(ordered[0])
        return Spread(own, own, own)
    return Spread(*(_quantile(ordered, part) for part in (1, 2, 3)))


def _order(rate: tuple[int, int]) -> int:
    # Exact: two rates differ by 1/(N·N') at least. Fractions themselves are slow to compare.
    return (rate[0] << _EXACT) // rate[1]


def _quantile(ordered: list[tuple[int, int]], quarter: int) -> Fraction:
    place, rest = divmod(quarter * (len(ordered) - 1), 4)
    below = _percent(ordered[place])
    if not rest:
        return below
    return below + Fraction(rest, 4) * (_percent(ordered[place + 1]) - below)


def _percent(rate: tuple[int, int]) -> Fraction:
    return Fraction(100 * rate[0], rate[1])
