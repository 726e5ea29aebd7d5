"""Which place a part has among others by its rate. Pure."""

from collections.abc import Mapping
from fractions import Fraction

from gateway.city.rates.cells.statistics import Bounds

Placed = tuple[Fraction | None, Bounds | None]
"""A rate, None: it is unknown or withheld; and between what it lies, None: it is exact."""


def ranks(parts: Mapping[str, Placed]) -> dict[str, int | None]:
    """Places from 1, equal rates sharing one: 1, 2, 2, 4.

    None where a place cannot be told: without a rate, and where what is not known of two parts
    could turn their order round.
    """
    known = {key: (rate, bounds) for key, (rate, bounds) in parts.items() if rate is not None}
    return {key: _place(key, known) if key in known else None for key in parts}


def _place(key: str, known: Mapping[str, tuple[Fraction, Bounds | None]]) -> int | None:
    rate, bounds = known[key]
    lower, upper = _span(rate, bounds)
    above = 0
    for other, (its_rate, its_bounds) in known.items():
        low, high = _span(its_rate, its_bounds)
        is_tie = low == high == lower == upper
        if other == key or is_tie or high < lower:
            continue
        if low <= upper:
            return None
        above += 1
    return above + 1


def _span(rate: Fraction, bounds: Bounds | None) -> tuple[Fraction, Fraction]:
    return (rate, rate) if bounds is None else (bounds.lower, bounds.upper)
