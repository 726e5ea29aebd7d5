"""Reading and writing the tables of the buffer's file, inside the caller's transaction."""

import sqlite3
from collections.abc import Iterable, Mapping, Sequence
from datetime import date

from gateway.core.batch import Gap
from gateway.core.books import COUNTERS, Counts
from gateway.core.schema import Schema, encode_schema
from gateway.edge.commit import NewFrame, Pending, Progress
from gateway.edge.quota import gap_key


def sum_counts(parts: Iterable[Counts]) -> Counts:
    """All of these counters together."""
    total = Counts()
    for part in parts:
        total.add(part)
    return total


def plus(pending: Pending, frames: Sequence[NewFrame]) -> Pending:
    """What the buffer holds with these frames."""
    return Pending(
        pending.frames + len(frames),
        pending.values + sum(frame.values for frame in frames),
        pending.bytes + sum(len(frame.body) for frame in frames),
    )


def minus(pending: Pending, frames: int, values: int, size: int) -> Pending:
    """What the buffer holds without some frames."""
    return Pending(pending.frames - frames, pending.values - values, pending.bytes - size)


def merge(
    first: Mapping[tuple[str, date], Counts], second: Mapping[tuple[str, date], Counts]
) -> dict[tuple[str, date], Counts]:
    """Both sets of increments together."""
    if not second:
        return dict(first)
    merged: dict[tuple[str, date], Counts] = {}
    for part in (first, second):
        for key, counts in part.items():
            merged.setdefault(key, Counts()).add(counts)
    return merged


def write_books(connection: sqlite3.Connection, changes: Mapping[tuple[str, date], Counts]) -> None:
    """Add increments to the books."""
    connection.executemany(
        "INSERT INTO books VALUES (?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO UPDATE SET "
        "due = due + excluded.due, ok = ok + excluded.ok, failed = failed + excluded.failed, "
        "skipped = skipped + excluded.skipped, suppressed = suppressed + excluded.suppressed, "
        "buffered = buffered + excluded.buffered",
        [
            (device, day.isoformat(), *(getattr(counts, name) for name in COUNTERS))
            for (device, day), counts in changes.items()
        ],
    )
    connection.executemany(
        "INSERT INTO dropped VALUES (?, ?, ?, ?) "
        "ON CONFLICT DO UPDATE SET count = count + excluded.count",
        [
            (device, day.isoformat(), cause, count)
            for (device, day), counts in changes.items()
            for cause, count in counts.dropped.items()
        ],
    )


def write_progress(
    connection: sqlite3.Connection, progress: Mapping[tuple[str, str], Progress]
) -> None:
    """Note how far groups have come."""
    connection.executemany(
        "INSERT OR REPLACE INTO progress VALUES (?, ?, ?, ?)",
        [
            (device, group, state.tick_ms, state.newest_ms)
            for (device, group), state in progress.items()
        ],
    )


def write_gaps(connection: sqlite3.Connection, gaps: Iterable[Gap]) -> None:
    """These travel with this commit: open ones are remembered until they end."""
    for gap in gaps:
        key = gap_key(gap)
        connection.execute(
            "DELETE FROM gap WHERE device = ? AND grp = ? AND tags = ? AND from_ms = ?", key
        )
        if gap.to_ms is None:
            connection.execute(
                "INSERT INTO gap VALUES (?, ?, ?, ?, ?, NULL)", (*key, int(gap.cause))
            )


def write_schemas(connection: sqlite3.Connection, schemas: Iterable[Schema]) -> None:
    """Keep the schemas that frames carry."""
    connection.executemany(
        "INSERT OR REPLACE INTO tag_schema VALUES (?, ?)",
        [(f"{schema.id:016x}", encode_schema(schema)) for schema in schemas],
    )


def load_books(connection: sqlite3.Connection) -> dict[tuple[str, date], Counts]:
    """The books by device and day."""
    books = {
        (device, date.fromisoformat(day)): Counts(*counters)
        for device, day, *counters in connection.execute(
            "SELECT device, day, due, ok, failed, skipped, suppressed, buffered FROM books"
        )
    }
    for device, day, cause, count in connection.execute("SELECT * FROM dropped"):
        key = (device, date.fromisoformat(day))
        books.setdefault(key, Counts()).dropped[cause] = count
    return books


def load_pending(connection: sqlite3.Connection) -> Pending:
    """What the frames in the file amount to."""
    frames, values, size = connection.execute(
        "SELECT count(*), total(count), total(bytes) FROM frame"
    ).fetchone()
    return Pending(frames, int(values), int(size))
