"""What an embedded store's file knows of its fields: their types and the hour they came last.

A field of a measurement has the type it was first written with, as in InfluxDB. The hour bounds
the search for a field's newest value, however long it has been silent; it costs one row an hour
and field, where the newest time itself would cost one a value.
"""

import sqlite3
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from gateway.city.stores.api import Rows
from gateway.city.stores.hours import hour_of
from gateway.city.stores.line_protocol import MIN_TIME_MS
from gateway.core.days import HOUR_MS
from gateway.core.schema import Kind, Run

_NEVER = hour_of(MIN_TIME_MS) - HOUR_MS
"""Beginning of an hour before all times that can be written."""
TABLE = """
    CREATE TABLE IF NOT EXISTS fields (
        series INTEGER NOT NULL REFERENCES series (id),
        name TEXT NOT NULL,
        type TEXT NOT NULL,
        hour_ms INTEGER NOT NULL,
        PRIMARY KEY (series, name)
    ) WITHOUT ROWID;
"""
"""``hour_ms`` is the beginning of an hour, UTC milliseconds."""

_TYPES = {
    Kind.FLOAT64: "float",
    Kind.FLOAT32: "float",
    Kind.INT64: "integer",
    Kind.UINT64: "integer",
    Kind.BOOL: "boolean",
    Kind.STRING: "string",
}
_NOTE = """
    INSERT INTO fields (series, name, type, hour_ms) VALUES (?, ?, ?, ?)
    ON CONFLICT (series, name) DO UPDATE SET hour_ms = excluded.hour_ms
    WHERE hour_ms < excluded.hour_ms
"""
_OF_MEASUREMENT = (
    "SELECT name, type FROM fields JOIN series ON series.id = fields.series WHERE measurement = ?"
)
_OF_SERIES = "SELECT name, hour_ms FROM fields WHERE series = ?"


class Fields:
    """The table of fields, remembered in memory. Used within the store's transactions only."""

    def __init__(self) -> None:
        self._types: dict[str, dict[str, str]] = {}
        self._hours: dict[int, dict[str, int]] = {}

    def forget(self) -> None:
        """Forget what is remembered, as after a transaction that was rolled back."""
        self._types.clear()
        self._hours.clear()

    def conflicts(
        self, connection: sqlite3.Connection, rows: Rows, runs: Sequence[Run]
    ) -> list[tuple[str, npt.NDArray[np.bool_]]]:
        """Reasons and cells of the fields that have another type in the store."""
        known = self._known_types(connection, rows.series.measurement)
        found = []
        for at, (name, kind) in enumerate(_typed(rows, runs)):
            if known.get(name, kind) != kind:
                mask = np.zeros(rows.present.shape, np.bool_)
                mask[:, at] = rows.present[:, at]
                found.append((f"field type conflict: {name} is {kind}, not {known[name]}", mask))
        return found

    def note(
        self,
        connection: sqlite3.Connection,
        series: int,
        rows: Rows,
        runs: Sequence[Run],
        written: npt.NDArray[np.bool_],
    ) -> None:
        """Note the fields that have been written, and when.

        Args:
            connection: within a transaction.
            series: number of the series in the file.
            rows: the values.
            runs: their kinds.
            written: bool[t, n]: the cells that were written.
        """
        hours = self._known_hours(connection, series)
        newest = max(rows.time_ms.tolist(), default=_NEVER)
        for at, (name, kind) in enumerate(_typed(rows, runs)):
            if newest >= hours.get(name, _NEVER) + HOUR_MS:
                last = int(rows.time_ms[written[:, at]].max(initial=_NEVER))
                hour = hour_of(last)
                if hour > hours.get(name, _NEVER):
                    connection.execute(_NOTE, (series, name, kind, hour))
                    hours[name] = hour
                    self._known_types(connection, rows.series.measurement).setdefault(name, kind)

    def _known_types(self, connection: sqlite3.Connection, measurement: str) -> dict[str, str]:
        known = self._types.get(measurement)
        if known is None:
            known = self._types[measurement] = dict(
                connection.execute(_OF_MEASUREMENT, (measurement,))
            )
        return known

    def _known_hours(self, connection: sqlite3.Connection, series: int) -> dict[str, int]:
        known = self._hours.get(series)
        if known is None:
            known = self._hours[series] = hours_of(connection, series)
        return known


def hours_of(connection: sqlite3.Connection, series: int) -> dict[str, int]:
    """The fields of a series with the beginning of the hour in which each came last."""
    return dict(connection.execute(_OF_SERIES, (series,)))


def _typed(rows: Rows, runs: Sequence[Run]) -> list[tuple[str, str]]:
    return [(name, _TYPES[run.kind]) for run in runs for name in rows.fields[run.span]]
