"""Raw numbers by which a device says that it has no value: 0x8000, 0xFFFFFFFF, NaN. Pure.

They are compared as they were read, before scaling, and whole numbers as whole numbers: as floats
2⁶⁴ − 2 and 2⁶⁴ − 1 would be one.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from gateway.core.batch import Mask
from gateway.core.schema import Column, Kind

Codes = Sequence[float]
"""Those of one tag; ``nan`` stands for every NaN."""


@dataclass(frozen=True, slots=True)
class NoValues:
    """The codes of neighbouring tags of one raw kind.

    Attributes:
        span: the tags within their group.
        codes: by turns one code of each tag that has as many, and which tags these are.
        nans: the tags of which NaN is a code; None: of none.
    """

    span: slice
    codes: tuple[tuple[Column, Mask], ...]
    nans: Mask | None

    def among(self, raw: Column, tags: npt.NDArray[np.intp] | slice = slice(None)) -> Mask:
        """Which raw numbers are codes of their tags.

        Args:
            raw: numbers of all tags, or of some.
            tags: which ones, within the span.
        """
        found = np.zeros(len(raw), np.bool_)
        for code, has in self.codes:
            found |= (raw == code[tags]) & has[tags]
        if self.nans is not None:
            found |= np.isnan(raw) & self.nans[tags]
        return found


def compile_codes(span: slice, kind: Kind, codes: Sequence[Codes]) -> NoValues | None:
    """The codes of neighbouring tags as arrays; None: they have none that can occur.

    Args:
        span: the tags within their group.
        kind: of their raw values.
        codes: of each tag.
    """
    fitting = [[code for code in some if _fits(code, kind)] for some in codes]
    most = max(map(len, fitting), default=0)
    turns = tuple(_turn(fitting, turn, kind) for turn in range(most))
    is_float = kind in (Kind.FLOAT32, Kind.FLOAT64)
    nans = np.array([is_float and any(map(_is_nan, some)) for some in codes], np.bool_)
    if not turns and not nans.any():
        return None
    return NoValues(span, turns, nans if nans.any() else None)


def _turn(codes: Sequence[Codes], turn: int, kind: Kind) -> tuple[Column, Mask]:
    has = [turn < len(some) for some in codes]
    values = [some[turn] if turn < len(some) else 0 for some in codes]
    return np.array(values, kind.dtype), np.array(has, np.bool_)


def _fits(code: float, kind: Kind) -> bool:
    """Whether a raw value of this kind can be that number; NaN is looked for otherwise."""
    if kind in (Kind.FLOAT32, Kind.FLOAT64):
        # A whole number that the float would round is none of its values; 0.1 stands for its next.
        is_near = isinstance(code, float) and not _is_nan(code)
        return is_near or _is_exact(code, kind)
    if kind not in (Kind.INT64, Kind.UINT64) or (isinstance(code, float) and not code.is_integer()):
        return False
    limits = np.iinfo(kind.dtype)
    return int(limits.min) <= code <= int(limits.max)


def _is_nan(code: float) -> bool:
    return isinstance(code, float) and math.isnan(code)


def _is_exact(code: float, kind: Kind) -> bool:
    """Whether a float holds this whole number as it is."""
    return abs(code) <= float(np.finfo(kind.dtype).max) and float(kind.dtype.type(code)) == code
