"""Companion fields: beside a value that is not GOOD stands its status byte, as ``<tag>.q``.

Such a field is an integer. It is absent, or 0, where the value is GOOD; tag names hold no point,
so it is never taken for a tag. Pure.
"""

from collections.abc import Mapping
from itertools import compress

import numpy as np
import numpy.typing as npt

from gateway.city.stores.api import Rows, Series
from gateway.core.status import GOOD, Reason, is_replay, uncertain

SUFFIX = ".q"
REPLAYED = tuple(code for code in range(256) if is_replay(code))
"""Status bytes of values that are not fresh."""
DOUBTED = (uncertain(Reason.CLOCK_DOUBT),)
"""Status bytes of values whose time is in doubt."""
MOST_SPANS = 100_000
"""Fields whose doubt is remembered; about 20 MB."""

Mask = npt.NDArray[np.bool_]
_Spans = dict[str, tuple[int, int]]
_INT64 = np.iinfo(np.int64)
_NO_SPAN = (_INT64.max, _INT64.min)


def mark_of(field: str) -> str:
    """Name of the companion field of a field."""
    return field + SUFFIX


def is_mark(field: str) -> bool:
    """Whether a field is the companion of another."""
    return field.endswith(SUFFIX)


class Doubts:
    """Between which times values that are not GOOD were written, by series and field.

    A line protocol cannot take a field away. Where a GOOD value may fall on a doubted one of the
    same time, its mark is therefore written too, as 0; all other GOOD values need none. What was
    written by another process is not known here, so the mark of such a value stays: it is then
    trusted too little, never too much.

    Used by one write at a time.

    Args:
        most: fields that are remembered; those of the series longest without doubt go first.
    """

    def __init__(self, most: int = MOST_SPANS) -> None:
        self._most = most
        self._spans: dict[Series, _Spans] = {}
        self._size = 0

    def marked(self, rows: Rows, writable: Mask) -> Mask | None:
        """bool[t, n]: the cells whose mark must be written; None: no cell's. Notes the doubt.

        Args:
            rows: values that are about to be written.
            writable: bool[t, n]: those that will be.
        """
        spans = self._spans.get(rows.series)
        if rows.status is None and spans is None:
            return None
        doubted = (
            np.zeros_like(writable) if rows.status is None else writable & (rows.status != GOOD)
        )
        marked = doubted if spans is None else doubted | _covered(rows, writable, spans)
        if doubted.any():
            self._note(rows, doubted)
        return marked if marked.any() else None

    def _note(self, rows: Rows, doubted: Mask) -> None:
        spans = self._spans.pop(rows.series, {})  # so that the series stay in order of their doubt
        before = len(spans)
        columns = np.flatnonzero(doubted.any(axis=0))
        times, chosen = rows.time_ms[:, None], doubted[:, columns]
        firsts = np.where(chosen, times, _INT64.max).min(axis=0).tolist()
        lasts = np.where(chosen, times, _INT64.min).max(axis=0).tolist()
        for at, first, last in zip(columns.tolist(), firsts, lasts, strict=True):
            known = spans.get(rows.fields[at], (first, last))
            spans[rows.fields[at]] = min(first, known[0]), max(last, known[1])
        self._spans[rows.series] = spans
        self._size += len(spans) - before
        while self._size > self._most:
            self._size -= len(self._spans.pop(next(iter(self._spans))))


def _covered(rows: Rows, writable: Mask, spans: Mapping[str, tuple[int, int]]) -> Mask:
    """Cells at times between the first and the last doubted value of their field."""
    begin = rows.time_ms.min(initial=_INT64.max)
    if all(last < begin for _, last in spans.values()):  # so it is while times move forward
        return np.zeros_like(writable)
    firsts, lasts = np.array([spans.get(name, _NO_SPAN) for name in rows.fields], np.int64).T
    times = rows.time_ms[:, None]
    covered: Mask = writable & (times >= firsts) & (times <= lasts)
    return covered


def statuses(rows: Rows, marked: Mask) -> list[dict[str, int]]:
    """The status bytes of the marked cells by field name, a dictionary a time."""
    status = np.full(marked.shape, GOOD, np.uint8) if rows.status is None else rows.status
    return [
        dict(zip(compress(rows.fields, line), codes[line].tolist(), strict=True))
        for line, codes in zip(marked, status, strict=True)
    ]
