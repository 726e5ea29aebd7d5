"""What the embedded enterprise node keeps: templates and identifiers, in one SQLite file.

Synchronous; the node calls it in a thread and one call at a time. A deleted identifier leaves a
tombstone and is never given out again.
"""

import json
import sqlite3
from collections.abc import Callable, Iterable
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from gateway.durable import sync_names, write_ahead
from gateway.identifier.irp.bodies import Held
from gateway.identifier.irp.values import Value
from gateway.private import keep_private

VERSION = 1
"""Version of the file's layout (``PRAGMA user_version``)."""

_TABLES = """
CREATE TABLE IF NOT EXISTS template (
    prefix TEXT NOT NULL, version TEXT NOT NULL, body TEXT NOT NULL,
    PRIMARY KEY (prefix, version)
) STRICT;
CREATE TABLE IF NOT EXISTS handle (
    key TEXT PRIMARY KEY, handle TEXT NOT NULL, template_version TEXT NOT NULL,
    value TEXT NOT NULL, created_ms INTEGER NOT NULL, updated_ms INTEGER NOT NULL,
    deleted_ms INTEGER
) STRICT;
"""


class NodeStoreError(Exception):
    """The node's file cannot be used."""


class NodeStore:
    """The node's file."""

    def __init__(self, path: Path) -> None:
        """Open or create the file.

        Raises:
            NodeStoreError: no such folder, no SQLite file, or written by a newer qulink.
        """
        keep_private(path)
        try:
            self._db = sqlite3.connect(path, check_same_thread=False, isolation_level=None)
            with ExitStack() as failed:
                failed.callback(self._db.close)
                write_ahead(self._db)
                self._prepare(path)
                sync_names(path)
                failed.pop_all()
        except sqlite3.Error as error:
            raise NodeStoreError(f"cannot open the node's file {path}: {error}") from error

    def _prepare(self, path: Path) -> None:
        version = self._db.execute("PRAGMA user_version").fetchone()[0]
        if version > VERSION:
            raise NodeStoreError(
                f"{path} has layout {version}; this qulink knows up to {VERSION}; update it"
            )
        if version == 0:
            # Others may begin the file at the same moment: one makes the tables.
            version = f"PRAGMA user_version={VERSION};"
            self._db.executescript(f"BEGIN IMMEDIATE;{_TABLES}{version}COMMIT;")

    def close(self) -> None:
        """Close the file."""
        self._db.close()

    def template(self, prefix: str, version: str) -> dict[str, Any] | None:
        """A template's body."""
        row = self._db.execute(
            "SELECT body FROM template WHERE prefix = ? AND version = ?", (prefix.upper(), version)
        ).fetchone()
        return json.loads(row[0]) if row else None

    def put_template(self, body: dict[str, Any]) -> None:
        """Create or replace a template."""
        text = json.dumps(body)
        self._db.execute(
            "INSERT INTO template VALUES (?, ?, ?) "
            "ON CONFLICT (prefix, version) DO UPDATE SET body = excluded.body",
            (body["prefix"].upper(), body["version"], text),  # prefixes do not differ in case
        )

    def get(self, handle: str) -> dict[str, Any] | None:
        """A living identifier: handle, templateVersion, value."""
        row = self._living(handle)
        if row is None:
            return None
        return {"handle": row[0], "templateVersion": row[1], "value": json.loads(row[2])}

    def held(self, handle: str) -> Held | None:
        """A living identifier as the native protocol has it: each item a value."""
        row = self._living(handle)
        if row is None:
            return None
        values = (
            Value(one["index"], one["type"], one["data"]["value"].encode(), row[3] // 1000)
            for one in json.loads(row[2])
        )
        return Held(row[0], tuple(values))

    def _living(self, handle: str) -> tuple[str, str, str, int] | None:
        found: tuple[str, str, str, int] | None = self._db.execute(
            "SELECT handle, template_version, value, updated_ms FROM handle "
            "WHERE key = ? AND deleted_ms IS NULL",
            (handle.upper(),),
        ).fetchone()
        return found

    def taken(self, handle: str) -> bool:
        """Whether an identifier exists or did once."""
        query = "SELECT 1 FROM handle WHERE key = ?"
        return self._db.execute(query, (handle.upper(),)).fetchone() is not None

    def add(self, body: dict[str, Any], now_ms: int) -> None:
        """Add an identifier that is not taken."""
        self._db.execute(
            "INSERT INTO handle VALUES (?, ?, ?, ?, ?, ?, NULL)",
            (
                body["handle"].upper(),
                body["handle"],
                body["templateVersion"],
                json.dumps(body["value"]),
                now_ms,
                now_ms,
            ),
        )

    def replace(self, body: dict[str, Any], now_ms: int) -> None:
        """Replace the metadata of a living identifier."""
        self._db.execute(
            "UPDATE handle SET template_version = ?, value = ?, updated_ms = ? WHERE key = ?",
            (
                body["templateVersion"],
                json.dumps(body["value"]),
                now_ms,
                body["handle"].upper(),
            ),
        )

    def bury(self, handle: str, now_ms: int) -> None:
        """Mark an identifier as deleted; it stays taken."""
        self._db.execute(
            "UPDATE handle SET deleted_ms = ?, value = '[]' WHERE key = ?",
            (now_ms, handle.upper()),
        )

    def count(self) -> int:
        """How many identifiers live."""
        query = "SELECT count(*) FROM handle WHERE deleted_ms IS NULL"
        return int(self._db.execute(query).fetchone()[0])

    def together(self, steps: Iterable[Callable[[], str]]) -> list[str]:
        """Run steps in one transaction; a step's refusal is its text and stops no other."""
        # IMMEDIATE: a transaction that reads first and writes then may fail half-way.
        self._db.execute("BEGIN IMMEDIATE")
        try:
            results = [step() for step in steps]
            self._db.execute("COMMIT")
        except BaseException:  # whatever ends it, nothing half-done stays
            if self._db.in_transaction:  # a full disk may have ended it already
                self._db.execute("ROLLBACK")
            raise
        return results
