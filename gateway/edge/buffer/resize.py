"""Frames that are too large for their way, cut into smaller ones.

The pieces get new numbers at the end of the buffer; the old number becomes a hole that is given up.
What they hold is late then, but nothing is counted twice: the books saw these values before.
"""

import logging
import sqlite3
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date

from gateway.core.batch import Batch, Changes, Gap
from gateway.core.books import Counts
from gateway.core.days import day_of
from gateway.core.schema import Schema
from gateway.core.status import Reason
from gateway.edge.buffer.frames import Entry, entries_of, frames_of
from gateway.edge.buffer.incoming import NewFrame
from gateway.edge.buffer.outgoing import EMPTY, Pending
from gateway.edge.buffer.storage.consumers import release
from gateway.edge.buffer.storage.quota import count_dropped, gaps_to_tell, widened
from gateway.edge.buffer.storage.tables import insert_frames, load_schemas, merge
from gateway.wire.columns import FrameError
from gateway.wire.frame import BodyEncoder, Header, decode_frame, seal, unknown_schemas
from gateway.wire.records import Record
from gateway.wire.split import as_changes

_log = logging.getLogger(__name__)

_HEADS_BYTES = 128
"""What compression and the heads of records may add to a frame, beside half a hundredth of it."""


@dataclass(slots=True)
class Resized:
    """What became of frames.

    Attributes:
        frames: the smaller ones.
        size: the frames that are gone.
        counts: values that are dropped, because none is small enough, by device and day.
        gaps: their gaps, and gap records of the frames that must not be lost.
        span_ms: oldest and newest time in them; None if there was none to resize.
    """

    frames: list[NewFrame] = field(default_factory=list)
    size: Pending = EMPTY
    counts: dict[tuple[str, date], Counts] = field(default_factory=dict)
    gaps: tuple[Gap, ...] = ()
    span_ms: tuple[int, int] | None = None

    def add(self, other: "Resized") -> None:
        """Join what became of another frame."""
        self.frames += other.frames
        self.size = self.size.minus(EMPTY.minus(other.size))
        self.counts = merge(self.counts, other.counts)
        self.gaps += other.gaps
        if other.span_ms is not None:
            self.span_ms = widened(self.span_ms, *other.span_ms)


def resize(
    connection: sqlite3.Connection, flag: int, too_large: Mapping[int, int], last_seq: int
) -> Resized:
    """Cut frames for one consumer; part of the caller's transaction.

    Args:
        connection: in a transaction.
        flag: whose frames.
        too_large: numbers of frames, and how large the body of a piece may be.
        last_seq: number of the newest frame.
    """
    total = Resized()
    for seq, max_bytes in too_large.items():
        total.add(_resize(connection, flag, seq, max_bytes))
    insert_frames(connection, last_seq, total.frames, flag)
    return total


def _resize(connection: sqlite3.Connection, flag: int, seq: int, max_bytes: int) -> Resized:
    row = connection.execute(
        "SELECT count, first_ms, last_ms, shares, body FROM frame WHERE seq = ? AND waiting & ?",
        (seq, flag),
    ).fetchone()
    if row is None:
        return Resized()
    values, first_ms, last_ms, shares, body = row
    resized = Resized(size=Pending(1, values, len(body)), span_ms=(first_ms, last_ms))
    gaps = gaps_to_tell(connection, seq)
    try:
        records = _records(connection, seq, values, body)
        gaps += _cut(records, max_bytes, first_ms, resized)
    except FrameError as error:
        _log.error("frame %d is too large and cannot be read (%s); it is dropped", seq, error)
        count_dropped(resized.counts, shares, Reason.TOO_LARGE)
        gaps.append(Gap("", "", (), Reason.TOO_LARGE, first_ms, last_ms + 1))
    release(connection, flag, (seq, seq))
    resized.gaps = tuple(gaps)
    return resized


def _records(
    connection: sqlite3.Connection, seq: int, values: int, body: bytes
) -> tuple[Record, ...]:
    sealed = seal(body, Header(1, seq, values))
    wanted = [f"{schema_id:016x}" for schema_id in unknown_schemas(sealed, {})]
    known = {schema.id: schema for schema in load_schemas(connection, wanted)}
    return decode_frame(sealed, known).records


def _cut(records: tuple[Record, ...], max_bytes: int, now_ms: int, resized: Resized) -> list[Gap]:
    """Fill ``resized`` with frames and drops; the gaps of what is dropped.

    Books, counters and gaps are left out: they are told again as they stand now, since these
    would come after newer ones.
    """
    room = max(max_bytes - max_bytes // 200 - _HEADS_BYTES, 1)
    encoder = BodyEncoder()
    entries: list[Entry] = []
    gaps: list[Gap] = []
    for record in records:
        if isinstance(record, Schema):
            entries.append(Entry.note(record))
        elif isinstance(record, Batch | Changes):
            for part, entry in entries_of(record.schema.device, record, room):
                if len(entry.body) <= room or len(encoder.compress([entry.body])) <= max_bytes:
                    entries.append(entry)
                else:
                    gaps += _dropped(part, resized)
    frames = frames_of(entries, encoder, now_ms, room)
    # A schema that is too large goes nowhere: nor do its values, which then wait for the city's
    # word as long as their quota lets them.
    resized.frames = [frame for frame in frames if frame.values or len(frame.body) <= max_bytes]
    return gaps


def _dropped(part: Batch | Changes, resized: Resized) -> list[Gap]:
    """Count a value that no message may carry, and date it."""
    schema = part.schema
    values = as_changes(part) if isinstance(part, Batch) else part
    gaps = []
    for place, time_ms in zip(values.index.tolist(), values.time_ms.tolist(), strict=True):
        counts = resized.counts.setdefault((schema.device, day_of(time_ms)), Counts())
        dropped = counts.dropped
        dropped[Reason.TOO_LARGE.code] = dropped.get(Reason.TOO_LARGE.code, 0) + 1
        tag = (schema.tags[place].name,)
        gaps.append(Gap(schema.device, schema.group, tag, Reason.TOO_LARGE, time_ms, time_ms + 1))
    return gaps
