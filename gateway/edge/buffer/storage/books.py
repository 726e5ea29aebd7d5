"""The books of a buffer file, read by another process than the gateway that writes it."""

import sqlite3
from contextlib import closing
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from edge_config.models.gateway import CITY
from gateway.core.books import Counts
from gateway.edge.buffer.outgoing import EMPTY, Pending
from gateway.edge.buffer.storage.consumers import waiting_for
from gateway.edge.buffer.storage.file import BufferFileError, open_reader
from gateway.edge.buffer.storage.tables import load_books, sum_counts


@dataclass(frozen=True, slots=True)
class BufferBooks:
    """The books of a buffer file as another process reads them."""

    epoch: int
    last_seq: int
    pending: Pending
    books: dict[tuple[str, date], Counts]

    @property
    def totals(self) -> Counts:
        """All devices and days together."""
        return sum_counts(self.books.values())


def read_books(path: Path) -> BufferBooks:
    """Read the books of a buffer file, whether a gateway uses it now or not.

    Raises:
        BufferFileError: no such file, it cannot be read, or it is being made.
    """
    try:
        with closing(open_reader(path)) as reader:
            reader.execute("BEGIN")
            meta = dict(reader.execute("SELECT key, value FROM meta"))
            if "epoch" not in meta:
                raise BufferFileError(f"buffer {path} is being made; read it again in a moment")
            return BufferBooks(
                int(meta["epoch"], 16),
                int(meta["last_seq"]),
                _pending(reader, int(meta["last_seq"])),
                load_books(reader),
            )
    except sqlite3.Error as error:
        raise BufferFileError(f"buffer {path} cannot be read: {error}") from error


def _pending(reader: sqlite3.Connection, last_seq: int) -> Pending:
    """What waits for the city."""
    row = reader.execute("SELECT flag FROM consumer WHERE name = ?", (CITY,)).fetchone()
    return EMPTY if row is None else waiting_for(reader, row[0], (0, last_seq))
