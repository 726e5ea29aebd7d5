"""Reading and writing the tables of the buffer's file, inside the caller's transaction."""

import sqlite3
from collections.abc import Iterable, Mapping, Sequence
from datetime import date

import msgspec

from gateway.core.batch import Gap
from gateway.core.books import COUNTERS, Counts
from gateway.core.schema import Schema, encode_schema
from gateway.edge.buffer.commit import NewFrame, Pending, Progress
from gateway.edge.buffer.quota import gap_key


def sum_counts(parts: Iterable[Counts]) -> Counts:
    """All of these counters together."""
    total = Counts()
    for part in parts:
        total.add(part)
    return total


def add_counts(total: Counts, changes: Counts) -> None:
    """Add increments, of which drops may be below zero; a cause that comes to nothing goes."""
    total.add(changes)
    total.dropped = {cause: count for cause, count in total.dropped.items() if count}


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
    """Add increments to the books; they have to be told then."""
    connection.executemany(
        "INSERT INTO books VALUES (?, ?, ?, ?, ?, ?, ?, ?, 0) ON CONFLICT DO UPDATE SET "
        "due = due + excluded.due, ok = ok + excluded.ok, failed = failed + excluded.failed, "
        "skipped = skipped + excluded.skipped, suppressed = suppressed + excluded.suppressed, "
        "buffered = buffered + excluded.buffered, told = 0",
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


def mark_told(connection: sqlite3.Connection, keys: Iterable[tuple[str, date]]) -> None:
    """A frame tells these books as they stand."""
    connection.executemany(
        "UPDATE books SET told = 1 WHERE device = ? AND day = ?",
        [(device, day.isoformat()) for device, day in keys],
    )


def insert_frames(connection: sqlite3.Connection, last: int, frames: Iterable[NewFrame]) -> int:
    """Number frames on from ``last`` and keep them; returns the newest number."""
    seq = last
    for seq, frame in enumerate(frames, last + 1):
        connection.execute(
            "INSERT INTO frame VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
            (
                seq,
                frame.values,
                len(frame.body),
                frame.first_ms,
                frame.last_ms,
                frame.gaps,
                msgspec.msgpack.encode(frame.shares),
                frame.body,
            ),
        )
    if seq > last:
        connection.execute("UPDATE meta SET value = ? WHERE key = 'last_seq'", (str(seq),))
    return seq


def free_frames(
    connection: sqlite3.Connection, spans: Iterable[tuple[int, int]], pending: Pending
) -> Pending:
    """Delete frames by inclusive ranges; returns what is held then."""
    for span in spans:
        frames, values, size = connection.execute(
            "SELECT count(*), total(count), total(bytes) FROM frame WHERE seq BETWEEN ? AND ?", span
        ).fetchone()
        if frames:
            connection.execute("DELETE FROM frame WHERE seq BETWEEN ? AND ?", span)
            pending = minus(pending, frames, int(values), int(size))
    return pending


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


def load_books(
    connection: sqlite3.Connection, *, untold: bool = False
) -> dict[tuple[str, date], Counts]:
    """The books by device and day: all, or those that no frame has told as they stand."""
    only = "told = 0" if untold else "1"
    books = {
        (device, date.fromisoformat(day)): Counts(*counters)
        for device, day, *counters in connection.execute(
            f"SELECT device, day, {', '.join(COUNTERS)} FROM books WHERE {only}"  # noqa: S608
        )
    }
    for device, day, cause, count in connection.execute(
        "SELECT device, day, cause, count FROM dropped JOIN books USING (device, day) "  # noqa: S608
        f"WHERE count > 0 AND {only}"
    ):
        books[device, date.fromisoformat(day)].dropped[cause] = count
    return books


def load_totals(connection: sqlite3.Connection) -> Counts:
    """The books of all devices and days together."""
    sums = ", ".join(f"CAST(total({name}) AS INTEGER)" for name in COUNTERS)
    totals = Counts(*connection.execute(f"SELECT {sums} FROM books").fetchone())  # noqa: S608
    totals.dropped = dict(
        connection.execute("SELECT cause, sum(count) AS n FROM dropped GROUP BY cause HAVING n > 0")
    )
    return totals


def load_pending(connection: sqlite3.Connection) -> Pending:
    """What the frames in the file amount to."""
    frames, values, size = connection.execute(
        "SELECT count(*), total(count), total(bytes) FROM frame"
    ).fetchone()
    return Pending(frames, int(values), int(size))
