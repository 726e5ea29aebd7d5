"""What can be looked up in the buffer, beside its frames."""

import sqlite3
import threading
from collections.abc import Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager
from datetime import date
from pathlib import Path

from gateway.core.batch import Gap
from gateway.core.books import Counts
from gateway.core.machines import MachineCounts
from gateway.core.schema import Schema
from gateway.core.status import Reason
from gateway.edge.buffer.incoming import GroupProgress, MachineKey
from gateway.edge.buffer.storage.file import damaged
from gateway.edge.buffer.storage.tables import (
    load_books,
    load_machines,
    load_schema_ids,
    load_schemas,
)


class BufferReading:
    """The reading side of the buffer.

    Args:
        path: the file, for messages.
        reader: a connection that only reads.
    """

    def __init__(self, path: Path, reader: sqlite3.Connection) -> None:
        self._path = path
        self._reader = reader
        self._reading = threading.Lock()
        self._naming = threading.Lock()

    def one_epoch(self) -> AbstractContextManager[object]:
        """No epoch begins within: what is read of the books is committed under theirs."""
        return self._naming

    @contextmanager
    def reads(self) -> Iterator[sqlite3.Connection]:
        """The reader, for one thread at a time."""
        with self._reading:
            try:
                yield self._reader
            except sqlite3.Error as error:
                raise damaged(self._path, error) from error

    @contextmanager
    def looks(self) -> Iterator[bool]:
        """Whether nothing is dropped meanwhile; False if it would have to be waited for."""
        may_look = self._reading.acquire(blocking=False)
        try:
            yield may_look
        finally:
            if may_look:
                self._reading.release()

    def schemas(self, ids: Iterable[str]) -> list[Schema]:
        """Schemas that frames of this buffer carried, by their ids as 16 hex digits."""
        with self.reads() as reader:
            return load_schemas(reader, ids)

    def schema_ids(self) -> set[int]:
        """Ids of all schemas that frames of this buffer carried, but for damaged ones."""
        with self.reads() as reader:
            return load_schema_ids(reader)

    def progress(self) -> dict[tuple[str, str], GroupProgress]:
        """How far each group had come at the last commit, by (device, group)."""
        with self.reads() as reader:
            rows = reader.execute("SELECT device, grp, tick_ms, newest_ms FROM progress")
            return {
                (device, group): GroupProgress(tick, newest) for device, group, tick, newest in rows
            }

    def gaps(self) -> list[Gap]:
        """Gaps that are open, and ended ones that have not travelled yet."""
        with self.reads() as reader:
            rows = reader.execute("SELECT device, grp, tags, cause, from_ms, to_ms FROM gap")
            return [
                Gap(device, group, tuple(tags.split()), Reason(cause), from_ms, to_ms)
                for device, group, tags, cause, from_ms, to_ms in rows
            ]

    def unreported(self) -> dict[tuple[str, date], Counts]:
        """The books, by device and day, that no frame has reported as they stand."""
        with self.reads() as reader:
            return load_books(reader, unreported=True)

    def unreported_machines(self) -> dict[MachineKey, MachineCounts]:
        """The counters of machines that no frame has reported as they stand."""
        with self.reads() as reader:
            return load_machines(reader, unreported=True)
