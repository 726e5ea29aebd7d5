"""Reading and writing the tables of the buffer's file, inside the caller's transaction."""

# ruff: noqa: S608 - only names of our own columns are put into statements

import sqlite3
from collections.abc import Iterable, Mapping
from datetime import date, timedelta
from operator import attrgetter

import msgspec

from gateway.core.batch import Gap
from gateway.core.books import BY_CODE, COUNTERS, Counts
from gateway.core.days import day_of
from gateway.core.machines import MachineCounts
from gateway.core.schema import Schema, decode_schema, encode_schema, id_of
from gateway.edge.buffer.incoming import Commit, GroupProgress, MachineKey, NewFrame
from gateway.edge.buffer.outgoing import StoredFrame
from gateway.edge.buffer.storage.history import chain_of, chained
from gateway.edge.buffer.storage.quota import GAP_IS, gap_key


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


def merge(
    first: Mapping[tuple[str, date], Counts], second: Mapping[tuple[str, date], Counts]
) -> Mapping[tuple[str, date], Counts]:
    """Both sets of increments together; to be read only, as it may be one of them."""
    if not first or not second:
        return first or second
    merged: dict[tuple[str, date], Counts] = {}
    for part in (first, second):
        for key, counts in part.items():
            merged.setdefault(key, Counts()).add(counts)
    return merged


_COUNTERS_OF = attrgetter(*COUNTERS)


def write_books(connection: sqlite3.Connection, changes: Mapping[tuple[str, date], Counts]) -> None:
    """Add increments to the books; they have to be reported then."""
    connection.executemany(
        "INSERT INTO books VALUES (?, ?, ?, ?, ?, ?, ?, ?, 0) ON CONFLICT DO UPDATE SET "
        "due = due + excluded.due, ok = ok + excluded.ok, failed = failed + excluded.failed, "
        "skipped = skipped + excluded.skipped, suppressed = suppressed + excluded.suppressed, "
        "buffered = buffered + excluded.buffered, reported = 0",
        [
            (device, day.isoformat(), *_COUNTERS_OF(counts))
            for (device, day), counts in changes.items()
        ],
    )
    for name in BY_CODE:
        connection.executemany(
            f"INSERT INTO {name} VALUES (?, ?, ?, ?) "
            "ON CONFLICT DO UPDATE SET count = count + excluded.count",
            [
                (device, day.isoformat(), code, count)
                for (device, day), counts in changes.items()
                for code, count in getattr(counts, name).items()
            ],
        )


def forget_books(connection: sqlite3.Connection) -> None:
    """Begin the books anew, as an epoch does."""
    for table in ("books", *BY_CODE, "machine"):
        connection.execute(f"DELETE FROM {table}")


def mark_reported(connection: sqlite3.Connection, commit: Commit) -> None:
    """Frames report these books, and counters of machines, as they stand."""
    connection.executemany(
        "UPDATE books SET reported = 1 WHERE device = ? AND day = ?",
        [(device, day.isoformat()) for device, day in commit.reported],
    )
    connection.executemany(
        "UPDATE machine SET reported = 1 WHERE device = ? AND site = ? AND asset = ? AND day = ?",
        [(*machine, day.isoformat()) for *machine, day in commit.reported_machines],
    )


def report_again(connection: sqlite3.Connection, first: date, last: date) -> None:
    """Frames that may have reported these days are dropped."""
    span = (first.isoformat(), last.isoformat())
    connection.execute("UPDATE books SET reported = 0 WHERE day BETWEEN ? AND ?", span)
    connection.execute("UPDATE machine SET reported = 0 WHERE day BETWEEN ? AND ?", span)


def write_changes(
    connection: sqlite3.Connection,
    parts: Iterable[Mapping[tuple[str, date], Counts]],
    gone_ms: Iterable[tuple[int, int] | None],
) -> Mapping[tuple[str, date], Counts]:
    """Write what changes in the books; let travel again what lost frames may have reported.

    Args:
        connection: in a transaction.
        parts: increments.
        gone_ms: spans of the times in lost frames, UTC milliseconds; None where none were lost.

    Returns:
        All increments together.
    """
    changes: Mapping[tuple[str, date], Counts] = {}
    for part in parts:
        changes = merge(changes, part)
    write_books(connection, changes)
    for span_ms in (one for one in gone_ms if one is not None):
        # Also the day before: it is reported for the last time after its end.
        report_again(connection, day_of(span_ms[0]) - timedelta(days=1), day_of(span_ms[1]))
    return changes


_ADD_MACHINE = """
    INSERT INTO machine VALUES (?, ?, ?, ?, ?, ?, ?, ?, 0) ON CONFLICT DO UPDATE SET
        valid = valid + excluded.valid, expected = expected + excluded.expected,
        first_ms = min(ifnull(first_ms, excluded.first_ms), ifnull(excluded.first_ms, first_ms)),
        last_ms = max(ifnull(last_ms, excluded.last_ms), ifnull(excluded.last_ms, last_ms)),
        reported = 0
"""


def write_machines(
    connection: sqlite3.Connection, changes: Mapping[MachineKey, MachineCounts]
) -> None:
    """Add increments to the counters of machines; they have to be reported then."""
    connection.executemany(
        _ADD_MACHINE,
        [
            (*machine, day.isoformat(), one.valid, one.expected, one.first_ms, one.last_ms)
            for (*machine, day), one in changes.items()
        ],
    )


def load_machines(
    connection: sqlite3.Connection, *, unreported: bool = False
) -> dict[MachineKey, MachineCounts]:
    """The counters of machines: all, or those that no frame has reported as they stand."""
    rows = connection.execute(
        "SELECT device, site, asset, day, valid, expected, first_ms, last_ms FROM machine "
        f"WHERE {'reported = 0' if unreported else '1'}"
    )
    return {
        (device, site, asset, date.fromisoformat(day)): MachineCounts(*counters)
        for device, site, asset, day, *counters in rows
    }


def insert_frames(
    connection: sqlite3.Connection, last: int, frames: Iterable[NewFrame], waiting: int
) -> list[StoredFrame]:
    """Number frames on from ``last`` and keep them; returns them with their numbers.

    Args:
        connection: in a transaction.
        last: newest number used.
        frames: oldest first.
        waiting: flags of the consumers that get them.
    """
    chain = chain_of(connection)
    stored: list[StoredFrame] = []
    for seq, frame in enumerate(frames, last + 1):
        chain = chained(chain, frame.body)
        times = (frame.first_ms, frame.last_ms)
        stored.append(StoredFrame(seq, frame.values, frame.body, chain, *times))
        connection.execute(
            "INSERT INTO frame VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (
                seq,
                waiting,
                frame.values,
                len(frame.body),
                frame.first_ms,
                frame.last_ms,
                frame.gaps,
                chain,
                msgspec.msgpack.encode(frame.shares),
                frame.body,
            ),
        )
    if stored:
        newest = [(str(stored[-1].seq), "last_seq"), (str(chain), "chain")]
        connection.executemany("UPDATE meta SET value = ? WHERE key = ?", newest)
    return stored


def write_clock_mark(connection: sqlite3.Connection, mark: str) -> None:
    """Keep what the next process has to know of the clock; written only if it has changed."""
    connection.execute(
        "INSERT INTO meta VALUES ('clock', ?) ON CONFLICT DO UPDATE SET value = excluded.value "
        "WHERE value <> excluded.value",
        (mark,),
    )


def write_progress(
    connection: sqlite3.Connection, progress: Mapping[tuple[str, str], GroupProgress]
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
        connection.execute(f"DELETE FROM gap WHERE {GAP_IS}", key)
        if gap.to_ms is None:
            connection.execute("INSERT INTO gap VALUES (?, ?, ?, ?, ?, NULL)", key)


def write_schemas(connection: sqlite3.Connection, schemas: Iterable[Schema]) -> None:
    """Keep the schemas that frames carry."""
    connection.executemany(
        "INSERT OR REPLACE INTO tag_schema VALUES (?, ?)",
        [(f"{schema.id:016x}", encode_schema(schema)) for schema in schemas],
    )


def load_books(
    connection: sqlite3.Connection, *, unreported: bool = False
) -> dict[tuple[str, date], Counts]:
    """The books by device and day: all, or those that no frame has reported as they stand."""
    only = "reported = 0" if unreported else "1"
    books = {
        (device, date.fromisoformat(day)): Counts(*counters)
        for device, day, *counters in connection.execute(
            f"SELECT device, day, {', '.join(COUNTERS)} FROM books WHERE {only}"
        )
    }
    for name in BY_CODE:
        for device, day, code, count in connection.execute(
            f"SELECT device, day, code, count FROM {name} JOIN books USING (device, day) "
            f"WHERE count > 0 AND {only}"
        ):
            getattr(books[device, date.fromisoformat(day)], name)[code] = count
    return books


def load_totals(connection: sqlite3.Connection) -> Counts:
    """The books of all devices and days together."""
    sums = ", ".join(f"CAST(total({name}) AS INTEGER)" for name in COUNTERS)
    totals = Counts(*connection.execute(f"SELECT {sums} FROM books").fetchone())
    for name in BY_CODE:
        query = f"SELECT code, sum(count) AS n FROM {name} GROUP BY code HAVING n > 0"
        setattr(totals, name, dict(connection.execute(query)))
    return totals


def load_schemas(connection: sqlite3.Connection, ids: Iterable[str]) -> list[Schema]:
    """Schemas by their ids as 16 hex digits; damaged ones are left out."""
    return [
        decode_schema(body)
        for schema_id in ids
        for found, body in connection.execute(
            "SELECT id, body FROM tag_schema WHERE id = ?", (schema_id,)
        ).fetchall()
        if _is_sound(found, body)
    ]


def load_schema_ids(connection: sqlite3.Connection) -> set[int]:
    """Ids of all schemas but for damaged ones."""
    rows = connection.execute("SELECT id, body FROM tag_schema")
    return {int(found, 16) for found, body in rows if _is_sound(found, body)}


def _is_sound(schema_id: str, body: bytes) -> bool:
    """Whether a schema is still what it was; a damaged one is kept anew when it comes again."""
    return f"{id_of(body):016x}" == schema_id
