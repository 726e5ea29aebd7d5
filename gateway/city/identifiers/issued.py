"""Which machine was given which identifier, in a file of its own beside the city's database.

A database that is restored from a copy has forgotten what was issued since. This file has not: a
machine gets back what it had, and no number is given to a second one. It also notes
of which prefixes it has what the node knows (``registering/recovering.py``), and which identifiers
were withdrawn there.
"""

import sqlite3
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from gateway.city.ledger.names import MachineName
from gateway.core.days import day_of
from gateway.durable import sync_names, write_ahead
from gateway.identifier.codes.handle import Handle
from gateway.private import keep_private

VERSION = 3
"""Version of the file's layout (``PRAGMA user_version``)."""
FILE = "issued-identifiers.db"

_TABLES = f"""
CREATE TABLE IF NOT EXISTS issued (
    handle_key TEXT PRIMARY KEY, handle TEXT NOT NULL,
    uscc TEXT NOT NULL, site_key TEXT NOT NULL, asset_key TEXT NOT NULL, issued_ms INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS issued_machine ON issued (uscc, site_key, asset_key, issued_ms);
CREATE TABLE IF NOT EXISTS asked (prefix_key TEXT PRIMARY KEY) STRICT, WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS withdrawn (handle_key TEXT PRIMARY KEY) STRICT, WITHOUT ROWID;
PRAGMA user_version={VERSION};
"""
_KNOWN = """
INSERT OR IGNORE INTO asked
SELECT DISTINCT substr(handle_key, 1, instr(handle_key, '/') - 1) FROM issued;
"""
"""A file of layout 1 was kept from the first identifier on: it knows what the node knows."""


class IssuedFileError(Exception):
    """The file cannot be used; the message says why and what to do."""


@dataclass(frozen=True, slots=True)
class Issue:
    """One identifier that was given to a machine, under the machine's name of then."""

    handle: Handle
    machine: MachineName


@dataclass(frozen=True, slots=True)
class Dated:
    """An issue and its time, UTC milliseconds."""

    issue: Issue
    issued_ms: int


@dataclass(frozen=True, slots=True)
class Completion:
    """What became of issues that a file was told of.

    Attributes:
        lacking: it had not; it has them now.
        otherwise: it has under another name: (what it has, what it was told).
    """

    lacking: list[Issue]
    otherwise: list[tuple[Issue, Issue]]


class IssuedFile:
    """The file; synchronous, for one thread at a time."""

    def __init__(self, path: Path) -> None:
        """Open or create it.

        Raises:
            IssuedFileError: no SQLite file, no such folder, or written by a newer qulink.
        """
        self.path = path
        keep_private(path)
        try:
            self._db = sqlite3.connect(path, check_same_thread=False, isolation_level=None)
            write_ahead(self._db)
            version = self._db.execute("PRAGMA user_version").fetchone()[0]
            if version < VERSION:
                # Workers of one host may begin the file at the same moment: one makes the tables.
                self._db.executescript(
                    f"BEGIN IMMEDIATE;{_TABLES}{_KNOWN if version == 1 else ''}COMMIT;"
                )
            sync_names(path)
        except sqlite3.Error as error:
            raise IssuedFileError(
                f"cannot open {path}, which keeps what identifiers were issued: {error}; "
                "restore it from a copy, or give the city a folder that can be written"
            ) from error
        if version > VERSION:
            self._db.close()
            raise IssuedFileError(
                f"{path} has layout {version}; this qulink knows up to {VERSION}; update it"
            )

    def close(self) -> None:
        """Close the file."""
        self._db.close()

    def issues_to(self, names: Iterable[MachineName]) -> list[tuple[date, Issue]]:
        """What machines of these names were given, the newest first.

        Returns:
            Asia/Shanghai day of the issue, and the issue under the name as it was asked for.
        """
        found: list[tuple[int, str, MachineName]] = []
        query = "SELECT issued_ms, handle FROM issued WHERE (uscc, site_key, asset_key) = (?, ?, ?)"
        for key, name in {one.key: one for one in names}.items():
            found += [(*row, name) for row in self._db.execute(query, key)]
        return [
            (day_of(issued_ms), Issue(Handle.parse(handle), name))
            for issued_ms, handle, name in sorted(found, reverse=True)
        ]

    def holds(self, handle: Handle) -> bool:
        """Whether an identifier was ever issued."""
        query = "SELECT 1 FROM issued WHERE handle_key = ?"
        return self._db.execute(query, (handle.key,)).fetchone() is not None

    def was_asked(self, prefix: str) -> bool:
        """Whether what the node has of a prefix is noted here."""
        query = "SELECT 1 FROM asked WHERE prefix_key = ?"
        return self._db.execute(query, (prefix.upper(),)).fetchone() is not None

    def note_asked(self, prefix: str) -> None:
        """Note that all that the node has of a prefix is here; lasting at return."""
        self._db.execute("INSERT OR IGNORE INTO asked VALUES (?)", (prefix.upper(),))

    def was_withdrawn(self, handle: Handle) -> bool:
        """Whether an identifier was ever withdrawn at the node."""
        query = "SELECT 1 FROM withdrawn WHERE handle_key = ?"
        return self._db.execute(query, (handle.key,)).fetchone() is not None

    def note_withdrawn(self, handles: Iterable[Handle]) -> None:
        """Note that identifiers were withdrawn at the node; lasting at return."""
        rows = [(one.key,) for one in handles]
        with self._db:
            self._db.execute("BEGIN IMMEDIATE")
            self._db.executemany("INSERT OR IGNORE INTO withdrawn VALUES (?)", rows)

    def count(self) -> int:
        """How many identifiers it holds."""
        return int(self._db.execute("SELECT count(*) FROM issued").fetchone()[0])

    def complete(self, issues: Sequence[Dated]) -> Completion:
        """Note what was issued by others; lasting at return. What the file has stays as it is."""
        lacking: list[Issue] = []
        otherwise: list[tuple[Issue, Issue]] = []
        with self._db:
            self._db.execute("BEGIN IMMEDIATE")
            for one in issues:
                held = self.owner(one.issue.handle)
                if held is None:
                    lacking.append(one.issue)
                    self._insert(one)
                elif held != one.issue.machine.key:
                    otherwise.append((Issue(one.issue.handle, held), one.issue))
        return Completion(lacking, otherwise)

    def _insert(self, one: Dated) -> None:
        handle, machine = one.issue.handle, one.issue.machine
        row = (handle.key, str(handle), *machine.key, one.issued_ms)
        self._db.execute("INSERT INTO issued VALUES (?, ?, ?, ?, ?, ?)", row)

    def owner(self, handle: Handle) -> MachineName | None:
        """Key of the name of the machine that an identifier was issued to; None: to none."""
        query = "SELECT uscc, site_key, asset_key FROM issued WHERE handle_key = ?"
        row = self._db.execute(query, (handle.key,)).fetchone()
        return MachineName(*row) if row else None

    def add(self, issues: Sequence[Issue], now_ms: int) -> None:
        """Note what is about to be issued, before the city's database has it; lasting at return.

        After a crash between the two the machine gets the same identifier again. An identifier
        that was noted for another machine is this one's from now on.
        """
        rows = [(one.handle.key, str(one.handle), *one.machine.key, now_ms) for one in issues]
        with self._db:  # commits, or takes all of it back
            self._db.execute("BEGIN IMMEDIATE")
            self._db.executemany("INSERT OR REPLACE INTO issued VALUES (?, ?, ?, ?, ?, ?)", rows)
