"""Frames that are too large for their way, replaced by smaller ones.

The pieces get new numbers at the end of the buffer; the old number becomes a hole that is given up.
What they hold is late then, but nothing is counted twice: the books saw these values before.
"""

import logging
import sqlite3
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date

from gateway.core.batch import Gap
from gateway.core.books import Counts
from gateway.core.status import Reason
from gateway.edge.buffer.cutting import Cut, Cuttings, cut_records
from gateway.edge.buffer.incoming import NewFrame
from gateway.edge.buffer.outgoing import EMPTY, Pending
from gateway.edge.buffer.storage.consumers import release
from gateway.edge.buffer.storage.doubt import count_dropped
from gateway.edge.buffer.storage.quota import gaps_to_send, joined_gap, widened
from gateway.edge.buffer.storage.tables import insert_frames, load_schemas, merge
from gateway.wire.columns import FrameError
from gateway.wire.frame import Header, decode_frame, seal, unknown_schemas
from gateway.wire.records import Record

_log = logging.getLogger(__name__)


@dataclass(slots=True)
class Resized:
    """What became of frames.

    Attributes:
        frames: the smaller ones.
        size: the frames that are gone.
        counts: values that are dropped, by device and day.
        gaps: their gaps, and gap records of the frames that must not be lost.
        span_ms: oldest and newest time in them; None if there was none to resize.
    """

    frames: list[NewFrame] = field(default_factory=list)
    size: Pending = EMPTY
    counts: Mapping[tuple[str, date], Counts] = field(default_factory=dict)
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
    connection: sqlite3.Connection, flag: int, too_large: Mapping[int, Cut], last_seq: int
) -> Resized:
    """Cut frames for one consumer; part of the caller's transaction.

    Args:
        connection: in a transaction.
        flag: whose frames.
        too_large: numbers of frames, and what may be made of them.
        last_seq: number of the newest frame.
    """
    total = Resized()
    for seq, cut in too_large.items():
        total.add(_resize(connection, flag, seq, cut))
    insert_frames(connection, last_seq, total.frames, flag)
    return total


def _resize(connection: sqlite3.Connection, flag: int, seq: int, cut: Cut) -> Resized:
    row = connection.execute(
        "SELECT count, first_ms, last_ms, shares, body FROM frame WHERE seq = ? AND waiting & ?",
        (seq, flag),
    ).fetchone()
    if row is None:
        return Resized()
    values, first_ms, last_ms, shares, body = row
    gaps = gaps_to_send(connection, seq)
    try:
        made = cut_records(_records(connection, seq, values, body), cut, first_ms)
    except FrameError as error:
        _log.error("frame %d is too large and cannot be read (%s); it is dropped", seq, error)
        lost = Gap("", "", (), Reason.TOO_LARGE, first_ms, last_ms + 1)
        made = Cuttings(gaps=[lost])
        count_dropped(made.counts, shares, Reason.TOO_LARGE)
    gaps += made.gaps + [joined_gap(connection, gap) for gap in made.without_schema]
    # After the frame and its gaps were read; other consumers keep it as it is.
    release(connection, flag, (seq, seq))
    size, span_ms = Pending(1, values, len(body)), (first_ms, last_ms)
    return Resized(made.frames, size, made.counts, tuple(gaps), span_ms)


def _records(
    connection: sqlite3.Connection, seq: int, values: int, body: bytes
) -> tuple[Record, ...]:
    sealed = seal(body, Header(1, seq, values))
    wanted = [f"{schema_id:016x}" for schema_id in unknown_schemas(sealed, {})]
    known = {schema.id: schema for schema in load_schemas(connection, wanted)}
    return decode_frame(sealed, known).records
