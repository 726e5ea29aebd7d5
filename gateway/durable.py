"""Files, and names of files, that survive a power cut.

``fsync`` of a file keeps its content only: its name is content of its folder, and the folder's
name that of the folder above. A database or password file that was made, or renamed, just before
the power went would be there with its content and without its name.
"""

import errno
import os
import sqlite3
import time
from contextlib import suppress
from pathlib import Path

_CANNOT = {errno.EINVAL, errno.ENOTSUP}
"""Answers of a file system that syncs no folders; nothing is wrong with the disk."""
_PATIENCE_S = {sqlite3.SQLITE_BUSY: 10.0, sqlite3.SQLITE_CANTOPEN: 1.0}
"""How long each refusal may be another process's doing; the second lasts where a folder cannot be
written, and who meets that is to be told soon."""
_PAUSE_S = 0.01


def sync_folder(folder: Path) -> None:
    """Make what was made, renamed or removed in a folder last.

    A file system that cannot sync folders (some network and flash ones) does not say so in a way
    that anybody could act on; it is left to it.

    Raises:
        OSError: no such folder, or the disk fails.
    """
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    except OSError as error:
        if error.errno not in _CANNOT:
            raise
    finally:
        os.close(descriptor)


def sync_names(path: Path) -> None:
    """Make the name of a file last, and those of all folders on the way to it.

    On a first start they may be as new as the file. Folders above that we may not read are made by
    others, who have to see to it.

    Raises:
        OSError: the file's own folder cannot be synced.
    """
    nearest, *above = path.absolute().parents
    sync_folder(nearest)
    for folder in above:
        with suppress(OSError):
            sync_folder(folder)


def replace_file(path: Path, content: bytes, mode: int = 0o600) -> None:
    """Write a whole file; after a power cut it is the old one or the new one.

    Args:
        path: the file.
        content: of it.
        mode: who may use it, by default its owner alone.

    Raises:
        OSError: the disk does not take it; the old one is there.
    """
    beside = path.with_name(path.name + ".new")
    descriptor = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, mode)
    with os.fdopen(descriptor, "wb") as file:
        os.fchmod(file.fileno(), mode)  # the umask, or an older file of this name, had another
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    beside.replace(path)
    sync_folder(path.parent)


def make_folder(folder: Path) -> None:
    """Make a folder and those above it that are missing, to last.

    Raises:
        OSError: it cannot be made.
    """
    if not folder.is_dir():
        folder.mkdir(parents=True, exist_ok=True)
        sync_names(folder)


def write_ahead(database: sqlite3.Connection) -> None:
    """Turn on the write-ahead log and make commits last when they return.

    Processes may do so to a new file at one moment. For this one change SQLite waits for no lock,
    whatever its time-out: it refuses at once, or cannot open the journal by which another process
    makes the same change, as that is gone by then.

    Raises:
        sqlite3.Error: no database, or it cannot be written.
    """
    begun = time.monotonic()
    while True:
        try:
            database.execute("PRAGMA journal_mode=WAL")
        except sqlite3.OperationalError as error:
            patience_s = _PATIENCE_S.get(error.sqlite_errorcode & 0xFF, 0.0)
            if time.monotonic() > begun + patience_s:
                raise
            time.sleep(_PAUSE_S)
        else:
            break
    database.execute("PRAGMA synchronous=FULL")
