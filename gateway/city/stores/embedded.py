"""Telemetry in an SQLite file: the default of the demonstration and of one small factory.

One row a machine and time; its body is a JSON object of the fields, so that a person with the
``sqlite3`` shell can read it. Writing the same series and time again merges the fields, the last
one wins – as InfluxDB does –, but of one group a row is one poll. Beside it stand the status bytes
of the fields that are not GOOD.
"""

import asyncio
import sqlite3
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from functools import lru_cache, partial
from itertools import repeat
from pathlib import Path
from typing import TypeVar

import numpy as np
import numpy.typing as npt
import orjson

from gateway.city.stores import fields
from gateway.city.stores.api import (
    Point,
    Rejection,
    Rows,
    Series,
    SeriesHours,
    StoreMisconfiguredError,
    StoreUnavailableError,
)
from gateway.city.stores.hours import Tally, hours_between
from gateway.city.stores.line_protocol import check, fill, kind_runs, numbers
from gateway.city.stores.marks import statuses
from gateway.city.stores.telemetry_file import (
    INSERT,
    TRIM_ROWS,
    Merge,
    add_series,
    erase_some,
    find_series,
    held_by,
    open_file,
    trim_names,
    trim_some,
)
from gateway.core.days import HOUR_MS
from gateway.core.schema import Column, Kind, Run
from gateway.core.status import GOOD

T = TypeVar("T")

_HISTORY = """
    SELECT max(time_ms), json_extract(body, :path), json_extract(status, :path)
    FROM points WHERE series = :series
    AND time_ms >= :from_ms AND time_ms < :to_ms AND json_extract(body, :path) IS NOT NULL
    GROUP BY (time_ms - :from_ms) / :window ORDER BY 1
"""
_HOUR = """
    SELECT time_ms, body, status FROM points WHERE series = ? AND time_ms >= ? AND time_ms < ?
    ORDER BY time_ms DESC
"""
_SPAN = """
    FROM series CROSS JOIN points ON points.series = series.id
    WHERE gateway = ? AND time_ms >= ? AND time_ms < ?
"""
"""The join is in this order, so that the rows of one gateway are found and no others."""
_NUMBERS = f"SELECT series.*, sum(n), min(time_ms), max(time_ms) {_SPAN} GROUP BY series.id"
_STATUSES = f"SELECT series.id, status {_SPAN} AND status IS NOT NULL"


class EmbeddedStore:
    """A store in one file; one connection, used from one thread at a time.

    Args:
        path: the file; its folder is created.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._connection: sqlite3.Connection | None = None
        self._lock = asyncio.Lock()
        self._ids: dict[Series, int] = {}
        self._written = 0
        self._fields = fields.Fields()
        self._merge = Merge()

    async def open(self) -> None:
        """Open the file, or create it.

        Raises:
            StoreMisconfiguredError: no such folder, no permission, or of another version.
        """
        try:
            self._connection = await asyncio.to_thread(open_file, self._path, self._merge)
        except (OSError, sqlite3.Error) as error:
            raise StoreMisconfiguredError(f"cannot open the store {self._path}: {error}") from error

    async def write(self, rows: Sequence[Rows]) -> Sequence[Rejection]:
        """Write in one transaction; see :class:`gateway.city.stores.api.Store`."""
        return await self._run(lambda connection: self._write(connection, rows))

    async def count(self, gateways: Sequence[str], from_ms: int, to_ms: int) -> int:
        """Non-null fields of these gateways with ``from_ms <= time < to_ms``."""
        query = (
            "SELECT coalesce(sum(n), 0) FROM points JOIN series ON series.id = points.series "
            "WHERE gateway IN (SELECT value FROM json_each(?)) AND time_ms >= ? AND time_ms < ?"
        )
        names = orjson.dumps(list(gateways)).decode()
        found = await self._run(lambda c: c.execute(query, (names, from_ms, to_ms)).fetchone())
        return int(found[0])

    async def latest(self, series: Series) -> dict[str, Point]:
        """The newest value of every field of a series."""
        return await self._run(lambda c: _latest(c, find_series(c, series)))

    async def history(
        self, series: Series, field: str, from_ms: int, to_ms: int, limit: int
    ) -> Sequence[Point]:
        """The last value in each of at most ``limit`` windows, oldest first."""
        asked = {
            "path": '$."' + field.replace('"', "") + '"',
            "from_ms": from_ms,
            "to_ms": to_ms,
            "window": max(1, -(-(to_ms - from_ms) // max(1, limit))),
        }
        rows = await self._run(
            lambda c: c.execute(_HISTORY, asked | {"series": find_series(c, series)}).fetchall()
        )
        return [Point(time_ms, value, status or GOOD) for time_ms, value, status in rows]

    async def hours(self, gateway: str, from_ms: int, to_ms: int) -> Sequence[SeriesHours]:
        """Values by hour and quality; see :class:`gateway.city.stores.api.Store`."""
        found: list[SeriesHours] = []
        for start, stop in hours_between(from_ms, to_ms):
            # one hour at a time, because what is received is written between two of them
            found += await self._run(partial(_hour, gateway=gateway, from_ms=start, to_ms=stop))
        return found

    async def trim(self, before_ms: int) -> int:
        """Delete older values in several transactions; how many rows (machine × time) went."""
        total = 0
        while True:
            gone = await self._run(lambda c: trim_some(c, before_ms))
            total += gone
            if gone < TRIM_ROWS:
                # last: a field that is still named finds no values, one unnamed would be lost
                await self._run(lambda c: self._trim_fields(c, before_ms))
                return total

    def _trim_fields(self, connection: sqlite3.Connection, before_ms: int) -> None:
        trim_names(connection, before_ms - HOUR_MS)
        self._fields.forget()

    async def held(self, enterprise: str) -> dict[str, int]:
        """Values of an enterprise by measurement."""
        return await self._run(lambda c: held_by(c, enterprise))

    async def erase(self, enterprise: str) -> None:
        """Delete all of an enterprise, some thousand rows a transaction."""
        while await self._run(lambda c: erase_some(c, enterprise)):
            self._ids.clear()
        self._fields.forget()

    async def kept(self) -> None:
        """It deletes what it is told to by :meth:`trim`, and nothing else."""

    async def close(self) -> None:
        """Close the file."""
        async with self._lock:
            if self._connection is not None:
                await asyncio.to_thread(self._connection.close)
                self._connection = None

    async def _run(self, work: Callable[[sqlite3.Connection], T]) -> T:
        async with self._lock:
            if self._connection is None:
                raise StoreUnavailableError(f"the store {self._path} is not open")
            task = asyncio.ensure_future(asyncio.to_thread(self._in_transaction, work))
            try:
                return await asyncio.shield(task)
            except asyncio.CancelledError:
                await asyncio.wait([task])  # the thread still holds the connection
                raise

    def _in_transaction(self, work: Callable[[sqlite3.Connection], T]) -> T:
        connection = self._connection
        assert connection is not None  # noqa: S101 - checked by _run under the lock
        try:
            with connection:
                return work(connection)
        except sqlite3.DatabaseError as error:
            self._ids.clear()
            self._fields.forget()
            if isinstance(error, sqlite3.OperationalError):  # disk full, locked, input/output
                raise StoreUnavailableError(f"the store {self._path} refuses: {error}") from error
            raise StoreMisconfiguredError(
                f"the store {self._path} is damaged: {error}; restore it, or move it away to begin "
                "a new one"
            ) from error

    def _write(self, connection: sqlite3.Connection, rows: Sequence[Rows]) -> list[Rejection]:
        rejections: list[Rejection] = []
        connection.execute("BEGIN IMMEDIATE")
        self._forget_if_others_wrote(connection)
        for table in rows:
            runs = kind_runs(table)
            conflicts = self._fields.conflicts(connection, table, runs)
            writable, refused = check(table, runs, conflicts)
            rejections += refused
            series = self._series(connection, table.series)
            self._merge.fields = frozenset(table.fields)
            connection.executemany(INSERT, _points(series, table, runs, writable))
            self._fields.note(connection, series, table, runs, writable)
        return rejections

    def _forget_if_others_wrote(self, connection: sqlite3.Connection) -> None:
        """Who erases an enterprise is another process, and numbers of series are given again."""
        written = int(connection.execute("PRAGMA data_version").fetchone()[0])
        if written != self._written:
            self._written = written
            self._ids.clear()
            self._fields.forget()

    def _series(self, connection: sqlite3.Connection, series: Series) -> int:
        known = self._ids.get(series)
        if known is None:
            known = self._ids[series] = add_series(connection, series)
        return known


def _latest(connection: sqlite3.Connection, series: int) -> dict[str, Point]:
    wanted: dict[int, set[str]] = {}
    for name, hour_ms in fields.hours_of(connection, series).items():
        wanted.setdefault(hour_ms, set()).add(name)
    points: dict[str, Point] = {}
    for hour_ms, names in wanted.items():
        hour = (series, hour_ms, hour_ms + HOUR_MS)
        for time_ms, body, status in connection.execute(_HOUR, hour):
            values, doubts = orjson.loads(body), orjson.loads(status or "{}")
            found = names & values.keys()
            points |= {name: Point(time_ms, values[name], doubts.get(name, GOOD)) for name in found}
            names.difference_update(found)
            if not names:
                break
    return points


def _hour(
    connection: sqlite3.Connection, gateway: str, from_ms: int, to_ms: int
) -> Sequence[SeriesHours]:
    """What the store holds of a gateway in (a part of) one hour."""
    span = (gateway, from_ms, to_ms)
    tally, series = Tally(), dict[int, Series]()
    for number, *names, values, first_ms, last_ms in connection.execute(_NUMBERS, span):
        one = series[number] = Series(*names)
        tally.values[one], tally.first_ms[one], tally.last_ms[one] = values, first_ms, last_ms
    for number, status in connection.execute(_STATUSES, span):
        for code, count in Counter(orjson.loads(status).values()).items():
            tally.note(series[number], code, count)
    return tally.result()


def _points(
    series: int, rows: Rows, runs: Sequence[Run], writable: npt.NDArray[np.bool_]
) -> list[tuple[int, int, int, str, str | None]]:
    cells = fill(rows, runs, writable, _json_head, _json_texts)
    return [
        (series, time, len(texts), (b"{" + b",".join(texts) + b"}").decode(), status)
        for time, texts, status in zip(
            rows.time_ms.tolist(), cells, _status_texts(rows, writable), strict=True
        )
        if texts
    ]


def _status_texts(rows: Rows, writable: npt.NDArray[np.bool_]) -> Iterable[str | None]:
    """The statuses of every time as JSON; None where all values are GOOD."""
    if rows.status is None:
        return repeat(None, len(writable))
    doubted = statuses(rows, writable & (rows.status != GOOD))
    return (orjson.dumps(codes).decode() if codes else None for codes in doubted)


@lru_cache(maxsize=65_536)
def _json_head(name: str) -> bytes:
    return orjson.dumps(name) + b":"


def _json_texts(kind: Kind, values: Column) -> list[bytes]:
    if not len(values):
        return []
    if kind is Kind.STRING:
        return [orjson.dumps(text) for text in values.tolist()]
    if kind is Kind.BOOL:
        return [b"true" if value else b"false" for value in values.tolist()]
    return numbers(values).split(b",")
