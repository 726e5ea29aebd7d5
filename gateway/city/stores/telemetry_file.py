"""The file of an embedded store: its tables, its version, and how rows of one time are merged."""

import sqlite3
from contextlib import ExitStack
from pathlib import Path

import orjson

from gateway.city.stores import fields
from gateway.city.stores.api import Series, StoreMisconfiguredError
from gateway.durable import make_folder, sync_names, write_ahead
from gateway.private import keep_private

VERSION = 3
_TABLES = f"""
    CREATE TABLE IF NOT EXISTS series (
        id INTEGER PRIMARY KEY,
        measurement TEXT NOT NULL, enterprise TEXT NOT NULL, site TEXT NOT NULL,
        gateway TEXT NOT NULL, device TEXT NOT NULL, equipment TEXT NOT NULL,
        UNIQUE (measurement, enterprise, site, gateway, device, equipment)
    );
    CREATE INDEX IF NOT EXISTS series_gateway ON series (gateway);
    CREATE TABLE IF NOT EXISTS points (
        series INTEGER NOT NULL REFERENCES series (id),
        time_ms INTEGER NOT NULL,
        n INTEGER NOT NULL,
        body TEXT NOT NULL,
        status TEXT,
        PRIMARY KEY (series, time_ms)
    ) WITHOUT ROWID;
    CREATE INDEX IF NOT EXISTS points_time ON points (time_ms);
    {fields.TABLE}
    PRAGMA user_version = {VERSION};
"""
"""``n`` is the number of fields in ``body``; ``status`` has the status byte of those that are not
GOOD, as a JSON object, and is NULL where there are none."""

INSERT = """
    INSERT INTO points (series, time_ms, n, body, status) VALUES (?, ?, ?, ?, ?)
    ON CONFLICT (series, time_ms) DO UPDATE SET
        n = qulink_fields(body, excluded.body),
        status = qulink_status(body, status, excluded.body, excluded.status),
        body = qulink_merge(body, excluded.body)
    WHERE body IS NOT excluded.body OR status IS NOT excluded.status
"""
"""Writes a row; of each field what is written last holds, and its status; see :class:`Merge`."""


def open_file(path: Path, merge: "Merge") -> sqlite3.Connection:
    """Open a store's file, or make a new one; a file of another version is not touched.

    Args:
        path: the file; its folder is made.
        merge: decides about rows of one time.

    Raises:
        StoreMisconfiguredError: it is of another version, or no store.
        OSError: no such folder, or no permission.
        sqlite3.Error: likewise, or the file is damaged.
    """
    make_folder(path.parent)
    keep_private(path)
    connection = sqlite3.connect(path, check_same_thread=False, isolation_level=None, timeout=10)
    with ExitStack() as failed:
        failed.callback(connection.close)
        is_new = _is_new(connection, path)  # before the journal mode, which changes the file
        write_ahead(connection)
        connection.execute("PRAGMA foreign_keys=ON")
        merge.register(connection)
        if is_new:
            # Workers may begin the file at the same moment: one makes the tables.
            connection.executescript(f"BEGIN IMMEDIATE; {_TABLES} COMMIT;")
            sync_names(path)
        failed.pop_all()
    return connection


def _is_new(connection: sqlite3.Connection, path: Path) -> bool:
    """Whether the file is empty; if not, it must be a store of this version."""
    # In one look: another worker may be making the tables.
    query = "SELECT user_version, (SELECT count(*) FROM sqlite_schema) FROM pragma_user_version"
    version, tables = connection.execute(query).fetchone()
    if not tables and not version:
        return True
    if version > VERSION:
        raise StoreMisconfiguredError(
            f"the store {path} was written by a newer qulink (version {version}); update qulink, "
            "or give 'store.path' another file"
        )
    if version < VERSION:
        raise StoreMisconfiguredError(
            f"the store {path} was written by an older qulink (version {version}), which this one "
            "does not read: give 'store.path' a new file, or go back to the older qulink"
        )
    return False


_SERIES = ("measurement", "enterprise", "site", "gateway", "device", "equipment")


def add_series(connection: sqlite3.Connection, series: Series) -> int:
    """The number of a series in the file, which it gets with its first values."""
    connection.execute(
        "INSERT OR IGNORE INTO series (measurement, enterprise, site, gateway, device, "
        "equipment) VALUES (?, ?, ?, ?, ?, ?)",
        _key(series),
    )
    return find_series(connection, series)


def find_series(connection: sqlite3.Connection, series: Series) -> int:
    """The number of a series in the file; -1: it has none."""
    where = " AND ".join(f"{name} = ?" for name in _SERIES)
    query = f"SELECT id FROM series WHERE {where}"  # noqa: S608 - constant column names
    found = connection.execute(query, _key(series)).fetchone()
    return int(found[0]) if found else -1


def _key(series: Series) -> tuple[str, ...]:
    return tuple(getattr(series, name) for name in _SERIES)


_HELD = """
    SELECT measurement, sum(n) FROM series JOIN points ON points.series = series.id
    WHERE enterprise = ? GROUP BY measurement ORDER BY measurement
"""
_ERASE = (
    "DELETE FROM points WHERE (series, time_ms) IN (SELECT series, time_ms FROM series "
    "CROSS JOIN points ON points.series = series.id WHERE enterprise = ? LIMIT 5000)"
)
_ERASE_NAMES = (
    "DELETE FROM fields WHERE series IN (SELECT id FROM series WHERE enterprise = ?)",
    "DELETE FROM series WHERE enterprise = ?",
)


def held_by(connection: sqlite3.Connection, enterprise: str) -> dict[str, int]:
    """How many values of an enterprise there are, by measurement."""
    return dict(connection.execute(_HELD, (enterprise,)))


def erase_some(connection: sqlite3.Connection, enterprise: str) -> bool:
    """Delete some thousand rows of an enterprise, overwritten; whether there may be more."""
    connection.execute("PRAGMA secure_delete=ON")
    if connection.execute(_ERASE, (enterprise,)).rowcount:
        return True
    for statement in _ERASE_NAMES:  # last: what is named finds no values, one unnamed were lost
        connection.execute(statement, (enterprise,))
    return False


TRIM_ROWS = 5_000
"""Most rows that one transaction deletes: what is received is written between two of them."""
_TRIM = """
    DELETE FROM points WHERE (series, time_ms) IN
        (SELECT series, time_ms FROM points WHERE time_ms < ? LIMIT ?)
"""


def trim_some(connection: sqlite3.Connection, before_ms: int) -> int:
    """Delete rows that are older, at most :data:`TRIM_ROWS`; returns how many went."""
    return connection.execute(_TRIM, (before_ms, TRIM_ROWS)).rowcount


def trim_names(connection: sqlite3.Connection, before_ms: int) -> None:
    """Forget the fields whose last hour began earlier."""
    connection.execute("DELETE FROM fields WHERE hour_ms < ?", (before_ms,))


class Merge:
    """What becomes of a row when another one of its series and time is written.

    Groups of a device share rows, and a frame may come twice or in pieces. But of one group a row
    is one poll: where the values differ, it is another poll, and nothing of the older one stays.

    Attributes:
        fields: names of the fields of the group that is being written.
    """

    def __init__(self) -> None:
        self.fields: frozenset[str] = frozenset()

    def register(self, connection: sqlite3.Connection) -> None:
        """Let statements call it."""
        connection.create_function("qulink_merge", 2, self._body)
        connection.create_function("qulink_fields", 2, self._count)
        connection.create_function("qulink_status", 4, self._status)

    def _merged(self, old_body: str, new_body: str) -> dict[str, object]:
        old: dict[str, object] = orjson.loads(old_body)
        new: dict[str, object] = orjson.loads(new_body)
        is_other = any(old.get(name, value) != value for name, value in new.items())
        kept = {name: old[name] for name in old if name not in self.fields} if is_other else old
        return kept | new

    def _body(self, old: str, new: str) -> str:
        return orjson.dumps(self._merged(old, new)).decode()

    def _count(self, old: str, new: str) -> int:
        return len(self._merged(old, new))

    def _status(self, old_body: str, old: str | None, new_body: str, new: str | None) -> str | None:
        """Statuses after that: fields that were not written keep theirs."""
        if old is None:
            return new
        kept = self._merged(old_body, new_body).keys() - orjson.loads(new_body).keys()
        stay = {name: code for name, code in orjson.loads(old).items() if name in kept}
        merged = stay | (orjson.loads(new) if new is not None else {})
        return orjson.dumps(merged).decode() if merged else None
