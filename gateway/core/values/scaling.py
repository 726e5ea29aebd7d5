"""From raw numbers to scaled ones, so that they read as a person would compute them. Pure."""

from collections.abc import Sequence
from decimal import Decimal
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from gateway.core.schema import Column
from gateway.core.values.plain import plain_values

Positions = npt.NDArray[np.intp]
Linear = Sequence[tuple[float, float]]
"""Scale and offset of some tags."""


class Scaling(NamedTuple):
    """``(raw × factor + offset) / divisor`` of neighbouring tags.

    With the divisor a power of ten and the others whole, 302 × 0.1 is 30.2 to the last bit, and
    not 30.200000000000003: whole numbers are exact in float64, and one division rounds once.
    """

    factor: Column
    offset: Column
    divisor: Column | None

    def of(self, raw: Column) -> Column:
        """The scaled values of all of them."""
        values = raw * self.factor
        values += self.offset
        if self.divisor is not None:
            values /= self.divisor
        return values

    def at(self, tags: Positions) -> "Scaling":
        """That of some of the tags."""
        divisor = None if self.divisor is None else self.divisor[tags]
        return Scaling(self.factor[tags], self.offset[tags], divisor)


class Shift(NamedTuple):
    """``raw × scale + offset`` of floats in decimals, value by value: 296.35 − 273.15 is 23.2.

    In binary a difference keeps the digits in which the two were inexact. Few floats have an
    offset, so that they may cost a microsecond each.
    """

    terms: tuple[tuple[Decimal, Decimal], ...]

    def of(self, raw: Column) -> Column:
        """The scaled values of all of them."""
        pairs = zip(plain_values(raw), self.terms, strict=True)
        return np.array([float(Decimal(repr(value)) * scale + by) for value, (scale, by) in pairs])

    def at(self, tags: Positions) -> "Shift":
        """That of some of the tags."""
        return Shift(tuple(self.terms[tag] for tag in tags.tolist()))


_MOST_DIGITS = 9
"""A scale or offset of more digits is no decimal that somebody wrote, but 1/3 or the like."""


def scaling_of(terms: Linear) -> Scaling:
    """The scaling of some tags, in whole numbers where scale and offset are short decimals."""
    whole = [_terms(scale, offset) for scale, offset in terms]
    factor, offset, divisor = (np.array(column, np.float64) for column in zip(*whole, strict=True))
    return Scaling(factor, offset, divisor if np.any(divisor != 1) else None)


def shift_of(terms: Linear) -> Shift:
    """The same of floats that have an offset."""
    return Shift(tuple((Decimal(repr(scale)), Decimal(repr(offset))) for scale, offset in terms))


def _terms(scale: float, offset: float) -> tuple[float, float, float]:
    """Factor, offset and divisor of one tag."""
    written = [Decimal(repr(number)).normalize() for number in (scale, offset)]
    is_exact = written == [Decimal(number) for number in (scale, offset)]  # as 0.5 and 10
    places = max(0, *(-int(number.as_tuple().exponent) for number in written))
    digits = max(places, *(len(number.as_tuple().digits) for number in written))
    if is_exact or digits > _MOST_DIGITS:
        return scale, offset, 1.0
    factor, constant = (float(number.scaleb(places)) for number in written)
    return factor, constant, 10.0**places
