"""The file of an embedded store: its tables, its version, and how rows of one time are merged."""

import sqlite3
from contextlib import ExitStack
from pathlib import Path

import orjson

from gateway.city.stores import fields
from gateway.city.stores.api import StoreMisconfiguredError
from gateway.durable import make_folder, sync_names
from gateway.private import keep_private

VERSION = 3
_TABLES = f"""
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
        status TEXT,
        PRIMARY KEY (series, time_ms)
    ) WITHOUT ROWID;
    CREATE INDEX points_time ON points (time_ms);
    {fields.TABLE}
    PRAGMA user_version = {VERSION};
"""
"""``n`` is the number of fields in ``body``; ``status`` has the status byte of those that are not
GOOD, as a JSON object, and is NULL where there are none."""

INSERT = """
    INSERT INTO points (series, time_ms, n, body, status) VALUES (?, ?, ?, ?, ?)
    ON CONFLICT (series, time_ms) DO UPDATE SET
        n = qulink_fields(body, excluded.body),
        status = qulink_status(status, excluded.body, excluded.status),
        body = qulink_merge(body, excluded.body)
    WHERE body IS NOT excluded.body OR status IS NOT excluded.status
"""
"""Writes a row; of each field what is written last holds, and its status."""


def open_file(path: Path) -> sqlite3.Connection:
    """Open a store's file, or make a new one; a file of another version is not touched.

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
        for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON"):
            connection.execute(f"PRAGMA {pragma}")
        connection.create_function("qulink_merge", 2, _merge, deterministic=True)
        connection.create_function("qulink_fields", 2, _fields, deterministic=True)
        connection.create_function("qulink_status", 3, _status, deterministic=True)
        if is_new:
            connection.executescript(f"BEGIN; {_TABLES} COMMIT;")
            sync_names(path)
        failed.pop_all()
    return connection


def _is_new(connection: sqlite3.Connection, path: Path) -> bool:
    """Whether the file is empty; if not, it must be a store of this version."""
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    (tables,) = connection.execute("SELECT count(*) FROM sqlite_schema").fetchone()
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


def _merge(old: str, new: str) -> str:
    return orjson.dumps(orjson.loads(old) | orjson.loads(new)).decode()


def _fields(old: str, new: str) -> int:
    return len(orjson.loads(old).keys() | orjson.loads(new).keys())


def _status(old: str | None, new_body: str, new: str | None) -> str | None:
    """Statuses after a row was written over another: fields that were not written keep theirs."""
    if old is None:
        return new
    written = orjson.loads(new_body).keys()
    kept = {name: code for name, code in orjson.loads(old).items() if name not in written}
    merged = kept | (orjson.loads(new) if new is not None else {})
    return orjson.dumps(merged).decode() if merged else None
