"""Rows → line protocol, column by column. Pure.

Rules, from the behaviour of InfluxDB 1.x and 2.x: tags in ascending order of their keys and never
empty; floats in their shortest form that reads back equal; whole numbers as ``i`` (64 bit signed,
the only whole-number type that 1.x has – a larger unsigned value is refused rather than written
with another type); ``t``/``f``; strings quoted, at most 64 KiB; times in milliseconds. What no
database could take is refused here, so that a line that leaves this module is well-formed.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache, partial
from operator import concat
from typing import Any

import numpy as np
import numpy.typing as npt
import orjson

from gateway.city.stores.api import Rejection, Rows, Series
from gateway.core.schema import Column, Kind, Run

MAX_STRING_BYTES = 65_536
MIN_TIME_MS = -9_223_372_036_854
MAX_TIME_MS = 9_223_372_036_854
"""Times are kept as 64-bit nanoseconds by the databases: the years 1677 to 2262."""

_INT64_MAX = np.uint64(np.iinfo(np.int64).max)
_KEY = str.maketrans({",": r"\,", "=": r"\=", " ": r"\ "})
_NAME = str.maketrans({",": r"\,", " ": r"\ "})
_TEXT = str.maketrans({'"': r"\"", "\\": r"\\"})

Texts = list[bytes]
Formatter = Callable[[Kind, Column], Texts]


@dataclass(frozen=True, slots=True)
class Line:
    """One line: a machine at one time."""

    series: Series
    time_ms: int
    values: int
    body: bytes


@lru_cache(maxsize=65_536)
def series_key(series: Series) -> bytes:
    """Measurement and tags, escaped: ``bearing,device=…,enterprise=…``."""
    tags = (
        ("device", series.device),
        ("enterprise", series.enterprise),
        ("equipment", series.equipment),
        ("gateway", series.gateway),
        ("site", series.site),
    )
    pairs = "".join(f",{key}={text.translate(_KEY)}" for key, text in tags if text)
    return (series.measurement.translate(_NAME) + pairs).encode()


@lru_cache(maxsize=65_536)
def _head(name: str) -> bytes:
    return name.translate(_KEY).encode() + b"="


def encode(rows: Rows) -> tuple[list[Line], list[Rejection]]:
    """Lines of one table of values, and what cannot be written at all.

    Args:
        rows: times × fields of one series.

    Returns:
        Lines in the order of their times, without empty ones, and the refused values.
    """
    writable, rejections = check(rows)
    cells = fill(rows, writable, _head, texts)
    key = series_key(rows.series)
    lines = [
        Line(
            rows.series,
            time,
            count,
            b"%b %b %d" % (key, b",".join(row[keep].tolist()), time),
        )
        for time, count, row, keep in zip(
            rows.time_ms.tolist(), writable.sum(axis=1).tolist(), cells, writable, strict=True
        )
        if count
    ]
    return lines, rejections


def fill(
    rows: Rows,
    writable: npt.NDArray[np.bool_],
    head: Callable[[str], bytes],
    formatter: Formatter,
) -> npt.NDArray[np.object_]:
    """A table of ``name=value`` texts; only writable cells are filled.

    Args:
        rows: the values.
        writable: bool[t, n], the cells to fill.
        head: text before the value of a field.
        formatter: texts of the values of one kind.
    """
    cells = np.empty(writable.shape, dtype=object)
    heads = np.empty(len(rows.fields), dtype=object)
    heads[:] = [head(name) for name in rows.fields]
    for run, column in zip(kind_runs(rows), rows.columns, strict=True):
        mask = writable[:, run.span]
        wanted = np.broadcast_to(heads[run.span], mask.shape)[mask].tolist()
        made = map(concat, wanted, formatter(run.kind, column[mask]))
        cells[:, run.span][mask] = list(made)
    return cells


def kind_runs(rows: Rows) -> list[Run]:
    """The runs of the fields as the arrays tell them."""
    runs: list[Run] = []
    start = 0
    for column in rows.columns:
        stop = start + column.shape[1]
        runs.append(Run(_kind_of(column), start, stop))
        start = stop
    return runs


_KINDS = {kind.dtype: kind for kind in Kind}


def _kind_of(column: Column) -> Kind:
    return _KINDS[column.dtype.newbyteorder("=")]


def texts(kind: Kind, values: Column) -> Texts:
    """Line protocol texts of values of one kind."""
    if not len(values):
        return []
    match kind:
        case Kind.BOOL:
            return [b"t" if value else b"f" for value in values.tolist()]
        case Kind.STRING:
            return [b'"' + text.translate(_TEXT).encode() + b'"' for text in values.tolist()]
        case Kind.INT64 | Kind.UINT64:
            return (numbers(values).replace(b",", b"i,") + b"i").split(b",")
        case _:
            return numbers(values).split(b",")


def numbers(values: Column) -> bytes:
    """Numbers in their shortest exact form, separated by commas."""
    native = np.ascontiguousarray(values, dtype=values.dtype.newbyteorder("="))
    return orjson.dumps(native, option=orjson.OPT_SERIALIZE_NUMPY)[1:-1]


def check(rows: Rows) -> tuple[npt.NDArray[np.bool_], list[Rejection]]:
    """Which cells can be written, and the refusals of those that are present and cannot.

    Refused are: not-a-number and infinity, unsigned values above 2^63 − 1, strings above
    64 KiB or not encodable, times outside the years 1677 to 2262.
    """
    problems = [
        (reason, mask)
        for run, column in zip(kind_runs(rows), rows.columns, strict=True)
        for reason, part in _problems(run.kind, column, rows.present[:, run.span])
        if (mask := _widened(part, run, rows.present.shape)).any()
    ]
    outside = (rows.time_ms < MIN_TIME_MS) | (rows.time_ms > MAX_TIME_MS)
    if outside.any():
        problems.append(("time is outside the years 1677 to 2262", rows.present & outside[:, None]))
    if not problems:
        return rows.present, []
    writable = rows.present.copy()
    rejections: list[Rejection] = []
    for reason, mask in problems:
        rejections += map(partial(_rejection, rows, reason, mask & writable), range(len(mask)))
        writable &= ~mask
    return writable, [rejection for rejection in rejections if rejection.values]


def _widened(part: npt.NDArray[Any], run: Run, shape: tuple[int, ...]) -> npt.NDArray[np.bool_]:
    mask = np.zeros(shape, np.bool_)
    mask[:, run.span] = part
    return mask


def _problems(
    kind: Kind, column: Column, present: npt.NDArray[np.bool_]
) -> Sequence[tuple[str, npt.NDArray[Any]]]:
    match kind:
        case Kind.FLOAT64 | Kind.FLOAT32:
            finite = np.isfinite(column)
            return () if finite.all() else (("not a finite number", present & ~finite),)
        case Kind.UINT64:
            return (("above 9223372036854775807", present & (column > _INT64_MAX)),)
        case Kind.STRING:
            long = np.zeros(column.shape, np.bool_)
            long[present] = [not _fits(text) for text in column[present].tolist()]
            return (("string above 64 KiB or not valid Unicode", long),)
        case _:
            return ()


def _fits(text: str) -> bool:
    try:
        return len(text.encode()) <= MAX_STRING_BYTES
    except UnicodeEncodeError:
        return False


def _rejection(rows: Rows, reason: str, mask: npt.NDArray[np.bool_], at: int) -> Rejection:
    names = [name for name, hit in zip(rows.fields, mask[at].tolist(), strict=True) if hit]
    return Rejection(
        rows.series, int(rows.time_ms[at]), len(names), reason, ",".join(names)[:1_000]
    )
