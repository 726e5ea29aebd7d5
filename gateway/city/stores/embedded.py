"""Telemetry in an SQLite file: the default of the demonstration and of one small factory.

One row a machine and time; its body is a JSON object of the fields, so that a person with the
``sqlite3`` shell can read it. Writing the same series and time again merges the fields, the last
one wins – as InfluxDB does.
"""

import asyncio
import sqlite3
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from functools import lru_cache
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
    StoreMisconfiguredError,
    StoreUnavailableError,
)
from gateway.city.stores.line_protocol import check, fill, kind_runs, numbers
from gateway.core.days import HOUR_MS
from gateway.core.schema import Column, Kind, Run

T = TypeVar("T")
VERSION = 2
_MIGRATIONS = (
    """
    CREATE TABLE series (
        id INTEGER PRIMARY KEY,
        measurement TEXT NOT NULL, enterprise TEXT NOT NULL, site TEXT NOT NULL,
        gateway TEXT NOT NULL, device TEXT NOT NULL, equipment TEXT NOT NULL,
        UNIQUE (measurement, enterprise, site, gateway, device, equipment)
    );
    CREATE INDEX series_gateway ON series (gateway);
    CREATE TABLE points (
        series INTEGER NOT NULL REFERENCES series (id),
        time_ms INTEGER NOT NULL,
        n INTEGER NOT NULL,
        body TEXT NOT NULL,
        PRIMARY KEY (series, time_ms)
    ) WITHOUT ROWID;
    CREATE INDEX points_time ON points (time_ms);
    """,
    fields.TABLE,
)
"""Statements from version k to k + 1."""

_INSERT = """
    INSERT INTO points (series, time_ms, n, body) VALUES (?, ?, ?, ?)
    ON CONFLICT (series, time_ms) DO UPDATE SET
        n = qulink_fields(body, excluded.body), body = qulink_merge(body, excluded.body)
    WHERE body IS NOT excluded.body
"""
_HISTORY = """
    SELECT max(time_ms), json_extract(body, :path) FROM points WHERE series = :series
    AND time_ms >= :from_ms AND time_ms < :to_ms AND json_extract(body, :path) IS NOT NULL
    GROUP BY (time_ms - :from_ms) / :window ORDER BY 1
"""
_TRIM = """
    DELETE FROM points WHERE (series, time_ms) IN
        (SELECT series, time_ms FROM points WHERE time_ms < ? LIMIT ?)
"""
_TRIM_ROWS = 5_000
_TRIM_FIELDS = "DELETE FROM fields WHERE hour_ms < ?"
_HOUR = """
    SELECT time_ms, body FROM points WHERE series = ? AND time_ms >= ? AND time_ms < ?
    ORDER BY time_ms DESC
"""
_SERIES = ("measurement", "enterprise", "site", "gateway", "device", "equipment")


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
        self._fields = fields.Fields()

    async def open(self) -> None:
        """Open the file, create or migrate its tables.

        Raises:
            StoreMisconfiguredError: no such folder, no permission, or written by a newer version.
        """
        try:
            self._connection = await asyncio.to_thread(_open, self._path)
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
        return await self._run(lambda c: _latest(c, _find_series(c, series)))

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
            lambda c: c.execute(_HISTORY, asked | {"series": _find_series(c, series)}).fetchall()
        )
        return [Point(time_ms, value) for time_ms, value in rows]

    async def trim(self, before_ms: int) -> int:
        """Delete values older than ``before_ms``, some thousand rows a transaction.

        Returns:
            How many rows (machine × time) went.
        """
        total = 0
        while True:
            gone = await self._run(lambda c: c.execute(_TRIM, (before_ms, _TRIM_ROWS)).rowcount)
            total += gone
            if gone < _TRIM_ROWS:
                await self._run(lambda c: self._trim_fields(c, before_ms))
                return total

    def _trim_fields(self, connection: sqlite3.Connection, before_ms: int) -> None:
        connection.execute(_TRIM_FIELDS, (before_ms - HOUR_MS,))
        self._fields.forget()

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
        for table in rows:
            runs = kind_runs(table)
            conflicts = self._fields.conflicts(connection, table, runs)
            writable, refused = check(table, runs, conflicts)
            rejections += refused
            series = self._series(connection, table.series)
            connection.executemany(_INSERT, _points(series, table, runs, writable))
            self._fields.note(connection, series, table, runs, writable)
        return rejections

    def _series(self, connection: sqlite3.Connection, series: Series) -> int:
        known = self._ids.get(series)
        if known is None:
            connection.execute(
                "INSERT OR IGNORE INTO series (measurement, enterprise, site, gateway, device, "
                "equipment) VALUES (?, ?, ?, ?, ?, ?)",
                _key(series),
            )
            known = self._ids[series] = _find_series(connection, series)
        return known


def _key(series: Series) -> tuple[str, ...]:
    return tuple(getattr(series, name) for name in _SERIES)


def _find_series(connection: sqlite3.Connection, series: Series) -> int:
    where = " AND ".join(f"{name} = ?" for name in _SERIES)
    query = f"SELECT id FROM series WHERE {where}"  # noqa: S608 - constant column names
    found = connection.execute(query, _key(series)).fetchone()
    return int(found[0]) if found else -1


def _latest(connection: sqlite3.Connection, series: int) -> dict[str, Point]:
    wanted: dict[int, set[str]] = {}
    for name, hour_ms in fields.hours_of(connection, series).items():
        wanted.setdefault(hour_ms, set()).add(name)
    points: dict[str, Point] = {}
    for hour_ms, names in wanted.items():
        hour = (series, hour_ms, hour_ms + HOUR_MS)
        for time_ms, body in connection.execute(_HOUR, hour):
            values = orjson.loads(body)
            found = names & values.keys()
            points |= {name: Point(time_ms, values[name]) for name in found}
            names.difference_update(found)
            if not names:
                break
    return points


def _points(
    series: int, rows: Rows, runs: Sequence[Run], writable: npt.NDArray[np.bool_]
) -> list[tuple[int, int, int, str]]:
    cells = fill(rows, runs, writable, _json_head, _json_texts)
    return [
        (series, time, len(texts), (b"{" + b",".join(texts) + b"}").decode())
        for time, texts in zip(rows.time_ms.tolist(), cells, strict=True)
        if texts
    ]


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


def _merge(old: str, new: str) -> str:
    return orjson.dumps(orjson.loads(old) | orjson.loads(new)).decode()


def _fields(old: str, new: str) -> int:
    return len(orjson.loads(old).keys() | orjson.loads(new).keys())


def _open(path: Path) -> sqlite3.Connection:
    path.parent.mkdir(parents=True, exist_ok=True)
    connection = sqlite3.connect(path, check_same_thread=False, isolation_level=None, timeout=10)
    with ExitStack() as failed:
        failed.callback(connection.close)
        for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON"):
            connection.execute(f"PRAGMA {pragma}")
        connection.create_function("qulink_merge", 2, _merge, deterministic=True)
        connection.create_function("qulink_fields", 2, _fields, deterministic=True)
        _migrate(connection, path)
        failed.pop_all()
    return connection


def _migrate(connection: sqlite3.Connection, path: Path) -> None:
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    if version > VERSION:
        raise StoreMisconfiguredError(
            f"the store {path} has version {version}, written by a newer qulink; this one knows "
            f"up to {VERSION}"
        )
    for number, statements in enumerate(_MIGRATIONS[version:], start=version + 1):
        connection.executescript(f"BEGIN; {statements} PRAGMA user_version = {number}; COMMIT;")
