"""How likely a number is what a machine measured, and not another one's bytes. Pure.

Registers that are read in the wrong byte order give numbers all the same: 229.0 becomes
6.465e-37, and 43,974 becomes 2,881,880,064. Such values stay GOOD, because a rule that guesses
must not take a value away; pages mark them, and a search for the right reading ranks by this.
"""

import math
from enum import StrEnum

Value = float | int | bool | str

NEUTRAL = 0.5
"""The score of what says nothing: 0, true and false, an empty text."""


class Doubt(StrEnum):
    """What is odd about a value; the values are ids for those who put them into words."""

    NOT_A_NUMBER = "not_a_number"
    DENORMAL = "denormal"
    TINY = "tiny"
    HUGE = "huge"
    EMPTY_LOW_WORD = "empty_low_word"
    UNPRINTABLE = "unprintable"


SMALLEST_NORMAL = 2.0**-126
"""Of float32; below it numbers lose digits, and no instrument sends them."""

TINY = 1e-12
"""Helium leaks are measured down to 1e-10 Pa·m³/s; nothing in a plant is much smaller."""

HUGE = 1e15
"""Milliseconds since 1970 are 1.8e12, the energy of a town in Wh is 1e13."""

_USUAL = (1e-3, 1e6)
_WORD = 1 << 16


def doubt(value: Value) -> Doubt | None:
    """What is odd about a value; None: nothing, so far as one value can tell."""
    if isinstance(value, str):
        return None if value.isprintable() else Doubt.UNPRINTABLE
    if isinstance(value, bool) or value == 0:
        return None
    if isinstance(value, int):
        return _doubt_of_whole(value)
    if not math.isfinite(value):
        return Doubt.NOT_A_NUMBER
    size = abs(value)
    if size < TINY:
        return Doubt.DENORMAL if size < SMALLEST_NORMAL else Doubt.TINY
    return Doubt.HUGE if size > HUGE else None


def _doubt_of_whole(value: int) -> Doubt | None:
    """A small number whose words are turned round is large, and its low word is 0."""
    if abs(value) > HUGE:
        return Doubt.HUGE
    return Doubt.EMPTY_LOW_WORD if value % _WORD == 0 else None


def plausibility(value: Value) -> float:
    """A score from 0 (surely another number's bytes) to 1 (what instruments show).

    Only the order of scores means something. Usual sizes (0.001 to 1,000,000) and few digits
    score high: 229.0 before 229.04673.
    """
    odd = doubt(value)
    if isinstance(value, str):
        return 0.0 if odd else (1.0 if value.strip() else NEUTRAL)
    if isinstance(value, bool) or value == 0:
        return NEUTRAL
    if odd is Doubt.EMPTY_LOW_WORD:
        return 0.1
    return 0.0 if odd else 0.8 * _of_size(abs(value)) + 0.2 * _of_digits(value)


def _of_size(size: float) -> float:
    """1 within the usual sizes, less for each power of ten outside, at least 0.1."""
    low, high = _USUAL
    outside = max(0.0, math.log10(low / size), math.log10(size / high))
    return max(0.1, 1 - outside / 8)


def _of_digits(value: float) -> float:
    """1 for at most four digits, less for each one more, as random bytes have many."""
    digits = f"{value:.9g}".partition("e")[0].strip("-").replace(".", "").strip("0")
    return max(0.0, 1 - max(0, len(digits) - 4) / 5)
