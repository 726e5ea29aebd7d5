"""Points of a rate by the bands of a definition. Pure."""

from collections.abc import Iterable
from fractions import Fraction

from gateway.city.rates.model import Band


def score(bands: Iterable[Band], rate: Fraction | None) -> Fraction | None:
    """Points of a rate by right-closed bands; 60 % exactly is still in (40, 60].

    Args:
        bands: in order, as a definition holds them.
        rate: per cent, exact; None: there is none, and so no points.
    """
    if rate is None:
        return None
    return next((band.score for band in bands if rate <= band.upto), None)
