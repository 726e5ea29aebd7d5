"""How the rates of enterprises are spread. Pure; exact fractions."""

from collections.abc import Iterable
from fractions import Fraction
from typing import NamedTuple


class Spread(NamedTuple):
    """Quartiles of the rates of enterprises, each of the same weight.

    Attributes:
        enterprises: n, those with machines; at least 1.
        lower: P25, per cent, exact.
        median: P50, per cent, exact.
        upper: P75, per cent, exact.
    """

    enterprises: int
    lower: Fraction
    median: Fraction
    upper: Fraction


def spread(rates: Iterable[Fraction | None]) -> Spread | None:
    """The quartiles of enterprises' rates; None where no enterprise has a rate.

    Between two neighbours of the ordered rates it is interpolated linearly, at place
    ``1 + p × (n - 1)``: definition 7 of Hyndman and Fan, *Sample quantiles in statistical
    packages* (1996), which spreadsheets call QUARTILE.INC.

    Args:
        rates: of the enterprises, per cent; None: one without machines.
    """
    ordered = sorted(rate for rate in rates if rate is not None)
    if not ordered:
        return None
    return Spread(len(ordered), *(_quantile(ordered, Fraction(part, 4)) for part in (1, 2, 3)))


def _quantile(ordered: list[Fraction], share: Fraction) -> Fraction:
    whole, rest = divmod(share * (len(ordered) - 1), 1)
    below = ordered[whole]
    return below + rest * (ordered[whole + 1] - below) if rest else below
