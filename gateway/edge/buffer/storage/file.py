"""The buffer's file: its tables, opening, checking, setting a broken one aside."""

import fcntl
import logging
import os
import sqlite3
from contextlib import ExitStack, closing
from datetime import UTC, date, datetime
from pathlib import Path
from secrets import randbits

from gateway.core.status import Reason
from gateway.durable import sync_folder, sync_names
from gateway.edge.buffer.storage.forerunner import UNHEARD
from gateway.edge.buffer.storage.history import begin_life
from gateway.edge.buffer.storage.reserve import Reserve, free_bytes
from gateway.edge.buffer.storage.since import SinceOpening
from gateway.private import keep_private

_log = logging.getLogger(__name__)

APPLICATION_ID = 0x716C6E6B
"""Marks the file as a qulink buffer (``qlnk``)."""

LEAST_BYTES = 256 * 1024
"""With less room than this a buffer cannot be opened."""

VERSION = 8
"""Of the tables; the file's ``user_version``. Older ones were never in the field."""

TABLES = f"""
    CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
    CREATE TABLE frame (
        seq INTEGER PRIMARY KEY, waiting INTEGER NOT NULL, count INTEGER NOT NULL,
        bytes INTEGER NOT NULL, first_ms INTEGER NOT NULL, last_ms INTEGER NOT NULL,
        gaps INTEGER NOT NULL, chain INTEGER NOT NULL, shares BLOB NOT NULL, body BLOB NOT NULL);
    CREATE TABLE consumer (
        name TEXT PRIMARY KEY, flag INTEGER NOT NULL, lost INTEGER NOT NULL,
        handed_out INTEGER NOT NULL, acked INTEGER NOT NULL, acked_chain INTEGER NOT NULL);
    CREATE TABLE doubt (seq INTEGER PRIMARY KEY, chain INTEGER NOT NULL, shares BLOB NOT NULL);
    CREATE TABLE books (
        device TEXT, day TEXT, due INTEGER NOT NULL, ok INTEGER NOT NULL,
        failed INTEGER NOT NULL, skipped INTEGER NOT NULL, suppressed INTEGER NOT NULL,
        buffered INTEGER NOT NULL, reported INTEGER NOT NULL,
        PRIMARY KEY (device, day)) WITHOUT ROWID;
    CREATE INDEX books_unreported ON books (device, day) WHERE reported = 0;
    CREATE TABLE dropped (
        device TEXT, day TEXT, code TEXT, count INTEGER NOT NULL,
        PRIMARY KEY (device, day, code)) WITHOUT ROWID;
    CREATE TABLE uncertain (
        device TEXT, day TEXT, code TEXT, count INTEGER NOT NULL,
        PRIMARY KEY (device, day, code)) WITHOUT ROWID;
    CREATE TABLE machine (
        device TEXT, site TEXT, asset TEXT, day TEXT, valid INTEGER NOT NULL,
        expected INTEGER NOT NULL, first_ms INTEGER, last_ms INTEGER, reported INTEGER NOT NULL,
        PRIMARY KEY (device, site, asset, day)) WITHOUT ROWID;
    CREATE INDEX machine_unreported ON machine (device, site, asset, day) WHERE reported = 0;
    CREATE TABLE since (
        device TEXT, day TEXT, body BLOB NOT NULL, PRIMARY KEY (device, day)) WITHOUT ROWID;
    CREATE TABLE since_machine (
        device TEXT, site TEXT, asset TEXT, day TEXT, body BLOB NOT NULL,
        PRIMARY KEY (device, site, asset, day)) WITHOUT ROWID;
    CREATE TABLE since_device (device TEXT PRIMARY KEY) WITHOUT ROWID;
    CREATE TABLE progress (
        device TEXT, grp TEXT, tick_ms INTEGER NOT NULL, newest_ms INTEGER NOT NULL,
        PRIMARY KEY (device, grp)) WITHOUT ROWID;
    CREATE TABLE gap (
        device TEXT, grp TEXT, tags TEXT, cause INTEGER, from_ms INTEGER, to_ms INTEGER,
        PRIMARY KEY (device, grp, tags, cause, from_ms)) WITHOUT ROWID;
    CREATE TABLE tag_schema (id TEXT PRIMARY KEY, body BLOB NOT NULL) WITHOUT ROWID;
    PRAGMA application_id={APPLICATION_ID};
    PRAGMA user_version={VERSION};
"""

_COLUMNS = """
    SELECT tables.name, columns.name, columns.type, columns."notnull", columns.pk
    FROM sqlite_master AS tables JOIN pragma_table_info(tables.name) AS columns
    WHERE tables.type = 'table' ORDER BY tables.name, columns.cid
"""


class BufferFileError(Exception):
    """The buffer's file cannot be used; the message says why and what to do."""


def damaged(path: Path, error: sqlite3.Error) -> BufferFileError:
    """What to say of a file that cannot be used any more."""
    return BufferFileError(
        f"buffer {path} cannot be used any more: {error}; when the gateway starts again, "
        "a damaged file is set aside and a new one begun"
    )


def _configure(connection: sqlite3.Connection) -> None:
    """Make commits durable when they return (WAL, synchronous=FULL)."""
    connection.execute("PRAGMA journal_mode=WAL")
    connection.execute("PRAGMA synchronous=FULL")
    # Deleted frames need not be overwritten; zeroing them would double what is written.
    connection.execute("PRAGMA secure_delete=OFF")
    # Below zero it is KiB: of an edge at rest all memory counts.
    connection.execute("PRAGMA cache_size=-1024")
    connection.execute("PRAGMA wal_autocheckpoint=500")
    connection.execute("PRAGMA journal_size_limit=4194304")


def open_file(path: Path) -> sqlite3.Connection:
    """Open or make the file; one that is broken is set aside and a new one made.

    Raises:
        BufferFileError: the folder is missing or not writable, or another program or another
            version made the file.
    """
    if not path.parent.is_dir():
        raise BufferFileError(f"buffer {path}: the folder {path.parent} does not exist; create it")
    try:
        return _checked(path)
    except (sqlite3.OperationalError, OSError) as error:
        if Reserve(path).release():  # the disk may be full
            return open_file(path)
        raise BufferFileError(f"buffer {path} cannot be opened: {error}{_hint(path)}") from error
    except sqlite3.DatabaseError as error:
        _log.error(
            "buffer %s is damaged (%s); it is set aside as %s and a new epoch begins; "
            "frames in it that the city has not acknowledged are lost unless it is repaired",
            path,
            error,
            _set_aside(path),
        )
        return open_file(path)


def _hint(path: Path) -> str:
    return "; its disk is full, make room" if free_bytes(path.parent) < LEAST_BYTES else ""


def _checked(path: Path) -> sqlite3.Connection:
    keep_private(path)
    connection = sqlite3.connect(path, timeout=5.0, isolation_level=None, check_same_thread=False)
    with ExitStack() as failed:
        failed.callback(connection.close)
        _recognise(connection, path)
        _configure(connection)
        _check(connection)
        _begin(connection)
        _check_rows(connection)
        # Before the first frame leaves under this epoch.
        sync_names(path)
        failed.pop_all()
    return connection


def _recognise(connection: sqlite3.Connection, path: Path) -> None:
    """Leave a file alone that another program or version made."""
    (tables,) = connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
    (application,) = connection.execute("PRAGMA application_id").fetchone()
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    if tables and application != APPLICATION_ID:
        raise BufferFileError(f"{path} is a database, but no buffer; name another file as buffer")
    if tables and version != VERSION:
        which = "newer" if version > VERSION else "older"
        raise BufferFileError(
            f"buffer {path} has version {version}, this qulink knows {VERSION}; "
            f"install the {which} qulink again, or move the file away"
        )


def _check(connection: sqlite3.Connection) -> None:
    (verdict,) = connection.execute("PRAGMA quick_check(1)").fetchone()
    if verdict != "ok":
        raise sqlite3.DatabaseError(verdict)
    # Names of columns are text in the file, which SQLite does not check: a bit of them can flip.
    columns = _columns(connection)
    if columns and columns != _own_columns():
        raise sqlite3.DatabaseError("its tables have other columns than a buffer's")


def _check_rows(connection: sqlite3.Connection) -> None:
    """Nor does SQLite check what is in a row; the mark of the clock is checked where it is read."""
    # Text that is no UTF-8 is damage as well; SQLite's own error is that of a disk that refuses.
    connection.text_factory = bytes.decode
    try:
        for key, text in connection.execute("SELECT key, value FROM meta WHERE key <> 'clock'"):
            _check_number(key, text)
        for (day,) in connection.execute("SELECT day FROM books UNION SELECT day FROM machine"):
            date.fromisoformat(day)
        for (cause,) in connection.execute("SELECT DISTINCT cause FROM gap"):
            Reason(cause)
        SinceOpening.load(connection)
    except (ValueError, TypeError) as error:
        raise sqlite3.DatabaseError(f"a row of it cannot be read: {error}") from error
    finally:
        connection.text_factory = str


def _check_number(key: str, text: str) -> None:
    try:
        for word in text.split():
            int(word, 16 if key == "epoch" else 10)
    except ValueError as error:
        raise sqlite3.DatabaseError(f"its {key} is {text!r}") from error


def _columns(connection: sqlite3.Connection) -> list[tuple[object, ...]]:
    """Every column of every table: its name, type and place in the key."""
    return connection.execute(_COLUMNS).fetchall()


def _own_columns() -> list[tuple[object, ...]]:
    with closing(sqlite3.connect(":memory:")) as connection:
        connection.executescript(TABLES)
        return _columns(connection)


def _begin(connection: sqlite3.Connection) -> None:
    """Make the tables of a new file, and choose its epoch."""
    if not connection.execute("PRAGMA user_version").fetchone()[0]:
        connection.executescript(f"BEGIN IMMEDIATE;{TABLES}{UNHEARD}COMMIT;")
    connection.execute(
        "INSERT OR IGNORE INTO meta VALUES ('epoch', ?), ('last_seq', '0'), ('chain', '0')",
        (f"{randbits(64):016x}",),
    )
    begin_life(connection)


def _set_aside(path: Path) -> Path:
    """Rename a damaged file.

    Raises:
        BufferFileError: the folder is not writable.
    """
    stamp = datetime.now(UTC).strftime("%Y%m%dT%H%M%S%f")
    aside = path.with_name(f"{path.name}.damaged-{stamp}")
    try:
        # The file last: a new one must never find the log of the old one beside it.
        for suffix in ("-shm", "-wal", ""):
            part = path.with_name(path.name + suffix)
            if part.exists():
                part.rename(aside.with_name(aside.name + suffix))
        sync_folder(path.parent)  # else a power cut could undo some of the renames
    except OSError as error:
        raise BufferFileError(
            f"buffer {path} is damaged and cannot be set aside: {error}"
        ) from error
    return aside


def open_reader(path: Path) -> sqlite3.Connection:
    """A connection that only reads, of this process or another one.

    Raises:
        BufferFileError: no such file, or it cannot be read.
    """
    if not path.is_file():
        raise BufferFileError(f"buffer {path} does not exist")
    try:
        return _reading(path)
    except sqlite3.Error as error:
        raise BufferFileError(f"buffer {path} cannot be read: {error}") from error


def _reading(path: Path) -> sqlite3.Connection:
    connection = sqlite3.connect(
        f"{path.absolute().as_uri()}?mode=rw",
        uri=True,
        timeout=5.0,
        isolation_level=None,
        check_same_thread=False,
    )
    with ExitStack() as failed:
        failed.callback(connection.close)
        connection.execute("PRAGMA query_only=ON")
        connection.execute("PRAGMA cache_size=-256")
        with closing(connection.execute("SELECT count(*) FROM meta")) as cursor:
            cursor.fetchone()
        failed.pop_all()
    return connection


def lock_file(path: Path) -> int:
    """Make this process the only one that uses the buffer, until the descriptor is closed.

    Raises:
        BufferFileError: another process uses it, or the folder is missing or not writable.
    """
    if not path.parent.is_dir():
        raise BufferFileError(f"buffer {path}: the folder {path.parent} does not exist; create it")
    name = path.with_name(path.name + "-lock")
    try:
        descriptor = os.open(name, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise BufferFileError(f"buffer {path} cannot be locked: {error}") from error
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        os.close(descriptor)
        raise BufferFileError(
            f"buffer {path} is in use by another qulink; stop that one"
        ) from error
    return descriptor
