"""Transactions of the buffer's file, and a disk that refuses one."""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from gateway.edge.buffer.storage.file import damaged
from gateway.edge.buffer.storage.reserve import Reserve


class DiskRefusedError(Exception):
    """The disk took no more: full, over a quota, or failing. What was offered is not kept."""


@contextmanager
def transaction(writer: sqlite3.Connection, path: Path, reserve: Reserve) -> Iterator[None]:
    """All or nothing of what is written in it; whoever writes ends it with COMMIT.

    Args:
        writer: of the buffer's file.
        path: the file, for messages.
        reserve: given up when the disk refuses, so that the next one can free what is acknowledged.

    Raises:
        DiskRefusedError: nothing of it was kept.
        BufferFileError: the file is damaged.
    """
    try:
        writer.execute("BEGIN IMMEDIATE")
        yield
    except (sqlite3.OperationalError, OSError) as error:
        with suppress(sqlite3.Error):  # else the next transaction does it
            writer.rollback()
        reserve.release()
        raise DiskRefusedError(f"buffer {path}: {error}") from error
    except sqlite3.DatabaseError as error:
        raise damaged(path, error) from error
