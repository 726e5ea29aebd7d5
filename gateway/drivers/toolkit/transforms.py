"""Numbers that NumPy has no type for, made of raw ones: whole columns at once. Pure.

Each transformation knows its inverse, so that what is written is what is read. They are values:
equal ones are one part of a decoder.
"""

from dataclasses import dataclass
from functools import cache
from typing import Protocol

import numpy as np
import numpy.typing as npt

from gateway.core.schema import Column

Wrong = npt.NDArray[np.bool_] | None
"""Which raw numbers stand for no value; None: all stand for one, whatever they are."""


class Transform(Protocol):
    """From raw unsigned numbers to values, and back."""

    def __call__(self, raw: Column) -> tuple[Column, Wrong]:
        """The values, and which of them are none."""

    def raw_of(self, value: int) -> int:
        """The raw number of a value.

        Raises:
            ValueError: it has none.
        """


@cache
def _mask(pattern: int, bits: int) -> np.uint64:
    """A pattern of a nibble, byte … repeated over 64 bits."""
    return np.uint64(sum(pattern << at for at in range(0, 64, bits)))


@dataclass(frozen=True, slots=True)
class PackedDecimal:
    """Binary-coded decimal: a digit in four bits, the first one in the highest."""

    digits: int

    def __call__(self, raw: Column) -> tuple[Column, Wrong]:
        """Digits are joined in pairs, the pairs in pairs and so on; none is above 9."""
        values = raw.astype(np.uint64)
        one, two = np.uint64(1), np.uint64(2)
        # A nibble above 9 has its highest bit and one of the two in the middle.
        wrong = (values & (values << one | values << two) & _mask(0x8, 4)) != 0
        width, weight = 4, 10
        while width < 4 * self.digits:
            low = _mask((1 << width) - 1, 2 * width)
            values = (values & low) + (values >> np.uint64(width) & low) * np.uint64(weight)
            width, weight = 2 * width, weight * weight
        return values, wrong

    def raw_of(self, value: int) -> int:
        """The digits of a number, as if they were hexadecimal."""
        if not 0 <= value < 10**self.digits:
            raise ValueError(f"{value} is no number of {self.digits} decimal digits")
        return int(str(value), 16)


@dataclass(frozen=True, slots=True)
class SignMagnitude:
    """The highest bit is the sign, the others the absolute value."""

    bits: int

    def __call__(self, raw: Column) -> tuple[Column, Wrong]:
        """Every pattern is a value; there are two zeros."""
        sign = raw.dtype.type(1 << self.bits - 1)
        size = (raw & ~sign).astype(np.int64)
        return np.where(raw & sign, -size, size), None

    def raw_of(self, value: int) -> int:
        """The pattern of a number; that of 0 without a sign."""
        sign = 1 << self.bits - 1
        if abs(value) >= sign:
            raise ValueError(f"{value} does not fit sign and magnitude in {self.bits} bits")
        return abs(value) | (sign if value < 0 else 0)


@dataclass(frozen=True, slots=True)
class Modulo:
    """Words of 16 bits, each a digit of base 10,000, as energy meters count (mod10, M10k).

    Attributes:
        words: how many.
        signed: whether a number may be negative; then all of its words are.
    """

    words: int
    signed: bool

    def __call__(self, raw: Column) -> tuple[Column, Wrong]:
        """A word beyond 9,999, or words of two signs, are no number."""
        digits = raw.astype("<u8").view("<i2").reshape(-1, 4)[:, : self.words]
        is_large = np.any(np.abs(digits.astype(np.int32)) >= _BASE, axis=1)
        is_negative = np.any(digits < 0, axis=1)
        is_mixed = is_negative & np.any(digits > 0, axis=1) if self.signed else is_negative
        weights = _BASE ** np.arange(self.words)
        return digits.astype(np.int64) @ weights, np.logical_or(is_large, is_mixed)

    def raw_of(self, value: int) -> int:
        """The words of a number, each with its sign."""
        if abs(value) >= _BASE**self.words or (value < 0 and not self.signed):
            raise ValueError(f"{value} is no number of {self.words} words of base 10,000")
        sign, rest, raw = (-1 if value < 0 else 1), abs(value), 0
        for word in range(self.words):
            rest, digit = divmod(rest, _BASE)
            raw |= (sign * digit & 0xFFFF) << 16 * word
        return raw


_BASE = 10_000


@dataclass(frozen=True, slots=True)
class BitField:
    """Some bits of a number, the first one the lowest."""

    first: int
    count: int

    def __call__(self, raw: Column) -> tuple[Column, Wrong]:
        """Every pattern is a value."""
        mask = np.uint64((1 << self.count) - 1)
        return raw.astype(np.uint64) >> np.uint64(self.first) & mask, None

    def raw_of(self, value: int) -> int:
        """Never: the bits around it are not known."""
        raise ValueError(f"{value} cannot be written into some bits of a number")
