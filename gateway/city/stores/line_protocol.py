"""Rows → line protocol, column by column. Pure.

Rules, from the behaviour of InfluxDB 1.x and 2.x: tags in ascending order of their keys and never
empty; floats in their shortest form that reads back equal; whole numbers as ``i`` (64 bit signed,
the only whole-number type that 1.x has – a larger unsigned value is refused rather than written
with another type); ``t``/``f``; strings quoted, at most 64 KiB; times in milliseconds. What no
database could take is refused here, so that a line that leaves this module is well-formed.
"""

from collections.abc import Callable, Iterable, Sequence
from functools import lru_cache, partial
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import orjson

from gateway.city.ingest.limits import MAX_STRING_BYTES
from gateway.city.stores.api import TAGS, Rejection, Rows, Series
from gateway.city.stores.marks import Doubts, mark_of, statuses
from gateway.core.schema import Column, Kind, Run

MIN_TIME_MS = -9_223_372_036_854
MAX_TIME_MS = 9_223_372_036_854
"""Times are kept as 64-bit nanoseconds by the databases: the years 1677 to 2262."""

_INT64_MAX = np.uint64(np.iinfo(np.int64).max)
_KEY = str.maketrans({",": r"\,", "=": r"\=", " ": r"\ "})
_NAME = str.maketrans({",": r"\,", " ": r"\ "})
_TEXT = str.maketrans({'"': r"\"", "\\": r"\\"})

Texts = list[bytes]
Formatter = Callable[[Kind, Column], Texts]
Problem = tuple[str, npt.NDArray[np.bool_]]
"""Why some cells cannot be written, and bool[t, n]: which."""


class Line(NamedTuple):
    """One line: a machine at one time, with how many values (marks are none)."""

    series: Series
    time_ms: int
    values: int
    body: bytes


@lru_cache(maxsize=65_536)
def series_key(series: Series) -> bytes:
    """Measurement and tags, escaped: ``bearing,device=…,enterprise=…``."""
    tags = ((tag, getattr(series, tag)) for tag in TAGS)
    pairs = "".join(f",{tag}={text.translate(_KEY)}" for tag, text in tags if text)
    return (series.measurement.translate(_NAME) + pairs).encode()


@lru_cache(maxsize=65_536)
def _head(name: str) -> bytes:
    return name.translate(_KEY).encode() + b"="


def encode(rows: Rows, doubts: Doubts) -> tuple[list[Line], list[Rejection]]:
    """Lines of one table of values, and what cannot be written at all.

    Args:
        rows: times × fields of one series.
        doubts: what was written before to the same store.

    Returns:
        Lines in the order of their times, without empty ones, and the refused values.
    """
    runs = kind_runs(rows)
    writable, rejections = check(rows, runs)
    key = series_key(rows.series)
    cells = fill(rows, runs, writable, _head, texts)
    counts = list(map(len, cells))
    marked = doubts.marked(rows, writable)
    if marked is not None:
        for line, codes in zip(cells, statuses(rows, marked), strict=True):
            line.extend(b"%b%di" % (_head(mark_of(name)), code) for name, code in codes.items())
    lines = [
        Line(rows.series, time, count, b"%b %b %d" % (key, b",".join(line), time))
        for time, count, line in zip(rows.time_ms.tolist(), counts, cells, strict=True)
        if line
    ]
    return lines, rejections


def fill(
    rows: Rows,
    runs: Sequence[Run],
    writable: npt.NDArray[np.bool_],
    head: Callable[[str], bytes],
    formatter: Formatter,
) -> list[Texts]:
    """``name=value`` texts of every time, of the writable cells only.

    Args:
        rows: the values.
        runs: their kinds.
        writable: bool[t, n], the cells wanted.
        head: text before the value of a field.
        formatter: texts of the values of one kind.
    """
    heads = [head(name) for name in rows.fields]
    table: list[Texts] = [[] for _ in range(len(writable))]
    for run, column in zip(runs, rows.columns, strict=True):
        mask = writable[:, run.span]
        add = _add_all if mask.all() else _add_some
        add(table, heads[run.span], partial(formatter, run.kind), column, mask)
    return table


_Add = Callable[[Column], Texts]


def _add_all(
    table: list[Texts], heads: Texts, formatter: _Add, column: Column, _: npt.NDArray[np.bool_]
) -> None:
    width = len(heads)
    made = list(map(bytes.__add__, heads * len(table), formatter(column.ravel())))
    for at, line in enumerate(table):
        line.extend(made[at * width : (at + 1) * width])


def _add_some(
    table: list[Texts], heads: Texts, formatter: _Add, column: Column, mask: npt.NDArray[np.bool_]
) -> None:
    row, field = np.nonzero(mask)
    for at, number, text in zip(
        row.tolist(), field.tolist(), formatter(column[row, field]), strict=True
    ):
        table[at].append(heads[number] + text)


def kind_runs(rows: Rows) -> list[Run]:
    """The runs of the fields as the arrays tell them."""
    runs: list[Run] = []
    start = 0
    for column in rows.columns:
        stop = start + column.shape[1]
        runs.append(Run(_KINDS[column.dtype], start, stop))
        start = stop
    return runs


_KINDS = {
    dtype: kind
    for kind in Kind
    for dtype in (kind.dtype.newbyteorder("<"), kind.dtype.newbyteorder(">"))
}


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


def check(
    rows: Rows, runs: Sequence[Run], more: Iterable[Problem] = ()
) -> tuple[npt.NDArray[np.bool_], list[Rejection]]:
    """Which cells can be written, and the refusals of those that are present and cannot.

    Refused are: not-a-number and infinity, unsigned values above 2^63 − 1, strings above
    64 KiB or not encodable, times outside the years 1677 to 2262.

    Args:
        rows: the values.
        runs: their kinds.
        more: cells that this store cannot take for reasons of its own.
    """
    problems = [
        *more,
        *(
            (reason, mask)
            for run, column in zip(runs, rows.columns, strict=True)
            for reason, part in _problems(run.kind, column, rows.present[:, run.span])
            if (mask := _widened(part, run, rows.present.shape)).any()
        ),
    ]
    times = rows.time_ms.tolist()
    if min(times, default=0) < MIN_TIME_MS or max(times, default=0) > MAX_TIME_MS:
        outside = (rows.time_ms < MIN_TIME_MS) | (rows.time_ms > MAX_TIME_MS)
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
